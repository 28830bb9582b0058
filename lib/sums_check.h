/* Whether a take's audio is still what it was when the take was finished: new sums must not make
 * damage look whole.
 *
 * While a finish changes what it may change in the files, SHA256SUMS is set aside under a hidden
 * name, and goes when there is a new one. After a finish that was interrupted, it still tells of
 * the files that were not touched since; for the others nothing does.
 */
#ifndef STEM_SUMS_CHECK_H
#define STEM_SUMS_CHECK_H

#include "error.h"
#include "sha256sums.h"
#include "take.h"

/* Where it is meanwhile. */
#define STEM_SUMS_ASIDE ".SHA256SUMS"

/* Whether there are any sums to compare with. */
bool stem_sums_check_can(const char *folder);

/* Compares all audio files of the take. 0: none is known to have changed, or there are no sums;
 * `*is_unsure` tells that an interrupted finish touched one of them. -1 with `error`, a sentence
 * that names the first file that has changed, or says what went wrong. `progress` is for the whole.
 * Any one thread. */
int stem_sums_check(const char *folder, struct stem_take *take, stem_sha256sums_progress *progress,
    void *data, bool *is_unsure, struct stem_error *error);

/* Sets SHA256SUMS aside, if there is one; 0, or -1 with `error`. */
int stem_sums_set_aside(const char *folder, struct stem_error *error);

/* Removes what was set aside. */
int stem_sums_forget(const char *folder, struct stem_error *error);

#endif
