#include "clock_pair.h"

#include <time.h>

enum { READINGS = 64, TRIES = 8 };

/* The server's clock: one of the kernel's, or only what JACK tells. */
struct source {
    clockid_t clock;
    uint64_t (*server_us)(void); /* NULL: `clock` is it */
};

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Whether the server's clock lies between two readings of a kernel's clock, each time. */
static bool counts(uint64_t (*server_us)(void), clockid_t clock)
{
    for (int k = 0; k < TRIES; k++) {
        int64_t before = read_ns(clock) / 1000, told = (int64_t)server_us();
        if (told < before || told > read_ns(clock) / 1000)
            return false;
    }
    return true;
}

static struct source find_source(uint64_t (*server_us)(void))
{
    static const clockid_t CLOCKS[] = {CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC};
    for (size_t k = 0; k < sizeof CLOCKS / sizeof *CLOCKS; k++)
        if (counts(server_us, CLOCKS[k]))
            return (struct source){.clock = CLOCKS[k]};
    return (struct source){.server_us = server_us};
}

static int64_t read_source(const struct source *source)
{
    return source->server_us ? (int64_t)source->server_us() * 1000 : read_ns(source->clock);
}

/* How far the wall clock is ahead is known from both sides: a reading of the server's clock before
 * it bounds that from above, one after it from below. Where the narrowest bounds of many meet, the
 * time that a reading takes has gone out, and no pause between two of them matters. */
bool stem_clock_pair_look(uint64_t (*server_us)(void), struct stem_wall_look *look)
{
    const struct source source = find_source(server_us);
    int64_t cut_off_ns = source.server_us ? 999 : 0; /* of a time in whole microseconds, at most */
    int64_t most = INT64_MAX, least = INT64_MIN;
    for (int k = 0; k < READINGS; k++) {
        int64_t before = read_source(&source);
        int64_t wall = look->wall_ns = read_ns(CLOCK_REALTIME);
        int64_t after = read_source(&source) + cut_off_ns;
        most = wall - before < most ? wall - before : most;
        least = wall - after > least ? wall - after : least;
    }
    look->server_ns = look->wall_ns - (least + (most - least) / 2);
    return least <= most;
}
