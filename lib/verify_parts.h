/* The inside of a verification: verify.c leads, verify_files.c opens and reads, verify_judge.c says
 * what it means. */
#ifndef STEM_VERIFY_PARTS_H
#define STEM_VERIFY_PARTS_H

#include "audio_reader.h"
#include "null_test.h"
#include "verify.h"

/* One file while it is read. */
struct verify_source {
    const struct stem_take_stem *stem;
    struct stem_verify_file *file;
    struct stem_audio_reader *reader; /* NULL: could not be opened */
    struct stem_audio_info info;
    double *block;      /* block_frames frames; silent behind the file's end */
    bool ended;         /* nothing more can be read */
    bool loud_in_gap;   /* told already */
    uint64_t bad_count; /* samples that are infinite or not a number */
    uint64_t bad_frame; /* the first of them */
};

struct verify_check {
    struct stem_verify_report *report;
    const char *folder;
    struct verify_source *sources; /* stems in order, then the mix */
    size_t count;
    size_t block_frames;
    const double **stem_blocks;
    struct stem_null_test *null_test; /* NULL: not possible */
    uint64_t null_frames;             /* length that all files have in common */
    size_t gap;                       /* first gap that does not end before the block */
    bool no_memory;                   /* a sentence is missing */
};

/* Sentences for the report, copied; without memory for one the check is marked. */
void verify_problem(struct verify_check *check, const char *format, ...) STEM_PRINTF(2, 3);
void verify_remark(struct verify_check *check, const char *format, ...) STEM_PRINTF(2, 3);

/* Opens every file and compares its form with the manifest; what is wrong becomes a problem. 0, or
 * -1 with `error` without memory. */
int verify_open_files(struct verify_check *check, struct stem_error *error);

/* Reads the next block, from frame `from` on, of every file. False when all files have ended. */
bool verify_read_block(struct verify_check *check, uint64_t from);

void verify_close_files(struct verify_check *check);

/* Adds what was found after everything has been read. */
void verify_judge(struct verify_check *check);

#endif
