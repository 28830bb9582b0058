#include "align.h"

#include <math.h>
#include <stdlib.h>

/* Differences of what lags explain that are only rounding. */
#define SAME 1e-9

struct stem_align {
    size_t most_lag;
    double *product; /* C of the lags -most_lag … most_lag */
    double *energy;  /* E */
    double target;   /* T */
};

struct stem_align *stem_align_create(size_t most_lag)
{
    struct stem_align *align = calloc(1, sizeof *align);
    if (!align)
        return NULL;
    align->most_lag = most_lag;
    align->product = calloc(2 * most_lag + 1, sizeof *align->product);
    align->energy = calloc(2 * most_lag + 1, sizeof *align->energy);
    if (align->product && align->energy)
        return align;
    stem_align_destroy(align);
    return NULL;
}

void stem_align_destroy(struct stem_align *align)
{
    if (!align)
        return;
    free(align->product);
    free(align->energy);
    free(align);
}

/* Four sums side by side: a single one would wait for each addition. */
static double dot(const float *a, const float *b, size_t stride, size_t frames)
{
    double sums[4] = {0};
    size_t i = 0;
    for (; i + 4 <= frames; i += 4)
        for (size_t k = 0; k < 4; k++)
            sums[k] += (double)a[(i + k) * stride] * (double)b[(i + k) * stride];
    for (; i < frames; i++)
        sums[0] += (double)a[i * stride] * (double)b[i * stride];
    return sums[0] + sums[1] + sums[2] + sums[3];
}

void stem_align_add(struct stem_align *align, const float *target, const float *source,
    size_t stride, size_t frames)
{
    const size_t most = align->most_lag;
    if (frames <= 2 * most)
        return;
    const size_t count = frames - 2 * most;
    const float *middle = target + most * stride;
    align->target += dot(middle, middle, stride, count);
    for (size_t k = 0; k <= 2 * most; k++) {
        const float *shifted = source + (2 * most - k) * stride; /* lag k - most */
        align->product[k] += dot(middle, shifted, stride, count);
        align->energy[k] += dot(shifted, shifted, stride, count);
    }
}

bool stem_align_best(const struct stem_align *align, struct stem_align_result *result)
{
    const long most = (long)align->most_lag;
    double best = 0;
    *result = (struct stem_align_result){.energy = align->target, .remaining = align->target};
    for (long distance = 0; distance <= most; distance++)
        for (int sign = 1; sign >= (distance ? -1 : 1); sign -= 2) {
            size_t k = (size_t)(most + sign * distance);
            double product = align->product[k], energy = align->energy[k];
            double explained = energy > 0 ? product * product / energy : 0;
            if (!(explained > best * (1 + SAME)))
                continue;
            best = explained;
            result->lag = sign * distance;
            result->gain = product / energy;
            result->remaining = fmax(align->target - explained, 0);
        }
    return best > 0;
}
