/* A new title for a finished take: in its manifest, its folder's name and its files' names. */
#ifndef STEM_TAKE_RENAME_H
#define STEM_TAKE_RENAME_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>

/* Renames the take in `folder`. Where the old title stands in the folder's name or a file's, the
 * new one takes its place; a folder's name without it becomes DATE_TIME_TITLE_TEMPObpm, files keep
 * theirs, and keep them all when somebody saved a project that tells them. The new path goes to
 * `path`. Nothing is overwritten. SHA256SUMS is set aside (sums_check.h); `*was_finished` tells
 * that the take had been finished, and ought to be again (finish.h). Refuses a take that is being
 * recorded or worked on, one that was damaged since, and a title of which nothing is left in a
 * name. 0, or -1 with `error`. Any one thread. */
int stem_take_rename(const char *folder, const char *title, char *path, size_t size,
    bool *was_finished, struct stem_error *error);

#endif
