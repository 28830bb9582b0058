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

#endif
