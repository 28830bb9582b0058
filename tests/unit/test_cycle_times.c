/* The frames that belong to moments of the server's clock. */
#include "cycle_times.h"
#include "unit.h"

enum { PERIOD = 256, PERIOD_US = 5333 };

static void note(struct stem_cycle_times *times, uint64_t frame, uint64_t began_us)
{
    const struct stem_cycle cycle = {frame, PERIOD, began_us, began_us + PERIOD_US};
    stem_cycle_times_note_rt(times, &cycle);
}

static struct stem_cycle_times *make(uint64_t cycles)
{
    struct stem_cycle_times *times = stem_cycle_times_create();
    assert_non_null(times);
    for (uint64_t k = 0; k < cycles; k++)
        note(times, k * PERIOD, 1000000 + k * PERIOD_US);
    return times;
}

static void check(const struct stem_cycle_times *times, int64_t ns, uint64_t expected)
{
    uint64_t frame = 0;
    assert_int_equal(stem_cycle_times_find(times, ns, &frame), STEM_CYCLE_TIME_FOUND);
    assert_int_equal(frame, expected);
}

static void test_cycle_times_finds_frames_between_cycles(void **state)
{
    (void)state;
    struct stem_cycle_times *times = make(100);
    check(times, 1000000000, 0);
    check(times, 1000000000 + 10 * PERIOD_US * 1000LL, 10 * PERIOD);
    check(times, 1000000000 + 10 * PERIOD_US * 1000LL + PERIOD_US * 500LL, 10 * PERIOD + 128);
    check(times, 1000000000 + 99 * PERIOD_US * 1000LL - 1, 99 * PERIOD - 1);
    stem_cycle_times_destroy(times);
}

/* Cycles that began late, and frames that nobody was called for: what lies in no cycle's time is
 * on the way from the end of one to the beginning of the next. */
static void test_cycle_times_bridges_what_lies_between(void **state)
{
    (void)state;
    struct stem_cycle_times *times = make(2);
    note(times, 2 * PERIOD, 1000000 + 4 * PERIOD_US);
    note(times, 10 * PERIOD, 1000000 + 6 * PERIOD_US);
    check(times, 1000000000 + 3 * PERIOD_US * 500LL, PERIOD + 128);
    check(times, 1000000000 + 3 * PERIOD_US * 1000LL, 2 * PERIOD);
    check(times, 1000000000 + 9 * PERIOD_US * 500LL, 2 * PERIOD + 128);
    check(times, 1000000000 + 11 * PERIOD_US * 500LL, 6 * PERIOD + PERIOD / 2);
    stem_cycle_times_destroy(times);
}

/* What one client was not called for does not change the frame of a moment in another cycle: the
 * next one may begin late, early, or many frames further. */
static void test_cycle_times_counts_a_cycle_by_its_own_times(void **state)
{
    (void)state;
    static const uint64_t NEXT[][2] = {{2, 2000}, {2, 1900}, {3, 3000}, {9, 2500}};
    for (size_t k = 0; k < sizeof NEXT / sizeof *NEXT; k++) {
        struct stem_cycle_times *times = make(2);
        note(times, NEXT[k][0] * PERIOD, 1000000 + NEXT[k][1] * PERIOD_US / 1000);
        check(times, 1000000000 + 3 * PERIOD_US * 500LL, PERIOD + 128);
        stem_cycle_times_destroy(times);
    }
}

/* A cycle missed by this client alone is where the others saw it. */
static void test_cycle_times_agrees_with_who_missed_none(void **state)
{
    (void)state;
    struct stem_cycle_times *all = make(5), *some = make(2);
    for (uint64_t k = 3; k < 5; k++)
        note(some, k * PERIOD, 1000000 + k * PERIOD_US);
    for (int64_t ns = 1000000000; ns < 1000000000 + 5 * PERIOD_US * 1000LL; ns += 9973) {
        uint64_t frame = UINT64_MAX;
        assert_int_equal(stem_cycle_times_find(all, ns, &frame), STEM_CYCLE_TIME_FOUND);
        check(some, ns, frame);
    }
    stem_cycle_times_destroy(some);
    stem_cycle_times_destroy(all);
}

static void test_cycle_times_knows_the_running_cycle_to_its_end(void **state)
{
    (void)state;
    struct stem_cycle_times *times = make(10);
    uint64_t frame = 77;
    int64_t end = 1000000000 + 10 * PERIOD_US * 1000LL;
    check(times, end - 1, 10 * PERIOD - 1);
    assert_int_equal(stem_cycle_times_find(times, end, &frame), STEM_CYCLE_TIME_AHEAD);
    assert_int_equal(frame, 77);
    stem_cycle_times_destroy(times);
}

static void test_cycle_times_counts_past_32_bits(void **state)
{
    (void)state;
    const uint64_t border = UINT64_C(1) << 32, day_us = UINT64_C(90000000000);
    struct stem_cycle_times *times = make(0);
    for (uint64_t k = 0; k < 4; k++)
        note(times, border - 2 * PERIOD + k * PERIOD, day_us + k * PERIOD_US);
    check(times, (int64_t)(day_us + 2 * PERIOD_US) * 1000 - 1, border - 1);
    check(times, (int64_t)(day_us + 2 * PERIOD_US) * 1000, border);
    check(times, (int64_t)(day_us + 3 * PERIOD_US) * 1000 - 1, border + PERIOD - 1);
    stem_cycle_times_destroy(times);
}

/* A server that was away starts its cycles anew; a clock of frames that goes back does no harm. */
static void test_cycle_times_goes_over_a_restart(void **state)
{
    (void)state;
    struct stem_cycle_times *times = make(2);
    note(times, 1000000, 9000000);
    check(times, 1000000000 + (2 * PERIOD_US + 9000000 - 1000000) * 500LL,
        (2 * PERIOD + 1000000) / 2);
    check(times, 9000000000 - 1, 999999);
    note(times, 999000, 9100000);
    check(times, 9050000000, 999000);
    stem_cycle_times_destroy(times);
}

static void test_cycle_times_forgets(void **state)
{
    (void)state;
    struct stem_cycle_times *times = make(0);
    uint64_t frame;
    assert_int_equal(stem_cycle_times_find(times, 1000000000, &frame), STEM_CYCLE_TIME_LOST);
    stem_cycle_times_destroy(times);
    times = make(STEM_CYCLE_TIMES + 1000);
    assert_int_equal(stem_cycle_times_find(times, 999999999, &frame), STEM_CYCLE_TIME_LOST);
    assert_int_equal(stem_cycle_times_find(times, 1000000000 + 900 * PERIOD_US * 1000LL, &frame),
        STEM_CYCLE_TIME_LOST);
    check(times, 1000000000 + 1100 * PERIOD_US * 1000LL, 1100 * PERIOD);
    stem_cycle_times_destroy(times);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cycle_times_finds_frames_between_cycles),
        cmocka_unit_test(test_cycle_times_bridges_what_lies_between),
        cmocka_unit_test(test_cycle_times_counts_a_cycle_by_its_own_times),
        cmocka_unit_test(test_cycle_times_agrees_with_who_missed_none),
        cmocka_unit_test(test_cycle_times_knows_the_running_cycle_to_its_end),
        cmocka_unit_test(test_cycle_times_counts_past_32_bits),
        cmocka_unit_test(test_cycle_times_goes_over_a_restart),
        cmocka_unit_test(test_cycle_times_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
