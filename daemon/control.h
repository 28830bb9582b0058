/* Control: the daemon's main loop. OSC, signals, the engine's needs, notifications. Main thread.
 *
 * It never touches the files of a running take and never waits for the disk: the writer answers
 * when the work is done, and the answer goes to whoever asked.
 */
#ifndef STEMD_CONTROL_H
#define STEMD_CONTROL_H

#include "config.h"
#include "engine.h"
#include "health.h"
#include "jobs.h"
#include "layout.h"
#include "meters.h"
#include "notify.h"
#include "osc_server.h"
#include "places.h"

#include <limits.h>
#include <stdbool.h>

enum { STEM_REQUESTS = 64, STEM_PATH_BYTES = 128 };

/* Somebody who waits for the writer's answer. */
struct stem_pending {
    uint32_t request;            /* 0: free */
    unsigned left;               /* answers that are still to come */
    char title[STEM_TEXT_BYTES]; /* of the take that was asked for; "": no other than before */
    /* The first answer of two, while the other one is waited for: */
    bool is_done;                /* the mirror has done it */
    int code;                    /* the refusal's; 0: none */
    char text[STEM_ERROR_BYTES]; /* what it said */
    int64_t since_ns;
    struct stem_osc_peer peer;
    char path[STEM_PATH_BYTES];
};

struct stem_control {
    const struct stem_config *config;
    struct stem_layout *layout;
    struct stem_places places;
    struct stem_engine *engine;
    struct stem_osc_server *osc;
    struct stem_notify *notify;
    int wake_fd;     /* eventfd: JACK callbacks and the writer */
    int signal_fd;   /* SIGTERM, SIGINT */
    bool is_hurried; /* a second signal came: nothing is waited for any more */
    bool quitting;   /* a quit command is on its way */
    unsigned ended;  /* writers that have nothing left to do */
    bool done;
    uint32_t last_request;
    struct stem_pending pending[STEM_REQUESTS];
    char folder[PATH_MAX]; /* of the running or last take */
    char mirror_folder[PATH_MAX];
    bool has_failed[STEM_TAPE_HOLDERS]; /* the writer's last take was ended by a fault, or could
                                           not begin */
    bool is_mirrors;                    /* so the takes are the mirror's alone, if it has one */
    char title[256];                    /* as told last */
    char key[256];
    double tempo_bpm;
    enum stem_sync sync; /* where the next start falls, unless it says so itself */
    struct stem_jobs *jobs;

    /* once a second */
    uint64_t turns_seen[STEM_TAPE_HOLDERS];  /* of each writer, at the last watchdog beat */
    uint64_t frames_seen[STEM_TAPE_HOLDERS]; /* of its take, likewise */
    uint64_t cycles_seen;                    /* of the process thread, likewise */
    struct stem_health told_health;
    /* when each disk's end was last warned of; INFINITY: not in this take */
    double told_disk_seconds[STEM_TAPE_HOLDERS];
    bool *told_headroom; /* of each track, in this take */
    bool has_residual;
    struct stem_meters_residual residual; /* of the last second */
    int64_t stop_asked_ns;                /* a locked stop was asked for; 0: not */
};

/* Prepares everything and says READY. 0, or -1 with `error`. The configuration must outlive it.
 * SIGTERM and SIGINT must be blocked already, in all threads. */
int stem_control_init(
    struct stem_control *control, const struct stem_config *config, struct stem_error *error);

/* Runs until a signal ends it. 0, or -1 with `error`. */
int stem_control_run(struct stem_control *control, struct stem_error *error);

/* Frees everything. False when that was not possible (see stem_engine_destroy): end with _exit. */
bool stem_control_finish(struct stem_control *control);

/* Sends a command to the writer on behalf of a peer; the answer follows. What cannot even be sent
 * is answered here. */
void stem_control_ask(struct stem_control *control, const struct stem_osc_peer *peer,
    const char *path, struct stem_command *command);

#endif
