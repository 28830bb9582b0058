/* The writer: the thread that runs the session, and the queues to and from it.
 *
 * It wakes up some twenty times a second, or when control has a command, or when freewheeling JACK
 * waits for room on the tape. It never waits for control.
 */
#ifndef STEMD_WRITER_H
#define STEMD_WRITER_H

#include "messages.h"
#include "session.h"

#include <stdbool.h>

struct stem_writer;

/* Starts the thread. `params` as for the session; its queues for commands and events are made here
 * and must be NULL. `event_fd` (an eventfd, borrowed) is written to when there are events. NULL and
 * `error` when that fails. Control thread. */
struct stem_writer *stem_writer_create(
    const struct stem_session_params *params, int event_fd, struct stem_error *error);

/* Ends the thread; a running take is ended with what is written of it (send a quit command first to
 * end it as asked). NULL is allowed. Control thread. */
void stem_writer_destroy(struct stem_writer *writer);

/* Sends a command; false when the queue is full. Control thread. */
bool stem_writer_send(struct stem_writer *writer, const struct stem_command *command);

/* Takes one event; false when there is none. Control thread. */
bool stem_writer_receive(struct stem_writer *writer, struct stem_event *event);

/* Wakes the writer early. Any thread but a real-time one (it makes a system call). */
void stem_writer_wake(struct stem_writer *writer);

/* Figures to look at. Any thread. */
const struct stem_session_status *stem_writer_status(const struct stem_writer *writer);

#endif
