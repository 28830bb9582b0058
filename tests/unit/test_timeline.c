/* The timeline under every kind of clock: steady, wrapping, jumping, turning back, gone. */
#include "timeline.h"

#include "facts.h"
#include "unit.h"

enum { PERIOD = 256 };
#define BORDER (UINT64_C(1) << 32)

/* Places a cycle and checks where it falls and why. */
static void place(struct stem_timeline *timeline, uint32_t clock, uint64_t frame, uint32_t reasons)
{
    uint32_t got_reasons = 0x55;
    uint64_t got = stem_timeline_place_rt(timeline, clock, PERIOD, &got_reasons);
    assert_int_equal(got, frame);
    assert_int_equal(got_reasons, reasons);
    assert_int_equal(timeline->next, frame + PERIOD);
}

static void test_timeline_begins_at_the_first_jack_frame(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, 123456, 123456, 0);
    place(&timeline, 123456 + PERIOD, 123456 + PERIOD, 0);
}

static void test_timeline_may_begin_at_zero(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, 0, 0, 0);
    place(&timeline, PERIOD, PERIOD, 0);
}

static void test_timeline_counts_on_when_the_clock_wraps(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    uint64_t frame = BORDER - 10 * PERIOD + 17; /* no cycle begins at the border */
    for (int k = 0; k < 20; k++, frame += PERIOD)
        place(&timeline, (uint32_t)frame, frame, 0);
    assert_true(frame > BORDER);
}

static void test_timeline_survives_many_wraps(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    const uint32_t step = UINT32_C(1) << 30;
    uint64_t frame = 5;
    uint32_t reasons;
    for (int k = 0; k < 4 * 100; k++, frame += step)
        assert_int_equal(stem_timeline_place_rt(&timeline, (uint32_t)frame, step, &reasons), frame);
    assert_true(frame > 99 * BORDER);
}

static void test_timeline_jump_is_as_long_as_the_clocks(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, 1000, 1000, 0);
    place(&timeline, 1000 + PERIOD + 1, 1000 + PERIOD + 1, STEM_GAP_SKIPPED);
    place(&timeline, 100000, 100000, STEM_GAP_SKIPPED);
    place(&timeline, 100000 + PERIOD, 100000 + PERIOD, 0);
}

static void test_timeline_jump_across_the_wrap(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, UINT32_MAX - 1000, BORDER - 1001, 0);
    place(&timeline, 5000, BORDER + 5000, STEM_GAP_SKIPPED);
    place(&timeline, 5000 + PERIOD, BORDER + 5000 + PERIOD, 0);
}

static void test_timeline_longest_jump(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, 0, 0, 0);
    place(
        &timeline, PERIOD + UINT32_C(0x7FFFFFFF), PERIOD + UINT64_C(0x7FFFFFFF), STEM_GAP_SKIPPED);
}

/* The clock of a restarted server is behind: the timeline goes on without a break. */
static void test_timeline_never_goes_back(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, 50000, 50000, 0);
    place(&timeline, 50000 + PERIOD - 1, 50000 + PERIOD, STEM_GAP_CLOCK);
    place(&timeline, 0, 50000 + 2 * PERIOD, STEM_GAP_CLOCK);
    place(&timeline, PERIOD, 50000 + 3 * PERIOD, 0); /* follows the new clock's steps */
    place(&timeline, 2 * PERIOD + 10, 50000 + 4 * PERIOD + 10, STEM_GAP_SKIPPED);
}

static void test_timeline_clock_that_stands_still_repeats_no_frame(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, 700, 700, 0);
    for (uint64_t k = 1; k < 5; k++)
        place(&timeline, 700, 700 + k * PERIOD, STEM_GAP_CLOCK);
}

static void test_timeline_resumes_where_it_is_told(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, 9000, 9000, 0);
    stem_timeline_resume(&timeline, 60000);
    place(&timeline, 3, 60000, STEM_GAP_SERVER); /* whatever the new server's clock says */
    place(&timeline, 3 + PERIOD, 60000 + PERIOD, 0);
}

static void test_timeline_does_not_resume_in_the_past(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, 9000, 9000, 0);
    stem_timeline_resume(&timeline, 100);
    place(&timeline, 77, 9000 + PERIOD, 0); /* not one frame is missing */
}

/* The server went and came several times before a cycle came. */
static void test_timeline_resumes_at_the_last_word(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, 9000, 9000, 0);
    stem_timeline_resume(&timeline, 60000);
    stem_timeline_resume(&timeline, 80000);
    place(&timeline, 0, 80000, STEM_GAP_SERVER);
}

static void test_timeline_resumes_past_the_wrap(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    place(&timeline, UINT32_MAX - 4 * PERIOD, BORDER - 1 - 4 * PERIOD, 0);
    stem_timeline_resume(&timeline, BORDER + 12345);
    place(&timeline, 40, BORDER + 12345, STEM_GAP_SERVER);
    place(&timeline, 40 + PERIOD, BORDER + 12345 + PERIOD, 0);
}

static void test_timeline_before_the_first_cycle_may_be_told_a_frame(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    stem_timeline_resume(&timeline, 0);
    place(&timeline, 4321, 4321, 0);
}

static void test_timeline_period_may_change(void **state)
{
    (void)state;
    struct stem_timeline timeline = {0};
    uint32_t reasons, clock = 100;
    static const uint32_t PERIODS[] = {64, 8192, 1, 1024, 333};
    for (int k = 0; k < 5; clock += PERIODS[k++]) {
        assert_int_equal(stem_timeline_place_rt(&timeline, clock, PERIODS[k], &reasons), clock);
        assert_int_equal(reasons, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timeline_begins_at_the_first_jack_frame),
        cmocka_unit_test(test_timeline_may_begin_at_zero),
        cmocka_unit_test(test_timeline_counts_on_when_the_clock_wraps),
        cmocka_unit_test(test_timeline_survives_many_wraps),
        cmocka_unit_test(test_timeline_jump_is_as_long_as_the_clocks),
        cmocka_unit_test(test_timeline_jump_across_the_wrap),
        cmocka_unit_test(test_timeline_longest_jump),
        cmocka_unit_test(test_timeline_never_goes_back),
        cmocka_unit_test(test_timeline_clock_that_stands_still_repeats_no_frame),
        cmocka_unit_test(test_timeline_resumes_where_it_is_told),
        cmocka_unit_test(test_timeline_does_not_resume_in_the_past),
        cmocka_unit_test(test_timeline_resumes_at_the_last_word),
        cmocka_unit_test(test_timeline_resumes_past_the_wrap),
        cmocka_unit_test(test_timeline_before_the_first_cycle_may_be_told_a_frame),
        cmocka_unit_test(test_timeline_period_may_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
