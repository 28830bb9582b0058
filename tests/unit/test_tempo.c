/* Positions are held against ones that were worked out by hand. */
#include "tempo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* 120 bpm in 4/4 from bar 1; at 5.0 s (frame 240000: bar 3, beat 3) 90 bpm in 3/4, from bar 10. */
static const struct stem_take_tempo ENTRIES[] = {
    {.frame = 0,
        .bpm = 120,
        .beats_per_bar = 4,
        .beat_type = 4,
        .ticks_per_beat = 1920,
        .bar = 1,
        .beat = 1,
        .tick = 0},
    {.frame = 240000,
        .bpm = 90,
        .beats_per_bar = 3,
        .beat_type = 4,
        .ticks_per_beat = 1920,
        .bar = 10,
        .beat = 1,
        .tick = 0},
};
static const struct stem_tempo_map MAP = {ENTRIES, COUNT(ENTRIES), 48000};

static void assert_position(
    const struct stem_tempo_map *map, uint64_t frame, int64_t bar, int32_t beat, double part)
{
    struct stem_tempo_position position;
    assert_true(stem_tempo_at(map, frame, &position));
    assert_int_equal(position.bar, bar);
    assert_int_equal(position.beat, beat);
    assert_float_equal(position.part, part, 1e-9);
}

static void assert_next_bar(const struct stem_tempo_map *map, uint64_t frame, uint64_t expected)
{
    uint64_t found = 0;
    assert_true(stem_tempo_next_bar(map, frame, &found));
    assert_int_equal(found, expected);
}

static void test_tempo_counts_bars_and_beats(void **state)
{
    (void)state;
    assert_position(&MAP, 0, 1, 1, 0);
    assert_position(&MAP, 12000, 1, 1, 0.5);
    assert_position(&MAP, 24000, 1, 2, 0);
    assert_position(&MAP, 95999, 1, 4, 1 - 1.0 / 24000);
    assert_position(&MAP, 96000, 2, 1, 0);
    assert_position(&MAP, 239999, 3, 2, 1 - 1.0 / 24000);
    assert_position(&MAP, 240000, 10, 1, 0);
    assert_position(&MAP, 240000 + 3 * 32000, 11, 1, 0);
}

static void test_tempo_finds_the_next_bar_through_changes(void **state)
{
    (void)state;
    assert_next_bar(&MAP, 0, 0);
    assert_next_bar(&MAP, 1, 96000);
    assert_next_bar(&MAP, 96000, 96000);
    assert_next_bar(&MAP, 96001, 192000);
    assert_next_bar(&MAP, 192001, 240000); /* bar 4 would come later than the change */
    assert_next_bar(&MAP, 240001, 336000);
}

/* 130 bpm at 44100 Hz: a beat is 20353.846… frames long, so bar lines fall between frames. */
static void test_tempo_rounds_bar_lines_to_the_nearest_frame(void **state)
{
    (void)state;
    const struct stem_take_tempo entry = {
        .bpm = 130, .beats_per_bar = 4, .beat_type = 4, .ticks_per_beat = 960, .bar = 1, .beat = 1};
    const struct stem_tempo_map map = {&entry, 1, 44100};
    uint64_t frame = 0;
    for (int bar = 1; bar < 3000; bar++) {
        assert_true(stem_tempo_next_bar(&map, frame, &frame));
        assert_int_equal(frame, (uint64_t)((bar - 1) * 4 * 44100 * 60.0 / 130 + 0.5));
        struct stem_tempo_position position;
        assert_true(stem_tempo_at(&map, frame, &position));
        assert_int_equal(position.bar, bar);
        assert_int_equal(position.beat, 1);
        if (frame > 0) {
            assert_true(stem_tempo_at(&map, frame - 1, &position));
            assert_int_equal(position.bar, bar - 1);
        }
        frame++;
    }
}

/* The entry stands in the middle of a beat: bar 7, beat 4, a quarter of it gone. */
static void test_tempo_starts_anywhere_in_a_bar(void **state)
{
    (void)state;
    const struct stem_take_tempo entry = {.frame = 1000,
        .bpm = 60,
        .beats_per_bar = 4,
        .beat_type = 4,
        .ticks_per_beat = 1920,
        .bar = 7,
        .beat = 4,
        .tick = 480};
    const struct stem_tempo_map map = {&entry, 1, 48000};
    struct stem_tempo_position position;
    assert_false(stem_tempo_at(&map, 999, &position));
    assert_position(&map, 1000, 7, 4, 0.25);
    assert_position(&map, 37000, 8, 1, 0);
    assert_next_bar(&map, 0, 37000);
    assert_next_bar(&map, 37000, 37000);
    assert_next_bar(&map, 37001, 37000 + 4 * 48000);
}

static void test_tempo_knows_eighths_and_odd_meters(void **state)
{
    (void)state;
    const struct stem_take_tempo entry = {
        .bpm = 240, .beats_per_bar = 7, .beat_type = 8, .ticks_per_beat = 960, .bar = 1, .beat = 1};
    const struct stem_tempo_map map = {&entry, 1, 48000};
    assert_next_bar(&map, 1, 7 * 12000);
    assert_position(&map, 7 * 12000 + 6000, 2, 1, 0.5);
    assert_float_equal(stem_tempo_quarters(&map, 7 * 12000), 3.5, 1e-12);
    const struct stem_take_tempo half = {.bpm = 120,
        .beats_per_bar = 3.5,
        .beat_type = 4,
        .ticks_per_beat = 960,
        .bar = 1,
        .beat = 1};
    const struct stem_tempo_map odd = {&half, 1, 48000};
    assert_next_bar(&odd, 1, 84000);
    assert_position(&odd, 84000, 2, 1, 0);
    assert_position(&odd, 83999, 1, 4, 0.5 - 1.0 / 24000);
}

static void test_tempo_turns_frames_into_quarters_and_back(void **state)
{
    (void)state;
    assert_float_equal(stem_tempo_quarters(&MAP, 240000), 10, 1e-12);
    assert_float_equal(stem_tempo_quarters(&MAP, 240000 + 32000), 11, 1e-12);
    assert_int_equal(stem_tempo_ticks(&MAP, 240000 + 16000), 10 * 960 + 480);
    for (uint64_t frame = 0; frame < 1000000; frame += 997)
        assert_int_equal(stem_tempo_frame(&MAP, stem_tempo_quarters(&MAP, frame)), frame);
}

/* Before the first entry its tempo holds, so that ticks count from the take's start. */
static void test_tempo_counts_quarters_before_the_first_entry(void **state)
{
    (void)state;
    const struct stem_take_tempo entry = {.frame = 48000,
        .bpm = 60,
        .beats_per_bar = 4,
        .beat_type = 4,
        .ticks_per_beat = 960,
        .bar = 1,
        .beat = 1};
    const struct stem_tempo_map map = {&entry, 1, 48000};
    assert_float_equal(stem_tempo_quarters(&map, 24000), 0.5, 1e-12);
    assert_int_equal(stem_tempo_frame(&map, 2), 96000);
}

static void test_tempo_of_a_take_without_a_map(void **state)
{
    (void)state;
    struct stem_take take = {.rate_hz = 48000, .tempo_bpm = 100};
    struct stem_take_tempo only;
    struct stem_tempo_map map = stem_tempo_of_take(&take, &only);
    assert_true(stem_tempo_known(&take));
    assert_next_bar(&map, 1, 4 * 28800);
    take.tempo_bpm = 0;
    map = stem_tempo_of_take(&take, &only);
    assert_false(stem_tempo_known(&take));
    assert_next_bar(&map, 1, 96000);
}

static void test_tempo_passes_over_entries_that_make_no_sense(void **state)
{
    (void)state;
    struct stem_take_tempo entries[] = {ENTRIES[0], ENTRIES[1], ENTRIES[1]};
    struct stem_take take = {.rate_hz = 48000, .tempos = entries, .tempo_count = COUNT(entries)};
    struct stem_take_tempo only;
    entries[2].bpm = 0;
    assert_int_equal(stem_tempo_of_take(&take, &only).count, 2);
    entries[1].beats_per_bar = 1e300;
    assert_int_equal(stem_tempo_of_take(&take, &only).count, 1);
    entries[0].ticks_per_beat = 0;
    assert_ptr_equal(stem_tempo_of_take(&take, &only).entries, &only);
    assert_false(stem_tempo_known(&take));
    uint64_t frame;
    assert_false(stem_tempo_next_bar(&(struct stem_tempo_map){.rate_hz = 48000}, 0, &frame));
}

/* Seen 100 frames late: at 240000 the old tempo had a beat, and so the new one begins there. */
static void test_tempo_settles_where_the_beat_was(void **state)
{
    (void)state;
    struct stem_take_tempo entry = ENTRIES[1];
    entry.frame += 100;
    entry.tick = 100.0 / 32000 * 1920;
    stem_tempo_settle(&ENTRIES[0], &entry, 48000);
    assert_int_equal(entry.frame, 240000);
    assert_float_equal(entry.tick, 0, 1e-9);
    entry.frame += 100; /* by a master that tells whole ticks */
    entry.tick = 6;
    stem_tempo_settle(&ENTRIES[0], &entry, 48000);
    assert_int_equal(entry.frame, 240000);
}

static void test_tempo_stays_where_no_beat_was(void **state)
{
    (void)state;
    struct stem_take_tempo entry = ENTRIES[1];
    entry.frame += 200; /* the old beat was 200 frames ago, the new one is said to be 100 */
    entry.tick = 100.0 / 32000 * 1920;
    stem_tempo_settle(&ENTRIES[0], &entry, 48000);
    assert_int_equal(entry.frame, 240200);
    entry.frame = 240000 + 9000; /* longer ago than a cycle lasts */
    entry.tick = 9000.0 / 32000 * 1920;
    stem_tempo_settle(&ENTRIES[0], &entry, 48000);
    assert_int_equal(entry.frame, 249000);
    entry.frame = 100; /* before what it follows */
    entry.tick = 100.0 / 32000 * 1920;
    stem_tempo_settle(&ENTRIES[1], &entry, 48000);
    assert_int_equal(entry.frame, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tempo_counts_bars_and_beats),
        cmocka_unit_test(test_tempo_finds_the_next_bar_through_changes),
        cmocka_unit_test(test_tempo_rounds_bar_lines_to_the_nearest_frame),
        cmocka_unit_test(test_tempo_starts_anywhere_in_a_bar),
        cmocka_unit_test(test_tempo_knows_eighths_and_odd_meters),
        cmocka_unit_test(test_tempo_turns_frames_into_quarters_and_back),
        cmocka_unit_test(test_tempo_counts_quarters_before_the_first_entry),
        cmocka_unit_test(test_tempo_of_a_take_without_a_map),
        cmocka_unit_test(test_tempo_passes_over_entries_that_make_no_sense),
        cmocka_unit_test(test_tempo_settles_where_the_beat_was),
        cmocka_unit_test(test_tempo_stays_where_no_beat_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
