/* Gathering: a new file whose many small appends become few large writes.
 *
 * It stands below libsndfile (sf_open_virtual), which writes audio in 8 KiB pieces and rewrites the
 * header in place. Appended bytes are gathered; anything else goes straight to the file. Long runs
 * of zeros may be left out as holes. After an error the file ends where the last successful write
 * ended. Writer thread.
 */
#ifndef STEM_GATHER_H
#define STEM_GATHER_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stem_gather;

/* Creates a file that must not exist. NULL and `error` (with the path) when that fails. */
struct stem_gather *stem_gather_create(const char *path, struct stem_error *error);

/* Flushes, with `sync` waits for the disk, closes, frees; NULL is allowed. 0, or the errno of the
 * first failure in the file's life. */
int stem_gather_close(struct stem_gather *gather, bool sync);

/* File interface with a cursor, as libsndfile wants it. */
int64_t stem_gather_length(const struct stem_gather *gather);
int64_t stem_gather_seek(struct stem_gather *gather, int64_t offset, int whence);
int64_t stem_gather_tell(const struct stem_gather *gather);
int64_t stem_gather_read(struct stem_gather *gather, void *bytes, int64_t size);
int64_t stem_gather_write(struct stem_gather *gather, const void *bytes, int64_t size);

/* While on, appended blocks of zeros become holes. */
void stem_gather_allow_holes(struct stem_gather *gather, bool allow);

/* Hands gathered bytes to the kernel; waits for the disk. 0 or -1. */
int stem_gather_flush(struct stem_gather *gather);
int stem_gather_sync(struct stem_gather *gather);

/* Starts writing to the disk what was flushed, and gives back the page cache of what was started
 * the last time: the disk works evenly, and the cache is left to others. Call it about once a
 * second. */
void stem_gather_write_back(struct stem_gather *gather);

/* Shortens the file to `length` bytes, also after a failure. 0 or -1. */
int stem_gather_cut(struct stem_gather *gather, int64_t length);

/* Length up to which the kernel has the bytes (holes count). */
int64_t stem_gather_stored(const struct stem_gather *gather);

/* The file's descriptor, for questions about the file itself; it stays the gatherer's. */
int stem_gather_descriptor(const struct stem_gather *gather);

/* errno of the first failure, 0 when there was none. */
int stem_gather_problem(const struct stem_gather *gather);

#endif
