/* stemctl start and capture: takes that begin at a moment to come, or that has been. */
#include "record.h"
#include "text.h"
#include "when.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* stemd's limit for a time to come. */
#define FURTHEST_SECONDS 3600.0
/* OSC counts time as NTP does. */
#define SECONDS_1900_TO_1970 2208988800u

enum { OPTION_BYTES = 64 };

static void note_state(const char *path, lo_message message, void *data)
{
    bool *recording = data;
    if (strcmp(path, "/status/state") == 0 && strcmp(lo_message_get_types(message), "s") == 0)
        *recording = strcmp(osc_text(lo_message_get_argv(message)[0]), "recording") == 0;
}

/* Tempo and key are for the take to come: a running take keeps its own, and the start that follows
 * is refused. */
static enum stemctl_exit describe_take(struct stemctl *ctl)
{
    struct osc_answer answer;
    bool recording = false;
    enum stemctl_exit code = STEMCTL_OK;
    if (ctl->tempo || ctl->key)
        code = stemctl_ask(ctl, "/status", NULL, note_state, &recording, &answer);
    if (code == STEMCTL_OK && ctl->tempo && !recording)
        code = stemctl_ask(ctl, "/take/tempo", stemctl_record_number(strtod(ctl->tempo, NULL)),
            NULL, NULL, &answer);
    if (code == STEMCTL_OK && ctl->key && !recording)
        code = stemctl_ask(ctl, "/take/key", stemctl_record_text(ctl->key), NULL, NULL, &answer);
    return code;
}

/* A start may be meant for a moment that the daemon knows by name, or for a point in time. */

static bool is_moment(const char *at)
{
    static const char *const NAMES[] = {"now", "bar", "transport", "threshold"};
    for (size_t k = 0; k < sizeof NAMES / sizeof *NAMES; k++)
        if (strcmp(at, NAMES[k]) == 0)
            return true;
    return false;
}

static enum stemctl_exit too_far(const struct stemctl *ctl, struct timespec when, double seconds)
{
    char moment[64], left[STEMCTL_NUMBER_BYTES];
    struct stem_error error;
    struct tm tm;
    localtime_r(&when.tv_sec, &tm);
    strftime(moment, sizeof moment, "%Y-%m-%d %H:%M:%S", &tm);
    stemctl_text_rough_length(fabs(seconds), left, sizeof left);
    if (seconds < 0)
        stem_error_set(&error, "--at: %s was %s ago", moment, left);
    else
        stem_error_set(
            &error, "--at: %s is %s away; stemd takes a time up to an hour ahead", moment, left);
    return stemctl_fail(&ctl->output, STEMCTL_USAGE, error.text);
}

/* Reads --at when it is a time, and how far away that is. */
static enum stemctl_exit read_time(const struct stemctl *ctl, lo_timetag *tag, double *seconds)
{
    const double unit = 4294967296.0; /* a timetag counts 2^-32 s since 1900 */
    struct timespec now, when;
    struct stem_error error;
    clock_gettime(CLOCK_REALTIME, &now);
    if (stemctl_when_parse(ctl->at, now, &when, &error)) {
        struct stem_error told;
        stem_error_set(&told, "--at: %s", error.text);
        return stemctl_fail(&ctl->output, STEMCTL_USAGE, told.text);
    }
    *seconds = (double)(when.tv_sec - now.tv_sec) + (double)(when.tv_nsec - now.tv_nsec) / 1e9;
    if (*seconds < 0 || *seconds > FURTHEST_SECONDS)
        return too_far(ctl, when, *seconds);
    tag->sec = (uint32_t)((uint64_t)when.tv_sec + SECONDS_1900_TO_1970);
    tag->frac = (uint32_t)((double)when.tv_nsec * 1e-9 * unit);
    return STEMCTL_OK;
}

static void add_option(lo_message message, const char *name, const char *value)
{
    char text[OPTION_BYTES];
    snprintf(text, sizeof text, "%s=%s", name, value);
    lo_message_add_string(message, text);
}

/* Options follow a title; an empty one keeps what was set before. */
static lo_message start_message(const struct stemctl *ctl, bool is_timed)
{
    bool is_plain = (is_timed || !ctl->at) && !ctl->preroll && !ctl->length;
    const char *title = ctl->word_count > 0 ? ctl->words[0] : is_plain ? NULL : "";
    lo_message message = stemctl_record_text(title);
    if (!message || is_plain)
        return message;
    if (ctl->at && !is_timed)
        add_option(message, "at", ctl->at);
    if (ctl->preroll)
        add_option(message, "preroll", ctl->preroll);
    if (ctl->length)
        add_option(message, "length", ctl->length);
    return message;
}

enum stemctl_exit run_start(struct stemctl *ctl)
{
    const struct stemctl_record how = {"/record/start", STEMCTL_BAD, "recording"};
    bool is_timed = ctl->at && !is_moment(ctl->at);
    lo_timetag when = {0, 0};
    double seconds = 0;
    enum stemctl_exit code = is_timed ? read_time(ctl, &when, &seconds) : STEMCTL_OK;
    if (code == STEMCTL_OK)
        code = describe_take(ctl);
    if (code == STEMCTL_OK)
        code = stemctl_record_patiently(ctl);
    if (code != STEMCTL_OK)
        return code;
    ctl->timeout_seconds += seconds; /* the answer comes with the take */
    osc_client_set_time(ctl->client, when);
    return stemctl_record_ask(ctl, &how, start_message(ctl, is_timed));
}

enum stemctl_exit run_capture(struct stemctl *ctl)
{
    const struct stemctl_record how = {"/record/capture", STEMCTL_GOOD, "saved"};
    char *rest;
    double seconds = strtod(ctl->words[0], &rest);
    if (*rest || !(seconds > 0) || !isfinite(seconds))
        return stemctl_fail(&ctl->output, STEMCTL_USAGE,
            "capture SECONDS [TITLE]: expected a number of seconds above 0");
    enum stemctl_exit code = stemctl_record_patiently(ctl);
    if (code != STEMCTL_OK)
        return code;
    lo_message message = stemctl_record_number(seconds);
    if (message && ctl->word_count > 1)
        lo_message_add_string(message, ctl->words[1]);
    return stemctl_record_ask(ctl, &how, message);
}
