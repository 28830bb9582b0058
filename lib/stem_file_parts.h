/* The inside of a stem file, shared by its opening (stem_file_open.c), its life (stem_file.c), and
 * the end of FLAC files (stem_file_flac.c).
 */
#ifndef STEM_FILE_PARTS_H
#define STEM_FILE_PARTS_H

#include "gather.h"
#include "stem_file.h"

#include <sndfile.h>
#include <stdbool.h>
#include <stdint.h>

/* Opens libsndfile on `gather`, which is borrowed, and writes the whole header. NULL and `error`
 * when that is not possible. */
SNDFILE *stem_file_open_sound(
    struct stem_gather *gather, const struct stem_file_params *params, struct stem_error *error);

/* A FLAC file whose encoder is gone. */
struct stem_flac {
    struct stem_gather *gather;
    int64_t audio_at; /* offset of the first block */
    uint32_t block_frames;
    uint32_t channels;
    uint32_t bits;
};

/* Frames of a block, as the head says; 0 when it cannot be read. */
uint32_t stem_file_flac_block(struct stem_gather *gather);

/* After a failure: ends the file with its last whole block, and sets its head right. Returns the
 * frames in it, of which the encoder was given `most_frames`. */
uint64_t stem_file_flac_settle(const struct stem_flac *flac, uint64_t most_frames);

/* Shortens the file to `frames`, a multiple of the block's that is in it. False when it cannot be
 * read or cut: then it is as it was. */
bool stem_file_flac_cut(const struct stem_flac *flac, uint64_t frames);

#endif
