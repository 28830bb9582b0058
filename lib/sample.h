/* Sample conversion: float to integers, exact and saturating.
 *
 * Full scale is 1.0 = 2^(bits-1), as in JACK, DAWs and libsndfile's reading side. A sample that
 * came from a `bits`-bit integer goes back to the same integer; others are rounded to nearest, ties
 * to even. Beyond the scale they saturate and are counted. Not-a-number becomes 0 and counts too.
 */
#ifndef STEM_SAMPLE_H
#define STEM_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

/* Converts `samples` floats to left-justified 32-bit integers whose lower 32-bits bits are zero, as
 * sf_write_int wants them. `bits` is 16, 24 or 32. Returns how many saturated. `*peak` (may be
 * NULL) is raised to the largest magnitude seen. Any thread but the process thread (it is not
 * forbidden there, only unused). */
uint64_t stem_sample_to_int(const float *in, int32_t *out, size_t samples, int bits, float *peak);

/* The same, to `bits`/8 bytes a sample, lowest byte first, as they stand in WAV and W64 files. */
uint64_t stem_sample_to_bytes(
    const float *in, unsigned char *out, size_t samples, int bits, float *peak);

/* stem_sample_to_int for doubles, one by one. `peak` is not NULL. */
uint64_t stem_sample_doubles_to_int(
    const double *in, int32_t *out, size_t samples, int bits, float *peak);

/* The largest magnitude of `samples` floats, at least `peak`; not-a-number is passed over. Meters
 * look at samples that the process thread may overwrite meanwhile, and throw the result away then.
 * That is a data race on purpose. */
float stem_sample_peak(const float *in, size_t samples, float peak);

#endif
