/* Where a take starts and ends by itself: at a bar line, with the transport, by level, after a set
 * length, when its tail has decayed.
 *
 * All of it is found on the tape and in the facts, after the event and before the frames are
 * written, so it is exact however late the writer looks.
 */
#include "session_parts.h"

#include "gain.h"
#include "tempo.h"

#include <math.h>

/* A tail has decayed when it was quiet for this long. */
#define TAIL_SECONDS 0.5

/* Bars */

/* Whether the transport rolls and tells bars from this fact on. */
static bool tells_bars(const struct stem_fact *fact, struct stem_take_tempo *entry)
{
    *entry = stem_fact_tempo(fact);
    return fact->tempo.rolling && stem_tempo_valid(entry);
}

/* The first bar line at or after `from`, as far as the fact tells; never for one that tells none.
 */
static uint64_t bar_line(
    const struct stem_session *session, const struct stem_fact *fact, uint64_t from)
{
    struct stem_take_tempo entry;
    uint64_t line;
    if (!fact || !tells_bars(fact, &entry))
        return UINT64_MAX;
    struct stem_tempo_map map = {&entry, 1, session->with.rate_hz};
    return stem_tempo_next_bar(&map, from, &line) ? line : UINT64_MAX;
}

/* Follows the tempo from `from` on; a change that comes before the bar line moves it. */
static bool find_bar(
    const struct stem_session *session, uint64_t from, uint64_t limit, uint64_t *start)
{
    uint64_t line =
        bar_line(session, stem_fact_log_last(&session->facts, STEM_FACT_TEMPO, from), from);
    for (size_t k = 0; k < session->facts.count; k++) {
        const struct stem_fact *fact = &session->facts.facts[k];
        if (fact->kind != STEM_FACT_TEMPO || fact->frame <= from)
            continue;
        if (fact->frame > line || fact->frame > limit)
            break;
        line = bar_line(session, fact, fact->frame);
    }
    *start = line;
    return line <= limit;
}

/* Transport */

static bool find_roll(
    const struct stem_session *session, uint64_t from, uint64_t limit, uint64_t *start)
{
    const struct stem_fact *now = stem_fact_log_last(&session->facts, STEM_FACT_TRANSPORT, from);
    *start = from;
    if (now && now->transport.rolling)
        return true;
    for (size_t k = 0; k < session->facts.count; k++) {
        const struct stem_fact *fact = &session->facts.facts[k];
        *start = fact->frame;
        if (fact->kind == STEM_FACT_TRANSPORT && fact->transport.rolling && fact->frame > from &&
            fact->frame < limit)
            return true;
    }
    return false;
}

/* Frame at which the transport stops, in [from, limit). */
static bool find_halt(
    const struct stem_session *session, uint64_t from, uint64_t limit, uint64_t *end)
{
    for (size_t k = 0; k < session->facts.count; k++) {
        const struct stem_fact *fact = &session->facts.facts[k];
        *end = fact->frame;
        if (fact->kind == STEM_FACT_TRANSPORT && !fact->transport.rolling && fact->frame >= from &&
            fact->frame < limit)
            return true;
    }
    return false;
}

/* Levels */

/* First and last frame of a run of samples that reaches the level; false when none does. */
struct loud_run {
    uint64_t first;
    uint64_t last;
};

static void look_at(struct loud_run *run, const float *samples, uint32_t frames, uint32_t channels,
    uint64_t frame, float level)
{
    for (uint64_t i = 0; i < (uint64_t)frames * channels; i++) {
        if (fabsf(samples[i]) < level)
            continue;
        uint64_t at = frame + i / channels;
        run->first = at < run->first ? at : run->first;
        run->last = at > run->last || run->last == UINT64_MAX ? at : run->last;
    }
}

/* Looks at all stems from `from` to `limit`; gaps are looked at too, as what the tape held before,
 * which can only keep a take a little longer. */
static bool find_loud(const struct stem_session *session, uint64_t from, uint64_t limit,
    double level_dbfs, struct loud_run *run)
{
    float level = (float)stem_gain_from_db(level_dbfs);
    *run = (struct loud_run){UINT64_MAX, UINT64_MAX};
    for (uint32_t t = 0; t < stem_tape_tracks(session->with.tape); t++) {
        if (stem_layout_is_extra(session->with.layout, t))
            continue;
        struct stem_tape_span span =
            stem_tape_span_rt(session->with.tape, t, from, (uint32_t)(limit - from));
        uint32_t channels = stem_tape_channels(session->with.tape, t);
        look_at(run, span.samples[0], span.frames[0], channels, from, level);
        look_at(run, span.samples[1], span.frames[1], channels, from + span.frames[0], level);
    }
    return run->first != UINT64_MAX;
}

/* All stems were below the level for `quiet_frames` up to a frame in [from, limit). */
static bool find_quiet(struct stem_session *session, uint64_t from, uint64_t limit, double level,
    uint64_t quiet_frames, uint64_t *end)
{
    struct loud_run run;
    while (from < limit) {
        /* No further than where the quiet would be long enough. */
        uint64_t until =
            session->loud + quiet_frames < limit ? session->loud + quiet_frames : limit;
        if (until <= from) {
            *end = session->loud + quiet_frames;
            return *end <= limit;
        }
        if (find_loud(session, from, until, level, &run))
            session->loud = run.last + 1;
        from = until;
    }
    *end = session->loud + quiet_frames;
    return *end <= limit;
}

/* Starting */

static bool find_start(struct stem_session *session, uint64_t limit, uint64_t *start)
{
    struct loud_run run;
    switch (session->started_by.how.sync) {
    case STEM_SYNC_BAR:
        return find_bar(session, session->started_by.frame, limit, start);
    case STEM_SYNC_TRANSPORT:
        return find_roll(session, session->searched, limit, start);
    case STEM_SYNC_THRESHOLD:
        if (!find_loud(session, session->searched, limit,
                session->with.config->threshold.level_dbfs, &run))
            return false;
        *start = run.first;
        return true;
    case STEM_SYNC_FRAME:
        return session_frame_of(session, &session->started_by, limit, start);
    case STEM_SYNC_NOW:
        break;
    }
    return false;
}

void session_look_for_start(struct stem_session *session, uint64_t written)
{
    uint64_t oldest = stem_tape_oldest(session->with.tape), start;
    if (session->state != STEM_STATE_ARMED)
        return;
    if (session->searched < oldest)
        session->searched = oldest;
    if (written < session->searched || written == 0)
        return;
    if (find_start(session, written, &start)) {
        struct stem_command command = session->started_by;
        command.frame = start;
        session_step(session, STEM_ON_TRIGGER, &command);
        return;
    }
    session->searched = written;
    uint64_t keep = session_preroll(session, &session->started_by);
    /* Freewheel runs faster than we look; what may become pre-roll must not be overwritten. */
    stem_tape_hold(session->with.tape, session->with.holder, written > keep ? written - keep : 0);
}

/* Ending */

static bool find_end(struct stem_session *session, uint64_t limit, uint64_t *end)
{
    const struct stem_start *how = &session->started_by.how;
    const struct stem_config_threshold *threshold = &session->with.config->threshold;
    const struct stem_take *take = stem_recording_take(session->recording);
    uint64_t start = take->start_frame - take->part_frame; /* of the first part */
    /* What happened in the pre-roll does not end the take. */
    uint64_t trigger = session->started_by.frame, from = session->next;
    from = from > trigger ? from : trigger;
    if (how->sync == STEM_SYNC_TRANSPORT && find_halt(session, from, limit, end))
        return true;
    *end = start + how->length_frames;
    if (how->length_frames && *end <= limit)
        return true;
    return how->sync == STEM_SYNC_THRESHOLD && from < limit &&
           find_quiet(session, from, limit, threshold->level_dbfs,
               (uint64_t)(threshold->hold_seconds * session->with.rate_hz), end);
}

void session_look_for_end(struct stem_session *session, uint64_t limit)
{
    uint64_t end;
    if (session->state == STEM_STATE_RECORDING && find_end(session, limit, &end)) {
        const struct stem_command stop = {
            .type = STEM_COMMAND_STOP, .is_internal = true, .frame = end};
        session_step(session, STEM_ON_STOP, &stop);
    }
    if (session->state != STEM_STATE_STOPPING || !session->in_tail)
        return;
    uint64_t quiet = (uint64_t)(TAIL_SECONDS * session->with.rate_hz);
    uint64_t from = session->next > session->ending.frame ? session->next : session->ending.frame;
    if (from < limit &&
        find_quiet(session, from, limit, session->with.config->tail.level_dbfs, quiet, &end)) {
        session->in_tail = false;
        session->stop = end < session->stop ? end : session->stop;
    }
}
