/* The half of the tape that the process thread calls. See tape.h for the protocol. */
#include "tape_parts.h"

uint64_t stem_tape_capacity(const struct stem_tape *tape) STEM_RT
{
    return tape->capacity_frames;
}

uint32_t stem_tape_tracks(const struct stem_tape *tape) STEM_RT
{
    return tape->tracks;
}

uint32_t stem_tape_channels(const struct stem_tape *tape, uint32_t track) STEM_RT
{
    return tape->track[track].channels;
}

uint64_t stem_tape_written(const struct stem_tape *tape) STEM_RT
{
    return atomic_load_explicit(&tape->written, memory_order_acquire);
}

uint64_t stem_tape_held(const struct stem_tape *tape, enum stem_tape_holder holder) STEM_RT
{
    return atomic_load(&tape->held[holder].frame);
}

/* The oldest frame that a hold keeps from being overwritten. One inside the last gap protects only
 * what follows the gap: there is no audio in it, however long it was. */
static uint64_t first_protected(const struct stem_tape *tape, uint64_t held) STEM_RT
{
    uint64_t gap_end = atomic_load_explicit(&tape->contiguous_from, memory_order_relaxed);
    return held >= tape->gap_begin && held < gap_end ? gap_end : held;
}

/* Whether writing up to `end` leaves every protected frame of a hold alone. A hold at or after
 * `written` protects nothing yet: everything published has been read. Otherwise the oldest held
 * frame shares its place with the one a capacity later. */
static bool leaves_held_frames(const struct stem_tape *tape, uint64_t held, uint64_t end) STEM_RT
{
    uint64_t first = first_protected(tape, held);
    uint64_t written = atomic_load_explicit(&tape->written, memory_order_relaxed);
    return first >= written || end <= first + tape->capacity_frames;
}

/* Whether writing up to `end` is allowed: some holder has read what it would overwrite. One that
 * holds nothing has no say. Each is asked once, as it may let go at any time. */
static bool may_write(const struct stem_tape *tape, uint64_t end) STEM_RT
{
    bool is_held = false;
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++) {
        uint64_t held = stem_tape_held(tape, (enum stem_tape_holder)h);
        if (held == STEM_TAPE_NOTHING_HELD)
            continue;
        if (leaves_held_frames(tape, held, end))
            return true;
        is_held = true;
    }
    return !is_held;
}

bool stem_tape_fits_rt(const struct stem_tape *tape, uint64_t frame, uint32_t frames) STEM_RT
{
    return frames <= tape->capacity_frames && may_write(tape, frame + frames);
}

bool stem_tape_fits_all_rt(const struct stem_tape *tape, uint64_t frame, uint32_t frames) STEM_RT
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        if (!leaves_held_frames(
                tape, stem_tape_held(tape, (enum stem_tape_holder)h), frame + frames))
            return false;
    return frames <= tape->capacity_frames;
}

bool stem_tape_reserve_rt(struct stem_tape *tape, uint64_t frame, uint32_t frames) STEM_RT
{
    if (frames > tape->capacity_frames)
        return false;
    uint64_t before = atomic_load_explicit(&tape->writing_end, memory_order_relaxed);
    if (before == 0)
        atomic_store_explicit(&tape->first, frame, memory_order_relaxed);
    /* Announce first, then look at the holds: holders do it the other way round. */
    atomic_store(&tape->writing_end, frame + frames);
    if (may_write(tape, frame + frames))
        return true;
    atomic_store(&tape->writing_end, before);
    return false;
}

struct stem_tape_span stem_tape_span_rt(
    const struct stem_tape *tape, uint32_t track, uint64_t frame, uint32_t frames) STEM_RT
{
    const struct tape_track *t = &tape->track[track];
    uint64_t at = frame % tape->capacity_frames;
    uint64_t until_wrap = tape->capacity_frames - at;
    uint32_t first = frames < until_wrap ? frames : (uint32_t)until_wrap;
    return (struct stem_tape_span){
        .samples = {t->samples + at * t->channels, t->samples},
        .frames = {first, frames - first},
    };
}

void stem_tape_commit_rt(struct stem_tape *tape, uint64_t contiguous_from) STEM_RT
{
    uint64_t end = atomic_load_explicit(&tape->writing_end, memory_order_relaxed);
    if (contiguous_from != atomic_load_explicit(&tape->contiguous_from, memory_order_relaxed)) {
        tape->gap_begin = atomic_load_explicit(&tape->written, memory_order_relaxed);
        atomic_store_explicit(&tape->contiguous_from, contiguous_from, memory_order_relaxed);
    }
    atomic_store_explicit(&tape->written, end, memory_order_release);
}
