/* The answers to /status and /stems: many small messages, then the /reply. Control thread. */
#ifndef STEMD_OSC_STATUS_H
#define STEMD_OSC_STATUS_H

#include "control.h"
#include "health.h"

void stem_osc_status_send(struct stem_control *control, const struct stem_osc_peer *peer);
void stem_osc_stems_send(struct stem_control *control, const struct stem_osc_peer *peer);

/* One sentence on how things are, for /status and systemd. */
void stem_osc_status_sentence(const struct stem_control *control, char *text, size_t size);

/* What health is judged by. */
void stem_osc_status_health(const struct stem_control *control, struct stem_health_facts *facts);

#endif
