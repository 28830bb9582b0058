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

struct cycle {
    uint64_t frame;
    int64_t ns;
};

/* False when it has been written over, or may be just now. */
static bool read_cycle(const struct stem_cycle_times *times, uint64_t number, struct cycle *cycle)
{
    size_t at = number % STEM_CYCLE_TIMES;
    cycle->frame = atomic_load_explicit(&times->cycles[at].frame, memory_order_acquire);
    cycle->ns = (int64_t)atomic_load_explicit(&times->cycles[at].us, memory_order_acquire) * 1000;
    return atomic_load_explicit(&times->count, memory_order_relaxed) < number + STEM_CYCLE_TIMES;
}

static uint64_t between(const struct cycle *before, const struct cycle *after, int64_t ns)
{
    double part = (double)(ns - before->ns) / (double)(after->ns - before->ns);
    return before->frame + (uint64_t)(part * (double)(after->frame - before->frame));
}

enum stem_cycle_time stem_cycle_times_find(
    const struct stem_cycle_times *times, int64_t ns, uint64_t *frame)
{
    uint64_t count = atomic_load_explicit(&times->count, memory_order_acquire);
    struct cycle after = {0}, before;
    if (count == 0 || !read_cycle(times, count - 1, &after))
        return STEM_CYCLE_TIME_LOST;
    if (after.ns <= ns)
        return STEM_CYCLE_TIME_AHEAD;
    for (uint64_t number = count - 1; number-- > 0; after = before) {
        if (!read_cycle(times, number, &before))
            return STEM_CYCLE_TIME_LOST;
        if (before.ns > ns)
            continue;
        *frame = between(&before, &after, ns);
        return STEM_CYCLE_TIME_FOUND;
    }
    return STEM_CYCLE_TIME_LOST;
}
