/* Configuration: the text file, read, checked and made into plain data.
 *
 * Only config*.c know libconfig. Every error names file, line, setting, what was
 * expected and what was found; all errors are reported at once. Unknown settings are errors, with a
 * suggestion where one is likely. Names are kept as written; what must be unique is compared after
 * stem_naming_safe, without regard to case, because file names are made from it.
 */
#ifndef STEMD_CONFIG_H
#define STEMD_CONFIG_H

#include "error.h"
#include "format.h"
#include "gain.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What one JACK port is connected from, and where the setting stands for later messages. */
struct stem_config_source {
    char *from; /* exact port name, or pattern between slashes; "" for a port patched by hand */
    unsigned line;
};

/* An input or return: `channels` ports, each with its source. */
struct stem_config_input {
    char *name;
    struct stem_config_source *from; /* one per channel */
    uint32_t channels;
    double gain_db; /* 0 */
    bool invert;    /* polarity; false */
    bool has_pan; /* only mono in stereo; without it a mono input goes untouched to every channel */
    double pan;   /* -1 … 1 */
    uint32_t channel; /* mono only: the one stem channel it goes to, from 1; 0: all */
    unsigned line;
};

/* A stem's part in a return of its own (`own` set) or in a shared one (`shared` is its index). */
struct stem_config_send {
    struct stem_config_input own; /* private return when `is_shared` is false */
    bool is_shared;
    size_t shared; /* index into returns */
    double share;  /* linear factor, 1.0 unless given */
    unsigned line;
};

/* Where the returns of a stem go. */
enum stem_wet {
    STEM_WET_IN,   /* into the stem */
    STEM_WET_OWN,  /* into files of their own, which are part of the sum; the stem stays dry */
    STEM_WET_BOTH, /* into the stem, and into files beside the sum */
};

struct stem_config_stem {
    char *name;
    uint32_t channels; /* 1 … 8; 2 */
    bool muted;        /* at start; false */
    enum stem_wet wet; /* STEM_WET_IN */
    struct stem_config_input *inputs;
    size_t input_count;
    struct stem_config_send *returns;
    size_t return_count;
    unsigned line;
};

/* Takes that start and end by level. */
struct stem_config_threshold {
    double level_dbfs;   /* a sample at or above it starts a take; -50 */
    double hold_seconds; /* it ends when all were below for that long; 10 */
};

/* What a stop still records. */
struct stem_config_tail {
    double level_dbfs;   /* the tail has decayed when half a second stayed below it; -60 */
    double most_seconds; /* … and after this long in any case; 0: a stop is a stop */
};

struct stem_config {
    char *path;        /* file it came from */
    char *client;      /* JACK client name; "stemd" */
    char *server;      /* JACK server name; "default" */
    char *takes;       /* folder for take folders */
    char *spare;       /* where takes go on when that is full or fails; NULL: nowhere */
    char *mirror;      /* where every take is written at the same time; NULL: nowhere */
    char *naming;      /* preset of the two templates below: "standard", "delivery"; "standard" */
    char *folder_name; /* template of a take's folder, see naming_template.h */
    char *file_name;   /* template of its files */
    enum stem_container container;
    enum stem_encoding encoding;
    bool multitrack;        /* every input and return is kept as a file too; false */
    double tape_seconds;    /* 20 */
    double preroll_seconds; /* 0; less than the tape */
    double sync_seconds; /* data is on the disk after at most this long; 5; 0: left to the system */
    double headroom_db;  /* peaks above this are remarked; -3 */
    double server_wait_seconds;  /* a take ends when the server was gone that long; 60; 0: never */
    double disk_warning_seconds; /* a warning when the disk lasts less than this; 600 */
    bool recover;                /* completes what a killed recorder left, at start; true */
    bool finish;                 /* measures and describes each take when it is over; true */
    char *hook;                  /* command that gets the folder after that; NULL: none */
    char *stop_lock; /* "off", "repeat" (a stop needs a second one soon), or a token; "off" */
    struct stem_config_threshold threshold;
    struct stem_config_tail tail;
    enum stem_pan_law pan_law;
    char **osc_listen; /* udp://ADDRESS:PORT, unix:///PATH */
    size_t osc_listen_count;
    char **osc_allow; /* CIDR blocks of UDP senders */
    size_t osc_allow_count;
    char **osc_notify; /* udp://ADDRESS:PORT that get every event unasked */
    size_t osc_notify_count;
    struct stem_config_input *returns; /* shared returns */
    size_t return_count;
    struct stem_config_stem *stems;
    size_t stem_count;
    bool has_mix;
    struct stem_config_input mix;
};

/* A list of complete sentences, each beginning "FILE:LINE: ". */
struct stem_config_messages {
    char **texts;
    size_t count;
};
void stem_config_messages_finish(struct stem_config_messages *messages);

/* Reads `path`. Returns the configuration, or NULL when there were errors. `errors` and `warnings`
 * (a shared return whose shares do not add up to 1, …) are filled either way. Control thread. */
struct stem_config *stem_config_load(
    const char *path, struct stem_config_messages *errors, struct stem_config_messages *warnings);

/* Frees; NULL is allowed. */
void stem_config_destroy(struct stem_config *config);

/* Writes the effective configuration, with every default spelt out, in the same syntax: reading it
 * again gives the same configuration. */
void stem_config_print(const struct stem_config *config, FILE *out);

/* Path of the file used without -c: $XDG_CONFIG_HOME/stemd/stemd.conf (or ~/.config/…), then
 * stemd/stemd.conf in the folder for settings it was built with, and in /etc. Returns false when
 * none exists; `path` then lists them for a message. */
bool stem_config_find(char *path, size_t size);

#endif
