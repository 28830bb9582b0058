/* One file of an export: converted, then compared with what it was made from. */
#ifndef STEM_EXPORT_FILE_H
#define STEM_EXPORT_FILE_H

#include "error.h"
#include "stem_file.h"
#include "work_progress.h"

struct stem_export_file {
    const char *from;           /* path */
    struct stem_file_params to; /* path and format; rate and channels must be those of `from` */
    bool exact;                 /* samples must come out as they are */
    bool dither;                /* integers only */
    uint64_t seed;              /* of the dither */
    stem_work_progress *progress;
    void *data;
    uint64_t frames; /* that `from` must have */
    /* results */
    uint64_t clips;
};

/* Writes and compares. 0, or -1 with `error` ("interrupted" too); the file may be there then. */
int stem_export_file_write(struct stem_export_file *file, struct stem_error *error);

#endif
