/* The frames that belong to moments of the server's clock. */
#include "cycle_times.h"
#include "unit.h"

enum { PERIOD = 256, PERIOD_US = 5333 };

static struct stem_cycle_times *make(uint64_t cycles)
{
    struct stem_cycle_times *times = stem_cycle_times_create();
    assert_non_null(times);
    for (uint64_t k = 0; k < cycles; k++)
        stem_cycle_times_note_rt(times, k * PERIOD, 1000000 + k * PERIOD_US);
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

/* A cycle late in the clock's eyes, and frames that nobody was called for. */
static void test_cycle_times_follows_uneven_cycles(void **state)
{
    (void)state;
    struct stem_cycle_times *times = make(2);
    stem_cycle_times_note_rt(times, 2 * PERIOD, 1000000 + 4 * PERIOD_US);
    stem_cycle_times_note_rt(times, 10 * PERIOD, 1000000 + 5 * PERIOD_US);
    check(times, 1000000000 + 5 * PERIOD_US * 500LL, PERIOD + 128);
    check(times, 1000000000 + 9 * PERIOD_US * 500LL, 6 * PERIOD);
    stem_cycle_times_destroy(times);
}

static void test_cycle_times_waits_for_the_cycle_behind(void **state)
{
    (void)state;
    struct stem_cycle_times *times = make(10);
    uint64_t frame = 77;
    int64_t last = 1000000000 + 9 * PERIOD_US * 1000LL;
    assert_int_equal(stem_cycle_times_find(times, last, &frame), STEM_CYCLE_TIME_AHEAD);
    assert_int_equal(frame, 77);
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
        cmocka_unit_test(test_cycle_times_follows_uneven_cycles),
        cmocka_unit_test(test_cycle_times_waits_for_the_cycle_behind),
        cmocka_unit_test(test_cycle_times_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
