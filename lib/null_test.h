/* The null test: residual of mix minus the sum of stems, block by block, in double precision.
 *
 * Bound. Let u = 2^-24 be the unit round-off of single precision, A the largest sum of magnitudes
 * max(sum |stem|, |mix|) over all frames, n the number of terms that were added up in all stems
 * together, and N the number of stems. Then
 *
 *     bound = files * 2^-bits  +  2 * (n + N) * u * A
 *
 * The first term is there for integer encodings only: rounding to the nearest of 2^bits steps is
 * wrong by at most half a step of 2^-(bits-1), in each file that takes part. The second one is the
 * classic bound of recursive summation (Higham, Accuracy and Stability of Numerical Algorithms,
 * section 4.2), once for the recorder's sums and once for the mixer's: n products and the additions
 * inside stems, N more to add up the stems. It is a worst case; real residuals are far smaller.
 *
 * What the files cannot tell is how large the terms of one stem were before they were added: A
 * stands for them. Only a stem whose inputs are loud and cancel each other almost completely could
 * be off by more.
 */
#ifndef STEM_NULL_TEST_H
#define STEM_NULL_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stem_null_test;

struct stem_null_params {
    uint32_t channels;             /* of the mix */
    const uint32_t *stem_channels; /* 1 (counts to every channel of the mix) or as the mix */
    size_t stems;
    size_t block_frames; /* most frames in a block */
    int bits;            /* of integer encodings; 0 for floating point */
    uint64_t terms;      /* n above */
};

/* Borrows `params` during the call. NULL when there is no memory, or when a stem has another width.
 * Any one thread. */
struct stem_null_test *stem_null_test_create(const struct stem_null_params *params);
void stem_null_test_destroy(struct stem_null_test *test);

/* Adds a block of at most block_frames frames: interleaved mix, and one interleaved buffer per
 * stem. True when its residual stays within the bound so far. */
bool stem_null_test_add(
    struct stem_null_test *test, const double *mix, const double *const *stems, size_t frames);

/* The residual of the last block, interleaved like the mix; borrowed until the next one. */
const double *stem_null_test_residual(const struct stem_null_test *test);

/* The bound for what has been added so far. */
double stem_null_test_bound_now(const struct stem_null_test *test);

struct stem_null_result {
    uint64_t frames; /* that were compared */
    double peak;     /* largest magnitude of the residual; infinite when one is not a number */
    double rms;
    uint64_t peak_frame;
    double bound;
    bool passed; /* the peak is at most the bound */
    /* When failed: the stem that explains the residual best, residual = gain * stem, with that
     * share of the residual's energy in the blocks that are beyond the bound. So the mix holds
     * 1 + gain times the stem. `likeness` is 0 when there is none. */
    size_t likely_stem;
    double likely_gain;
    double likeness;
};
void stem_null_test_result(const struct stem_null_test *test, struct stem_null_result *result);

/* Says in words what the result blames: "stem \"Bass\" is missing from the mix". False when no
 * single stem explains the residual. `name` is the likely stem's. */
bool stem_null_test_blame(
    const struct stem_null_result *result, const char *name, char *text, size_t size);

/* The bound above, with A = `largest_sum`. */
double stem_null_test_bound(int bits, uint64_t terms, size_t stems, double largest_sum);

#endif
