/* The JACK client: opening it on a running server, its ports, callbacks and closing it.
 *
 * It never starts a server. The client lives as long as its server; when that goes, control closes
 * it and tries again. What must survive (tape, timeline, writer) belongs to the engine. Its calls
 * may take long: they are made by the keeper (keeper.h).
 */
#ifndef STEMD_JACK_CLIENT_H
#define STEMD_JACK_CLIENT_H

#include "error.h"
#include "layout.h"
#include "process.h"

#include <jack/jack.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Name of a port that appeared or was renamed. */
struct stem_jack_port_name {
    char text[320]; /* JACK2's longest */
};
enum { STEM_JACK_NAMES = 4096 };

/* What callbacks tell control. The eventfd is written to after each change. */
struct stem_jack_shared {
    int wake_fd;               /* eventfd of control, borrowed */
    atomic_bool server_gone;   /* JACK called the shutdown callback */
    atomic_bool ports_changed; /* a port of another client appeared, went or was renamed */
    atomic_bool freewheel;
    _Atomic uint32_t period_frames;
    struct stem_ring *names; /* struct stem_jack_port_name; JACK's notification thread to keeper */
    struct stem_ring *xruns[STEM_TAPE_HOLDERS]; /* struct stem_fact; producer: JACK's notification
                                                   thread; NULL where there is no mirror */
    struct stem_process *process;
    void (*wake_writer)(void *); /* for a freewheel cycle that waits for room */
    void *writer;
    void (*before_activation)(void *); /* called last before the process thread runs */
    void *engine;
};

struct stem_jack;

/* Opens a client on a running server. NULL and `error` when there is none or it refuses; JACK's own
 * messages are kept quiet. Keeper thread. */
struct stem_jack *stem_jack_open(const char *client, const char *server, struct stem_error *error);

uint32_t stem_jack_rate(const struct stem_jack *jack);

/* Registers the layout's ports with their metadata, and the callbacks, and activates the client.
 * `process` receives client and ports; its arrays have room for layout->port_count. 0 or -1. */
int stem_jack_activate(struct stem_jack *jack, const struct stem_layout *layout,
    struct stem_jack_shared *shared, struct stem_error *error);

/* Deactivates, gives the ports back and closes; NULL is allowed. With `server_gone` nobody is asked
 * to give anything back. */
void stem_jack_close(struct stem_jack *jack, bool server_gone);

jack_client_t *stem_jack_handle(const struct stem_jack *jack);
jack_port_t *stem_jack_port(const struct stem_jack *jack, uint32_t port);

#endif
