/* Files and folders that appear all at once: made under a hidden name, then put into their place,
 * where nothing is overwritten. What is interrupted leaves nothing. Any one thread.
 */
#ifndef STEM_PLACE_H
#define STEM_PLACE_H

#include "error.h"

#include <stddef.h>

/* The hidden name beside `path`: "DIR/.NAME.part". 0, or -1 with `error`. */
int stem_place_hidden(const char *path, char *hidden, size_t size, struct stem_error *error);

/* Whether anything has that path already; then -1 with `error`, else 0. */
int stem_place_free(const char *path, struct stem_error *error);

/* Gives what is at `hidden` its name `path`, if that is still free, and waits until the name is on
 * the disk. 0, or -1 with `error`. */
int stem_place_put(const char *hidden, const char *path, struct stem_error *error);

/* Removes a file, or a folder with everything in it; no matter if it is not there. */
void stem_place_remove(const char *path);

#endif
