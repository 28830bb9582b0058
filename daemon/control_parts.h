/* The inside of control: control.c is the loop, control_events.c hears the writer, control_watch.c
 * looks after everything once a second. Control thread only. */
#ifndef STEMD_CONTROL_PARTS_H
#define STEMD_CONTROL_PARTS_H

#include "control.h"

/* The entry of a request; NULL when there is none. */
struct stem_pending *control_pending(struct stem_control *control, uint32_t request);

/* Takes all events of the writers. */
void control_take_events(struct stem_control *control);

/* Answers for a writer that has been held up by its disk while the mirror has done the work. Once a
 * second. */
void control_answer_late(struct stem_control *control);

/* The watchdog, the line in systemctl status, health, disk warnings, meters. Once a second. */
void control_watch(struct stem_control *control);

/* A take begins: what was said of the last one may be said again. */
void control_watch_take(struct stem_control *control);

#endif
