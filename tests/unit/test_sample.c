/* Conversion against a reference in double precision, at every length and alignment, because the
 * fast path takes several samples at a time. */
#include "sample.h"
#include "unit.h"

#include <math.h>
#include <string.h>

static const int WIDTHS[] = {16, 24, 32};
enum { WIDTH_COUNT = 3, MOST = 4096, GUARD = 16 };

static float in[MOST + GUARD];
static int32_t integers[MOST + GUARD];
static unsigned char bytes[(MOST + GUARD) * 4];

/* What a sample must become, left-justified; counts what saturates. nearbyint rounds ties to even.
 */
static int32_t reference(float sample, int bits, uint64_t *clips)
{
    const double scale = ldexp(1, bits - 1);
    double rounded = nearbyint((double)sample * scale);
    double kept = isnan(rounded) ? 0 : fmax(-scale, fmin(rounded, scale - 1));
    *clips += kept != rounded; /* not-a-number differs from everything */
    return (int32_t)(kept * ldexp(1, 32 - bits));
}

static void check_integers(const float *from, size_t count, int bits)
{
    uint64_t clips = 0;
    float peak = 0, highest = 0;
    memset(integers, 0x5A, sizeof integers);
    uint64_t said = stem_sample_to_int(from, integers, count, bits, &peak);
    for (size_t k = 0; k < count; k++) {
        int32_t wanted = reference(from[k], bits, &clips);
        if (integers[k] != wanted)
            fail_msg(
                "%d bit: %a became %d instead of %d", bits, (double)from[k], integers[k], wanted);
        highest = fabsf(from[k]) > highest ? fabsf(from[k]) : highest;
    }
    assert_int_equal(said, clips);
    assert_true(peak == highest);
    for (size_t k = count; k < count + GUARD; k++)
        assert_int_equal(integers[k], 0x5A5A5A5A); /* nothing behind the end */
}

/* Bytes hold the same as the integers, lowest first. */
static void check_bytes(const float *from, size_t count, int bits)
{
    size_t width = (size_t)bits / 8;
    float peaks[2] = {0, 0};
    uint64_t clips = stem_sample_to_int(from, integers, count, bits, &peaks[0]);
    memset(bytes, 0x5A, sizeof bytes);
    assert_int_equal(stem_sample_to_bytes(from, bytes, count, bits, &peaks[1]), clips);
    assert_true(peaks[0] == peaks[1]);
    for (size_t k = 0; k < count; k++)
        for (size_t b = 0; b < width; b++)
            assert_int_equal(
                bytes[k * width + b], (uint32_t)integers[k] >> (32 - bits + 8 * (int)b) & 0xFF);
    for (size_t k = count * width; k < count * width + GUARD; k++)
        assert_int_equal(bytes[k], 0x5A);
}

static void check_all(const float *from, size_t count)
{
    for (int w = 0; w < WIDTH_COUNT; w++) {
        check_integers(from, count, WIDTHS[w]);
        check_bytes(from, count, WIDTHS[w]);
    }
}

static void fill_noise(uint32_t seed, float range)
{
    for (int k = 0; k < MOST + GUARD; k++)
        in[k] = range * unit_noise(&seed);
}

static void test_sample_matches_double_precision(void **state)
{
    (void)state;
    for (int shift = -40; shift <= 3; shift++) {
        fill_noise((uint32_t)(100 + shift), ldexpf(1, shift));
        check_all(in, MOST);
    }
}

static void test_sample_every_length_and_alignment(void **state)
{
    (void)state;
    fill_noise(7, 1.25f);
    for (size_t offset = 0; offset < 5; offset++)
        for (size_t count = 0; count <= 67; count++)
            check_all(in + offset, count);
}

/* Samples of every bit pattern's kind: all exponents and signs, some mantissas. */
static void test_sample_every_magnitude(void **state)
{
    (void)state;
    static const uint32_t MANTISSAS[] = {0, 1, 0x400000, 0x3FFFFF, 0x7FFFFF, 0x555555};
    size_t count = 0;
    for (uint32_t exponent = 0; exponent < 256; exponent++)
        for (uint32_t sign = 0; sign < 2; sign++)
            for (size_t m = 0; m < sizeof MANTISSAS / sizeof *MANTISSAS; m++) {
                uint32_t pattern = sign << 31 | exponent << 23 | MANTISSAS[m];
                memcpy(&in[count++], &pattern, sizeof pattern);
                if (count == MOST) {
                    check_all(in, count);
                    count = 0;
                }
            }
    check_all(in, count);
}

/* Both sides of the border where samples saturate, step by step. */
static void test_sample_borders(void **state)
{
    (void)state;
    for (int w = 0; w < WIDTH_COUNT; w++) {
        float scale = ldexpf(1, WIDTHS[w] - 1);
        float borders[] = {1.0f, -1.0f, (scale - 0.5f) / scale, -(scale + 0.5f) / scale,
            (scale - 1.0f) / scale, 0.5f / scale, -0.5f / scale, 1.5f / scale, -1.5f / scale};
        size_t count = 0;
        for (size_t b = 0; b < sizeof borders / sizeof *borders; b++) {
            float at = borders[b];
            for (int k = 0; k < 20; k++)
                at = nextafterf(at, -INFINITY);
            for (int k = 0; k < 40; k++, at = nextafterf(at, INFINITY))
                in[count++] = at;
        }
        check_integers(in, count, WIDTHS[w]);
        check_bytes(in, count, WIDTHS[w]);
        for (size_t k = 0; k < count; k++)
            check_integers(in + k, 1, WIDTHS[w]); /* the way of a few samples */
    }
}

/* An integer that came in as a float leaves as the same integer. */
static void test_sample_integers_come_back(void **state)
{
    (void)state;
    for (int32_t value = -32768; value < 32768;) {
        size_t count = 0;
        for (; count < MOST && value < 32768; count++, value++)
            in[count] = (float)value / 32768.0f;
        assert_int_equal(stem_sample_to_int(in, integers, count, 16, NULL), 0);
        for (size_t k = 0; k < count; k++)
            assert_int_equal(integers[k] >> 16, value - (int32_t)(count - k));
    }
}

static void test_sample_not_a_number_is_silent_and_counts(void **state)
{
    (void)state;
    for (int w = 0; w < WIDTH_COUNT; w++)
        for (size_t at = 0; at < 9; at++) {
            float peak = 0;
            for (size_t k = 0; k < 9; k++)
                in[k] = k == at ? NAN : 0.25f;
            assert_int_equal(stem_sample_to_int(in, integers, 9, WIDTHS[w], &peak), 1);
            assert_int_equal(integers[at], 0);
            assert_true(peak == 0.25f);
        }
}

static void test_sample_peak_is_only_raised(void **state)
{
    (void)state;
    float peak = 0.75f;
    in[0] = 0.5f;
    stem_sample_to_int(in, integers, 1, 24, &peak);
    assert_true(peak == 0.75f);
    in[0] = -0.875f;
    stem_sample_to_int(in, integers, 1, 24, &peak);
    assert_true(peak == 0.875f);
    assert_true(stem_sample_peak(in, 1, 2.0f) == 2.0f);
    assert_true(stem_sample_peak(in, 0, 0.125f) == 0.125f);
}

static void test_sample_peak_finds_one_among_many(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 70; count++)
        for (size_t at = 0; at < count; at++) {
            for (size_t k = 0; k < count; k++)
                in[k] = k % 3 ? NAN : 0.25f;
            in[at] = at % 2 ? 0.5f : -0.5f;
            assert_true(stem_sample_peak(in, count, 0) == 0.5f);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_matches_double_precision),
        cmocka_unit_test(test_sample_every_length_and_alignment),
        cmocka_unit_test(test_sample_every_magnitude),
        cmocka_unit_test(test_sample_borders),
        cmocka_unit_test(test_sample_integers_come_back),
        cmocka_unit_test(test_sample_not_a_number_is_silent_and_counts),
        cmocka_unit_test(test_sample_peak_is_only_raised),
        cmocka_unit_test(test_sample_peak_finds_one_among_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
