/* The page that goes with a take: report.html, one self-contained file for whoever receives the
 * folder.
 *
 * It opens from disk in any browser without a network: what the take is, what happened when, each
 * file's waveform and levels, the null test, and players of the folder's own files. Its looks and
 * behaviour are report/page.html, page.css and the scripts there, put into the program when it is
 * built (report/embed.py); the take comes in as one block of JSON, whose form report_data.c tells.
 */
#ifndef STEM_REPORT_H
#define STEM_REPORT_H

#include "error.h"
#include "survey.h"
#include "take.h"

#define STEM_REPORT_FILE "report.html"

/* Writes FOLDER/report.html atomically (a temporary file, synced, renamed). Levels and residual are
 * the survey's; without one (NULL) they are the manifest's and there are no waveforms. Texts of the
 * take may hold anything: they stay texts. 0, or -1 with `error` that names the file. Any one
 * thread. */
int stem_report_write(const char *folder, const struct stem_take *take,
    const struct stem_survey *survey, struct stem_error *error);

#endif
