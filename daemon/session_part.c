/* A take goes on in another folder, as its next part: without losing or doubling a frame, as far as
 * the tape reaches back. */
#include "session_parts.h"

uint64_t session_most_back(const struct stem_session *session)
{
    uint64_t capacity = stem_tape_capacity(session->with.tape);
    uint64_t room = (uint64_t)(STEM_SESSION_ROOM_SECONDS * session->with.rate_hz);
    return capacity - (room < capacity / 8 ? room : capacity / 8);
}

/* Where the next part begins: at `from`, or as far back as the tape goes; but where this one's
 * files end the latest. What the tape does not have from there on is a gap of the next part. */
static uint64_t next_part_start(const struct stem_session *session, uint64_t from)
{
    uint64_t most = session_most_back(session), written = stem_tape_written(session->with.tape);
    uint64_t early = written > most ? written - most : 0;
    uint64_t stored = stem_recording_stored(session->recording);
    early = early < stored ? early : stored;
    uint64_t held =
        stem_tape_hold(session->with.tape, session->with.holder, from > early ? from : early);
    uint64_t end = stem_recording_end_frame(session->recording);
    return stem_recording_boundary(session->recording, held < end ? held : end);
}

static void close_part(struct stem_session *session, struct stem_recording *next)
{
    char folder[PATH_MAX];
    if (stem_recording_finish(session->recording, NULL, folder, sizeof folder, NULL) ==
        STEM_RECORDING_NO_FOLDER)
        return;
    stem_recording_continues(next, folder);
    session_send_closed(session, folder);
}

bool session_go_on(
    struct stem_session *session, const char *takes, uint64_t from, struct stem_error *error)
{
    stem_recording_settle(session->recording);
    uint64_t start = next_part_start(session, from);
    struct stem_recording *next =
        session_open_files(session, takes, start, NULL, session->recording, error);
    if (!next)
        return false;
    stem_recording_continued(session->recording, next);
    close_part(session, next);
    session->recording = next;
    session->gaps_told = session->next > session->gaps_told ? session->next : session->gaps_told;
    session->next = session->told = session->empty_told = start;
    session->lost = stem_tape_held(session->with.tape, session->with.holder);
    session->on_spare = takes == session->with.spare;
    session_first_facts(session);
    session_send_text(session, STEM_EVENT_WARNING, 0, STEM_CODE_FILE,
        "%s; the take goes on in \"%s\"", session->failure.text, stem_recording_folder(next));
    session_send_folder(session);
    session->failure.text[0] = '\0';
    return true;
}

bool session_continue(struct stem_session *session)
{
    struct stem_error error = {0};
    if (!session->with.spare || session->on_spare)
        return false;
    /* What did not reach the disk for every stem is on the tape still: the writer holds what the
     * kernel did not get, and what it got only lately has not been overwritten. */
    uint64_t safe = stem_recording_safe(session->recording);
    if (session_go_on(session, session->with.spare, safe, &error))
        return true;
    session_send_text(session, STEM_EVENT_WARNING, 0, STEM_CODE_FILE,
        "the spare folder does not help: %s", error.text);
    return false;
}
