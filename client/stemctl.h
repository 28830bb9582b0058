/* What the commands of stemctl share. */
#ifndef STEMCTL_H
#define STEMCTL_H

#include "osc_client.h"
#include "output.h"

#include <stdbool.h>

enum { STEMCTL_WORDS = 1024 };

/* Options and words of a command line, and the conversation they lead to. */
struct stemctl {
    const char *url;
    double timeout_seconds;
    bool timeout_given; /* else work that takes long is waited for longer */
    const char *tempo;  /* as given: checked to be a number */
    const char *key;
    const char *at;      /* NULL: as stemd is set */
    const char *preroll; /* checked to be numbers of seconds; NULL: not given */
    const char *length;
    const char *format; /* as given; NULL: not given */
    const char *depth;
    const char *to;
    bool dither;
    bool accept;
    bool zip;
    bool open;
    bool quiet;
    int progress_fd;                  /* -1: none */
    const char *words[STEMCTL_WORDS]; /* behind the command */
    int word_count;
    struct stemctl_output output;
    struct osc_client *client; /* NULL until a command asks */
};

/* Options that only some commands have. */
enum stemctl_options {
    STEMCTL_SHARED,          /* none */
    STEMCTL_START_OPTIONS,   /* --at, --preroll, --length, --tempo and --key */
    STEMCTL_FINISH_OPTIONS,  /* --quiet and --progress-fd */
    STEMCTL_RECOVER_OPTIONS, /* --progress-fd */
    STEMCTL_EXPORT_OPTIONS,  /* --format, --depth, --to, --zip, --dither and --quiet */
    STEMCTL_SUM_OPTIONS,     /* --depth, --to and --quiet */
    STEMCTL_REPORT_OPTIONS,  /* --open */
};

typedef enum stemctl_exit stemctl_run(struct stemctl *ctl);

stemctl_run run_start, run_capture, run_stop, run_toggle, run_split, run_mark, run_mute, run_unmute;
stemctl_run run_status, run_stems, run_takes, run_ping, run_version;
stemctl_run run_verify, run_finish, run_recover;

stemctl_run run_list, run_show, run_report, run_export, run_sum, run_diff, run_rename;

struct stemctl_command {
    const char *name;
    stemctl_run *run;
    int least_words;
    int most_words;
    enum stemctl_options options; /* beside the shared ones */
    const char *words;            /* for the usage line */
    const char *help;             /* one line */
    const char *more;             /* what it prints, and how it is used */
};

/* Asks the daemon. An error answer or none is printed; returns the exit code. */
enum stemctl_exit stemctl_ask(struct stemctl *ctl, const char *path, lo_message arguments,
    osc_data *on_data, void *data, struct osc_answer *answer);

/* Asks for a list without arguments, again when a part was lost on the way. `forget` drops what
 * `on_data` has collected so far. */
enum stemctl_exit stemctl_ask_list(struct stemctl *ctl, const char *path, osc_data *on_data,
    void (*forget)(void *data), void *data);

#endif
