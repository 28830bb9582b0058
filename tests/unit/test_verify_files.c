/* A verification finds files that are missing, damaged or of another form. */
#include "verify_scene.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

#define SCENE(test) cmocka_unit_test_setup_teardown(test, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
