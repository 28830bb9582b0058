/* The writers of one tape: one, and with a mirror a second one. What they are told they are told
 * together. Control thread, unless it says otherwise.
 */
#ifndef STEMD_WRITERS_H
#define STEMD_WRITERS_H

#include "config.h"
#include "messages.h"
#include "tape.h"
#include "writer.h"

#include <stdbool.h>

/* All zero is none. */
struct stem_writers {
    struct stem_writer *of[STEM_TAPE_HOLDERS]; /* the second one is the mirror's, or NULL */
};

/* How many the configuration asks for: 1, or 2 with a mirror. Any thread. */
unsigned stem_writers_count(const struct stem_config *config);

/* Ends all of them, as stem_writer_destroy does. */
void stem_writers_destroy(struct stem_writers *writers);

/* Gives a command to all of them. False when one's queue is full. */
bool stem_writers_send(struct stem_writers *writers, const struct stem_command *command);

/* Takes one event; `*is_mirror` tells whose. False when there is none. */
bool stem_writers_receive(struct stem_writers *writers, struct stem_event *event, bool *is_mirror);

/* Wakes them early. Any thread but a real-time one. */
void stem_writers_wake(struct stem_writers *writers);

/* Whether one of them has a take open. */
bool stem_writers_recording(const struct stem_writers *writers);

/* Whether all of them have carried out a quit command. */
bool stem_writers_ended(const struct stem_writers *writers);

/* The first one's figures, or the mirror's when only that one has a take open. */
const struct stem_session_status *stem_writers_status(const struct stem_writers *writers);

/* One writer's own; NULL when there is no such one. */
const struct stem_session_status *stem_writers_status_of(
    const struct stem_writers *writers, enum stem_tape_holder holder);

#endif
