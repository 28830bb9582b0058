#include "osc_commands_parts.h"
#include "take_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Tempo that music can have, in beats per minute. */
#define SLOWEST_BPM 1.0
#define FASTEST_BPM 999.0
/* A bundle's time may lie this far ahead; one up to a second ago is kept, an older one is now. */
#define FURTHEST_SECONDS 3600.0
#define LONGEST_AGO_SECONDS 1.0
/* A take that ends by itself. */
#define LONGEST_SECONDS 86400.0
/* A locked stop is meant when it is repeated within this. */
#define REPEAT_NS INT64_C(2000000000)

/* How a start is meant */

/* Those that can be asked for by name. */
static const char *const SYNC_NAMES[] = {"now", "bar", "transport", "threshold"};

static bool sync_named(const char *name, enum stem_sync *sync)
{
    for (size_t k = 0; k < sizeof SYNC_NAMES / sizeof *SYNC_NAMES; k++)
        if (strcmp(name, SYNC_NAMES[k]) == 0) {
            *sync = (enum stem_sync)k;
            return true;
        }
    return false;
}

/* What follows "NAME=" as a number of seconds that the tape or a day can hold. */
static bool seconds_in(const char *text, double most, double *seconds)
{
    char *end;
    *seconds = strtod(text, &end);
    return end != text && *end == '\0' && *seconds >= 0 && *seconds <= most;
}

static const char OPTIONS[] =
    "expected a title, then any of \"at=now|bar|transport|threshold\", \"preroll=SECONDS\" (as "
    "long as the tape at most), \"length=SECONDS\"";

static bool read_option(const struct osc_call *call, int index, struct stem_start *how)
{
    static const char AT[] = "at=", PREROLL[] = "preroll=", LENGTH[] = "length=";
    const char *text = osc_call_text(call, index);
    struct stem_engine_figures figures;
    double seconds;
    if (!text)
        return false;
    if (strncmp(text, AT, sizeof AT - 1) == 0)
        return sync_named(text + sizeof AT - 1, &how->sync);
    stem_engine_figures(call->control->engine, &figures);
    if (strncmp(text, PREROLL, sizeof PREROLL - 1) == 0)
        return seconds_in(text + sizeof PREROLL - 1, figures.tape_seconds, &how->preroll_seconds);
    if (strncmp(text, LENGTH, sizeof LENGTH - 1) != 0 ||
        !seconds_in(text + sizeof LENGTH - 1, LONGEST_SECONDS, &seconds))
        return false;
    how->length_frames = (uint64_t)llround(seconds * figures.rate_hz);
    return true;
}

/* Time */

/* OSC counts from 1900, in units of 2^-32 s. */
static int64_t wall_ns(lo_timetag when)
{
    const int64_t seconds_1900_to_1970 = 2208988800;
    int64_t nanoseconds = (int64_t)(((uint64_t)when.frac * 1000000000) >> 32);
    return ((int64_t)when.sec - seconds_1900_to_1970) * 1000000000 + nanoseconds;
}

/* The moment a command belongs to: now, or its bundle's time, whose frame can only be estimated
 * here. False when it has been refused. */
static bool set_moment(const struct osc_call *call, struct stem_command *command)
{
    lo_timetag when = call->request->when;
    command->frame = stem_engine_now(call->control->engine);
    command->how.is_timed = when.sec != 0;
    if (when.sec == 0)
        return true;
    lo_timetag now;
    struct stem_engine_figures figures;
    lo_timetag_now(&now);
    stem_engine_figures(call->control->engine, &figures);
    double seconds = lo_timetag_diff(when, now);
    if (seconds > FURTHEST_SECONDS) {
        osc_call_refuse(call, STEM_CODE_ARGUMENTS, "the bundle's time is more than an hour ahead");
        return false;
    }
    double frames = seconds * figures.rate_hz;
    if (seconds >= -LONGEST_AGO_SECONDS && frames > -(double)command->frame) {
        command->frame = (uint64_t)((double)command->frame + frames);
        command->when_ns = wall_ns(when);
    }
    return true;
}

/* Commands for the writer */

static void ask(const struct osc_call *call, struct stem_command *command)
{
    if (set_moment(call, command))
        stem_control_ask(call->control, &call->request->from, call->path, command);
}

/* A button sends one number: it acts when pressed, and its release is ignored. */
static bool is_release(const struct osc_call *call)
{
    double number;
    return osc_call_count(call) == 1 && osc_call_number(call, 0, &number) && number == 0;
}

static bool is_button(const struct osc_call *call)
{
    double number;
    return osc_call_count(call) == 1 && osc_call_number(call, 0, &number);
}

/* Sends a command that a button may give: nothing happens when it is let go. */
static void press(const struct osc_call *call, struct stem_command *command)
{
    if (is_release(call))
        osc_call_reply(call, "ignored");
    else
        ask(call, command);
}

static bool is_recording(const struct osc_call *call)
{
    const struct stem_session_status *status = stem_engine_status(call->control->engine);
    return status &&
           atomic_load_explicit(&status->state, memory_order_relaxed) == (int)STEM_STATE_RECORDING;
}

/* Whether a stop may end the take: a lock keeps a stray press of a button from ending a show.
 * Answers when not. */
static bool may_stop(const struct osc_call *call, const char *token)
{
    const char *lock = call->control->config->stop_lock;
    struct timespec now;
    if (strcmp(lock, "off") == 0 || !is_recording(call) || (token && strcmp(token, lock) == 0))
        return true;
    if (strcmp(lock, "repeat") != 0) {
        osc_call_refuse(
            call, STEM_CODE_LOCKED, "stopping is locked: it needs the configured token");
        return false;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    int64_t asked_ns = call->control->stop_asked_ns;
    call->control->stop_asked_ns = now_ns;
    if (asked_ns && now_ns - asked_ns <= REPEAT_NS) {
        call->control->stop_asked_ns = 0;
        return true;
    }
    osc_call_refuse(call, STEM_CODE_LOCKED, "stopping is locked: repeat it within two seconds");
    return false;
}

/* start, toggle, split: no argument, a button's number, or a title and, for a start, options. */
static void record(const struct osc_call *call, enum stem_command_type type)
{
    struct stem_command command = {.type = type};
    command.how = (struct stem_start){.sync = call->control->sync,
        .preroll_seconds = -1,
        .is_timed = call->request->when.sec != 0};
    if (command.how.is_timed)
        command.how.sync = STEM_SYNC_NOW;
    if (osc_call_count(call) > 0 && !is_button(call)) {
        if (!osc_call_copy_text(call, 0, command.text))
            return;
        for (int k = 1; k < osc_call_count(call); k++)
            if (type == STEM_COMMAND_SPLIT || !read_option(call, k, &command.how)) {
                osc_call_refuse(call, STEM_CODE_ARGUMENTS, OPTIONS);
                return;
            }
    }
    if (type == STEM_COMMAND_TOGGLE && !is_release(call) && !may_stop(call, command.text))
        return;
    if (type == STEM_COMMAND_TOGGLE && is_recording(call))
        command.type = STEM_COMMAND_STOP; /* also when only the mirror still records */
    press(call, &command);
}

void osc_run_start(const struct osc_call *call)
{
    record(call, STEM_COMMAND_START);
}

void osc_run_stop(const struct osc_call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_STOP};
    const char *token = osc_call_text(call, 0);
    if (osc_call_count(call) > 0 && !is_button(call) && (!token || osc_call_count(call) > 1))
        osc_call_refuse(call, STEM_CODE_ARGUMENTS, "expected no argument, one number, or a token");
    else if (is_release(call) || may_stop(call, token))
        press(call, &command);
}

void osc_run_toggle(const struct osc_call *call)
{
    record(call, STEM_COMMAND_TOGGLE);
}

void osc_run_split(const struct osc_call *call)
{
    record(call, STEM_COMMAND_SPLIT);
}

void osc_run_sync(const struct osc_call *call)
{
    const char *name = osc_call_text(call, 0);
    if (!name || osc_call_count(call) != 1 || !sync_named(name, &call->control->sync))
        osc_call_refuse(
            call, STEM_CODE_ARGUMENTS, "expected \"now\", \"bar\", \"transport\" or \"threshold\"");
    else
        osc_call_reply(call, name);
}

void osc_run_capture(const struct osc_call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_START};
    struct stem_engine_figures figures;
    double seconds;
    int count = osc_call_count(call);
    stem_engine_figures(call->control->engine, &figures);
    if (count < 1 || count > 2 || !osc_call_number(call, 0, &seconds) || seconds <= 0 ||
        seconds > figures.tape_seconds) {
        char text[96];
        snprintf(text, sizeof text, "expected a number of seconds up to the tape's %g, and a title",
            figures.tape_seconds);
        osc_call_refuse(call, STEM_CODE_ARGUMENTS, text);
        return;
    }
    if (count == 2 && !osc_call_copy_text(call, 1, command.text))
        return;
    command.how = (struct stem_start){.is_capture = true, .preroll_seconds = seconds};
    ask(call, &command);
}

void osc_run_marker(const struct osc_call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_MARK};
    if (osc_call_copy_only_text(call, command.text))
        ask(call, &command);
}

void osc_run_title(const struct osc_call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_TITLE};
    if (!osc_call_copy_only_text(call, command.text))
        return;
    memcpy(call->control->title, command.text, sizeof command.text);
    ask(call, &command);
}

void osc_run_key(const struct osc_call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_KEY};
    if (!osc_call_copy_only_text(call, command.text))
        return;
    memcpy(call->control->key, command.text, sizeof command.text);
    ask(call, &command);
}

void osc_run_tempo(const struct osc_call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_TEMPO};
    double bpm = command.number;
    if (osc_call_count(call) != 1 || !osc_call_number(call, 0, &bpm) ||
        (bpm != 0 && (bpm < SLOWEST_BPM || bpm > FASTEST_BPM))) {
        osc_call_refuse(call, STEM_CODE_ARGUMENTS,
            "expected one number: beats per minute from 1 to 999, or 0 for unknown");
        return;
    }
    command.number = call->control->tempo_bpm = bpm;
    snprintf(command.text, sizeof command.text, "%g", bpm);
    ask(call, &command);
}
