#include "process.h"

#include "jack_rt.h"

/* Queues a fact for everybody who wants facts. One whose queue is full because its disk has stalled
 * is told that it missed something, as long as another one got it. False when nobody got it. */
static bool tell(struct stem_process *process, const struct stem_fact *fact, uint64_t end) STEM_RT
{
    bool got[STEM_TAPE_HOLDERS], any = false;
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++) {
        got[h] = process->facts[h] && stem_ring_push_rt(process->facts[h], fact);
        any = any || got[h];
    }
    for (int h = 0; any && h < STEM_TAPE_HOLDERS; h++)
        if (process->facts[h] && !got[h])
            atomic_store_explicit(&process->missed[h], end, memory_order_release);
    return any;
}

/* Frames from `from` on are missing; they stay one gap, whatever the reasons, until a block can be
 * written again. */
static void open_gap(struct stem_process *process, uint64_t from, uint32_t reasons) STEM_RT
{
    if (!process->in_gap) {
        process->in_gap = true;
        process->gap_from = from;
        process->gap_reasons = 0;
    }
    process->gap_reasons |= reasons;
}

/* Reports the open gap, which ends at `frame`. False when the queue is full: then nothing may be
 * published, or a reader would pass the gap unseen. */
static bool close_gap(struct stem_process *process, uint64_t frame) STEM_RT
{
    const struct stem_fact fact = {
        .kind = STEM_FACT_GAP,
        .reasons = process->gap_reasons,
        .frame = process->gap_from,
        .gap_frames = frame - process->gap_from,
    };
    if (!tell(process, &fact, frame))
        return false;
    process->in_gap = false;
    process->contiguous_from = frame;
    return true;
}

/* Tells how JACK's clock belongs to the timeline, when that has changed. False when the queue is
 * full. */
static bool note_clock(struct stem_process *process, uint64_t frame, uint32_t clock) STEM_RT
{
    uint32_t shift = (uint32_t)frame - clock;
    if (process->clock_known && shift == process->clock_shift)
        return true;
    const struct stem_fact fact = {.kind = STEM_FACT_CLOCK, .frame = frame, .jack_frame = clock};
    if (!tell(process, &fact, frame + 1))
        return false;
    process->clock_known = true;
    process->clock_shift = shift;
    return true;
}

static bool place_for_block(
    struct stem_process *process, uint64_t frame, uint32_t clock, uint32_t frames) STEM_RT
{
    if (!stem_tape_fits_rt(process->tape, frame, frames))
        return false;
    if (process->in_gap && !close_gap(process, frame))
        return false;
    if (!note_clock(process, frame, clock))
        return false;
    return stem_tape_reserve_rt(process->tape, frame, frames);
}

/* Asks JACK for every buffer. The samples often still lie in the cache of another core, that of the
 * client that made them: they are sent for here and arrive while the next ports are asked for. */
static void fetch_buffers(struct stem_process *process, uint32_t frames) STEM_RT
{
    enum { LINE_SAMPLES = 16, MOST_SAMPLES = 256 };
    uint32_t ahead = frames < MOST_SAMPLES ? frames : MOST_SAMPLES;
    for (uint32_t p = 0; p < process->port_count; p++) {
        process->buffers[p] = port_buffer_rt(process->ports[p], frames);
        for (uint32_t k = 0; k < ahead; k += LINE_SAMPLES)
            __builtin_prefetch(process->buffers[p] + k);
    }
}

static void mix_block(struct stem_process *process, uint64_t frame, uint32_t frames) STEM_RT
{
    fetch_buffers(process, frames);
    uint32_t tracks = stem_tape_tracks(process->tape);
    for (uint32_t t = 0; t < tracks; t++) {
        struct stem_tape_span span = stem_tape_span_rt(process->tape, t, frame, frames);
        stem_mix_track_rt(process->mix, t, process->buffers, &span);
    }
    stem_mix_settle_rt();
}

/* A transport that starts, stops or jumps. What does not fit into the queue is tried again in the
 * next cycle. Returns whether one was told. */
static bool note_transport(struct stem_process *process, uint64_t frame, uint32_t frames,
    jack_transport_state_t state, const jack_position_t *position) STEM_RT
{
    bool rolling = state == JackTransportRolling;
    bool moved = position->frame != process->transport_next;
    process->transport_next = position->frame + (rolling ? frames : 0);
    if (state == process->transport && !moved)
        return false;
    const struct stem_fact fact = {
        .kind = STEM_FACT_TRANSPORT,
        .frame = frame,
        .transport = {.frame = position->frame, .rolling = rolling},
    };
    if (tell(process, &fact, frame + 1))
        process->transport = state;
    else
        process->transport_next = UINT64_MAX;
    return true;
}

/* Ticks at the start of the cycle. Whole ticks may be many frames long; newer masters tell parts of
 * them. A timebase master may tell the position of an earlier frame,
 * bbt_offset frames before (jack/types.h). */
static double tick_of(const jack_position_t *position) STEM_RT
{
    double tick = position->tick;
#ifdef JACK_TICK_DOUBLE
    if (position->valid & JackTickDouble)
        tick = position->tick_double;
#endif
    if (!(position->valid & JackBBTFrameOffset) || position->frame_rate == 0)
        return tick;
    double beats =
        position->bbt_offset * position->beats_per_minute / (60.0 * position->frame_rate);
    return tick + beats * position->ticks_per_beat;
}

/* Tempo and meter that changed; after a jump of the transport the position in the bar too. */
static void note_tempo(struct stem_process *process, uint64_t frame, bool rolling, bool jumped,
    const jack_position_t *position) STEM_RT
{
    if (!(position->valid & JackPositionBBT))
        return;
    if (!jumped && position->beats_per_minute == process->bpm &&
        position->beats_per_bar == process->beats_per_bar &&
        position->beat_type == process->beat_type)
        return;
    const struct stem_fact fact = {
        .kind = STEM_FACT_TEMPO,
        .frame = frame,
        .tempo = {.bpm = position->beats_per_minute,
            .ticks_per_beat = position->ticks_per_beat,
            .tick = tick_of(position),
            .beats_per_bar = position->beats_per_bar,
            .beat_type = position->beat_type,
            .bar = position->bar,
            .beat = position->beat,
            .rolling = rolling},
    };
    if (!tell(process, &fact, frame + 1)) {
        process->bpm = 0; /* again in the next cycle */
        return;
    }
    process->bpm = position->beats_per_minute;
    process->beats_per_bar = position->beats_per_bar;
    process->beat_type = position->beat_type;
}

static void note_position(struct stem_process *process, uint64_t frame, uint32_t frames) STEM_RT
{
    jack_position_t position;
    jack_transport_state_t state = transport_rt(process->client, &position);
    bool jumped = note_transport(process, frame, frames, state, &position);
    note_tempo(process, frame, state == JackTransportRolling, jumped, &position);
}

/* For whoever wants to know the frame of a moment. */
static void note_times(
    struct stem_process *process, uint64_t frame, uint32_t clock, uint32_t frames) STEM_RT
{
    struct cycle_times told;
    if (!process->times || !cycle_times_rt(process->client, &told))
        return;
    const struct stem_cycle cycle = {
        .frame = frame + (uint64_t)(int64_t)(int32_t)(told.frame - clock),
        .frames = frames,
        .began_us = told.began_us,
        .next_us = told.next_us,
    };
    stem_cycle_times_note_rt(process->times, &cycle);
}

void stem_process_cycle_rt(struct stem_process *process, jack_nframes_t frames) STEM_RT
{
    uint64_t expected = process->timeline.next;
    uint32_t clock = cycle_frame_rt(process->client), reasons = 0;
    uint64_t frame = stem_timeline_place_rt(&process->timeline, clock, frames, &reasons);
    if (!process->started) {
        process->started = true;
        process->contiguous_from = frame;
    } else if (reasons) {
        open_gap(process, expected, reasons);
    }
    note_times(process, frame, clock, frames);
    if (place_for_block(process, frame, clock, frames)) {
        note_position(process, frame, frames);
        mix_block(process, frame, frames);
        stem_tape_commit_rt(process->tape, process->contiguous_from);
    } else {
        open_gap(process, frame, STEM_GAP_OVERFLOW);
    }
    uint64_t cycles = atomic_load_explicit(&process->cycles, memory_order_relaxed);
    atomic_store_explicit(&process->end, frame + frames, memory_order_relaxed);
    atomic_store_explicit(&process->cycles, cycles + 1, memory_order_relaxed);
}

bool stem_process_has_room_rt(const struct stem_process *process, jack_nframes_t frames) STEM_RT
{
    return stem_tape_fits_all_rt(process->tape, process->timeline.next, frames);
}
