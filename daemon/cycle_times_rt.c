#include "cycle_times.h"

void stem_cycle_times_note_rt(struct stem_cycle_times *times, uint64_t frame, uint64_t us) STEM_RT
{
    uint64_t count = atomic_load_explicit(&times->count, memory_order_relaxed);
    size_t at = count % STEM_CYCLE_TIMES;
    /* Release: a reader that sees a new value here sees that the old entry counts no more, too. */
    atomic_store_explicit(&times->cycles[at].frame, frame, memory_order_release);
    atomic_store_explicit(&times->cycles[at].us, us, memory_order_release);
    atomic_store_explicit(&times->count, count + 1, memory_order_release);
}
