/* Mixing against a reference in double precision. */
#include "mix.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PORTS = 12, RATE = 48000, LONGEST = 1000 };

struct fixture {
    float port[PORTS][LONGEST];
    const float *ports[PORTS];
    float out[LONGEST * STEM_MIX_MAX_CHANNELS];
    uint32_t random;
};

static struct fixture fixture;

static float noise(void)
{
    fixture.random = fixture.random * 1664525u + 1013904223u;
    return (float)(int32_t)fixture.random / 2147483648.0f;
}

static int set_up(void **state)
{
    (void)state;
    fixture.random = 1;
    for (int p = 0; p < PORTS; p++) {
        fixture.ports[p] = fixture.port[p];
        for (int i = 0; i < LONGEST; i++)
            fixture.port[p][i] = noise();
    }
    memset(fixture.out, 0x55, sizeof fixture.out);
    return 0;
}

static struct stem_mix *make(
    const uint32_t *channels, uint32_t tracks, const struct stem_mix_route *routes, uint32_t count)
{
    struct stem_error error = {0};
    struct stem_mix *mix = stem_mix_create(channels, tracks, PORTS, routes, count, RATE, &error);
    assert_string_equal(error.text, "");
    assert_non_null(mix);
    return mix;
}

/* Mixes into fixture.out, split in two runs as at the tape's wrap. */
static void run(
    struct stem_mix *mix, uint32_t track, uint32_t channels, uint32_t first, uint32_t second)
{
    struct stem_tape_span span = {
        .samples = {fixture.out, fixture.out + (size_t)first * channels},
        .frames = {first, second},
    };
    stem_mix_track_rt(mix, track, fixture.ports, &span);
}

static void test_mix_one_route_at_unity_hands_bits_through(void **state)
{
    (void)state;
    const uint32_t channels[] = {2};
    const struct stem_mix_route routes[] = {{3, 0, 0, 1.0f}, {3, 0, 1, 1.0f}};
    struct stem_mix *mix = make(channels, 1, routes, 2);
    fixture.port[3][0] = -0.0f;
    fixture.port[3][1] = FLT_TRUE_MIN;
    fixture.port[3][2] = INFINITY;
    run(mix, 0, 2, 700, 300);
    for (int i = 0; i < LONGEST; i++) {
        assert_memory_equal(&fixture.out[2 * i], &fixture.port[3][i], sizeof(float));
        assert_memory_equal(&fixture.out[2 * i + 1], &fixture.port[3][i], sizeof(float));
    }
    stem_mix_destroy(mix);
}

/* A block may begin at any frame of the tape, so at any address, and end there. */
static void test_mix_two_ports_keep_to_their_places(void **state)
{
    (void)state;
    const uint32_t channels[] = {2};
    const struct stem_mix_route routes[] = {{4, 0, 0, 1.0f}, {7, 0, 1, 1.0f}};
    struct stem_mix *mix = make(channels, 1, routes, 2);
    for (uint32_t frames = 0; frames < 20; frames++)
        for (size_t before = 0; before < 5; before++) {
            memset(fixture.out, 0x55, sizeof fixture.out);
            float untouched = fixture.out[0];
            float *out = fixture.out + before;
            struct stem_tape_span span = {.samples = {out, NULL}, .frames = {frames, 0}};
            stem_mix_track_rt(mix, 0, fixture.ports, &span);
            stem_mix_settle_rt();
            for (size_t k = 0; k < before; k++)
                assert_memory_equal(&fixture.out[k], &untouched, sizeof(float));
            for (uint32_t i = 0; i < frames; i++) {
                assert_memory_equal(&out[2 * i], &fixture.port[4][i], sizeof(float));
                assert_memory_equal(&out[2 * i + 1], &fixture.port[7][i], sizeof(float));
            }
            assert_memory_equal(&out[2 * (size_t)frames], &untouched, sizeof(float));
        }
    stem_mix_destroy(mix);
}

/* |float sum - exact sum| is bounded by the rounding of as many products and additions: each rounds
 * by at most half an ulp of a partial sum, whose magnitude the sum of magnitudes bounds. */
static void check_against_double(const struct stem_mix_route *routes, uint32_t count,
    uint32_t track, uint32_t channels, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < channels; c++) {
            double exact = 0, magnitude = 0;
            unsigned terms = 0;
            for (uint32_t r = 0; r < count; r++) {
                if (routes[r].track != track || routes[r].channel != c)
                    continue;
                double product = (double)routes[r].gain * fixture.port[routes[r].port][i];
                exact += product;
                magnitude += fabs(product);
                terms++;
            }
            double bound = 2.0 * terms * magnitude * (FLT_EPSILON / 2) + 1e-300;
            assert_true(fabs(fixture.out[i * channels + c] - exact) <= bound);
        }
}

static void test_mix_sums_match_double_precision(void **state)
{
    (void)state;
    for (uint32_t width = 1; width <= STEM_MIX_MAX_CHANNELS; width++) {
        const uint32_t channels[] = {1, width, 2};
        struct stem_mix_route routes[200];
        uint32_t count = 0;
        for (uint32_t p = 0; p < PORTS; p++)
            for (uint32_t c = 0; c < width; c++)
                routes[count++] = (struct stem_mix_route){p, 1, c, noise() * 2.0f};
        routes[count++] = (struct stem_mix_route){0, 0, 0, 0.5f}; /* other tracks stay apart */
        routes[count++] = (struct stem_mix_route){1, 2, 1, -1.0f};
        struct stem_mix *mix = make(channels, 3, routes, count);
        for (uint32_t track = 0; track < 3; track++) {
            run(mix, track, channels[track], 333, 444);
            check_against_double(routes, count, track, channels[track], 777);
        }
        stem_mix_destroy(mix);
    }
}

static void test_mix_sums_in_the_order_of_the_routes(void **state)
{
    (void)state;
    const uint32_t channels[] = {1};
    const struct stem_mix_route routes[] = {{0, 0, 0, 1.0f}, {1, 0, 0, 1.0f}, {2, 0, 0, 1.0f}};
    fixture.port[0][0] = 1e8f;
    fixture.port[1][0] = -1e8f;
    fixture.port[2][0] = 1.25f; /* lost unless it comes last */
    struct stem_mix *mix = make(channels, 1, routes, 3);
    run(mix, 0, 1, 1, 0);
    assert_true(fixture.out[0] == 1.25f);
    stem_mix_destroy(mix);
}

static void test_mix_inverted_copies_cancel(void **state)
{
    (void)state;
    const uint32_t channels[] = {1};
    const struct stem_mix_route routes[] = {{5, 0, 0, 1.0f}, {5, 0, 0, -1.0f}};
    struct stem_mix *mix = make(channels, 1, routes, 2);
    run(mix, 0, 1, LONGEST, 0);
    for (int i = 0; i < LONGEST; i++)
        assert_true(fixture.out[i] == 0.0f);
    stem_mix_destroy(mix);
}

static void test_mix_channel_without_routes_is_silent(void **state)
{
    (void)state;
    const uint32_t channels[] = {2};
    const struct stem_mix_route routes[] = {{0, 0, 1, 1.0f}};
    struct stem_mix *mix = make(channels, 1, routes, 1);
    run(mix, 0, 2, LONGEST, 0);
    for (int i = 0; i < LONGEST; i++) {
        assert_true(fixture.out[2 * i] == 0.0f);
        assert_true(fixture.out[2 * i + 1] == fixture.port[0][i]);
    }
    stem_mix_destroy(mix);
}

static void set_all_ports(float value)
{
    for (int p = 0; p < PORTS; p++)
        for (int i = 0; i < LONGEST; i++)
            fixture.port[p][i] = value;
}

static void test_mix_mute_fades_without_a_click_and_back(void **state)
{
    (void)state;
    const uint32_t channels[] = {2};
    const struct stem_mix_route routes[] = {{0, 0, 0, 1.0f}, {0, 0, 1, 1.0f}};
    const float step = (float)(1.0 / (STEM_MIX_FADE_SECONDS * RATE));
    struct stem_mix *mix = make(channels, 1, routes, 2);
    set_all_ports(1.0f);
    float before = 1.0f;
    for (int turn = 0; turn < 2; turn++) {
        stem_mix_set_mute(mix, 0, turn == 0);
        assert_int_equal(stem_mix_muted(mix, 0), turn == 0);
        for (int block = 0; block < 20; block++) {
            run(mix, 0, 2, 40, 24);
            for (int i = 0; i < 64; i++) {
                assert_true(fabsf(fixture.out[2 * i] - before) <= step * 1.01f);
                assert_true(fixture.out[2 * i] == fixture.out[2 * i + 1]);
                before = fixture.out[2 * i];
            }
        }
        assert_true(before == (turn == 0 ? 0.0f : 1.0f)); /* exactly shut, exactly open */
    }
    stem_mix_destroy(mix);
}

static void test_mix_mute_taken_back_midway_turns_round(void **state)
{
    (void)state;
    const uint32_t channels[] = {1};
    const struct stem_mix_route routes[] = {{0, 0, 0, 1.0f}};
    struct stem_mix *mix = make(channels, 1, routes, 1);
    set_all_ports(1.0f);
    stem_mix_set_mute(mix, 0, true);
    run(mix, 0, 1, 240, 0);
    float half = fixture.out[239];
    assert_true(half > 0.45f && half < 0.55f);
    stem_mix_set_mute(mix, 0, false);
    run(mix, 0, 1, 480, 0);
    assert_true(fixture.out[0] > half);
    assert_true(fixture.out[479] == 1.0f);
    stem_mix_destroy(mix);
}

static void test_mix_muted_track_is_silent_even_for_bad_samples(void **state)
{
    (void)state;
    const uint32_t channels[] = {1};
    const struct stem_mix_route routes[] = {{0, 0, 0, 1.0f}};
    struct stem_mix *mix = make(channels, 1, routes, 1);
    stem_mix_set_mute(mix, 0, true);
    run(mix, 0, 1, LONGEST, 0);
    set_all_ports(NAN);
    run(mix, 0, 1, LONGEST, 0);
    for (int i = 0; i < LONGEST; i++)
        assert_true(fixture.out[i] == 0.0f);
    stem_mix_destroy(mix);
}

static void test_mix_refuses_a_route_to_nowhere(void **state)
{
    (void)state;
    const uint32_t channels[] = {2};
    const struct stem_mix_route bad[] = {{PORTS, 0, 0, 1}, {0, 1, 0, 1}, {0, 0, 2, 1}};
    for (int k = 0; k < 3; k++) {
        struct stem_error error = {0};
        assert_null(stem_mix_create(channels, 1, PORTS, &bad[k], 1, RATE, &error));
        assert_non_null(strstr(error.text, "no such place"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_mix_one_route_at_unity_hands_bits_through, set_up),
        cmocka_unit_test_setup(test_mix_two_ports_keep_to_their_places, set_up),
        cmocka_unit_test_setup(test_mix_sums_match_double_precision, set_up),
        cmocka_unit_test_setup(test_mix_sums_in_the_order_of_the_routes, set_up),
        cmocka_unit_test_setup(test_mix_inverted_copies_cancel, set_up),
        cmocka_unit_test_setup(test_mix_channel_without_routes_is_silent, set_up),
        cmocka_unit_test_setup(test_mix_mute_fades_without_a_click_and_back, set_up),
        cmocka_unit_test_setup(test_mix_mute_taken_back_midway_turns_round, set_up),
        cmocka_unit_test_setup(test_mix_muted_track_is_silent_even_for_bad_samples, set_up),
        cmocka_unit_test_setup(test_mix_refuses_a_route_to_nowhere, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
