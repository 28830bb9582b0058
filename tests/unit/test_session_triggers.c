/* Takes that start or end by themselves: at a frame, a bar, the roll, after a length. */
#include "scripted_session.h"

#include <fcntl.h>

static void test_session_start_at_a_frame_to_come(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now() + 1000;
    struct stem_command command = start_by(STEM_SYNC_NOW, start);
    command.how.is_timed = true;
    send(&command);
    pass(2);
    assert_int_equal(current_state(), STEM_STATE_ARMED);
    pass(5);
    assert_int_equal(current_state(), STEM_STATE_RECORDING);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_done(command.request);
    check_plain_take(0, start, now() - start);
}

static void test_session_start_at_the_next_bar(void **state)
{
    (void)state;
    studio->position.valid = JackPositionBBT;
    studio->position.beats_per_minute = 120; /* 24000 frames a beat, 72000 a bar */
    studio->position.beats_per_bar = 3;
    studio->position.beat_type = 4;
    studio->position.ticks_per_beat = 960;
    studio->position.bar = studio->position.beat = 1;
    pass(2);
    uint64_t bar = now();
    studio->transport = JackTransportRolling;
    pass(10);
    struct stem_command command = start_by(STEM_SYNC_BAR, now());
    send(&command);
    pass(300);
    check_done(command.request);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, bar + 72000, now() - bar - 72000);
}

static void test_session_bars_without_a_master_are_refused(void **state)
{
    (void)state;
    pass(2);
    struct stem_command command = start_by(STEM_SYNC_BAR, now());
    send(&command);
    work();
    check_failed(command.request, STEM_CODE_STATE, "no timebase master");
}

static void test_session_follows_the_transport_again_and_again(void **state)
{
    (void)state;
    uint64_t from[3], to[3];
    pass(2);
    struct stem_command command = start_by(STEM_SYNC_TRANSPORT, now());
    send(&command);
    for (int k = 0; k < 3; k++) {
        pass(5);
        from[k] = now();
        studio->transport = JackTransportRolling;
        pass(10 + (uint32_t)k);
        to[k] = now();
        studio->transport = JackTransportStopped;
        pass(1);
    }
    pass(15);
    check_done(command.request);
    for (size_t k = 0; k < 3; k++)
        check_plain_take(k, from[k], to[k] - from[k]);
    uint32_t stop = give(STEM_COMMAND_STOP, now(), "");
    work();
    check_done(stop);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
}

static void test_session_take_of_a_set_length(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now() - 5;
    struct stem_command command = start_by(STEM_SYNC_NOW, start);
    command.how.length_frames = 1001;
    send(&command);
    pass(20);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    check_plain_take(0, start, 1001);
}

static void test_session_capture_takes_only_what_was(void **state)
{
    (void)state;
    pass(100);
    struct stem_command command = start_by(STEM_SYNC_NOW, now());
    uint64_t end = now();
    command.how.is_capture = true;
    command.how.preroll_seconds = 0.25;
    send(&command);
    pass(5);
    check_done(command.request);
    check_plain_take(0, end - STUDIO_RATE / 4, STUDIO_RATE / 4);
}

static void test_session_commands_for_later_hold_up_nobody(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    struct stem_command stop = {.type = STEM_COMMAND_STOP,
        .request = ++request,
        .frame = start + 5000,
        .how.is_timed = true};
    send(&stop);
    uint32_t mark = give(STEM_COMMAND_MARK, start + 10, "now");
    uint32_t split = give(STEM_COMMAND_SPLIT, start + 700, "");
    pass(5);
    check_done(mark);
    check_done(split);
    assert_null(answer_to(stop.request));
    pass(20);
    check_done(stop.request);
    check_plain_take(0, start, 700);
    check_plain_take(1, start + 700, 4300);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_session_start_at_a_frame_to_come),
        TEST(test_session_start_at_the_next_bar),
        TEST(test_session_bars_without_a_master_are_refused),
        TEST(test_session_follows_the_transport_again_and_again),
        TEST(test_session_take_of_a_set_length),
        TEST(test_session_capture_takes_only_what_was),
        TEST(test_session_commands_for_later_hold_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
