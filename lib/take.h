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
};

struct stem_take_stem {
    char *name; /* as configured, UTF-8 */
    char *file; /* name inside the folder */
    uint32_t channels;
    uint32_t inputs; /* ports summed into a channel at most; 0: unknown */
    uint64_t frames; /* length of the file */
    uint64_t clips;  /* samples that saturated while converting */
    double peak;     /* largest magnitude, 1.0 = full scale */
    bool muted;      /* was muted when the take started */
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
    char *failure; /* NULL unless failed */
    char *title;   /* "" when none was given */
    char *key;     /* musical key, "" when unknown */
    double tempo_bpm; /* 0 when unknown */
    char *started;    /* ISO 8601 local time with offset, of the first frame */
    char *recorder;   /* "stemd 0.1.0" */
    char *previous;   /* folder name of the take that this one continues (split), or NULL */
    uint32_t rate_hz;
    uint64_t start_frame; /* absolute JACK frame of the first sample */
    uint64_t frames;      /* length so far */
    enum stem_container container;
    enum stem_encoding encoding;
    bool has_mix;                 /* then `mix` is the reference */
    struct stem_take_stem mix;
    struct stem_take_stem *stems; /* in configured order */
    size_t stem_count;
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
int stem_take_add_stem(struct stem_take *take, const char *name, const char *file, uint32_t channels);
int stem_take_add_gap(struct stem_take *take, uint64_t frame, uint64_t frames, uint32_t reasons);
int stem_take_add_xrun(struct stem_take *take, uint64_t frame, double delay_us);
int stem_take_add_marker(struct stem_take *take, uint64_t frame, const char *text);

/* Replaces an owned string with a copy (NULL allowed); 0 or -1 without memory. */
int stem_take_set_string(char **field, const char *value);

/* Sum of all gaps' frames. */
uint64_t stem_take_gap_frames(const struct stem_take *take);

/* Writes FOLDER/take.json atomically. 0, or -1 with `error`. Writer thread, or a stemctl command. */
int stem_take_save(const struct stem_take *take, const char *folder, struct stem_error *error);

/* Reads FOLDER/take.json into an empty `take`. 0, or -1 with `error` that names file, place and
 * what was expected. Never trusts the file: sizes, names (no path separators) and ranges are
 * checked. */
int stem_take_load(struct stem_take *take, const char *folder, struct stem_error *error);

/* The words for single reasons, by bit. */
enum { STEM_TAKE_REASONS = 4 };
extern const char *const STEM_TAKE_REASON[STEM_TAKE_REASONS];

/* Words for reasons, in the order of their bits: "skipped", "overflow", "server", "clock". Writes
 * them joined with '+', such as "skipped+overflow". */
void stem_take_reason_words(uint32_t reasons, char *text, size_t size);

#endif
