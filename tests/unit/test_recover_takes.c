/* Which takes are recovered, and by what manifest. */
#include "killed_take.h"

#include "recover.h"
#include "take_lock.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Manifests */

static void put_text(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_recover_rebuilds_a_manifest_that_cannot_be_read(void **state)
{
    static const char *const DAMAGED[] = {
        "", "{", "{\"kind\": \"stemd-take\", \"progress\": \"recording\"}"};
    (void)state;
    for (int k = 0; k < SHAPES_COUNT; k++) {
        char *folder = scratch_make(), path[256];
        uint64_t there[STEMS];
        record_and_die(folder, &SHAPES[k]);
        put_text(folder, STEM_TAKE_MANIFEST, DAMAGED[k % 3]);
        recover_and_check(folder, &SHAPES[k], there);
        struct stem_take take = {0};
        assert_int_equal(stem_take_load(&take, folder, NULL), 0);
        assert_int_equal(take.stem_count, STEMS);
        assert_string_equal(take.stems[1].name, "Stem2");
        assert_int_equal(take.stems[1].channels, 2);
        assert_int_equal(take.encoding, SHAPES[k].encoding);
        assert_non_null(strstr(take.failure, "manifest was lost"));
        if (SHAPES[k].container == STEM_WAV)
            assert_int_equal(take.time_reference, 123456);
        assert_true(fabs(take.stems[0].peak - 19997 / 32768.0) < 1e-3);
        stem_take_finish(&take);
        snprintf(path, sizeof path, "%s/take.json.damaged", folder);
        assert_int_equal(access(path, F_OK) == 0, DAMAGED[k % 3][0] != '\0');
        scratch_remove(folder);
    }
}

/* What stat says of all files and of the folder. */
static void fingerprint(const char *folder, char *text, size_t size)
{
    static const char *const NAMES[] = {"", "/take.json", "/01_Stem1.wav", "/02_Stem2.wav"};
    size_t used = 0;
    for (int k = 0; k < 4; k++) {
        char path[256];
        struct stat there;
        snprintf(path, sizeof path, "%s%s", folder, NAMES[k]);
        assert_int_equal(stat(path, &there), 0);
        used += (size_t)snprintf(text + used, size - used, "%lu %lld %lld.%09ld %lld.%09ld\n",
            (unsigned long)there.st_ino, (long long)there.st_size, (long long)there.st_mtim.tv_sec,
            there.st_mtim.tv_nsec, (long long)there.st_ctim.tv_sec, there.st_ctim.tv_nsec);
    }
}

/* Neither their names nor their heads tell what these are: that is not passed over in silence. */
static void test_recover_tells_when_nothing_tells_what_files_are(void **state)
{
    const struct shape shape = {STEM_FLAC, STEM_PCM24};
    char *folder = scratch_make(), from[256], to[256];
    struct stem_recover_report report;
    struct stem_error error = {""};
    (void)state;
    record_and_die(folder, &shape);
    put_text(folder, STEM_TAKE_MANIFEST, "");
    for (int s = 0; s < STEMS; s++) {
        file_path(folder, s, STEM_FLAC, from, sizeof from);
        snprintf(to, sizeof to, "%s/Song_Stem%d.flac", folder, s);
        assert_int_equal(rename(from, to), 0);
    }
    assert_int_equal(stem_recover_folder(folder, &report, &error), -1);
    assert_non_null(strstr(error.text, "nothing tells what its files are"));
    scratch_remove(folder);
}

/* A manifest that may not be read is not one that is damaged. */
static void test_recover_makes_no_manifest_anew_that_may_not_be_read(void **state)
{
    const struct shape shape = {STEM_WAV, STEM_PCM24};
    enum { NOBODY = 65534 };
    char *folder = scratch_make(), before[512], after[512], path[256];
    int status = 0;
    (void)state;
    if (geteuid() != 0)
        skip();
    record_and_die(folder, &shape);
    write_manifest(folder, &shape, KNOWN, STEM_TAKE_COMPLETE);
    snprintf(path, sizeof path, "%s/" STEM_TAKE_MANIFEST, folder);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    for (int k = 0; k < STEMS; k++) {
        file_path(folder, k, STEM_WAV, path, sizeof path);
        assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    }
    fingerprint(folder, before, sizeof before);
    pid_t child = fork();
    if (child == 0) {
        struct stem_recover_report report;
        struct stem_error error = {""};
        if (setgid(NOBODY) || setuid(NOBODY))
            _exit(2);
        _exit(stem_recover_folder(folder, &report, &error) == -1 &&
                      strstr(error.text, "Permission denied")
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fingerprint(folder, after, sizeof after);
    assert_string_equal(before, after);
    scratch_remove(folder);
}

static void test_recover_uses_the_manifest_that_was_being_written(void **state)
{
    const struct shape shape = {STEM_WAV, STEM_PCM24};
    char *folder = scratch_make(), from[256], to[256];
    uint64_t there[STEMS];
    (void)state;
    record_and_die(folder, &shape);
    snprintf(from, sizeof from, "%s/take.json", folder);
    snprintf(to, sizeof to, "%s/.take.json.new", folder);
    assert_int_equal(rename(from, to), 0);
    put_text(folder, STEM_TAKE_MANIFEST, "");
    recover_and_check(folder, &shape, there);
    struct stem_take take = {0};
    assert_int_equal(stem_take_load(&take, folder, NULL), 0);
    assert_int_equal(take.marker_count, 1);
    stem_take_finish(&take);
    scratch_remove(folder);
}

static void expect_outcome(const char *folder, enum stem_recover_outcome outcome)
{
    struct stem_recover_report report;
    struct stem_error error = {""};
    if (stem_recover_folder(folder, &report, &error))
        fail_msg("%s", error.text);
    assert_int_equal(report.outcome, outcome);
    stem_recover_report_finish(&report);
}

static void test_recover_does_not_touch_finished_or_busy_takes(void **state)
{
    const struct shape shape = {STEM_WAV, STEM_PCM24};
    static const enum stem_take_progress PROGRESS[] = {
        STEM_TAKE_COMPLETE, STEM_TAKE_FAILED, STEM_TAKE_RECOVERED, STEM_TAKE_RECORDING};
    (void)state;
    for (int k = 0; k < 4; k++) {
        char *folder = scratch_make(), before[512], after[512];
        record_and_die(folder, &shape);
        write_manifest(folder, &shape, KNOWN, PROGRESS[k]);
        bool is_busy = PROGRESS[k] == STEM_TAKE_RECORDING;
        int lock = is_busy ? stem_take_lock(folder) : -1;
        fingerprint(folder, before, sizeof before);
        usleep(20000);
        expect_outcome(folder, is_busy ? STEM_RECOVER_BUSY : STEM_RECOVER_FINISHED);
        assert_int_equal(stem_recover_wanted(folder), is_busy);
        fingerprint(folder, after, sizeof after);
        assert_string_equal(before, after);
        stem_take_unlock(lock);
        scratch_remove(folder);
    }
}

static void test_recover_twice_changes_nothing(void **state)
{
    const struct shape shape = {STEM_WAV, STEM_PCM24};
    char *folder = scratch_make(), before[512], after[512];
    uint64_t there[STEMS];
    (void)state;
    record_and_die(folder, &shape);
    recover_and_check(folder, &shape, there);
    fingerprint(folder, before, sizeof before);
    usleep(20000);
    expect_outcome(folder, STEM_RECOVER_FINISHED);
    fingerprint(folder, after, sizeof after);
    assert_string_equal(before, after);
    scratch_remove(folder);
}

/* Killed after the files were completed: the gap is not forgotten. */
static void test_recover_goes_on_where_a_recovery_was_killed(void **state)
{
    const struct shape shape = {STEM_WAV, STEM_PCM24};
    char *folder = scratch_make(), path[256];
    uint64_t there[STEMS];
    struct stem_take take = {0};
    (void)state;
    record_and_die(folder, &shape);
    file_path(folder, 1, STEM_WAV, path, sizeof path);
    assert_int_equal(truncate(path, 50000), 0);
    recover_and_check(folder, &shape, there);
    assert_int_equal(stem_take_load(&take, folder, NULL), 0);
    assert_int_equal(take.gap_count, 1);
    take.progress = STEM_TAKE_RECORDING;
    assert_int_equal(stem_take_save(&take, folder, NULL), 0);
    stem_take_finish(&take);
    recover_and_check(folder, &shape, there);
    scratch_remove(folder);
}

/* Killed while its files got other names: nobody finds them twice. */
static void test_recover_leaves_each_file_one_name(void **state)
{
    const struct shape shape = {STEM_WAV, STEM_PCM24};
    char *folder = scratch_make(), path[256], second[256], theirs[256], elsewhere[256];
    uint64_t there[STEMS];
    struct stat file;
    (void)state;
    record_and_die(folder, &shape);
    file_path(folder, 0, STEM_WAV, path, sizeof path);
    snprintf(second, sizeof second, "%s/Song_Stem1.wav", folder);
    snprintf(theirs, sizeof theirs, "%s/Copy.wav", folder);
    snprintf(elsewhere, sizeof elsewhere, "%s.link", folder);
    assert_int_equal(link(path, second), 0);
    put_text(folder, "Copy.wav", "somebody's");
    assert_int_equal(link(theirs, elsewhere), 0);
    recover_and_check(folder, &shape, there);
    assert_int_not_equal(access(second, F_OK), 0);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_nlink, 1);
    assert_int_equal(access(theirs, F_OK), 0);
    unlink(elsewhere);
    scratch_remove(folder);
}

static void test_recover_refuses_what_is_no_take_of_ours(void **state)
{
    char *folder = scratch_make(), path[256];
    struct stem_recover_report report;
    struct stem_error error = {""};
    (void)state;
    expect_outcome(folder, STEM_RECOVER_NO_TAKE);
    put_text(folder, "01_Notes.wav", "these are no samples");
    expect_outcome(folder, STEM_RECOVER_NO_TAKE);
    put_text(folder, STEM_TAKE_MANIFEST,
        "{\"kind\": \"stemd-take\", \"version\": 99, \"progress\": \"recording\"}");
    assert_false(stem_recover_wanted(folder));
    assert_int_equal(stem_recover_folder(folder, &report, &error), -1);
    assert_non_null(strstr(error.text, "newer stemd"));
    snprintf(path, sizeof path, "%s/link", folder);
    assert_int_equal(symlink(folder, path), 0);
    assert_int_equal(stem_recover_folder(path, &report, &error), -1);
    scratch_remove(folder);
}

/* Whole folders */

struct told {
    size_t lines;
    size_t problems;
};

static void count_lines(void *data, bool is_problem, const char *sentence)
{
    struct told *told = data;
    assert_true(sentence[0] != '\0');
    told->lines++;
    told->problems += is_problem;
}

static void test_recover_takes_completes_unfinished_ones_only(void **state)
{
    const struct shape shape = {STEM_WAV, STEM_PCM24};
    char *takes = scratch_make(), folder[256], link_path[256];
    struct told told = {0};
    (void)state;
    for (int k = 0; k < 4; k++) {
        snprintf(folder, sizeof folder, "%s/take%d", takes, k);
        assert_int_equal(mkdir(folder, 0777), 0);
        record_and_die(folder, &shape);
        if (k == 3)
            write_manifest(folder, &shape, KNOWN, STEM_TAKE_COMPLETE);
    }
    snprintf(folder, sizeof folder, "%s/take2", takes);
    int lock = stem_take_lock(folder); /* is being recorded */
    snprintf(link_path, sizeof link_path, "%s/link", takes);
    assert_int_equal(symlink(folder, link_path), 0);
    put_text(takes, "notes.txt", "no folder");
    assert_int_equal(stem_recover_takes(takes, count_lines, &told, NULL), 2);
    assert_true(told.lines >= 2);
    assert_true(stem_recover_wanted(folder));
    stem_take_unlock(lock);
    assert_int_equal(stem_recover_takes(takes, count_lines, &told, NULL), 1);
    assert_int_equal(stem_recover_takes(takes, count_lines, &told, NULL), 0);
    scratch_remove(takes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recover_rebuilds_a_manifest_that_cannot_be_read),
        cmocka_unit_test(test_recover_tells_when_nothing_tells_what_files_are),
        cmocka_unit_test(test_recover_makes_no_manifest_anew_that_may_not_be_read),
        cmocka_unit_test(test_recover_uses_the_manifest_that_was_being_written),
        cmocka_unit_test(test_recover_does_not_touch_finished_or_busy_takes),
        cmocka_unit_test(test_recover_twice_changes_nothing),
        cmocka_unit_test(test_recover_goes_on_where_a_recovery_was_killed),
        cmocka_unit_test(test_recover_leaves_each_file_one_name),
        cmocka_unit_test(test_recover_refuses_what_is_no_take_of_ours),
        cmocka_unit_test(test_recover_takes_completes_unfinished_ones_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
