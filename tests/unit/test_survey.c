/* Small takes of known signals are written with the recorder's own files and surveyed. What must
 * come out is worked out by hand, or laid down in EBU Tech 3341 (the loudness of a sine). */
#include "stem_file.h"
#include "survey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <unistd.h>

enum { RATE = 48000, SECONDS = 5, FRAMES = SECONDS * RATE + 1234, MOST_FILES = 4 };

struct scene {
    char folder[64];
    struct stem_take take;
    float *audio[MOST_FILES]; /* stereo */
    uint32_t random;
    struct stem_survey survey;
    struct stem_error error;
};

static double noise(struct scene *scene)
{
    scene->random = scene->random * 1664525u + 1013904223u;
    return (double)scene->random * 0x1p-31 - 1;
}

static int make_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    snprintf(scene->folder, sizeof scene->folder, "/tmp/stemd-survey-XXXXXX");
    if (!mkdtemp(scene->folder))
        return -1;
    scene->random = 1;
    scene->take.rate_hz = RATE;
    scene->take.frames = FRAMES;
    scene->take.encoding = STEM_FLOAT;
    for (int k = 0; k < MOST_FILES; k++)
        scene->audio[k] = calloc(2 * FRAMES, sizeof(float));
    *state = scene;
    return 0;
}

static int remove_scene(void **state)
{
    struct scene *scene = *state;
    char path[256];
    for (int k = 0; k < MOST_FILES; k++) {
        snprintf(path, sizeof path, "%s/%d.wav", scene->folder, k);
        unlink(path);
        free(scene->audio[k]);
    }
    stem_survey_finish(&scene->survey);
    stem_take_finish(&scene->take);
    int status = rmdir(scene->folder);
    free(scene);
    return status;
}

static void write_file(struct scene *scene, int k)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%d.wav", scene->folder, k);
    unlink(path);
    struct stem_file_params params = {.path = path,
        .container = STEM_WAV,
        .encoding = scene->take.encoding,
        .rate_hz = RATE,
        .channels = 2};
    struct stem_file *file = stem_file_create(&params, &scene->error);
    assert_non_null(file);
    assert_int_equal(stem_file_write(file, scene->audio[k], FRAMES, &scene->error), 0);
    assert_int_equal(stem_file_close(file, false, &scene->error), 0);
}

/* The first `stems` audios are stems, the next one the mix when wanted. */
static void survey(struct scene *scene, int stems, bool with_mix)
{
    struct stem_take *take = &scene->take;
    for (int k = 0; k < stems + with_mix; k++) {
        char name[16], file[16];
        write_file(scene, k);
        snprintf(name, sizeof name, "Stem %d", k);
        snprintf(file, sizeof file, "%d.wav", k);
        if (k < stems)
            assert_int_equal(stem_take_add_stem(take, name, file, 2), 0);
        else {
            take->has_mix = true;
            take->mix.channels = 2;
            assert_int_equal(stem_take_set_string(&take->mix.name, "Mix"), 0);
            assert_int_equal(stem_take_set_string(&take->mix.file, file), 0);
        }
    }
    int status = stem_survey_folder(scene->folder, take, NULL, NULL, &scene->survey, &scene->error);
    assert_string_equal(scene->error.text, "");
    assert_int_equal(status, 0);
}

static void sine(struct scene *scene, int k, double hertz, double amplitude, double phase)
{
    for (size_t i = 0; i < FRAMES; i++)
        scene->audio[k][2 * i] = scene->audio[k][2 * i + 1] =
            (float)(amplitude * sin(2 * M_PI * hertz * (double)i / RATE + phase));
}

/* EBU Tech 3341, test 1: a stereo sine of 1000 Hz with a peak of -23 dBFS has -23 LUFS. */
static void test_survey_measures_loudness_of_a_sine(void **state)
{
    struct scene *scene = *state;
    sine(scene, 0, 1000, pow(10, -23.0 / 20), 0);
    survey(scene, 1, false);
    const struct stem_take_levels *levels = &scene->survey.files[0].levels;
    assert_true(levels->measured);
    assert_false(levels->silent);
    assert_float_equal(levels->integrated_lufs, -23, 0.1);
    assert_float_equal(levels->short_term_lufs, -23, 0.1);
    assert_float_equal(levels->momentary_lufs, -23, 0.1);
    assert_float_equal(levels->rms_dbfs, -23 - 3.0103, 0.001);
    assert_float_equal(levels->range_lu, 0, 0.1);
    assert_float_equal(levels->true_peak_dbtp, -23, 0.1);
    assert_float_equal(scene->survey.files[0].peak, pow(10, -23.0 / 20), 1e-6);
    assert_float_equal(levels->dc_offset, 0, 1e-5);
    assert_false(scene->survey.residual.measured);
    assert_null(scene->survey.residual_rms);
}

/* 1 s loud, then 20 dB softer: momentary and short-term see the loud part by 400 ms and by 3 s. */
static void test_survey_finds_the_loudest_moments(void **state)
{
    struct scene *scene = *state;
    sine(scene, 0, 1000, pow(10, -40.0 / 20), 0);
    for (size_t s = 0; s < 2 * RATE; s++)
        scene->audio[0][4 * RATE + s] *= 10;
    survey(scene, 1, false);
    const struct stem_take_levels *levels = &scene->survey.files[0].levels;
    assert_float_equal(levels->momentary_lufs, -20, 0.1);
    assert_float_equal(levels->short_term_lufs, 10 * log10((0.01 + 2 * 0.0001) / 3), 0.1);
}

/* A quarter of the rate at 45 degrees: the samples stay 3 dB below the wave's peak. */
static void test_survey_finds_peaks_between_samples(void **state)
{
    struct scene *scene = *state;
    sine(scene, 0, RATE / 4.0, 0.5, M_PI / 4);
    survey(scene, 1, false);
    assert_float_equal(scene->survey.files[0].peak, 0.5 * M_SQRT1_2, 1e-6);
    assert_float_equal(scene->survey.files[0].levels.true_peak_dbtp, -6.02, 0.3);
}

static void test_survey_finds_offset_and_silence(void **state)
{
    struct scene *scene = *state;
    for (size_t i = 0; i < FRAMES; i++) {
        scene->audio[0][2 * i] = 0.125f;
        scene->audio[0][2 * i + 1] = -0.25f;
    }
    survey(scene, 2, false);
    assert_float_equal(scene->survey.files[0].levels.dc_offset, -0.25, 1e-12);
    const struct stem_take_levels *silent = &scene->survey.files[1].levels;
    assert_true(silent->silent);
    assert_true(isinf(silent->integrated_lufs) && isinf(silent->true_peak_dbtp));
    assert_true(isinf(silent->rms_dbfs) && isinf(silent->momentary_lufs));
    assert_false(scene->survey.files[0].levels.silent);
}

/* Each column holds the extremes of just its own frames. */
static void test_survey_draws_the_waveform(void **state)
{
    struct scene *scene = *state;
    for (size_t s = 0; s < 2 * FRAMES; s++)
        scene->audio[0][s] = (float)noise(scene);
    survey(scene, 1, false);
    const struct stem_survey *result = &scene->survey;
    assert_int_equal(result->frames_per_column, 121);
    assert_int_equal(result->columns, (FRAMES + 120) / 121);
    for (size_t c = 0; c < result->columns; c++) {
        size_t begin = c * 121, end = begin + 121 < FRAMES ? begin + 121 : FRAMES;
        float min = 2, max = -2;
        double energy = 0;
        for (size_t s = 2 * begin; s < 2 * end; s++) {
            min = fminf(min, scene->audio[0][s]);
            max = fmaxf(max, scene->audio[0][s]);
            energy += (double)scene->audio[0][s] * (double)scene->audio[0][s];
        }
        const struct stem_survey_column *column = &result->files[0].columns[c];
        assert_float_equal(column->min, min, 0);
        assert_float_equal(column->max, max, 0);
        assert_float_equal(column->rms, sqrt(energy / (double)(2 * (end - begin))), 1e-6);
    }
}

static void test_survey_survives_samples_that_are_not_numbers(void **state)
{
    struct scene *scene = *state;
    sine(scene, 0, 1000, 0.5, 0);
    sine(scene, 1, 1000, 0.5, 0);
    scene->audio[0][2000] = NAN;
    scene->audio[0][2001] = INFINITY;
    survey(scene, 1, true);
    assert_int_equal(scene->survey.files[0].bad_samples, 2);
    assert_true(isfinite(scene->survey.files[0].levels.integrated_lufs));
    assert_false(scene->survey.residual.passed);
    assert_non_null(strstr(scene->survey.residual.hint, "not numbers, the first at 0.021 s"));
}

/* Three stems of noise; the mix is made of them. */
static void make_song(struct scene *scene)
{
    for (int k = 0; k < 3; k++)
        for (size_t s = 0; s < 2 * FRAMES; s++)
            scene->audio[k][s] = (float)(noise(scene) * 0.2);
}

static float sum_at(const struct scene *scene, size_t s)
{
    return scene->audio[0][s] + scene->audio[1][s] + scene->audio[2][s];
}

/* The mix at `gain`, `delay` frames after the stems. */
static void make_mix(struct scene *scene, double gain, long delay)
{
    for (long i = 0; i < FRAMES; i++)
        for (long c = 0; c < 2; c++) {
            long from = i - delay;
            scene->audio[3][2 * i + c] =
                from < 0 || from >= FRAMES
                    ? 0
                    : (float)(gain * (double)sum_at(scene, (size_t)(2 * from + c)));
        }
}

static void assert_hint(struct scene *scene, const char *hint)
{
    survey(scene, 3, true);
    assert_true(scene->survey.residual.measured);
    assert_false(scene->survey.residual.passed);
    assert_non_null(scene->survey.residual.hint);
    if (!strstr(scene->survey.residual.hint, hint))
        fail_msg("expected \"%s\" in \"%s\"", hint, scene->survey.residual.hint);
}

static void test_survey_passes_a_right_mix(void **state)
{
    struct scene *scene = *state;
    make_song(scene);
    make_mix(scene, 1, 0);
    survey(scene, 3, true);
    assert_true(scene->survey.residual.measured);
    assert_true(scene->survey.residual.passed);
    assert_null(scene->survey.residual.hint);
    assert_true(scene->survey.residual.peak <= scene->survey.residual.bound);
    assert_int_equal(scene->survey.seconds, SECONDS + 1);
}

/* The residual of a wrong sample in the third second, by hand. */
static void test_survey_finds_the_worst_second(void **state)
{
    struct scene *scene = *state;
    make_song(scene);
    make_mix(scene, 1, 0);
    scene->audio[3][2 * (2 * RATE + 100)] += 0.5f;
    scene->audio[3][2 * (4 * RATE + 100)] += 0.25f;
    assert_hint(scene, "but for 2 frames between 2.002 s and 4.002 s");
    const struct stem_survey *result = &scene->survey;
    assert_int_equal(result->residual.worst_frame, 2 * RATE);
    assert_float_equal(result->residual.worst_rms, 0.5 / sqrt(2 * RATE), 1e-6);
    assert_float_equal(result->residual_rms[4], 0.25 / sqrt(2 * RATE), 1e-6);
    assert_float_equal(result->residual_peak[4], 0.25, 1e-6);
    assert_true(result->residual_peak[1] < 1e-6f);
}

static void test_survey_hints_at_a_gain(void **state)
{
    make_song(*state);
    make_mix(*state, pow(10, -0.1 / 20), 0);
    assert_hint(*state, "the mix is the sum of the stems, 0.10 dB quieter");
}

static void test_survey_hints_at_a_delay(void **state)
{
    make_song(*state);
    make_mix(*state, 1, 64);
    assert_hint(*state, "the mix is the sum of the stems, 64 frames (1.33 ms) later");
}

static void test_survey_hints_at_gain_and_delay(void **state)
{
    make_song(*state);
    make_mix(*state, -2, -4096);
    assert_hint(*state, "inverted, 6.02 dB louder and 4096 frames (85.33 ms) earlier");
}

static void test_survey_hints_at_a_missing_stem(void **state)
{
    struct scene *scene = *state;
    make_song(scene);
    make_mix(scene, 1, 0);
    for (size_t s = 0; s < 2 * FRAMES; s++)
        scene->audio[3][s] -= scene->audio[1][s];
    assert_hint(scene, "stem \"Stem 1\" is missing from the mix");
}

static void test_survey_hints_at_a_shifted_stem(void **state)
{
    struct scene *scene = *state;
    make_song(scene);
    make_mix(scene, 1, 0);
    memmove(scene->audio[2] + 2, scene->audio[2], (2 * FRAMES - 2) * sizeof(float));
    assert_hint(scene, "stem \"Stem 2\" stands 1 frame too late");
}

/* A hard limiter: what the best gain leaves is far from nothing, and is told. */
static void test_survey_says_that_a_limiter_cannot_null(void **state)
{
    struct scene *scene = *state;
    make_song(scene);
    make_mix(scene, 1, 0);
    for (size_t s = 0; s < 2 * FRAMES; s++)
        scene->audio[3][s] = tanhf(4 * scene->audio[3][s]) / 4;
    assert_hint(scene, "the mix bus is not linear (a limiter or compressor?)");
    assert_non_null(strstr(scene->survey.residual.hint, "delay of 0 frames"));
}

static void test_survey_says_that_the_stems_are_silent(void **state)
{
    struct scene *scene = *state;
    sine(scene, 3, 440, 0.5, 0);
    assert_hint(scene, "the stems are silent where the mix is not");
}

static bool stop(double done, void *data)
{
    (void)data;
    return done < 0.5;
}

static void test_survey_can_be_interrupted(void **state)
{
    struct scene *scene = *state;
    survey(scene, 2, false);
    stem_survey_finish(&scene->survey);
    assert_int_equal(
        stem_survey_folder(scene->folder, &scene->take, stop, NULL, &scene->survey, &scene->error),
        -1);
    assert_string_equal(scene->error.text, "interrupted");
    assert_null(scene->survey.files);
}

static void test_survey_names_a_file_that_is_missing(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(stem_take_add_stem(&scene->take, "Gone", "gone.wav", 2), 0);
    assert_int_equal(
        stem_survey_folder(scene->folder, &scene->take, NULL, NULL, &scene->survey, &scene->error),
        -1);
    assert_non_null(strstr(scene->error.text, "gone.wav"));
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_survey_measures_loudness_of_a_sine),
        SCENE_TEST(test_survey_finds_the_loudest_moments),
        SCENE_TEST(test_survey_finds_peaks_between_samples),
        SCENE_TEST(test_survey_finds_offset_and_silence),
        SCENE_TEST(test_survey_draws_the_waveform),
        SCENE_TEST(test_survey_survives_samples_that_are_not_numbers),
        SCENE_TEST(test_survey_passes_a_right_mix),
        SCENE_TEST(test_survey_finds_the_worst_second),
        SCENE_TEST(test_survey_hints_at_a_gain),
        SCENE_TEST(test_survey_hints_at_a_delay),
        SCENE_TEST(test_survey_hints_at_gain_and_delay),
        SCENE_TEST(test_survey_hints_at_a_missing_stem),
        SCENE_TEST(test_survey_hints_at_a_shifted_stem),
        SCENE_TEST(test_survey_says_that_a_limiter_cannot_null),
        SCENE_TEST(test_survey_says_that_the_stems_are_silent),
        SCENE_TEST(test_survey_can_be_interrupted),
        SCENE_TEST(test_survey_names_a_file_that_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
