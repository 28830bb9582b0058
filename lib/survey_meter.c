/* Levels and overview of one file. Loudness and true peak are libebur128's (EBU R 128, ITU-R
 * BS.1770-4). The largest momentary and short-term values are looked for every 100 ms: the energy
 * of each 100 ms is asked for once, and the means over 400 ms and 3 s are made here, which gives
 * the same values as asking libebur128 for them and costs a fraction. */
#include "gain.h"
#include "survey_parts.h"

#include <ebur128.h>
#include <math.h>
#include <stdlib.h>

enum { STEPS = 30, MOMENTARY_STEPS = 4, STEP_MS = 100 };

/* Loudness of a mean square of 1; ITU-R BS.1770. */
#define LOUDNESS_OFFSET (-0.691)

struct survey_meter {
    uint32_t channels;
    ebur128_state *loudness; /* NULL: it cannot measure so many channels */
    size_t step_frames;
    size_t step_left;       /* frames until the next step */
    double energies[STEPS]; /* of the last steps; silence before the first */
    size_t step;
    double momentary; /* largest mean energy */
    double short_term;

    double *sums; /* of each channel */
    double energy;
    double peak;
    uint64_t frames;
    uint64_t bad; /* samples that are not finite */

    struct stem_survey_column *columns;
    size_t column_count;
    size_t column;
    uint64_t column_frames;
    uint64_t column_got;
    double column_energy;
};

struct survey_meter *survey_meter_create(const struct stem_audio_info *info,
    struct stem_survey_column *columns, size_t column_count, uint64_t column_frames)
{
    const int mode = EBUR128_MODE_I | EBUR128_MODE_S | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK;
    struct survey_meter *meter = calloc(1, sizeof *meter);
    if (!meter)
        return NULL;
    meter->sums = calloc(info->channels, sizeof *meter->sums);
    if (!meter->sums) {
        free(meter);
        return NULL;
    }
    meter->channels = info->channels;
    meter->loudness = ebur128_init(info->channels, info->rate_hz, mode);
    meter->step_frames = (info->rate_hz + 5) / 10; /* as libebur128 rounds it */
    meter->step_frames += meter->step_frames == 0;
    meter->step_left = meter->step_frames;
    meter->columns = columns;
    meter->column_count = column_count;
    meter->column_frames = column_frames;
    return meter;
}

void survey_meter_destroy(struct survey_meter *meter)
{
    if (!meter)
        return;
    if (meter->loudness)
        ebur128_destroy(&meter->loudness);
    free(meter->sums);
    free(meter);
}

/* Mean of the last steps. */
static double recent(const struct survey_meter *meter, size_t steps)
{
    double sum = 0;
    for (size_t k = 0; k < steps; k++)
        sum += meter->energies[(meter->step + STEPS - 1 - k) % STEPS];
    return sum / (double)steps;
}

static void end_step(struct survey_meter *meter)
{
    double lufs = -HUGE_VAL;
    ebur128_loudness_window(meter->loudness, STEP_MS, &lufs);
    meter->energies[meter->step++ % STEPS] = pow(10, (lufs - LOUDNESS_OFFSET) / 10);
    meter->momentary = fmax(meter->momentary, recent(meter, MOMENTARY_STEPS));
    meter->short_term = fmax(meter->short_term, recent(meter, STEPS));
}

static void add_loudness(struct survey_meter *meter, const double *samples, size_t frames)
{
    while (frames > 0) {
        size_t count = frames < meter->step_left ? frames : meter->step_left;
        ebur128_add_frames_double(meter->loudness, samples, count);
        samples += count * meter->channels;
        frames -= count;
        meter->step_left -= count;
        if (meter->step_left)
            continue;
        end_step(meter);
        meter->step_left = meter->step_frames;
    }
}

static void end_column(struct survey_meter *meter)
{
    double samples = (double)meter->column_got * meter->channels;
    if (meter->column < meter->column_count && samples > 0)
        meter->columns[meter->column].rms = (float)sqrt(meter->column_energy / samples);
    meter->column++;
    meter->column_got = 0;
    meter->column_energy = 0;
}

/* Frames of one column. */
static void add_to_column(struct survey_meter *meter, const double *samples, size_t frames)
{
    double min = samples[0], max = samples[0], energy = 0;
    for (size_t s = 0; s < frames * meter->channels; s++) {
        min = samples[s] < min ? samples[s] : min;
        max = samples[s] > max ? samples[s] : max;
        energy += samples[s] * samples[s];
    }
    meter->peak = fmax(meter->peak, fmax(-min, max));
    meter->energy += energy;
    meter->column_energy += energy;
    if (meter->column >= meter->column_count)
        return;
    struct stem_survey_column *column = &meter->columns[meter->column];
    bool is_first = meter->column_got == 0;
    column->min = is_first ? (float)min : fminf(column->min, (float)min);
    column->max = is_first ? (float)max : fmaxf(column->max, (float)max);
}

static void add_columns(struct survey_meter *meter, const double *samples, size_t frames)
{
    while (frames > 0) {
        uint64_t left = meter->column_frames - meter->column_got;
        size_t count = frames < left ? frames : (size_t)left;
        add_to_column(meter, samples, count);
        meter->column_got += count;
        if (meter->column_got == meter->column_frames)
            end_column(meter);
        samples += count * meter->channels;
        frames -= count;
    }
}

/* One value that is not a number would spoil every filter behind it. */
static uint64_t silence_bad(double *samples, size_t count)
{
    uint64_t bad = 0;
    for (size_t s = 0; s < count; s++)
        if (!isfinite(samples[s])) {
            samples[s] = 0;
            bad++;
        }
    return bad;
}

void survey_meter_add(struct survey_meter *meter, double *interleaved, size_t frames)
{
    meter->bad += silence_bad(interleaved, frames * meter->channels);
    for (size_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < meter->channels; c++)
            meter->sums[c] += interleaved[i * meter->channels + c];
    add_columns(meter, interleaved, frames);
    if (meter->loudness)
        add_loudness(meter, interleaved, frames);
    meter->frames += frames;
}

static double lufs(double energy)
{
    return energy > 0 ? LOUDNESS_OFFSET + 10 * log10(energy) : -HUGE_VAL;
}

static void result_loudness(struct survey_meter *meter, struct stem_take_levels *levels)
{
    double true_peak = meter->peak, channel_peak;
    levels->integrated_lufs = -HUGE_VAL;
    levels->short_term_lufs = lufs(meter->short_term);
    levels->momentary_lufs = lufs(meter->momentary);
    for (unsigned c = 0; meter->loudness && c < meter->channels; c++)
        if (ebur128_true_peak(meter->loudness, c, &channel_peak) == EBUR128_SUCCESS)
            true_peak = fmax(true_peak, channel_peak);
    levels->true_peak_dbtp = stem_gain_to_db(true_peak);
    if (!meter->loudness)
        return;
    ebur128_loudness_global(meter->loudness, &levels->integrated_lufs);
    if (ebur128_loudness_range(meter->loudness, &levels->range_lu) != EBUR128_SUCCESS)
        levels->range_lu = 0;
}

void survey_meter_result(struct survey_meter *meter, struct stem_survey_file *file)
{
    double frames = (double)meter->frames;
    struct stem_take_levels *levels = &file->levels;
    if (meter->column_got)
        end_column(meter);
    *levels = (struct stem_take_levels){
        .measured = true,
        .silent = meter->peak == 0 && meter->bad == 0,
        .rms_dbfs = frames > 0 ? stem_gain_to_db(sqrt(meter->energy / frames / meter->channels))
                               : -HUGE_VAL,
    };
    for (uint32_t c = 0; c < meter->channels && frames > 0; c++)
        if (fabs(meter->sums[c]) / frames > fabs(levels->dc_offset))
            levels->dc_offset = meter->sums[c] / frames;
    file->peak = meter->peak;
    file->frames = meter->frames;
    file->bad_samples = meter->bad;
    result_loudness(meter, levels);
}
