/* The process thread: cycles of the real callback, and whether it may do what it does. */
#include "tape_model.h"

uint32_t frame_bits(uint64_t from, uint64_t to)
{
    uint32_t mask = 0;
    for (uint64_t f = from; f < to; f++)
        mask |= UINT32_C(1) << f;
    return mask;
}

/* What tape.h promises: whether a block up to `end` may be placed, by what was stored last. */
static bool is_allowed(uint32_t end)
{
    uint32_t begin = model_ghost_now(GAP_BEGIN), gap_end = model_last(CONTIGUOUS_FROM);
    bool is_held = false;
    for (int h = 0; h < HOLDERS; h++) {
        uint32_t held = model_last(HELD + h);
        if (held == UINT32_MAX)
            continue;
        uint32_t first = held >= begin && held < gap_end ? gap_end : held;
        if (first >= model_last(WRITTEN) || end <= first + scenario->capacity)
            return true;
        is_held = true;
    }
    return !is_held;
}

/* With a mirror, one may have begun a take while the other was asked: then a block may be dropped
 * though at each moment somebody allowed it. */
static bool knows_needless(void)
{
    return !scenario->mirror || scenario->takes == 0;
}

void check_change(int place)
{
    bool is_hold = place >= HELD && place < HELD + HOLDERS;
    uint32_t end = model_ghost_now(PENDING);
    if (!end)
        return;
    bool allowed = is_allowed(end);
    if (!allowed && knows_needless())
        model_set_ghost_now(FORBIDDEN, 1);
    if (allowed && (is_hold || place == WRITING_END))
        model_set_ghost_now(JUSTIFIED, 1);
}

/* Whether the queue has room for what must be told before this cycle's block, whatever its reader
 * does. */
static bool can_tell(const struct producer *producer)
{
    const struct stem_process *process = &producer->process;
    bool is_gap =
        process->in_gap || (process->started && producer->clock != process->timeline.next);
    uint32_t told = model_load(HEAD + STEM_TAPE_WRITER, memory_order_relaxed);
    return told + is_gap + !process->clock_known <= (uint32_t)scenario->slots;
}

static void check_dropped(uint32_t frame, bool could_tell)
{
    if (could_tell && knows_needless() && !model_ghost(FORBIDDEN))
        model_fail("needless", "the block at frame %u was dropped, though it had room", frame);
}

static void check_block(uint32_t frame, uint32_t frames)
{
    uint32_t last_end = model_ghost(LAST_END);
    if (frame != last_end)
        model_set_ghost(GAP_BEGIN, last_end);
    if (scenario->whole && !model_ghost(JUSTIFIED))
        model_fail("unfair", "the block up to frame %u took what everybody needs", frame + frames);
    model_set_ghost(ON_TAPE, model_ghost(ON_TAPE) | frame_bits(frame, frame + frames));
    model_set_ghost(LAST_END, frame + frames);
}

static void cycle(struct producer *producer, uint32_t frames)
{
    uint32_t frame = producer->clock;
    bool could_tell = can_tell(producer);
    model_set_ghost(PENDING, frame + frames);
    stem_process_cycle_rt(&producer->process, frames);
    model_set_ghost(PENDING, 0);
    if (model_load(WRITTEN, memory_order_relaxed) == frame + frames)
        check_block(frame, frames);
    else
        check_dropped(frame, could_tell);
    model_set_ghost(JUSTIFIED, 0);
    model_set_ghost(FORBIDDEN, 0);
    producer->clock += frames;
    producer->gap_begin = the_tape.gap_begin;
    producer->cycles--;
}

enum model_result produce(void *local)
{
    struct producer *producer = local;
    the_tape.gap_begin = producer->gap_begin;
    if (producer->cycles == 0) {
        model_set_ghost(END, model_ghost(LAST_END) + 1);
        return MODEL_DONE;
    }
    uint32_t frames = 1 + model_choose(scenario->block);
    if (scenario->freewheel && !stem_process_has_room_rt(&producer->process, frames))
        return MODEL_IDLE;
    if (scenario->skips && producer->process.started)
        producer->clock += 2 * model_choose(2);
    begin_cycle(&producer->process, producer->clock);
    cycle(producer, frames);
    return MODEL_WORKED;
}
