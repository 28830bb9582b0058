#include "notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

enum { SUBSCRIBERS = 32, LONGEST_SUBSCRIPTION = 3600, WATCHDOG_MARGIN = 30 };

struct receiver {
    struct stem_osc_peer peer;
    time_t until; /* monotonic seconds; 0: for ever */
};

struct stem_notify {
    struct receiver *receivers; /* those of the configuration first */
    size_t count;
    size_t room;
};

static time_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

struct stem_notify *stem_notify_create(const struct stem_osc_server *server, char *const *urls,
    size_t url_count, struct stem_error *error)
{
    struct stem_notify *notify = calloc(1, sizeof *notify);
    if (notify)
        notify->receivers = calloc(url_count + SUBSCRIBERS, sizeof *notify->receivers);
    if (!notify || !notify->receivers) {
        stem_error_set(error, "no memory for notifications");
        stem_notify_destroy(notify);
        return NULL;
    }
    notify->room = url_count + SUBSCRIBERS;
    for (size_t k = 0; k < url_count; k++) {
        struct stem_osc_address address;
        if (stem_osc_address_parse(urls[k], &address, error) == 0 &&
            stem_osc_server_peer(server, &address, &notify->receivers[k].peer) == 0) {
            notify->count++;
            continue;
        }
        stem_error_set(error, "osc.notify: no listening socket can reach \"%s\"", urls[k]);
        stem_notify_destroy(notify);
        return NULL;
    }
    return notify;
}

void stem_notify_destroy(struct stem_notify *notify)
{
    if (!notify)
        return;
    free(notify->receivers);
    free(notify);
}

static bool same_peer(const struct stem_osc_peer *a, const struct stem_osc_peer *b)
{
    return a->address.length == b->address.length &&
           memcmp(&a->address.address, &b->address.address, a->address.length) == 0;
}

static void drop_expired(struct stem_notify *notify)
{
    time_t now = seconds_now();
    size_t kept = 0;
    for (size_t k = 0; k < notify->count; k++)
        if (notify->receivers[k].until == 0 || notify->receivers[k].until > now)
            notify->receivers[kept++] = notify->receivers[k];
    notify->count = kept;
}

int stem_notify_subscribe(struct stem_notify *notify, const struct stem_osc_peer *peer, int seconds)
{
    if (seconds > LONGEST_SUBSCRIPTION)
        seconds = LONGEST_SUBSCRIPTION;
    time_t until = seconds > 0 ? seconds_now() + seconds : 1;
    drop_expired(notify);
    for (size_t k = 0; k < notify->count; k++)
        if (notify->receivers[k].until && same_peer(&notify->receivers[k].peer, peer)) {
            notify->receivers[k].until = until;
            return 0;
        }
    if (seconds <= 0)
        return 0;
    if (notify->count == notify->room)
        return -1;
    notify->receivers[notify->count++] = (struct receiver){*peer, until};
    return 0;
}

/* Sends copies of a message to all receivers, and frees it. */
static void send_all(struct stem_notify *notify, const char *path, lo_message message)
{
    drop_expired(notify);
    for (size_t k = 0; message && k < notify->count; k++) {
        lo_message copy = lo_message_clone(message);
        stem_osc_send(&notify->receivers[k].peer, path, copy);
    }
    if (message)
        lo_message_free(message);
}

void stem_notify_state(struct stem_notify *notify, const char *state, const char *folder)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "ss", state, folder);
    send_all(notify, "/state", message);
}

void stem_notify_gap(
    struct stem_notify *notify, uint64_t frame, uint64_t frames, const char *reasons)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "hhs", (int64_t)frame, (int64_t)frames, reasons);
    send_all(notify, "/gap", message);
}

void stem_notify_warning(struct stem_notify *notify, const char *text)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "s", text);
    send_all(notify, "/warning", message);
}

void stem_notify_ready(double tape_seconds)
{
    uint64_t set_us, least_us = (uint64_t)((tape_seconds + WATCHDOG_MARGIN) * 1e6);
    sd_notify(0, "READY=1");
    if (sd_watchdog_enabled(0, &set_us) > 0 && set_us < least_us)
        sd_notifyf(0, "WATCHDOG_USEC=%" PRIu64, least_us);
}

void stem_notify_status(const char *text, bool alive)
{
    sd_notifyf(0, "STATUS=%s%s", text, alive ? "" : "; the disk writer is held up");
}

void stem_notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void stem_notify_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}
