/* The null test of a verification finds what sounds wrong, and names it. */
#include "verify_scene.h"

#include <math.h>
#include <string.h>

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

#define SCENE(test) cmocka_unit_test_setup_teardown(test, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
