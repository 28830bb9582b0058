/* The data of the page, one JSON object:
 *
 *   take      the manifest (take_json.c) with the survey's levels and lengths; long lists are cut
 * short totals    how long the lists of the take were: gaps, gap_frames, xruns, markers waves one
 * string per file (stems, mix, extras), see report_pack.c; null: not measured bad       per file:
 * how many samples are infinite or not numbers columns, frames_per_column   of the waves residual
 * {seconds_each, db}, see report_pack.c; null: there was nothing to compare
 */
#include "report_parts.h"
#include "take_parts.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More than anybody reads, and few enough for the page to open at once. */
enum { MOST_EVENTS = 2000 };

static size_t file_count(const struct stem_take *take)
{
    return take->stem_count + (take->has_mix ? 1 : 0) + take->extra_count;
}

/* JSON has no infinity, and a file of somebody else may hold one. */
static void bound(double *value)
{
    if (!isfinite(*value))
        *value = DBL_MAX;
}

static void place_levels(
    struct stem_take_stem *file, const struct stem_survey *survey, size_t index)
{
    if (survey && index < survey->file_count) {
        const struct stem_survey_file *found = &survey->files[index];
        file->levels = found->levels;
        file->peak = found->peak;
        file->frames = found->frames;
    }
    bound(&file->peak);
    bound(&file->levels.dc_offset);
}

/* Copies of files with what the survey says of them; `first` is the place of the first one there.
 * They go on borrowing their strings. */
static struct stem_take_stem *measured(const struct stem_take_stem *files, size_t count,
    const struct stem_survey *survey, size_t first)
{
    struct stem_take_stem *copies = calloc(count + 1, sizeof *copies);
    for (size_t f = 0; copies && f < count; f++) {
        copies[f] = files[f];
        place_levels(&copies[f], survey, first + f);
    }
    return copies;
}

static void place_residual(struct stem_take *take, const struct stem_survey *survey)
{
    if (survey && survey->residual.measured)
        take->residual = survey->residual;
    bound(&take->residual.peak);
    bound(&take->residual.rms);
    bound(&take->residual.bound);
    bound(&take->residual.worst_rms);
}

static size_t few(size_t count)
{
    return count < MOST_EVENTS ? count : MOST_EVENTS;
}

/* The manifest as JSON, measured anew; `take` is a copy that borrows everything. */
static json_t *manifest(struct stem_take take, const struct stem_survey *survey)
{
    size_t stems = take.stem_count, mix = take.has_mix ? 1 : 0;
    json_t *object = NULL;
    take.stems = measured(take.stems, stems, survey, 0);
    take.extras = measured(take.extras, take.extra_count, survey, stems + mix);
    if (mix)
        place_levels(&take.mix, survey, stems);
    place_residual(&take, survey);
    take.gap_count = few(take.gap_count);
    take.xrun_count = few(take.xrun_count);
    take.marker_count = few(take.marker_count);
    take.tempo_count = few(take.tempo_count);
    take.clock_count = take.transport_count = 0; /* nothing that the page shows */
    if (take.stems && take.extras)
        object = stem_take_to_json(&take);
    free(take.stems);
    free(take.extras);
    return object;
}

static json_t *totals(const struct stem_take *take)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "gaps", (json_int_t)take->gap_count, "gap_frames",
        (json_int_t)stem_take_gap_frames(take), "xruns", (json_int_t)take->xrun_count, "markers",
        (json_int_t)take->marker_count);
}

/* Owns a packed string, or null. */
static json_t *packed(char *text)
{
    json_t *string = text ? json_string_nocheck(text) : NULL;
    free(text);
    return string;
}

static json_t *waves(const struct stem_take *take, const struct stem_survey *survey)
{
    json_t *array = json_array();
    for (size_t f = 0; f < file_count(take); f++) {
        bool known = survey && f < survey->file_count && survey->files[f].columns;
        json_t *wave =
            known ? packed(stem_report_pack_wave(survey->files[f].columns, survey->columns))
                  : json_null();
        if (json_array_append_new(array, wave)) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *bad_samples(const struct stem_take *take, const struct stem_survey *survey)
{
    json_t *array = json_array();
    for (size_t f = 0; f < file_count(take); f++) {
        uint64_t bad = survey && f < survey->file_count ? survey->files[f].bad_samples : 0;
        json_array_append_new(array, json_integer((json_int_t)bad));
    }
    return array;
}

static json_t *residual(const struct stem_survey *survey)
{
    if (!survey || !survey->residual_rms || !survey->residual_peak || survey->seconds == 0)
        return json_null();
    size_t each = (survey->seconds + STEM_SURVEY_COLUMNS - 1) / STEM_SURVEY_COLUMNS;
    return json_pack("{s:I, s:o}", "seconds_each", (json_int_t)each, "db",
        packed(stem_report_pack_residual(survey, each)));
}

json_t *stem_report_data(const struct stem_take *take, const struct stem_survey *survey)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "take", manifest(*take, survey),
        "totals", totals(take), "waves", waves(take, survey), "bad", bad_samples(take, survey),
        "columns", (json_int_t)(survey ? survey->columns : 0), "frames_per_column",
        (json_int_t)(survey ? survey->frames_per_column : 0), "residual", residual(survey));
}
