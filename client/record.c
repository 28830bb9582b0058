/* Commands that make the recorder do something. */
#include "stemctl.h"

#include "naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Work on many files, a slow disk: these answers may take a while. */
#define PATIENT_SECONDS 60.0

static lo_message text_message(const char *text)
{
    lo_message message = lo_message_new();
    if (message && text)
        lo_message_add_string(message, text);
    return message;
}

/* Asks, and prints the answer under `label`. */
static enum stemctl_exit ask_and_print(
    struct stemctl *ctl, const char *path, lo_message arguments, const char *label)
{
    struct osc_answer answer;
    enum stemctl_exit code = stemctl_ask(ctl, path, arguments, NULL, NULL, &answer);
    if (code != STEMCTL_OK)
        return code;
    if (ctl->json) {
        stemctl_print_json(json_pack("{s:o}", label, stemctl_json_text(answer.text)));
    } else {
        stemctl_print_text(answer.text, 0);
        putchar('\n');
    }
    return STEMCTL_OK;
}

static enum stemctl_exit send_tempo(struct stemctl *ctl)
{
    struct osc_answer answer;
    char *rest;
    if (!ctl->tempo)
        return STEMCTL_OK;
    double bpm = strtod(ctl->tempo, &rest);
    if (*rest || rest == ctl->tempo) {
        stemctl_fail(ctl, STEMCTL_USAGE, "--tempo: expected a number of beats per minute");
        return STEMCTL_USAGE;
    }
    lo_message message = lo_message_new();
    if (message)
        lo_message_add_float(message, (float)bpm);
    return stemctl_ask(ctl, "/take/tempo", message, NULL, NULL, &answer);
}

static enum stemctl_exit send_key(struct stemctl *ctl)
{
    struct osc_answer answer;
    if (!ctl->key)
        return STEMCTL_OK;
    return stemctl_ask(ctl, "/take/key", text_message(ctl->key), NULL, NULL, &answer);
}

static enum stemctl_exit record(struct stemctl *ctl, const char *path, bool takes_title)
{
    enum stemctl_exit code = send_tempo(ctl);
    if (code == STEMCTL_OK)
        code = send_key(ctl);
    if (code != STEMCTL_OK)
        return code;
    if (ctl->timeout_seconds < PATIENT_SECONDS)
        ctl->timeout_seconds = PATIENT_SECONDS;
    const char *title = takes_title && ctl->word_count > 0 ? ctl->words[0] : NULL;
    return ask_and_print(ctl, path, text_message(title), "folder");
}

/* A daemon that is not there is told of soon; only the work itself may take long. */
static enum stemctl_exit record_when_there(struct stemctl *ctl, const char *path, bool takes_title)
{
    struct osc_answer answer;
    enum stemctl_exit code = stemctl_ask(ctl, "/ping", NULL, NULL, NULL, &answer);
    return code == STEMCTL_OK ? record(ctl, path, takes_title) : code;
}

enum stemctl_exit run_start(struct stemctl *ctl)
{
    return record_when_there(ctl, "/record/start", true);
}

enum stemctl_exit run_stop(struct stemctl *ctl)
{
    return record_when_there(ctl, "/record/stop", false);
}

enum stemctl_exit run_toggle(struct stemctl *ctl)
{
    return record_when_there(ctl, "/record/toggle", true);
}

enum stemctl_exit run_split(struct stemctl *ctl)
{
    return record_when_there(ctl, "/record/split", true);
}

enum stemctl_exit run_mark(struct stemctl *ctl)
{
    return ask_and_print(ctl, "/marker", text_message(ctl->words[0]), "frame");
}

static enum stemctl_exit mute(struct stemctl *ctl, int muted)
{
    char safe[STEM_NAME_BYTES], path[STEM_NAME_BYTES + 16];
    stem_naming_safe(ctl->words[0], safe, sizeof safe);
    snprintf(path, sizeof path, "/stem/%s/mute", safe);
    lo_message message = lo_message_new();
    if (message)
        lo_message_add_int32(message, muted);
    return ask_and_print(ctl, path, message, "stem");
}

enum stemctl_exit run_mute(struct stemctl *ctl)
{
    if (ctl->word_count < 2 || strcmp(ctl->words[1], "on") == 0)
        return mute(ctl, 1);
    if (strcmp(ctl->words[1], "off") == 0)
        return mute(ctl, 0);
    stemctl_fail(ctl, STEMCTL_USAGE, "mute STEM [on|off]: expected \"on\" or \"off\"");
    return STEMCTL_USAGE;
}

enum stemctl_exit run_unmute(struct stemctl *ctl)
{
    return mute(ctl, 0);
}
