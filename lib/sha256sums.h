/* SHA256SUMS of a folder, as sha256sum writes and checks it. */
#ifndef STEM_SHA256SUMS_H
#define STEM_SHA256SUMS_H

#include "error.h"

#include <stdbool.h>

#define STEM_SHA256SUMS "SHA256SUMS"

/* Called now and then with the part of the bytes that is done, 0 … 1; false interrupts. */
typedef bool stem_sha256sums_progress(double done, void *data);

/* Writes FOLDER/SHA256SUMS: every ordinary file in the folder, in the order of the names, but
 * itself and hidden ones. 0, or -1 with `error` (a file cannot be read, no memory, "interrupted");
 * then a former one is still there. Any one thread. */
int stem_sha256sums_write(
    const char *folder, stem_sha256sums_progress *progress, void *data, struct stem_error *error);

enum stem_sha256sums_verdict {
    STEM_SHA256SUMS_SAME,
    STEM_SHA256SUMS_CHANGED,
    STEM_SHA256SUMS_UNKNOWN, /* the list does not tell, or there is no such file */
};

/* Compares FOLDER/NAME with what the list FOLDER/SUMS says. 0, or -1 with `error` (a file cannot be
 * read, no memory, "interrupted"). Any one thread. */
int stem_sha256sums_compare(const char *folder, const char *sums, const char *name,
    stem_sha256sums_progress *progress, void *data, enum stem_sha256sums_verdict *verdict,
    struct stem_error *error);

/* Sets the sum of FOLDER/NAME anew in FOLDER/SHA256SUMS, which lists it; other lines stay. 0, or -1
 * with `error`. Any one thread. */
int stem_sha256sums_renew(const char *folder, const char *name, struct stem_error *error);

#endif
