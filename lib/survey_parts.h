/* The inside of a survey: survey.c leads, survey_meter.c measures one file, survey_null.c follows
 * the residual and keeps what explains it, survey_hint.c finds the words. */
#ifndef STEM_SURVEY_PARTS_H
#define STEM_SURVEY_PARTS_H

#include "survey.h"
#include "take_reader.h"

/* One file */

struct survey_meter;

/* Meters for a file; `columns` has room for the whole survey, of `column_frames` each, and is
 * borrowed. NULL without memory. */
struct survey_meter *survey_meter_create(const struct stem_audio_info *info,
    struct stem_survey_column *columns, size_t column_count, uint64_t column_frames);
void survey_meter_destroy(struct survey_meter *meter);

/* Adds frames; samples that are not finite are replaced with silence in place. */
void survey_meter_add(struct survey_meter *meter, double *interleaved, size_t frames);

void survey_meter_result(struct survey_meter *meter, struct stem_survey_file *file);

/* The residual */

/* A passage in which the residual is large, kept to find out why: interleaved floats. */
struct survey_window {
    uint64_t from;
    size_t frames;
    double energy;   /* of the residual */
    float *mix;      /* owns the memory of all */
    float **sources; /* the stems */
};

enum {
    SURVEY_WINDOWS = 3,           /* the worst ones that are kept */
    SURVEY_WINDOW_FRAMES = 24576, /* longer than twice the largest delay that is looked for */
};

struct survey_null {
    const struct stem_take_reader *reader;
    struct stem_null_test *test;
    struct stem_survey *survey; /* whose seconds are filled */
    double second_energy;       /* of the second that is running */
    double second_peak;
    uint64_t second_frames;
    uint64_t wrong_frames; /* with a residual beyond the bound */
    uint64_t first_wrong, last_wrong;
    struct survey_window windows[SURVEY_WINDOWS + 1]; /* the last one is being filled */
    bool filling;
    bool no_memory;
};

/* Prepares for a take that can be null tested; -1 without memory. In any case to be finished. */
int survey_null_init(
    struct survey_null *null, const struct stem_take_reader *reader, struct stem_survey *survey);
void survey_null_finish(struct survey_null *null);

/* Adds the reader's block. */
void survey_null_add(struct survey_null *null);

/* Fills the survey's residual, without the hint. */
void survey_null_result(struct survey_null *null, struct stem_null_result *result);

/* What explains a residual beyond the bound, as one sentence; owned by the caller, NULL without
 * memory. */
char *survey_hint(const struct survey_null *null, const struct stem_null_result *result);

#endif
