/* Takes whose folder somebody removed while they ran. */
#include "scripted_session.h"

/* A take of which all is on the tape loses its folder just before its end. */
static uint64_t record_and_remove(uint32_t periods)
{
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(periods);
    scratch_remove(find(STEM_EVENT_STARTED, 0)->text);
    give(STEM_COMMAND_STOP, now(), "");
    for (int rounds = 0; count_of(STEM_EVENT_CONTINUED) == 0; rounds++) {
        assert_true(rounds < 10000);
        stem_session_work(session);
        hear();
    }
    return start;
}

static void test_session_removed_folder_is_made_anew_at_the_end(void **state)
{
    (void)state;
    struct stem_take take;
    uint64_t start = record_and_remove(300);
    work();
    check_take(0, start, 300 * PERIOD, &take);
    assert_int_equal(take.part, 2);
    assert_int_equal(take.gap_count, 0);
    stem_take_finish(&take);
}

/* A tape that goes on for the mirror's sake does not wait until all is written again. */
static void test_session_frames_lost_while_they_are_written_again_are_told(void **state)
{
    (void)state;
    struct stem_take take;
    is_shared = true;
    stem_session_destroy(session);
    open_session();
    uint64_t start = record_and_remove(300);
    while (now() < start + TAPE + 50 * PERIOD) {
        stem_tape_hold(studio->tape, STEM_TAPE_MIRROR, now());
        studio_cycle(studio, PERIOD);
    }
    const uint64_t lost = now() - TAPE - start;
    work();
    check_take(0, start, 300 * PERIOD, &take);
    check_gaps(&take, (const uint64_t[][3]){{0, lost, STEM_GAP_OVERFLOW}}, 1);
    assert_int_equal(count_of(STEM_EVENT_GAP), 1);
    assert_int_equal(find(STEM_EVENT_GAP, 0)->frames, lost);
    assert_int_equal(stem_session_status(session)->overflow_frames, lost);
    stem_take_finish(&take);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_session_removed_folder_is_made_anew_at_the_end),
        TEST(test_session_frames_lost_while_they_are_written_again_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
