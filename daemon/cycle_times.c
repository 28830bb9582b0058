#include "cycle_times.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The process thread shall not be the first to touch a page, so calloc will not do. */
struct stem_cycle_times *stem_cycle_times_create(void)
{
    size_t bytes = (sizeof(struct stem_cycle_times) + 63) / 64 * 64;
    struct stem_cycle_times *times = aligned_alloc(64, bytes);
    if (times)
        memset(times, 0, bytes);
    return times;
}

void stem_cycle_times_destroy(struct stem_cycle_times *times)
{
    free(times);
}

/* A place on both clocks. */
struct place {
    uint64_t frame;
    int64_t ns;
};

/* Where a cycle begins and where it ends; false when it has been written over, or may be just now.
 */
static bool read_cycle(
    const struct stem_cycle_times *times, uint64_t number, struct place *began, struct place *end)
{
    size_t at = number % STEM_CYCLE_TIMES;
    began->frame = atomic_load_explicit(&times->cycles[at].frame, memory_order_acquire);
    end->frame =
        began->frame + atomic_load_explicit(&times->cycles[at].frames, memory_order_acquire);
    began->ns =
        (int64_t)atomic_load_explicit(&times->cycles[at].began_us, memory_order_acquire) * 1000;
    end->ns =
        (int64_t)atomic_load_explicit(&times->cycles[at].next_us, memory_order_acquire) * 1000;
    return atomic_load_explicit(&times->count, memory_order_relaxed) < number + STEM_CYCLE_TIMES;
}

static uint64_t between(const struct place *before, const struct place *after, int64_t ns)
{
    if (after->frame <= before->frame || after->ns <= before->ns)
        return after->frame;
    double part = (double)(ns - before->ns) / (double)(after->ns - before->ns);
    return before->frame + (uint64_t)(part * (double)(after->frame - before->frame));
}

enum stem_cycle_time stem_cycle_times_find(
    const struct stem_cycle_times *times, int64_t ns, uint64_t *frame)
{
    uint64_t number = atomic_load_explicit(&times->count, memory_order_acquire);
    struct place began, end, later = {0};
    if (number == 0)
        return STEM_CYCLE_TIME_LOST;
    for (bool is_last = true; number-- > 0; is_last = false, later = began) {
        if (!read_cycle(times, number, &began, &end))
            return STEM_CYCLE_TIME_LOST;
        if (began.ns > ns)
            continue;
        if (ns >= end.ns && is_last)
            return STEM_CYCLE_TIME_AHEAD;
        *frame = ns < end.ns ? between(&began, &end, ns) : between(&end, &later, ns);
        return STEM_CYCLE_TIME_FOUND;
    }
    return STEM_CYCLE_TIME_LOST;
}
