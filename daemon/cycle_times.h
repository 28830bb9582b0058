/* When cycles began: the time of the server's clock at which each of the last cycles started, as
 * JACK tells it to all its clients alike.
 *
 * From it the writer computes, once a moment has passed, the very frame that belonged to it; two
 * recorders on one server come to the same one. The process thread writes, any thread reads; old
 * entries are written over.
 */
#ifndef STEMD_CYCLE_TIMES_H
#define STEMD_CYCLE_TIMES_H

#include "rt.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Some seconds even of the shortest periods. */
enum { STEM_CYCLE_TIMES = 8192 };

/* All zero is empty. */
struct stem_cycle_times {
    _Atomic uint64_t count; /* cycles noted so far; an entry is complete before it counts */
    struct {
        _Atomic uint64_t frame;
        _Atomic uint64_t us;
    } cycles[STEM_CYCLE_TIMES]; /* cycle n stands at n modulo their number */
};

/* NULL without memory; its pages are there already. Any thread. */
struct stem_cycle_times *stem_cycle_times_create(void);
void stem_cycle_times_destroy(struct stem_cycle_times *times);

/* Notes a cycle that began with `frame` at `us` microseconds. Process thread. RT safe. */
void stem_cycle_times_note_rt(struct stem_cycle_times *times, uint64_t frame, uint64_t us) STEM_RT;

enum stem_cycle_time {
    STEM_CYCLE_TIME_FOUND,
    STEM_CYCLE_TIME_AHEAD, /* the cycle that follows that moment has not begun yet */
    STEM_CYCLE_TIME_LOST,  /* it was before the oldest cycle that is known */
};

/* The frame at `ns` nanoseconds of the server's clock, between the cycles before and after. Any
 * thread. */
enum stem_cycle_time stem_cycle_times_find(
    const struct stem_cycle_times *times, int64_t ns, uint64_t *frame);

#endif
