/* Beginning and ending takes: the actions of the state table. */
#include "session_parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* An answer is held back at most about this long. */
enum { SOON_SECONDS = 60 };
/* Clocks of sound cards and of the day drift apart. */
enum { LONG_AGO_SECONDS = 600 };
/* So much earlier than later ones the first flush of a take comes: with its first frames. */
enum { EARLY_NS = 1000000000 };

double session_tempo(const struct stem_session *session)
{
    return session->tempo_bpm > 0 ? session->tempo_bpm : session->transport_bpm;
}

/* A frame and its time of day: as the last command told, so that writer and mirror agree; the clock
 * when that was long ago, or never. */
static uint64_t reference(const struct stem_session *session, uint64_t frame, struct timespec *wall)
{
    uint64_t ago =
        frame > session->wall_frame ? frame - session->wall_frame : session->wall_frame - frame;
    *wall = session->wall;
    if (session->wall_frame && ago / session->with.rate_hz < LONG_AGO_SECONDS)
        return session->wall_frame;
    clock_gettime(CLOCK_REALTIME, wall);
    return stem_tape_written(session->with.tape);
}

/* Wall-clock time of a frame, counted from a reference. */
static struct timespec time_of_frame(const struct stem_session *session, uint64_t frame)
{
    struct timespec time;
    int64_t ago = (int64_t)(reference(session, frame, &time) - frame);
    int64_t rate = session->with.rate_hz;
    time.tv_sec -= (time_t)(ago / rate);
    time.tv_nsec -= (long)(ago % rate * 1000000000 / rate);
    if (time.tv_nsec < 0) {
        time.tv_nsec += 1000000000;
        time.tv_sec--;
    } else if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        time.tv_sec++;
    }
    return time;
}

static void reset_status(struct stem_session *session, uint64_t start)
{
    struct stem_session_status *status = &session->status;
    session_publish(&status->start_frame, start);
    session_publish(&status->frames, 0);
    atomic_store_explicit(&status->place, (int)STEM_RECORDING_KEPT, memory_order_relaxed);
    session_publish(&status->gaps, 0);
    session_publish(&status->gap_frames, 0);
    session_publish(&status->xruns, 0);
    session_publish(&status->clips, 0);
    session_publish(&status->slowest_write_ns, 0);
    session_publish(&status->slowest_sync_ns, 0);
    session_publish(&status->overflow_frames, 0);
    session_publish(&status->tape_most_frames, 0);
}

void session_send_closed(struct stem_session *session, const char *folder)
{
    session_send_text(session, STEM_EVENT_CLOSED, 0, 0, "%s", folder);
}

static void send_take(struct stem_session *session, enum stem_event_kind kind, const char *text)
{
    struct stem_event event = {.kind = kind,
        .frame = atomic_load_explicit(&session->status.start_frame, memory_order_relaxed),
        .frames = atomic_load_explicit(&session->status.frames, memory_order_relaxed)};
    snprintf(event.text, sizeof event.text, "%s", text);
    session_send(session, &event);
}

void session_send_folder(struct stem_session *session)
{
    send_take(session, STEM_EVENT_CONTINUED, stem_recording_folder(session->recording));
}

/* The transport at a frame; NULL when it stands. */
static const struct stem_fact *rolling_fact(const struct stem_session *session, uint64_t frame)
{
    const struct stem_fact *fact = stem_fact_log_last(&session->facts, STEM_FACT_TRANSPORT, frame);
    return fact && fact->transport.rolling ? fact : NULL;
}

/* Time references follow the transport while it rolls, so that stems fall into their place in the
 * project; otherwise JACK's frame clock. */
static uint64_t time_reference(const struct stem_session *session, uint64_t start)
{
    /* Pre-roll of a roll may lie in the one before, and is counted back from its own. */
    bool by_transport = session->started_by.how.sync == STEM_SYNC_TRANSPORT;
    uint64_t trigger = session->started_by.frame > start ? session->started_by.frame : start;
    const struct stem_fact *fact = by_transport ? NULL : rolling_fact(session, start);
    if (!fact)
        fact = rolling_fact(session, trigger);
    if (!fact)
        return start;
    uint64_t from = fact->frame > start ? fact->frame : start;
    uint64_t there = stem_fact_at(fact, from, session->with.rate_hz).transport.frame;
    return there >= from - start ? there - (from - start) : start;
}

static const char *start_word(const struct stem_start *how)
{
    static const char *const WORDS[STEM_SYNCS] = {
        [STEM_SYNC_NOW] = "now",
        [STEM_SYNC_BAR] = "bar",
        [STEM_SYNC_TRANSPORT] = "transport",
        [STEM_SYNC_THRESHOLD] = "threshold",
        [STEM_SYNC_FRAME] = "now",
    };
    return how->is_capture ? "capture" : how->is_timed ? "time" : WORDS[how->sync];
}

static const char *folder_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

struct stem_recording *session_open_files(struct stem_session *session, const char *takes,
    uint64_t start, const char *previous, const struct stem_recording *part_of,
    struct stem_error *error)
{
    const struct stem_recording_params params = {
        .config = session->with.config,
        .layout = session->with.layout,
        .mix = session->with.mix,
        .takes = takes,
        .rate_hz = session->with.rate_hz,
        .start_frame = start,
        .time_reference = time_reference(session, start),
        .started = time_of_frame(session, start),
        .seed = session->seed,
        .mirror = session->with.mirror,
        .started_by = start_word(&session->started_by.how),
        .title = session->title,
        .key = session->key,
        .tempo_bpm = session_tempo(session),
        .previous = previous,
        .part_of = part_of ? stem_recording_take(part_of) : NULL,
        .name = part_of ? folder_name(stem_recording_folder(part_of)) : NULL,
    };
    return stem_recording_create(&params, error);
}

/* A folder that fails at once is like one that fails later: the spare one takes over. */
static bool open_take(
    struct stem_session *session, uint64_t start, const char *previous, struct stem_error *error)
{
    session->on_spare = false;
    session->recording =
        session_open_files(session, session->with.takes, start, previous, NULL, error);
    if (!session->recording && session->with.spare) {
        session_send_text(session, STEM_EVENT_WARNING, 0, STEM_CODE_FILE,
            "%s; recording in the spare folder \"%s\"", error->text, session->with.spare);
        session->on_spare = true;
        session->recording =
            session_open_files(session, session->with.spare, start, previous, NULL, error);
    }
    if (!session->recording)
        return false;
    session->next = session->told = session->loud = session->gaps_told = start;
    session->in_tail = session->told_trouble = session->told_loss = false;
    session->lost = 0;
    session->synced_ns = session->wrote_ns = session_now_ns();
    session->flushed_ns = session->synced_ns - EARLY_NS; /* the first second counts too */
    session->looked_ns = session->save_again_ns = 0;
    reset_status(session, start);
    session_first_facts(session);
    stem_recording_save(session->recording);
    send_take(session, STEM_EVENT_STARTED, stem_recording_folder(session->recording));
    return true;
}

void session_end(struct stem_session *session)
{
    session->ended = true;
    session_send_text(session, STEM_EVENT_QUIT, 0, 0, "%s", "");
    atomic_store(&session->status.ended, true);
}

static void to_idle(struct stem_session *session)
{
    session->state = STEM_STATE_IDLE;
    session->recording = NULL;
    stem_tape_release(session->with.tape, session->with.holder);
}

/* Waiting for a start */

static bool transport_rolls(const struct stem_session *session)
{
    const struct stem_fact *fact =
        stem_fact_log_last(&session->facts, STEM_FACT_TRANSPORT, UINT64_MAX);
    return fact && fact->transport.rolling;
}

/* Whether the answer comes with the take, or at once because it may take long. */
static bool comes_soon(const struct stem_session *session, const struct stem_command *command)
{
    uint64_t soon =
        stem_tape_written(session->with.tape) + (uint64_t)SOON_SECONDS * session->with.rate_hz;
    return (command->how.sync == STEM_SYNC_BAR && transport_rolls(session)) ||
           (command->how.sync == STEM_SYNC_FRAME && command->frame <= soon);
}

static void arm(struct stem_session *session, const struct stem_command *command)
{
    static const char *const FOR[STEM_SYNCS] = {
        [STEM_SYNC_BAR] = "the next bar",
        [STEM_SYNC_TRANSPORT] = "the transport",
        [STEM_SYNC_THRESHOLD] = "a level above the threshold",
        [STEM_SYNC_FRAME] = "the time that was given",
    };
    if (session->started_by.request && session->state == STEM_STATE_ARMED)
        session_refuse(
            session, session->started_by.request, STEM_CODE_STATE, "another start took its place");
    session->started_by = *command;
    uint64_t written = stem_tape_written(session->with.tape);
    session->searched = command->frame < written ? command->frame : written;
    if (command->text[0])
        memcpy(session->title, command->text, sizeof session->title);
    session_send_text(session, STEM_EVENT_ARMED, 0, 0, "%s", FOR[command->how.sync]);
    if (comes_soon(session, command))
        return;
    char text[64];
    snprintf(text, sizeof text, "waiting for %s", FOR[command->how.sync]);
    session_answer(session, command->request, text);
    session->started_by.request = 0;
}

static void disarm(struct stem_session *session, const struct stem_command *command)
{
    session_refuse(session, session->started_by.request, STEM_CODE_STATE,
        "the start was called off before it came");
    session_send_text(session, STEM_EVENT_ARMED, 0, 0, "%s", "");
    to_idle(session);
    session_answer(session, command->request, "no longer waiting for a start");
}

/* Beginning */

uint64_t session_preroll(const struct stem_session *session, const struct stem_command *command)
{
    double seconds = command->how.preroll_seconds < 0 ? session->with.config->preroll_seconds
                                                      : command->how.preroll_seconds;
    uint64_t frames = (uint64_t)(seconds * session->with.rate_hz + 0.5);
    uint64_t most = session_most_back(session);
    return frames < most ? frames : most;
}

/* Who asked for it gets an answer; everybody else learns of it too. */
static void send_no_take(struct stem_session *session, const struct stem_error *error)
{
    session_send_text(session, STEM_EVENT_BROKEN, 0, STEM_CODE_FILE, "no take: %s", error->text);
}

static void begin(struct stem_session *session, const struct stem_command *command)
{
    struct stem_error error = {0};
    struct stem_command by = *command; /* may be session->started_by itself */
    uint64_t preroll = session_preroll(session, &by);
    uint64_t wanted = by.frame > preroll ? by.frame - preroll : 0;
    uint64_t start = stem_tape_hold(session->with.tape, session->with.holder, wanted);
    session->started_by = by;
    if (by.text[0])
        memcpy(session->title, by.text, sizeof session->title);
    if (!open_take(session, start, NULL, &error)) {
        to_idle(session);
        session_refuse(session, by.request, STEM_CODE_FILE, error.text);
        send_no_take(session, &error);
        return;
    }
    session->loud = by.frame > start ? by.frame : start;
    if (!by.how.is_capture) {
        session_answer(session, by.request, stem_recording_folder(session->recording));
        return;
    }
    by.type = STEM_COMMAND_STOP; /* and its end answers */
    session_step(session, STEM_ON_STOP, &by);
}

/* Ending */

static void set_end(struct stem_session *session, const struct stem_command *command)
{
    uint64_t end = command->frame > session->next ? command->frame : session->next;
    double tail = session->with.config->tail.most_seconds;
    bool is_asked = command->type != STEM_COMMAND_SPLIT && command->type != STEM_COMMAND_QUIT &&
                    !command->is_internal && !command->how.is_capture;
    session->ending = *command;
    session->in_tail = tail > 0 && is_asked;
    session->loud = end;
    session->stop = end + (session->in_tail ? (uint64_t)(tail * session->with.rate_hz) : 0);
}

/* After a split: the next take opens on the frame where the last one ended. */
static bool open_next(struct stem_session *session, const char *folder, struct stem_error *error)
{
    const struct stem_command *ending = &session->ending;
    snprintf(session->previous, sizeof session->previous, "%.*s", NAME_MAX, folder_name(folder));
    if (ending->text[0])
        memcpy(session->title, ending->text, sizeof session->title);
    session->started_by.how.length_frames = 0;
    if (!open_take(session, session->stop, session->previous, error))
        return false;
    session->state = STEM_STATE_RECORDING;
    session_answer(session, ending->request, stem_recording_folder(session->recording));
    return true;
}

/* Takes that start by themselves do so again and again, until somebody stops the waiting. */
static bool arms_again(const struct stem_session *session)
{
    enum stem_sync sync = session->started_by.how.sync;
    return session->ending.is_internal && session->ending.type == STEM_COMMAND_STOP &&
           (sync == STEM_SYNC_TRANSPORT || sync == STEM_SYNC_THRESHOLD);
}

static void wait_again(struct stem_session *session)
{
    struct stem_command command = session->started_by;
    command.frame = session->stop;
    command.text[0] = '\0';
    session->state = STEM_STATE_ARMED;
    stem_tape_hold(session->with.tape, session->with.holder, session->stop);
    arm(session, &command);
}

/* The take is whole: completes it and, after a split, opens the next one on the same frame. */
static void finish(struct stem_session *session)
{
    struct stem_command ending = session->ending;
    struct stem_error error = {0};
    char folder[PATH_MAX];
    int status = stem_recording_finish(session->recording, NULL, folder, sizeof folder, &error);
    session->recording = NULL;
    send_take(session, status == 0 ? STEM_EVENT_FINISHED : STEM_EVENT_BROKEN,
        status == 0 ? folder : error.text);
    if (status != STEM_RECORDING_NO_FOLDER)
        session_send_closed(session, folder);
    if (ending.type == STEM_COMMAND_SPLIT) {
        if (open_next(session, folder, &error))
            return;
        send_no_take(session, &error);
        status = -1;
    }
    if (status == 0 && arms_again(session)) {
        wait_again(session);
        return;
    }
    to_idle(session);
    if (status == 0)
        session_answer(session, ending.request, folder);
    else
        session_refuse(session, ending.request, STEM_CODE_FILE, error.text);
    if (ending.type == STEM_COMMAND_QUIT)
        session_end(session);
}

/* The disk failed: what is written stays; the take ends here. `asked`: somebody waits for its end.
 */
static void abandon(struct stem_session *session, bool asked)
{
    const char *failure = session->failure.text;
    char folder[PATH_MAX];
    int status = stem_recording_finish(session->recording, failure, folder, sizeof folder, NULL);
    session_send_text(session, STEM_EVENT_BROKEN, 0, STEM_CODE_FILE,
        "the take in \"%s\" had to end: %s", folder, failure);
    if (status != STEM_RECORDING_NO_FOLDER)
        session_send_closed(session, folder);
    to_idle(session);
    if (!asked)
        return;
    session_refuse(session, session->ending.request, STEM_CODE_FILE, failure);
    if (session->ending.type == STEM_COMMAND_QUIT)
        session_end(session);
}

/* The table */

static void act(struct stem_session *session, enum stem_action action, bool was_stopping,
    const struct stem_command *command)
{
    switch (action) {
    case STEM_DO_OPEN:
        begin(session, command);
        break;
    case STEM_DO_ARM:
        arm(session, command);
        break;
    case STEM_DO_DISARM:
        disarm(session, command);
        break;
    case STEM_DO_SET_END:
        set_end(session, command);
        break;
    case STEM_DO_FINISH:
        finish(session);
        break;
    case STEM_REFUSE_IDLE:
        session_refuse(session, command->request, STEM_CODE_STATE, "nothing is being recorded");
        break;
    case STEM_REFUSE_BUSY:
        session_refuse(
            session, command->request, STEM_CODE_STATE, "a take is being recorded already");
        break;
    case STEM_DO_ABANDON:
        abandon(session, was_stopping);
        break;
    case STEM_DO_NOTHING:
    case STEM_DO_WAIT:
        break;
    }
}

bool session_step(
    struct stem_session *session, enum stem_event_type event, const struct stem_command *command)
{
    bool was_stopping = session->state == STEM_STATE_STOPPING;
    struct stem_transition transition = stem_state_next(session->state, event);
    if (transition.action == STEM_DO_WAIT)
        return false;
    session->state = transition.next;
    act(session, transition.action, was_stopping, command);
    return true;
}
