/* Conversion runs for every recorded sample, so it takes four at a time where SSE2 is (every
 * x86-64); the plain loops below do the same elsewhere and for the last few samples. What is done
 * with four converted samples (kept as integers, or packed to bytes) is chosen once per call.
 */
#include "sample.h"

#include <math.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* See stem_sample_peak. */
#define LOOKS_AT_THE_TAPE __attribute__((no_sanitize("thread")))

/* The scale of one integer width. */
struct scale {
    float factor; /* 2^(bits-1) */
    float over;   /* from here on a scaled sample rounds past the largest integer */
    float under;  /* below this one it rounds past the smallest */
    int32_t most;
    int32_t least;
    int shift; /* left-justifies the integer */
};

/* What was seen on the way. */
struct seen {
    uint64_t clips;
    float peak;
};

static struct scale scale_of(int bits)
{
    float factor = (float)((int64_t)1 << (bits - 1));
    return (struct scale){
        .factor = factor,
        /* With 24 bits and fewer the half step exists in single precision and rounds up, to even;
         * with 32 bits the next number below 2^31 is a whole one. */
        .over = bits == 32 ? factor : factor - 0.5f,
        .under = bits == 32 ? -factor : -factor - 0.5f,
        .most = (int32_t)(((int64_t)1 << (bits - 1)) - 1),
        .least = (int32_t)(-((int64_t)1 << (bits - 1))),
        .shift = 32 - bits,
    };
}

/* One sample, left-justified. */
static int32_t convert_one(const struct scale *scale, float in, struct seen *seen)
{
    float scaled = in * scale->factor;
    float magnitude = fabsf(in);
    seen->peak = magnitude > seen->peak ? magnitude : seen->peak;
    int32_t value;
    if (isnan(scaled)) {
        value = 0;
        seen->clips++;
    } else if (scaled >= scale->over) {
        value = scale->most;
        seen->clips++;
    } else if (scaled < scale->under) {
        value = scale->least;
        seen->clips++;
    } else {
        value = (int32_t)lrintf(scaled);
    }
    return (int32_t)((uint32_t)value << scale->shift);
}

/* The `bytes` upper bytes of a left-justified integer, lowest first. */
static void pack_one(int32_t value, unsigned char *out, size_t bytes)
{
    uint32_t bits = (uint32_t)value >> (32 - 8 * bytes);
    for (size_t k = 0; k < bytes; k++)
        out[k] = (unsigned char)(bits >> 8 * k);
}

#if defined(__SSE2__)

/* How four converted samples are put down: as integers, or packed to that many bytes each. */
enum form { FORM_INTEGERS = 0, FORM_2_BYTES = 2, FORM_3_BYTES = 3, FORM_4_BYTES = 4 };

/* A struct scale in all four lanes. */
struct lanes {
    __m128 factor;
    __m128 over;
    __m128 under;
    __m128 least;
    __m128i most;
    __m128i shift;
};

static struct lanes lanes_of(const struct scale *scale)
{
    return (struct lanes){
        .factor = _mm_set1_ps(scale->factor),
        .over = _mm_set1_ps(scale->over),
        .under = _mm_set1_ps(scale->under),
        .least = _mm_set1_ps(-scale->factor),
        .most = _mm_set1_epi32(scale->most),
        .shift = _mm_cvtsi32_si128(scale->shift),
    };
}

/* The magnitudes' running maximum; of a pair with a not-a-number max gives the second. */
static inline __m128 raise_peaks(__m128 peaks, __m128 value)
{
    const __m128 magnitude = _mm_castsi128_ps(_mm_set1_epi32(0x7FFFFFFF));
    return _mm_max_ps(_mm_and_ps(value, magnitude), peaks);
}

static float highest_of(__m128 peaks, float peak)
{
    float four[4];
    _mm_storeu_ps(four, peaks);
    for (int k = 0; k < 4; k++)
        peak = four[k] > peak ? four[k] : peak;
    return peak;
}

/* Four samples, the same rules as convert_one; not left-justified. */
static inline __m128i convert_four(const struct lanes *lanes, __m128 value, uint64_t *clips)
{
    __m128 scaled = _mm_mul_ps(value, lanes->factor);
    __m128 is_nan = _mm_cmpunord_ps(scaled, scaled);
    __m128 is_over = _mm_cmpge_ps(scaled, lanes->over);
    __m128 is_under = _mm_cmplt_ps(scaled, lanes->under);
    int clipped = _mm_movemask_ps(_mm_or_ps(_mm_or_ps(is_nan, is_over), is_under));
    if (clipped)
        *clips += (uint64_t)__builtin_popcount((unsigned)clipped);
    __m128i rounded = _mm_cvtps_epi32(_mm_andnot_ps(is_nan, _mm_max_ps(scaled, lanes->least)));
    __m128i too_much = _mm_castps_si128(is_over);
    return _mm_or_si128(_mm_andnot_si128(too_much, rounded), _mm_and_si128(too_much, lanes->most));
}

/* Four 24-bit integers as twelve bytes; the upper four bytes are zero. */
static inline __m128i pack_3_bytes(__m128i value)
{
    const __m128i first = _mm_set1_epi64x(0x0000000000FFFFFF);
    const __m128i second = _mm_set1_epi64x(0x0000FFFFFF000000);
    __m128i pairs =
        _mm_or_si128(_mm_and_si128(value, first), _mm_and_si128(_mm_srli_epi64(value, 8), second));
    __m128i lower = _mm_move_epi64(pairs);
    __m128i upper = _mm_slli_si128(_mm_srli_si128(pairs, 8), 6);
    return _mm_or_si128(lower, upper);
}

/* Puts down samples i to i+3. */
static inline void store_four(
    const struct lanes *lanes, __m128i value, unsigned char *out, size_t i, enum form form)
{
    if (form == FORM_INTEGERS)
        _mm_storeu_si128((__m128i *)(void *)(out + 4 * i), _mm_sll_epi32(value, lanes->shift));
    if (form == FORM_2_BYTES)
        _mm_storel_epi64((__m128i *)(void *)(out + 2 * i), _mm_packs_epi32(value, value));
    if (form == FORM_3_BYTES)
        _mm_storeu_si128((__m128i *)(void *)(out + 3 * i), pack_3_bytes(value));
    if (form == FORM_4_BYTES)
        _mm_storeu_si128((__m128i *)(void *)(out + 4 * i), value);
}

/* As many samples as can be done in fours; returns how many. `form` is a constant where this is
 * called, so that each call becomes a loop of its own. */
static inline __attribute__((always_inline)) size_t convert_fours(const struct scale *scale,
    const float *in, unsigned char *out, size_t samples, struct seen *seen, enum form form)
{
    const struct lanes lanes = lanes_of(scale);
    /* twelve bytes are stored as sixteen: the last ones must not reach past the end */
    const size_t spare = form == FORM_3_BYTES ? 2 : 0;
    __m128 peaks = _mm_setzero_ps();
    uint64_t clips = 0;
    size_t i = 0;
    for (; i + 4 + spare <= samples; i += 4) {
        __m128 value = _mm_loadu_ps(in + i);
        peaks = raise_peaks(peaks, value);
        store_four(&lanes, convert_four(&lanes, value, &clips), out, i, form);
    }
    seen->clips += clips;
    seen->peak = highest_of(peaks, seen->peak);
    return i;
}

static size_t integers_of_fours(
    const struct scale *scale, const float *in, int32_t *out, size_t samples, struct seen *seen)
{
    return convert_fours(scale, in, (unsigned char *)out, samples, seen, FORM_INTEGERS);
}

static size_t bytes_of_fours(const struct scale *scale, const float *in, unsigned char *out,
    size_t samples, struct seen *seen)
{
    if (scale->shift == 16)
        return convert_fours(scale, in, out, samples, seen, FORM_2_BYTES);
    if (scale->shift == 8)
        return convert_fours(scale, in, out, samples, seen, FORM_3_BYTES);
    return convert_fours(scale, in, out, samples, seen, FORM_4_BYTES);
}

LOOKS_AT_THE_TAPE static size_t peak_of_sixteens(const float *in, size_t samples, float *peak)
{
    __m128 peaks[4] = {_mm_setzero_ps(), _mm_setzero_ps(), _mm_setzero_ps(), _mm_setzero_ps()};
    size_t i = 0;
    for (; i + 16 <= samples; i += 16)
        for (size_t k = 0; k < 4; k++)
            peaks[k] = raise_peaks(peaks[k], _mm_loadu_ps(in + i + 4 * k));
    for (size_t k = 0; k < 4; k++)
        *peak = highest_of(peaks[k], *peak);
    return i;
}

#else

static size_t integers_of_fours(
    const struct scale *scale, const float *in, int32_t *out, size_t samples, struct seen *seen)
{
    (void)scale, (void)in, (void)out, (void)samples, (void)seen;
    return 0;
}

static size_t bytes_of_fours(const struct scale *scale, const float *in, unsigned char *out,
    size_t samples, struct seen *seen)
{
    (void)scale, (void)in, (void)out, (void)samples, (void)seen;
    return 0;
}

static size_t peak_of_sixteens(const float *in, size_t samples, float *peak)
{
    (void)in, (void)samples, (void)peak;
    return 0;
}

#endif

/* Hands over what was seen. */
static uint64_t report(const struct seen *seen, float *peak)
{
    if (peak)
        *peak = seen->peak;
    return seen->clips;
}

uint64_t stem_sample_to_int(const float *in, int32_t *out, size_t samples, int bits, float *peak)
{
    const struct scale scale = scale_of(bits);
    struct seen seen = {.peak = peak ? *peak : 0};
    size_t done = integers_of_fours(&scale, in, out, samples, &seen);
    for (; done < samples; done++)
        out[done] = convert_one(&scale, in[done], &seen);
    return report(&seen, peak);
}

uint64_t stem_sample_to_bytes(
    const float *in, unsigned char *out, size_t samples, int bits, float *peak)
{
    const struct scale scale = scale_of(bits);
    const size_t bytes = (size_t)bits / 8;
    struct seen seen = {.peak = peak ? *peak : 0};
    size_t done = bytes_of_fours(&scale, in, out, samples, &seen);
    for (; done < samples; done++)
        pack_one(convert_one(&scale, in[done], &seen), out + bytes * done, bytes);
    return report(&seen, peak);
}

LOOKS_AT_THE_TAPE float stem_sample_peak(const float *in, size_t samples, float peak)
{
    for (size_t i = peak_of_sixteens(in, samples, &peak); i < samples; i++) {
        float magnitude = fabsf(in[i]);
        peak = magnitude > peak ? magnitude : peak;
    }
    return peak;
}
