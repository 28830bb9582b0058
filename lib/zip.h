/* A folder as a ZIP file. Audio is stored as it is, since it hardly gets smaller and others can
 * play it from there; texts are compressed. Larger than 4 GiB is fine (ZIP64). Any one thread.
 */
#ifndef STEM_ZIP_H
#define STEM_ZIP_H

#include "error.h"
#include "work_progress.h"

/* Writes the ordinary files of `folder`, which has no folders in it, to the new file `path`, as
 * "NAME/file", in the order of their names, and waits for the disk. 0, or -1 with `error`
 * ("interrupted" too); the file may be there then. */
int stem_zip_write(const char *folder, const char *name, const char *path,
    stem_work_progress *progress, void *data, struct stem_error *error);

#endif
