/* What the wall clock said at instants of the server's clock: looks at both clocks at once, taken
 * some times a second.
 *
 * From them a writer computes, once a moment of the wall clock has passed, when that was on the
 * server's clock, which may run at another pace: on the straight line between the looks before and
 * after. It is a function of the moment and of the looks alone, so writer and mirror come to the
 * same result, whenever each of them asks. Control writes, any thread reads; old looks are written
 * over.
 */
#ifndef STEMD_WALL_TIMES_H
#define STEMD_WALL_TIMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Some minutes of them. */
enum { STEM_WALL_TIMES = 4096 };

/* Both clocks at one instant, in nanoseconds. */
struct stem_wall_look {
    int64_t wall_ns;
    int64_t server_ns;
};

/* All zero is empty. */
struct stem_wall_times {
    _Atomic uint64_t count; /* looks noted so far; an entry is complete before it counts */
    struct {
        _Atomic int64_t wall_ns;
        _Atomic int64_t server_ns;
    } looks[STEM_WALL_TIMES]; /* look n stands at n modulo their number */
};

/* NULL without memory. Any thread. */
struct stem_wall_times *stem_wall_times_create(void);
void stem_wall_times_destroy(struct stem_wall_times *times);

/* Control thread. */
void stem_wall_times_note(struct stem_wall_times *times, const struct stem_wall_look *look);

/* How many were noted so far. Any thread. */
uint64_t stem_wall_times_count(const struct stem_wall_times *times);

/* The last one; false when there is none. Any thread. */
bool stem_wall_times_last(const struct stem_wall_times *times, struct stem_wall_look *look);

enum stem_wall_time {
    STEM_WALL_TIME_FOUND,
    STEM_WALL_TIME_AHEAD, /* no look after that moment was taken yet */
    STEM_WALL_TIME_LOST,  /* the looks around it are written over, or there is none */
};

/* When the moment `wall_ns` was on the server's clock. `*from` tells how many looks were there when
 * the moment was given: if it lay ahead then, it is the first time that the wall clock comes to it,
 * also should that be set back later; if it was past, the last time before. While the answer is
 * AHEAD, `*from` goes along, to be given again. Any thread. */
enum stem_wall_time stem_wall_times_find(
    const struct stem_wall_times *times, int64_t wall_ns, uint64_t *from, int64_t *server_ns);

#endif
