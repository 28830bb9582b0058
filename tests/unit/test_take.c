/* The manifest: everything comes back as it was saved. */
#include "full_take.h"

#include "facts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_text(const char *a, const char *b)
{
    if (a && b)
        assert_string_equal(a, b);
    else
        assert_true(a == b);
}

static void check_stem(const struct stem_take_stem *a, const struct stem_take_stem *b)
{
    check_text(a->name, b->name);
    check_text(a->file, b->file);
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->inputs, b->inputs);
    assert_int_equal(a->frames, b->frames);
    assert_int_equal(a->clips, b->clips);
    assert_int_equal(a->muted, b->muted);
    assert_true(a->peak == b->peak);
    assert_int_equal(a->levels.measured, b->levels.measured);
    assert_int_equal(a->levels.silent, b->levels.silent);
    assert_true(a->levels.true_peak_dbtp == b->levels.true_peak_dbtp);
    assert_true(a->levels.integrated_lufs == b->levels.integrated_lufs);
    assert_true(a->levels.short_term_lufs == b->levels.short_term_lufs);
    assert_true(a->levels.momentary_lufs == b->levels.momentary_lufs);
    assert_true(a->levels.range_lu == b->levels.range_lu);
    assert_true(a->levels.rms_dbfs == b->levels.rms_dbfs);
    assert_true(a->levels.dc_offset == b->levels.dc_offset);
}

static void check_texts(const struct stem_take *a, const struct stem_take *b)
{
    check_text(a->failure, b->failure);
    check_text(a->title, b->title);
    check_text(a->key, b->key);
    check_text(a->started, b->started);
    check_text(a->recorder, b->recorder);
    check_text(a->previous, b->previous);
    check_text(a->id, b->id);
    check_text(a->continued_from, b->continued_from);
    check_text(a->continued_in, b->continued_in);
    check_text(a->mirror, b->mirror);
    check_text(a->started_by, b->started_by);
    check_text(a->finished, b->finished);
    check_text(a->residual.hint, b->residual.hint);
}

static void check_figures(const struct stem_take *a, const struct stem_take *b)
{
    assert_int_equal(a->progress, b->progress);
    assert_true(a->tempo_bpm == b->tempo_bpm);
    assert_int_equal(a->part, b->part);
    assert_int_equal(a->part_frame, b->part_frame);
    assert_int_equal(a->rate_hz, b->rate_hz);
    assert_int_equal(a->start_frame, b->start_frame);
    assert_int_equal(a->time_reference, b->time_reference);
    assert_int_equal(a->frames, b->frames);
    assert_int_equal(a->container, b->container);
    assert_int_equal(a->encoding, b->encoding);
    assert_int_equal(a->residual.measured, b->residual.measured);
    assert_int_equal(a->residual.passed, b->residual.passed);
    assert_true(a->residual.peak == b->residual.peak);
    assert_true(a->residual.rms == b->residual.rms);
    assert_true(a->residual.bound == b->residual.bound);
    assert_int_equal(a->residual.worst_frame, b->residual.worst_frame);
    assert_true(a->residual.worst_rms == b->residual.worst_rms);
}

static void check_positions(const struct stem_take *a, const struct stem_take *b)
{
    assert_int_equal(a->clock_count, b->clock_count);
    for (size_t k = 0; k < a->clock_count; k++) {
        assert_int_equal(a->clocks[k].frame, b->clocks[k].frame);
        assert_int_equal(a->clocks[k].jack_frame, b->clocks[k].jack_frame);
    }
    assert_int_equal(a->tempo_count, b->tempo_count);
    for (size_t k = 0; k < a->tempo_count; k++) {
        const struct stem_take_tempo *x = &a->tempos[k], *y = &b->tempos[k];
        assert_int_equal(x->frame, y->frame);
        assert_true(x->bpm == y->bpm && x->beats_per_bar == y->beats_per_bar);
        assert_true(x->beat_type == y->beat_type && x->ticks_per_beat == y->ticks_per_beat);
        assert_int_equal(x->bar, y->bar);
        assert_int_equal(x->beat, y->beat);
        assert_true(x->tick == y->tick);
    }
    assert_int_equal(a->transport_count, b->transport_count);
    for (size_t k = 0; k < a->transport_count; k++) {
        assert_int_equal(a->transports[k].frame, b->transports[k].frame);
        assert_int_equal(a->transports[k].transport_frame, b->transports[k].transport_frame);
        assert_int_equal(a->transports[k].rolling, b->transports[k].rolling);
    }
}

static void check_lists(const struct stem_take *a, const struct stem_take *b)
{
    assert_int_equal(a->gap_count, b->gap_count);
    for (size_t k = 0; k < a->gap_count; k++) {
        assert_int_equal(a->gaps[k].frame, b->gaps[k].frame);
        assert_int_equal(a->gaps[k].frames, b->gaps[k].frames);
        assert_int_equal(a->gaps[k].reasons, b->gaps[k].reasons);
    }
    assert_int_equal(a->xrun_count, b->xrun_count);
    for (size_t k = 0; k < a->xrun_count; k++) {
        assert_int_equal(a->xruns[k].frame, b->xruns[k].frame);
        assert_true(a->xruns[k].delay_us == b->xruns[k].delay_us);
    }
    assert_int_equal(a->marker_count, b->marker_count);
    for (size_t k = 0; k < a->marker_count; k++) {
        assert_int_equal(a->markers[k].frame, b->markers[k].frame);
        check_text(a->markers[k].text, b->markers[k].text);
    }
}

static void check_same(const struct stem_take *a, const struct stem_take *b)
{
    check_texts(a, b);
    check_figures(a, b);
    check_positions(a, b);
    check_lists(a, b);
    assert_int_equal(a->has_mix, b->has_mix);
    check_stem(&a->mix, &b->mix);
    assert_int_equal(a->stem_count, b->stem_count);
    for (size_t s = 0; s < a->stem_count; s++)
        check_stem(&a->stems[s], &b->stems[s]);
    assert_int_equal(a->extra_count, b->extra_count);
    for (size_t s = 0; s < a->extra_count; s++)
        check_stem(&a->extras[s], &b->extras[s]);
}

/* A plugin that went mad sends infinite samples; the stem stays in the manifest. */
static void test_take_infinite_levels_do_not_hide_a_stem(void **state)
{
    (void)state;
    struct stem_take take, back = {0};
    fill(&take);
    take.stems[0].peak = HUGE_VAL;
    take.stems[0].levels.dc_offset = HUGE_VAL;
    take.mix.peak = HUGE_VAL;
    save(&take);
    load(&back);
    check_same(&take, &back);
    stem_take_finish(&take);
    stem_take_finish(&back);
}

static void test_take_comes_back_as_it_was_saved(void **state)
{
    (void)state;
    struct stem_take take, back = {0};
    fill(&take);
    save(&take);
    load(&back);
    check_same(&take, &back);
    stem_take_finish(&take);
    stem_take_finish(&back);
}

/* All that a recorder knows at the first frame. */
static void test_take_with_little_in_it_comes_back(void **state)
{
    (void)state;
    struct stem_take take = {.rate_hz = 48000, .part = 1}, back = {0};
    stem_take_set_string(&take.title, "");
    stem_take_set_string(&take.key, "");
    save(&take);
    load(&back);
    check_same(&take, &back);
    stem_take_finish(&take);
    stem_take_finish(&back);
}

static void test_take_every_progress_and_format_comes_back(void **state)
{
    (void)state;
    for (int p = 0; p < STEM_TAKE_PROGRESSES; p++)
        for (int c = STEM_WAV; c <= STEM_FLAC; c++)
            for (int e = STEM_PCM16; e <= STEM_DOUBLE; e++) {
                struct stem_take back = {0}, take = {.progress = (enum stem_take_progress)p,
                                                 .rate_hz = 44100,
                                                 .container = (enum stem_container)c,
                                                 .encoding = (enum stem_encoding)e};
                save(&take);
                load(&back);
                assert_int_equal(back.progress, p);
                assert_int_equal(back.container, c);
                assert_int_equal(back.encoding, e);
                stem_take_finish(&back);
            }
}

/* A player's name may be in any old encoding; the manifest stays valid. */
static void test_take_text_that_is_no_utf8_is_replaced(void **state)
{
    (void)state;
    struct stem_take back = {0}, take = {.rate_hz = 48000};
    stem_take_set_string(&take.title, "caf\xE9 \xC3\xA4 \xF0\x9F\xA5\x81 \xC3");
    save(&take);
    load(&back);
    assert_string_equal(back.title, "caf\xEF\xBF\xBD \xC3\xA4 \xF0\x9F\xA5\x81 \xEF\xBF\xBD");
    stem_take_finish(&take);
    stem_take_finish(&back);
}

static void test_take_gaps_that_touch_become_one(void **state)
{
    (void)state;
    struct stem_take take = {0};
    stem_take_add_gap(&take, 100, 50, STEM_GAP_SKIPPED);
    stem_take_add_gap(&take, 150, 10, STEM_GAP_SKIPPED);
    stem_take_add_gap(&take, 160, 10, STEM_GAP_OVERFLOW); /* for another reason */
    stem_take_add_gap(&take, 171, 10, STEM_GAP_OVERFLOW); /* with a frame between */
    assert_int_equal(take.gap_count, 3);
    assert_int_equal(take.gaps[0].frames, 60);
    assert_int_equal(take.gaps[2].frame, 171);
    assert_int_equal(stem_take_gap_frames(&take), 80);
    stem_take_finish(&take);
    assert_int_equal(take.gap_count, 0);
}

static void test_take_lists_grow(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    struct stem_take take = {.rate_hz = 48000}, back = {0};
    for (uint64_t k = 0; k < MANY; k++) {
        char file[16];
        snprintf(file, sizeof file, "%u.wav", (unsigned)k);
        assert_int_equal(stem_take_add_gap(&take, 10 * k, 5, STEM_GAP_SKIPPED), 0);
        assert_int_equal(stem_take_add_xrun(&take, k, (double)k), 0);
        assert_int_equal(stem_take_add_marker(&take, k, "m"), 0);
        assert_int_equal(stem_take_add_stem(&take, "s", file, 1 + (uint32_t)k % 8), 0);
    }
    save(&take);
    load(&back);
    check_same(&(struct stem_take){.gaps = take.gaps,
                   .gap_count = MANY,
                   .rate_hz = 48000,
                   .part = 1,
                   .title = (char[]){""},
                   .key = (char[]){""},
                   .xruns = take.xruns,
                   .xrun_count = MANY,
                   .markers = take.markers,
                   .marker_count = MANY,
                   .stems = take.stems,
                   .stem_count = MANY},
        &back);
    stem_take_finish(&take);
    stem_take_finish(&back);
}

static void test_take_words_for_reasons(void **state)
{
    (void)state;
    char words[64];
    stem_take_reason_words(0, words, sizeof words);
    assert_string_equal(words, "");
    stem_take_reason_words(STEM_GAP_SERVER, words, sizeof words);
    assert_string_equal(words, "server");
    stem_take_reason_words(
        STEM_GAP_CLOCK | STEM_GAP_SKIPPED | STEM_GAP_OVERFLOW, words, sizeof words);
    assert_string_equal(words, "skipped+overflow+clock");
    stem_take_reason_words(UINT32_MAX, words, 12);
    assert_string_equal(words, "skipped+ove");
}

static void test_take_save_replaces_the_old_one_whole(void **state)
{
    (void)state;
    struct stem_take back = {0}, take = {.rate_hz = 48000, .frames = 1};
    char path[128];
    struct stat file;
    save(&take);
    take.frames = 2;
    save(&take);
    load(&back);
    assert_int_equal(back.frames, 2);
    stem_take_finish(&back);
    snprintf(path, sizeof path, "%s/.take.json.new", folder);
    assert_int_equal(stat(path, &file), -1); /* nothing is left over */
}

static void test_take_save_failure_keeps_the_old_one(void **state)
{
    (void)state;
    struct stem_take back = {0}, take = {.rate_hz = 48000, .frames = 1};
    struct stem_error error = {0};
    char path[128];
    save(&take);
    snprintf(path, sizeof path, "%s/.take.json.new", folder);
    assert_int_equal(mkdir(path, 0700), 0); /* in the temporary file's place */
    take.frames = 2;
    assert_int_equal(stem_take_save(&take, folder, &error), -1);
    assert_non_null(strstr(error.text, "take.json\": Is a directory"));
    load(&back);
    assert_int_equal(back.frames, 1);
    stem_take_finish(&back);
    rmdir(path);
    assert_int_equal(stem_take_save(&take, "/nowhere/at/all", &error), -1);
    assert_non_null(strstr(error.text, "No such file or directory"));
}

static void test_take_save_that_cannot_rename_leaves_nothing(void **state)
{
    (void)state;
    struct stem_take take = {.rate_hz = 48000};
    struct stem_error error = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/take.json", folder);
    assert_int_equal(mkdir(path, 0700), 0); /* in the manifest's place */
    assert_int_equal(stem_take_save(&take, folder, &error), -1);
    assert_non_null(strstr(error.text, "Is a directory"));
    snprintf(path, sizeof path, "%s/.take.json.new", folder);
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_take_comes_back_as_it_was_saved),
        TEST(test_take_infinite_levels_do_not_hide_a_stem),
        TEST(test_take_with_little_in_it_comes_back),
        TEST(test_take_every_progress_and_format_comes_back),
        TEST(test_take_text_that_is_no_utf8_is_replaced),
        TEST(test_take_gaps_that_touch_become_one),
        TEST(test_take_lists_grow),
        TEST(test_take_words_for_reasons),
        TEST(test_take_save_replaces_the_old_one_whole),
        TEST(test_take_save_failure_keeps_the_old_one),
        TEST(test_take_save_that_cannot_rename_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
