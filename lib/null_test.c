#include "null_test.h"

#include <math.h>
#include <stdlib.h>

struct stem_null_test {
    uint32_t channels;
    size_t stems;
    uint32_t *stem_channels;
    double *residual;  /* one block, interleaved like the mix */
    double *magnitude; /* sum of magnitudes, likewise */
    double *product;   /* <residual, stem> of each stem */
    double *energy;    /* <stem, stem> */
    double residual_energy;
    double peak;
    double largest_sum;
    uint64_t peak_frame;
    uint64_t frames;
};

struct stem_null_test *stem_null_test_create(
    uint32_t channels, const uint32_t *stem_channels, size_t stems, size_t block_frames)
{
    struct stem_null_test *test = calloc(1, sizeof *test);
    if (!test)
        return NULL;
    test->channels = channels;
    test->stems = stems;
    test->stem_channels = calloc(stems + 1, sizeof *test->stem_channels);
    test->product = calloc(stems + 1, sizeof *test->product);
    test->energy = calloc(stems + 1, sizeof *test->energy);
    test->residual = calloc(block_frames * channels + 1, sizeof *test->residual);
    test->magnitude = calloc(block_frames * channels + 1, sizeof *test->magnitude);
    bool right =
        test->stem_channels && test->product && test->energy && test->residual && test->magnitude;
    for (size_t k = 0; right && k < stems; k++) {
        test->stem_channels[k] = stem_channels[k];
        right = stem_channels[k] == 1 || stem_channels[k] == channels;
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
    free(test->energy);
    free(test->residual);
    free(test->magnitude);
    free(test);
}

/* Sample of a stem that counts to one sample of the mix. */
static double stem_sample(
    const struct stem_null_test *test, size_t k, const double *stem, size_t frame, uint32_t channel)
{
    return test->stem_channels[k] == 1 ? stem[frame] : stem[frame * test->channels + channel];
}

static void subtract_stem(struct stem_null_test *test, size_t k, const double *stem, size_t frames)
{
    for (size_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < test->channels; c++) {
            double value = stem_sample(test, k, stem, i, c);
            test->residual[i * test->channels + c] -= value;
            test->magnitude[i * test->channels + c] += fabs(value);
        }
}

static void correlate_stem(struct stem_null_test *test, size_t k, const double *stem, size_t frames)
{
    double product = 0, energy = 0;
    for (size_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < test->channels; c++) {
            double value = stem_sample(test, k, stem, i, c);
            product += test->residual[i * test->channels + c] * value;
            energy += value * value;
        }
    test->product[k] += product;
    test->energy[k] += energy;
}

static void measure(struct stem_null_test *test, const double *mix, size_t frames)
{
    for (size_t s = 0; s < frames * test->channels; s++) {
        double magnitude = fabs(test->residual[s]);
        double sum = fmax(test->magnitude[s], fabs(mix[s]));
        test->residual_energy += magnitude * magnitude;
        test->largest_sum = fmax(test->largest_sum, sum);
        /* a residual that is not a number is the worst there is */
        if (magnitude > test->peak || (isnan(magnitude) && !isinf(test->peak))) {
            test->peak = isnan(magnitude) ? INFINITY : magnitude;
            test->peak_frame = test->frames + s / test->channels;
        }
    }
}

void stem_null_test_add(
    struct stem_null_test *test, const double *mix, double *const *stems, size_t frames)
{
    for (size_t s = 0; s < frames * test->channels; s++) {
        test->residual[s] = mix[s];
        test->magnitude[s] = 0;
    }
    for (size_t k = 0; k < test->stems; k++)
        subtract_stem(test, k, stems[k], frames);
    for (size_t k = 0; k < test->stems; k++)
        correlate_stem(test, k, stems[k], frames);
    measure(test, mix, frames);
    test->frames += frames;
}

void stem_null_test_result(const struct stem_null_test *test, struct stem_null_result *result)
{
    double samples = (double)test->frames * test->channels;
    *result = (struct stem_null_result){
        .peak = test->peak,
        .rms = samples > 0 ? sqrt(test->residual_energy / samples) : 0,
        .peak_frame = test->peak_frame,
        .largest_sum = test->largest_sum,
    };
    for (size_t k = 0; k < test->stems; k++) {
        if (test->energy[k] <= 0 || test->residual_energy <= 0)
            continue;
        double likeness =
            test->product[k] * test->product[k] / (test->energy[k] * test->residual_energy);
        if (likeness <= result->likeness)
            continue;
        result->likeness = likeness;
        result->likely_stem = k;
        result->likely_gain = test->product[k] / test->energy[k];
    }
}

double stem_null_test_bound(
    int bits, size_t files, uint64_t terms, size_t stems, double largest_sum)
{
    double rounding = bits ? (double)files * ldexp(1.0, -bits) : 0;
    return rounding + 2.0 * (double)(terms + stems) * ldexp(1.0, -24) * largest_sum;
}
