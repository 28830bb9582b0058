/* The tags of FLAC files ("Vorbis comments"): what a file is called and where it belongs, for
 * players and workstations that get it without its folder.
 *
 * They stand before the audio. A new file holds the place for them in its comment: blanks, which
 * become tags and padding when the take is finished, when all is known.
 */
#ifndef STEM_FLAC_TAGS_H
#define STEM_FLAC_TAGS_H

#include "error.h"
#include "take.h"

#include <stddef.h>

/* Blanks to put into the comment of a new file; with them all stands on the file's first page. */
enum { STEM_FLAC_TAGS_BLANKS = 3072 };

/* Renews the tags of a finished FLAC file in place: the stem, its take, tempo and key. `number`
 * counts the take's files from 1. A file that was made without the place for them, or is no FLAC
 * file, is left as it is; so is one that says the same already. 0, or -1 with `error`. Any one
 * thread. */
int stem_flac_tags_renew(
    const char *path, struct stem_take *take, size_t number, struct stem_error *error);

#endif
