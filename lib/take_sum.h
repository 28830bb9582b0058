/* The sum of a take's stems as one file: what its mix ought to be. Added in double precision. */
#ifndef STEM_TAKE_SUM_H
#define STEM_TAKE_SUM_H

#include "error.h"
#include "format.h"
#include "work_progress.h"

#include <stdbool.h>
#include <stdint.h>

struct stem_take_sum_params {
    const char *target; /* path; must be free */
    enum stem_container container;
    bool is_encoding_given; /* else the take's */
    enum stem_encoding encoding;
};

struct stem_take_sum_report {
    uint64_t frames;
    uint32_t channels;
    enum stem_container container;
    enum stem_encoding encoding;
    double peak;    /* of the sum, 1.0 = full scale */
    uint64_t clips; /* samples beyond the full scale of an integer encoding */
};

/* Adds the stems of the take in `folder`; mono ones count to every channel. The file appears when
 * it is complete, with the take's time reference and tempo. 0, or -1 with `error`: no take, a file
 * that has not the take's length or cannot be read, stems of different widths, "interrupted". Any
 * one thread. */
int stem_take_sum_write(const char *folder, const struct stem_take_sum_params *params,
    stem_work_progress *progress, void *data, struct stem_take_sum_report *report,
    struct stem_error *error);

#endif
