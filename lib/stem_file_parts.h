/* The inside of a stem file, shared by its opening (stem_file_open.c) and its life (stem_file.c).
 */
#ifndef STEM_FILE_PARTS_H
#define STEM_FILE_PARTS_H

#include "gather.h"
#include "stem_file.h"

#include <sndfile.h>

/* Opens libsndfile on `gather`, which is borrowed, and writes the whole header. NULL and `error`
 * when that is not possible. */
SNDFILE *stem_file_open_sound(
    struct stem_gather *gather, const struct stem_file_params *params, struct stem_error *error);

#endif
