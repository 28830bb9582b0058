/* Files made of takes: conversion, comparison, sums, names. */
#include "audio_diff.h"
#include "export.h"
#include "export_file.h"
#include "place.h"
#include "sample.h"
#include "take.h"
#include "take_rename.h"
#include "take_sum.h"
#include "unit.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RATE = 48000, FRAMES = 20000 };

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, scratch_make());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static char *in_folder(const char *name)
{
    static char paths[4][PATH_MAX];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

/* Noise that is a whole number of steps of so many bits (0: none in particular). */
static double sample_at(uint32_t *seed, int bits)
{
    double value = (double)unit_noise(seed) * 0.7 + (double)unit_noise(seed) * 0x1p-26;
    return bits ? rint(ldexp(value, bits - 1)) / ldexp(1, bits - 1) : value;
}

static void write_file(const char *name, enum stem_container container, enum stem_encoding encoding,
    uint32_t channels, uint32_t seed, size_t frames)
{
    struct stem_error error;
    const struct stem_file_params params = {.path = in_folder(name),
        .container = container,
        .encoding = encoding,
        .rate_hz = RATE,
        .channels = channels};
    struct stem_file *file = stem_file_create(&params, &error);
    double *samples = calloc(frames * channels, sizeof *samples);
    assert_non_null(file);
    assert_non_null(samples);
    for (size_t i = 0; i < frames * channels; i++)
        samples[i] = sample_at(&seed, stem_encoding_bits(encoding));
    assert_int_equal(stem_file_write_doubles(file, samples, frames, &error), 0);
    assert_int_equal(stem_file_close(file, false, &error), 0);
    free(samples);
}

static void diff_of(const char *a, const char *b, struct stem_audio_diff *diff)
{
    struct stem_error error = {""};
    if (stem_audio_diff_files(in_folder(a), in_folder(b), NULL, NULL, diff, &error))
        fail_msg("%s", error.text);
}

/* Samples */

static void test_takes_doubles_become_integers_to_nearest(void **state)
{
    (void)state;
    const double half = 0x1p-24;
    const double in[] = {0, half, 3 * half, -half, -3 * half, 1 - 2 * half, 1 - half, 1, 1.5, -1,
        -1 - half, -1.0001, NAN, 0.3};
    const int32_t expected[] = {0, 0, 2, 0, -2, 0x7FFFFF, 0x7FFFFF, 0x7FFFFF, 0x7FFFFF, -0x800000,
        -0x800000, -0x800000, 0, 2516582};
    enum { COUNT = sizeof in / sizeof *in };
    int32_t out[COUNT];
    float peak = 0;
    uint64_t clips = stem_sample_doubles_to_int(in, out, COUNT, 24, &peak);
    for (size_t k = 0; k < COUNT; k++)
        assert_int_equal(out[k], (int32_t)((uint32_t)expected[k] << 8));
    assert_int_equal(clips, 5);
    assert_float_equal(peak, 1.5, 0);
}

static void test_takes_know_what_is_exact(void **state)
{
    (void)state;
    static const bool EXACT[5][5] = {
        /* to 16, 24, 32, float, double */
        [STEM_PCM16] = {true, true, true, true, true},
        [STEM_PCM24] = {false, true, true, true, true},
        [STEM_PCM32] = {false, false, true, false, true},
        [STEM_FLOAT] = {false, false, false, true, true},
        [STEM_DOUBLE] = {false, false, false, false, true},
    };
    for (int from = 0; from < 5; from++)
        for (int to = 0; to < 5; to++)
            assert_int_equal(stem_export_is_exact((enum stem_encoding)from, (enum stem_encoding)to),
                EXACT[from][to]);
}

/* Conversion */

static int convert(const char *from, const char *to, enum stem_container container,
    enum stem_encoding encoding, bool exact, bool dither, struct stem_error *error)
{
    struct stem_export_file file = {.from = in_folder(from),
        .to = {.path = in_folder(to),
            .container = container,
            .encoding = encoding,
            .rate_hz = RATE,
            .channels = 2},
        .exact = exact,
        .dither = dither,
        .seed = 1,
        .frames = FRAMES};
    return stem_export_file_write(&file, error);
}

static void test_takes_convert_every_encoding_exactly(void **state)
{
    (void)state;
    struct stem_error error = {""};
    struct stem_audio_diff diff;
    int made = 0;
    for (int from = STEM_PCM16; from <= STEM_DOUBLE; from++) {
        char was[32];
        snprintf(was, sizeof was, "was%d", from);
        write_file(was, STEM_CAF, (enum stem_encoding)from, 2, 5, FRAMES);
        for (int container = STEM_WAV; container <= STEM_FLAC; container++)
            for (int to = STEM_PCM16; to <= STEM_DOUBLE; to++) {
                char is[32];
                if (!stem_export_is_exact((enum stem_encoding)from, (enum stem_encoding)to) ||
                    !stem_format_valid((enum stem_container)container, (enum stem_encoding)to, 2))
                    continue;
                snprintf(is, sizeof is, "is%d-%d-%d", from, container, to);
                if (convert(was, is, (enum stem_container)container, (enum stem_encoding)to, true,
                        false, &error))
                    fail_msg("%s: %s", is, error.text);
                diff_of(was, is, &diff);
                assert_true(stem_audio_diff_is_same(&diff));
                unlink(in_folder(is));
                made++;
            }
    }
    assert_int_equal(made, 4 * 14 + 3);
}

static void test_takes_find_out_when_a_conversion_is_not_exact(void **state)
{
    (void)state;
    struct stem_error error = {""};
    write_file("was", STEM_WAV, STEM_PCM24, 2, 5, FRAMES);
    assert_int_equal(convert("was", "is", STEM_WAV, STEM_PCM16, true, false, &error), -1);
    assert_non_null(strstr(error.text, "came out wrong at frame 0"));
}

static void test_takes_round_and_dither_within_their_bounds(void **state)
{
    (void)state;
    struct stem_error error = {""};
    struct stem_audio_diff plain, dithered, again;
    const double step = 0x1p-15;
    write_file("was", STEM_WAV, STEM_PCM24, 2, 5, FRAMES);
    assert_int_equal(convert("was", "plain", STEM_WAV, STEM_PCM16, false, false, &error), 0);
    assert_int_equal(convert("was", "dither", STEM_WAV, STEM_PCM16, false, true, &error), 0);
    assert_int_equal(convert("was", "again", STEM_FLAC, STEM_PCM16, false, true, &error), 0);
    diff_of("was", "plain", &plain);
    diff_of("was", "dither", &dithered);
    diff_of("dither", "again", &again);
    assert_true(plain.peak <= step / 2 && plain.peak > 0.49 * step);
    assert_float_equal(plain.rms / step, sqrt(1 / 12.0), 0.01);
    /* a rounding's variance of 1/12, and 1/12 for each of the two noises */
    assert_true(dithered.peak <= 1.5 * step && dithered.peak > 1.3 * step);
    assert_float_equal(dithered.rms / step, sqrt(3 / 12.0), 0.01);
    assert_true(stem_audio_diff_is_same(&again));
}

/* Comparison */

static void test_takes_differ_where_they_do(void **state)
{
    (void)state;
    struct stem_audio_diff diff;
    write_file("a", STEM_WAV, STEM_PCM24, 2, 5, FRAMES);
    write_file("b", STEM_WAV, STEM_PCM24, 2, 5, FRAMES - 7);
    write_file("c", STEM_WAV, STEM_PCM24, 1, 5, FRAMES);
    diff_of("a", "b", &diff);
    assert_false(stem_audio_diff_is_same(&diff));
    assert_int_equal(diff.frames, FRAMES - 7);
    assert_int_equal(diff.differing, 0);
    diff_of("a", "c", &diff);
    assert_false(diff.is_comparable || stem_audio_diff_is_same(&diff));
    FILE *file = fopen(in_folder("a"), "r+b"); /* one step in the right channel of frame 9000 */
    assert_non_null(file);
    fseek(file, -((FRAMES - 9000) * 6 - 3), SEEK_END);
    int byte = fgetc(file);
    fseek(file, -1, SEEK_CUR);
    fputc(byte ^ 1, file);
    fclose(file);
    diff_of("a", "b", &diff);
    assert_int_equal(diff.differing, 1);
    assert_int_equal(diff.first, 9000);
    assert_float_equal(diff.peak, 0x1p-23, 0);
    assert_float_equal(diff.rms, 0x1p-23 / sqrt(2.0 * (FRAMES - 7)), 1e-15);
}

/* Takes */

static void save_take(const char *title)
{
    struct stem_error error;
    struct stem_take take = {
        .progress = STEM_TAKE_COMPLETE, .rate_hz = RATE, .frames = FRAMES, .encoding = STEM_FLOAT};
    stem_take_set_string(&take.title, title);
    stem_take_set_string(&take.started, "2026-11-20T21:53:07.000+01:00");
    stem_take_add_stem(&take, "A", "Night_A.wav", 2);
    stem_take_add_stem(&take, "B", "02_B.wav", 1);
    take.stems[0].frames = take.stems[1].frames = FRAMES;
    assert_int_equal(stem_take_save(&take, folder, &error), 0);
    stem_take_finish(&take);
}

static void test_takes_add_up_to_their_sum(void **state)
{
    (void)state;
    struct stem_error error = {""};
    struct stem_take_sum_report report;
    struct stem_audio_info info;
    const struct stem_take_sum_params params = {
        .target = in_folder("sum.wav"), .is_encoding_given = true, .encoding = STEM_DOUBLE};
    write_file("Night_A.wav", STEM_WAV, STEM_FLOAT, 2, 5, FRAMES);
    write_file("02_B.wav", STEM_WAV, STEM_FLOAT, 1, 6, FRAMES);
    save_take("Night");
    if (stem_take_sum_write(folder, &params, NULL, NULL, &report, &error))
        fail_msg("%s", error.text);
    assert_int_equal(report.frames, FRAMES);
    assert_int_equal(report.channels, 2);
    struct stem_audio_reader *sum = stem_audio_reader_open(in_folder("sum.wav"), &info, &error);
    assert_int_equal(info.frames, FRAMES);
    uint32_t a = 5, b = 6;
    for (int i = 0; i < FRAMES; i++) {
        double frame[2];
        float left = (float)sample_at(&a, 0), right = (float)sample_at(&a, 0);
        float mono = (float)sample_at(&b, 0);
        assert_int_equal(stem_audio_reader_read(sum, frame, 1), 1);
        assert_true(frame[0] == (double)left + (double)mono);
        assert_true(frame[1] == (double)right + (double)mono);
    }
    stem_audio_reader_close(sum);
    assert_int_equal(stem_take_sum_write(folder, &params, NULL, NULL, &report, &error), -1);
    assert_non_null(strstr(error.text, "nothing is overwritten"));
}

static void test_takes_get_another_title(void **state)
{
    (void)state;
    struct stem_error error = {""};
    struct stem_take take = {0};
    char path[PATH_MAX], expected[PATH_MAX];
    bool was_finished = true;
    write_file("Night_A.wav", STEM_WAV, STEM_FLOAT, 2, 5, 10);
    write_file("02_B.wav", STEM_WAV, STEM_FLOAT, 1, 6, 10);
    save_take("Night");
    char *inner = in_folder("2026_Night_120bpm");
    assert_int_equal(mkdir(inner, 0777), 0);
    static const char *const FILES[] = {"Night_A.wav", "02_B.wav", "take.json"};
    for (size_t k = 0; k < 3; k++) {
        snprintf(path, sizeof path, "%s/%s", inner, FILES[k]);
        assert_int_equal(rename(in_folder(FILES[k]), path), 0);
    }
    if (stem_take_rename(inner, "Day & Dawn", path, sizeof path, &was_finished, &error))
        fail_msg("%s", error.text);
    snprintf(expected, sizeof expected, "%s/2026_Day-Dawn_120bpm", folder);
    assert_string_equal(path, expected);
    assert_false(was_finished);
    assert_int_equal(stem_take_load(&take, path, &error), 0);
    assert_string_equal(take.title, "Day & Dawn");
    assert_string_equal(take.stems[0].file, "Day-Dawn_A.wav");
    assert_string_equal(take.stems[1].file, "02_B.wav");
    assert_int_equal(access(in_folder("2026_Day-Dawn_120bpm/Day-Dawn_A.wav"), F_OK), 0);
    assert_int_equal(access(in_folder("2026_Day-Dawn_120bpm/Night_A.wav"), F_OK), -1);
    stem_take_finish(&take);
    mkdir(in_folder("2026_Noon_120bpm"), 0777);
    assert_int_equal(
        stem_take_rename(expected, "Noon", path, sizeof path, &was_finished, &error), -1);
    assert_non_null(strstr(error.text, "nothing is overwritten"));
    assert_int_equal(
        stem_take_rename(expected, "???", path, sizeof path, &was_finished, &error), -1);
    assert_int_equal(access(expected, F_OK), 0);
}

static bool refuse_to_go_on(double done, void *data)
{
    (void)done, (void)data;
    return false;
}

static bool refuse_step(double done, const char *step, void *data)
{
    (void)step;
    return refuse_to_go_on(done, data);
}

static int count_files(void)
{
    int count = 0;
    char command[128];
    snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
    FILE *in = popen(command, "r");
    assert_int_equal(fscanf(in, "%d", &count), 1);
    pclose(in);
    return count;
}

static void test_takes_leave_nothing_when_interrupted(void **state)
{
    (void)state;
    struct stem_error error = {""};
    struct stem_take_sum_report report;
    struct stem_export_report export;
    const struct stem_take_sum_params params = {.target = in_folder("sum.wav")};
    const struct stem_export_params to_caf = {.container = STEM_CAF};
    write_file("Night_A.wav", STEM_WAV, STEM_FLOAT, 2, 5, FRAMES);
    write_file("02_B.wav", STEM_WAV, STEM_FLOAT, 1, 6, FRAMES);
    save_take("Night");
    assert_int_equal(count_files(), 3);
    assert_int_equal(
        stem_take_sum_write(folder, &params, refuse_to_go_on, NULL, &report, &error), -1);
    assert_string_equal(error.text, "interrupted");
    assert_int_equal(stem_export_take(folder, in_folder("caf"), "caf", &to_caf, refuse_step, NULL,
                         &export, &error),
        -1);
    assert_string_equal(error.text, "interrupted");
    assert_int_equal(count_files(), 3);
}

#define FOLDER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_doubles_become_integers_to_nearest),
        cmocka_unit_test(test_takes_know_what_is_exact),
        FOLDER_TEST(test_takes_convert_every_encoding_exactly),
        FOLDER_TEST(test_takes_find_out_when_a_conversion_is_not_exact),
        FOLDER_TEST(test_takes_round_and_dither_within_their_bounds),
        FOLDER_TEST(test_takes_differ_where_they_do),
        FOLDER_TEST(test_takes_add_up_to_their_sum),
        FOLDER_TEST(test_takes_get_another_title),
        FOLDER_TEST(test_takes_leave_nothing_when_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
