/* What control asks the session for. */
#include "session_parts.h"

#include <stdio.h>
#include <string.h>

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
    stem_recording_marker(session->recording, command->frame, command->text);
    uint64_t start = stem_recording_take(session->recording)->start_frame;
    char text[32];
    snprintf(text, sizeof text, "%llu",
        (unsigned long long)(command->frame > start ? command->frame - start : 0));
    session_answer(session, command->request, text);
}

static void quit(struct stem_session *session, const struct stem_command *command)
{
    bool is_open = session->recording != NULL;
    session_step(session, STEM_ON_QUIT, command);
    if (!is_open)
        session_end(session);
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

/* Carries out one command; false when its turn has not come. */
static bool obey(struct stem_session *session, const struct stem_command *command)
{
    /* A client that has just been activated gets its first frame in a moment. */
    bool empty = !session->recording && stem_tape_written(session->with.tape) == 0;
    bool arms = command->how.sync != STEM_SYNC_NOW;
    if (arms && command->how.sync == STEM_SYNC_BAR && session->state == STEM_STATE_IDLE &&
        !stem_fact_log_last(&session->facts, STEM_FACT_TEMPO, UINT64_MAX)) {
        session_refuse(session, command->request, STEM_CODE_STATE,
            "JACK's transport tells no bars: there is no timebase master");
        return true;
    }
    switch (command->type) {
    case STEM_COMMAND_START:
        return !empty && session_step(session, arms ? STEM_ON_ARM : STEM_ON_START, command);
    case STEM_COMMAND_STOP:
        return session_step(session, STEM_ON_STOP, command);
    case STEM_COMMAND_TOGGLE:
        arms = arms && session->state == STEM_STATE_IDLE;
        return !empty && session_step(session, arms ? STEM_ON_ARM : STEM_ON_TOGGLE, command);
    case STEM_COMMAND_SPLIT:
        return session_step(session, STEM_ON_SPLIT, command);
    case STEM_COMMAND_MARK:
        mark(session, command);
        return true;
    case STEM_COMMAND_TITLE:
    case STEM_COMMAND_KEY:
    case STEM_COMMAND_TEMPO:
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

void session_take_commands(struct stem_session *session)
{
    while (!session->ended) {
        if (!session->is_waiting && !stem_ring_pop_rt(session->with.commands, &session->waiting))
            return;
        session->is_waiting = !obey(session, &session->waiting);
        if (session->is_waiting)
            return;
    }
}
