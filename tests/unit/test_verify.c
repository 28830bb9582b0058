/* A small take of random noise is written with the recorder's own files, spoiled in one way, and
 * verified: what was done to it must be found and named. */
#include "facts.h"
#include "stem_file.h"
#include "verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longer than two blocks and no multiple of one. */
enum { FRAMES = 10007, RATE = 48000, GAP = 5000, GAP_FRAMES = 300, MOST_SAMPLES = 2 * FRAMES };
enum { DRUMS, BASS, KEYS, MIX, FILES };

static const uint32_t CHANNELS[FILES] = {2, 1, 2, 2};
static const char *const NAMES[FILES] = {"Drums", "Bass", "Keys", "Mix"};

struct scene {
    char folder[64];
    struct stem_take take;
    float audio[FILES][MOST_SAMPLES + 2]; /* room for a frame too many */
    uint32_t random;
    struct stem_verify_report report;
    struct stem_error error;
};

/* Noise between -0.2 and 0.2, the same in every run. */
static float noise(struct scene *scene)
{
    scene->random = scene->random * 1664525u + 1013904223u;
    return (float)((double)scene->random * 0x1p-32 - 0.5) * 0.4f;
}

static void make_noise(struct scene *scene)
{
    for (int k = 0; k < MIX; k++)
        for (size_t s = 0; s < FRAMES * CHANNELS[k]; s++) {
            size_t frame = s / CHANNELS[k];
            bool in_gap = frame >= GAP && frame < GAP + GAP_FRAMES;
            scene->audio[k][s] = in_gap ? 0 : noise(scene);
        }
}

/* The mix in single precision, added up in another order than the bound may assume. */
static void make_mix(struct scene *scene)
{
    for (size_t i = 0; i < FRAMES; i++)
        for (size_t c = 0; c < 2; c++) {
            float sum = scene->audio[KEYS][2 * i + c];
            sum += scene->audio[DRUMS][2 * i + c];
            scene->audio[MIX][2 * i + c] = sum + scene->audio[BASS][i];
        }
}

static int make_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    if (!scene)
        return -1;
    snprintf(scene->folder, sizeof scene->folder, "/tmp/stemd-verify-XXXXXX");
    if (!mkdtemp(scene->folder))
        return -1;
    scene->random = 1;
    make_noise(scene);
    make_mix(scene);
    *state = scene;
    return 0;
}

static void path_of(const struct scene *scene, const char *file, char path[256])
{
    snprintf(path, 256, "%s/%s", scene->folder, file);
}

/* Removes everything that stands in the folder. */
static void empty_folder(const struct scene *scene)
{
    char path[512];
    DIR *folder = opendir(scene->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", scene->folder, entry->d_name);
        if (unlink(path) != 0)
            rmdir(path);
    }
    if (folder)
        closedir(folder);
}

static int remove_scene(void **state)
{
    struct scene *scene = *state;
    stem_verify_report_finish(&scene->report);
    stem_take_finish(&scene->take);
    empty_folder(scene);
    int status = rmdir(scene->folder);
    free(scene);
    return status;
}

static struct stem_take_stem *entry(struct scene *scene, int k)
{
    return k == MIX ? &scene->take.mix : &scene->take.stems[k];
}

/* Writes one file anew, as the scene says or in another form. */
static void write_file(struct scene *scene, int k, struct stem_file_params params, size_t frames)
{
    char path[256];
    struct stem_error error = {""};
    struct stem_take_stem *stem = entry(scene, k);
    path_of(scene, stem->file, path);
    unlink(path);
    params.path = path;
    struct stem_file *file = stem_file_create(&params, &error);
    if (!file)
        fail_msg("%s", error.text);
    assert_int_equal(stem_file_write(file, scene->audio[k], frames, &error), 0);
    stem->clips = stem_file_clips(file);
    stem->peak = stem_file_peak(file);
    assert_int_equal(stem_file_close(file, false, &error), 0);
}

static struct stem_file_params right_form(const struct scene *scene, int k)
{
    return (struct stem_file_params){.container = scene->take.container,
        .encoding = scene->take.encoding,
        .rate_hz = RATE,
        .channels = CHANNELS[k]};
}

static void rewrite_file(struct scene *scene, int k)
{
    write_file(scene, k, right_form(scene, k), FRAMES);
}

static void save_take(struct scene *scene)
{
    if (stem_take_save(&scene->take, scene->folder, &scene->error))
        fail_msg("%s", scene->error.text);
}

/* Writes the whole take into the empty folder. */
static void write_take(
    struct scene *scene, enum stem_container container, enum stem_encoding encoding)
{
    struct stem_take *take = &scene->take;
    stem_take_finish(take);
    empty_folder(scene);
    take->progress = STEM_TAKE_COMPLETE;
    take->rate_hz = RATE;
    take->start_frame = 123456789;
    take->frames = FRAMES;
    take->container = container;
    take->encoding = encoding;
    take->has_mix = true;
    for (int k = 0; k < FILES; k++) {
        char file[32];
        snprintf(file, sizeof file, "%02d_%s.%s", (k + 1) % FILES, NAMES[k],
            stem_container_extension(container));
        if (k == MIX) {
            assert_int_equal(stem_take_set_string(&take->mix.name, NAMES[k]), 0);
            assert_int_equal(stem_take_set_string(&take->mix.file, file), 0);
            take->mix.channels = CHANNELS[k];
        } else {
            assert_int_equal(stem_take_add_stem(take, NAMES[k], file, CHANNELS[k]), 0);
        }
        entry(scene, k)->frames = FRAMES;
        entry(scene, k)->inputs = 1;
        rewrite_file(scene, k);
    }
    assert_int_equal(stem_take_add_gap(take, GAP, GAP_FRAMES, STEM_GAP_SKIPPED), 0);
    save_take(scene);
}

static const struct stem_verify_report *verify(struct scene *scene)
{
    stem_verify_report_finish(&scene->report);
    if (stem_verify_folder(scene->folder, NULL, NULL, &scene->report, &scene->error))
        fail_msg("no report: %s", scene->error.text);
    return &scene->report;
}

/* All sentences in one text, for messages. */
static const char *sentences(char *const *texts, size_t count)
{
    static char all[4096];
    size_t used = 0;
    all[0] = '\0';
    for (size_t k = 0; k < count && used < sizeof all; k++)
        used += (size_t)snprintf(all + used, sizeof all - used, "\n  %s", texts[k]);
    return all;
}

static bool has_sentence(char *const *texts, size_t count, const char *part, const char *other)
{
    for (size_t k = 0; k < count; k++)
        if (strstr(texts[k], part) && strstr(texts[k], other))
            return true;
    return false;
}

/* One problem has both parts. */
static void assert_problem(
    const struct stem_verify_report *report, const char *part, const char *other)
{
    if (!has_sentence(report->problems, report->problem_count, part, other))
        fail_msg("no problem with \"%s\" and \"%s\":%s", part, other,
            sentences(report->problems, report->problem_count));
}

static void assert_remark(
    const struct stem_verify_report *report, const char *part, const char *other)
{
    if (!has_sentence(report->remarks, report->remark_count, part, other))
        fail_msg("no remark with \"%s\" and \"%s\":%s", part, other,
            sentences(report->remarks, report->remark_count));
}

static void assert_problems(const struct stem_verify_report *report, size_t count)
{
    if (report->problem_count != count)
        fail_msg("%zu problems instead of %zu:%s", report->problem_count, count,
            sentences(report->problems, report->problem_count));
}

static void assert_null_fails(const struct stem_verify_report *report)
{
    assert_true(report->null_tested);
    assert_false(report->null_passed);
    assert_problem(report, "do not add up to the mix", "");
}

/* Right takes */

static void test_verify_passes_a_right_take_in_every_format(void **state)
{
    struct scene *scene = *state;
    for (enum stem_container c = STEM_WAV; c <= STEM_FLAC; c++)
        for (enum stem_encoding e = STEM_PCM16; e <= STEM_DOUBLE; e++) {
            if (!stem_format_valid(c, e, 2))
                continue;
            write_take(scene, c, e);
            const struct stem_verify_report *report = verify(scene);
            if (report->problem_count || !report->null_tested || !report->null_passed)
                fail_msg("%s %s: residual %g, bound %g%s", stem_container_name(c),
                    stem_encoding_name(e), report->residual_peak, report->null_bound,
                    sentences(report->problems, report->problem_count));
        }
}

static void test_verify_reports_each_file_in_order(void **state)
{
    struct scene *scene = *state;
    scene->audio[BASS][77] = -0.5f;
    make_mix(scene);
    write_take(scene, STEM_WAV, STEM_FLOAT);
    const struct stem_verify_report *report = verify(scene);
    assert_int_equal(report->file_count, FILES);
    for (int k = 0; k < FILES; k++) {
        assert_string_equal(report->files[k].name, NAMES[k]);
        assert_string_equal(report->files[k].file, entry(scene, k)->file);
        assert_int_equal(report->files[k].frames, FRAMES);
        assert_false(report->files[k].silent);
    }
    assert_true(report->files[BASS].peak == 0.5);
    assert_true(report->files[DRUMS].peak < 0.2 && report->files[DRUMS].peak > 0.19);
}

static void test_verify_bound_is_tight_for_integers(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    const struct stem_verify_report *report = verify(scene);
    assert_true(report->residual_peak > 0);
    assert_true(report->null_bound < 40 * 0x1p-24);
    write_take(scene, STEM_WAV, STEM_PCM16);
    report = verify(scene);
    assert_true(report->null_bound < 4.1 * 0x1p-16);
    assert_true(report->residual_peak > 0x1p-16); /* so the test would see a bound half as large */
}

static void test_verify_of_a_take_without_a_mix_does_no_null_test(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    scene->take.has_mix = false;
    save_take(scene);
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 0);
    assert_false(report->null_tested);
    assert_int_equal(report->file_count, FILES - 1);
}

static void test_verify_of_a_take_of_no_length_is_right(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    scene->take.frames = 0;
    scene->take.gap_count = 0;
    for (int k = 0; k < FILES; k++) {
        entry(scene, k)->frames = 0;
        write_file(scene, k, right_form(scene, k), 0);
    }
    save_take(scene);
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 0);
    assert_true(report->null_passed);
}

static void test_verify_reads_more_files_than_may_be_open_by_default(void **state)
{
    struct scene *scene = *state;
    enum { STEMS = 60 };
    struct rlimit before, few;
    write_take(scene, STEM_WAV, STEM_PCM24);
    scene->take.has_mix = false;
    for (int k = 0; k < STEMS; k++) {
        assert_int_equal(stem_take_add_stem(&scene->take, "Extra", "02_Bass.wav", 1), 0);
        scene->take.stems[scene->take.stem_count - 1].frames = FRAMES;
    }
    save_take(scene);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 32;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    const struct stem_verify_report *report = verify(scene);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_problems(report, 0);
}

/* The null test finds what sounds wrong */

static void test_verify_finds_one_wrong_sample(void **state)
{
    static const enum stem_encoding ENCODINGS[] = {STEM_PCM24, STEM_FLOAT};
    static const size_t WHERE[] = {0, 4095, 4096, FRAMES - 1};
    struct scene *scene = *state;
    for (size_t e = 0; e < 2; e++)
        for (size_t w = 0; w < sizeof WHERE / sizeof *WHERE; w++) {
            float *sample = &scene->audio[KEYS][2 * WHERE[w] + 1], right = *sample;
            write_take(scene, STEM_WAV, ENCODINGS[e]);
            *sample += 0x1p-17f;
            rewrite_file(scene, KEYS);
            *sample = right;
            const struct stem_verify_report *report = verify(scene);
            assert_null_fails(report);
            assert_problems(report, 2);
            assert_problem(report, "but for one frame", "damaged");
            assert_int_equal(report->residual_peak_frame, WHERE[w]);
            assert_true(fabs(report->residual_peak - 0x1p-17) < 5 * 0x1p-24);
        }
}

static void test_verify_says_where_and_how_much_the_residual_is(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_FLOAT);
    scene->audio[DRUMS][2 * 4800] += 0.1f;
    rewrite_file(scene, DRUMS);
    assert_problem(verify(scene), "-20.0 dBFS at 0.100 s", "rounding explains");
}

static void test_verify_finds_a_stem_that_is_one_frame_late(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    memmove(scene->audio[DRUMS] + 2, scene->audio[DRUMS], (FRAMES - 1) * 2 * sizeof(float));
    rewrite_file(scene, DRUMS);
    const struct stem_verify_report *report = verify(scene);
    assert_null_fails(report);
    assert_problem(report, "stem \"Drums\"", "1 frame too late");
}

static void test_verify_finds_swapped_channels(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    for (size_t i = 0; i < FRAMES; i++) {
        float left = scene->audio[KEYS][2 * i];
        scene->audio[KEYS][2 * i] = scene->audio[KEYS][2 * i + 1];
        scene->audio[KEYS][2 * i + 1] = left;
    }
    rewrite_file(scene, KEYS);
    assert_null_fails(verify(scene));
}

/* The take is written with a mix that holds `gain` times the bass. */
static const struct stem_verify_report *verify_with_bass_gain(
    struct scene *scene, enum stem_encoding encoding, double gain)
{
    for (size_t i = 0; i < FRAMES; i++)
        for (size_t c = 0; c < 2; c++)
            scene->audio[MIX][2 * i + c] += (float)((gain - 1) * scene->audio[BASS][i]);
    write_take(scene, STEM_WAV, encoding);
    make_mix(scene);
    return verify(scene);
}

static void test_verify_names_the_stem_whose_gain_is_wrong(void **state)
{
    struct scene *scene = *state;
    const struct stem_verify_report *report =
        verify_with_bass_gain(scene, STEM_PCM24, pow(10, 0.1 / 20));
    assert_null_fails(report);
    assert_problem(report, "\"Bass\"", "0.10 dB louder");
    report = verify_with_bass_gain(scene, STEM_FLOAT, pow(10, -0.1 / 20));
    assert_null_fails(report);
    assert_problem(report, "\"Bass\"", "0.10 dB softer");
}

static void test_verify_names_the_stem_that_is_not_in_the_mix(void **state)
{
    const struct stem_verify_report *report = verify_with_bass_gain(*state, STEM_PCM24, 0);
    assert_null_fails(report);
    assert_problem(report, "\"Bass\"", "missing from the mix");
}

static void test_verify_names_the_stem_that_is_twice_in_the_mix(void **state)
{
    const struct stem_verify_report *report = verify_with_bass_gain(*state, STEM_PCM24, 2);
    assert_problem(report, "\"Bass\"", "in the mix twice");
}

static void test_verify_names_the_stem_that_is_inverted(void **state)
{
    const struct stem_verify_report *report = verify_with_bass_gain(*state, STEM_PCM24, -1);
    assert_problem(report, "\"Bass\"", "inverted in the mix");
}

static void test_verify_blames_no_stem_for_what_is_not_on_any(void **state)
{
    struct scene *scene = *state;
    for (size_t s = 0; s < MOST_SAMPLES; s++)
        scene->audio[MIX][s] += noise(scene) / 4;
    write_take(scene, STEM_WAV, STEM_PCM24);
    const struct stem_verify_report *report = verify(scene);
    assert_null_fails(report);
    assert_false(
        has_sentence(report->problems, report->problem_count, "it looks as if", "stem \""));
    assert_problem(report, "it looks as if", "something that is not in the stems is in the mix");
}

static void test_verify_hints_at_clips(void **state)
{
    struct scene *scene = *state;
    for (size_t i = 100; i < 120; i++)
        scene->audio[DRUMS][2 * i] = 1.5f;
    for (size_t i = 100; i < 120; i++)
        scene->audio[KEYS][2 * i] = -1.0f;
    make_mix(scene);
    write_take(scene, STEM_WAV, STEM_PCM24);
    const struct stem_verify_report *report = verify(scene);
    assert_null_fails(report);
    assert_problem(report, "add up", "20 samples were clipped");
    assert_remark(report, "01_Drums.wav", "20 samples were clipped");
    assert_int_equal(report->files[DRUMS].clips, 20);
}

static void test_verify_finds_samples_that_are_not_numbers(void **state)
{
    static const float BAD[] = {NAN, INFINITY, -INFINITY};
    struct scene *scene = *state;
    for (size_t k = 0; k < 3; k++) {
        make_mix(scene);
        write_take(scene, STEM_WAV, STEM_FLOAT);
        float right = scene->audio[KEYS][9600];
        scene->audio[KEYS][9600] = BAD[k];
        rewrite_file(scene, KEYS);
        make_mix(scene); /* the mix has it too, so both are the same */
        rewrite_file(scene, MIX);
        scene->audio[KEYS][9600] = right;
        const struct stem_verify_report *report = verify(scene);
        assert_null_fails(report);
        assert_problem(report, "03_Keys.wav: 1 samples are infinite or not numbers", "0.100 s");
        assert_true(isfinite(report->files[KEYS].peak));
        assert_true(isinf(report->residual_peak));
    }
}

static void test_verify_needs_stems_as_wide_as_the_mix(void **state)
{
    struct scene *scene = *state;
    struct stem_file_params mono;
    write_take(scene, STEM_WAV, STEM_PCM24);
    mono = right_form(scene, MIX);
    mono.channels = scene->take.mix.channels = 1;
    write_file(scene, MIX, mono, FRAMES);
    save_take(scene);
    const struct stem_verify_report *report = verify(scene);
    assert_false(report->null_tested);
    assert_problem(report, "null test is not possible", "\"Drums\" has 2 channels");
}

/* Files */

static void test_verify_finds_a_missing_file(void **state)
{
    struct scene *scene = *state;
    char path[256];
    write_take(scene, STEM_WAV, STEM_PCM24);
    path_of(scene, "02_Bass.wav", path);
    unlink(path);
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 1);
    assert_problem(report, "02_Bass.wav", "missing");
    assert_false(report->null_tested);
    assert_int_equal(report->files[BASS].frames, 0);
    assert_true(report->files[KEYS].peak > 0.1);
}

static void test_verify_finds_a_wrong_rate(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    struct stem_file_params params = right_form(scene, KEYS);
    params.rate_hz = 44100;
    write_file(scene, KEYS, params, FRAMES);
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 1);
    assert_problem(report, "03_Keys.wav", "44100 Hz, the manifest says 48000 Hz");
}

static void test_verify_finds_wrong_channels(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    struct stem_file_params params = right_form(scene, KEYS);
    params.channels = 1;
    write_file(scene, KEYS, params, FRAMES);
    const struct stem_verify_report *report = verify(scene);
    assert_problem(report, "03_Keys.wav", "1 channels, the manifest says 2");
    assert_null_fails(report);
}

static void test_verify_finds_files_of_another_length(void **state)
{
    struct scene *scene = *state;
    for (int shorter = 0; shorter < 2; shorter++) {
        write_take(scene, STEM_WAV, STEM_PCM24);
        write_file(scene, BASS, right_form(scene, BASS), FRAMES - (shorter ? 1 : 0));
        if (!shorter)
            write_file(scene, BASS, right_form(scene, BASS), FRAMES + 1);
        const struct stem_verify_report *report = verify(scene);
        assert_problems(report, 1); /* the common length is right */
        assert_problem(report, "02_Bass.wav", shorter ? "10006 frames" : "10008 frames");
        assert_true(report->null_passed);
        assert_int_equal(report->files[BASS].frames, FRAMES + (shorter ? -1 : 1));
    }
}

static void test_verify_does_not_pass_a_comparison_of_nothing(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    write_file(scene, BASS, right_form(scene, BASS), 0);
    const struct stem_verify_report *report = verify(scene);
    assert_problem(report, "02_Bass.wav", "0 frames");
    assert_false(report->null_tested);
    assert_false(report->null_passed);
}

static void test_verify_finds_a_length_that_only_the_manifest_knows(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    scene->take.stems[KEYS].frames = FRAMES - 7;
    save_take(scene);
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 1);
    assert_problem(report, "03_Keys.wav", "10000");
}

static void test_verify_finds_a_manifest_that_lies_about_the_format(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    scene->take.encoding = STEM_PCM16;
    save_take(scene);
    assert_problem(verify(scene), "01_Drums.wav", "wav pcm24, the manifest says wav pcm16");
    scene->take.encoding = STEM_PCM24;
    scene->take.container = STEM_CAF;
    save_take(scene);
    assert_problem(verify(scene), "00_Mix.wav", "wav pcm24, the manifest says caf pcm24");
}

/* Puts bytes over a file. */
static void patch(const struct scene *scene, const char *file, long offset, const char *bytes)
{
    char path[256];
    path_of(scene, file, path);
    FILE *stream = fopen(path, "r+b");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, strlen(bytes), stream), strlen(bytes));
    assert_int_equal(fclose(stream), 0);
}

static void test_verify_finds_a_damaged_header(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    patch(scene, "01_Drums.wav", 0, "XXXX");
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 1);
    assert_problem(report, "01_Drums.wav", "cannot read");
    assert_false(report->null_tested);
    for (size_t k = 0; k < report->problem_count; k++)
        assert_int_not_equal(report->problems[k][strlen(report->problems[k]) - 1], '.');
}

static void test_verify_finds_files_that_were_cut(void **state)
{
    static const enum stem_container CONTAINERS[] = {
        STEM_WAV, STEM_W64, STEM_CAF, STEM_AIFF, STEM_FLAC};
    struct scene *scene = *state;
    for (size_t c = 0; c < sizeof CONTAINERS / sizeof *CONTAINERS; c++) {
        char path[256];
        struct stat whole;
        write_take(scene, CONTAINERS[c], STEM_PCM24);
        path_of(scene, scene->take.stems[DRUMS].file, path);
        assert_int_equal(stat(path, &whole), 0);
        assert_int_equal(truncate(path, whole.st_size / 2), 0);
        const struct stem_verify_report *report = verify(scene);
        if (report->problem_count == 0)
            fail_msg("half a %s file was found right", stem_container_name(CONTAINERS[c]));
        assert_problem(report, scene->take.stems[DRUMS].file, "");
        assert_true(report->files[DRUMS].frames < FRAMES);
        assert_int_equal(truncate(path, 0), 0);
        report = verify(scene);
        assert_problem(report, scene->take.stems[DRUMS].file, "cannot read");
    }
}

static void test_verify_does_not_wait_for_a_pipe(void **state)
{
    struct scene *scene = *state;
    char path[256];
    write_take(scene, STEM_WAV, STEM_PCM24);
    path_of(scene, "01_Drums.wav", path);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_problem(verify(scene), "01_Drums.wav", "not a regular file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_problem(verify(scene), "01_Drums.wav", "not a regular file");
}

/* Whatever stands in the files, verification ends with a report. */
static void test_verify_survives_damage_of_any_kind(void **state)
{
    static const enum stem_container CONTAINERS[] = {
        STEM_WAV, STEM_W64, STEM_CAF, STEM_AIFF, STEM_FLAC};
    struct scene *scene = *state;
    for (size_t c = 0; c < sizeof CONTAINERS / sizeof *CONTAINERS; c++)
        for (int round = 0; round < 40; round++) {
            if (round % 8 == 0)
                write_take(scene, CONTAINERS[c], STEM_PCM16);
            for (int k = 0; k < 3; k++) {
                char bytes[2] = {0};
                noise(scene);
                long offset = (long)(scene->random >> 8) % (round % 2 ? 120 : 8000);
                noise(scene);
                bytes[0] = (char)(scene->random >> 24);
                patch(scene, scene->take.stems[DRUMS].file, offset, bytes[0] ? bytes : "\xFF");
            }
            verify(scene);
        }
}

/* Gaps, progress, remarks */

static void test_verify_finds_sound_in_a_gap(void **state)
{
    static const size_t WHERE[] = {GAP, GAP + GAP_FRAMES - 1, GAP + 100};
    struct scene *scene = *state;
    for (size_t w = 0; w < sizeof WHERE / sizeof *WHERE; w++) {
        scene->audio[KEYS][2 * WHERE[w] + 1] = w ? 0.25f : -0.25f;
        make_mix(scene);
        write_take(scene, STEM_WAV, STEM_PCM24);
        scene->audio[KEYS][2 * WHERE[w] + 1] = 0;
        const struct stem_verify_report *report = verify(scene);
        assert_true(report->null_passed);
        assert_problems(report, 2);
        assert_problem(report, "03_Keys.wav", "not silent in the gap of 300 frames at frame 5000");
        assert_problem(report, "00_Mix.wav", "not silent in the gap of 300 frames at frame 5000");
    }
}

static void test_verify_lets_sound_stand_beside_a_gap(void **state)
{
    struct scene *scene = *state;
    scene->audio[KEYS][2 * (GAP - 1)] = scene->audio[KEYS][2 * (GAP + GAP_FRAMES)] = 0.25f;
    make_mix(scene);
    write_take(scene, STEM_WAV, STEM_PCM24);
    assert_problems(verify(scene), 0);
}

static void test_verify_checks_each_of_many_gaps(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    scene->take.gap_count = 0;
    for (uint64_t frame = 0; frame + 2 < FRAMES; frame += 3)
        assert_int_equal(stem_take_add_gap(&scene->take, frame, 1, STEM_GAP_OVERFLOW), 0);
    for (int k = 0; k < FILES; k++) {
        for (size_t s = 0; s < FRAMES * CHANNELS[k]; s++)
            scene->audio[k][s] *= s / CHANNELS[k] % 3 != 0;
        rewrite_file(scene, k);
    }
    save_take(scene);
    assert_problems(verify(scene), 0);
    static const struct {
        size_t frame;
        const char *text;
    } NEAR_BLOCKS[] = {
        {0, "frame 0"}, {4095, "frame 4095"}, {4098, "frame 4098"}, {8193, "frame 8193"}};
    for (size_t k = 0; k < sizeof NEAR_BLOCKS / sizeof *NEAR_BLOCKS; k++) {
        scene->audio[BASS][NEAR_BLOCKS[k].frame] = 0.5f;
        rewrite_file(scene, BASS);
        assert_problem(verify(scene), "02_Bass.wav", NEAR_BLOCKS[k].text);
        scene->audio[BASS][NEAR_BLOCKS[k].frame] = 0;
    }
}

static void test_verify_lists_gaps_as_remarks(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    scene->take.gaps[0].reasons = STEM_GAP_SKIPPED | STEM_GAP_OVERFLOW;
    save_take(scene);
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 0);
    assert_remark(report, "gap of 300 frames at frame 5000 (0.104 s)", "skipped+overflow");
}

static void test_verify_finds_a_gap_behind_the_end(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    assert_int_equal(stem_take_add_gap(&scene->take, FRAMES, 1, STEM_GAP_SERVER), 0);
    save_take(scene);
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 1);
    assert_problem(report, "gap of 1 frames at frame 10007", "behind");
}

static void test_verify_of_an_unfinished_take_allows_what_the_manifest_does_not_know(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    scene->take.progress = STEM_TAKE_RECORDING;
    scene->take.frames = FRAMES - 1000;
    for (int k = 0; k < FILES; k++)
        entry(scene, k)->frames = FRAMES - 1000;
    write_file(scene, BASS, right_form(scene, BASS), FRAMES - 500);
    save_take(scene);
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 0);
    assert_true(report->null_passed);
    assert_remark(report, "not finished", "");
    assert_remark(report, "do not end together", "9507");
    write_file(scene, BASS, right_form(scene, BASS), FRAMES - 1001);
    assert_problem(verify(scene), "02_Bass.wav", "9006 frames");
}

static void test_verify_reports_why_a_take_failed(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    scene->take.progress = STEM_TAKE_FAILED;
    assert_int_equal(stem_take_set_string(&scene->take.failure, "the disk is full"), 0);
    save_take(scene);
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 1);
    assert_problem(report, "the disk is full", "fault");
}

static void test_verify_remarks_on_levels(void **state)
{
    struct scene *scene = *state;
    memset(scene->audio[BASS], 0, sizeof scene->audio[BASS]);
    for (size_t s = 0; s < MOST_SAMPLES; s++)
        scene->audio[DRUMS][s] *= 4;
    make_mix(scene);
    write_take(scene, STEM_WAV, STEM_FLOAT);
    scene->take.stems[BASS].muted = true;
    save_take(scene);
    const struct stem_verify_report *report = verify(scene);
    assert_problems(report, 0);
    assert_true(report->files[BASS].silent);
    assert_remark(report, "02_Bass.wav", "silent from beginning to end");
    assert_remark(report, "02_Bass.wav", "muted");
    assert_remark(report, "01_Drums.wav", "peak of -1.9 dBFS");
    assert_false(has_sentence(report->remarks, report->remark_count, "03_Keys.wav", ""));
}

static void test_verify_of_a_take_without_stems_is_wrong(void **state)
{
    struct scene *scene = *state;
    write_take(scene, STEM_WAV, STEM_PCM24);
    struct stem_take_stem *stems = scene->take.stems;
    scene->take.stem_count = 0;
    scene->take.stems = NULL;
    save_take(scene);
    scene->take.stems = stems;
    scene->take.stem_count = FILES - 1;
    const struct stem_verify_report *report = verify(scene);
    assert_problem(report, "no stems", "");
    assert_false(report->null_tested);
}

static void test_verify_without_a_manifest_is_an_error(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(
        stem_verify_folder(scene->folder, NULL, NULL, &scene->report, &scene->error), -1);
    assert_non_null(strstr(scene->error.text, "take.json"));
    assert_null(scene->report.files);
}

/* Progress */

struct watch {
    int calls;
    int calls_allowed;
    double last;
    bool backwards;
};

static bool watch_progress(double done, void *data)
{
    struct watch *watch = data;
    watch->backwards = watch->backwards || done < watch->last || done > 1;
    watch->last = done;
    return ++watch->calls < watch->calls_allowed;
}

static void test_verify_tells_how_far_it_is(void **state)
{
    struct scene *scene = *state;
    struct watch watch = {.calls_allowed = 1000};
    char path[256];
    write_take(scene, STEM_WAV, STEM_PCM24);
    path_of(scene, "02_Bass.wav", path);
    unlink(path);
    struct stem_file_params params = right_form(scene, BASS);
    params.path = path;
    struct stem_file *file = stem_file_create(&params, &scene->error);
    assert_non_null(file);
    assert_int_equal(stem_file_write_silence(file, 2000000, &scene->error), 0);
    assert_int_equal(stem_file_close(file, false, &scene->error), 0);
    assert_int_equal(
        stem_verify_folder(scene->folder, watch_progress, &watch, &scene->report, &scene->error),
        0);
    assert_true(watch.calls >= 50 && watch.calls <= 102);
    assert_false(watch.backwards);
    assert_true(watch.last == 1.0);
}

static void test_verify_can_be_interrupted(void **state)
{
    struct scene *scene = *state;
    struct watch watch = {.calls_allowed = 2};
    write_take(scene, STEM_WAV, STEM_PCM24);
    assert_int_equal(
        stem_verify_folder(scene->folder, watch_progress, &watch, &scene->report, &scene->error),
        -1);
    assert_string_equal(scene->error.text, "interrupted");
    assert_int_equal(watch.calls, 2);
    assert_null(scene->report.files);
    assert_int_equal(scene->report.problem_count, 0);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(test_verify_passes_a_right_take_in_every_format),
        SCENE(test_verify_reports_each_file_in_order),
        SCENE(test_verify_bound_is_tight_for_integers),
        SCENE(test_verify_of_a_take_without_a_mix_does_no_null_test),
        SCENE(test_verify_of_a_take_of_no_length_is_right),
        SCENE(test_verify_reads_more_files_than_may_be_open_by_default),
        SCENE(test_verify_finds_one_wrong_sample),
        SCENE(test_verify_says_where_and_how_much_the_residual_is),
        SCENE(test_verify_finds_a_stem_that_is_one_frame_late),
        SCENE(test_verify_finds_swapped_channels),
        SCENE(test_verify_names_the_stem_whose_gain_is_wrong),
        SCENE(test_verify_names_the_stem_that_is_not_in_the_mix),
        SCENE(test_verify_names_the_stem_that_is_twice_in_the_mix),
        SCENE(test_verify_names_the_stem_that_is_inverted),
        SCENE(test_verify_blames_no_stem_for_what_is_not_on_any),
        SCENE(test_verify_hints_at_clips),
        SCENE(test_verify_finds_samples_that_are_not_numbers),
        SCENE(test_verify_needs_stems_as_wide_as_the_mix),
        SCENE(test_verify_finds_a_missing_file),
        SCENE(test_verify_finds_a_wrong_rate),
        SCENE(test_verify_finds_wrong_channels),
        SCENE(test_verify_finds_files_of_another_length),
        SCENE(test_verify_does_not_pass_a_comparison_of_nothing),
        SCENE(test_verify_finds_a_length_that_only_the_manifest_knows),
        SCENE(test_verify_finds_a_manifest_that_lies_about_the_format),
        SCENE(test_verify_finds_a_damaged_header),
        SCENE(test_verify_finds_files_that_were_cut),
        SCENE(test_verify_does_not_wait_for_a_pipe),
        SCENE(test_verify_survives_damage_of_any_kind),
        SCENE(test_verify_finds_sound_in_a_gap),
        SCENE(test_verify_lets_sound_stand_beside_a_gap),
        SCENE(test_verify_checks_each_of_many_gaps),
        SCENE(test_verify_lists_gaps_as_remarks),
        SCENE(test_verify_finds_a_gap_behind_the_end),
        SCENE(test_verify_of_an_unfinished_take_allows_what_the_manifest_does_not_know),
        SCENE(test_verify_reports_why_a_take_failed),
        SCENE(test_verify_remarks_on_levels),
        SCENE(test_verify_of_a_take_without_stems_is_wrong),
        SCENE(test_verify_without_a_manifest_is_an_error),
        SCENE(test_verify_tells_how_far_it_is),
        SCENE(test_verify_can_be_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
