#include "sample.h"

#include <math.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The scale of one integer width. */
struct scale {
    float factor; /* 2^(bits-1) */
    float over;   /* from here on a scaled sample rounds past the largest integer */
    float under;  /* below this one it rounds past the smallest */
    int32_t most;
    int32_t least;
    int shift; /* left-justifies the integer */
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

/* One sample; returns 1 when it saturated or was not a number. */
static unsigned convert_one(const struct scale *scale, float in, int32_t *out, float *peak)
{
    float scaled = in * scale->factor;
    float magnitude = fabsf(in);
    *peak = magnitude > *peak ? magnitude : *peak;
    int32_t value;
    unsigned clipped = 1;
    if (isnan(scaled)) {
        value = 0;
    } else if (scaled >= scale->over) {
        value = scale->most;
    } else if (scaled < scale->under) {
        value = scale->least;
    } else {
        value = (int32_t)lrintf(scaled);
        clipped = 0;
    }
    *out = (int32_t)((uint32_t)value << scale->shift);
    return clipped;
}

#if defined(__SSE2__)

/* Four samples at a time, the same rules. Returns how many samples were done. */
static size_t convert_fours(const struct scale *scale, const float *in, int32_t *out,
    size_t samples, uint64_t *clips, float *peak)
{
    const __m128 factor = _mm_set1_ps(scale->factor), least = _mm_set1_ps(-scale->factor);
    const __m128 over = _mm_set1_ps(scale->over), under = _mm_set1_ps(scale->under);
    const __m128 magnitude = _mm_castsi128_ps(_mm_set1_epi32(0x7FFFFFFF));
    const __m128i most = _mm_set1_epi32(scale->most);
    const __m128i shift = _mm_cvtsi32_si128(scale->shift);
    __m128 peaks = _mm_setzero_ps();
    size_t i = 0;
    for (; i + 4 <= samples; i += 4) {
        __m128 value = _mm_loadu_ps(in + i);
        __m128 scaled = _mm_mul_ps(value, factor);
        /* of a pair with a not-a-number max gives the second */
        peaks = _mm_max_ps(_mm_and_ps(value, magnitude), peaks);
        __m128 is_nan = _mm_cmpunord_ps(scaled, scaled);
        __m128 is_over = _mm_cmpge_ps(scaled, over);
        __m128 clipped = _mm_or_ps(_mm_or_ps(is_nan, is_over), _mm_cmplt_ps(scaled, under));
        __m128i rounded = _mm_cvtps_epi32(_mm_andnot_ps(is_nan, _mm_max_ps(scaled, least)));
        __m128i limited = _mm_or_si128(_mm_andnot_si128(_mm_castps_si128(is_over), rounded),
            _mm_and_si128(_mm_castps_si128(is_over), most));
        _mm_storeu_si128((__m128i *)(void *)(out + i), _mm_sll_epi32(limited, shift));
        int mask = _mm_movemask_ps(clipped);
        if (mask)
            *clips += (uint64_t)__builtin_popcount((unsigned)mask);
    }
    float four[4];
    _mm_storeu_ps(four, peaks);
    for (int k = 0; k < 4; k++)
        *peak = four[k] > *peak ? four[k] : *peak;
    return i;
}

#else

static size_t convert_fours(const struct scale *scale, const float *in, int32_t *out,
    size_t samples, uint64_t *clips, float *peak)
{
    (void)scale, (void)in, (void)out, (void)samples, (void)clips, (void)peak;
    return 0;
}

#endif

uint64_t stem_sample_to_int(const float *in, int32_t *out, size_t samples, int bits, float *peak)
{
    const struct scale scale = scale_of(bits);
    uint64_t clips = 0;
    float highest = peak ? *peak : 0;
    size_t done = convert_fours(&scale, in, out, samples, &clips, &highest);
    for (; done < samples; done++)
        clips += convert_one(&scale, in[done], out + done, &highest);
    if (peak)
        *peak = highest;
    return clips;
}

float stem_sample_peak(const float *in, size_t samples, float peak)
{
    for (size_t i = 0; i < samples; i++) {
        float magnitude = fabsf(in[i]);
        peak = magnitude > peak ? magnitude : peak;
    }
    return peak;
}
