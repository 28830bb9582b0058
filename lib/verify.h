/* Verification of a finished take: does the folder hold what the manifest says, and do the stems
 * add up to the mix?
 *
 * The null test subtracts all stems from the mix, over the length that all files have in common. It
 * passes when the residual's peak stays at or below a bound computed from what the encodings and
 * single precision can represent; null_test.h has the formula.
 */
#ifndef STEM_VERIFY_H
#define STEM_VERIFY_H

#include "error.h"
#include "take.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stem_verify_file {
    char *name; /* stem's name; "Mix" for the reference */
    char *file;
    uint64_t frames; /* that can be read */
    uint64_t clips;  /* as the manifest counted them */
    double peak;     /* measured from the file, 1.0 = full scale; what is not finite is left out */
    bool silent;     /* every sample is zero */
};

struct stem_verify_report {
    struct stem_take take;
    struct stem_verify_file *files; /* stems in order, then the mix if there is one, extras */
    size_t file_count;
    char **problems; /* one sentence each; empty when the take is right */
    size_t problem_count;
    char **remarks; /* worth knowing, not wrong: gaps, clips, silence, low headroom, unfinished */
    size_t remark_count;
    bool null_tested; /* there was a mix, all files could be read and have fitting channels */
    bool null_passed;
    double residual_peak; /* linear; infinite when a sample is not finite */
    double residual_rms;
    uint64_t residual_peak_frame; /* where the peak is, from the take's start */
    double null_bound;            /* linear */
};

/* Progress from 0 to 1; return false to stop (verify then fails with "interrupted"). */
typedef bool stem_verify_progress(double done, void *data);

/* Reads and checks everything in `folder`: manifest, each file's presence, format, rate, channels,
 * length, silence inside the gaps, peaks, the null test, and the same samples in the mirror. A take
 * that is not finished only has to be as long as its manifest says so far. Returns 0 when the
 * report could be made (it is right when problem_count is 0; a failed null test is a problem), -1
 * with `error` when not even the manifest can be read, without memory, or when `progress` (may be
 * NULL, called about every percent) said stop. The report owns nothing then. Raises the limit of
 * open files. Any one thread.
 */
int stem_verify_folder(const char *folder, stem_verify_progress *progress, void *data,
    struct stem_verify_report *report, struct stem_error *error);

/* Frees what the report owns. */
void stem_verify_report_finish(struct stem_verify_report *report);

#endif
