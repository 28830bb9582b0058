/* From the tape to the files, with gaps and facts on the way. */
#include "session_parts.h"

#include <string.h>

enum { FLUSH_NS = 1000000000 };

/* A gap is in the manifest before its silence is in a file, so that a recorder that dies has told
 * of it; but the manifest is not renewed for gaps more often than this. */
enum { SAVE_NS = 50000000 };

/* A running take is written in bursts of a quarter of a second: one file after the other then
 * passes through the processor's caches as a whole, which is cheaper than a little of each all the
 * time. */
enum { BURSTS_PER_SECOND = 4 };

/* What came on the tape in the last twentieth of a second is not written yet: a stop or split for
 * one of these frames may be on its way, and shall fall on it. */
enum { COMMANDS_PER_SECOND = 20, PATIENCE_NS = 1000000000 / COMMANDS_PER_SECOND };

/* Facts */

static void take_fact(struct stem_session *session, const struct stem_fact *fact)
{
    int status = fact->kind == STEM_FACT_GAP
                     ? stem_gap_list_add(&session->gaps,
                           (struct stem_gap){fact->frame, fact->gap_frames, fact->reasons})
                     : stem_fact_log_add(&session->facts, fact);
    if (status)
        session_send_text(
            session, STEM_EVENT_WARNING, 0, 0, "%s", "no memory to remember a gap or a tempo");
    if (fact->kind == STEM_FACT_TEMPO)
        session->transport_bpm = fact->tempo.bpm;
}

void session_take_facts(struct stem_session *session)
{
    struct stem_fact fact;
    while (stem_ring_pop_rt(session->with.facts, &fact))
        take_fact(session, &fact);
    while (stem_ring_pop_rt(session->with.xruns, &fact)) {
        if (!session->recording)
            continue;
        stem_recording_xrun(session->recording, fact.frame, fact.xrun_us);
        session_publish(&session->status.xruns, session->status.xruns + 1);
    }
}

void session_first_facts(struct stem_session *session)
{
    static const enum stem_fact_kind KINDS[] = {
        STEM_FACT_CLOCK, STEM_FACT_TRANSPORT, STEM_FACT_TEMPO};
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++) {
        const struct stem_fact *fact = stem_fact_log_last(&session->facts, KINDS[k], session->next);
        if (!fact)
            continue;
        struct stem_fact first = stem_fact_at(fact, session->next, session->with.rate_hz);
        stem_recording_fact(session->recording, &first);
    }
    session->told = session->next + 1; /* those on the first frame are told */
}

/* Tells the take what happened before the frame `until`. */
static void tell_facts(struct stem_session *session, uint64_t until)
{
    for (size_t k = 0; k < session->facts.count; k++) {
        const struct stem_fact *fact = &session->facts.facts[k];
        if (fact->frame >= session->told && fact->frame < until)
            stem_recording_fact(session->recording, fact);
    }
    if (session->told < until)
        session->told = until;
}

/* Audio */

/* The next part of a take may have to write again what its last part had, gaps too. */
static void send_gap(
    struct stem_session *session, uint64_t frame, uint64_t frames, uint32_t reasons)
{
    if (frame + frames <= session->gaps_told && frame < session->gaps_told)
        return;
    const struct stem_take *take = stem_recording_take(session->recording);
    const struct stem_event event = {.kind = STEM_EVENT_GAP,
        .frame = frame - take->start_frame + take->part_frame,
        .frames = frames,
        .reasons = reasons};
    session_send(session, &event);
    session_publish(&session->status.gaps, session->status.gaps + 1);
    session_publish(&session->status.gap_frames, session->status.gap_frames + frames);
    if (reasons & STEM_GAP_OVERFLOW)
        session_publish(&session->status.overflow_frames, session->status.overflow_frames + frames);
}

/* Whether the manifest shall be renewed for a gap now; if not, it will soon. */
static bool is_save_due(struct stem_session *session)
{
    int64_t flushed_ns = session->save_again_ns - FLUSH_NS;
    if (session_now_ns() >= session->save_again_ns)
        return true;
    if (session->flushed_ns > flushed_ns)
        session->flushed_ns = flushed_ns;
    return false;
}

/* A long list takes long to write: that is given a twentieth of the time. */
static void note_save(struct stem_session *session, int64_t began_ns)
{
    int64_t now = session_now_ns(), pause = 20 * (now - began_ns);
    session->save_again_ns = now + (pause > SAVE_NS ? pause : SAVE_NS);
}

/* A gap is written as a whole, up to the take's end: it costs no time, and is told as one. What
 * begins with the frame after it, such as another clock of JACK's, belongs to it. */
static int write_gap(
    struct stem_session *session, const struct stem_gap *gap, struct stem_error *error)
{
    uint64_t end = gap->frame + gap->frames;
    if (session->state == STEM_STATE_STOPPING && session->stop <= end)
        end = session->stop;
    else
        tell_facts(session, end + 1);
    uint64_t frames = end - session->next;
    bool save = is_save_due(session);
    int64_t now = session_now_ns();
    if (stem_recording_gap(session->recording, session->next, frames, gap->reasons, save, error))
        return -1;
    if (save)
        note_save(session, now);
    send_gap(session, session->next, frames, gap->reasons);
    session->next += frames;
    return 0;
}

/* The tape goes on without a mirror that lags, and without a writer that lags behind its mirror:
 * what cannot be known or read any more is lost to this one up to the returned frame. */
static uint64_t lost_until(const struct stem_session *session)
{
    uint64_t missed =
        session->with.missed ? atomic_load_explicit(session->with.missed, memory_order_acquire) : 0;
    uint64_t oldest = session->with.is_shared ? stem_tape_kept_from(session->with.tape) : 0;
    uint64_t lost = missed > oldest ? missed : oldest;
    return lost > session->lost ? lost : session->lost;
}

/* Copies what another holder may let the producer overwrite. A data race on purpose: whether the
 * copy is whole is asked for afterwards. */
static void copy_span(struct stem_tape_span *span, uint32_t channels, float *to)
{
    for (int part = 0; part < 2; part++) {
        size_t samples = (size_t)span->frames[part] * channels;
        memcpy(to, span->samples[part], samples * sizeof *to);
        span->samples[part] = to;
        to += samples;
    }
}

/* Points `spans` at the frames; false when they are gone. */
static bool find_audio(struct stem_session *session, uint32_t frames)
{
    float *copy = session->copies;
    const struct stem_tape *tape = session->with.tape;
    for (uint32_t t = 0; t < stem_tape_tracks(tape); t++) {
        session->spans[t] = stem_tape_span_rt(tape, t, session->next, frames);
        if (!session->with.is_shared)
            continue;
        copy_span(&session->spans[t], stem_tape_channels(tape, t), copy);
        copy += (size_t)frames * stem_tape_channels(tape, t);
    }
    return !session->with.is_shared || stem_tape_intact(tape, session->next);
}

/* The next gap that the take does not list yet. One of no length (the clock went back) stays in the
 * list, as all on the tape do, and is passed over once it was told. */
static const struct stem_gap *next_gap(const struct stem_session *session)
{
    const struct stem_gap_list *list = &session->gaps;
    const struct stem_gap *gap = stem_gap_list_find(list, session->next);
    while (gap && gap->frames == 0 && gap->frame < session->empty_told)
        gap = ++gap < list->gaps + list->count ? gap : NULL;
    return gap;
}

/* What is lost was not told of before, also where the last part of the take had it. */
static int write_lost(struct stem_session *session, uint64_t lost, struct stem_error *error)
{
    const struct stem_gap all = {session->next, lost - session->next, STEM_GAP_OVERFLOW};
    const uint64_t told = session->gaps_told;
    session->gaps_told = session->next;
    int status = write_gap(session, &all, error);
    session->gaps_told = told;
    return status;
}

/* Writes from `next` up to `limit`, at most one gap or one chunk. */
static int write_some(struct stem_session *session, uint64_t limit, struct stem_error *error)
{
    uint64_t lost = lost_until(session);
    if (lost > session->next)
        return write_lost(session, lost, error);
    const struct stem_gap *gap = next_gap(session);
    if (gap && gap->frame <= session->next) {
        bool is_empty = gap->frames == 0;
        if (write_gap(session, gap, error))
            return -1;
        if (!is_empty)
            return 0;
        session->empty_told = session->next + 1;
        return write_some(session, limit, error);
    }
    uint64_t until = gap && gap->frame < limit ? gap->frame : limit;
    uint32_t frames = (uint32_t)(until - session->next);
    if (!find_audio(session, frames))
        return 0; /* the next round sees how much is lost */
    if (stem_recording_write(session->recording, session->spans, frames, error))
        return -1;
    session->next += frames;
    return 0;
}

static int sync(struct stem_session *session, int64_t now, struct stem_error *error)
{
    session->synced_ns = now;
    int status = stem_recording_sync(session->recording, error);
    uint64_t took = (uint64_t)(session_now_ns() - now);
    if (took > session->status.slowest_sync_ns)
        session_publish(&session->status.slowest_sync_ns, took);
    return status;
}

static int sync_when_due(struct stem_session *session, int64_t now, struct stem_error *error)
{
    int64_t sync_ns = (int64_t)(session->with.config->sync_seconds * 1e9);
    if (sync_ns == 0 || now - session->synced_ns < sync_ns - FLUSH_NS)
        return 0;
    return sync(session, now, error);
}

static bool is_flush_due(const struct stem_session *session, int64_t now)
{
    return now - session->flushed_ns >= FLUSH_NS;
}

/* A manifest that cannot be renewed is told once, and no reason to end a take. */
static void watch_manifest(struct stem_session *session)
{
    const char *trouble = stem_recording_trouble(session->recording);
    if (trouble[0] && !session->told_trouble)
        session_send_text(session, STEM_EVENT_WARNING, 0, STEM_CODE_FILE,
            "%s; the take goes on, and this is tried again", trouble);
    session->told_trouble = trouble[0] != '\0';
}

static int flush_when_due(struct stem_session *session, struct stem_error *error)
{
    int64_t now = session_now_ns();
    if (!is_flush_due(session, now))
        return 0;
    session->flushed_ns = now;
    if (stem_recording_flush(session->recording, error) || sync_when_due(session, now, error))
        return -1;
    watch_manifest(session);
    return 0;
}

static bool is_at_end(const struct stem_session *session)
{
    return session->state == STEM_STATE_STOPPING && session->next >= session->stop;
}

/* The last frames of a take reach the disk before it counts as whole: where that fails, the tape
 * still has them. */
static int flush_last(struct stem_session *session, struct stem_error *error)
{
    if (stem_recording_end(session->recording, error))
        return -1;
    return sync(session, session_now_ns(), error);
}

static void note_pause(struct stem_session *session)
{
    int64_t now = session_now_ns();
    uint64_t pause = (uint64_t)(now - session->wrote_ns);
    if (pause > session->status.slowest_write_ns)
        session_publish(&session->status.slowest_write_ns, pause);
    session->wrote_ns = now;
}

static void note_tape(struct stem_session *session, uint64_t written)
{
    uint64_t waits = written > session->next ? written - session->next : 0;
    if (waits > session->status.tape_most_frames)
        session_publish(&session->status.tape_most_frames, waits);
}

static void publish_progress(struct stem_session *session)
{
    const struct stem_take *take = stem_recording_take(session->recording);
    session_publish(&session->status.frames, take->part_frame + take->frames);
    session_publish(&session->status.clips, stem_recording_clips(session->recording));
}

/* Whether what is on the tape up to `limit` shall be written now; a gap is told of at once. */
static bool is_burst_due(const struct stem_session *session, uint64_t limit)
{
    uint64_t burst = session->with.rate_hz / BURSTS_PER_SECOND;
    const struct stem_gap *gap = next_gap(session);
    burst = burst < STEM_SESSION_CHUNK ? burst : STEM_SESSION_CHUNK;
    return limit - session->next >= burst || session->state == STEM_STATE_STOPPING ||
           (gap && gap->frame < limit) || is_flush_due(session, session_now_ns());
}

/* Whether nothing has come on the tape for a while, for instance because the server is gone. */
static bool stands_still(const struct stem_session *session)
{
    return session_now_ns() - session->seen_ns >= PATIENCE_NS;
}

/* How far the tape may be written now. When it stands still, everything is: frames that stay held
 * would be in the way of those after a long gap. */
static uint64_t patient_end(struct stem_session *session, uint64_t written)
{
    uint64_t patience = session->with.rate_hz / COMMANDS_PER_SECOND;
    if (written != session->seen) {
        session->seen = written;
        session->seen_ns = session_now_ns();
    }
    if (session->state != STEM_STATE_RECORDING || stands_still(session))
        return written;
    return written > patience ? written - patience : 0;
}

/* How far this round goes: one chunk, up to what is on the tape and to the take's end; nowhere when
 * no burst is due. */
static uint64_t round_limit(struct stem_session *session, uint64_t written)
{
    uint64_t limit = session->next + STEM_SESSION_CHUNK;
    uint64_t end = session_time_limit(session, patient_end(session, written));
    limit = limit < end ? limit : end;
    if (session->next >= limit)
        return session->next;
    session_look_for_end(session, limit);
    if (!is_burst_due(session, limit))
        return session->next;
    bool stopping = session->state == STEM_STATE_STOPPING;
    return stopping && session->stop < limit ? session->stop : limit;
}

/* Frames before what the files have for sure are not needed any more. The gaps among them are, as
 * long as the tape has what is around them: another part may have to begin there. Files that keep
 * their last frames for a whole block would hold them for ever when nothing comes any more; what
 * comes after a gap longer than the tape would find it full. */
static void let_go(struct stem_session *session)
{
    uint64_t stored = stem_recording_stored(session->recording);
    uint64_t most = stem_tape_capacity(session->with.tape) / 2;
    if (session->next - stored > most) /* a short tape cannot wait for what files gather */
        stored = session->next - most;
    const bool is_all_written =
        session->next >= stem_tape_written(session->with.tape) && stands_still(session);
    uint64_t oldest = stem_tape_oldest(session->with.tape);
    stem_gap_list_forget(&session->gaps, oldest < stored ? oldest : stored);
    stem_tape_hold(
        session->with.tape, session->with.holder, is_all_written ? session->next : stored);
}

bool session_advance(struct stem_session *session, uint64_t written)
{
    if (!session->recording)
        return false;
    uint64_t limit = round_limit(session, written), before = session->next;
    int status = 0;
    note_tape(session, written);
    if (session->next < limit)
        status = write_some(session, limit, &session->failure);
    tell_facts(session, session->next);
    if (status == 0)
        status = is_at_end(session) ? flush_last(session, &session->failure)
                                    : flush_when_due(session, &session->failure);
    let_go(session);
    note_pause(session);
    publish_progress(session);
    if (status) {
        if (!session_continue(session))
            session_step(session, STEM_ON_FAULT, NULL);
        return true;
    }
    if (is_at_end(session)) {
        session_mind_folder(session);
        if (is_at_end(session))
            session_step(session, STEM_ON_REACHED, NULL);
        return true;
    }
    return session->next > before;
}

void session_write_rest(struct stem_session *session)
{
    uint64_t end = stem_tape_written(session->with.tape);
    if (session->state == STEM_STATE_STOPPING && session->stop <= end)
        end = session->stop;
    for (uint64_t before = end; session->next < end && session->next != before;) {
        uint64_t limit = session->next + STEM_SESSION_CHUNK;
        before = session->next;
        if (write_some(session, limit < end ? limit : end, NULL))
            return;
        tell_facts(session, session->next);
    }
}
