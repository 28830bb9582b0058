/* The tape, driven by a scripted producer: every sample encodes its frame, track and channel. */
#include "tape_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const uint32_t CHANNELS[] = {2, 1, 5};
enum { TRACKS = 3 };

static float sample(uint64_t frame, uint32_t track, uint32_t channel)
{
    return (float)((frame * 31 + track * 7 + channel) % 65521);
}

static struct stem_tape *make(uint64_t capacity)
{
    struct stem_error error = {0};
    struct stem_tape *tape = stem_tape_create(CHANNELS, TRACKS, capacity, false, NULL, &error);
    assert_non_null(tape);
    return tape;
}

static void fill(struct stem_tape *tape, uint32_t track, uint64_t frame, uint32_t frames)
{
    struct stem_tape_span span = stem_tape_span_rt(tape, track, frame, frames);
    assert_int_equal(span.frames[0] + span.frames[1], frames);
    uint32_t channels = CHANNELS[track];
    for (int part = 0; part < 2; part++)
        for (uint32_t i = 0; i < span.frames[part]; i++, frame++)
            for (uint32_t c = 0; c < channels; c++)
                span.samples[part][i * channels + c] = sample(frame, track, c);
}

/* One block as the process callback writes it; false when the tape refuses it. */
static bool write_block(
    struct stem_tape *tape, uint64_t frame, uint32_t frames, uint64_t contiguous_from)
{
    if (!stem_tape_reserve_rt(tape, frame, frames))
        return false;
    for (uint32_t t = 0; t < TRACKS; t++)
        fill(tape, t, frame, frames);
    stem_tape_commit_rt(tape, contiguous_from);
    return true;
}

static void check(const struct stem_tape *tape, uint64_t frame, uint32_t frames)
{
    for (uint32_t t = 0; t < TRACKS; t++) {
        struct stem_tape_span span = stem_tape_span_rt(tape, t, frame, frames);
        uint64_t f = frame;
        for (int part = 0; part < 2; part++)
            for (uint32_t i = 0; i < span.frames[part]; i++, f++)
                for (uint32_t c = 0; c < CHANNELS[t]; c++)
                    assert_true(span.samples[part][i * CHANNELS[t] + c] == sample(f, t, c));
    }
}

static void test_tape_gives_back_what_was_written(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    for (uint64_t f = 0; f < 10000; f += 64) {
        assert_true(write_block(tape, f, 64, 0));
        assert_int_equal(stem_tape_written(tape), f + 64);
        uint32_t seen = f + 64 < 1000 ? (uint32_t)f + 64 : 1000;
        check(tape, f + 64 - seen, seen);
    }
    stem_tape_destroy(tape);
}

static void test_tape_is_empty_before_the_first_block(void **state)
{
    (void)state;
    struct stem_tape *tape = make(100);
    assert_int_equal(stem_tape_written(tape), 0);
    assert_int_equal(stem_tape_oldest(tape), 0);
    assert_true(stem_tape_held(tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
    stem_tape_destroy(tape);
}

static void test_tape_refuses_a_block_over_held_frames_for_all_tracks(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    for (uint64_t f = 0; f < 960; f += 64)
        assert_true(write_block(tape, f, 64, 0));
    assert_int_equal(stem_tape_hold(tape, STEM_TAPE_WRITER, 100), 100);
    assert_true(write_block(tape, 960, 64, 0)); /* up to 1024 <= 1100 */
    assert_true(write_block(tape, 1024, 64, 0));
    assert_false(stem_tape_fits_rt(tape, 1088, 64));
    assert_false(stem_tape_reserve_rt(tape, 1088, 64));
    assert_int_equal(stem_tape_written(tape), 1088);
    check(tape, 100, 988); /* nothing held was touched in any track */
    assert_int_equal(stem_tape_hold(tape, STEM_TAPE_WRITER, 152), 152);
    assert_true(write_block(tape, 1088, 64, 0));
    stem_tape_destroy(tape);
}

static void test_tape_overwrites_freely_when_nothing_is_held(void **state)
{
    (void)state;
    struct stem_tape *tape = make(256);
    stem_tape_hold(tape, STEM_TAPE_WRITER, 0);
    assert_true(write_block(tape, 0, 256, 0));
    assert_false(write_block(tape, 256, 1, 0));
    stem_tape_release(tape, STEM_TAPE_WRITER);
    assert_true(write_block(tape, 256, 200, 0));
    check(tape, 200, 256);
    stem_tape_destroy(tape);
}

static void test_tape_refuses_a_block_longer_than_itself(void **state)
{
    (void)state;
    struct stem_tape *tape = make(100);
    assert_false(stem_tape_reserve_rt(tape, 0, 101));
    assert_true(stem_tape_reserve_rt(tape, 0, 100));
    stem_tape_destroy(tape);
}

static void test_tape_hold_in_the_overwritten_past_starts_later(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    for (uint64_t f = 0; f < 6400; f += 64)
        assert_true(write_block(tape, f, 64, 0));
    assert_int_equal(stem_tape_hold(tape, STEM_TAPE_WRITER, 17), 5400);
    assert_int_equal(stem_tape_held(tape, STEM_TAPE_WRITER), 5400);
    assert_false(write_block(tape, 6400, 64, 0));
    check(tape, 5400, 1000);
    stem_tape_destroy(tape);
}

static void test_tape_hold_before_the_first_frame_starts_there(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    assert_true(write_block(tape, 5000, 64, 5000));
    assert_int_equal(stem_tape_oldest(tape), 5000);
    assert_int_equal(stem_tape_hold(tape, STEM_TAPE_WRITER, 4000), 5000);
    stem_tape_destroy(tape);
}

static void test_tape_hold_sees_the_block_that_is_being_written(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    for (uint64_t f = 0; f < 2000; f += 100)
        assert_true(write_block(tape, f, 100, 0));
    assert_true(stem_tape_reserve_rt(tape, 2000, 100)); /* announced, not yet published */
    assert_int_equal(stem_tape_hold(tape, STEM_TAPE_WRITER, 1000), 1100);
    stem_tape_destroy(tape);
}

/* Announced is not allowed: whoever holds already does not give way. */
static void test_tape_hold_moves_on_beside_an_announced_block(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    for (uint64_t f = 0; f < 1000; f += 100)
        assert_true(write_block(tape, f, 100, 0));
    assert_int_equal(stem_tape_hold(tape, STEM_TAPE_WRITER, 0), 0);
    atomic_store(&tape->writing_end, 1300); /* in the middle of a reserve */
    assert_int_equal(stem_tape_hold(tape, STEM_TAPE_WRITER, 50), 50);
    assert_int_equal(stem_tape_held(tape, STEM_TAPE_WRITER), 50);
    assert_false(stem_tape_intact(tape, 50));
    assert_int_equal(stem_tape_kept_from(tape), 0); /* it may be refused, as it would be here */
    assert_false(stem_tape_reserve_rt(tape, 1200, 100));
    check(tape, 50, 950);
    stem_tape_destroy(tape);
}

static void test_tape_keeps_what_no_published_block_overwrote(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    assert_true(write_block(tape, 500, 100, 500));
    assert_int_equal(stem_tape_kept_from(tape), 500);
    assert_true(write_block(tape, 1500, 100, 1500));
    assert_int_equal(stem_tape_kept_from(tape), 600);
    assert_true(stem_tape_reserve_rt(tape, 1600, 100));
    assert_int_equal(stem_tape_kept_from(tape), 600);
    stem_tape_commit_rt(tape, 1500);
    assert_int_equal(stem_tape_kept_from(tape), 700);
    stem_tape_destroy(tape);
}

static void test_tape_refused_block_leaves_no_trace(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    assert_true(write_block(tape, 0, 1000, 0));
    stem_tape_hold(tape, STEM_TAPE_WRITER, 0);
    assert_false(stem_tape_reserve_rt(tape, 1000, 64));
    assert_int_equal(stem_tape_oldest(tape), 0);
    check(tape, 0, 1000);
    stem_tape_destroy(tape);
}

static void test_tape_gap_longer_than_itself_blocks_nothing(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    assert_true(write_block(tape, 0, 64, 0));
    stem_tape_hold(tape, STEM_TAPE_WRITER, 64); /* all read so far */
    uint64_t after = 64 + 5000;
    assert_true(write_block(tape, after, 64, after));
    assert_int_equal(stem_tape_contiguous_from(tape), after);
    for (int k = 1; k < 15; k++) /* the hold still lies before the gap's end */
        assert_true(write_block(tape, after + (uint64_t)k * 64, 64, after));
    assert_false(write_block(tape, after + 15 * 64, 64, after)); /* would eat the first one */
    check(tape, after, 15 * 64);
    stem_tape_destroy(tape);
}

static void test_tape_gap_keeps_unread_frames_before_it(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    assert_true(write_block(tape, 0, 64, 0));
    stem_tape_hold(tape, STEM_TAPE_WRITER, 0); /* nothing read yet */
    assert_false(write_block(tape, 1000, 64, 1000));
    assert_true(write_block(tape, 900, 64, 900));
    check(tape, 0, 64);
    check(tape, 900, 64);
    stem_tape_destroy(tape);
}

static void test_tape_counts_on_past_32_bits(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    uint64_t border = UINT64_C(1) << 32;
    uint64_t start = border - 960;
    for (uint64_t f = start; f < border + 960; f += 64)
        assert_true(write_block(tape, f, 64, start));
    check(tape, border - 40, 1000);
    assert_int_equal(stem_tape_hold(tape, STEM_TAPE_WRITER, border - 40), border - 40);
    assert_false(write_block(tape, border + 960, 1, start));
    stem_tape_hold(tape, STEM_TAPE_WRITER, border + 960);
    assert_true(write_block(tape, border + 960, 1000, start));
    check(tape, border + 960, 1000);
    stem_tape_destroy(tape);
}

static void test_tape_tells_whether_a_glance_was_whole(void **state)
{
    (void)state;
    struct stem_tape *tape = make(1000);
    assert_true(write_block(tape, 0, 1000, 0));
    assert_true(stem_tape_intact(tape, 0));
    assert_true(stem_tape_reserve_rt(tape, 1000, 10));
    assert_false(stem_tape_intact(tape, 9));
    assert_true(stem_tape_intact(tape, 10));
    stem_tape_destroy(tape);
}

static void test_tape_says_when_there_is_no_memory(void **state)
{
    (void)state;
    struct stem_error error = {0};
    assert_null(stem_tape_create(CHANNELS, TRACKS, UINT64_C(1) << 44, false, NULL, &error));
    assert_non_null(strstr(error.text, "MB of memory for the tape"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tape_gives_back_what_was_written),
        cmocka_unit_test(test_tape_is_empty_before_the_first_block),
        cmocka_unit_test(test_tape_refuses_a_block_over_held_frames_for_all_tracks),
        cmocka_unit_test(test_tape_overwrites_freely_when_nothing_is_held),
        cmocka_unit_test(test_tape_refuses_a_block_longer_than_itself),
        cmocka_unit_test(test_tape_hold_in_the_overwritten_past_starts_later),
        cmocka_unit_test(test_tape_hold_before_the_first_frame_starts_there),
        cmocka_unit_test(test_tape_hold_sees_the_block_that_is_being_written),
        cmocka_unit_test(test_tape_refused_block_leaves_no_trace),
        cmocka_unit_test(test_tape_gap_longer_than_itself_blocks_nothing),
        cmocka_unit_test(test_tape_gap_keeps_unread_frames_before_it),
        cmocka_unit_test(test_tape_counts_on_past_32_bits),
        cmocka_unit_test(test_tape_tells_whether_a_glance_was_whole),
        cmocka_unit_test(test_tape_says_when_there_is_no_memory),
        cmocka_unit_test(test_tape_hold_moves_on_beside_an_announced_block),
        cmocka_unit_test(test_tape_keeps_what_no_published_block_overwrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
