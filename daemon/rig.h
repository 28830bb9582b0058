/* The rig: what is made for one sample rate. Tape, mixing plan, process state, the queues between
 * the threads, and the writers.
 *
 * It knows of no server. Whoever has one lets its client run the rig's process state, and stops and
 * resumes it as servers of that rate go and come; the takes on the tape do not mind. At another
 * rate a rig is of no use and a new one is made. Control thread, unless it says otherwise.
 */
#ifndef STEMD_RIG_H
#define STEMD_RIG_H

#include "config.h"
#include "error.h"
#include "layout.h"
#include "messages.h"
#include "meters.h"
#include "process.h"
#include "writers.h"

#include <stdbool.h>
#include <stdint.h>

struct stem_rig;

/* Makes everything and starts the writers. `config` and `layout` are borrowed and outlive the rig,
 * as does `wake_fd`, the eventfd that writers write to when there are events; `muted` tells of each
 * track whether it begins muted, and is only read here. NULL and `error` when there is no memory or
 * a thread is refused. */
struct stem_rig *stem_rig_create(const struct stem_config *config, const struct stem_layout *layout,
    const bool *muted, int wake_fd, uint32_t rate_hz, struct stem_error *error);

/* Ends the writers (a running take is marked as broken off: send a quit command first to end it as
 * asked), frees. No client may run the process state any more. NULL is allowed. */
void stem_rig_destroy(struct stem_rig *rig);

uint32_t stem_rig_rate_hz(const struct stem_rig *rig);

/* For a client: the state that its process thread runs, and the queue of a writer (or the mirror)
 * for xruns, struct stem_fact; NULL where there is no mirror. */
struct stem_process *stem_rig_process(struct stem_rig *rig);
struct stem_ring *stem_rig_xruns(struct stem_rig *rig, enum stem_tape_holder holder);

/* Process cycles so far. */
uint64_t stem_rig_cycles(const struct stem_rig *rig);

/* The timeline's frame after the last of them. */
uint64_t stem_rig_end(const struct stem_rig *rig);

/* Places the next cycle so many seconds after a frame, or after the last cycle when that was later;
 * before the first cycle it does nothing. Any thread, while the process thread does not run. */
void stem_rig_resume(struct stem_rig *rig, uint64_t frame, double seconds);

/* The frame that a command given now belongs to: the next one to be published. */
uint64_t stem_rig_now(const struct stem_rig *rig);

/* Looks at the wall clock and the server's, so that the writers can tell the frame of a moment that
 * was given; not more often than some fifty times a second. */
void stem_rig_look(struct stem_rig *rig);

/* Sends a command to the writers, with the time of day and what else they cannot know. False when a
 * queue is full. */
bool stem_rig_send(struct stem_rig *rig, const struct stem_command *command);

/* Ends the take without being asked: a stop or a quit command, at this frame. */
void stem_rig_end_take(struct stem_rig *rig, enum stem_command_type type);

void stem_rig_set_mute(struct stem_rig *rig, uint32_t track, bool muted);

/* The writers, to hear, to look at and to wake. Any thread. */
struct stem_writers *stem_rig_writers(struct stem_rig *rig);

/* Whether the tape could be locked in memory, and how much of it, 0 … 1, the writer holds. */
bool stem_rig_tape_locked(const struct stem_rig *rig);
double stem_rig_tape_used(const struct stem_rig *rig);

/* The residual and a track's largest magnitude over the last `seconds` on the tape; as
 * stem_meters_residual and stem_meters_peak. */
bool stem_rig_residual(
    const struct stem_rig *rig, double seconds, struct stem_meters_residual *residual);
float stem_rig_peak(const struct stem_rig *rig, uint32_t track, double seconds);

#endif
