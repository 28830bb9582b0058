/* What systemd is told; all of this does nothing elsewhere. Control thread. */
#ifndef STEMD_SERVICE_H
#define STEMD_SERVICE_H

#include <stdbool.h>

/* Ready: OSC answers. A stalled disk holds the writer up, and the tape survives that for
 * `tape_seconds`: a watchdog that is set to less is asked to wait half a minute longer.
 */
void stem_service_ready(double tape_seconds);
/* The line in "systemctl status"; `alive`: the writer turns. */
void stem_service_status(const char *text, bool alive);
void stem_service_stopping(void);
/* Feeds the watchdog. */
void stem_service_alive(void);

#endif
