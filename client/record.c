/* Commands that make the recorder do something. */
#include "stemctl.h"

#include "naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Many files on a slow disk: these answers may take a while. */
#define PATIENT_SECONDS 60.0

static lo_message text_message(const char *text)
{
    lo_message message = lo_message_new();
    if (message && text)
        lo_message_add_string(message, text);
    return message;
}

static lo_message float_message(double number)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add_float(message, (float)number);
    return message;
}

static lo_message int_message(int number)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add_int32(message, number);
    return message;
}

/* Recording */

struct record {
    const char *path;
    enum stemctl_style style;
    const char *label; /* on a terminal, in front of the folder */
};

/* A daemon that is not there is told of soon; only the work itself may take long. */
static enum stemctl_exit record(struct stemctl *ctl, const struct record *how)
{
    struct osc_answer answer;
    enum stemctl_exit code = stemctl_ask(ctl, "/ping", NULL, NULL, NULL, &answer);
    if (code != STEMCTL_OK)
        return code;
    if (!ctl->timeout_given)
        ctl->timeout_seconds = PATIENT_SECONDS;
    const char *title = ctl->word_count > 0 ? ctl->words[0] : NULL;
    code = stemctl_ask(ctl, how->path, text_message(title), NULL, NULL, &answer);
    if (code != STEMCTL_OK)
        return code;
    if (ctl->output.json)
        stemctl_print_json(json_pack("{s:o}", "folder", stemctl_json_text(answer.text)));
    else
        stemctl_print_value(&ctl->output, how->style, how->label, answer.text);
    return STEMCTL_OK;
}

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
        code = stemctl_ask(
            ctl, "/take/tempo", float_message(strtod(ctl->tempo, NULL)), NULL, NULL, &answer);
    if (code == STEMCTL_OK && ctl->key && !recording)
        code = stemctl_ask(ctl, "/take/key", text_message(ctl->key), NULL, NULL, &answer);
    return code;
}

enum stemctl_exit run_start(struct stemctl *ctl)
{
    enum stemctl_exit code = describe_take(ctl);
    if (code != STEMCTL_OK)
        return code;
    return record(ctl, &(struct record){"/record/start", STEMCTL_BAD, "recording"});
}

enum stemctl_exit run_stop(struct stemctl *ctl)
{
    return record(ctl, &(struct record){"/record/stop", STEMCTL_GOOD, "saved"});
}

enum stemctl_exit run_toggle(struct stemctl *ctl)
{
    return record(ctl, &(struct record){"/record/toggle", STEMCTL_STRONG, "take"});
}

enum stemctl_exit run_split(struct stemctl *ctl)
{
    return record(ctl, &(struct record){"/record/split", STEMCTL_BAD, "recording"});
}

/* Markers */

enum stemctl_exit run_mark(struct stemctl *ctl)
{
    struct osc_answer answer;
    enum stemctl_exit code =
        stemctl_ask(ctl, "/marker", text_message(ctl->words[0]), NULL, NULL, &answer);
    if (code != STEMCTL_OK)
        return code;
    if (ctl->output.json)
        stemctl_print_json(json_pack("{s:I}", "frame", (json_int_t)strtoll(answer.text, NULL, 10)));
    else
        stemctl_print_value(&ctl->output, STEMCTL_GOOD, "marker at frame", answer.text);
    return STEMCTL_OK;
}

/* Stems */

static enum stemctl_exit mute(struct stemctl *ctl, bool muted)
{
    char safe[STEM_NAME_BYTES], path[STEM_NAME_BYTES + 16], label[STEM_NAME_BYTES + 2];
    const char *name = ctl->words[0];
    struct osc_answer answer;
    stem_naming_safe(name, safe, sizeof safe);
    if (!safe[0])
        return stemctl_fail(&ctl->output, STEMCTL_USAGE,
            "expected a stem's name with letters or digits (stemctl stems lists them)");
    snprintf(path, sizeof path, "/stem/%s/mute", safe);
    enum stemctl_exit code = stemctl_ask(ctl, path, int_message(muted), NULL, NULL, &answer);
    if (code != STEMCTL_OK)
        return code;
    snprintf(label, sizeof label, "%s:", name);
    if (ctl->output.json)
        stemctl_print_json(
            json_pack("{s:o, s:b}", "stem", stemctl_json_text(name), "muted", (int)muted));
    else
        stemctl_print_value(&ctl->output, STEMCTL_STRONG, label, answer.text);
    return STEMCTL_OK;
}

enum stemctl_exit run_mute(struct stemctl *ctl)
{
    if (ctl->word_count < 2 || strcmp(ctl->words[1], "on") == 0)
        return mute(ctl, true);
    if (strcmp(ctl->words[1], "off") == 0)
        return mute(ctl, false);
    return stemctl_fail(
        &ctl->output, STEMCTL_USAGE, "mute STEM [on|off]: expected \"on\" or \"off\"");
}

enum stemctl_exit run_unmute(struct stemctl *ctl)
{
    return mute(ctl, false);
}
