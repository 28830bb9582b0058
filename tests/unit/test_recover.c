/* Recovery of takes whose recorder was killed: files are cut and damaged in every way that a kill
 * or a power cut leaves behind. */
#include "killed_take.h"

#include "recover.h"
#include "survey.h"
#include "verify.h"

#include <fcntl.h>
#include <sndfile.h>
#include <string.h>
#include <unistd.h>

/* Containers */

static void test_recover_completes_every_format_to_the_last_frame(void **state)
{
    (void)state;
    for (int k = 0; k < SHAPES_COUNT; k++) {
        const struct shape *shape = &SHAPES[k];
        char *folder = scratch_make(), path[256];
        uint64_t there[STEMS];
        record_and_die(folder, shape);
        uint64_t least[STEMS];
        for (int s = 0; s < STEMS; s++) {
            file_path(folder, s, shape->container, path, sizeof path);
            uint64_t frame_bytes = channels_of(s) * (uint64_t)stem_encoding_bytes(shape->encoding);
            /* beyond the head, which is 8192 bytes at most, every whole frame counts */
            least[s] = shape->container == STEM_FLAC
                           ? 4096
                           : ((uint64_t)size_of(path) - 8192) / frame_bytes;
        }
        recover_and_check(folder, shape, there);
        for (int s = 0; s < STEMS; s++)
            assert_true(there[s] >= least[s]);
        scratch_remove(folder);
    }
}

/* Cuts the second file at `cut` bytes and recovers. */
static void check_cut(const struct shape *shape, off_t cut, uint64_t audio_at)
{
    char *folder = scratch_make(), path[256];
    uint64_t there[STEMS];
    record_and_die(folder, shape);
    file_path(folder, 1, shape->container, path, sizeof path);
    assert_int_equal(truncate(path, cut), 0);
    recover_and_check(folder, shape, there);
    uint64_t frame_bytes = 2 * (uint64_t)stem_encoding_bytes(shape->encoding);
    uint64_t whole = (uint64_t)cut > audio_at ? ((uint64_t)cut - audio_at) / frame_bytes : 0;
    if (shape->container != STEM_FLAC && there[1] != whole)
        fail_msg("%s cut at %lld: %llu frames, expected %llu",
            stem_container_name(shape->container), (long long)cut, (unsigned long long)there[1],
            (unsigned long long)whole);
    scratch_remove(folder);
}

/* The offset of the audio in the second file, from a file that is whole. */
static uint64_t audio_offset(const struct shape *shape)
{
    char *folder = scratch_make(), path[256];
    record_and_die(folder, shape);
    file_path(folder, 1, shape->container, path, sizeof path);
    uint64_t frame_bytes = 2 * (uint64_t)stem_encoding_bytes(shape->encoding);
    unsigned char bytes[8192];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    scratch_remove(folder);
    const char *name = shape->container == STEM_AIFF ? "SSND" : "data";
    unsigned behind = shape->container == STEM_W64 ? 24 : shape->container == STEM_WAV ? 8 : 16;
    for (size_t at = 12; at + 4 < got && frame_bytes; at++)
        if (memcmp(bytes + at, name, 4) == 0)
            return at + behind;
    fail_msg("no audio");
    return 0;
}

static void test_recover_completes_a_file_cut_anywhere(void **state)
{
    (void)state;
    for (int k = 0; k < SHAPES_COUNT; k++) {
        if (SHAPES[k].encoding != STEM_PCM24)
            continue;
        if (SHAPES[k].container == STEM_FLAC) {
            for (off_t cut = 0; cut < 15000; cut += cut < 120 ? 13 : 977)
                check_cut(&SHAPES[k], cut, 0);
            continue;
        }
        uint64_t audio_at = audio_offset(&SHAPES[k]);
        for (off_t cut = 0; cut<(off_t)audio_at; cut += audio_at> 1000 ? 331 : 29)
            check_cut(&SHAPES[k], cut, audio_at);
        for (int past = -1; past <= 13; past++)
            check_cut(&SHAPES[k], (off_t)audio_at + past, audio_at);
        check_cut(&SHAPES[k], 40001, audio_at);
    }
}

enum {
    SYNCED = LONG - 4000
}; /* frames that the manifest tells: it is renewed when files are synced */

static void overwrite(const char *path, const unsigned char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, bytes, size, 0), size);
    close(fd);
}

/* A power cut left something else in the place of a header, and audio behind it that survived. */
static void check_lost_header(const struct shape *shape, const unsigned char *bytes)
{
    uint64_t audio_at = audio_offset(shape), there[STEMS];
    char *folder = scratch_make(), path[256];
    record_and_die(folder, shape);
    write_manifest(folder, shape, SYNCED, STEM_TAKE_RECORDING);
    file_path(folder, 1, shape->container, path, sizeof path);
    uint64_t whole =
        ((uint64_t)size_of(path) - audio_at) / (2 * (uint64_t)stem_encoding_bytes(shape->encoding));
    overwrite(path, bytes, (size_t)audio_at);
    recover_and_check(folder, shape, there);
    assert_int_equal(there[1], whole);
    scratch_remove(folder);
}

/* Zeros, or what another file had there. */
static void test_recover_makes_a_lost_header_anew(void **state)
{
    static unsigned char zeros[8192], noise[8192];
    (void)state;
    for (size_t k = 0; k < sizeof noise; k++)
        noise[k] = (unsigned char)((k * 2654435761u) >> 13);
    for (int k = 0; k < 2 * SHAPES_COUNT; k++) {
        const struct shape *shape = &SHAPES[k % SHAPES_COUNT];
        without_ixml = k >= SHAPES_COUNT;
        if (shape->container == STEM_FLAC)
            continue; /* its samples' size stands in the header only */
        check_lost_header(shape, zeros);
        check_lost_header(shape, noise);
    }
    without_ixml = false;
}

/* More than 4 GiB, in holes: RIFF has to become RF64. */
static void test_recover_completes_files_beyond_4_gib(void **state)
{
    static const struct shape LARGE[] = {{STEM_WAV, STEM_PCM24}, {STEM_WAV, STEM_FLOAT},
        {STEM_W64, STEM_PCM24}, {STEM_CAF, STEM_PCM24}};
    (void)state;
    for (size_t k = 0; k < sizeof LARGE / sizeof *LARGE; k++) {
        const uint64_t frames = 900000000, audio_at = audio_offset(&LARGE[k]);
        char *folder = scratch_make(), path[256];
        uint64_t frame_bytes = 2 * (uint64_t)stem_encoding_bytes(LARGE[k].encoding);
        record_and_die(folder, &LARGE[k]);
        file_path(folder, 1, LARGE[k].container, path, sizeof path);
        assert_int_equal(truncate(path, (off_t)(audio_at + frames * frame_bytes) + 3), 0);
        write_manifest(folder, &LARGE[k], frames - 100, STEM_TAKE_RECORDING);
        struct stem_recover_report report;
        struct stem_error error = {""};
        if (stem_recover_folder(folder, &report, &error))
            fail_msg("%s", error.text);
        assert_int_equal(report.take.frames, frames);
        stem_recover_report_finish(&report);
        for (int s = 0; s < STEMS; s++) {
            float sample[MOST_CHANNELS];
            SF_INFO info = {0};
            file_path(folder, s, LARGE[k].container, path, sizeof path);
            SNDFILE *sound = sf_open(path, SFM_READ, &info);
            if (!sound)
                fail_msg("%s: %s", path, sf_strerror(NULL));
            assert_int_equal(info.frames, frames);
            assert_int_equal(sf_readf_float(sound, sample, 1), 1);
            assert_true(sample[0] == expected(s, 0, 0));
            assert_int_equal(sf_seek(sound, (sf_count_t)frames - 1, SEEK_SET), frames - 1);
            assert_int_equal(sf_readf_float(sound, sample, 1), 1);
            assert_int_equal(sf_readf_float(sound, sample, 1), 0);
            sf_close(sound);
        }
        scratch_remove(folder);
    }
}

static void test_recover_lists_a_tail_of_zeros_and_a_hole(void **state)
{
    const struct shape shape = {STEM_WAV, STEM_PCM24};
    (void)state;
    for (int is_hole = 0; is_hole < 2; is_hole++) {
        uint64_t audio_at = audio_offset(&shape);
        char *folder = scratch_make(), path[256];
        record_and_die(folder, &shape);
        file_path(folder, 1, STEM_WAV, path, sizeof path);
        off_t size = size_of(path), from = 12 * 4096, to = is_hole ? 14 * 4096 : size;
        int fd = open(path, O_RDWR);
        if (is_hole)
            assert_int_equal(
                fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, to - from), 0);
        else
            assert_int_equal(ftruncate(fd, from) || ftruncate(fd, size), 0);
        close(fd);
        struct stem_recover_report report;
        assert_int_equal(stem_recover_folder(folder, &report, NULL), 0);
        uint64_t first = ((uint64_t)from - audio_at) / 6, behind = ((uint64_t)to - audio_at) / 6;
        assert_true(report.take.gap_count >= 1);
        assert_in_range(report.take.gaps[0].frame, first, first + 1);
        if (is_hole)
            assert_in_range(
                report.take.gaps[0].frame + report.take.gaps[0].frames, behind - 1, behind + 1);
        else
            assert_int_equal(
                report.take.gaps[0].frame + report.take.gaps[0].frames, report.take.frames);
        stem_recover_report_finish(&report);
        check_verify(folder);
        scratch_remove(folder);
    }
}

/* The manifest was newer than what reached the files. */
static void test_recover_keeps_the_timeline_that_the_manifest_knew(void **state)
{
    const struct shape shape = {STEM_WAV, STEM_PCM24};
    char *folder = scratch_make();
    uint64_t there[STEMS];
    (void)state;
    record_and_die(folder, &shape);
    write_manifest(folder, &shape, LONG + 5000, STEM_TAKE_RECORDING);
    assert_int_equal(recover_and_check(folder, &shape, there), LONG + 5000);
    scratch_remove(folder);
}

/* Where one file has ended and the mix has not, nothing is compared. */
static void test_recover_leaves_gaps_out_of_the_null_test(void **state)
{
    char *folder = scratch_make(), path[256];
    struct stem_take take = {.rate_hz = RATE, .container = STEM_WAV, .encoding = STEM_PCM24};
    struct stem_recover_report recovered;
    struct stem_verify_report report;
    struct stem_survey survey;
    (void)state;
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s", folder, k ? "01_A.wav" : "00_Mix.wav");
        const struct stem_file_params params = {.path = path,
            .container = STEM_WAV,
            .encoding = STEM_PCM24,
            .rate_hz = RATE,
            .channels = 1};
        struct stem_file *file = stem_file_create(&params, NULL);
        assert_non_null(file);
        write_pattern(file, 0, 0, k ? 9000 : 12000);
        assert_int_equal(stem_file_close(file, false, NULL), 0);
    }
    take.has_mix = true;
    take.mix.channels = 1;
    assert_int_equal(stem_take_add_stem(&take, "A", "01_A.wav", 1) ||
                         stem_take_set_string(&take.mix.name, "Mix") ||
                         stem_take_set_string(&take.mix.file, "00_Mix.wav") ||
                         stem_take_save(&take, folder, NULL),
        0);
    stem_take_finish(&take);
    assert_int_equal(stem_recover_folder(folder, &recovered, NULL), 0);
    assert_int_equal(recovered.gap_frames, 3000);
    assert_int_equal(stem_verify_folder(folder, NULL, NULL, &report, NULL), 0);
    assert_true(report.null_tested && report.null_passed);
    assert_true(report.residual_peak == 0);
    assert_int_equal(stem_survey_folder(folder, &recovered.take, NULL, NULL, &survey, NULL), 0);
    assert_true(survey.residual.measured && survey.residual.passed);
    assert_true(survey.residual.peak == 0);
    stem_survey_finish(&survey);
    stem_verify_report_finish(&report);
    stem_recover_report_finish(&recovered);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recover_completes_every_format_to_the_last_frame),
        cmocka_unit_test(test_recover_completes_a_file_cut_anywhere),
        cmocka_unit_test(test_recover_makes_a_lost_header_anew),
        cmocka_unit_test(test_recover_completes_files_beyond_4_gib),
        cmocka_unit_test(test_recover_lists_a_tail_of_zeros_and_a_hole),
        cmocka_unit_test(test_recover_keeps_the_timeline_that_the_manifest_knew),
        cmocka_unit_test(test_recover_leaves_gaps_out_of_the_null_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
