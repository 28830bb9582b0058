/* The residual of a take, second by second, and the passages where it is worst. */
#include "survey_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A window's memory: the mix and all stems in one piece. */
static int make_window(const struct survey_null *null, struct survey_window *window)
{
    const struct stem_take_reader *reader = null->reader;
    const size_t stems = reader->take->stem_count;
    size_t channels = 0;
    for (size_t k = 0; k <= stems; k++)
        channels += reader->sources[k].info.channels;
    window->mix = calloc(channels * SURVEY_WINDOW_FRAMES, sizeof *window->mix);
    window->sources = calloc(stems, sizeof *window->sources);
    if (!window->mix || !window->sources)
        return -1;
    float *next = window->mix + reader->sources[stems].info.channels * SURVEY_WINDOW_FRAMES;
    for (size_t k = 0; k < stems; k++) {
        window->sources[k] = next;
        next += reader->sources[k].info.channels * SURVEY_WINDOW_FRAMES;
    }
    return 0;
}

int survey_null_init(
    struct survey_null *null, const struct stem_take_reader *reader, struct stem_survey *survey)
{
    *null = (struct survey_null){.reader = reader, .survey = survey};
    null->test = stem_take_reader_null_test(reader);
    return null->test ? 0 : -1;
}

void survey_null_finish(struct survey_null *null)
{
    stem_null_test_destroy(null->test);
    for (size_t w = 0; w <= SURVEY_WINDOWS; w++) {
        free(null->windows[w].mix);
        free(null->windows[w].sources);
    }
    *null = (struct survey_null){0};
}

/* Seconds */

static void end_second(struct survey_null *null)
{
    struct stem_survey *survey = null->survey;
    uint32_t channels = null->reader->sources[null->reader->take->stem_count].info.channels;
    if (null->second_frames == 0 || !survey->residual_rms)
        return;
    double rms = sqrt(null->second_energy / ((double)null->second_frames * channels));
    survey->residual_rms[survey->seconds] = (float)rms;
    survey->residual_peak[survey->seconds] = (float)null->second_peak;
    if (rms > survey->residual.worst_rms || !isfinite(null->second_peak)) {
        survey->residual.worst_rms = rms;
        survey->residual.worst_frame = survey->seconds * null->reader->take->rate_hz;
    }
    survey->seconds++;
    null->second_frames = 0;
    null->second_energy = null->second_peak = 0;
}

static void add_to_seconds(struct survey_null *null, const double *residual, size_t frames)
{
    const uint32_t rate = null->reader->take->rate_hz;
    const uint32_t channels = null->reader->sources[null->reader->take->stem_count].info.channels;
    for (size_t i = 0; i < frames; i++) {
        for (uint32_t c = 0; c < channels; c++) {
            double magnitude = fabs(residual[i * channels + c]);
            if (isfinite(magnitude))
                null->second_energy += magnitude * magnitude;
            else
                magnitude = INFINITY;
            null->second_peak = fmax(null->second_peak, magnitude);
        }
        if (++null->second_frames == rate)
            end_second(null);
    }
}

/* What is wrong, and where */

static void count_wrong(struct survey_null *null, const double *residual, size_t frames)
{
    const double bound = stem_null_test_bound_now(null->test);
    const uint32_t channels = null->reader->sources[null->reader->take->stem_count].info.channels;
    for (size_t i = 0; i < frames; i++) {
        bool is_wrong = false;
        for (uint32_t c = 0; c < channels; c++)
            is_wrong = is_wrong || !(fabs(residual[i * channels + c]) <= bound);
        if (!is_wrong)
            continue;
        null->last_wrong = null->reader->from + i;
        if (null->wrong_frames++ == 0)
            null->first_wrong = null->last_wrong;
    }
}

/* The window that was filled takes the place of the least bad one. */
static void end_window(struct survey_null *null)
{
    struct survey_window *filled = &null->windows[SURVEY_WINDOWS], *least = &null->windows[0];
    for (size_t w = 1; w < SURVEY_WINDOWS; w++)
        if (null->windows[w].energy < least->energy)
            least = &null->windows[w];
    if (filled->energy > least->energy) {
        struct survey_window worse = *filled;
        *filled = *least;
        *least = worse;
    }
    null->filling = false;
}

static void copy_samples(
    float *to, const double *from, size_t filled, size_t frames, uint32_t channels)
{
    for (size_t s = 0; s < frames * channels; s++) {
        float sample = (float)from[s];
        to[filled * channels + s] = isfinite(sample) ? sample : 0;
    }
}

static void fill_window(struct survey_null *null, const double *residual, size_t frames)
{
    const struct stem_take_reader *reader = null->reader;
    const size_t stems = reader->take->stem_count;
    struct survey_window *window = &null->windows[SURVEY_WINDOWS];
    const size_t room = SURVEY_WINDOW_FRAMES - window->frames;
    frames = frames < room ? frames : room;
    for (size_t s = 0; s < frames * reader->sources[stems].info.channels; s++)
        window->energy += isfinite(residual[s]) ? residual[s] * residual[s] : 0;
    copy_samples(window->mix, reader->blocks[stems], window->frames, frames,
        reader->sources[stems].info.channels);
    for (size_t k = 0; k < stems; k++)
        copy_samples(window->sources[k], reader->blocks[k], window->frames, frames,
            reader->sources[k].info.channels);
    window->frames += frames;
    if (window->frames == SURVEY_WINDOW_FRAMES)
        end_window(null);
}

static void begin_window(struct survey_null *null)
{
    struct survey_window *window = &null->windows[SURVEY_WINDOWS];
    if (!window->mix && make_window(null, window)) {
        null->no_memory = true;
        return;
    }
    window->from = null->reader->from;
    window->frames = 0;
    window->energy = 0;
    null->filling = true;
}

void survey_null_add(struct survey_null *null)
{
    const struct stem_take_reader *reader = null->reader;
    const size_t frames = stem_take_reader_null_frames(reader);
    if (frames == 0)
        return;
    bool is_right = stem_null_test_add(
        null->test, reader->blocks[reader->take->stem_count], reader->blocks, frames);
    const double *residual = stem_null_test_residual(null->test);
    add_to_seconds(null, residual, frames);
    if (!is_right) {
        count_wrong(null, residual, frames);
        if (!null->filling && !null->no_memory)
            begin_window(null);
    }
    if (null->filling)
        fill_window(null, residual, frames);
}

void survey_null_result(struct survey_null *null, struct stem_null_result *result)
{
    struct stem_take_residual *residual = &null->survey->residual;
    end_second(null);
    if (null->filling)
        end_window(null);
    stem_null_test_result(null->test, result);
    residual->measured = true;
    residual->passed = result->passed;
    residual->peak = result->peak;
    residual->rms = result->rms;
    residual->bound = result->bound;
}
