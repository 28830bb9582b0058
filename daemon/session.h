/* The session: decides which frames of the tape belong to a take, and writes them. Writer thread.
 *
 * Commands come with the frame at which they were given and are carried out there: a start holds
 * the tape from its frame (less the pre-roll), a stop ends the files exactly at its frame, a split
 * does both at one frame. What was asked for while a take is still being ended waits for its turn.
 * Nothing here reads a clock to decide about frames, so a test can drive it with a scripted tape.
 */
#ifndef STEMD_SESSION_H
#define STEMD_SESSION_H

#include "config.h"
#include "cycle_times.h"
#include "layout.h"
#include "mix.h"
#include "ring.h"
#include "take_state.h"
#include "tape.h"
#include "wall_times.h"

#include <stdatomic.h>
#include <stdbool.h>

struct stem_session;

/* Nobody has looked yet. */
#define STEM_DISK_UNKNOWN UINT64_MAX

/* What others may know about the session. Written by the writer, read by control; relaxed, each
 * figure stands for itself. */
struct stem_session_status {
    _Atomic int state;            /* enum stem_state */
    _Atomic int place;            /* enum stem_recording_place: the worst in it */
    _Atomic int sync;             /* enum stem_sync: of the take, or of the one waited for */
    atomic_bool ended;            /* a quit command was carried out */
    _Atomic uint64_t start_frame; /* of the running or last take */
    _Atomic uint64_t frames;      /* its length so far */
    _Atomic uint64_t gaps;        /* in it */
    _Atomic uint64_t gap_frames;
    _Atomic uint64_t xruns;            /* in it */
    _Atomic uint64_t clips;            /* in it */
    _Atomic uint64_t slowest_write_ns; /* longest pause of the tape's reader in it */
    _Atomic uint64_t disk_free_bytes;  /* on the file system of the takes, or STEM_DISK_UNKNOWN */
    _Atomic uint64_t turns;            /* rounds of the writer: it is alive while this grows */
    _Atomic uint64_t overflow_frames;  /* in it: lost because the tape was full */
    _Atomic uint64_t tape_most_frames; /* most frames that waited on the tape in it */
    _Atomic uint64_t slowest_sync_ns;  /* longest wait for the disk to take what was written */
    _Atomic int64_t busy_since_ns;     /* monotonic start of the round under way; 0: asleep */
};

/* So much of the tape pre-roll leaves free, or an eighth of a short one: what comes while the first
 * of it is written needs room. */
#define STEM_SESSION_ROOM_SECONDS 1.0

/* All borrowed; they outlive the session. */
struct stem_session_params {
    const struct stem_config *config;
    const struct stem_layout *layout;
    const struct stem_mix *mix;
    struct stem_tape *tape;
    enum stem_tape_holder holder;   /* as whom the session holds it */
    bool is_shared;                 /* there is another holder, and the tape may go on without us */
    const _Atomic uint64_t *missed; /* facts about frames before this one may be missing; or NULL */
    struct stem_ring *facts;        /* struct stem_fact from the process thread */
    struct stem_ring *xruns;        /* struct stem_fact from JACK's notification thread */
    struct stem_ring *commands;     /* struct stem_command from control */
    struct stem_ring *events;       /* struct stem_event to control */
    const char *takes;              /* folder for take folders */
    const char *spare;              /* folder to go on in when that fails; NULL: none */
    const char *mirror; /* where the other writer's copies are, for the manifest; or NULL */
    const struct stem_cycle_times *cycle_times; /* NULL: `frame` of timed commands decides */
    const struct stem_wall_times *wall_times;   /* NULL: likewise */
    uint32_t rate_hz;
};

/* NULL when there is no memory. */
struct stem_session *stem_session_create(const struct stem_session_params *params);

/* Ends a running take with what is written of it, and frees. NULL is allowed. */
void stem_session_destroy(struct stem_session *session);

/* One round: takes commands and facts, writes at most about STEM_SESSION_CHUNK frames. Returns true
 * when there is more to do at once. */
enum { STEM_SESSION_CHUNK = 16384 };
bool stem_session_work(struct stem_session *session);

/* True once a quit command was carried out: no take is open and none will be. */
bool stem_session_ended(const struct stem_session *session);

const struct stem_session_status *stem_session_status(const struct stem_session *session);

#endif
