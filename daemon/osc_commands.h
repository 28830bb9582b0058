/* The OSC commands: a table of addresses and what they do. Control thread. */
#ifndef STEMD_OSC_COMMANDS_H
#define STEMD_OSC_COMMANDS_H

#include "control.h"

/* Handles one message; a stem_osc_handler whose data is the control. Every request is answered, now
 * or when the writer has done the work. */
void stem_osc_commands_handle(const struct stem_osc_request *request, void *control);

#endif
