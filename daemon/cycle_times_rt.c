#include "cycle_times.h"

void stem_cycle_times_note_rt(struct stem_cycle_times *times, const struct stem_cycle *cycle)
    STEM_RT
{
    uint64_t count = atomic_load_explicit(&times->count, memory_order_relaxed);
    size_t at = count % STEM_CYCLE_TIMES;
    /* Release: a reader that sees a new value here sees that the old entry counts no more, too. */
    atomic_store_explicit(&times->cycles[at].frame, cycle->frame, memory_order_release);
    atomic_store_explicit(&times->cycles[at].frames, cycle->frames, memory_order_release);
    atomic_store_explicit(&times->cycles[at].began_us, cycle->began_us, memory_order_release);
    atomic_store_explicit(&times->cycles[at].next_us, cycle->next_us, memory_order_release);
    atomic_store_explicit(&times->count, count + 1, memory_order_release);
}
