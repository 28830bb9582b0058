/* The inside of the engine, shared by its rooms. Control thread only, but for the rig, `shared`
 * `lost_ns` and `lost_end`, which the keeper and JACK's threads use while a client is open.
 *
 *     engine.c         life, commands, events and figures
 *     engine_server.c  the server comes, goes, and comes back
 */
#ifndef STEMD_ENGINE_PARTS_H
#define STEMD_ENGINE_PARTS_H

#include "connections.h"
#include "engine.h"
#include "keeper.h"
#include "rig.h"

struct stem_engine {
    const struct stem_config *config;
    const struct stem_layout *layout;
    int wake_fd;
    struct stem_connections *connections;
    struct stem_ring *names; /* struct stem_jack_port_name */
    struct stem_keeper *keeper;
    char trouble[STEM_ERROR_BYTES]; /* why there is no server; "": there is one */
    bool *muted;                    /* one per track; begins a rig */
    struct stem_rig *rig;           /* for the last server's rate; NULL before the first one */

    /* for one server */
    struct stem_jack_shared shared;
    bool is_on;          /* the client runs, as far as control knows */
    bool is_draining;    /* the server is back at another rate: the old take is being ended */
    bool told_slow_call; /* in the log */
    bool told_end;       /* the writers were told to end the take of a lost server */
    unsigned failures;   /* activations in a row that the server refused */
    uint64_t cycles_seen;
    int64_t cycled_ns;    /* when the number of cycles last went up */
    uint64_t cycled_end;  /* and the timeline's end then */
    int64_t watched_ns;   /* when that was last looked at */
    int64_t connected_ns; /* when refused connections were last tried again */
    int64_t asked_ns;     /* when the server was last looked for */
    int64_t lost_ns;      /* when the last server went; 0: there was none */
    uint64_t lost_end;    /* and the timeline's end then */
};

#endif
