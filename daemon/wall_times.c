#include "wall_times.h"

#include <stdlib.h>

struct stem_wall_times *stem_wall_times_create(void)
{
    return calloc(1, sizeof(struct stem_wall_times));
}

void stem_wall_times_destroy(struct stem_wall_times *times)
{
    free(times);
}

void stem_wall_times_note(struct stem_wall_times *times, const struct stem_wall_look *look)
{
    uint64_t count = atomic_load_explicit(&times->count, memory_order_relaxed);
    size_t at = count % STEM_WALL_TIMES;
    /* Release: a reader that sees a new value here sees that the old entry counts no more, too. */
    atomic_store_explicit(&times->looks[at].wall_ns, look->wall_ns, memory_order_release);
    atomic_store_explicit(&times->looks[at].server_ns, look->server_ns, memory_order_release);
    atomic_store_explicit(&times->count, count + 1, memory_order_release);
}

uint64_t stem_wall_times_count(const struct stem_wall_times *times)
{
    return atomic_load_explicit(&times->count, memory_order_acquire);
}

/* False when it has been written over, or may be just now. */
static bool read_look(
    const struct stem_wall_times *times, uint64_t number, struct stem_wall_look *look)
{
    size_t at = number % STEM_WALL_TIMES;
    look->wall_ns = atomic_load_explicit(&times->looks[at].wall_ns, memory_order_acquire);
    look->server_ns = atomic_load_explicit(&times->looks[at].server_ns, memory_order_acquire);
    return atomic_load_explicit(&times->count, memory_order_relaxed) < number + STEM_WALL_TIMES;
}

bool stem_wall_times_last(const struct stem_wall_times *times, struct stem_wall_look *look)
{
    uint64_t count = stem_wall_times_count(times);
    return count > 0 && read_look(times, count - 1, look);
}

static int64_t between(
    const struct stem_wall_look *before, const struct stem_wall_look *after, int64_t wall_ns)
{
    double part = (double)(wall_ns - before->wall_ns) / (double)(after->wall_ns - before->wall_ns);
    return before->server_ns + (int64_t)(part * (double)(after->server_ns - before->server_ns));
}

/* A moment before the look `number`, which is `after`. What was before the first look of all is
 * counted back from that. */
static enum stem_wall_time find_past(const struct stem_wall_times *times, uint64_t number,
    struct stem_wall_look after, int64_t wall_ns, int64_t *server_ns)
{
    struct stem_wall_look before;
    for (; number-- > 0; after = before) {
        if (!read_look(times, number, &before))
            return STEM_WALL_TIME_LOST;
        if (before.wall_ns > wall_ns)
            continue;
        *server_ns = between(&before, &after, wall_ns);
        return STEM_WALL_TIME_FOUND;
    }
    *server_ns = after.server_ns - (after.wall_ns - wall_ns);
    return STEM_WALL_TIME_FOUND;
}

enum stem_wall_time stem_wall_times_find(
    const struct stem_wall_times *times, int64_t wall_ns, uint64_t *from, int64_t *server_ns)
{
    uint64_t count = stem_wall_times_count(times);
    struct stem_wall_look before, after;
    if (*from == 0 || *from > count || !read_look(times, *from - 1, &before))
        return STEM_WALL_TIME_LOST;
    if (before.wall_ns > wall_ns)
        return find_past(times, *from - 1, before, wall_ns, server_ns);
    for (; *from < count; ++*from, before = after) {
        if (!read_look(times, *from, &after))
            return STEM_WALL_TIME_LOST;
        if (after.wall_ns <= wall_ns)
            continue;
        *server_ns = between(&before, &after, wall_ns);
        return STEM_WALL_TIME_FOUND;
    }
    return STEM_WALL_TIME_AHEAD;
}
