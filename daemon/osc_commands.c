#include "osc_commands.h"

#include "naming.h"
#include "osc_pattern.h"
#include "osc_status.h"
#include "take_state.h"
#include "takes_list.h"

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

struct call {
    struct stem_control *control;
    const struct stem_osc_request *request;
    const char *path; /* of the command, without wildcards */
};

static void refuse(const struct call *call, enum stem_code code, const char *text)
{
    stem_osc_error(&call->request->from, call->path, code, text);
}

static void reply(const struct call *call, const char *text)
{
    stem_osc_reply(&call->request->from, call->path, text);
}

/* Arguments */

static int argument_count(const struct call *call)
{
    return lo_message_get_argc(call->request->message);
}

static const char *text_argument(const struct call *call, int index)
{
    const char *types = lo_message_get_types(call->request->message);
    if (index >= argument_count(call) || (types[index] != 's' && types[index] != 'S'))
        return NULL;
    return (const char *)lo_message_get_argv(call->request->message)[index];
}

/* Any OSC number, or true and false. */
static bool number_argument(const struct call *call, int index, double *number)
{
    if (index >= argument_count(call))
        return false;
    lo_type type = (lo_type)lo_message_get_types(call->request->message)[index];
    lo_arg *argument = lo_message_get_argv(call->request->message)[index];
    if (type == LO_TRUE || type == LO_FALSE)
        *number = type == LO_TRUE;
    else if (lo_is_numerical_type(type))
        *number = (double)lo_hires_val(type, argument);
    else
        return false;
    return isfinite(*number);
}

/* Copies a text argument that fits; answers otherwise. */
static bool copy_text(const struct call *call, int index, char text[STEM_TEXT_BYTES])
{
    const char *argument = text_argument(call, index);
    if (!argument) {
        refuse(call, STEM_CODE_ARGUMENTS, "expected a string");
        return false;
    }
    if (strlen(argument) >= STEM_TEXT_BYTES) {
        refuse(call, STEM_CODE_ARGUMENTS, "the text is longer than 255 bytes");
        return false;
    }
    strcpy(text, argument);
    return true;
}

static bool copy_only_text(const struct call *call, char text[STEM_TEXT_BYTES])
{
    if (argument_count(call) == 1)
        return copy_text(call, 0, text);
    refuse(call, STEM_CODE_ARGUMENTS, "expected one string");
    return false;
}

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

static bool read_option(const struct call *call, int index, struct stem_start *how)
{
    static const char AT[] = "at=", PREROLL[] = "preroll=", LENGTH[] = "length=";
    const char *text = text_argument(call, index);
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
static bool set_moment(const struct call *call, struct stem_command *command)
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
        refuse(call, STEM_CODE_ARGUMENTS, "the bundle's time is more than an hour ahead");
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

static void ask(const struct call *call, struct stem_command *command)
{
    if (set_moment(call, command))
        stem_control_ask(call->control, &call->request->from, call->path, command);
}

/* A button sends one number: it acts when pressed, and its release is ignored. */
static bool is_release(const struct call *call)
{
    double number;
    return argument_count(call) == 1 && number_argument(call, 0, &number) && number == 0;
}

static bool is_button(const struct call *call)
{
    double number;
    return argument_count(call) == 1 && number_argument(call, 0, &number);
}

/* Sends a command that a button may give: nothing happens when it is let go. */
static void press(const struct call *call, struct stem_command *command)
{
    if (is_release(call))
        reply(call, "ignored");
    else
        ask(call, command);
}

static bool is_recording(const struct call *call)
{
    const struct stem_session_status *status = stem_engine_status(call->control->engine);
    return status &&
           atomic_load_explicit(&status->state, memory_order_relaxed) == (int)STEM_STATE_RECORDING;
}

/* Whether a stop may end the take: a lock keeps a stray press of a button from ending a show.
 * Answers when not. */
static bool may_stop(const struct call *call, const char *token)
{
    const char *lock = call->control->config->stop_lock;
    struct timespec now;
    if (strcmp(lock, "off") == 0 || !is_recording(call) || (token && strcmp(token, lock) == 0))
        return true;
    if (strcmp(lock, "repeat") != 0) {
        refuse(call, STEM_CODE_LOCKED, "stopping is locked: it needs the configured token");
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
    refuse(call, STEM_CODE_LOCKED, "stopping is locked: repeat it within two seconds");
    return false;
}

/* start, toggle, split: no argument, a button's number, or a title and, for a start, options. */
static void record(const struct call *call, enum stem_command_type type)
{
    struct stem_command command = {.type = type};
    command.how = (struct stem_start){.sync = call->control->sync,
        .preroll_seconds = -1,
        .is_timed = call->request->when.sec != 0};
    if (command.how.is_timed)
        command.how.sync = STEM_SYNC_NOW;
    if (argument_count(call) > 0 && !is_button(call)) {
        if (!copy_text(call, 0, command.text))
            return;
        for (int k = 1; k < argument_count(call); k++)
            if (type == STEM_COMMAND_SPLIT || !read_option(call, k, &command.how)) {
                refuse(call, STEM_CODE_ARGUMENTS, OPTIONS);
                return;
            }
    }
    if (type == STEM_COMMAND_TOGGLE && !is_release(call) && !may_stop(call, command.text))
        return;
    if (type == STEM_COMMAND_TOGGLE && is_recording(call))
        command.type = STEM_COMMAND_STOP; /* also when only the mirror still records */
    press(call, &command);
}

static void run_start(const struct call *call)
{
    record(call, STEM_COMMAND_START);
}

static void run_stop(const struct call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_STOP};
    const char *token = text_argument(call, 0);
    if (argument_count(call) > 0 && !is_button(call) && (!token || argument_count(call) > 1))
        refuse(call, STEM_CODE_ARGUMENTS, "expected no argument, one number, or a token");
    else if (is_release(call) || may_stop(call, token))
        press(call, &command);
}

static void run_toggle(const struct call *call)
{
    record(call, STEM_COMMAND_TOGGLE);
}

static void run_split(const struct call *call)
{
    record(call, STEM_COMMAND_SPLIT);
}

static void run_sync(const struct call *call)
{
    const char *name = text_argument(call, 0);
    if (!name || argument_count(call) != 1 || !sync_named(name, &call->control->sync))
        refuse(
            call, STEM_CODE_ARGUMENTS, "expected \"now\", \"bar\", \"transport\" or \"threshold\"");
    else
        reply(call, name);
}

/* Keeps the last seconds, decided afterwards. */
static void run_capture(const struct call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_START};
    struct stem_engine_figures figures;
    double seconds;
    int count = argument_count(call);
    stem_engine_figures(call->control->engine, &figures);
    if (count < 1 || count > 2 || !number_argument(call, 0, &seconds) || seconds <= 0 ||
        seconds > figures.tape_seconds) {
        char text[96];
        snprintf(text, sizeof text, "expected a number of seconds up to the tape's %g, and a title",
            figures.tape_seconds);
        refuse(call, STEM_CODE_ARGUMENTS, text);
        return;
    }
    if (count == 2 && !copy_text(call, 1, command.text))
        return;
    command.how = (struct stem_start){.is_capture = true, .preroll_seconds = seconds};
    ask(call, &command);
}

static void run_marker(const struct call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_MARK};
    if (copy_only_text(call, command.text))
        ask(call, &command);
}

static void run_title(const struct call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_TITLE};
    if (!copy_only_text(call, command.text))
        return;
    memcpy(call->control->title, command.text, sizeof command.text);
    ask(call, &command);
}

static void run_key(const struct call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_KEY};
    if (!copy_only_text(call, command.text))
        return;
    memcpy(call->control->key, command.text, sizeof command.text);
    ask(call, &command);
}

static void run_tempo(const struct call *call)
{
    struct stem_command command = {.type = STEM_COMMAND_TEMPO};
    double bpm = command.number;
    if (argument_count(call) != 1 || !number_argument(call, 0, &bpm) ||
        (bpm != 0 && (bpm < SLOWEST_BPM || bpm > FASTEST_BPM))) {
        refuse(call, STEM_CODE_ARGUMENTS,
            "expected one number: beats per minute from 1 to 999, or 0 for unknown");
        return;
    }
    command.number = call->control->tempo_bpm = bpm;
    snprintf(command.text, sizeof command.text, "%g", bpm);
    ask(call, &command);
}

/* Commands that control answers itself */

static void run_status(const struct call *call)
{
    stem_osc_status_send(call->control, &call->request->from);
}

static void run_stems(const struct call *call)
{
    stem_osc_stems_send(call->control, &call->request->from);
}

static void run_takes(const struct call *call)
{
    if (stem_takes_list_send(call->control->config->takes, &call->request->from, call->path))
        refuse(call, STEM_CODE_BUSY, "the takes are being listed for somebody else; try again");
}

static void run_version(const struct call *call)
{
    reply(call, "stemd " STEMD_VERSION);
}

static void run_ping(const struct call *call)
{
    reply(call, "pong");
}

static void run_subscribe(const struct call *call)
{
    double seconds;
    unsigned what = STEM_NOTIFY_USUAL;
    const char *words = argument_count(call) > 1 ? text_argument(call, 1) : "state";
    if (!number_argument(call, 0, &seconds) || seconds < 0 || argument_count(call) > 2 || !words ||
        (argument_count(call) == 2 && !stem_notify_parse(words, &what))) {
        refuse(call, STEM_CODE_ARGUMENTS,
            "expected a number of seconds, 0 to end it, and any of \"state gaps warnings finish "
            "meters all\"");
        return;
    }
    if (stem_notify_subscribe(call->control->notify, &call->request->from,
            seconds > 3600 ? 3600 : (int)seconds, what))
        refuse(call, STEM_CODE_BUSY, "there are too many subscribers");
    else
        reply(call, seconds > 0 ? "subscribed" : "unsubscribed");
}

static const struct {
    const char *path;
    void (*run)(const struct call *call);
} COMMANDS[] = {
    {"/record/start", run_start},
    {"/record/stop", run_stop},
    {"/record/toggle", run_toggle},
    {"/record/split", run_split},
    {"/record/sync", run_sync},
    {"/record/capture", run_capture},
    {"/marker", run_marker},
    {"/take/title", run_title},
    {"/take/tempo", run_tempo},
    {"/take/key", run_key},
    {"/status", run_status},
    {"/stems", run_stems},
    {"/takes", run_takes},
    {"/version", run_version},
    {"/ping", run_ping},
    {"/subscribe", run_subscribe},
};

/* /stem/<name>/mute; wildcards may name several stems. Returns how many there were. */
static unsigned mute_stems(struct call *call)
{
    unsigned found = 0;
    const struct stem_layout *layout = call->control->layout;
    for (uint32_t t = 0; t < call->control->config->stem_count; t++) {
        char safe[STEM_NAME_BYTES], path[STEM_NAME_BYTES + 16];
        stem_naming_safe(layout->tracks[t].name, safe, sizeof safe);
        snprintf(path, sizeof path, "/stem/%s/mute", safe);
        if (!stem_osc_pattern_match(call->request->path, path))
            continue;
        found++;
        call->path = path;
        double number;
        if (argument_count(call) != 1 || !number_argument(call, 0, &number)) {
            refuse(call, STEM_CODE_ARGUMENTS, "expected one number: 1 to mute, 0 to unmute");
            continue;
        }
        stem_engine_set_mute(call->control->engine, t, number != 0);
        stem_notify_mute(call->control->notify, path, number != 0);
        reply(call, number != 0 ? "muted" : "unmuted");
    }
    return found;
}

/* The middle of "/stem/NAME/mute"; false for other paths. */
static bool stem_in_path(const char *path, char *name, size_t size)
{
    static const char PREFIX[] = "/stem/", SUFFIX[] = "/mute";
    size_t length = strlen(path), ends = sizeof PREFIX - 1 + sizeof SUFFIX - 1;
    if (length <= ends || strncmp(path, PREFIX, sizeof PREFIX - 1) != 0 ||
        strcmp(path + length - (sizeof SUFFIX - 1), SUFFIX) != 0)
        return false;
    snprintf(name, size, "%.*s", (int)(length - ends), path + sizeof PREFIX - 1);
    return true;
}

static void refuse_stem(const struct call *call, const char *name)
{
    const char *names[256];
    uint32_t count = 0;
    for (; count < call->control->config->stem_count && count < 256; count++)
        names[count] = call->control->layout->tracks[count].name;
    const char *likely = stem_naming_suggest(name, names, count);
    char text[STEM_ERROR_BYTES];
    if (likely)
        snprintf(text, sizeof text, "there is no stem \"%s\"; did you mean \"%s\"?", name, likely);
    else
        snprintf(text, sizeof text, "there is no stem \"%s\"", name);
    refuse(call, STEM_CODE_NOT_FOUND, text);
}

void stem_osc_commands_handle(const struct stem_osc_request *request, void *data)
{
    struct call call = {.control = data, .request = request};
    unsigned found = 0;
    for (size_t k = 0; k < sizeof COMMANDS / sizeof *COMMANDS; k++)
        if (stem_osc_pattern_match(request->path, COMMANDS[k].path)) {
            call.path = COMMANDS[k].path;
            COMMANDS[k].run(&call);
            found++;
        }
    found += mute_stems(&call);
    if (found)
        return;
    char name[STEM_NAME_BYTES];
    call.path = request->path;
    if (stem_in_path(request->path, name, sizeof name))
        refuse_stem(&call, name);
    else
        refuse(&call, STEM_CODE_ADDRESS, "there is no such address");
}
