/* Finishing a take: what turns a folder of files into a delivery.
 *
 * Measures everything (survey.h), puts markers and loudness into the files, completes take.json,
 * and writes README.txt, markers, MIDI file, projects for Reaper and Ardour, report.html, and
 * SHA256SUMS last. Audio is never changed, nor is a project that somebody changed. Each file is
 * replaced as a whole, so the folder is a valid take at every moment; an interrupted finish leaves
 * no SHA256SUMS. Doing it again gives the same files but for the time.
 */
#ifndef STEM_FINISH_H
#define STEM_FINISH_H

#include "error.h"
#include "take.h"

#include <stdbool.h>
#include <stddef.h>

/* Called now and then with the part that is done, 0 … 1, and what is done now ("check" when
 * it was finished before, "measure", "mark", "describe", "sum up"); false interrupts. */
typedef bool stem_finish_progress(double done, const char *step, void *data);

struct stem_finish_report {
    struct stem_take take; /* as it was saved */
    char **remarks;        /* a sentence each: worth knowing, or something could not be added */
    size_t remark_count;
};

/* Finishes the take in `folder`. A take that is being recorded, or being finished by somebody else,
 * is refused; so is one with an audio file that is not what its SHA256SUMS says (sums_check.h),
 * unless `accept` is set: then it is taken as it is. 0, or -1 with `error`; the report owns nothing
 * then. Any one thread. */
int stem_finish_folder(const char *folder, bool accept, stem_finish_progress *progress, void *data,
    struct stem_finish_report *report, struct stem_error *error);

void stem_finish_report_finish(struct stem_finish_report *report);

#endif
