/* The survey of a finished take: everything that is measured from its files, in one pass.
 *
 * Levels follow EBU R 128 and ITU-R BS.1770 (libebur128); the overview is what a waveform display
 * needs; the residual is that of the null test, second by second. Reads files only. Any one thread.
 */
#ifndef STEM_SURVEY_H
#define STEM_SURVEY_H

#include "error.h"
#include "take.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A waveform has at most this many columns, whatever the take's length. */
enum { STEM_SURVEY_COLUMNS = 2000 };

/* One column of a waveform: over all channels of `frames_per_column` frames; 1.0 = full scale. */
struct stem_survey_column {
    float min;
    float max;
    float rms;
};

struct stem_survey_file {
    struct stem_take_levels levels;
    double peak;                        /* largest magnitude, 1.0 = full scale */
    uint64_t frames;                    /* that could be read */
    uint64_t bad_samples;               /* infinite or not a number; taken for silence */
    struct stem_survey_column *columns; /* `columns` of the survey */
};

struct stem_survey {
    struct stem_survey_file *files; /* the take's stems, then its mix if it has one, then extras */
    size_t file_count;
    size_t columns;             /* 0 for an empty take */
    uint64_t frames_per_column; /* the last column may be shorter */
    float *residual_rms;        /* of each second; NULL without a mix or when widths differ */
    float *residual_peak;
    size_t seconds;
    struct stem_take_residual residual;
};

/* Called now and then with the part that is done, 0 … 1; false interrupts. */
typedef bool stem_survey_progress(double done, void *data);

/* Measures the take in `folder`, whose manifest is `take`. 0, or -1 with `error` (a file cannot be
 * read, no memory, interrupted); `survey` is empty then. */
int stem_survey_folder(const char *folder, const struct stem_take *take,
    stem_survey_progress *progress, void *data, struct stem_survey *survey,
    struct stem_error *error);

/* Frees what the survey owns and empties it. */
void stem_survey_finish(struct stem_survey *survey);

#endif
