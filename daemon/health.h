/* Health: green, yellow, red, before anything is lost. A pure function; control asks it once a
 * second and for /status. Any thread.
 */
#ifndef STEMD_HEALTH_H
#define STEMD_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

enum stem_grade {
    STEM_GREEN,  /* nothing to do */
    STEM_YELLOW, /* look into it: nothing is lost yet */
    STEM_RED,    /* act now: something is lost, or soon will be */
};

/* What is known; seconds unless it says otherwise. */
struct stem_health_facts {
    bool is_recording;
    bool is_on_server;
    bool has_answered;      /* JACK's library returns from its calls */
    double tape_seconds;    /* size */
    double tape_used;       /* 0 … 1, now */
    double tape_most_used;  /* 0 … 1, at most in this take */
    double stalled_seconds; /* the writer has been waiting for the disk for so long; 0: not */
    double slowest_write;   /* longest pause between writes in this take */
    double slowest_sync;    /* longest wait until data was on the disk in this take */
    double disk_seconds;    /* how long the disk lasts at the take's rate; negative: not known */
    double disk_warning;    /* as configured */
    unsigned long long overflows; /* frames lost because the tape was full, in this take */
    bool was_moved;               /* somebody moved folder or files of this take */
    bool was_removed;             /* … removed them: what they had is lost */
    bool is_single;               /* one of the two copies of this take could not go on, or begin */
    /* The mirror's own; as above. 0, and an unknown disk, without one. */
    bool mirror_was_moved; /* or removed */
    double mirror_stalled_seconds;
    double mirror_disk_seconds;
    unsigned long long mirror_overflows;
};

struct stem_health {
    enum stem_grade tape;
    enum stem_grade writer;
    enum stem_grade disk;
    enum stem_grade server;
    enum stem_grade mirror; /* never red: what it is the mirror of is not lost */
    enum stem_grade worst;
};

struct stem_health stem_health_of(const struct stem_health_facts *facts);

/* Whether something is worse now, or all in all better: worth telling. */
bool stem_health_is_news(const struct stem_health *now, const struct stem_health *before);

/* One sentence about the worst part; "" when all is green. */
void stem_health_sentence(const struct stem_health_facts *facts, const struct stem_health *health,
    char *text, size_t size);

/* "green", "yellow", "red". */
const char *stem_grade_name(enum stem_grade grade);

#endif
