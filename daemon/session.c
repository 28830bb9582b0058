#include "session.h"

#include "facts.h"
#include "gap_list.h"
#include "messages.h"
#include "recording.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

enum { FLUSH_NS = 1000000000, DISK_LOOK_NS = 2000000000 };

struct stem_session {
    struct stem_session_params with;
    enum stem_state state;
    struct stem_recording *recording; /* NULL while idle */
    uint64_t next;                    /* first frame of the take that is not written yet */
    uint64_t stop;                    /* stopping: first frame after the take */
    struct stem_command ending;       /* stopping: the command that asked for it */
    struct stem_command waiting;      /* a command whose turn has not come */
    bool is_waiting;
    bool ended;
    struct stem_error failure; /* why the take cannot go on */
    struct stem_gap_list gaps;
    char title[STEM_TEXT_BYTES]; /* for this and the next takes */
    char key[STEM_TEXT_BYTES];
    double tempo_bpm;            /* as told; 0: take the transport's */
    double transport_bpm;        /* as last seen; 0: none */
    char previous[NAME_MAX + 1]; /* folder name of the take that was split off last */
    int64_t flushed_ns;
    int64_t synced_ns;
    int64_t wrote_ns;
    int64_t looked_ns; /* when the disk's free space was last asked for */
    struct stem_session_status status;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void publish(_Atomic uint64_t *figure, uint64_t value)
{
    atomic_store_explicit(figure, value, memory_order_relaxed);
}

/* Events */

static void send_event(struct stem_session *session, const struct stem_event *event)
{
    /* Control always drains its queue; should it hang, an answer that nobody reads may be lost, but
     * audio is not. */
    stem_ring_push_rt(session->with.events, event);
}

static void send_text(struct stem_session *session, enum stem_event_kind kind, uint32_t request,
    int code, const char *format, ...) STEM_PRINTF(5, 6);

static void send_text(struct stem_session *session, enum stem_event_kind kind, uint32_t request,
    int code, const char *format, ...)
{
    struct stem_event event = {.kind = kind, .request = request, .code = code};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(event.text, sizeof event.text, format, arguments);
    va_end(arguments);
    send_event(session, &event);
}

static void answer(struct stem_session *session, uint32_t request, const char *text)
{
    if (request)
        send_text(session, STEM_EVENT_DONE, request, 0, "%s", text);
}

static void refuse(
    struct stem_session *session, uint32_t request, enum stem_code code, const char *text)
{
    if (request)
        send_text(session, STEM_EVENT_FAILED, request, code, "%s", text);
}

static void send_take(struct stem_session *session, enum stem_event_kind kind, const char *text)
{
    struct stem_event event = {.kind = kind,
        .frame = atomic_load_explicit(&session->status.start_frame, memory_order_relaxed),
        .frames = atomic_load_explicit(&session->status.frames, memory_order_relaxed)};
    snprintf(event.text, sizeof event.text, "%s", text);
    send_event(session, &event);
}

/* Beginning and ending takes */

static double take_tempo(const struct stem_session *session)
{
    return session->tempo_bpm > 0 ? session->tempo_bpm : session->transport_bpm;
}

/* Wall-clock time of a frame, counted back from now. */
static struct timespec time_of_frame(const struct stem_session *session, uint64_t frame)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t written = stem_tape_written(session->with.tape);
    uint64_t ago = written > frame ? written - frame : 0;
    uint64_t rate = session->with.rate_hz;
    now.tv_sec -= (time_t)(ago / rate);
    now.tv_nsec -= (long)(ago % rate * 1000000000 / rate);
    if (now.tv_nsec < 0) {
        now.tv_nsec += 1000000000;
        now.tv_sec--;
    }
    return now;
}

static void reset_status(struct stem_session *session, uint64_t start)
{
    struct stem_session_status *status = &session->status;
    publish(&status->start_frame, start);
    publish(&status->frames, 0);
    publish(&status->gaps, 0);
    publish(&status->gap_frames, 0);
    publish(&status->xruns, 0);
    publish(&status->clips, 0);
    publish(&status->slowest_write_ns, 0);
}

/* Opens a take whose first frame is `start`, which the tape holds already. */
static bool open_take(
    struct stem_session *session, uint64_t start, const char *previous, struct stem_error *error)
{
    const struct stem_recording_params params = {
        .config = session->with.config,
        .layout = session->with.layout,
        .mix = session->with.mix,
        .rate_hz = session->with.rate_hz,
        .start_frame = start,
        .started = time_of_frame(session, start),
        .title = session->title,
        .key = session->key,
        .tempo_bpm = take_tempo(session),
        .previous = previous,
    };
    session->recording = stem_recording_create(&params, error);
    if (!session->recording)
        return false;
    session->next = start;
    session->flushed_ns = session->synced_ns = session->wrote_ns = now_ns();
    reset_status(session, start);
    send_take(session, STEM_EVENT_STARTED, stem_recording_folder(session->recording));
    return true;
}

/* A quit command was carried out. */
static void end(struct stem_session *session)
{
    session->ended = true;
    send_text(session, STEM_EVENT_QUIT, 0, 0, "%s", "");
}

static void to_idle(struct stem_session *session)
{
    session->state = STEM_STATE_IDLE;
    session->recording = NULL;
    stem_tape_release(session->with.tape);
}

static void begin(struct stem_session *session, const struct stem_command *command)
{
    struct stem_error error = {0};
    uint64_t preroll =
        (uint64_t)(session->with.config->preroll_seconds * session->with.rate_hz + 0.5);
    uint64_t wanted = command->frame > preroll ? command->frame - preroll : 0;
    uint64_t start = stem_tape_hold(session->with.tape, wanted);
    if (command->text[0])
        memcpy(session->title, command->text, sizeof session->title);
    if (!open_take(session, start, NULL, &error)) {
        to_idle(session);
        refuse(session, command->request, STEM_CODE_FILE, error.text);
        return;
    }
    answer(session, command->request, stem_recording_folder(session->recording));
}

static void set_end(struct stem_session *session, const struct stem_command *command)
{
    session->ending = *command;
    session->stop = command->frame > session->next ? command->frame : session->next;
}

static const char *folder_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The take is whole: completes it and, after a split, opens the next one on the same frame. */
static void finish(struct stem_session *session)
{
    struct stem_command ending = session->ending;
    struct stem_error error = {0};
    char folder[PATH_MAX];
    int status = stem_recording_finish(session->recording, NULL, folder, sizeof folder, &error);
    session->recording = NULL;
    if (status == 0)
        send_take(session, STEM_EVENT_FINISHED, folder);
    else
        send_take(session, STEM_EVENT_BROKEN, error.text);
    if (ending.type == STEM_COMMAND_SPLIT) {
        snprintf(
            session->previous, sizeof session->previous, "%.*s", NAME_MAX, folder_name(folder));
        if (ending.text[0])
            memcpy(session->title, ending.text, sizeof session->title);
        if (open_take(session, session->stop, session->previous, &error)) {
            session->state = STEM_STATE_RECORDING;
            answer(session, ending.request, stem_recording_folder(session->recording));
            return;
        }
        status = -1;
    }
    to_idle(session);
    if (status == 0)
        answer(session, ending.request, folder);
    else
        refuse(session, ending.request, STEM_CODE_FILE, error.text);
    if (ending.type == STEM_COMMAND_QUIT)
        end(session);
}

/* The disk failed: what is written stays; the take ends here. `asked`: somebody waits for its end.
 */
static void abandon(struct stem_session *session, bool asked)
{
    const char *failure = session->failure.text;
    char folder[PATH_MAX];
    stem_recording_finish(session->recording, failure, folder, sizeof folder, NULL);
    send_text(session, STEM_EVENT_BROKEN, 0, STEM_CODE_FILE, "the take in \"%s\" had to end: %s",
        folder, failure);
    to_idle(session);
    if (!asked)
        return;
    refuse(session, session->ending.request, STEM_CODE_FILE, failure);
    if (session->ending.type == STEM_COMMAND_QUIT)
        end(session);
}

/* Feeds an event to the state table and carries out what it says. Returns false when the command
 * has to wait. */
static bool step(
    struct stem_session *session, enum stem_event_type event, const struct stem_command *command)
{
    enum stem_state before = session->state;
    struct stem_transition transition = stem_state_next(before, event);
    if (transition.action == STEM_DO_WAIT)
        return false;
    session->state = transition.next;
    switch (transition.action) {
    case STEM_DO_OPEN:
        begin(session, command);
        break;
    case STEM_DO_SET_END:
        set_end(session, command);
        break;
    case STEM_DO_FINISH:
        finish(session);
        break;
    case STEM_REFUSE_IDLE:
        refuse(session, command->request, STEM_CODE_STATE, "nothing is being recorded");
        break;
    case STEM_REFUSE_BUSY:
        refuse(session, command->request, STEM_CODE_STATE, "a take is being recorded already");
        break;
    case STEM_DO_ABANDON:
        abandon(session, before == STEM_STATE_STOPPING);
        break;
    case STEM_DO_NOTHING:
    case STEM_DO_WAIT:
        break;
    }
    return true;
}

/* Commands */

static void describe(struct stem_session *session)
{
    if (session->recording)
        stem_recording_describe(
            session->recording, session->title, session->key, take_tempo(session));
}

static void mark(struct stem_session *session, const struct stem_command *command)
{
    if (!session->recording) {
        refuse(session, command->request, STEM_CODE_STATE, "nothing is being recorded");
        return;
    }
    stem_recording_marker(session->recording, command->frame, command->text);
    uint64_t start = stem_recording_take(session->recording)->start_frame;
    char text[32];
    snprintf(text, sizeof text, "%llu",
        (unsigned long long)(command->frame > start ? command->frame - start : 0));
    answer(session, command->request, text);
}

static void quit(struct stem_session *session, const struct stem_command *command)
{
    if (session->state == STEM_STATE_IDLE)
        end(session);
    else
        step(session, STEM_ON_QUIT, command);
}

/* Carries out one command; false when its turn has not come. */
static bool obey(struct stem_session *session, const struct stem_command *command)
{
    /* A client that has just been activated gets its first frame in a moment. */
    bool empty = session->state == STEM_STATE_IDLE && stem_tape_written(session->with.tape) == 0;
    switch (command->type) {
    case STEM_COMMAND_START:
        return !empty && step(session, STEM_ON_START, command);
    case STEM_COMMAND_STOP:
        return step(session, STEM_ON_STOP, command);
    case STEM_COMMAND_TOGGLE:
        return !empty && step(session, STEM_ON_TOGGLE, command);
    case STEM_COMMAND_SPLIT:
        return step(session, STEM_ON_SPLIT, command);
    case STEM_COMMAND_MARK:
        mark(session, command);
        return true;
    case STEM_COMMAND_TITLE:
        memcpy(session->title, command->text, sizeof session->title);
        break;
    case STEM_COMMAND_KEY:
        memcpy(session->key, command->text, sizeof session->key);
        break;
    case STEM_COMMAND_TEMPO:
        session->tempo_bpm = command->number;
        break;
    case STEM_COMMAND_QUIT:
        if (session->state == STEM_STATE_STOPPING)
            return false;
        quit(session, command);
        return true;
    }
    describe(session);
    answer(session, command->request, command->text);
    return true;
}

/* Takes commands in order until the queue is empty or one has to wait. */
static void take_commands(struct stem_session *session)
{
    while (!session->ended) {
        if (!session->is_waiting && !stem_ring_pop_rt(session->with.commands, &session->waiting))
            return;
        session->is_waiting = !obey(session, &session->waiting);
        if (session->is_waiting)
            return;
    }
}

/* Facts */

static void take_facts(struct stem_session *session)
{
    struct stem_fact fact;
    while (stem_ring_pop_rt(session->with.facts, &fact)) {
        if (fact.kind == STEM_FACT_GAP &&
            stem_gap_list_add(
                &session->gaps, (struct stem_gap){fact.frame, fact.gap_frames, fact.reasons}))
            send_text(session, STEM_EVENT_WARNING, 0, 0, "%s", "no memory to remember a gap");
        if (fact.kind == STEM_FACT_TEMPO)
            session->transport_bpm = fact.tempo.bpm;
    }
    while (stem_ring_pop_rt(session->with.xruns, &fact)) {
        if (!session->recording)
            continue;
        stem_recording_xrun(session->recording, fact.frame, fact.xrun_us);
        publish(&session->status.xruns, session->status.xruns + 1);
    }
}

/* Writing */

static void send_gap(
    struct stem_session *session, uint64_t frame, uint64_t frames, uint32_t reasons)
{
    const struct stem_event event = {.kind = STEM_EVENT_GAP,
        .frame = frame - stem_recording_take(session->recording)->start_frame,
        .frames = frames,
        .reasons = reasons};
    send_event(session, &event);
    publish(&session->status.gaps, session->status.gaps + 1);
    publish(&session->status.gap_frames, session->status.gap_frames + frames);
}

/* Writes from `next` up to `limit`, at most one gap or one chunk. */
static int write_some(struct stem_session *session, uint64_t limit, struct stem_error *error)
{
    const struct stem_gap *gap = stem_gap_list_find(&session->gaps, session->next);
    if (gap && gap->frame <= session->next) {
        uint64_t gap_end = gap->frame + gap->frames;
        uint64_t frames = (gap_end < limit ? gap_end : limit) - session->next;
        if (stem_recording_gap(session->recording, session->next, frames, gap->reasons, error))
            return -1;
        send_gap(session, session->next, frames, gap->reasons);
        session->next += frames;
        stem_gap_list_forget(&session->gaps, session->next + (gap->frames == 0));
        return 0;
    }
    uint64_t until = gap && gap->frame < limit ? gap->frame : limit;
    uint64_t frames = until - session->next;
    if (frames > STEM_SESSION_CHUNK)
        frames = STEM_SESSION_CHUNK;
    if (stem_recording_write(
            session->recording, session->with.tape, session->next, (uint32_t)frames, error))
        return -1;
    session->next += frames;
    return 0;
}

static int flush_when_due(struct stem_session *session, struct stem_error *error)
{
    int64_t now = now_ns();
    int64_t sync_ns = (int64_t)(session->with.config->sync_seconds * 1e9);
    if (now - session->flushed_ns < FLUSH_NS)
        return 0;
    session->flushed_ns = now;
    if (stem_recording_flush(session->recording, error))
        return -1;
    if (sync_ns == 0 || now - session->synced_ns < sync_ns - FLUSH_NS)
        return 0;
    session->synced_ns = now;
    return stem_recording_sync(session->recording, error);
}

static void note_pause(struct stem_session *session)
{
    int64_t now = now_ns();
    uint64_t pause = (uint64_t)(now - session->wrote_ns);
    if (pause > session->status.slowest_write_ns)
        publish(&session->status.slowest_write_ns, pause);
    session->wrote_ns = now;
}

static void publish_progress(struct stem_session *session)
{
    publish(&session->status.frames, stem_recording_take(session->recording)->frames);
    publish(&session->status.clips, stem_recording_clips(session->recording));
}

/* Moves the take on towards what is on the tape. Returns true when it got further. */
static bool advance(struct stem_session *session, uint64_t written)
{
    if (!session->recording)
        return false;
    bool stopping = session->state == STEM_STATE_STOPPING;
    uint64_t limit = stopping && session->stop < written ? session->stop : written;
    uint64_t before = session->next;
    int status = 0;
    if (session->next < limit) {
        status = write_some(session, limit, &session->failure);
        stem_tape_hold(session->with.tape, session->next);
    }
    if (status == 0)
        status = flush_when_due(session, &session->failure);
    note_pause(session);
    publish_progress(session);
    if (status) {
        step(session, STEM_ON_FAULT, NULL);
        return true;
    }
    if (stopping && session->next >= session->stop) {
        step(session, STEM_ON_REACHED, NULL);
        return true;
    }
    return session->next > before;
}

/* Asked here and not by control, because the answer may have to wait for the disk. */
static void look_at_disk(struct stem_session *session)
{
    int64_t now = now_ns();
    struct statvfs disk;
    if (session->looked_ns && now - session->looked_ns < DISK_LOOK_NS)
        return;
    session->looked_ns = now;
    if (statvfs(session->with.config->takes, &disk) == 0)
        publish(&session->status.disk_free_bytes, (uint64_t)disk.f_bavail * disk.f_frsize);
}

bool stem_session_work(struct stem_session *session)
{
    uint64_t written = stem_tape_written(session->with.tape);
    take_facts(session);
    take_commands(session);
    bool more = advance(session, written);
    if (!session->recording)
        stem_gap_list_forget(&session->gaps, stem_tape_oldest(session->with.tape));
    atomic_store_explicit(&session->status.state, (int)session->state, memory_order_relaxed);
    look_at_disk(session);
    publish(&session->status.turns, session->status.turns + 1);
    return more;
}

struct stem_session *stem_session_create(const struct stem_session_params *params)
{
    struct stem_session *session = calloc(1, sizeof *session);
    if (session)
        session->with = *params;
    return session;
}

void stem_session_destroy(struct stem_session *session)
{
    if (!session)
        return;
    if (session->recording) {
        stem_error_set(&session->failure, "the recorder was shut down");
        step(session, STEM_ON_FAULT, NULL);
    }
    stem_gap_list_finish(&session->gaps);
    free(session);
}

bool stem_session_ended(const struct stem_session *session)
{
    return session->ended;
}

const struct stem_session_status *stem_session_status(const struct stem_session *session)
{
    return &session->status;
}
