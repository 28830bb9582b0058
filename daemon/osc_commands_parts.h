/* The inside of the OSC commands, shared by their rooms. Control thread only.
 *
 *     osc_commands.c       the table, the questions that control answers itself, mutes
 *     osc_commands_take.c  what is asked of takes: most of it goes on to the writers
 *     osc_commands_call.c  what came with a command, and the answer to it
 */
#ifndef STEMD_OSC_COMMANDS_PARTS_H
#define STEMD_OSC_COMMANDS_PARTS_H

#include "control.h"

/* One command that is being carried out. */
struct osc_call {
    struct stem_control *control;
    const struct stem_osc_request *request;
    const char *path; /* of the command, without wildcards */
};

/* Answers to its sender. */
void osc_call_refuse(const struct osc_call *call, enum stem_code code, const char *text);
void osc_call_reply(const struct osc_call *call, const char *text);

/* Arguments. How many there are; a string, or NULL; any OSC number that is finite, or true and
 * false as 1 and 0. Nothing is answered when there is no such argument. */
int osc_call_count(const struct osc_call *call);
const char *osc_call_text(const struct osc_call *call, int index);
bool osc_call_number(const struct osc_call *call, int index, double *number);

/* Copies a text argument that fits, or the only argument, which has to be one; otherwise false, and
 * it has been answered. */
bool osc_call_copy_text(const struct osc_call *call, int index, char text[STEM_TEXT_BYTES]);
bool osc_call_copy_only_text(const struct osc_call *call, char text[STEM_TEXT_BYTES]);

/* Commands about takes. Each answers, now or when the writer has done the work. */
void osc_run_start(const struct osc_call *call);
void osc_run_stop(const struct osc_call *call);
void osc_run_toggle(const struct osc_call *call);
void osc_run_split(const struct osc_call *call);
void osc_run_sync(const struct osc_call *call);    /* where the next starts fall */
void osc_run_capture(const struct osc_call *call); /* keeps the last seconds, decided afterwards */
void osc_run_marker(const struct osc_call *call);
void osc_run_title(const struct osc_call *call);
void osc_run_key(const struct osc_call *call);
void osc_run_tempo(const struct osc_call *call);

#endif
