/* The inside of a session, shared by its rooms. Writer thread only.
 *
 *     session.c           life, and one round of work
 *     session_commands.c  what control asks for
 *     session_folder.c    whether the take's folder is there, and has room
 *     session_part.c      a take goes on in another folder
 *     session_take.c      beginning and ending takes; the state table's actions
 *     session_time.c      points in time that commands were given
 *     session_trigger.c   where a take starts and ends by itself
 *     session_write.c     from the tape to the files, with gaps and facts on the way
 */
#ifndef STEMD_SESSION_PARTS_H
#define STEMD_SESSION_PARTS_H

#include "fact_log.h"
#include "gap_list.h"
#include "messages.h"
#include "recording.h"
#include "session.h"

#include <limits.h>

/* Commands whose frame is still to come. */
enum { SESSION_SCHEDULED = 16 };

struct stem_session {
    struct stem_session_params with;
    enum stem_state state;
    struct stem_recording *recording; /* NULL while idle */
    uint64_t next;                    /* first frame of the take that is not written yet */
    uint64_t stop;                    /* stopping: first frame after the take */
    struct stem_command ending;       /* stopping: the command that asked for it */
    struct stem_command waiting;      /* a command whose turn has not come */
    bool is_waiting;
    struct stem_command scheduled[SESSION_SCHEDULED]; /* ascending times */
    size_t scheduled_count;
    bool ended;
    struct stem_error failure;    /* why the take cannot go on */
    struct stem_tape_span *spans; /* one per track: what is written next */
    float *copies;       /* with another holder: those frames, STEM_SESSION_CHUNK of them */
    uint64_t wall_frame; /* a frame and its time of day, as the last command tells; or 0 */
    struct timespec wall;
    uint64_t seed;
    struct stem_gap_list gaps;
    struct stem_fact_log facts;
    uint64_t empty_told; /* gaps of no length before this frame are in the manifest */
    uint64_t gaps_told;  /* gaps before this frame were told of, and are counted */
    uint64_t lost;       /* the tape had no frames before this one when the part began; or 0 */
    uint64_t told;       /* facts before this frame are in the take's manifest */

    /* how the next take starts (armed), or the running one was started */
    struct stem_command started_by;
    uint64_t searched;           /* armed: the start does not lie before this frame */
    uint64_t loud;               /* threshold and tail: frame after the last loud one */
    bool in_tail;                /* stopping: waits until the tails have decayed */
    bool on_spare;               /* the take goes on in the spare folder */
    bool told_trouble;           /* with the manifest */
    bool told_loss;              /* of the folder, when there is no other place */
    char title[STEM_TEXT_BYTES]; /* for this and the next takes */
    char key[STEM_TEXT_BYTES];
    double tempo_bpm;            /* as told; 0: take the transport's */
    double transport_bpm;        /* as last seen; 0: none */
    char previous[NAME_MAX + 1]; /* folder name of the take that was split off last */
    uint64_t seen;               /* end of the tape at the last look */
    int64_t seen_ns;             /* when that was seen first */
    int64_t flushed_ns;
    int64_t save_again_ns; /* not before then the manifest is renewed for a gap */
    int64_t synced_ns;
    int64_t wrote_ns;
    int64_t looked_ns; /* when folder and free space were last looked at */
    struct stem_session_status status;
};

int64_t session_now_ns(void);
void session_publish(_Atomic uint64_t *figure, uint64_t value);

/* Events to control. */
void session_send(struct stem_session *session, const struct stem_event *event);
void session_send_text(struct stem_session *session, enum stem_event_kind kind, uint32_t request,
    int code, const char *format, ...) STEM_PRINTF(5, 6);
void session_answer(struct stem_session *session, uint32_t request, const char *text);
void session_refuse(
    struct stem_session *session, uint32_t request, enum stem_code code, const char *text);

/* Tells where the running take is now. */
void session_send_folder(struct stem_session *session);
/* Tells that nothing is written to a folder any more. */
void session_send_closed(struct stem_session *session, const char *folder);

/* Opens files for a take, or with `part_of` for its next part, from the frame `start` on, which the
 * tape holds already. NULL and `error` when that fails. */
struct stem_recording *session_open_files(struct stem_session *session, const char *takes,
    uint64_t start, const char *previous, const struct stem_recording *part_of,
    struct stem_error *error);
/* Frames of the past that can be written from the tape: it has room left for what comes while they
 * are. */
uint64_t session_most_back(const struct stem_session *session);

/* Feeds an event to the state table and carries out what it says. Returns false when the command
 * has to wait. */
bool session_step(
    struct stem_session *session, enum stem_event_type event, const struct stem_command *command);
/* A quit command was carried out. */
void session_end(struct stem_session *session);
/* Frames that a take begins before its start, as far as the tape has room for more than them. */
uint64_t session_preroll(const struct stem_session *session, const struct stem_command *command);
/* The tempo that a take is told: the one given, or the transport's. */
double session_tempo(const struct stem_session *session);

/* The frame a command is meant for. True once that is known and on the tape. */
bool session_frame_of(const struct stem_session *session, struct stem_command *command,
    uint64_t written, uint64_t *frame);
/* How far the tape may be written, up to `limit`, before the next moment that is waited for. */
uint64_t session_time_limit(const struct stem_session *session, uint64_t limit);

/* Takes commands in order until the queue is empty or one has to wait; those whose frame is still
 * to come are kept until it is on the tape. */
void session_take_commands(struct stem_session *session, uint64_t written);
void session_take_facts(struct stem_session *session);
/* Armed: looks for the start in what came on the tape since the last time. */
void session_look_for_start(struct stem_session *session, uint64_t written);
/* Recording or stopping: looks whether the take ends by itself before `limit`; it is only asked
 * for frames that are not written yet. */
void session_look_for_end(struct stem_session *session, uint64_t limit);
/* The disk failed: goes on in the spare folder, without a gap. False when there is none, or when
 * that fails too. */
bool session_continue(struct stem_session *session);
/* The take goes on in a new folder in `takes`, from the frame `from` on or a later one that is on
 * the tape; `failure` says why. False and `error` when that cannot be made. */
bool session_go_on(
    struct stem_session *session, const char *takes, uint64_t from, struct stem_error *error);
/* Looks whether the running take's folder and files are where they were; goes on in another folder
 * when they are lost. */
void session_mind_folder(struct stem_session *session);
/* The same every two seconds, and for the disk's free space. */
void session_look_at_disk(struct stem_session *session);
/* Tells a take that has just begun what holds at its first frame. */
void session_first_facts(struct stem_session *session);
/* Moves the take on towards what is on the tape. Returns true when it got further. */
bool session_advance(struct stem_session *session, uint64_t written);
/* Writes all that is on the tape, as far as the disk goes along. */
void session_write_rest(struct stem_session *session);

#endif
