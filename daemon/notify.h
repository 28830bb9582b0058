/* Notifications: what the daemon says without being asked, to OSC subscribers and to systemd.
 * Control thread.
 *
 * Messages: /state ,ss state folder; /gap ,hhs frame frames reasons (frames from the take's start);
 * /warning ,s text. Receivers are those of the configuration, for ever, and those who subscribed,
 * until their time is over.
 */
#ifndef STEMD_NOTIFY_H
#define STEMD_NOTIFY_H

#include "osc_server.h"

#include <stdbool.h>
#include <stdint.h>

struct stem_notify;

/* Takes the receivers of the configuration. NULL and `error` when an URL is wrong. */
struct stem_notify *stem_notify_create(const struct stem_osc_server *server, char *const *urls,
    size_t url_count, struct stem_error *error);
void stem_notify_destroy(struct stem_notify *notify);

/* Subscribes a peer for `seconds` (0 ends it); again from the same peer renews. 0, or -1 when the
 * list is full. */
int stem_notify_subscribe(
    struct stem_notify *notify, const struct stem_osc_peer *peer, int seconds);

void stem_notify_state(struct stem_notify *notify, const char *state, const char *folder);
void stem_notify_gap(
    struct stem_notify *notify, uint64_t frame, uint64_t frames, const char *reasons);
void stem_notify_warning(struct stem_notify *notify, const char *text);

/* systemd; all of these are no-ops elsewhere.
 *
 * Ready: OSC answers. A stalled disk holds the writer up, and the tape survives that for
 * `tape_seconds`: a watchdog that is set to less is asked to wait half a minute longer.
 */
void stem_notify_ready(double tape_seconds);
/* The line in "systemctl status"; `alive`: the writer turns. */
void stem_notify_status(const char *text, bool alive);
void stem_notify_stopping(void);
/* Feeds the watchdog. */
void stem_notify_alive(void);

#endif
