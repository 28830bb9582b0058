/* The place that a take is written to: how much room it has, and whether it is still there. Asked
 * here and not by control, because the answer may have to wait for the disk. */
#include "session_parts.h"

#include <sys/statvfs.h>

enum { LOOK_NS = 2000000000 };

static void look_for_room(struct stem_session *session)
{
    struct statvfs disk;
    const char *folder =
        session->recording ? stem_recording_folder(session->recording) : session->with.takes;
    if (statvfs(folder, &disk) == 0)
        session_publish(&session->status.disk_free_bytes, (uint64_t)disk.f_bavail * disk.f_frsize);
}

/* Nothing more is kept where the take is written: it goes on in a new folder, in the spare one when
 * there is one, with as much of it as the tape has. Without any it goes on as it is; a new folder
 * is tried at each look. */
static void leave_folder(struct stem_session *session, const struct stem_error *what)
{
    const char *const places[] = {session->with.spare, session->with.takes};
    uint64_t start = stem_recording_take(session->recording)->start_frame;
    struct stem_error error = {0};
    session->failure = *what;
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        if (!places[k] || !session_go_on(session, places[k], start, &error))
            continue;
        session->told_loss = false;
        return;
    }
    session->failure.text[0] = '\0';
    if (!session->told_loss)
        session_send_text(session, STEM_EVENT_WARNING, 0, STEM_CODE_FILE,
            "%s, and there is no place for the take: %s; this is tried again", what->text,
            error.text);
    session->told_loss = true;
}

void session_mind_folder(struct stem_session *session)
{
    struct stem_error what = {0};
    enum stem_recording_place place = stem_recording_look(session->recording, &what);
    if (place > (enum stem_recording_place)session->status.place)
        atomic_store_explicit(&session->status.place, (int)place, memory_order_relaxed);
    if (place == STEM_RECORDING_LOST)
        leave_folder(session, &what);
    if (place != STEM_RECORDING_MOVED)
        return;
    session_send_text(session, STEM_EVENT_WARNING, 0, STEM_CODE_FILE, "%s", what.text);
    session_send_folder(session);
}

void session_look_at_disk(struct stem_session *session)
{
    int64_t now = session_now_ns();
    if (session->looked_ns && now - session->looked_ns < LOOK_NS)
        return;
    session->looked_ns = now;
    if (session->recording)
        session_mind_folder(session);
    look_for_room(session);
}
