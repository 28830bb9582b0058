/* Reading all files of a take side by side, block by block: what verification and survey share.
 * Memory does not depend on the take's length. Any one thread.
 */
#ifndef STEM_TAKE_READER_H
#define STEM_TAKE_READER_H

#include "audio_reader.h"
#include "error.h"
#include "null_test.h"
#include "take.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stem_take_source {
    const struct stem_take_stem *stem; /* of the manifest */
    struct stem_audio_reader *reader;  /* NULL: not open */
    struct stem_audio_info info;
    double *block; /* interleaved, block_frames frames; silent behind the file's end */
    size_t got;    /* frames of the block that came from the file */
    bool ended;    /* nothing more can be read */
    bool damaged;  /* it ended before the length that its header tells */
};

struct stem_take_reader {
    const struct stem_take *take;     /* borrowed */
    const char *folder;               /* borrowed */
    struct stem_take_source *sources; /* stems in order, the mix if there is one, extras */
    size_t count;
    size_t block_frames;
    const double **blocks; /* of the sources; NULL where none is open */
    uint64_t from;         /* first frame of the block */
    uint64_t next;         /* first frame of the next block */
};

/* Prepares for all files of the take; none is open yet. Raises the limit of open files. 0, or -1
 * without memory. In any case to be finished. */
int stem_take_reader_init(
    struct stem_take_reader *reader, const char *folder, const struct stem_take *take);
void stem_take_reader_finish(struct stem_take_reader *reader);

/* Opens one file. 0, or -1 with `error` (with the path). */
int stem_take_reader_open(struct stem_take_reader *reader, size_t k, struct stem_error *error);

/* Makes the blocks, once all files that shall be read are open. 0, or -1 without memory. */
int stem_take_reader_make_blocks(struct stem_take_reader *reader);

/* Reads the next block of every open file. False when all have ended. */
bool stem_take_reader_next(struct stem_take_reader *reader);

/* Length of the longest open file, in frames. */
uint64_t stem_take_reader_longest(const struct stem_take_reader *reader);

/* The first stem that is neither mono nor as wide as the mix, or NULL. Asks for an open mix. */
const struct stem_take_source *stem_take_reader_misfit(const struct stem_take_reader *reader);

/* Whether a null test is possible: a mix and stems, all open, all of fitting widths. */
bool stem_take_reader_can_null(const struct stem_take_reader *reader);

/* A null test of the blocks, when it is possible; NULL without memory. */
struct stem_null_test *stem_take_reader_null_test(const struct stem_take_reader *reader);

/* Frames of the block, from its first on, that all files of the null test have. */
size_t stem_take_reader_null_frames(const struct stem_take_reader *reader);

/* Where the take was recovered some files have audio and others have not, so nothing can be
 * compared: whether the block reaches into such a place; and silencing it there. */
bool stem_take_reader_meets_recovered(const struct stem_take_reader *reader);
void stem_take_reader_blank_recovered(struct stem_take_reader *reader);

#endif
