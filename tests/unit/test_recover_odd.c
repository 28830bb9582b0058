/* Recovery of takes with a file that the recorder did not make. */
#include "killed_take.h"

#include "recover.h"
#include "verify.h"

#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands in place of the second file, which is none that the recorder made. */
enum odd_file { ODD_RATE, ODD_CODEC, ODD_TEXT, ODD_NOISE, ODD_LINK, ODD_FOLDER, ODD_KINDS };

static void put_odd_wav(const char *path)
{
    SF_INFO info = {.samplerate = 44100, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_24};
    const float frames[2 * 1000] = {0.5f};
    SNDFILE *sound = sf_open(path, SFM_WRITE, &info);
    assert_non_null(sound);
    sf_writef_float(sound, frames, 1000);
    sf_close(sound);
}

/* A whole WAV file of a kind that nobody records. */
static void put_odd_codec(const char *path)
{
    SF_INFO info = {
        .samplerate = RATE, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM};
    const float frames[2 * 5000] = {0.5f};
    SNDFILE *sound = sf_open(path, SFM_WRITE, &info);
    assert_non_null(sound);
    sf_writef_float(sound, frames, 5000);
    sf_close(sound);
}

static void put_lines(const char *path, bool is_text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int k = 0; k < 2000; k++)
        fprintf(
            file, is_text ? "line %d of somebody's notes\n" : "%c", is_text ? k : (k * 37) % 251);
    fclose(file);
}

static void put_odd_file(const char *path, const char *outside, enum odd_file kind)
{
    assert_int_equal(rename(path, outside), 0);
    switch (kind) {
    case ODD_RATE:
        put_odd_wav(path);
        break;
    case ODD_CODEC:
        put_odd_codec(path);
        break;
    case ODD_TEXT:
    case ODD_NOISE:
        put_lines(path, kind == ODD_TEXT);
        break;
    case ODD_LINK:
        assert_int_equal(symlink(outside, path), 0);
        break;
    case ODD_FOLDER:
    case ODD_KINDS:
        assert_int_equal(mkdir(path, 0777), 0);
        break;
    }
}

static size_t read_whole(const char *path, unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    size_t got = file ? fread(bytes, 1, size, file) : 0;
    if (file)
        fclose(file);
    return got;
}

static bool is_told(char *const *sentences, size_t count, const char *text)
{
    for (size_t k = 0; k < count; k++)
        if (strstr(sentences[k], text))
            return true;
    return false;
}

static void check_odd_verify(const char *folder, const char *file)
{
    struct stem_verify_report report;
    struct stem_error error = {""};
    if (stem_verify_folder(folder, NULL, NULL, &report, &error))
        fail_msg("%s", error.text);
    assert_true(is_told(report.problems, report.problem_count, file));
    stem_verify_report_finish(&report);
}

/* The others are recovered; this one is named, left as it is, and not followed when it leads
 * elsewhere. */
static void check_odd(const struct shape *shape, enum odd_file kind)
{
    static unsigned char before[1 << 20], after[1 << 20];
    char *folder = scratch_make(), path[256], outside[256], whole[256];
    struct stem_recover_report report;
    struct stem_error error = {""};
    record_and_die(folder, shape);
    file_path(folder, 1, shape->container, path, sizeof path);
    snprintf(outside, sizeof outside, "%s/outside", folder);
    put_odd_file(path, outside, kind);
    size_t size = read_whole(path, before, sizeof before);
    if (stem_recover_folder(folder, &report, &error))
        fail_msg("%s", error.text);
    assert_int_equal(report.outcome, STEM_RECOVER_COMPLETED);
    assert_true(is_told(report.remarks, report.remark_count, "it is left as it is"));
    assert_true(is_told(report.remarks, report.remark_count, strrchr(path, '/') + 1));
    assert_int_equal(read_whole(path, after, sizeof after), size);
    assert_memory_equal(before, after, size);
    file_path(folder, 0, shape->container, whole, sizeof whole);
    assert_true(count_pattern(whole, 0, report.take.frames) >= FLUSHED - 4096);
    stem_recover_report_finish(&report);
    check_odd_verify(folder, strrchr(path, '/') + 1);
    scratch_remove(folder);
}

static void test_recover_leaves_odd_files_as_they_are(void **state)
{
    static const struct shape ALL[] = {
        {STEM_WAV, STEM_PCM24}, {STEM_W64, STEM_PCM24}, {STEM_FLAC, STEM_PCM24}};
    (void)state;
    for (size_t k = 0; k < sizeof ALL / sizeof *ALL; k++)
        for (int kind = 0; kind < ODD_KINDS; kind++)
            check_odd(&ALL[k], (enum odd_file)kind);
}

/* When none is what the manifest says, it is the manifest that is wrong. */
static void test_recover_refuses_a_take_of_odd_files_only(void **state)
{
    const struct shape shape = {STEM_WAV, STEM_PCM24};
    char *folder = scratch_make(), path[256], outside[256];
    struct stem_recover_report report;
    struct stem_error error = {""};
    (void)state;
    record_and_die(folder, &shape);
    for (int s = 0; s < STEMS; s++) {
        file_path(folder, s, STEM_WAV, path, sizeof path);
        snprintf(outside, sizeof outside, "%s/outside-%d", folder, s);
        put_odd_file(path, outside, ODD_RATE);
    }
    assert_int_equal(stem_recover_folder(folder, &report, &error), -1);
    assert_non_null(strstr(error.text, "none of its files"));
    assert_true(stem_recover_wanted(folder));
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recover_leaves_odd_files_as_they_are),
        cmocka_unit_test(test_recover_refuses_a_take_of_odd_files_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
