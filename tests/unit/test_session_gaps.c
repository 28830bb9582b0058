/* What is missing in a take: skipped cycles, a stalled disk, a lost server. */
#include "scripted_session.h"

#include <fcntl.h>
#include <unistd.h>

/* Records from `start` to `stop` around one gap, then looks at what the take lists. */
static void check_one_gap(
    uint64_t gap, uint32_t frames, uint64_t start, uint64_t stop, const uint64_t wanted[3])
{
    struct stem_take take;
    forget();
    while (now() < gap)
        studio_cycle(studio, gap - now() < PERIOD ? (uint32_t)(gap - now()) : PERIOD);
    studio_skip(studio, frames);
    studio_run(studio, 10 * PERIOD, PERIOD);
    give(STEM_COMMAND_START, start, "");
    give(STEM_COMMAND_STOP, stop, "");
    work();
    check_take(0, start, stop - start, &take);
    check_gaps(&take, (const uint64_t(*)[3])wanted, wanted[1] ? 1 : 0);
    assert_int_equal(count_of(STEM_EVENT_GAP), wanted[1] ? 1 : 0);
    stem_take_finish(&take);
}

static void test_session_gap_at_every_place_of_a_take(void **state)
{
    (void)state;
    pass(2);
    const struct {
        int gap; /* all counted from 1000 frames after now */
        int start;
        int stop;
        int listed;
        int listed_frames;
    } PLACES[] = {
        {500, 0, 1500, 500, 100}, /* inside */
        {0, 0, 1000, 0, 100},     /* begins with the take */
        {-100, 0, 1000, 0, 0},    /* ends where the take begins */
        {-50, 0, 1000, 0, 50},    /* the take begins in it */
        {900, 0, 1000, 900, 100}, /* ends with the take */
        {1000, 0, 1000, 0, 0},    /* begins where the take ends */
        {950, 0, 1000, 950, 50},  /* the take ends in it */
        {-20, 0, 60, 0, 60},      /* nothing but gap */
        {-99, 0, 1000, 0, 1},     /* one frame of it */
        {999, 0, 1000, 999, 1},
    };
    for (size_t k = 0; k < sizeof PLACES / sizeof *PLACES; k++) {
        uint64_t from = now() + 1000;
        const uint64_t wanted[3] = {
            (uint64_t)PLACES[k].listed, (uint64_t)PLACES[k].listed_frames, STEM_GAP_SKIPPED};
        check_one_gap(from + (uint64_t)(int64_t)PLACES[k].gap, 100,
            from + (uint64_t)PLACES[k].start, from + (uint64_t)PLACES[k].stop, wanted);
    }
}

static void test_session_gap_across_a_split_is_in_both_takes(void **state)
{
    (void)state;
    struct stem_take take;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(2);
    studio_skip(studio, 1000);
    studio_cycle(studio, PERIOD);
    give(STEM_COMMAND_SPLIT, start + 2 * PERIOD + 300, "");
    work();
    pass(2);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, 2 * PERIOD + 300, &take);
    check_gaps(&take, (const uint64_t[][3]){{2 * PERIOD, 300, STEM_GAP_SKIPPED}}, 1);
    stem_take_finish(&take);
    check_take(1, start + 2 * PERIOD + 300, 700 + 3 * PERIOD, &take);
    check_gaps(&take, (const uint64_t[][3]){{0, 700, STEM_GAP_SKIPPED}}, 1);
    stem_take_finish(&take);
}

static void test_session_tells_of_a_gap_while_it_records(void **state)
{
    (void)state;
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    pass(3);
    studio_skip(studio, 321);
    pass(15); /* commands for the last twentieth of a second may still come */
    const struct stem_event *gap = find(STEM_EVENT_GAP, 0);
    assert_non_null(gap);
    assert_int_equal(gap->frame, 3 * PERIOD);
    assert_int_equal(gap->frames, 321);
    assert_int_equal(gap->reasons, STEM_GAP_SKIPPED);
    assert_int_equal(atomic_load(&stem_session_status(session)->gaps), 1);
    assert_int_equal(atomic_load(&stem_session_status(session)->gap_frames), 321);
    assert_true(atomic_load(&stem_session_status(session)->frames) >= 3 * PERIOD + 321);
}

/* Audio is written in bursts, but never left on the tape for longer than a quarter of a second. */
static void test_session_writes_in_bursts(void **state)
{
    (void)state;
    const uint64_t burst = STUDIO_RATE / 4;
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    for (uint64_t given = 0; given < 3 * burst; given += PERIOD) {
        uint64_t written = atomic_load(&stem_session_status(session)->frames);
        assert_true(given - written < burst + STUDIO_RATE / 20);
        pass(1);
    }
}

/* The disk stalls for longer than the tape lasts. How much the tape held at that moment is the
 * session's affair; what did not fit is one gap, and the rest is exact. */
static void test_session_stalled_disk_is_one_listed_gap(void **state)
{
    (void)state;
    enum { STALL = TAPE / PERIOD + 200 };
    struct stem_take take;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(10);
    uint64_t before = now();
    studio_run(studio, STALL * PERIOD, PERIOD); /* nobody writes */
    uint64_t kept = now() - before;
    assert_true(kept <= TAPE && kept > TAPE / 2);
    work(); /* it is back */
    pass(10);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, (20 + STALL) * PERIOD, &take);
    assert_int_equal(take.gap_count, 1);
    assert_int_equal(take.gaps[0].frame, before + kept - start);
    assert_int_equal(take.gaps[0].reasons, STEM_GAP_OVERFLOW);
    assert_true(take.gaps[0].frames >= STALL * PERIOD - kept);
    stem_take_finish(&take);
}

static void test_session_clock_that_goes_back_is_listed(void **state)
{
    (void)state;
    struct stem_take take;
    studio->clock = 70000;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(3);
    turns[turn_count++] = (struct turn){now(), 9};
    studio->clock = 9;
    pass(3);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, 6 * PERIOD, &take);
    check_gaps(&take, (const uint64_t[][3]){{3 * PERIOD, 0, STEM_GAP_CLOCK}}, 1);
    stem_take_finish(&take);
}

/* Records across the loss of a server for that long. */
static void lose_server(uint32_t away_frames)
{
    struct stem_take take;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(3);
    uint64_t lost = now();
    for (int k = 0; k < 30; k++) { /* of that time, a little really goes by */
        usleep(50000);
        work();
    }
    stem_timeline_resume(&studio->process.timeline, lost + away_frames);
    turns[turn_count++] = (struct turn){lost + away_frames, 77};
    studio->clock = 77;
    pass(3);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, 6 * PERIOD + away_frames, &take);
    check_gaps(&take, (const uint64_t[][3]){{3 * PERIOD, away_frames, STEM_GAP_SERVER}}, 1);
    stem_take_finish(&take);
    const struct stem_event *gap = find(STEM_EVENT_GAP, 0); /* told once, as a whole */
    assert_non_null(gap);
    assert_int_equal(gap->frames, away_frames);
    assert_int_equal(atomic_load(&stem_session_status(session)->gaps), 1);
    assert_int_equal(atomic_load(&stem_session_status(session)->gap_frames), away_frames);
}

static void test_session_lost_server_is_one_gap(void **state)
{
    (void)state;
    lose_server(100000);
}

/* What was recorded before must not be in the way of what comes after. */
static void test_session_server_lost_for_longer_than_the_tape_is_one_gap(void **state)
{
    (void)state;
    lose_server(10 * TAPE + 77);
}

/* Nor what a file keeps for a whole block. */
static void test_session_server_lost_for_long_is_one_gap_in_flac(void **state)
{
    (void)state;
    studio->config.container = STEM_FLAC;
    lose_server(10 * TAPE + 77);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_session_gap_at_every_place_of_a_take),
        TEST(test_session_gap_across_a_split_is_in_both_takes),
        TEST(test_session_tells_of_a_gap_while_it_records),
        TEST(test_session_writes_in_bursts),
        TEST(test_session_stalled_disk_is_one_listed_gap),
        TEST(test_session_clock_that_goes_back_is_listed),
        TEST(test_session_lost_server_is_one_gap),
        TEST(test_session_server_lost_for_longer_than_the_tape_is_one_gap),
        TEST(test_session_server_lost_for_long_is_one_gap_in_flac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
