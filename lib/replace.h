/* Replacing a file as a whole: at every moment, also when the machine loses its power, the old one
 * or the new one is there, complete. Any thread that may wait for the disk.
 */
#ifndef STEM_REPLACE_H
#define STEM_REPLACE_H

#include "error.h"

#include <stddef.h>
#include <stdio.h>

/* Writes FOLDER/NAME through a temporary file ".NAME.new" in the same folder, which is synced and
 * renamed. 0, or -1 with `error` (which names the file); then the old one is still there. */
int stem_replace_file(
    const char *folder, const char *name, const void *bytes, size_t size, struct stem_error *error);

/* The same without waiting for the disk, for what can be made again: a reader always finds the old
 * file or the new one, but a power cut may leave an old or an empty one. */
int stem_replace_soon(
    const char *folder, const char *name, const void *bytes, size_t size, struct stem_error *error);

/* Writes what goes into a stream. */
typedef void stem_replace_put(FILE *out, const void *data);

/* stem_replace_file with what `put` writes for `data`. */
int stem_replace_text(const char *folder, const char *name, stem_replace_put *put, const void *data,
    struct stem_error *error);

/* Removes FOLDER/NAME; no matter if it is not there. 0, or -1 with `error`. */
int stem_replace_remove(const char *folder, const char *name, struct stem_error *error);

/* Waits until the folder's entries are on the disk. 0, or -1 and errno. */
int stem_replace_sync_folder(const char *folder);

/* The same for the folder that a path lies in. */
int stem_replace_sync_parent(const char *path);

#endif
