/* The gain and the delay that make one signal most like another, by least squares.
 *
 * For each lag L of a range: C(L) = sum target[i] * source[i - L], E(L) = sum source[i - L]^2. The
 * gain C / E leaves the energy T - C^2 / E of the target's energy T, so the best lag is that of the
 * largest C^2 / E; of equal ones the smallest. Any one thread.
 */
#ifndef STEM_ALIGN_H
#define STEM_ALIGN_H

#include <stdbool.h>
#include <stddef.h>

struct stem_align;

/* Lags from -most_lag to most_lag frames. NULL without memory. */
struct stem_align *stem_align_create(size_t most_lag);
void stem_align_destroy(struct stem_align *align);

/* Adds a passage of `frames` frames, of which every `stride`-th value counts. The target's first
 * and last most_lag frames are not compared; a passage that is not longer than those adds nothing.
 */
void stem_align_add(struct stem_align *align, const float *target, const float *source,
    size_t stride, size_t frames);

struct stem_align_result {
    long lag;         /* frames; positive: the target comes later than the source */
    double gain;      /* linear, of the source in the target; negative when inverted */
    double energy;    /* of the target */
    double remaining; /* energy that is left of it */
};

/* False when nothing but silence was added. */
bool stem_align_best(const struct stem_align *align, struct stem_align_result *result);

#endif
