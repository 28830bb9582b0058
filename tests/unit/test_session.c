/* Whole takes: started, stopped, split, and in any order. Every sample of every stem is compared
 * with what JACK's ports gave for its frame. */
#include "scripted_session.h"

#include <stdio.h>
#include <string.h>

/* Starting and stopping */

static void test_session_takes_exactly_the_frames_asked_for(void **state)
{
    (void)state;
    pass(10);
    uint64_t start = now() - 100, stop = start + 20000 + 7; /* no block begins or ends there */
    uint32_t first = give(STEM_COMMAND_START, start, "");
    work();
    check_done(first);
    assert_int_equal(current_state(), STEM_STATE_RECORDING);
    assert_int_equal(find(STEM_EVENT_STARTED, 0)->frame, start);
    uint32_t second = give(STEM_COMMAND_STOP, stop, "");
    pass(10);
    assert_int_equal(current_state(), STEM_STATE_STOPPING);
    assert_null(answer_to(second)); /* only when the work is done */
    pass(100);
    check_done(second);
    check_plain_take(0, start, stop - start);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
    assert_string_equal(answer_to(second)->text, find(STEM_EVENT_FINISHED, 0)->text);
}

static void test_session_writes_every_container(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++) {
        studio->config.container = (enum stem_container)c;
        pass(2);
        forget();
        uint64_t start = now() - 10;
        give(STEM_COMMAND_START, start, "");
        give(STEM_COMMAND_STOP, start + 5000, "");
        pass(40);
        check_plain_take(0, start, 5000);
    }
}

static void test_session_counts_on_past_32_bits(void **state)
{
    (void)state;
    studio->clock = (uint32_t)(BORDER - 10 * PERIOD + 30);
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(30);
    give(STEM_COMMAND_STOP, now(), "");
    pass(1);
    assert_true(start < BORDER && start + 30 * PERIOD > BORDER);
    check_plain_take(0, start, 30 * PERIOD);
}

static void test_session_stop_at_once_leaves_an_empty_take(void **state)
{
    (void)state;
    pass(3);
    give(STEM_COMMAND_START, now(), "");
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, now(), 0);
}

static void test_session_preroll_reaches_back(void **state)
{
    (void)state;
    studio->config.preroll_seconds = 0.1;
    pass(100);
    uint64_t asked = now();
    give(STEM_COMMAND_START, asked, "");
    give(STEM_COMMAND_STOP, asked + 1000, "");
    pass(10);
    check_plain_take(0, asked - 4800, 5800);
}

static void test_session_preroll_ends_where_the_tape_does(void **state)
{
    (void)state;
    studio->config.preroll_seconds = 1000;
    studio->clock = 12345;
    pass(4);
    give(STEM_COMMAND_START, now(), ""); /* nothing was ever before 12345 */
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, 12345, 4 * PERIOD);
    forget();
    pass(2 * TAPE / PERIOD); /* now it is overwritten */
    uint64_t end = now();
    give(STEM_COMMAND_START, end, "");
    give(STEM_COMMAND_STOP, end, "");
    work();
    check_plain_take(0, end - (TAPE - ROOM), TAPE - ROOM);
}

/* All that is on the tape becomes pre-roll, and the disk takes its time with it. */
static void test_session_preroll_leaves_room_for_what_comes(void **state)
{
    (void)state;
    studio->config.preroll_seconds = 1000;
    pass(2 * TAPE / PERIOD);
    uint64_t asked = now();
    give(STEM_COMMAND_START, asked, "");
    stem_session_work(session);
    studio_run(studio, ROOM / PERIOD * PERIOD, PERIOD); /* nobody writes */
    uint64_t end = now();
    work();
    give(STEM_COMMAND_STOP, end, "");
    work();
    check_plain_take(0, asked - (TAPE - ROOM), end - asked + TAPE - ROOM);
}

static void test_session_start_waits_for_the_first_frame(void **state)
{
    (void)state;
    uint32_t start = give(STEM_COMMAND_START, 0, "");
    work();
    assert_null(answer_to(start));
    assert_int_equal(folders_in_takes(), 0);
    studio->clock = 500;
    pass(2);
    check_done(start);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, 500, 2 * PERIOD);
}

static void test_session_toggle_starts_and_stops(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    uint32_t first = give(STEM_COMMAND_TOGGLE, start, "");
    pass(10);
    uint32_t second = give(STEM_COMMAND_TOGGLE, now(), "");
    work();
    check_done(first);
    check_done(second);
    check_plain_take(0, start, 10 * PERIOD);
}

static void test_session_refuses_what_is_not_possible(void **state)
{
    (void)state;
    pass(2);
    uint32_t stop = give(STEM_COMMAND_STOP, now(), "");
    uint32_t split = give(STEM_COMMAND_SPLIT, now(), "");
    uint32_t mark = give(STEM_COMMAND_MARK, now(), "verse");
    work();
    check_failed(stop, STEM_CODE_STATE, "nothing is being recorded");
    check_failed(split, STEM_CODE_STATE, "nothing is being recorded");
    check_failed(mark, STEM_CODE_STATE, "nothing is being recorded");
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(2);
    uint32_t again = give(STEM_COMMAND_START, now(), "");
    pass(2);
    check_failed(again, STEM_CODE_STATE, "already");
    give(STEM_COMMAND_STOP, now(), "");
    work();
    assert_int_equal(count_of(STEM_EVENT_STARTED), 1);
    check_plain_take(0, start, 4 * PERIOD);
}

/* Splitting */

static void test_session_split_loses_and_doubles_nothing(void **state)
{
    (void)state;
    enum { SONGS = 5 };
    pass(4);
    uint64_t border[SONGS + 1] = {now() - 3};
    give(STEM_COMMAND_START, border[0], "");
    for (int k = 1; k < SONGS; k++) {
        border[k] = now() + 1000 + (uint64_t)k;
        uint32_t split = give(STEM_COMMAND_SPLIT, border[k], "");
        pass(20);
        check_done(split);
    }
    border[SONGS] = now();
    give(STEM_COMMAND_STOP, border[SONGS], "");
    work();
    const char *previous = NULL;
    for (int k = 0; k < SONGS; k++) {
        struct stem_take take;
        check_take((size_t)k, border[k], border[k + 1] - border[k], &take);
        assert_int_equal(take.gap_count, 0);
        if (previous)
            assert_string_equal(take.previous, previous);
        else
            assert_null(take.previous);
        previous = strrchr(find(STEM_EVENT_FINISHED, (size_t)k)->text, '/') + 1;
        stem_take_finish(&take);
    }
    assert_int_equal(folders_in_takes(), SONGS);
}

static void test_session_splits_wait_for_one_another(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    uint32_t first = give(STEM_COMMAND_SPLIT, start + 1000, "");
    uint32_t second = give(STEM_COMMAND_SPLIT, start + 1500, "");
    uint32_t stop = give(STEM_COMMAND_STOP, start + 1777, "");
    work();
    assert_null(answer_to(first));
    pass(20);
    check_done(first);
    check_done(second);
    check_done(stop);
    check_plain_take(0, start, 1000);
    check_plain_take(1, start + 1000, 500);
    check_plain_take(2, start + 1500, 277);
}

static void test_session_start_waits_for_the_end_of_a_take(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    give(STEM_COMMAND_STOP, start + 3000, "");
    uint32_t again = give(STEM_COMMAND_START, start + 3100, "");
    pass(5);
    assert_null(answer_to(again));
    pass(20);
    check_done(again);
    give(STEM_COMMAND_STOP, start + 4000, "");
    pass(5);
    check_plain_take(0, start, 3000);
    assert_int_equal(find(STEM_EVENT_STARTED, 1)->frame, start + 3100);
}

/* Quitting */

static void test_session_quit_while_idle(void **state)
{
    (void)state;
    pass(2);
    give(STEM_COMMAND_QUIT, now(), "");
    work();
    assert_true(stem_session_ended(session));
    assert_non_null(find(STEM_EVENT_QUIT, 0));
    uint32_t late = give(STEM_COMMAND_START, now(), "");
    pass(2);
    assert_null(answer_to(late)); /* nothing is accepted any more */
    assert_int_equal(folders_in_takes(), 0);
}

static void test_session_quit_ends_the_take_first(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(5);
    studio_run(studio, 50 * PERIOD, PERIOD); /* a backlog on the tape */
    give(STEM_COMMAND_QUIT, now(), "");
    work();
    assert_true(stem_session_ended(session));
    check_plain_take(0, start, 55 * PERIOD);
    assert_true(find(STEM_EVENT_QUIT, 0) > find(STEM_EVENT_FINISHED, 0)); /* in this order */
}

static void test_session_quit_waits_for_a_take_that_is_ending(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    uint32_t stop = give(STEM_COMMAND_STOP, start + 1000, "");
    give(STEM_COMMAND_QUIT, now(), "");
    work();
    assert_false(stem_session_ended(session));
    pass(5);
    assert_true(stem_session_ended(session));
    check_done(stop);
    check_plain_take(0, start, 1000);
}

/* Killed without a word: what is written stays valid and says what happened. */
static void test_session_destroyed_in_a_take_leaves_it_failed(void **state)
{
    (void)state;
    struct stem_take take;
    char path[TEXT];
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    pass(5);
    snprintf(path, sizeof path, "%s", find(STEM_EVENT_STARTED, 0)->text);
    stem_session_destroy(session);
    load_and_check(&take, path);
    assert_int_equal(take.progress, STEM_TAKE_FAILED);
    assert_non_null(strstr(take.failure, "shut down"));
    assert_int_equal(take.frames, 5 * PERIOD);
    stem_take_finish(&take);
    open_session(); /* for the tear-down */
}

/* Anything in any order: starts, stops, splits, skips, stalls, periods. Every take that ended must
 * be exact, and no command go unanswered. */
static void test_session_random_evening(void **state)
{
    (void)state;
    uint32_t seed = 2026, last_checked = 0;
    enum { ROUNDS = 1500 };
    pass(2);
    for (int round = 0; round < ROUNDS; round++) {
        float dice = (unit_noise(&seed) + 1) / 2;
        uint32_t period = 1 + (uint32_t)((unit_noise(&seed) + 1) * 400);
        if (dice < 0.03f)
            studio_skip(studio, 1 + (uint32_t)(dice * 100000));
        studio_cycle(studio, period);
        if (dice > 0.9f) {
            static const enum stem_command_type TYPES[] = {STEM_COMMAND_START, STEM_COMMAND_STOP,
                STEM_COMMAND_SPLIT, STEM_COMMAND_SPLIT, STEM_COMMAND_TOGGLE};
            give(TYPES[(int)(dice * 1000) % 5],
                now() + (uint32_t)(int)(unit_noise(&seed) * 200) % 300, "");
        }
        if (dice < 0.5f)
            work();
        for (size_t k = 0; round % 100 == 99 && k < heard_count; k++)
            if (heard[k].kind == STEM_EVENT_FINISHED) {
                struct stem_take take;
                load_and_check(&take, heard[k].text);
                assert_int_equal(take.progress, STEM_TAKE_COMPLETE);
                stem_take_finish(&take);
                scratch_remove(heard[k].text);
                heard[k].kind = STEM_EVENT_QUIT;
                last_checked++;
            }
        if (round % 100 == 99)
            heard_count = 0;
    }
    assert_true(last_checked > 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_session_takes_exactly_the_frames_asked_for),
        TEST(test_session_writes_every_container),
        TEST(test_session_counts_on_past_32_bits),
        TEST(test_session_stop_at_once_leaves_an_empty_take),
        TEST(test_session_preroll_reaches_back),
        TEST(test_session_preroll_ends_where_the_tape_does),
        TEST(test_session_preroll_leaves_room_for_what_comes),
        TEST(test_session_start_waits_for_the_first_frame),
        TEST(test_session_toggle_starts_and_stops),
        TEST(test_session_refuses_what_is_not_possible),
        TEST(test_session_split_loses_and_doubles_nothing),
        TEST(test_session_splits_wait_for_one_another),
        TEST(test_session_start_waits_for_the_end_of_a_take),
        TEST(test_session_quit_while_idle),
        TEST(test_session_quit_ends_the_take_first),
        TEST(test_session_quit_waits_for_a_take_that_is_ending),
        TEST(test_session_destroyed_in_a_take_leaves_it_failed),
        TEST(test_session_random_evening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
