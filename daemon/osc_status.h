/* The answers to /status and /stems: many small messages, then the /reply. Control thread. */
#ifndef STEMD_OSC_STATUS_H
#define STEMD_OSC_STATUS_H

#include "control.h"

void stem_osc_status_send(struct stem_control *control, const struct stem_osc_peer *peer);
void stem_osc_stems_send(struct stem_control *control, const struct stem_osc_peer *peer);

/* One sentence on how things are, for /status and systemd. */
void stem_osc_status_sentence(const struct stem_control *control, char *text, size_t size);

#endif
