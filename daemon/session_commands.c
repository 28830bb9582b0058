/* What control asks the session for. */
#include "session_parts.h"

#include <stdio.h>
#include <string.h>

/* A controller gone mad must not make the manifest too large to be renewed. */
enum { MOST_MARKERS = 10000 };

static void describe(struct stem_session *session)
{
    if (session->recording)
        stem_recording_describe(
            session->recording, session->title, session->key, session_tempo(session));
}

static void mark(struct stem_session *session, const struct stem_command *command)
{
    if (!session->recording) {
        session_refuse(session, command->request, STEM_CODE_STATE, "nothing is being recorded");
        return;
    }
    if (stem_recording_take(session->recording)->marker_count >= MOST_MARKERS) {
        session_refuse(
            session, command->request, STEM_CODE_BUSY, "the take has too many markers already");
        return;
    }
    stem_recording_marker(session->recording, command->frame, command->text);
    const struct stem_take *take = stem_recording_take(session->recording);
    uint64_t from = command->frame > take->start_frame ? command->frame - take->start_frame : 0;
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)(take->part_frame + from));
    session_answer(session, command->request, text);
}

static void quit(struct stem_session *session, const struct stem_command *command)
{
    bool is_open = session->recording != NULL;
    for (size_t k = 0; k < session->scheduled_count; k++)
        session_refuse(session, session->scheduled[k].request, STEM_CODE_STATE,
            "the recorder was shut down before that time");
    session->scheduled_count = 0;
    session_step(session, STEM_ON_QUIT, command);
    if (!is_open)
        session_end(session);
}

/* What is told at the end of a take or after it concerns the next one, also while the last frames
 * of this one are still being written. */
static bool is_past_end(const struct stem_session *session, const struct stem_command *command)
{
    return session->state == STEM_STATE_STOPPING && command->frame >= session->stop;
}

/* Commands that only change what is known of the take. */
static void obey_description(struct stem_session *session, const struct stem_command *command)
{
    if (command->type == STEM_COMMAND_TITLE)
        memcpy(session->title, command->text, sizeof session->title);
    if (command->type == STEM_COMMAND_KEY)
        memcpy(session->key, command->text, sizeof session->key);
    if (command->type == STEM_COMMAND_TEMPO)
        session->tempo_bpm = command->number;
    describe(session);
    session_answer(session, command->request, command->text);
}

/* Starting */

static bool tells_bars(struct stem_session *session, const struct stem_command *command)
{
    if (stem_fact_log_last(&session->facts, STEM_FACT_TEMPO, UINT64_MAX))
        return true;
    session_refuse(session, command->request, STEM_CODE_STATE,
        "JACK's transport tells no bars: there is no timebase master");
    return false;
}

/* A start that has to be waited for is armed: also one whose frame is still to come, and one on a
 * client that was activated just now and gets its first frame in a moment. */
static bool obey_start(struct stem_session *session, const struct stem_command *command)
{
    struct stem_command start = *command;
    bool toggles = command->type == STEM_COMMAND_TOGGLE && session->state != STEM_STATE_IDLE;
    uint64_t written = stem_tape_written(session->with.tape);
    if (toggles)
        return session_step(session, STEM_ON_TOGGLE, command);
    if (start.how.sync == STEM_SYNC_NOW && (written == 0 || start.frame > written || start.when_ns))
        start.how.sync = STEM_SYNC_FRAME;
    if (start.how.sync == STEM_SYNC_NOW)
        return session_step(session, STEM_ON_START, &start);
    if (start.how.sync == STEM_SYNC_BAR && session->state == STEM_STATE_IDLE &&
        !tells_bars(session, command))
        return true;
    return session_step(session, STEM_ON_ARM, &start);
}

/* Carries out one command; false when its turn has not come. */
static bool obey(struct stem_session *session, const struct stem_command *command)
{
    if (command->wall_frame) {
        session->wall_frame = command->wall_frame;
        session->wall = command->wall;
        session->seed = command->seed;
    }
    switch (command->type) {
    case STEM_COMMAND_START:
    case STEM_COMMAND_TOGGLE:
        return obey_start(session, command);
    case STEM_COMMAND_STOP:
        return session_step(session, STEM_ON_STOP, command);
    case STEM_COMMAND_SPLIT:
        return session_step(session, STEM_ON_SPLIT, command);
    case STEM_COMMAND_MARK:
    case STEM_COMMAND_TITLE:
    case STEM_COMMAND_KEY:
    case STEM_COMMAND_TEMPO:
        if (is_past_end(session, command))
            return false;
        if (command->type == STEM_COMMAND_MARK)
            mark(session, command);
        else
            obey_description(session, command);
        return true;
    case STEM_COMMAND_QUIT:
        if (session->state == STEM_STATE_STOPPING)
            return false;
        quit(session, command);
        return true;
    }
    return true;
}

/* Commands for later */

/* Whether a command is for a frame that is not on the tape yet; if not, a moment's frame is known
 * now. A start for later is armed. */
static bool is_for_later(
    const struct stem_session *session, struct stem_command *command, uint64_t written)
{
    bool is_start = command->type == STEM_COMMAND_START ||
                    (command->type == STEM_COMMAND_TOGGLE && session->state == STEM_STATE_IDLE);
    bool can_wait = command->type == STEM_COMMAND_STOP || command->type == STEM_COMMAND_TOGGLE ||
                    command->type == STEM_COMMAND_SPLIT || command->type == STEM_COMMAND_MARK;
    uint64_t frame;
    if (!can_wait || is_start || !command->how.is_timed)
        return false;
    if (!session_frame_of(session, command, written, &frame))
        return true;
    command->frame = frame;
    return false;
}

/* Frames of moments are estimates, and may be in another order. */
static bool is_earlier(const struct stem_command *one, const struct stem_command *other)
{
    return one->when_ns && other->when_ns ? one->when_ns < other->when_ns
                                          : one->frame < other->frame;
}

static void schedule(struct stem_session *session, const struct stem_command *command)
{
    if (session->scheduled_count == SESSION_SCHEDULED) {
        session_refuse(session, command->request, STEM_CODE_BUSY,
            "there are too many commands for a later time");
        return;
    }
    size_t at = session->scheduled_count++;
    for (; at > 0 && is_earlier(command, &session->scheduled[at - 1]); at--)
        session->scheduled[at] = session->scheduled[at - 1];
    session->scheduled[at] = *command;
}

/* The next command whose time has come. */
static bool take_due(struct stem_session *session, uint64_t written, struct stem_command *command)
{
    uint64_t frame;
    if (session->scheduled_count == 0 ||
        !session_frame_of(session, &session->scheduled[0], written, &frame))
        return false;
    *command = session->scheduled[0];
    command->frame = frame;
    session->scheduled_count--;
    for (size_t k = 0; k < session->scheduled_count; k++)
        session->scheduled[k] = session->scheduled[k + 1];
    return true;
}

static bool take_new(struct stem_session *session, uint64_t written, struct stem_command *command)
{
    while (stem_ring_pop_rt(session->with.commands, command)) {
        if (!is_for_later(session, command, written))
            return true;
        schedule(session, command);
    }
    return false;
}

/* A take that is to start at a moment begins before what is asked for a later one. */
static void start_first(
    struct stem_session *session, const struct stem_command *command, uint64_t written)
{
    uint64_t start;
    if (session->state == STEM_STATE_ARMED && session->started_by.how.sync == STEM_SYNC_FRAME &&
        session_frame_of(session, &session->started_by, written, &start) && start <= command->frame)
        session_look_for_start(session, written);
}

void session_take_commands(struct stem_session *session, uint64_t written)
{
    while (!session->ended) {
        if (!session->is_waiting && !take_due(session, written, &session->waiting) &&
            !take_new(session, written, &session->waiting))
            return;
        start_first(session, &session->waiting, written);
        session->is_waiting = !obey(session, &session->waiting);
        if (session->is_waiting)
            return;
    }
}
