/* The writer and the mirror: daemon/session.c and session_write.c without files. */
#include "tape_model.h"

static enum stem_tape_holder holder_of(const struct reader *reader)
{
    return (enum stem_tape_holder)reader->holder;
}

/* Facts */

static void note_gap(struct reader *reader, uint32_t from, uint32_t to)
{
    if (reader->gap_count > 0 && from < reader->gaps[reader->gap_count - 1].to)
        model_fail("twice", "the gap at frame %u was told before", from);
    reader->gaps[reader->gap_count].from = (uint8_t)from;
    reader->gaps[reader->gap_count++].to = (uint8_t)to;
}

static void take_facts(struct reader *reader)
{
    struct stem_fact fact;
    while (stem_ring_pop_rt(queue_of(reader->holder), &fact)) {
        if (fact.kind != STEM_FACT_GAP)
            continue;
        if (scenario->freewheel && fact.reasons & STEM_GAP_OVERFLOW)
            model_fail("lost", "an overflow in freewheel");
        note_gap(reader, (uint32_t)fact.frame, (uint32_t)(fact.frame + fact.gap_frames));
    }
}

/* The first gap that does not end before where the reader is; -1: none. */
static int next_gap(const struct reader *reader)
{
    for (int g = 0; g < reader->gap_count; g++)
        if (reader->gaps[g].to > reader->next)
            return g;
    return -1;
}

static void pass_gap(struct reader *reader, uint32_t to)
{
    uint32_t there = model_ghost(ON_TAPE) & frame_bits(reader->next, to);
    if (there)
        model_fail("lost", "frames %#x were on the tape; the gap is from %u to %u", there,
            reader->next, to);
    reader->next = to;
}

/* What the other holder made the tape go over. False when there is nothing like it. */
static bool pass_lost(struct reader *reader)
{
    uint32_t missed = model_load(MISSED + reader->holder, memory_order_acquire);
    uint32_t oldest = (uint32_t)stem_tape_kept_from(&the_tape);
    uint32_t lost = missed > oldest ? missed : oldest;
    if (lost <= reader->next)
        return false;
    if (scenario->freewheel)
        model_fail("lost", "frames %u to %u in freewheel", reader->next, lost);
    int gone = GONE + reader->holder;
    if (missed < oldest)
        model_set_ghost(gone, model_ghost(gone) | frame_bits(reader->next, lost));
    reader->next = lost;
    return true;
}

/* Audio */

static void check_sample(uint32_t frame, uint32_t value)
{
    if (value == frame + 1)
        return;
    if (model_ghost(ON_TAPE) & frame_bits(frame, frame + 1))
        model_fail("torn", "frame %u holds the sample of frame %d", frame, (int)value - 1);
    model_fail("unlisted", "frame %u was never delivered, and holds the sample of frame %d", frame,
        (int)value - 1);
}

/* Reads frames up to `until`; false when they were overwritten meanwhile. */
static bool read_audio(struct reader *reader, uint32_t until)
{
    uint32_t found[CHUNK];
    for (uint32_t f = reader->next; f < until; f++) {
        int cell = cell_of(f);
        found[f - reader->next] =
            model_take(CELL + cell, scenario->mirror ? -1 : CELL_READS + cell);
    }
    if (scenario->mirror && !stem_tape_intact(&the_tape, reader->next))
        return false;
    for (uint32_t f = reader->next; f < until; f++)
        check_sample(f, found[f - reader->next]);
    int got = GOT + reader->holder;
    model_set_ghost(got, model_ghost(got) | frame_bits(reader->next, until));
    reader->next = until;
    return true;
}

/* Goes on by at most one gap or one chunk. True when it got further. */
static bool advance(struct reader *reader, uint32_t written)
{
    if (reader->next >= written)
        return false;
    if (scenario->mirror && pass_lost(reader))
        return true;
    int gap = next_gap(reader);
    if (gap >= 0 && reader->gaps[gap].from <= reader->next) {
        pass_gap(reader, reader->gaps[gap].to);
        return true;
    }
    uint32_t until = reader->next + CHUNK < written ? reader->next + CHUNK : written;
    if (gap >= 0 && reader->gaps[gap].from < until)
        until = reader->gaps[gap].from;
    return read_audio(reader, until);
}

/* Takes */

/* Holds frames from `frame` on. What is returned is what is held, or the producer would leave room
 * for frames that nobody can have. */
static uint32_t hold(const struct reader *reader, uint32_t frame)
{
    uint32_t from = (uint32_t)stem_tape_hold(&the_tape, holder_of(reader), frame);
    uint32_t held = model_load(HELD + reader->holder, memory_order_relaxed);
    if (held != from)
        model_fail("needless", "frame %u is held, and only %u is there still", held, from);
    return from;
}

static void begin_take(struct reader *reader, uint32_t written)
{
    uint32_t back = model_choose(scenario->preroll + 1);
    uint32_t wanted = written > back ? written - back : 0;
    reader->next = hold(reader, wanted);
    reader->is_recording = true;
    reader->takes--;
}

static enum model_result end_take(struct reader *reader, enum model_result result)
{
    stem_tape_release(&the_tape, holder_of(reader));
    reader->is_recording = false;
    return result;
}

/* Holds what files may not have for sure yet. */
static void let_go(const struct reader *reader)
{
    uint32_t lag = scenario->lag && reader->next > scenario->lag ? scenario->lag : 0;
    uint32_t behind = lag ? model_choose(lag + 1) : 0;
    hold(reader, reader->next - behind);
}

/* What did not reach the disk is read again from the tape, as far as it is there still. */
static void change_place(struct reader *reader)
{
    uint32_t back = model_choose(3);
    uint32_t safe = reader->next > back ? reader->next - back : 0;
    reader->next = hold(reader, safe);
    reader->has_spare = false;
}

/* Whether nothing will follow what is written: told behind the protocol's back. */
static bool is_over(uint32_t written)
{
    uint32_t end = model_ghost(END);
    return end && written >= end - 1;
}

static bool may_stop(const struct reader *reader)
{
    return !scenario->whole || (scenario->stops && reader->holder == STEM_TAPE_WRITER);
}

static enum model_result record(struct reader *reader, uint32_t written)
{
    bool more = advance(reader, written);
    if (more)
        let_go(reader);
    if (more && reader->has_spare && model_choose(2))
        change_place(reader);
    if (reader->next >= written && is_over(written))
        return end_take(reader, MODEL_DONE);
    if (may_stop(reader) && model_choose(2))
        return end_take(reader, MODEL_WORKED);
    return more ? MODEL_WORKED : MODEL_IDLE;
}

enum model_result read_tape(void *local)
{
    struct reader *reader = local;
    uint32_t written = (uint32_t)stem_tape_written(&the_tape);
    take_facts(reader); /* after that look: a fact is there before its frame is published */
    if (reader->is_recording)
        return record(reader, written);
    if (reader->takes == 0 || is_over(written))
        return MODEL_DONE;
    if (written == 0 || model_choose(2))
        return MODEL_IDLE;
    begin_take(reader, written);
    return record(reader, written);
}

/* The end */

/* Frames that a holder gave up as overwritten, and that nothing overwrote. */
static void check_given_up(int holder)
{
    uint32_t on_tape = model_ghost_now(ON_TAPE), gone = model_ghost_now(GONE + holder) & on_tape;
    for (uint32_t f = 0; f + scenario->capacity < 32; f++)
        if (gone & frame_bits(f, f + 1) && !(on_tape >> (f + scenario->capacity)))
            model_fail("lost", "frame %u was given up, and is still on the tape", f);
}

void check_end(void)
{
    uint32_t lost = model_ghost_now(ON_TAPE);
    for (int h = 0; h < HOLDERS; h++) {
        check_given_up(h);
        lost &= ~model_ghost_now(GOT + h);
    }
    if (scenario->whole && scenario->takes == 0 && lost)
        model_fail("lost", "frames %#x were on the tape, and nobody has them", lost);
}
