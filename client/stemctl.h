/* What the commands of stemctl share. */
#ifndef STEMCTL_H
#define STEMCTL_H

#include "osc_client.h"

#include <argp.h>
#include <jansson.h>

/* Options and words of a command line. */
struct stemctl {
    const char *url;
    double timeout_seconds;
    bool json;
    const char *tempo; /* --tempo */
    const char *key;   /* --key */
    const char *words[3];
    int word_count;
    struct osc_client *client; /* open while a command that asks a daemon runs */
};

typedef enum stemctl_exit stemctl_run(struct stemctl *ctl);

stemctl_run run_start, run_stop, run_toggle, run_split, run_mark, run_mute, run_unmute;
stemctl_run run_status, run_stems, run_takes, run_ping, run_version;
stemctl_run run_verify;

/* Asks the daemon. An error answer or none is printed; returns the exit code. */
enum stemctl_exit stemctl_ask(struct stemctl *ctl, const char *path, lo_message arguments,
    osc_data *on_data, void *data, struct osc_answer *answer);

/* Prints a failure: a sentence on standard error, or an object with --json. */
void stemctl_fail(const struct stemctl *ctl, enum stemctl_exit code, const char *text);

/* Prints an object on standard output and frees it. */
void stemctl_print_json(json_t *object);

/* Prints text for a terminal: control characters are replaced. `width` > 0 pads to that many
 * columns, < 0 pads on the left. */
void stemctl_print_text(const char *text, int width);

/* Columns that a text takes on a terminal. */
int stemctl_columns(const char *text);

/* A JSON string of any bytes: what is not UTF-8 is replaced. */
json_t *stemctl_json_text(const char *text);

/* "h:mm:ss.mmm". */
void stemctl_format_time(double seconds, char *text, size_t size);

#endif
