/* The keeper: the thread that makes the calls into JACK's library which may take long, or never
 * come back when a server was stopped or killed at a bad moment. Control asks and goes on; it sees
 * the state, and how long a call has been under way, and so it always answers.
 *
 *            open             activate            (connect)
 *     AWAY ───────► OPENING ─► OPEN ───────► ACTIVATING ─► RUNNING
 *      ▲               │        │                │            │
 *      ├───────────────┴────────┴──── CLOSING ◄──┴────────────┘ close
 *
 * One request at a time; only connecting may be asked for while it connects.
 */
#ifndef STEMD_KEEPER_H
#define STEMD_KEEPER_H

#include "connections.h"
#include "error.h"
#include "jack_client.h"
#include "layout.h"

enum stem_keeper_state {
    STEM_KEEPER_AWAY,       /* no client */
    STEM_KEEPER_OPENING,    /* looks for the server */
    STEM_KEEPER_OPEN,       /* a client without ports: the rate is known */
    STEM_KEEPER_ACTIVATING, /* registers ports, becomes active, connects */
    STEM_KEEPER_RUNNING,
    STEM_KEEPER_FAILED, /* the server refused ports or activation: it can only be closed */
    STEM_KEEPER_CLOSING,
};

struct stem_keeper;

/* All are borrowed and outlive the keeper. NULL and `error` without memory or thread. Control. */
struct stem_keeper *stem_keeper_create(const char *client, const char *server,
    const struct stem_layout *layout, struct stem_connections *connections, int wake_fd,
    struct stem_error *error);

/* Ends the thread after closing the client. False when a call does not come back within
 * `patience_seconds`: thread and client are left to the end of the process. NULL is allowed. */
bool stem_keeper_destroy(struct stem_keeper *keeper, double patience_seconds);

enum stem_keeper_state stem_keeper_state(const struct stem_keeper *keeper);

/* Seconds that the call under way has taken so far; 0 when none is. */
double stem_keeper_waits(const struct stem_keeper *keeper);

/* Requests; each wakes control through the wake_fd when it is done. */
void stem_keeper_open(struct stem_keeper *keeper); /* from AWAY */
/* From OPEN. `shared` as for stem_jack_activate. */
void stem_keeper_activate(struct stem_keeper *keeper, struct stem_jack_shared *shared);
void stem_keeper_connect(struct stem_keeper *keeper); /* while RUNNING */
/* From OPEN, RUNNING and FAILED; a connecting under way is finished first. `server_gone`: there is
 * nobody to say goodbye to. */
void stem_keeper_close(struct stem_keeper *keeper, bool server_gone);

/* Why the last request failed; valid in AWAY and FAILED. */
const char *stem_keeper_trouble(const struct stem_keeper *keeper);

/* The client; in OPEN and RUNNING. */
struct stem_jack *stem_keeper_jack(const struct stem_keeper *keeper);

/* Whether the last round of connecting was refused in part, and another one may help. */
bool stem_keeper_refused(const struct stem_keeper *keeper);

/* How many connections the last round made. */
unsigned stem_keeper_made(const struct stem_keeper *keeper);

#endif
