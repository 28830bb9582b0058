/* The engine: a rig (rig.h: tape, mixing plan, process state and writers for one sample rate) and
 * the JACK client that drives it while a server is there.
 *
 * When the server goes, the engine keeps the rig: a running take stays open, and goes on after a
 * listed gap when a server with the same rate is back. At another rate the running take is ended
 * and the rig is made anew. Control thread only.
 */
#ifndef STEMD_ENGINE_H
#define STEMD_ENGINE_H

#include "config.h"
#include "error.h"
#include "layout.h"
#include "messages.h"
#include "meters.h"
#include "session.h"

#include <stdbool.h>
#include <stdint.h>

struct stem_engine;

/* Both are borrowed and outlive the engine; `wake_fd` is control's eventfd. NULL and `error` when
 * there is no memory or a pattern is wrong. */
struct stem_engine *stem_engine_create(const struct stem_config *config,
    const struct stem_layout *layout, int wake_fd, struct stem_error *error);

/* Closes the client, ends the writers (a running take is marked as broken off: send a quit command
 * first to end it as asked), frees. NULL is allowed. False when JACK's library does not come back:
 * then everything is left as it is, and the process must end without more ado. */
bool stem_engine_destroy(struct stem_engine *engine);

/* Looks after the client: closes it when the server is gone, tries to open it when there is none,
 * connects ports that appeared; ends the take of a server that stays away. It never waits: calls
 * into JACK are the keeper's. Call it when the wake_fd was written to and about once a second.
 * Returns 0, or -1 with `error` when it cannot go on at all (no memory, ports refused, a call that
 * never comes back). */
int stem_engine_tend(struct stem_engine *engine, struct stem_error *error);

/* Whether a client is active; if not, why, in a sentence. */
bool stem_engine_running(const struct stem_engine *engine);
const char *stem_engine_trouble(const struct stem_engine *engine);

/* Looks at the wall clock and the server's, so that the writers can tell the frame of a moment that
 * was given; not more often than some fifty times a second. Call it in each turn. */
void stem_engine_look(struct stem_engine *engine);

/* Sends a command to the writers, or refuses it: STEM_CODE_SERVER (there never was a server),
 * STEM_CODE_BUSY (queue full). 0 when it was sent. */
int stem_engine_send(struct stem_engine *engine, const struct stem_command *command);

/* Takes one event of a writer; `*is_mirror` tells whose. False when there is none. */
bool stem_engine_receive(struct stem_engine *engine, struct stem_event *event, bool *is_mirror);

/* How many writers answer each command: 1, or 2 with a mirror. */
unsigned stem_engine_writers(const struct stem_engine *engine);

/* The frame that a command given now belongs to: the next one to be published. */
uint64_t stem_engine_now(const struct stem_engine *engine);

/* Mutes a track; kept over a restart of the server. */
void stem_engine_set_mute(struct stem_engine *engine, uint32_t track, bool muted);
bool stem_engine_muted(const struct stem_engine *engine, uint32_t track);

/* Figures for /status and /stems; zero while there never was a server. */
struct stem_engine_figures {
    uint32_t rate_hz;
    uint32_t period_frames;
    bool freewheel;
    bool tape_locked;
    double tape_seconds;
    double tape_used; /* 0 … 1: held frames */
    uint64_t cycles;  /* process cycles so far */
};
void stem_engine_figures(const struct stem_engine *engine, struct stem_engine_figures *figures);

/* Figures of the running or last take; NULL while there never was a server. */
const struct stem_session_status *stem_engine_status(const struct stem_engine *engine);

/* Those of one writer; NULL when there is no such one. */
const struct stem_session_status *stem_engine_status_of(
    const struct stem_engine *engine, enum stem_tape_holder holder);

/* Connections of a port to others; 0 while there is no server. */
unsigned stem_engine_connected(const struct stem_engine *engine, uint32_t port);

/* Seconds for which JACK's library has not come back from a call; 0 when none is under way. */
double stem_engine_waits(const struct stem_engine *engine);

/* The residual over the last `seconds` on the tape; false as for stem_meters_residual. */
bool stem_engine_residual(
    const struct stem_engine *engine, double seconds, struct stem_meters_residual *residual);

/* Largest magnitude of a track over the last `seconds` on the tape (less after a gap). */
float stem_engine_peak(const struct stem_engine *engine, uint32_t track, double seconds);

#endif
