#include "survey.h"

#include "parallel.h"
#include "survey_parts.h"

#include <stdlib.h>

struct run {
    struct stem_take_reader reader;
    struct survey_meter **meters;
    struct stem_parallel *parallel; /* a file is a piece */
    struct survey_null null;
    bool has_null;
};

static int open_files(struct run *run, struct stem_error *error)
{
    for (size_t k = 0; k < run->reader.count; k++)
        if (stem_take_reader_open(&run->reader, k, error))
            return -1;
    if (stem_take_reader_make_blocks(&run->reader))
        return stem_error_set(error, "no memory to measure \"%s\"", run->reader.folder);
    return 0;
}

/* The overview's grid, from the longest file. */
static void divide(struct stem_survey *survey, uint64_t frames)
{
    survey->frames_per_column = (frames + STEM_SURVEY_COLUMNS - 1) / STEM_SURVEY_COLUMNS;
    if (survey->frames_per_column)
        survey->columns =
            (size_t)((frames + survey->frames_per_column - 1) / survey->frames_per_column);
}

static int make_meters(struct run *run, struct stem_survey *survey)
{
    const size_t count = run->reader.count;
    run->meters = calloc(count + 1, sizeof *run->meters);
    run->parallel = stem_parallel_create(count);
    survey->files = calloc(count + 1, sizeof *survey->files);
    if (!run->meters || !run->parallel || !survey->files)
        return -1;
    survey->file_count = count;
    for (size_t k = 0; k < count; k++) {
        struct stem_survey_file *file = &survey->files[k];
        file->columns = calloc(survey->columns + 1, sizeof *file->columns);
        if (!file->columns)
            return -1;
        run->meters[k] = survey_meter_create(&run->reader.sources[k].info, file->columns,
            survey->columns, survey->frames_per_column);
        if (!run->meters[k])
            return -1;
    }
    return 0;
}

static int make_null(struct run *run, struct stem_survey *survey, uint64_t frames)
{
    run->has_null = stem_take_reader_can_null(&run->reader);
    if (!run->has_null)
        return 0;
    size_t seconds = (size_t)(frames / run->reader.take->rate_hz) + 2;
    survey->residual_rms = calloc(seconds, sizeof *survey->residual_rms);
    survey->residual_peak = calloc(seconds, sizeof *survey->residual_peak);
    if (!survey->residual_rms || !survey->residual_peak)
        return -1;
    return survey_null_init(&run->null, &run->reader, survey);
}

static void measure_file(size_t k, void *data)
{
    struct run *run = data;
    survey_meter_add(run->meters[k], run->reader.sources[k].block, run->reader.sources[k].got);
}

static void measure_block(struct run *run)
{
    bool is_recovered = stem_take_reader_meets_recovered(&run->reader);
    if (run->has_null && !is_recovered)
        survey_null_add(&run->null); /* before bad samples are silenced */
    stem_parallel_run(run->parallel, run->reader.count, measure_file, run);
    if (run->has_null && is_recovered) {
        stem_take_reader_blank_recovered(&run->reader);
        survey_null_add(&run->null);
    }
}

static int read_all(struct run *run, uint64_t frames, stem_survey_progress *progress, void *data,
    struct stem_error *error)
{
    uint64_t step = frames / 1000 + 1, next_told = 0;
    while (run->reader.next < frames && stem_take_reader_next(&run->reader)) {
        measure_block(run);
        if (!progress || run->reader.next < next_told)
            continue;
        next_told = run->reader.next + step;
        double done = (double)run->reader.next / (double)frames;
        if (!progress(done < 1 ? done : 1, data))
            return stem_error_set(error, "interrupted");
    }
    return 0;
}

static int conclude(struct run *run, struct stem_survey *survey)
{
    struct stem_null_result result;
    for (size_t k = 0; k < run->reader.count; k++)
        survey_meter_result(run->meters[k], &survey->files[k]);
    if (!run->has_null)
        return 0;
    survey_null_result(&run->null, &result);
    if (result.passed)
        return 0;
    survey->residual.hint = survey_hint(&run->null, &result);
    return survey->residual.hint ? 0 : -1;
}

static int survey_all(struct run *run, stem_survey_progress *progress, void *data,
    struct stem_survey *survey, struct stem_error *error)
{
    if (open_files(run, error))
        return -1;
    uint64_t frames = stem_take_reader_longest(&run->reader);
    divide(survey, frames);
    if (make_meters(run, survey) || make_null(run, survey, frames))
        return stem_error_set(error, "no memory to measure \"%s\"", run->reader.folder);
    if (read_all(run, frames, progress, data, error))
        return -1;
    if (conclude(run, survey))
        return stem_error_set(error, "no memory to measure \"%s\"", run->reader.folder);
    return 0;
}

int stem_survey_folder(const char *folder, const struct stem_take *take,
    stem_survey_progress *progress, void *data, struct stem_survey *survey,
    struct stem_error *error)
{
    struct run run = {0};
    *survey = (struct stem_survey){0};
    int status = stem_take_reader_init(&run.reader, folder, take)
                     ? stem_error_set(error, "no memory to measure \"%s\"", folder)
                     : survey_all(&run, progress, data, survey, error);
    stem_parallel_destroy(run.parallel);
    for (size_t k = 0; run.meters && k < run.reader.count; k++)
        survey_meter_destroy(run.meters[k]);
    free(run.meters);
    survey_null_finish(&run.null);
    stem_take_reader_finish(&run.reader);
    if (status)
        stem_survey_finish(survey);
    return status;
}

void stem_survey_finish(struct stem_survey *survey)
{
    for (size_t k = 0; survey->files && k < survey->file_count; k++)
        free(survey->files[k].columns);
    free(survey->files);
    free(survey->residual_rms);
    free(survey->residual_peak);
    free(survey->residual.hint);
    *survey = (struct stem_survey){0};
}
