/* Recovery of takes whose recorder was killed: files are written by a child that ends without
 * closing them, then cut and damaged in every way that a kill or a power cut leaves behind. */
#include "unit.h"

#include "audio_reader.h"
#include "facts.h"
#include "ixml.h"
#include "recover.h"
#include "recover_flac_blocks.h"
#include "stem_file.h"
#include "survey.h"
#include "take.h"
#include "take_lock.h"
#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RATE = 48000, STEMS = 2, LONG = 100000, FLUSHED = 9000, KNOWN = 5000, MOST_CHANNELS = 2 };

struct shape {
    enum stem_container container;
    enum stem_encoding encoding;
};

static const struct shape SHAPES[] = {{STEM_WAV, STEM_PCM16}, {STEM_WAV, STEM_PCM24},
    {STEM_WAV, STEM_PCM32}, {STEM_WAV, STEM_FLOAT}, {STEM_WAV, STEM_DOUBLE}, {STEM_W64, STEM_PCM24},
    {STEM_W64, STEM_FLOAT}, {STEM_CAF, STEM_PCM16}, {STEM_CAF, STEM_PCM24}, {STEM_CAF, STEM_DOUBLE},
    {STEM_AIFF, STEM_PCM16}, {STEM_AIFF, STEM_PCM24}, {STEM_AIFF, STEM_FLOAT},
    {STEM_FLAC, STEM_PCM16}, {STEM_FLAC, STEM_PCM24}};
enum { SHAPES_COUNT = sizeof SHAPES / sizeof *SHAPES };

/* The first stem is mono, the second stereo. Never zero, exact in 16 bits. */
static float expected(int stem, uint64_t frame, uint32_t channel)
{
    uint32_t mixed = ((uint32_t)frame * 8 + channel * 2 + (uint32_t)stem + 1) * 2654435761u;
    return (float)(1 + (mixed >> 16) % 19997) / 32768.0f;
}

static uint32_t channels_of(int stem)
{
    return (uint32_t)stem + 1;
}

static void file_path(
    const char *folder, int stem, enum stem_container container, char *path, size_t size)
{
    snprintf(path, size, "%s/%02d_Stem%d.%s", folder, stem + 1, stem + 1,
        stem_container_extension(container));
}

/* Writes frames [from, to) of a stem's pattern. */
static void write_pattern(struct stem_file *file, int stem, uint64_t from, uint64_t to)
{
    float block[512 * MOST_CHANNELS];
    while (from < to) {
        size_t frames = to - from < 512 ? (size_t)(to - from) : 512;
        for (size_t s = 0; s < frames * channels_of(stem); s++)
            block[s] = expected(stem, from + s / channels_of(stem), s % channels_of(stem));
        if (stem_file_write(file, block, frames, NULL))
            _exit(1);
        from += frames;
    }
}

static bool without_ixml; /* as early recorders wrote */

static char *make_ixml(const struct shape *shape, int stem, char *name, char *file)
{
    struct stem_take_stem entry = {.name = name, .file = file, .channels = channels_of(stem)};
    const struct stem_take take = {
        .rate_hz = RATE, .container = shape->container, .encoding = shape->encoding};
    return without_ixml ? NULL : stem_ixml_make(&take, &entry);
}

static void write_manifest(const char *folder, const struct shape *shape, uint64_t frames,
    enum stem_take_progress progress)
{
    struct stem_take take = {
        .progress = progress,
        .rate_hz = RATE,
        .frames = frames,
        .start_frame = 123456,
        .time_reference = 123456,
        .container = shape->container,
        .encoding = shape->encoding,
        .tempo_bpm = 120,
    };
    struct stem_error error = {""};
    assert_int_equal(stem_take_set_string(&take.started, "2026-11-20T21:53:07.000+01:00"), 0);
    for (int s = 0; s < STEMS; s++) {
        char name[32], path[256];
        snprintf(name, sizeof name, "Stem%d", s + 1);
        file_path(folder, s, shape->container, path, sizeof path);
        assert_int_equal(
            stem_take_add_stem(&take, name, strrchr(path, '/') + 1, channels_of(s)), 0);
        take.stems[s].frames = frames;
    }
    stem_take_add_marker(&take, 10, "kept");
    if (stem_take_save(&take, folder, &error))
        fail_msg("%s", error.text);
    stem_take_finish(&take);
}

/* Leaves a take behind as a killed recorder does. */
static void record_and_die(const char *folder, const struct shape *shape)
{
    pid_t child = fork();
    if (child == 0) {
        for (int s = 0; s < STEMS; s++) {
            char name[32], path[256];
            snprintf(name, sizeof name, "Stem%d", s + 1);
            file_path(folder, s, shape->container, path, sizeof path);
            const struct stem_file_params params = {
                .path = path,
                .container = shape->container,
                .encoding = shape->encoding,
                .rate_hz = RATE,
                .channels = channels_of(s),
                .time_reference_frames = 123456,
                .description = name,
                .originated = "2026-11-20T21:53:07",
                .ixml = make_ixml(shape, s, name, strrchr(path, '/') + 1),
                .tempo_bpm = 120,
                .is_of_take = true,
            };
            struct stem_file *file = stem_file_create(&params, NULL);
            if (!file)
                _exit(1);
            write_pattern(file, s, 0, FLUSHED);
            stem_file_flush(file, NULL);
            write_pattern(file, s, FLUSHED, LONG);
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    write_manifest(folder, shape, KNOWN, STEM_TAKE_RECORDING);
}

static off_t size_of(const char *path)
{
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    return there.st_size;
}

/* How many frames of a stem's pattern a file begins with; the rest must be silent. */
static uint64_t count_pattern(const char *path, int stem, uint64_t frames)
{
    SF_INFO info = {0};
    SNDFILE *sound = sf_open(path, SFM_READ, &info);
    if (!sound)
        fail_msg("%s: %s", path, sf_strerror(NULL));
    assert_int_equal(info.frames, frames);
    assert_int_equal(info.channels, channels_of(stem));
    float *samples = calloc((size_t)frames * channels_of(stem) + 1, sizeof *samples);
    assert_int_equal(sf_readf_float(sound, samples, (sf_count_t)frames + 1), frames);
    sf_close(sound);
    uint64_t same = 0, frame;
    while (same < frames * channels_of(stem) &&
           samples[same] == expected(stem, same / channels_of(stem), same % channels_of(stem)))
        same++;
    frame = same / channels_of(stem);
    for (uint64_t s = frame * channels_of(stem); s < frames * channels_of(stem); s++)
        if (samples[s] != 0)
            fail_msg("%s: sample %llu of frame %llu is neither right nor silent", path,
                (unsigned long long)s, (unsigned long long)(s / channels_of(stem)));
    free(samples);
    return frame;
}

static void check_verify(const char *folder)
{
    struct stem_verify_report report;
    struct stem_error error = {""};
    if (stem_verify_folder(folder, NULL, NULL, &report, &error))
        fail_msg("%s", error.text);
    if (report.problem_count)
        fail_msg("verify: %s", report.problems[0]);
    stem_verify_report_finish(&report);
}

/* Recovers and checks that all is as it must be; `there` receives the frames each file has. */
static uint64_t recover_and_check(const char *folder, const struct shape *shape, uint64_t *there)
{
    struct stem_recover_report report;
    struct stem_error error = {""};
    if (stem_recover_folder(folder, &report, &error))
        fail_msg("%s", error.text);
    assert_int_equal(report.outcome, STEM_RECOVER_COMPLETED);
    uint64_t frames = report.take.frames, shortest = UINT64_MAX, longest = 0;
    for (int s = 0; s < STEMS; s++) {
        char path[256];
        file_path(folder, s, shape->container, path, sizeof path);
        there[s] = count_pattern(path, s, frames);
        shortest = there[s] < shortest ? there[s] : shortest;
        longest = there[s] > longest ? there[s] : longest;
    }
    struct stem_take take = {0};
    assert_int_equal(stem_take_load(&take, folder, NULL), 0);
    assert_int_equal(take.progress, STEM_TAKE_RECOVERED);
    assert_int_equal(take.frames, frames);
    if (shortest < frames) {
        assert_int_equal(take.gap_count, 1);
        assert_int_equal(take.gaps[0].frame, shortest);
        assert_int_equal(take.gaps[0].frames, frames - shortest);
        assert_int_equal(take.gaps[0].reasons, STEM_GAP_RECOVERED);
    } else {
        assert_int_equal(take.gap_count, 0);
    }
    stem_take_finish(&take);
    stem_recover_report_finish(&report);
    check_verify(folder);
    return frames > longest ? frames : longest;
}

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

/* A header of zeros in front of audio that survived. */
static void test_recover_makes_a_lost_header_anew(void **state)
{
    (void)state;
    for (int k = 0; k < 2 * SHAPES_COUNT; k++) {
        const struct shape *shape = &SHAPES[k % SHAPES_COUNT];
        without_ixml = k >= SHAPES_COUNT;
        if (shape->container == STEM_FLAC)
            continue; /* its samples' size stands in the header only */
        uint64_t audio_at = audio_offset(shape), there[STEMS];
        char *folder = scratch_make(), path[256];
        static const char ZEROS[8192];
        record_and_die(folder, shape);
        file_path(folder, 1, shape->container, path, sizeof path);
        uint64_t whole = ((uint64_t)size_of(path) - audio_at) /
                         (2 * (uint64_t)stem_encoding_bytes(shape->encoding));
        int fd = open(path, O_WRONLY);
        assert_int_equal(pwrite(fd, ZEROS, (size_t)audio_at, 0), audio_at);
        close(fd);
        recover_and_check(folder, shape, there);
        assert_int_equal(there[1], whole);
        scratch_remove(folder);
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

/* FLAC */

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

/* Power cuts */

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
        cmocka_unit_test(test_recover_completes_every_format_to_the_last_frame),
        cmocka_unit_test(test_recover_completes_a_file_cut_anywhere),
        cmocka_unit_test(test_recover_makes_a_lost_header_anew),
        cmocka_unit_test(test_recover_completes_files_beyond_4_gib),
        cmocka_unit_test(test_recover_flac_keeps_whole_blocks_around_damage),
        cmocka_unit_test(test_recover_flac_keeps_a_checksum_that_ends_in_zero),
        cmocka_unit_test(test_recover_flac_makes_silent_blocks_of_any_number_and_rate),
        cmocka_unit_test(test_recover_lists_a_tail_of_zeros_and_a_hole),
        cmocka_unit_test(test_recover_keeps_the_timeline_that_the_manifest_knew),
        cmocka_unit_test(test_recover_rebuilds_a_manifest_that_cannot_be_read),
        cmocka_unit_test(test_recover_tells_when_nothing_tells_what_files_are),
        cmocka_unit_test(test_recover_makes_no_manifest_anew_that_may_not_be_read),
        cmocka_unit_test(test_recover_uses_the_manifest_that_was_being_written),
        cmocka_unit_test(test_recover_does_not_touch_finished_or_busy_takes),
        cmocka_unit_test(test_recover_twice_changes_nothing),
        cmocka_unit_test(test_recover_goes_on_where_a_recovery_was_killed),
        cmocka_unit_test(test_recover_leaves_each_file_one_name),
        cmocka_unit_test(test_recover_refuses_what_is_no_take_of_ours),
        cmocka_unit_test(test_recover_leaves_odd_files_as_they_are),
        cmocka_unit_test(test_recover_refuses_a_take_of_odd_files_only),
        cmocka_unit_test(test_recover_leaves_gaps_out_of_the_null_test),
        cmocka_unit_test(test_recover_takes_completes_unfinished_ones_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
