/* Projects for other programs, which people open, change and save in the take's folder. What they
 * saved is theirs: it is never written over.
 *
 * A file of ours carries a seal, the word "stemd" and a digest of the whole file. Whatever another
 * program or a text editor does to the file breaks the seal.
 */
#ifndef STEM_PROJECT_FILE_H
#define STEM_PROJECT_FILE_H

#include "error.h"
#include "replace.h"

#include <stdbool.h>

/* Stands once in what is written, before any text of the take's; its zeros become the digest. */
#define STEM_PROJECT_SEAL "stemd 0000000000000000"

enum stem_project_result {
    STEM_PROJECT_FAILED = -1, /* `error` tells why */
    STEM_PROJECT_WRITTEN,
    STEM_PROJECT_KEPT, /* the one that is there is not ours any more */
};

/* Whether FOLDER/NAME is there and is not as we wrote it. A file that cannot be read counts as
 * somebody's. Any thread that may wait for the disk, as all below. */
bool stem_project_is_theirs(const char *folder, const char *name);

/* Writes what `put` writes for `data` to FOLDER/NAME, as a whole, unless that is somebody's. With
 * `wait` it is on the disk then; without, a power cut may leave an old or an empty one. */
enum stem_project_result stem_project_write(const char *folder, const char *name,
    stem_replace_put *put, const void *data, bool wait, struct stem_error *error);

/* Removes FOLDER/NAME unless it is somebody's; no matter if it is not there. */
enum stem_project_result stem_project_remove(
    const char *folder, const char *name, struct stem_error *error);

#endif
