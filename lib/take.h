/* The manifest of a take: take.json, everything known about it, machine readable, versioned.
 *
 * It is written when the take starts, renewed while it runs and completed when it ends; each time
 * atomically (a temporary file, synced, renamed), so it is valid at any moment. Positions inside a
 * take are frames from its own start.
 */
#ifndef STEM_TAKE_H
#define STEM_TAKE_H

#include "error.h"
#include "format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Value of "version"; raised when a reader of the old one would misunderstand the new one. */
enum { STEM_TAKE_VERSION = 1 };

#define STEM_TAKE_MANIFEST "take.json"

enum stem_take_progress {
    STEM_TAKE_RECORDING, /* being written, or its recorder died */
    STEM_TAKE_COMPLETE,  /* ended as asked */
    STEM_TAKE_FAILED,    /* ended by a fault, named in `failure`; what was recorded is valid */
    STEM_TAKE_RECOVERED, /* its recorder died; completed afterwards from the bytes it left */
};
enum { STEM_TAKE_PROGRESSES = STEM_TAKE_RECOVERED + 1 };

/* The words for progress, as in the file: "recording", "complete", "failed", "recovered". */
extern const char *const STEM_TAKE_PROGRESS[STEM_TAKE_PROGRESSES];

/* What a file holds. */
enum stem_take_role {
    STEM_TAKE_STEM,   /* a group of inputs, with or without its returns */
    STEM_TAKE_RETURN, /* an effect return of its own */
    STEM_TAKE_INPUT,  /* a single input, kept for safety */
};
enum { STEM_TAKE_ROLES = STEM_TAKE_INPUT + 1 };

/* The words for roles: "stem", "return", "input". */
extern const char *const STEM_TAKE_ROLE[STEM_TAKE_ROLES];

/* What the finisher measured. Levels in dB are minus infinity for silence (null in the file). */
struct stem_take_levels {
    bool measured; /* the rest holds */
    bool silent;   /* every sample is zero */
    double true_peak_dbtp;
    double integrated_lufs;
    double short_term_lufs; /* largest */
    double momentary_lufs;  /* largest */
    double range_lu;
    double rms_dbfs;
    double dc_offset; /* mean of the channel that is furthest off, 1.0 = full scale */
};

struct stem_take_stem {
    char *name; /* as configured, UTF-8 */
    char *file; /* name inside the folder */
    enum stem_take_role role;
    uint32_t channels;
    uint32_t inputs; /* ports summed into a channel at most; 0: unknown */
    uint64_t frames; /* length of the file */
    uint64_t clips;  /* samples that saturated while converting */
    double peak;     /* largest magnitude, 1.0 = full scale */
    bool muted;      /* was muted when the take started */
    struct stem_take_levels levels;
};

/* Mix minus the sum of the stems, measured by the finisher. */
struct stem_take_residual {
    bool measured;
    bool passed;
    double peak; /* 1.0 = full scale */
    double rms;
    double bound;         /* what the peak may be; see null_test.h */
    uint64_t worst_frame; /* start of the second with the largest RMS */
    double worst_rms;
    char *hint; /* what explains a residual beyond the bound, or NULL */
};

/* From `frame` on, JACK's own frame clock read `jack_frame`. The first entry has frame 0. */
struct stem_take_clock {
    uint64_t frame;
    uint32_t jack_frame;
};

/* Musical position at `frame`, and how it goes on from there. */
struct stem_take_tempo {
    uint64_t frame;
    double bpm;
    double beats_per_bar;
    double beat_type; /* 4: a quarter note */
    double ticks_per_beat;
    int32_t bar;  /* from 1 */
    int32_t beat; /* from 1 */
    double tick;  /* from 0 */
};

/* The transport started, stopped or was relocated. */
struct stem_take_transport {
    uint64_t frame;
    uint64_t transport_frame; /* that belongs to `frame` */
    bool rolling;
};

struct stem_take_gap {
    uint64_t frame; /* from the take's start */
    uint64_t frames;
    uint32_t reasons; /* enum stem_gap_reason bits; in the file a list of words */
};

struct stem_take_xrun {
    uint64_t frame;
    double delay_us;
};

struct stem_take_marker {
    uint64_t frame;
    char *text;
};

/* Owns its strings and arrays. All zero is an empty take. */
struct stem_take {
    enum stem_take_progress progress;
    char *failure;        /* NULL unless failed; recovered: what is not known any more, or NULL */
    char *title;          /* "" when none was given */
    char *key;            /* musical key, "" when unknown */
    double tempo_bpm;     /* 0 when unknown */
    char *started;        /* ISO 8601 local time with offset, of the first frame */
    char *recorder;       /* "stemd 0.1.0" */
    char *previous;       /* folder name of the take that this one continues (split), or NULL */
    char *id;             /* unlike that of any other take; parts and mirror of a take share it */
    uint32_t part;        /* 1, or more when the take had to go on in another folder */
    uint64_t part_frame;  /* frame of the whole take at which this part begins */
    char *continued_from; /* path of the folder with the part before, or NULL */
    char *continued_in;   /* path of the folder with the next part, or NULL */
    char *mirror;         /* path of the folder with the same files, or NULL */
    char *started_by;     /* "now", "bar", "transport", "time", "threshold", "capture" */
    char *finished;       /* ISO 8601 time at which the finisher was done, or NULL */
    uint32_t rate_hz;
    uint64_t start_frame;    /* timeline frame of the first sample */
    uint64_t time_reference; /* as in the files: start_frame, or the transport's frame */
    uint64_t frames;         /* length so far */
    enum stem_container container;
    enum stem_encoding encoding;
    bool has_mix; /* then `mix` is the reference */
    struct stem_take_stem mix;
    struct stem_take_stem *stems; /* in configured order; together they are the mix */
    size_t stem_count;
    struct stem_take_stem *extras; /* files beside the sum: inputs, returns that are in stems too */
    size_t extra_count;
    struct stem_take_residual residual;
    struct stem_take_clock *clocks; /* ascending, as are all below */
    size_t clock_count;
    struct stem_take_tempo *tempos;
    size_t tempo_count;
    struct stem_take_transport *transports;
    size_t transport_count;
    struct stem_take_gap *gaps; /* ascending */
    size_t gap_count;
    struct stem_take_xrun *xruns;
    size_t xrun_count;
    struct stem_take_marker *markers;
    size_t marker_count;
};

/* Frees what the take owns and empties it. */
void stem_take_finish(struct stem_take *take);

/* Appends; 0, or -1 when there is no memory. Strings are copied. A gap that begins where the last
 * one ends with the same reasons extends it. */
int stem_take_add_stem(
    struct stem_take *take, const char *name, const char *file, uint32_t channels);
int stem_take_add_extra(
    struct stem_take *take, const char *name, const char *file, uint32_t channels);
int stem_take_add_gap(struct stem_take *take, uint64_t frame, uint64_t frames, uint32_t reasons);
int stem_take_add_xrun(struct stem_take *take, uint64_t frame, double delay_us);
int stem_take_add_marker(struct stem_take *take, uint64_t frame, const char *text);
int stem_take_add_clock(struct stem_take *take, struct stem_take_clock clock);
int stem_take_add_tempo(struct stem_take *take, struct stem_take_tempo tempo);
int stem_take_add_transport(struct stem_take *take, struct stem_take_transport transport);

/* Replaces an owned string with a copy (NULL allowed); 0 or -1 without memory. */
int stem_take_set_string(char **field, const char *value);

/* All files by number: stems in order, the mix if there is one, extras. NULL behind the last. */
struct stem_take_stem *stem_take_file(struct stem_take *take, size_t k);

/* Sum of all gaps' frames. */
uint64_t stem_take_gap_frames(const struct stem_take *take);

/* Writes FOLDER/take.json atomically. 0, or -1 with `error`.
 * Writer thread, or a stemctl command. */
int stem_take_save(const struct stem_take *take, const char *folder, struct stem_error *error);

/* Reads FOLDER/take.json into an empty `take`. 0, or -1 with `error` that names file, place and
 * what was expected. Never trusts the file: sizes, names (no path separators) and ranges are
 * checked. */
int stem_take_load(struct stem_take *take, const char *folder, struct stem_error *error);

/* The same for a manifest that has another name. */
int stem_take_load_file(struct stem_take *take, const char *path, struct stem_error *error);

/* The same for those who work on takes that have ended: refuses one that has not. */
int stem_take_load_ended(struct stem_take *take, const char *folder, struct stem_error *error);

/* The words for single reasons, by bit. */
enum { STEM_TAKE_REASONS = 5 };
extern const char *const STEM_TAKE_REASON[STEM_TAKE_REASONS];

/* Words for reasons, in the order of their bits: "skipped", "overflow", "server", "clock",
 * "recovered". Writes them joined with '+', such as "skipped+overflow". */
void stem_take_reason_words(uint32_t reasons, char *text, size_t size);

#endif
