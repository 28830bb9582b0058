/* What a verification finds right, and remarks: gaps, levels, progress. */
#include "verify_scene.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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
    char path[128], other[128], file[32];
    write_take(scene, STEM_WAV, STEM_PCM24);
    scene->take.has_mix = false;
    snprintf(path, sizeof path, "%s/02_Bass.wav", scene->folder);
    for (int k = 0; k < STEMS; k++) {
        snprintf(file, sizeof file, "%d_Extra.wav", k);
        snprintf(other, sizeof other, "%s/%s", scene->folder, file);
        assert_int_equal(link(path, other), 0);
        assert_int_equal(stem_take_add_stem(&scene->take, "Extra", file, 1), 0);
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
