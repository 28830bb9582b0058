/* The manifest: everything comes back as it was saved, and nothing that a file says is believed. */
#include "take.h"

#include "facts.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = scratch_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

/* A take in which no field is left at zero. */
static void fill_texts(struct stem_take *take)
{
    stem_take_set_string(&take->failure, "cannot write \"x\": No space left on device");
    stem_take_set_string(&take->title, "Nächtlicher \"Zug\" \\ 夜\ttab\nline");
    stem_take_set_string(&take->key, "F# minor");
    stem_take_set_string(&take->started, "2026-11-20T21:53:07.250+01:00");
    stem_take_set_string(&take->recorder, "stemd 9.9");
    stem_take_set_string(&take->previous, "2026-11-20_21-40-00_Opener");
    stem_take_set_string(&take->id, "0a1b2c");
    stem_take_set_string(&take->continued_from, "/first/disk/part-1");
    stem_take_set_string(&take->continued_in, "/other/disk/part-2");
    stem_take_set_string(&take->mirror, "/mirror/take");
    stem_take_set_string(&take->started_by, "bar");
    stem_take_set_string(&take->finished, "2026-11-20T22:53:07+01:00");
}

static void fill_stem(struct stem_take_stem *stem, uint32_t seed)
{
    stem->role = (enum stem_take_role)(seed % STEM_TAKE_ROLES);
    stem->inputs = 3 + seed;
    stem->frames = (UINT64_C(1) << 40) + seed;
    stem->clips = 17 + seed;
    stem->peak = 0.5 + seed / 16.0;
    stem->muted = seed % 2;
    stem->levels = (struct stem_take_levels){.measured = true,
        .silent = seed % 2 == 0,
        .true_peak_dbtp = -1.25,
        .integrated_lufs = -23.5,
        .short_term_lufs = -HUGE_VAL,
        .momentary_lufs = -18.75,
        .range_lu = 4.5,
        .rms_dbfs = -30.25,
        .dc_offset = 0.0078125};
}

static void fill_files(struct stem_take *take)
{
    stem_take_add_stem(take, "Drums", "01_Drums.wav", 2);
    stem_take_add_stem(take, "Bäss", "02_Baess.wav", 1);
    stem_take_add_stem(take, "Choir / all", "03_Choir-all.wav", 8);
    stem_take_add_extra(take, "Kick", "10_Kick.wav", 1);
    for (uint32_t s = 0; s < take->stem_count; s++)
        fill_stem(&take->stems[s], s);
    fill_stem(&take->extras[0], 5);
    take->has_mix = true;
    stem_take_set_string(&take->mix.name, "Mix");
    stem_take_set_string(&take->mix.file, "00_Mix.wav");
    take->mix.channels = 2;
    fill_stem(&take->mix, 3);
    take->residual = (struct stem_take_residual){.measured = true,
        .passed = true,
        .peak = 0.25,
        .rms = 0.125,
        .bound = 0.0625,
        .worst_frame = UINT64_C(1) << 33,
        .worst_rms = 0.5};
    stem_take_set_string(&take->residual.hint, "Kick is missing");
}

static void fill_lists(struct stem_take *take)
{
    stem_take_add_gap(take, 100, 64, STEM_GAP_SKIPPED);
    stem_take_add_gap(take, 1000, UINT64_C(1) << 34, STEM_GAP_OVERFLOW | STEM_GAP_CLOCK);
    stem_take_add_gap(take, UINT64_C(1) << 36, 1, STEM_GAP_SERVER);
    stem_take_add_xrun(take, 5000, 1234.5);
    stem_take_add_marker(take, 6000, "Chorus ♪");
    stem_take_add_marker(take, UINT64_C(1) << 40, "");
    stem_take_add_clock(take, (struct stem_take_clock){0, 4294967295u});
    stem_take_add_clock(take, (struct stem_take_clock){77, 3});
    stem_take_add_tempo(take, (struct stem_take_tempo){9, 98.5, 3, 4, 1920, 2147483647, 3, 959.5});
    stem_take_add_transport(take, (struct stem_take_transport){10, UINT64_C(1) << 33, true});
}

static void fill(struct stem_take *take)
{
    *take = (struct stem_take){.progress = STEM_TAKE_FAILED,
        .tempo_bpm = 120.5,
        .part = 2,
        .part_frame = UINT64_C(3) << 33,
        .rate_hz = 96000,
        .start_frame = (UINT64_C(1) << 32) + 5,
        .time_reference = (UINT64_C(1) << 35) + 7,
        .frames = UINT64_C(1) << 41,
        .container = STEM_CAF,
        .encoding = STEM_DOUBLE};
    fill_texts(take);
    fill_files(take);
    fill_lists(take);
}

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

static void save(const struct stem_take *take)
{
    struct stem_error error = {0};
    if (stem_take_save(take, folder, &error))
        fail_msg("%s", error.text);
}

static void load(struct stem_take *take)
{
    struct stem_error error = {0};
    if (stem_take_load(take, folder, &error))
        fail_msg("%s", error.text);
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
        assert_int_equal(stem_take_add_gap(&take, 10 * k, 5, STEM_GAP_SKIPPED), 0);
        assert_int_equal(stem_take_add_xrun(&take, k, (double)k), 0);
        assert_int_equal(stem_take_add_marker(&take, k, "m"), 0);
        assert_int_equal(stem_take_add_stem(&take, "s", "f", 1 + (uint32_t)k % 8), 0);
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

static void write_manifest(const char *bytes, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/take.json", folder);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

/* The manifest is refused; the message names the file and holds `word`; nothing is left in the take
 * (the leak checker looks at that). */
static void check_refused(const char *word)
{
    struct stem_take take = {0};
    struct stem_error error = {0};
    if (stem_take_load(&take, folder, &error) == 0)
        fail_msg("it was believed, though %s", word);
    if (!strstr(error.text, folder) || !strstr(error.text, word))
        fail_msg("\"%s\" does not say \"%s\"", error.text, word);
    assert_null(take.stems);
    assert_null(take.title);
}

static json_t *valid_manifest(void)
{
    struct stem_take take;
    char path[128];
    fill(&take);
    save(&take);
    stem_take_finish(&take);
    snprintf(path, sizeof path, "%s/take.json", folder);
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    return root;
}

/* Finds the object that holds the last word of a path such as "stems.1.file". */
static json_t *holder_of(json_t *root, const char *path, const char **key)
{
    json_t *at = root;
    *key = path;
    for (const char *dot; (dot = strchr(*key, '.')); *key = dot + 1) {
        char word[32];
        snprintf(word, sizeof word, "%.*s", (int)(dot - *key), *key);
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(word)) : json_object_get(at, word);
    }
    assert_non_null(at);
    return at;
}

static void change(json_t *root, const char *path, const char *value)
{
    const char *key;
    json_t *holder = holder_of(root, path, &key);
    json_t *new = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    if (json_is_array(holder)) {
        json_array_set_new(holder, (size_t)atoi(key), new);
    } else {
        json_object_del(holder, key);
        if (new)
            json_object_set_new(holder, key, new);
    }
}

static void write_changed(const char *path, const char *value)
{
    json_t *root = valid_manifest();
    change(root, path, value);
    char *bytes = json_dumps(root, JSON_INDENT(2));
    write_manifest(bytes, strlen(bytes));
    free(bytes);
    json_decref(root);
}

static const struct {
    const char *path;
    const char *value; /* NULL: taken away */
    const char *word;  /* that the message must hold */
} LIES[] = {
    {"kind", NULL, "kind"},
    {"kind", "\"other\"", "kind"},
    {"version", NULL, "version"},
    {"version", "\"1\"", "version"},
    {"version", "999", "newer stemd (version 999"},
    {"progress", "\"perfect\"", "progress"},
    {"progress", "3", "progress"},
    {"title", NULL, "title: expected a string"},
    {"title", "[\"x\"]", "title: expected a string"},
    {"failure", "5", "failure: expected a string"},
    {"tempo_bpm", "\"fast\"", "tempo_bpm: expected a number"},
    {"rate_hz", "0", "rate_hz"},
    {"rate_hz", "-48000", "rate_hz"},
    {"rate_hz", "1e5", "rate_hz"},
    {"rate_hz", "4294967296", "rate_hz"},
    {"frames", "-1", "frames: expected a whole number"},
    {"frames", "9223372036854775807", "frames: expected a whole number"},
    {"frames", "1.5", "frames: expected a whole number"},
    {"start_frame", "true", "start_frame"},
    {"time_reference", "-7", "time_reference"},
    {"part", "-1", "part"},
    {"id", "{}", "id: expected a string"},
    {"format", NULL, "format.container"},
    {"format", "7", "format.container"},
    {"format.container", "\"mp3\"", "format.container: expected wav"},
    {"format.encoding", "\"pcm12\"", "format.encoding: expected pcm16"},
    {"mix", "[]", "mix"},
    {"mix.file", "\"../Mix.wav\"", "mix.file: expected the plain name"},
    {"mix.channels", "0", "mix.channels: expected at least 1"},
    {"stems", NULL, "stems: expected a list"},
    {"stems", "{}", "stems: expected a list"},
    {"stems.1", "null", "stems[1]"},
    {"stems.0.name", NULL, "stems[0].name"},
    {"stems.2.file", "\"/etc/passwd\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"sub/x.wav\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"..\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\".\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"a\\nb\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"\\u001b[2J\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"\\u007f\"", "stems[2].file: expected the plain name"},
    {"stems.0.channels", "4294967297", "stems[0].channels"},
    {"stems.0.channels", "1025", "stems[0].channels"},
    {"stems.0.inputs", "-1", "stems[0].inputs"},
    {"stems.0.frames", "null", "stems[0].frames"},
    {"stems.0.clips", "\"many\"", "stems[0].clips"},
    {"stems.0.peak", "\"1\"", "stems[0].peak"},
    {"stems.0.levels", "{}", "stems[0]"},
    {"stems.0.levels.rms_dbfs", "\"loud\"", "rms_dbfs"},
    {"extras.0.file", "\"../x\"", "extras[0].file: expected the plain name"},
    {"residual.peak", "\"x\"", "residual.peak"},
    {"gaps", "5", "gaps: expected a list"},
    {"gaps.0", "5", "gaps[0].frame"},
    {"gaps.1.frame", "120", "gaps[1].frame: expected gaps in ascending order"},
    {"gaps.1.frames", "-1", "gaps[1].frames"},
    {"xruns.0.delay_us", "null", "xruns[0].delay_us"},
    {"markers.1.text", "7", "markers[1].text"},
    {"clocks.0.jack_frame", "4294967296", "clocks[0].jack_frame"},
    {"tempo_map.0.bar", "2147483648", "tempo_map[0].bar"},
    {"transport.0.transport_frame", "\"\"", "transport[0].transport_frame"},
};

static void test_take_every_lie_is_found_and_named(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof LIES / sizeof *LIES; k++) {
        write_changed(LIES[k].path, LIES[k].value);
        check_refused(LIES[k].word);
    }
}

/* A manifest from an earlier version, or one that somebody added notes to. */
static void test_take_forgives_what_does_no_harm(void **state)
{
    (void)state;
    static const char *const HARMLESS[][2] = {{"notes", "\"the drummer was late\""}, {"part", NULL},
        {"time_reference", NULL}, {"extras", NULL}, {"clocks", NULL}, {"tempo_map", NULL},
        {"transport", NULL}, {"residual", NULL}, {"id", NULL}, {"stems.0.inputs", NULL},
        {"stems.0.levels", NULL}, {"stems.0.role", NULL}, {"mix", NULL},
        {"gaps.0.reasons", "[\"skipped\", \"sabotage\", 5]"}};
    for (size_t k = 0; k < sizeof HARMLESS / sizeof *HARMLESS; k++) {
        struct stem_take back = {0};
        write_changed(HARMLESS[k][0], HARMLESS[k][1]);
        load(&back);
        assert_int_equal(back.stem_count, 3);
        assert_int_equal(back.gaps[0].reasons, STEM_GAP_SKIPPED);
        stem_take_finish(&back);
    }
}

static void test_take_of_an_earlier_version_counts_from_its_start(void **state)
{
    (void)state;
    struct stem_take back = {0};
    write_changed("time_reference", NULL);
    load(&back);
    assert_int_equal(back.time_reference, back.start_frame);
    stem_take_finish(&back);
    write_changed("part", NULL);
    load(&back);
    assert_int_equal(back.part, 1);
    stem_take_finish(&back);
}

/* Wherever the file was cut off or hit, it is refused or read, never misread into a crash. */
static void test_take_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    json_t *root = valid_manifest();
    char *bytes = json_dumps(root, JSON_COMPACT);
    size_t size = strlen(bytes);
    for (size_t length = 0; length < size; length += length < 100 ? 1 : 37) {
        write_manifest(bytes, length);
        check_refused("take.json:1:");
    }
    free(bytes);
    json_decref(root);
}

static void test_take_hit_by_stray_bytes_does_no_harm(void **state)
{
    (void)state;
    json_t *root = valid_manifest();
    char *bytes = json_dumps(root, JSON_COMPACT);
    size_t size = strlen(bytes);
    uint32_t seed = 5;
    for (int round = 0; round < 3000; round++) {
        struct stem_take take = {0};
        size_t at = (size_t)((unit_noise(&seed) + 1) / 2 * (float)(size - 1));
        char was = bytes[at];
        bytes[at] = (char)(int)(unit_noise(&seed) * 128);
        write_manifest(bytes, size);
        stem_take_load(&take, folder, NULL);
        stem_take_finish(&take);
        bytes[at] = was;
    }
    free(bytes);
    json_decref(root);
}

static void check_text_refused(const char *manifest, const char *word)
{
    write_manifest(manifest, strlen(manifest));
    check_refused(word);
}

static void test_take_other_files_are_refused(void **state)
{
    (void)state;
    check_text_refused("", "take.json:1:");
    check_text_refused("[]", "expected an object");
    check_text_refused("{}", "kind");
    check_text_refused("\"stemd-take\"", "take.json:1:");
    check_text_refused("{\"kind\": \"stemd-take\", \"kind\": \"x\"}", "duplicate");
    write_manifest("\0\0\0\0", 4);
    check_refused("take.json:1:");
}

static void test_take_nested_without_end_is_refused(void **state)
{
    (void)state;
    enum { DEEP = 1 << 20 };
    char *bytes = malloc(DEEP);
    memset(bytes, '[', DEEP);
    write_manifest(bytes, DEEP);
    check_refused("depth");
    free(bytes);
}

static void test_take_file_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct stem_take take = {0};
    struct stem_error error = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/take.json", folder);
    assert_int_equal(stem_take_load(&take, folder, &error), -1);
    assert_non_null(strstr(error.text, "No such file or directory"));
    assert_int_equal(mkfifo(path, 0600), 0); /* opening it would wait for ever */
    check_refused("sensible");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    check_refused("sensible");
    rmdir(path);
    write_manifest("", 0);
    assert_int_equal(truncate(path, (off_t)1 << 40), 0);
    check_refused("sensible");
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
        TEST(test_take_every_lie_is_found_and_named),
        TEST(test_take_forgives_what_does_no_harm),
        TEST(test_take_of_an_earlier_version_counts_from_its_start),
        TEST(test_take_cut_off_anywhere_is_refused),
        TEST(test_take_hit_by_stray_bytes_does_no_harm),
        TEST(test_take_other_files_are_refused),
        TEST(test_take_nested_without_end_is_refused),
        TEST(test_take_file_of_another_kind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
