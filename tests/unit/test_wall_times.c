/* Moments of the wall clock on the server's clock. */
#include "clock_pair.h"
#include "unit.h"
#include "wall_times.h"

#include <time.h>

#define SECOND INT64_C(1000000000)
/* Looks are taken each second of the server's clock, which began here. */
#define WALL (INT64_C(1795532110) * SECOND)

static struct stem_wall_times *times;

static int set_up(void **state)
{
    (void)state;
    times = stem_wall_times_create();
    return times ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    stem_wall_times_destroy(times);
    return 0;
}

static void note(int64_t wall_ns, int64_t server_ns)
{
    const struct stem_wall_look look = {wall_ns, server_ns};
    stem_wall_times_note(times, &look);
}

/* Looks a second apart, by a wall clock that runs fast by so many parts in a million. */
static void note_many(int count, int64_t wall_ns, int64_t ppm)
{
    int64_t first_ns = (int64_t)stem_wall_times_count(times) * SECOND;
    for (int k = 0; k < count; k++)
        note(wall_ns + k * (SECOND + ppm * 1000), first_ns + k * SECOND);
}

static void check(uint64_t from, int64_t wall_ns, int64_t expected_ns)
{
    int64_t server_ns = -1;
    assert_int_equal(stem_wall_times_find(times, wall_ns, &from, &server_ns), STEM_WALL_TIME_FOUND);
    assert_int_equal(server_ns, expected_ns);
}

static void test_wall_times_waits_for_a_look_behind(void **state)
{
    (void)state;
    uint64_t from = 1;
    int64_t server_ns = -1;
    note_many(3, WALL, 0);
    assert_int_equal(
        stem_wall_times_find(times, WALL + 2 * SECOND, &from, &server_ns), STEM_WALL_TIME_AHEAD);
    assert_int_equal(from, 3);
    assert_int_equal(server_ns, -1);
    note(WALL + 3 * SECOND, 3 * SECOND);
    check(from, WALL + 2 * SECOND, 2 * SECOND);
    check(from, WALL + 2 * SECOND + 1, 2 * SECOND + 1);
}

static void test_wall_times_follows_another_pace(void **state)
{
    (void)state;
    note_many(3, WALL, 500);
    check(1, WALL + (SECOND + 500000) / 2, SECOND / 2);
    check(1, WALL + (SECOND + 500000) * 3 / 2, SECOND * 3 / 2);
}

/* It is the last time before it was asked for; before the first look of all the clocks are taken to
 * have run alike. */
static void test_wall_times_finds_what_is_past(void **state)
{
    (void)state;
    note_many(5, WALL, 0);
    check(5, WALL + SECOND * 5 / 2, SECOND * 5 / 2);
    check(5, WALL, 0);
    check(5, WALL - 7, -7);
    note_many(3, WALL + SECOND, 0); /* set back by four seconds */
    check(8, WALL + SECOND * 5 / 2, SECOND * 13 / 2);
    check(5, WALL + SECOND * 5 / 2, SECOND * 5 / 2);
}

/* A moment that the clock was put over was while it was put. */
static void test_wall_times_clock_put_forward(void **state)
{
    (void)state;
    note_many(2, WALL, 0);
    note_many(2, WALL + 3600 * SECOND, 0);
    check(1, WALL + SECOND + 3599 * SECOND / 2, SECOND + SECOND / 2);
    check(1, WALL + 3600 * SECOND + SECOND / 2, 2 * SECOND + SECOND / 2);
}

/* The first time counts for who was there, the second one for who came later. */
static void test_wall_times_clock_put_back(void **state)
{
    (void)state;
    int64_t server_ns;
    uint64_t from = 2;
    note_many(3, WALL, 0);
    note_many(2, WALL - 10 * SECOND, 0);
    assert_int_equal(
        stem_wall_times_find(times, WALL + 2 * SECOND, &from, &server_ns), STEM_WALL_TIME_AHEAD);
    note_many(15, WALL - 8 * SECOND, 0);
    check(from, WALL + 2 * SECOND + 5, 15 * SECOND + 5);
    check(1, WALL + SECOND + 5, SECOND + 5);
    check(5, WALL + SECOND + 5, 14 * SECOND + 5);
}

static void test_wall_times_is_the_same_whenever_it_is_asked(void **state)
{
    (void)state;
    uint64_t early = 1, late = 1;
    int64_t one = 0, other = 0, moment = WALL + 5 * SECOND + 12345;
    for (int k = 0; k < 5; k++)
        note(WALL + k * SECOND, k * SECOND + k * k);
    assert_int_equal(stem_wall_times_find(times, moment, &early, &one), STEM_WALL_TIME_AHEAD);
    for (int k = 5; k < 9; k++) {
        note(WALL + k * SECOND, k * SECOND + k * k);
        if (k == 6)
            assert_int_equal(
                stem_wall_times_find(times, moment, &early, &one), STEM_WALL_TIME_FOUND);
    }
    assert_int_equal(stem_wall_times_find(times, moment, &late, &other), STEM_WALL_TIME_FOUND);
    assert_int_equal(one, other);
}

static void test_wall_times_forgets(void **state)
{
    (void)state;
    uint64_t none = 0, first = 1, much = 2;
    int64_t server_ns;
    struct stem_wall_look last;
    assert_false(stem_wall_times_last(times, &last));
    assert_int_equal(stem_wall_times_find(times, WALL, &none, &server_ns), STEM_WALL_TIME_LOST);
    note_many(1, WALL, 0);
    assert_int_equal(stem_wall_times_find(times, WALL, &much, &server_ns), STEM_WALL_TIME_LOST);
    note_many(STEM_WALL_TIMES + 9, WALL + SECOND, 0);
    assert_int_equal(
        stem_wall_times_find(times, WALL + SECOND, &first, &server_ns), STEM_WALL_TIME_LOST);
    check(100, WALL + 200 * SECOND, 200 * SECOND);
    assert_true(stem_wall_times_last(times, &last));
    assert_int_equal(last.server_ns, (STEM_WALL_TIMES + 9) * SECOND);
}

/* The pair of clocks */

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static uint64_t raw_us(void)
{
    return (uint64_t)read_ns(CLOCK_MONOTONIC_RAW) / 1000;
}

static uint64_t monotonic_us(void)
{
    return (uint64_t)read_ns(CLOCK_MONOTONIC) / 1000;
}

static uint64_t other_us(void)
{
    return (uint64_t)(read_ns(CLOCK_MONOTONIC_RAW) + 123456789) / 1000;
}

/* A look lies between what is read before and after it, on both clocks; that of whole microseconds
 * within one. */
static void check_look(uint64_t (*server_us)(void), clockid_t clock, int64_t ahead, int64_t unsure)
{
    struct stem_wall_look look;
    int64_t server_ns = read_ns(clock), wall_ns = read_ns(CLOCK_REALTIME);
    while (!stem_clock_pair_look(server_us, &look))
        continue; /* the machine's clock was set */
    assert_true(look.server_ns >= server_ns + ahead - unsure);
    assert_true(look.server_ns <= read_ns(clock) + ahead + unsure);
    assert_true(look.wall_ns >= wall_ns && look.wall_ns <= read_ns(CLOCK_REALTIME));
}

static void test_clock_pair_knows_the_clocks_of_servers(void **state)
{
    (void)state;
    check_look(raw_us, CLOCK_MONOTONIC_RAW, 0, 0);
    check_look(monotonic_us, CLOCK_MONOTONIC, 0, 0);
    check_look(other_us, CLOCK_MONOTONIC_RAW, 123456789, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_wall_times_waits_for_a_look_behind),
        TEST(test_wall_times_follows_another_pace),
        TEST(test_wall_times_finds_what_is_past),
        TEST(test_wall_times_clock_put_forward),
        TEST(test_wall_times_clock_put_back),
        TEST(test_wall_times_is_the_same_whenever_it_is_asked),
        TEST(test_wall_times_forgets),
        TEST(test_clock_pair_knows_the_clocks_of_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
