/* When cycles began and were to end: the times of the server's clock that JACK tells to all its
 * clients alike, for each of the last cycles.
 *
 * From them the writer computes the very frame that belongs to a moment. The frames of a cycle are
 * spread evenly over its time; only its own figures count, not what one client saw before or after,
 * so that two recorders on one server come to the same frame, though one of them may have missed
 * other cycles. The process thread writes, any thread reads; old entries are written over.
 */
#ifndef STEMD_CYCLE_TIMES_H
#define STEMD_CYCLE_TIMES_H

#include "rt.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Some seconds even of the shortest periods. */
enum { STEM_CYCLE_TIMES = 8192 };

/* One cycle. */
struct stem_cycle {
    uint64_t frame; /* its first */
    uint64_t frames;
    uint64_t began_us; /* of the server's clock */
    uint64_t next_us;  /* when the next one is to begin */
};

/* All zero is empty. */
struct stem_cycle_times {
    _Atomic uint64_t count; /* cycles noted so far; an entry is complete before it counts */
    struct {
        _Atomic uint64_t frame;
        _Atomic uint64_t frames;
        _Atomic uint64_t began_us;
        _Atomic uint64_t next_us;
    } cycles[STEM_CYCLE_TIMES]; /* cycle n stands at n modulo their number */
};

/* NULL without memory; its pages are there already. Any thread. */
struct stem_cycle_times *stem_cycle_times_create(void);
void stem_cycle_times_destroy(struct stem_cycle_times *times);

/* Notes a cycle. Process thread. RT safe. */
void stem_cycle_times_note_rt(struct stem_cycle_times *times, const struct stem_cycle *cycle)
    STEM_RT;

enum stem_cycle_time {
    STEM_CYCLE_TIME_FOUND,
    STEM_CYCLE_TIME_AHEAD, /* the last cycle ends before that moment */
    STEM_CYCLE_TIME_LOST,  /* it was before the oldest cycle that is known */
};

/* The frame at `ns` nanoseconds of the server's clock: in the cycle that has this moment, or, when
 * none has it, on the straight line from the end of the cycle before to the next one. Any thread.
 */
enum stem_cycle_time stem_cycle_times_find(
    const struct stem_cycle_times *times, int64_t ns, uint64_t *frame);

#endif
