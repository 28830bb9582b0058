/* Recovery: completing a take whose recorder died, by SIGKILL, a crash or a power cut.
 *
 * What is on the disk is kept, to the last whole frame of the longest file. Shorter files are
 * filled up with silence, so that all end together; where a file's audio ends early or is known to
 * be missing, the manifest lists a gap with the reason "recovered". Such a gap says "not every file
 * is complete here": the files that have the audio keep it. Headers are set right in place, audio
 * is never moved or changed (a FLAC file with damage inside is copied frame by frame and replaced).
 *
 * What stands under the name of one of its files and is none that the recorder made (another
 * format, a link, a text) is left as it is, and told; the other files are completed.
 *
 * A take that was finished is not touched at all, neither is one that is being recorded: its
 * recorder holds the lock of take_lock.h. Recovery may itself be killed and begun again: the
 * manifest says "recording" until everything else is on the disk.
 */
#ifndef STEM_RECOVER_H
#define STEM_RECOVER_H

#include "error.h"
#include "take.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stem_recover_outcome {
    STEM_RECOVER_COMPLETED, /* the take was unfinished and is complete now */
    STEM_RECOVER_FINISHED,  /* it had been finished before: nothing was done */
    STEM_RECOVER_BUSY,      /* it is being recorded, or recovered by somebody else */
    STEM_RECOVER_NO_TAKE,   /* the folder is no take */
};

struct stem_recover_report {
    enum stem_recover_outcome outcome;
    struct stem_take take;  /* as it is now; empty unless completed or finished */
    uint64_t listed_frames; /* length that the manifest knew of before */
    uint64_t gap_frames;    /* newly listed as "recovered" */
    bool rebuilt;           /* the manifest could not be read; it was made anew from the files */
    char **remarks;         /* what was done and what could not be: one sentence each */
    size_t remark_count;
};

/* Completes the take in `folder`. Returns 0 with a report (see `outcome`), or -1 with `error` when
 * it cannot be completed (no permission, disk full, a manifest of a newer version, …): the audio is
 * then as it was. The report owns nothing after -1. Reads what the manifest does not know yet of
 * every file, and FLAC files wholly; holds one file open at a time. Any one thread. */
int stem_recover_folder(
    const char *folder, struct stem_recover_report *report, struct stem_error *error);

/* Frees what the report owns. */
void stem_recover_report_finish(struct stem_recover_report *report);

/* Whether `folder` looks like an unfinished take: a manifest that says so or cannot be read. Does
 * not tell whether it is being recorded. Any thread. */
bool stem_recover_wanted(const char *folder);

/* Receives what happened to one take: a report, or NULL and an error. Both are gone afterwards.
 * Returns false to stop. */
typedef bool stem_recover_each(void *data, const char *folder,
    const struct stem_recover_report *report, const struct stem_error *error);

/* Completes every unfinished take in the folder `takes`, in the order of their names. Calls `each`
 * for those that were unfinished (also when they turn out to be recorded just now), and for nothing
 * else. 0, or -1 with `error` when the folder cannot be read. Any one thread. */
int stem_recover_all(
    const char *takes, stem_recover_each *each, void *data, struct stem_error *error);

/* Receives one sentence per take that was completed or could not be, for a log. */
typedef void stem_recover_log(void *data, bool is_problem, const char *sentence);

/* Completes every unfinished take in the folder `takes`; skips what is no take, symbolic links, and
 * takes that are being recorded. Returns how many were completed. Never fails as a whole; takes as
 * long as the audio needs to be read. Ends early when `*stop` (may be NULL) becomes true between
 * takes. Any one thread: meant for a thread or a child process of its own. */
size_t stem_recover_takes(
    const char *takes, stem_recover_log *log, void *data, const volatile bool *stop);

#endif
