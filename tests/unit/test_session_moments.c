/* Commands for moments of the wall clock. */
#include "scripted_session.h"

#include <fcntl.h>
#include <stdio.h>

/* The wall clock when the scripted clock was at frame 0. */
#define MIDNIGHT (INT64_C(1795532110) * 1000000000)

/* In the middle of a frame. */
static int64_t wall_of(uint64_t frame)
{
    return MIDNIGHT + (int64_t)((2 * frame + 1) * 500000000 / STUDIO_RATE);
}

/* Control looks at both clocks while a frame passes. */
static void look(uint64_t frame)
{
    const struct stem_wall_look look = {wall_of(frame), wall_of(frame) - MIDNIGHT};
    stem_wall_times_note(wall_times, &look);
}

/* Gives a command for the moment of a frame. What control takes for that frame is `off` by much. */
static uint32_t give_at(enum stem_command_type type, uint64_t frame, int64_t off)
{
    struct stem_command command = start_by(STEM_SYNC_NOW, frame + (uint64_t)off);
    command.type = type;
    command.how.is_timed = true;
    command.when_ns = wall_of(frame);
    look(now());
    command.wall_looks = stem_wall_times_count(wall_times);
    return send(&command);
}

/* Time goes by, with looks at the clocks. */
static void pass_with_looks(uint32_t periods)
{
    for (uint32_t k = 0; k < periods; k++) {
        pass(1);
        look(now());
        work();
    }
}

static void check_mark(uint32_t number, uint64_t frame)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)frame);
    check_done(number);
    assert_string_equal(answer_to(number)->text, text);
}

/* The clocks tell the frame, and not what control took it for. */
static void test_session_moments_are_exact(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now() + 1000;
    uint32_t started = give_at(STEM_COMMAND_START, start, -300);
    uint32_t stopped = give_at(STEM_COMMAND_STOP, start + 2001, -700);
    uint32_t marked = give_at(STEM_COMMAND_MARK, start + 1000, 900);
    pass_with_looks(9);
    check_done(started);
    check_mark(marked, 1000);
    assert_null(answer_to(stopped));
    pass_with_looks(5);
    check_done(stopped);
    check_plain_take(0, start, 2001);
}

/* What comes on the tape in one round is done in the order of time. */
static void test_session_moments_of_one_round_keep_their_order(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now() + 1000;
    uint32_t stopped = give_at(STEM_COMMAND_STOP, start + 300, 0);
    uint32_t second = give_at(STEM_COMMAND_MARK, start + 200, 0);
    uint32_t first = give_at(STEM_COMMAND_MARK, start, 0);
    give_at(STEM_COMMAND_START, start, 0);
    work();
    studio_run(studio, 8 * PERIOD, PERIOD);
    look(now());
    work();
    check_mark(first, 0);
    check_mark(second, 200);
    check_done(stopped);
    check_plain_take(0, start, 300);
}

/* A command that comes after its moment falls on it all the same. */
static void test_session_moment_that_is_past(void **state)
{
    (void)state;
    pass_with_looks(10);
    uint64_t start = now() - 700;
    give_at(STEM_COMMAND_START, start, 111);
    pass_with_looks(2);
    uint32_t marked = give_at(STEM_COMMAND_MARK, now() - 1000, 222);
    uint64_t end = now() - 100;
    uint32_t stopped = give_at(STEM_COMMAND_STOP, end, 333);
    pass_with_looks(1);
    check_mark(marked, end + 100 - 1000 - start);
    check_done(stopped);
    check_plain_take(0, start, end - start);
}

/* In a gap it is on the frame that would have been there. */
static void test_session_moment_in_a_gap(void **state)
{
    (void)state;
    pass_with_looks(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    uint32_t marked = give_at(STEM_COMMAND_MARK, start + 5 * PERIOD + 77, 0);
    uint32_t stopped = give_at(STEM_COMMAND_STOP, start + 12 * PERIOD, 0);
    pass_with_looks(4);
    studio_skip(studio, 4 * PERIOD);
    pass_with_looks(6);
    check_mark(marked, 5 * PERIOD + 77);
    check_done(stopped);
    struct stem_take take;
    check_take(0, start, 12 * PERIOD, &take);
    stem_take_finish(&take);
}

static void test_session_moments_across_the_border_of_32_bits(void **state)
{
    (void)state;
    studio->passed = BORDER - 1024;
    studio->clock = (uint32_t)studio->passed;
    pass_with_looks(2);
    give_at(STEM_COMMAND_START, BORDER - 200, 0);
    uint32_t marked = give_at(STEM_COMMAND_MARK, BORDER + 1, 0);
    uint32_t stopped = give_at(STEM_COMMAND_STOP, BORDER + 800, 0);
    pass_with_looks(8);
    check_mark(marked, 201);
    check_done(stopped);
    check_plain_take(0, BORDER - 200, 1000);
}

/* However much comes on the tape at once and however late control looks: nothing is written past
 * a moment that a command waits for. */
static void test_session_writes_no_further_than_a_moment(void **state)
{
    (void)state;
    pass_with_looks(2);
    uint64_t start = now(), end = start + 9000;
    give(STEM_COMMAND_START, start, "");
    uint32_t stopped = give_at(STEM_COMMAND_STOP, end, 0);
    for (int k = 0; k < 12; k++) {
        studio_cycle(studio, STUDIO_MOST_PERIOD);
        work();
    }
    assert_null(answer_to(stopped));
    look(now());
    work();
    check_done(stopped);
    check_plain_take(0, start, 9000);
}

/* The clock is put forward over a moment: what waits for it does not wait on. Put back, it waits
 * until the moment comes, however long the estimate has passed. */
static void test_session_moment_follows_the_wall_clock(void **state)
{
    (void)state;
    pass_with_looks(2);
    uint32_t started = give_at(STEM_COMMAND_START, now() + 1000000, 0);
    pass_with_looks(2);
    assert_int_equal(current_state(), STEM_STATE_ARMED);
    uint64_t before = now();
    pass(2);
    const struct stem_wall_look ahead = {wall_of(5000000), wall_of(now()) - MIDNIGHT};
    stem_wall_times_note(wall_times, &ahead);
    work();
    check_done(started);
    assert_in_range(stem_session_status(session)->start_frame, before, now());
    give(STEM_COMMAND_STOP, now(), "");
    work();
    forget();
    started = give_at(STEM_COMMAND_START, now() + 1000, 0);
    const struct stem_wall_look back = {wall_of(0), wall_of(now()) - MIDNIGHT};
    stem_wall_times_note(wall_times, &back);
    pass(4 * STUDIO_RATE / PERIOD);
    assert_int_equal(current_state(), STEM_STATE_ARMED);
}

/* A server that tells no times: the estimate has to do. */
static void test_session_moment_without_times(void **state)
{
    (void)state;
    studio->process.times = NULL;
    pass(2);
    uint64_t start = now() + 1000;
    uint32_t started = give_at(STEM_COMMAND_START, start, 7);
    pass_with_looks(6);
    check_done(started);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, start + 7, now() - start - 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_session_moments_are_exact),
        TEST(test_session_moments_of_one_round_keep_their_order),
        TEST(test_session_moment_that_is_past),
        TEST(test_session_moment_in_a_gap),
        TEST(test_session_moments_across_the_border_of_32_bits),
        TEST(test_session_writes_no_further_than_a_moment),
        TEST(test_session_moment_follows_the_wall_clock),
        TEST(test_session_moment_without_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
