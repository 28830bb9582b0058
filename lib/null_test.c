/* See null_test.h. A take may hold hundreds of stems and last for hours, so what a right take needs
 * is two passes over each sample, written as plain loops that compilers turn into vectors. Stems
 * are compared with the residual only in blocks that are wrong. */
#include "null_test.h"

#include "gain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Share of the residual's energy from which one stem is named as its likely cause. */
#define LIKELY 0.99
/* How near to missing, twice or inverted a stem's gain in the mix is to be called so. */
#define NEAR 0.02

struct stem_null_test {
    uint32_t channels;
    size_t stems;
    int bits;
    uint64_t terms;
    uint32_t *stem_channels;
    double *residual;  /* one block, interleaved like the mix */
    double *magnitude; /* sum of the stems' magnitudes, likewise */
    double energy;     /* of the residual */
    double peak;
    double largest_sum;
    uint64_t peak_frame;
    uint64_t frames;

    /* blocks that are wrong */
    double wrong_energy; /* of the residual */
    double *product;     /* <residual, stem> of each stem */
    double *stem_energy; /* <stem, stem> */
};

struct stem_null_test *stem_null_test_create(const struct stem_null_params *params)
{
    size_t stems = params->stems, samples = params->block_frames * params->channels;
    struct stem_null_test *test = calloc(1, sizeof *test);
    if (!test)
        return NULL;
    test->channels = params->channels;
    test->stems = stems;
    test->bits = params->bits;
    test->terms = params->terms;
    test->stem_channels = calloc(stems + 1, sizeof *test->stem_channels);
    test->product = calloc(stems + 1, sizeof *test->product);
    test->stem_energy = calloc(stems + 1, sizeof *test->stem_energy);
    test->residual = calloc(samples + 1, sizeof *test->residual);
    test->magnitude = calloc(samples + 1, sizeof *test->magnitude);
    bool right = test->stem_channels && test->product && test->stem_energy && test->residual &&
                 test->magnitude;
    for (size_t k = 0; right && k < stems; k++) {
        test->stem_channels[k] = params->stem_channels[k];
        right = test->stem_channels[k] == 1 || test->stem_channels[k] == test->channels;
    }
    if (right)
        return test;
    stem_null_test_destroy(test);
    return NULL;
}

void stem_null_test_destroy(struct stem_null_test *test)
{
    if (!test)
        return;
    free(test->stem_channels);
    free(test->product);
    free(test->stem_energy);
    free(test->residual);
    free(test->magnitude);
    free(test);
}

static void subtract_wide(double *restrict residual, double *restrict magnitude,
    const double *restrict stem, size_t samples)
{
    for (size_t s = 0; s < samples; s++) {
        residual[s] -= stem[s];
        magnitude[s] += fabs(stem[s]);
    }
}

static void subtract_mono(double *restrict residual, double *restrict magnitude,
    const double *restrict stem, size_t frames, uint32_t channels)
{
    for (size_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < channels; c++) {
            residual[i * channels + c] -= stem[i];
            magnitude[i * channels + c] += fabs(stem[i]);
        }
}

static void subtract_stems(struct stem_null_test *test, const double *const *stems, size_t frames)
{
    for (size_t k = 0; k < test->stems; k++)
        if (test->stem_channels[k] == test->channels)
            subtract_wide(test->residual, test->magnitude, stems[k], frames * test->channels);
        else
            subtract_mono(test->residual, test->magnitude, stems[k], frames, test->channels);
}

/* Adds the block's residual to the totals; returns its peak in this block. */
static double measure(struct stem_null_test *test, const double *mix, size_t frames)
{
    double block_peak = 0, largest = 0;
    for (size_t s = 0; s < frames * test->channels; s++) {
        double magnitude = fabs(test->residual[s]);
        /* a residual that is not a number is the worst there is */
        if (!isfinite(magnitude))
            magnitude = INFINITY;
        else
            test->energy += magnitude * magnitude;
        largest = fmax(largest, fmax(test->magnitude[s], fabs(mix[s])));
        if (magnitude <= block_peak)
            continue;
        block_peak = magnitude;
        if (magnitude > test->peak)
            test->peak_frame = test->frames + s / test->channels;
    }
    test->peak = fmax(test->peak, block_peak);
    if (isfinite(largest))
        test->largest_sum = fmax(test->largest_sum, largest);
    return block_peak;
}

/* Takes part in the search for one stem that explains the residual. */
static void compare_stem(struct stem_null_test *test, size_t k, const double *stem, size_t frames)
{
    const bool is_mono = test->stem_channels[k] == 1;
    double product = 0, energy = 0;
    for (size_t s = 0; s < frames * test->channels; s++) {
        double value = stem[is_mono ? s / test->channels : s];
        product += test->residual[s] * value;
        energy += value * value;
    }
    test->product[k] += product;
    test->stem_energy[k] += energy;
}

static void compare_stems(struct stem_null_test *test, const double *const *stems, size_t frames)
{
    for (size_t s = 0; s < frames * test->channels; s++)
        test->wrong_energy += test->residual[s] * test->residual[s];
    for (size_t k = 0; k < test->stems; k++)
        compare_stem(test, k, stems[k], frames);
}

const double *stem_null_test_residual(const struct stem_null_test *test)
{
    return test->residual;
}

double stem_null_test_bound_now(const struct stem_null_test *test)
{
    return stem_null_test_bound(test->bits, test->terms, test->stems, test->largest_sum);
}

bool stem_null_test_add(
    struct stem_null_test *test, const double *mix, const double *const *stems, size_t frames)
{
    size_t samples = frames * test->channels;
    memcpy(test->residual, mix, samples * sizeof *mix);
    memset(test->magnitude, 0, samples * sizeof *test->magnitude);
    subtract_stems(test, stems, frames);
    bool is_right = measure(test, mix, frames) <= stem_null_test_bound_now(test);
    if (!is_right)
        compare_stems(test, stems, frames);
    test->frames += frames;
    return is_right;
}

static void find_likely_stem(const struct stem_null_test *test, struct stem_null_result *result)
{
    for (size_t k = 0; k < test->stems; k++) {
        double product = test->product[k], energy = test->stem_energy[k];
        double likeness = product * product / (energy * test->wrong_energy);
        if (!isfinite(likeness) || likeness <= result->likeness)
            continue;
        result->likeness = likeness;
        result->likely_stem = k;
        result->likely_gain = product / energy;
    }
}

void stem_null_test_result(const struct stem_null_test *test, struct stem_null_result *result)
{
    double samples = (double)test->frames * test->channels;
    *result = (struct stem_null_result){
        .frames = test->frames,
        .peak = test->peak,
        .rms = samples > 0 ? sqrt(test->energy / samples) : 0,
        .peak_frame = test->peak_frame,
        .bound = stem_null_test_bound_now(test),
    };
    result->passed = result->peak <= result->bound;
    if (!result->passed)
        find_likely_stem(test, result);
}

bool stem_null_test_blame(
    const struct stem_null_result *result, const char *name, char *text, size_t size)
{
    double gain = 1 + result->likely_gain; /* of the stem in the mix */
    if (result->likeness < LIKELY)
        return false;
    if (fabs(gain) < NEAR)
        snprintf(text, size, "stem \"%s\" is missing from the mix", name);
    else if (fabs(gain + 1) < NEAR)
        snprintf(text, size, "stem \"%s\" is inverted in the mix", name);
    else if (fabs(gain - 2) < NEAR)
        snprintf(text, size, "stem \"%s\" is in the mix twice", name);
    else
        snprintf(text, size, "stem \"%s\" stands %s%.2f dB %s in the mix", name,
            gain < 0 ? "inverted and " : "", fabs(stem_gain_to_db(gain)),
            fabs(gain) > 1 ? "louder" : "softer");
    return true;
}

double stem_null_test_bound(int bits, uint64_t terms, size_t stems, double largest_sum)
{
    double files = (double)stems + 1;
    double rounding = bits ? files * ldexp(1.0, -bits) : 0;
    double additions = (double)terms + (double)stems;
    return rounding + 2 * additions * ldexp(1.0, -24) * largest_sum;
}
