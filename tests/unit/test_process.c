/* The process callback on a scripted clock: where blocks land, which facts it tells, and when. */
#include "scripted_studio.h"
#include "unit.h"

#include <string.h>

enum { TAPE = 10000, SLOTS = 64, PERIOD = 256, MOST_FACTS = 256 };
#define BORDER (UINT64_C(1) << 32)

static struct studio *studio;
static struct stem_fact facts[MOST_FACTS]; /* of the last listen() */
static size_t fact_count;

static int set_up(void **state)
{
    (void)state;
    studio = studio_create(TAPE, SLOTS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    studio_destroy(studio);
    return 0;
}

/* Takes all facts of a kind out of the queue, and forgets the others. */
static void listen(enum stem_fact_kind kind)
{
    struct stem_fact fact;
    fact_count = 0;
    while (stem_ring_pop_rt(studio->facts, &fact))
        if (fact.kind == kind && fact_count < MOST_FACTS)
            facts[fact_count++] = fact;
}

/* Exactly one gap was told. */
static void check_gap(uint64_t frame, uint64_t frames, uint32_t reasons)
{
    listen(STEM_FACT_GAP);
    assert_int_equal(fact_count, 1);
    assert_int_equal(facts[0].frame, frame);
    assert_int_equal(facts[0].gap_frames, frames);
    assert_int_equal(facts[0].reasons, reasons);
}

static void check_no_gap(void)
{
    listen(STEM_FACT_GAP);
    assert_int_equal(fact_count, 0);
}

static void fill_queue(void)
{
    const struct stem_fact filler = {.kind = STEM_FACT_XRUN};
    while (stem_ring_push_rt(studio->facts, &filler))
        continue;
}

static void test_process_every_port_lands_in_its_track(void **state)
{
    (void)state;
    static const uint32_t PERIODS[] = {64, 1024, 1, 333, 4096, 17, 8192, 128};
    studio->clock = 777;
    for (int k = 0; k < 40; k++) {
        uint32_t period = PERIODS[k % 8], clock = studio->clock;
        studio_cycle(studio, period);
        assert_int_equal(stem_tape_written(studio->tape), clock + period);
        studio_check_tape(studio, clock, period, clock);
    }
    studio_check_tape(studio, studio->clock - TAPE, TAPE, studio->clock - TAPE);
    check_no_gap();
    assert_int_equal(stem_tape_contiguous_from(studio->tape), 777);
}

static void test_process_counts_on_past_32_bits(void **state)
{
    (void)state;
    uint64_t start = BORDER - 10 * PERIOD + 100;
    studio->clock = (uint32_t)start;
    studio_run(studio, 20 * PERIOD, PERIOD);
    assert_int_equal(stem_tape_written(studio->tape), start + 20 * PERIOD);
    studio_check_tape(studio, start, 20 * PERIOD, (uint32_t)start);
    check_no_gap();
}

static void test_process_skipped_cycles_are_one_gap(void **state)
{
    (void)state;
    studio->clock = 5000;
    studio_run(studio, 4 * PERIOD, PERIOD);
    studio_skip(studio, 3 * PERIOD + 5);
    uint32_t after = studio->clock;
    studio_run(studio, 2 * PERIOD, PERIOD);
    check_gap(5000 + 4 * PERIOD, 3 * PERIOD + 5, STEM_GAP_SKIPPED);
    assert_int_equal(stem_tape_contiguous_from(studio->tape), after);
    studio_check_tape(studio, 5000, 4 * PERIOD, 5000);
    studio_check_tape(studio, after, 2 * PERIOD, after);
}

static void test_process_skips_across_the_wrap(void **state)
{
    (void)state;
    uint64_t start = BORDER - PERIOD - 10;
    studio->clock = (uint32_t)start;
    studio_cycle(studio, PERIOD);
    studio_skip(studio, 1000);
    uint32_t after = studio->clock;
    studio_cycle(studio, PERIOD);
    check_gap(start + PERIOD, 1000, STEM_GAP_SKIPPED);
    studio_check_tape(studio, BORDER + 990, PERIOD, after);
}

static void test_process_full_tape_drops_whole_blocks(void **state)
{
    (void)state;
    studio->clock = 100;
    studio_cycle(studio, PERIOD);
    stem_tape_hold(studio->tape, STEM_TAPE_WRITER, 100);
    studio_run(studio, 100 * PERIOD, PERIOD);
    uint64_t fit = TAPE / PERIOD * PERIOD, dropped_from = 100 + fit;
    assert_int_equal(stem_tape_written(studio->tape), dropped_from);
    studio_check_tape(studio, 100, (uint32_t)fit, 100); /* all tracks, untouched */
    check_no_gap();                                     /* its length is not known yet */
    stem_tape_hold(studio->tape, STEM_TAPE_WRITER, dropped_from);
    uint32_t after = studio->clock;
    studio_cycle(studio, PERIOD);
    check_gap(dropped_from, after - dropped_from, STEM_GAP_OVERFLOW);
    studio_check_tape(studio, after, PERIOD, after);
    studio_run(studio, 5 * PERIOD, PERIOD);
    check_no_gap();
}

static void test_process_gap_gathers_its_reasons(void **state)
{
    (void)state;
    studio_cycle(studio, PERIOD);
    stem_tape_hold(studio->tape, STEM_TAPE_WRITER, 0);
    studio_skip(studio, PERIOD);
    studio_run(studio, 38 * PERIOD, PERIOD); /* the last two find no room */
    check_gap(PERIOD, PERIOD, STEM_GAP_SKIPPED);
    uint64_t from = stem_tape_written(studio->tape);
    studio_skip(studio, 7);
    studio_cycle(studio, PERIOD);
    stem_tape_release(studio->tape, STEM_TAPE_WRITER);
    uint32_t after = studio->clock;
    studio_cycle(studio, PERIOD);
    check_gap(from, after - from, STEM_GAP_OVERFLOW | STEM_GAP_SKIPPED);
}

static void test_process_clock_that_goes_back_is_told(void **state)
{
    (void)state;
    studio->clock = 90000;
    studio_run(studio, 2 * PERIOD, PERIOD);
    studio->clock = 50;
    studio_run(studio, 2 * PERIOD, PERIOD);
    check_gap(90000 + 2 * PERIOD, 0, STEM_GAP_CLOCK);
    studio_check_tape(studio, 90000, 2 * PERIOD, 90000);
    studio_check_tape(studio, 90000 + 2 * PERIOD, 2 * PERIOD, 50);
}

static void test_process_goes_on_where_a_new_server_begins(void **state)
{
    (void)state;
    studio->clock = 1000;
    studio_run(studio, 2 * PERIOD, PERIOD);
    stem_timeline_resume(&studio->process.timeline, 500000);
    studio->clock = 3;
    studio_run(studio, 2 * PERIOD, PERIOD);
    check_gap(1000 + 2 * PERIOD, 500000 - 1000 - 2 * PERIOD, STEM_GAP_SERVER);
    studio_check_tape(studio, 500000, 2 * PERIOD, 3);
}

/* The rule that readers rely on: who sees a frame can see every fact about it. */
static bool gap_was_there;

static void look_for_the_gap(struct studio *in)
{
    struct stem_fact fact;
    uint64_t gap_end = in->clock;
    while (stem_ring_pop_rt(in->facts, &fact))
        if (fact.kind == STEM_FACT_GAP && fact.frame + fact.gap_frames == gap_end)
            gap_was_there = stem_tape_written(in->tape) < gap_end;
}

static void test_process_tells_a_gap_before_it_publishes(void **state)
{
    (void)state;
    studio_cycle(studio, PERIOD);
    studio_skip(studio, 99);
    studio->on_buffer = look_for_the_gap;
    gap_was_there = false;
    studio_cycle(studio, PERIOD);
    assert_true(gap_was_there);
}

static void test_process_without_room_for_the_gap_publishes_nothing(void **state)
{
    (void)state;
    studio_run(studio, 2 * PERIOD, PERIOD);
    fill_queue();
    studio_skip(studio, 100);
    studio_run(studio, 3 * PERIOD, PERIOD);
    assert_int_equal(stem_tape_written(studio->tape), 2 * PERIOD);
    assert_int_equal(stem_tape_contiguous_from(studio->tape), 0);
    check_no_gap(); /* empties the queue */
    uint32_t after = studio->clock;
    studio_cycle(studio, PERIOD);
    check_gap(2 * PERIOD, 100 + 3 * PERIOD, STEM_GAP_SKIPPED | STEM_GAP_OVERFLOW);
    assert_int_equal(stem_tape_contiguous_from(studio->tape), after);
    studio_check_tape(studio, 0, 2 * PERIOD, 0);
    studio_check_tape(studio, after, PERIOD, after);
}

static void test_process_full_queue_without_a_gap_costs_no_audio(void **state)
{
    (void)state;
    studio_run(studio, 2 * PERIOD, PERIOD);
    fill_queue();
    studio->transport = JackTransportRolling; /* something to tell, too */
    studio_run(studio, 6 * PERIOD, PERIOD);
    assert_int_equal(stem_tape_written(studio->tape), 8 * PERIOD);
    studio_check_tape(studio, 0, 8 * PERIOD, 0);
}

static void test_process_period_longer_than_the_tape_is_a_gap(void **state)
{
    (void)state;
    studio_destroy(studio);
    studio = studio_create(1000, SLOTS);
    studio_cycle(studio, 512);
    studio_cycle(studio, 1024);
    assert_int_equal(stem_tape_written(studio->tape), 512);
    studio_cycle(studio, 512);
    check_gap(512, 1024, STEM_GAP_OVERFLOW);
    studio_check_tape(studio, 1536, 512, 1536);
}

static void test_process_knows_whether_there_is_room(void **state)
{
    (void)state;
    studio_cycle(studio, PERIOD);
    assert_true(stem_process_has_room_rt(&studio->process, PERIOD));
    stem_tape_hold(studio->tape, STEM_TAPE_WRITER, 0);
    studio_run(studio, 38 * PERIOD, PERIOD);
    assert_false(stem_process_has_room_rt(&studio->process, PERIOD));
    assert_true(stem_process_has_room_rt(&studio->process, TAPE - 39 * PERIOD));
    stem_tape_hold(studio->tape, STEM_TAPE_WRITER, PERIOD);
    assert_true(stem_process_has_room_rt(&studio->process, PERIOD));
}

static void test_process_counts_its_cycles(void **state)
{
    (void)state;
    stem_tape_hold(studio->tape, STEM_TAPE_WRITER, 0);
    studio_run(studio, 50 * PERIOD, PERIOD); /* dropped ones too: it is alive */
    assert_int_equal(atomic_load(&studio->process.cycles), 50);
}

static void check_transport(uint64_t frame, uint64_t transport_frame, bool rolling)
{
    listen(STEM_FACT_TRANSPORT);
    assert_int_equal(fact_count, 1);
    assert_int_equal(facts[0].frame, frame);
    assert_int_equal(facts[0].transport.frame, transport_frame);
    assert_int_equal(facts[0].transport.rolling, rolling);
}

static void check_no_transport(void)
{
    listen(STEM_FACT_TRANSPORT);
    assert_int_equal(fact_count, 0);
}

static void test_process_tells_when_the_transport_starts_and_stops(void **state)
{
    (void)state;
    studio->clock = 7000;
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_no_transport();
    studio->transport = JackTransportRolling;
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_transport(7000 + 3 * PERIOD, 0, true);
    studio->transport = JackTransportStopped;
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_transport(7000 + 6 * PERIOD, 3 * PERIOD, false);
}

static void test_process_tells_when_the_transport_jumps(void **state)
{
    (void)state;
    studio->transport = JackTransportRolling;
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_transport(0, 0, true);
    studio->position.frame = 96000;
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_transport(3 * PERIOD, 96000, true);
    studio->transport = JackTransportStopped;
    studio_cycle(studio, PERIOD);
    check_transport(6 * PERIOD, 96000 + 3 * PERIOD, false);
    studio->position.frame = 12;
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_transport(7 * PERIOD, 12, false);
}

static void test_process_tries_again_when_the_queue_was_full(void **state)
{
    (void)state;
    studio_run(studio, 2 * PERIOD, PERIOD);
    fill_queue();
    studio->transport = JackTransportRolling;
    studio_run(studio, 2 * PERIOD, PERIOD);
    check_no_transport(); /* empties the queue */
    studio_run(studio, 2 * PERIOD, PERIOD);
    check_transport(4 * PERIOD, 2 * PERIOD, true);
    fill_queue();
    studio->position.frame = 5000;
    studio_cycle(studio, PERIOD);
    check_no_transport();
    studio_run(studio, 2 * PERIOD, PERIOD);
    check_transport(7 * PERIOD, 5000 + PERIOD, true);
}

static void set_tempo(double bpm, float beats_per_bar, float beat_type)
{
    studio->position.valid = JackPositionBBT;
    studio->position.beats_per_minute = bpm;
    studio->position.beats_per_bar = beats_per_bar;
    studio->position.beat_type = beat_type;
    studio->position.ticks_per_beat = 1920;
    studio->position.bar = 9;
    studio->position.beat = 2;
}

static void check_tempo(uint64_t frame, double bpm, float beats_per_bar, float beat_type)
{
    listen(STEM_FACT_TEMPO);
    assert_int_equal(fact_count, 1);
    assert_int_equal(facts[0].frame, frame);
    assert_true(facts[0].tempo.bpm == bpm);
    assert_true(facts[0].tempo.beats_per_bar == beats_per_bar);
    assert_true(facts[0].tempo.beat_type == beat_type);
    assert_true(facts[0].tempo.ticks_per_beat == 1920);
    assert_int_equal(facts[0].tempo.bar, 9);
    assert_int_equal(facts[0].tempo.beat, 2);
}

static void check_no_tempo(void)
{
    listen(STEM_FACT_TEMPO);
    assert_int_equal(fact_count, 0);
}

static void test_process_tells_tempo_and_meter_once(void **state)
{
    (void)state;
    set_tempo(120, 4, 4);
    studio->position.valid = 0; /* nobody vouches for it */
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_no_tempo();
    set_tempo(120, 4, 4);
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_tempo(3 * PERIOD, 120, 4, 4);
    set_tempo(120.5, 4, 4);
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_tempo(6 * PERIOD, 120.5, 4, 4);
    set_tempo(120.5, 3, 4);
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_tempo(9 * PERIOD, 120.5, 3, 4);
    set_tempo(120.5, 3, 8);
    studio_run(studio, 3 * PERIOD, PERIOD);
    check_tempo(12 * PERIOD, 120.5, 3, 8);
}

static void test_process_tempo_waits_for_room_in_the_queue(void **state)
{
    (void)state;
    studio_cycle(studio, PERIOD);
    fill_queue();
    set_tempo(98, 4, 4);
    studio_run(studio, 2 * PERIOD, PERIOD);
    check_no_tempo();
    studio_run(studio, 2 * PERIOD, PERIOD);
    check_tempo(3 * PERIOD, 98, 4, 4);
}

/* Thousands of cycles of a producer that is skipped, stopped by a full tape and heard by a reader:
 * every frame is on the tape or in exactly one gap. */
static void test_process_loses_no_frame_without_saying(void **state)
{
    (void)state;
    uint32_t seed = 42;
    uint64_t seen = 0, end_of_gap = 0;
    studio_cycle(studio, 100);
    stem_tape_hold(studio->tape, STEM_TAPE_WRITER, 0);
    for (int round = 0; round < 5000; round++) {
        float dice = unit_noise(&seed);
        if (dice > 0.95f)
            studio_skip(studio, 1 + (uint32_t)(dice * 2000));
        studio_cycle(studio, 1 + (uint32_t)((unit_noise(&seed) + 1) * 500));
        if (dice > -0.8f)
            continue; /* the reader sleeps */
        uint64_t written = stem_tape_written(studio->tape);
        listen(STEM_FACT_GAP);
        for (size_t g = 0; g < fact_count; g++) {
            assert_true(facts[g].frame >= end_of_gap && facts[g].frame >= seen);
            studio_check_tape(studio, seen, (uint32_t)(facts[g].frame - seen), (uint32_t)seen);
            seen = end_of_gap = facts[g].frame + facts[g].gap_frames;
        }
        assert_true(seen <= written);
        studio_check_tape(studio, seen, (uint32_t)(written - seen), (uint32_t)seen);
        seen = written;
        stem_tape_hold(studio->tape, STEM_TAPE_WRITER, seen);
    }
    assert_true(end_of_gap > 0 && seen > 1000000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_process_every_port_lands_in_its_track),
        TEST(test_process_counts_on_past_32_bits),
        TEST(test_process_skipped_cycles_are_one_gap),
        TEST(test_process_skips_across_the_wrap),
        TEST(test_process_full_tape_drops_whole_blocks),
        TEST(test_process_gap_gathers_its_reasons),
        TEST(test_process_clock_that_goes_back_is_told),
        TEST(test_process_goes_on_where_a_new_server_begins),
        TEST(test_process_tells_a_gap_before_it_publishes),
        TEST(test_process_without_room_for_the_gap_publishes_nothing),
        TEST(test_process_full_queue_without_a_gap_costs_no_audio),
        TEST(test_process_period_longer_than_the_tape_is_a_gap),
        TEST(test_process_knows_whether_there_is_room),
        TEST(test_process_counts_its_cycles),
        TEST(test_process_tells_when_the_transport_starts_and_stops),
        TEST(test_process_tells_when_the_transport_jumps),
        TEST(test_process_tries_again_when_the_queue_was_full),
        TEST(test_process_tells_tempo_and_meter_once),
        TEST(test_process_tempo_waits_for_room_in_the_queue),
        TEST(test_process_loses_no_frame_without_saying),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
