#include "osc_commands.h"

#include "naming.h"
#include "osc_commands_parts.h"
#include "osc_pattern.h"
#include "osc_status.h"
#include "takes_list.h"

#include <stdio.h>
#include <string.h>

/* Commands that control answers itself */

static void run_status(const struct osc_call *call)
{
    stem_osc_status_send(call->control, &call->request->from);
}

static void run_stems(const struct osc_call *call)
{
    stem_osc_stems_send(call->control, &call->request->from);
}

static void run_takes(const struct osc_call *call)
{
    if (stem_takes_list_send(call->control->config->takes, &call->request->from, call->path))
        osc_call_refuse(
            call, STEM_CODE_BUSY, "the takes are being listed for somebody else; try again");
}

static void run_version(const struct osc_call *call)
{
    osc_call_reply(call, "stemd " STEMD_VERSION);
}

static void run_ping(const struct osc_call *call)
{
    osc_call_reply(call, "pong");
}

static void run_subscribe(const struct osc_call *call)
{
    double seconds;
    unsigned what = STEM_NOTIFY_USUAL;
    const char *words = osc_call_count(call) > 1 ? osc_call_text(call, 1) : "state";
    if (!osc_call_number(call, 0, &seconds) || seconds < 0 || osc_call_count(call) > 2 || !words ||
        (osc_call_count(call) == 2 && !stem_notify_parse(words, &what))) {
        osc_call_refuse(call, STEM_CODE_ARGUMENTS,
            "expected a number of seconds, 0 to end it, and any of \"state gaps warnings finish "
            "meters all\"");
        return;
    }
    if (stem_notify_subscribe(call->control->notify, &call->request->from,
            seconds > 3600 ? 3600 : (int)seconds, what))
        osc_call_refuse(call, STEM_CODE_BUSY, "there are too many subscribers");
    else
        osc_call_reply(call, seconds > 0 ? "subscribed" : "unsubscribed");
}

static const struct {
    const char *path;
    void (*run)(const struct osc_call *call);
} COMMANDS[] = {
    {"/record/start", osc_run_start},
    {"/record/stop", osc_run_stop},
    {"/record/toggle", osc_run_toggle},
    {"/record/split", osc_run_split},
    {"/record/sync", osc_run_sync},
    {"/record/capture", osc_run_capture},
    {"/marker", osc_run_marker},
    {"/take/title", osc_run_title},
    {"/take/tempo", osc_run_tempo},
    {"/take/key", osc_run_key},
    {"/status", run_status},
    {"/stems", run_stems},
    {"/takes", run_takes},
    {"/version", run_version},
    {"/ping", run_ping},
    {"/subscribe", run_subscribe},
};

/* /stem/<name>/mute; wildcards may name several stems. Returns how many there were. */
static unsigned mute_stems(struct osc_call *call)
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
        if (osc_call_count(call) != 1 || !osc_call_number(call, 0, &number)) {
            osc_call_refuse(
                call, STEM_CODE_ARGUMENTS, "expected one number: 1 to mute, 0 to unmute");
            continue;
        }
        stem_engine_set_mute(call->control->engine, t, number != 0);
        stem_notify_mute(call->control->notify, path, number != 0);
        osc_call_reply(call, number != 0 ? "muted" : "unmuted");
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

static void refuse_stem(const struct osc_call *call, const char *name)
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
    osc_call_refuse(call, STEM_CODE_NOT_FOUND, text);
}

void stem_osc_commands_handle(const struct stem_osc_request *request, void *data)
{
    struct osc_call call = {.control = data, .request = request};
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
        osc_call_refuse(&call, STEM_CODE_ADDRESS, "there is no such address");
}
