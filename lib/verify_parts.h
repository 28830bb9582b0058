/* The inside of a verification: verify.c leads, verify_files.c opens and reads, verify_judge.c says
 * what it means; verify_neighbours.c looks for its other parts; verify_copies.c finds the second
 * copy, verify_mirror.c compares with it. */
#ifndef STEM_VERIFY_PARTS_H
#define STEM_VERIFY_PARTS_H

#include "survey_parts.h"
#include "take_reader.h"
#include "verify.h"

/* One file while it is read. */
struct verify_source {
    struct stem_take_source *in; /* of the reader */
    struct stem_verify_file *file;
    bool told_damage; /* these have been told already */
    bool loud_in_gap;
    uint64_t bad_count; /* samples that are infinite or not a number */
    uint64_t bad_frame; /* the first of them */
};

struct verify_check {
    struct stem_verify_report *report;
    const char *folder;
    struct stem_take_reader reader;
    struct verify_source *sources; /* as the reader's */
    bool null_possible;
    struct stem_survey survey; /* only for the residual */
    struct survey_null null;
    size_t gap;     /* first gap that does not end before the block */
    bool no_memory; /* a sentence is missing */
};

/* Sentences for the report, copied; without memory for one the check is marked. */
void verify_problem(struct verify_check *check, const char *format, ...) STEM_PRINTF(2, 3);
void verify_remark(struct verify_check *check, const char *format, ...) STEM_PRINTF(2, 3);

/* Opens every file and compares its form with the manifest; what is wrong becomes a problem. 0, or
 * -1 with `error` without memory. */
int verify_open_files(struct verify_check *check, struct stem_error *error);

/* Reads the next block of every file and checks it. False when all files have ended. */
bool verify_read_block(struct verify_check *check);

void verify_close_files(struct verify_check *check);

/* Adds what was found after everything has been read. */
void verify_judge(struct verify_check *check);

/* Looks for the parts before and after this one, and whether one ends where the other begins. What
 * is missing is a remark. */
void verify_neighbours(struct verify_check *check);

/* A folder with audio of the same take on another disk. */
struct verify_copy {
    char *folder;
    struct stem_take take;
};

/* Empty when all zero. */
struct verify_copies {
    struct verify_copy *copies;
    size_t count;
    bool no_memory; /* one is missing */
};

/* Finds all parts of the take in its mirror's folder, and those in which they go on elsewhere. */
void verify_copies_find(struct verify_copies *copies, const struct stem_take *take);

void verify_copies_finish(struct verify_copies *copies);

/* Holds the take against its mirror, if it has one, frame by frame of the common timeline, however
 * either is divided into parts: other samples outside of both takes' gaps are a problem, frames
 * without a copy or gaps of the mirror's own a remark. */
void verify_mirror(struct verify_check *check);

#endif
