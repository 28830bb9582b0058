/* Notifications: what the daemon says without being asked, to OSC subscribers. Control thread.
 *
 *     what       messages
 *     state      /state ,ss state folder; buttons: /record/start, /record/stop, /record/toggle ,i
 *                and /stem/NAME/mute ,i with their true state
 *     gaps       /gap ,hhs frame frames reasons (frames from the take's start)
 *     warnings   /warning ,s text; /health ,ss grade sentence when that changes
 *     finish     /finish ,sfs folder percent step
 *     meters     once a second: /meter ,sff stem peak_dbfs (200 below is silence) and
 *                /residual ,ff peak_dbfs rms_dbfs of mix minus stems
 *
 * Receivers are those of the configuration, for ever, and those who subscribed, until their time is
 * over; they get everything but meters unless they say what they want.
 */
#ifndef STEMD_NOTIFY_H
#define STEMD_NOTIFY_H

#include "osc_server.h"

#include <stdbool.h>
#include <stdint.h>

struct stem_notify;

enum stem_notify_what {
    STEM_NOTIFY_STATE = 1 << 0,
    STEM_NOTIFY_GAPS = 1 << 1,
    STEM_NOTIFY_WARNINGS = 1 << 2,
    STEM_NOTIFY_FINISH = 1 << 3,
    STEM_NOTIFY_METERS = 1 << 4,
};
enum { STEM_NOTIFY_USUAL = STEM_NOTIFY_METERS - 1 };

/* Reads "state", "gaps", "warnings", "finish", "meters", "all", several of them separated by
 * spaces or commas. False when there is another word, or none. */
bool stem_notify_parse(const char *text, unsigned *what);

/* Takes the receivers of the configuration. NULL and `error` when an URL is wrong. */
struct stem_notify *stem_notify_create(const struct stem_osc_server *server, char *const *urls,
    size_t url_count, struct stem_error *error);
void stem_notify_destroy(struct stem_notify *notify);

/* Subscribes a peer for `seconds` (0 ends it) to `what`, bits of enum stem_notify_what; again from
 * the same peer renews. 0, or -1 when the list is full. */
int stem_notify_subscribe(
    struct stem_notify *notify, const struct stem_osc_peer *peer, int seconds, unsigned what);

/* Whether anybody wants it: what nobody wants need not be computed. */
bool stem_notify_wanted(const struct stem_notify *notify, enum stem_notify_what what);

void stem_notify_state(struct stem_notify *notify, const char *state, const char *folder);
/* `path` is a stem's address for muting. */
void stem_notify_mute(struct stem_notify *notify, const char *path, bool muted);
void stem_notify_gap(
    struct stem_notify *notify, uint64_t frame, uint64_t frames, const char *reasons);
void stem_notify_warning(struct stem_notify *notify, const char *text);
void stem_notify_health(struct stem_notify *notify, const char *grade, const char *sentence);
void stem_notify_finish(
    struct stem_notify *notify, const char *folder, double percent, const char *step);
void stem_notify_meter(struct stem_notify *notify, const char *stem, double peak_dbfs);
void stem_notify_residual(struct stem_notify *notify, double peak_dbfs, double rms_dbfs);

#endif
