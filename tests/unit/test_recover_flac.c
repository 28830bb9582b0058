/* Recovery of FLAC files: what is whole stays, block by block, and the timeline too. */
#include "killed_take.h"

#include "recover.h"
#include "recover_flac_blocks.h"

#include <fcntl.h>
#include <sndfile.h>
#include <unistd.h>

/* Damage inside: the blocks around it stay, the timeline too. */
static void test_recover_flac_keeps_whole_blocks_around_damage(void **state)
{
    const struct shape shape = {STEM_FLAC, STEM_PCM24};
    char *folder = scratch_make(), path[256];
    (void)state;
    record_and_die(folder, &shape);
    file_path(folder, 1, STEM_FLAC, path, sizeof path);
    int fd = open(path, O_RDWR);
    char bytes[300] = {0};
    if (size_of(path) < 60000)
        fail_msg("it has %lld bytes only", (long long)size_of(path));
    assert_int_equal(pwrite(fd, bytes, sizeof bytes, 18000), sizeof bytes);
    close(fd);
    struct stem_recover_report report;
    assert_int_equal(stem_recover_folder(folder, &report, NULL), 0);
    assert_true(report.take.gap_count >= 1);
    const struct stem_take_gap *gap = &report.take.gaps[0];
    if (gap->frame % 4096 || gap->frames > 3 * 4096)
        fail_msg("gap of %llu frames at %llu, %llu in all", (unsigned long long)gap->frames,
            (unsigned long long)gap->frame, (unsigned long long)report.take.frames);
    SF_INFO info = {0};
    SNDFILE *sound = sf_open(path, SFM_READ, &info);
    assert_non_null(sound);
    assert_int_equal(info.frames, report.take.frames);
    float *samples = calloc((size_t)info.frames * 2, sizeof *samples);
    assert_int_equal(sf_readf_float(sound, samples, info.frames), info.frames);
    sf_close(sound);
    uint64_t right = 0;
    for (uint64_t f = 0; f < (uint64_t)info.frames; f++) {
        bool is_right =
            samples[2 * f] == expected(1, f, 0) && samples[2 * f + 1] == expected(1, f, 1);
        bool is_gap = false;
        for (size_t g = 0; g < report.take.gap_count; g++)
            is_gap = is_gap || (f >= report.take.gaps[g].frame &&
                                   f - report.take.gaps[g].frame < report.take.gaps[g].frames);
        if (!is_right && !(is_gap && samples[2 * f] == 0 && samples[2 * f + 1] == 0))
            fail_msg("frame %llu is wrong", (unsigned long long)f);
        right += is_right;
    }
    assert_true(right >= (uint64_t)info.frames - 3 * 4096);
    assert_true(right > gap->frame + gap->frames - 4096); /* the blocks behind the damage too */
    free(samples);
    stem_recover_report_finish(&report);
    check_verify(folder);
    scratch_remove(folder);
}

/* Bytes before the first block of a FLAC file: its mark and the blocks of metadata. */
static off_t flac_head(const char *path)
{
    unsigned char head[4] = {0};
    off_t at = 4;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    while (!(head[0] & 0x80)) {
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
        at += 4 + (head[1] << 16 | head[2] << 8 | head[3]);
    }
    fclose(file);
    return at;
}

/* The last block's checksum ends in a zero: it must not be taken for a byte behind the block. */
static void test_recover_flac_keeps_a_checksum_that_ends_in_zero(void **state)
{
    const struct shape shape = {STEM_FLAC, STEM_PCM24};
    char *folder = scratch_make(), path[256];
    unsigned char bytes[RECOVER_FLAC_SILENCE_BYTES];
    struct recover_flac_block block = {.frames = 1, .channels = 1, .bits = 24};
    struct stem_recover_report report;
    size_t size = recover_flac_silence(&block, RATE, bytes);
    (void)state;
    while (bytes[size - 1] != 0) {
        block.frames++;
        size = recover_flac_silence(&block, RATE, bytes);
    }
    assert_in_range(block.frames, 1, 4095);
    record_and_die(folder, &shape);
    for (int s = 0; s < STEMS; s++) {
        file_path(folder, s, STEM_FLAC, path, sizeof path);
        assert_int_equal(truncate(path, flac_head(path)), 0);
    }
    file_path(folder, 0, STEM_FLAC, path, sizeof path);
    off_t head = flac_head(path);
    FILE *file = fopen(path, "ab");
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    write_manifest(folder, &shape, 0, STEM_TAKE_RECORDING);
    assert_int_equal(stem_recover_folder(folder, &report, NULL), 0);
    assert_int_equal(report.take.frames, block.frames);
    stem_recover_report_finish(&report);
    assert_int_equal(size_of(path), head + (off_t)size);
    check_verify(folder);
    scratch_remove(folder);
}

/* What another file had stands in place of the head; the blocks tell that they are of the take. */
static void test_recover_flac_makes_a_lost_head_anew(void **state)
{
    const struct shape shape = {STEM_FLAC, STEM_PCM24};
    uint64_t there[2][STEMS];
    (void)state;
    for (int is_lost = 0; is_lost < 2; is_lost++) {
        char *folder = scratch_make(), path[256];
        record_and_die(folder, &shape);
        file_path(folder, 1, STEM_FLAC, path, sizeof path);
        int fd = open(path, O_WRONLY);
        for (off_t at = 0, head = is_lost ? flac_head(path) : 0; at < head; at++)
            assert_int_equal(pwrite(fd, &"Old words. "[at % 11], 1, at), 1);
        close(fd);
        recover_and_check(folder, &shape, there[is_lost]);
        scratch_remove(folder);
    }
    assert_int_equal(there[1][1], there[0][1]);
}

/* Numbers grow in bytes with the length of a take, rates have codes of several lengths. */
static void test_recover_flac_makes_silent_blocks_of_any_number_and_rate(void **state)
{
    static const uint64_t NUMBERS[] = {0, 127, 128, 2047, 2048, 65535, 65536, 2097151, 2097152,
        67108863, 67108864, (UINT64_C(1) << 31) - 1};
    static const uint32_t RATES[] = {48000, 44100, 192000, 12000, 11025, 352800, 384000, 768000};
    (void)state;
    for (size_t n = 0; n < sizeof NUMBERS / sizeof *NUMBERS; n++)
        for (size_t r = 0; r < sizeof RATES / sizeof *RATES; r++) {
            unsigned char bytes[RECOVER_FLAC_SILENCE_BYTES];
            struct recover_flac_block read;
            const struct recover_flac_block block = {
                .number = NUMBERS[n], .frames = 4096, .channels = 8, .bits = 24};
            size_t size = recover_flac_silence(&block, RATES[r], bytes);
            uint16_t crc = 0;
            for (size_t k = 0; k < size; k++)
                crc = recover_flac_crc16(crc, bytes[k]);
            assert_true(size <= sizeof bytes);
            assert_int_equal(crc, 0);
            assert_true(recover_flac_block_parse(bytes, size, &read));
            assert_int_equal(read.number, NUMBERS[n]);
            assert_int_equal(read.frames, 4096);
            assert_int_equal(read.channels, 8);
            assert_int_equal(size, read.bytes + 8 * 4 + 2);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recover_flac_keeps_whole_blocks_around_damage),
        cmocka_unit_test(test_recover_flac_keeps_a_checksum_that_ends_in_zero),
        cmocka_unit_test(test_recover_flac_makes_a_lost_head_anew),
        cmocka_unit_test(test_recover_flac_makes_silent_blocks_of_any_number_and_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
