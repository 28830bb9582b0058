#include "timeline.h"

#include "facts.h"

static uint64_t first_cycle(struct stem_timeline *timeline, uint32_t clock, uint32_t *reasons)
    STEM_RT
{
    uint64_t frame = timeline->resume_at ? timeline->resume_at : clock;
    *reasons = timeline->resume_at > timeline->next ? STEM_GAP_SERVER : 0;
    timeline->running = true;
    return frame;
}

static uint64_t later_cycle(const struct stem_timeline *timeline, uint32_t clock, uint32_t *reasons)
    STEM_RT
{
    int32_t jump = (int32_t)(clock - timeline->clock);
    *reasons = jump == 0 ? 0 : jump > 0 ? STEM_GAP_SKIPPED : STEM_GAP_CLOCK;
    return timeline->next + (jump > 0 ? (uint32_t)jump : 0);
}

uint64_t stem_timeline_place_rt(
    struct stem_timeline *timeline, uint32_t clock, uint32_t frames, uint32_t *reasons) STEM_RT
{
    uint64_t frame = timeline->running ? later_cycle(timeline, clock, reasons)
                                       : first_cycle(timeline, clock, reasons);
    timeline->next = frame + frames;
    timeline->clock = clock + frames;
    return frame;
}

void stem_timeline_resume(struct stem_timeline *timeline, uint64_t frame)
{
    timeline->running = false;
    timeline->resume_at = frame > timeline->next ? frame : timeline->next;
}
