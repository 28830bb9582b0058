/* Meters on a tape: which frames they look at. */
#include "meters.h"
#include "unit.h"

#include <math.h>

enum { TAPE = 1000, BLOCK = 100 };

static struct stem_tape *tape;
static uint64_t at; /* next frame to write */

static int set_up(void **state)
{
    (void)state;
    const uint32_t channels[] = {2, 1};
    struct stem_error error = {0};
    tape = stem_tape_create(channels, 2, TAPE, false, NULL, &error);
    at = 0;
    return tape ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    stem_tape_destroy(tape);
    return 0;
}

static void fill(uint32_t track, uint32_t frames, float level)
{
    struct stem_tape_span span = stem_tape_span_rt(tape, track, at, frames);
    for (int part = 0; part < 2; part++)
        for (uint32_t k = 0; k < span.frames[part] * stem_tape_channels(tape, track); k++)
            span.samples[part][k] = level;
}

/* Writes a block after `gap` missing frames. */
static void write_levels(uint32_t frames, uint64_t gap, float first, float second)
{
    static uint64_t contiguous_from;
    at += gap;
    contiguous_from = gap || at == 0 ? at : contiguous_from;
    assert_true(stem_tape_reserve_rt(tape, at, frames));
    fill(0, frames, first);
    fill(1, frames, second);
    stem_tape_commit_rt(tape, contiguous_from);
    at += frames;
}

static void put(uint32_t track, uint64_t frame, uint32_t channel, float level)
{
    struct stem_tape_span span = stem_tape_span_rt(tape, track, frame, 1);
    span.samples[0][channel] = level;
}

static void check(uint32_t track, uint64_t frames, float wanted)
{
    float peak = stem_meters_peak(tape, track, frames);
    if (peak != wanted)
        fail_msg("%g instead of %g", (double)peak, (double)wanted);
}

static void test_meters_show_nothing_on_an_empty_tape(void **state)
{
    (void)state;
    check(0, 100, 0);
}

static void test_meters_show_each_track_by_itself(void **state)
{
    (void)state;
    write_levels(BLOCK, 0, 0.25f, -0.5f);
    check(0, BLOCK, 0.25f);
    check(1, BLOCK, 0.5f);
}

static void test_meters_find_one_sample_of_any_channel(void **state)
{
    (void)state;
    write_levels(BLOCK, 0, 0.1f, 0.1f);
    put(0, 50, 1, -0.75f);
    check(0, BLOCK, 0.75f);
    check(1, BLOCK, 0.1f);
}

static void test_meters_look_at_the_newest_frames_only(void **state)
{
    (void)state;
    write_levels(BLOCK, 0, 0.1f, 0.1f);
    put(0, 39, 0, 0.9f);
    check(0, 61, 0.9f); /* the first frame of the window */
    check(0, 60, 0.1f); /* one frame too old */
    check(0, 0, 0);
}

static void test_meters_look_around_the_end_of_the_tape(void **state)
{
    (void)state;
    for (int k = 0; k < 12; k++) /* ends at 1200: the window lies on both sides */
        write_levels(BLOCK, 0, 0.1f, 0.1f);
    put(0, 950, 0, 0.6f);
    check(0, 300, 0.6f);
    put(0, 1150, 0, 0.7f);
    check(0, 300, 0.7f);
    check(0, 5000, 0.7f); /* no more than there is */
}

static void test_meters_do_not_look_across_a_gap(void **state)
{
    (void)state;
    write_levels(BLOCK, 0, 0.9f, 0.9f);
    write_levels(BLOCK, 300, 0.2f, 0.3f);
    check(0, 500, 0.2f);
    check(1, 500, 0.3f);
}

static void test_meters_do_not_look_at_what_is_being_overwritten(void **state)
{
    (void)state;
    for (int k = 0; k < 10; k++)
        write_levels(BLOCK, 0, 0.1f, 0.1f);
    put(0, 20, 0, 0.9f);
    assert_true(stem_tape_reserve_rt(tape, at, BLOCK)); /* frames 0 to 99 are going */
    check(0, TAPE, 0.1f);
}

static void test_meters_pass_over_what_is_no_number(void **state)
{
    (void)state;
    write_levels(BLOCK, 0, 0.1f, 0.1f);
    put(0, 10, 0, NAN);
    put(0, 99, 1, NAN);
    check(0, BLOCK, 0.1f);
}

/* Residual: a stereo stem, a mono one, a return of its own, and beside the sum an input of another
 * width. */
enum { STEM, MONO, RETURN, INPUT, MIX, TRACKS };

static struct stem_tape *console;

static void write_console(const float levels[TRACKS])
{
    assert_true(stem_tape_reserve_rt(console, 0, BLOCK));
    for (uint32_t t = 0; t < TRACKS; t++) {
        struct stem_tape_span span = stem_tape_span_rt(console, t, 0, BLOCK);
        for (uint32_t k = 0; k < BLOCK * stem_tape_channels(console, t); k++)
            span.samples[0][k] = levels[t];
    }
    stem_tape_commit_rt(console, 0);
}

static void check_residual(const float levels[TRACKS], bool return_in_sum, double peak)
{
    uint32_t channels[TRACKS] = {2, 1, 2, 4, 2};
    struct stem_layout_track tracks[TRACKS] = {{.in_sum = true}, {.in_sum = true},
        {.role = STEM_TAKE_RETURN, .in_sum = return_in_sum}, {.role = STEM_TAKE_INPUT}, {0}};
    const struct stem_layout layout = {
        .tracks = tracks, .track_count = TRACKS, .channels = channels, .has_mix = true};
    struct stem_meters_residual residual = {0};
    struct stem_error error = {0};
    console = stem_tape_create(channels, TRACKS, TAPE, false, NULL, &error);
    assert_non_null(console);
    write_console(levels);
    assert_true(stem_meters_residual(console, &layout, BLOCK, &residual));
    if (fabs(residual.peak - peak) > 1e-12)
        fail_msg("%g instead of %g", residual.peak, peak);
    tracks[INPUT].in_sum = true; /* now its width counts */
    assert_false(stem_meters_residual(console, &layout, BLOCK, &residual));
    stem_tape_destroy(console);
}

static void test_meters_residual_takes_the_files_of_the_sum(void **state)
{
    (void)state;
    const float levels[TRACKS] = {
        [STEM] = 0.25f, [MONO] = 0.125f, [RETURN] = 0.0625f, [INPUT] = 0.5f, [MIX] = 0.4375f};
    check_residual(levels, true, 0);
    check_residual(levels, false, 0.0625);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_meters_show_nothing_on_an_empty_tape),
        TEST(test_meters_show_each_track_by_itself),
        TEST(test_meters_find_one_sample_of_any_channel),
        TEST(test_meters_look_at_the_newest_frames_only),
        TEST(test_meters_look_around_the_end_of_the_tape),
        TEST(test_meters_do_not_look_across_a_gap),
        TEST(test_meters_do_not_look_at_what_is_being_overwritten),
        TEST(test_meters_pass_over_what_is_no_number),
        TEST(test_meters_residual_takes_the_files_of_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
