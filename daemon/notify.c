#include "notify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUBSCRIBERS = 32, LONGEST_SUBSCRIPTION = 3600 };

struct receiver {
    struct stem_osc_peer peer;
    time_t until;  /* monotonic seconds; 0: for ever */
    unsigned what; /* bits of enum stem_notify_what */
};

struct stem_notify {
    struct receiver *receivers; /* those of the configuration first */
    size_t count;
    size_t room;
};

bool stem_notify_parse(const char *text, unsigned *what)
{
    static const struct {
        const char *word;
        unsigned what;
    } WORDS[] = {
        {"state", STEM_NOTIFY_STATE},
        {"gaps", STEM_NOTIFY_GAPS},
        {"warnings", STEM_NOTIFY_WARNINGS},
        {"finish", STEM_NOTIFY_FINISH},
        {"meters", STEM_NOTIFY_METERS},
        {"all", STEM_NOTIFY_USUAL | STEM_NOTIFY_METERS},
    };
    static const char SEPARATORS[] = " ,";
    *what = 0;
    for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
        size_t length = strcspn(text, SEPARATORS);
        unsigned found = 0;
        for (size_t k = 0; k < sizeof WORDS / sizeof *WORDS; k++)
            if (strlen(WORDS[k].word) == length && strncmp(text, WORDS[k].word, length) == 0)
                found = WORDS[k].what;
        if (!found)
            return false;
        *what |= found;
        text += length;
    }
    return *what != 0;
}

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
            notify->receivers[k].what = STEM_NOTIFY_USUAL;
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

int stem_notify_subscribe(
    struct stem_notify *notify, const struct stem_osc_peer *peer, int seconds, unsigned what)
{
    if (seconds > LONGEST_SUBSCRIPTION)
        seconds = LONGEST_SUBSCRIPTION;
    time_t until = seconds > 0 ? seconds_now() + seconds : 1;
    drop_expired(notify);
    for (size_t k = 0; k < notify->count; k++)
        if (notify->receivers[k].until && same_peer(&notify->receivers[k].peer, peer)) {
            notify->receivers[k].until = until;
            notify->receivers[k].what = what;
            return 0;
        }
    if (seconds <= 0)
        return 0;
    if (notify->count == notify->room)
        return -1;
    notify->receivers[notify->count++] = (struct receiver){*peer, until, what};
    return 0;
}

bool stem_notify_wanted(const struct stem_notify *notify, enum stem_notify_what what)
{
    for (size_t k = 0; k < notify->count; k++)
        if (notify->receivers[k].what & what)
            return true;
    return false;
}

/* Sends copies of a message to all receivers who want it, and frees it. */
static void send_all(
    struct stem_notify *notify, enum stem_notify_what what, const char *path, lo_message message)
{
    drop_expired(notify);
    for (size_t k = 0; message && k < notify->count; k++) {
        if (!(notify->receivers[k].what & what))
            continue;
        lo_message copy = lo_message_clone(message);
        stem_osc_send(&notify->receivers[k].peer, path, copy);
    }
    if (message)
        lo_message_free(message);
}

static void send_int(struct stem_notify *notify, const char *path, int number)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "i", number);
    send_all(notify, STEM_NOTIFY_STATE, path, message);
}

void stem_notify_state(struct stem_notify *notify, const char *state, const char *folder)
{
    bool recording = strcmp(state, "recording") == 0;
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "ss", state, folder);
    send_all(notify, STEM_NOTIFY_STATE, "/state", message);
    send_int(notify, "/record/start", recording);
    send_int(notify, "/record/stop", !recording);
    send_int(notify, "/record/toggle", recording);
}

void stem_notify_mute(struct stem_notify *notify, const char *path, bool muted)
{
    send_int(notify, path, muted);
}

void stem_notify_gap(
    struct stem_notify *notify, uint64_t frame, uint64_t frames, const char *reasons)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "hhs", (int64_t)frame, (int64_t)frames, reasons);
    send_all(notify, STEM_NOTIFY_GAPS, "/gap", message);
}

void stem_notify_warning(struct stem_notify *notify, const char *text)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "s", text);
    send_all(notify, STEM_NOTIFY_WARNINGS, "/warning", message);
}

void stem_notify_health(struct stem_notify *notify, const char *grade, const char *sentence)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "ss", grade, sentence);
    send_all(notify, STEM_NOTIFY_WARNINGS, "/health", message);
}

void stem_notify_finish(
    struct stem_notify *notify, const char *folder, double percent, const char *step)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "sfs", folder, percent, step);
    send_all(notify, STEM_NOTIFY_FINISH, "/finish", message);
}

void stem_notify_meter(struct stem_notify *notify, const char *stem, double peak_dbfs)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "sf", stem, peak_dbfs);
    send_all(notify, STEM_NOTIFY_METERS, "/meter", message);
}

void stem_notify_residual(struct stem_notify *notify, double peak_dbfs, double rms_dbfs)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "ff", peak_dbfs, rms_dbfs);
    send_all(notify, STEM_NOTIFY_METERS, "/residual", message);
}
