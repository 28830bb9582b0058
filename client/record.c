/* Commands that make the recorder do something. */
#include "record.h"

#include "naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Many files on a slow disk: these answers may take a while. */
#define PATIENT_SECONDS 60.0

lo_message stemctl_record_text(const char *text)
{
    lo_message message = lo_message_new();
    if (message && text)
        lo_message_add_string(message, text);
    return message;
}

lo_message stemctl_record_number(double number)
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

enum stemctl_exit stemctl_record_patiently(struct stemctl *ctl)
{
    struct osc_answer answer;
    enum stemctl_exit code = stemctl_ask(ctl, "/ping", NULL, NULL, NULL, &answer);
    if (!ctl->timeout_given)
        ctl->timeout_seconds = PATIENT_SECONDS;
    return code;
}

static void print_sentence(const struct stemctl_output *output, const char *text)
{
    stemctl_print(output, STEMCTL_WARNING, text);
    putchar('\n');
}

/* The answer is a folder, or a sentence when there is none: a start that is waited for, or that is
 * not waited for any more. */
static void print_take(
    const struct stemctl *ctl, const struct stemctl_record *how, const char *text)
{
    bool is_folder = text[0] == '/';
    if (ctl->output.json && is_folder)
        stemctl_print_json(json_pack("{s:o}", "folder", stemctl_json_text(text)));
    else if (ctl->output.json)
        stemctl_print_json(json_pack("{s:n, s:o}", "folder", "message", stemctl_json_text(text)));
    else if (is_folder)
        stemctl_print_value(&ctl->output, how->style, how->label, text);
    else
        print_sentence(&ctl->output, text);
}

enum stemctl_exit stemctl_record_ask(
    struct stemctl *ctl, const struct stemctl_record *how, lo_message arguments)
{
    struct osc_answer answer;
    enum stemctl_exit code = stemctl_ask(ctl, how->path, arguments, NULL, NULL, &answer);
    if (code == STEMCTL_OK)
        print_take(ctl, how, answer.text);
    return code;
}

static enum stemctl_exit record(struct stemctl *ctl, const struct stemctl_record *how)
{
    enum stemctl_exit code = stemctl_record_patiently(ctl);
    if (code != STEMCTL_OK)
        return code;
    return stemctl_record_ask(
        ctl, how, stemctl_record_text(ctl->word_count > 0 ? ctl->words[0] : NULL));
}

enum stemctl_exit run_stop(struct stemctl *ctl)
{
    return record(ctl, &(struct stemctl_record){"/record/stop", STEMCTL_GOOD, "saved"});
}

enum stemctl_exit run_toggle(struct stemctl *ctl)
{
    return record(ctl, &(struct stemctl_record){"/record/toggle", STEMCTL_STRONG, "take"});
}

enum stemctl_exit run_split(struct stemctl *ctl)
{
    return record(ctl, &(struct stemctl_record){"/record/split", STEMCTL_BAD, "recording"});
}

/* Markers */

enum stemctl_exit run_mark(struct stemctl *ctl)
{
    struct osc_answer answer;
    enum stemctl_exit code =
        stemctl_ask(ctl, "/marker", stemctl_record_text(ctl->words[0]), NULL, NULL, &answer);
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
