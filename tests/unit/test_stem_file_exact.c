/* Bit transparency through real files: every value an encoding knows goes in at unity and is read
 * back as the same integer, in every container. */
#include "scratch_file.h"
#include "stem_file.h"

#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stem_file *create(
    enum stem_container container, enum stem_encoding encoding, uint32_t channels)
{
    struct stem_error error = {0};
    const struct stem_file_params params = {.path = path,
        .container = container,
        .encoding = encoding,
        .rate_hz = 48000,
        .channels = channels,
        .originated = "2026-11-20T21:53:07",
        .tempo_bpm = 98.5};
    struct stem_file *file = stem_file_create(&params, &error);
    if (!file)
        fail_msg("%s", error.text);
    return file;
}

static void write_frames(struct stem_file *file, const float *samples, size_t frames)
{
    struct stem_error error = {0};
    if (stem_file_write(file, samples, frames, &error))
        fail_msg("%s", error.text);
}

static void close_file(struct stem_file *file)
{
    struct stem_error error = {0};
    if (stem_file_close(file, false, &error))
        fail_msg("%s", error.text);
}

static SNDFILE *open_back(SF_INFO *info)
{
    *info = (SF_INFO){0};
    SNDFILE *sound = sf_open(path, SFM_READ, info);
    if (!sound)
        fail_msg("%s", sf_strerror(NULL));
    return sound;
}

/* All values of `bits` bits in order, in blocks whose length is no multiple of anything. */
static void write_scale(enum stem_container container, enum stem_encoding encoding, int bits)
{
    enum { BLOCK = 4099 };
    static float samples[BLOCK];
    const int64_t end = INT64_C(1) << (bits - 1);
    struct stem_file *file = create(container, encoding, 1);
    for (int64_t value = -end; value < end;) {
        size_t count = 0;
        for (; count < BLOCK && value < end; count++, value++)
            samples[count] = (float)value / (float)end;
        write_frames(file, samples, count);
    }
    assert_int_equal(stem_file_clips(file), 0);
    close_file(file);
}

static void check_scale(enum stem_container container, int bits)
{
    enum { BLOCK = 8192 };
    static int back[BLOCK];
    const int64_t end = INT64_C(1) << (bits - 1);
    SF_INFO info;
    SNDFILE *sound = open_back(&info);
    assert_int_equal(info.frames, 2 * end);
    int64_t value = -end;
    sf_count_t got;
    while ((got = sf_read_int(sound, back, BLOCK)) > 0)
        for (sf_count_t k = 0; k < got; k++, value++)
            if (back[k] != value * (INT64_C(1) << (32 - bits)))
                fail_msg("%s, %d bit: %d came back as %d", stem_container_name(container), bits,
                    (int)value, back[k] >> (32 - bits));
    assert_int_equal(value, end);
    sf_close(sound);
    unlink(path);
}

static void test_stem_file_exact_every_24_bit_value(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++) {
        write_scale((enum stem_container)c, STEM_PCM24, 24);
        check_scale((enum stem_container)c, 24);
    }
}

static void test_stem_file_exact_every_16_bit_value(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++) {
        write_scale((enum stem_container)c, STEM_PCM16, 16);
        check_scale((enum stem_container)c, 16);
    }
}

/* Single precision holds 24 bits wherever they are in the 32. */
static void test_stem_file_exact_32_bit_values(void **state)
{
    (void)state;
    enum { COUNT = 6 * 32 };
    static float samples[COUNT];
    static int wanted[COUNT], back[COUNT];
    int count = 0;
    for (int shift = 0; shift < 31; shift++)
        for (int sign = -1; sign <= 1; sign += 2)
            for (int k = 1; k <= 3; k++) {
                int64_t value =
                    sign * ((INT64_C(1) << shift) + (k > 1 ? 1 << shift >> (8 * k) : 0));
                wanted[count] = (int)value;
                samples[count++] = (float)value * 0x1p-31f;
                if ((double)samples[count - 1] != (double)value * 0x1p-31)
                    count--; /* not a value of single precision */
            }
    wanted[count] = INT32_MIN;
    samples[count++] = -1.0f;
    for (int c = STEM_WAV; c < STEM_FLAC; c++) {
        SF_INFO info;
        struct stem_file *file = create((enum stem_container)c, STEM_PCM32, 1);
        write_frames(file, samples, (size_t)count);
        assert_int_equal(stem_file_clips(file), 0);
        close_file(file);
        SNDFILE *sound = open_back(&info);
        assert_int_equal(sf_read_int(sound, back, COUNT), count);
        sf_close(sound);
        assert_memory_equal(back, wanted, (size_t)count * sizeof *back);
        unlink(path);
    }
}

static const float SPECIAL[] = {-0.0f, 0.0f, 1e-45f, -1e-40f, 0x1p-126f, 1.0f, -1.0f, 3.5f,
    -1000.0f, 3.4e38f, INFINITY, -INFINITY, 0.1f};
enum { SPECIALS = sizeof SPECIAL / sizeof *SPECIAL };

/* Floating point goes through with every bit, nothing saturates, and no PEAK chunk dates it. */
static void check_floats(enum stem_container container, enum stem_encoding encoding)
{
    SF_INFO info;
    float back[SPECIALS];
    double wide[SPECIALS];
    struct stem_file *file = create(container, encoding, 1);
    write_frames(file, SPECIAL, SPECIALS);
    assert_int_equal(stem_file_clips(file), 0);
    assert_true(isinf(stem_file_peak(file)));
    close_file(file);
    SNDFILE *sound = open_back(&info);
    SF_CHUNK_INFO peak = {.id = "PEAK", .id_size = 4};
    assert_null(sf_get_chunk_iterator(sound, &peak));
    assert_int_equal(info.frames, SPECIALS);
    if (encoding == STEM_FLOAT) {
        assert_int_equal(sf_read_float(sound, back, SPECIALS), SPECIALS);
    } else {
        assert_int_equal(sf_read_double(sound, wide, SPECIALS), SPECIALS);
        for (int k = 0; k < SPECIALS; k++)
            back[k] = (float)wide[k];
    }
    sf_close(sound);
    assert_memory_equal(back, SPECIAL, sizeof SPECIAL);
    unlink(path);
}

static void test_stem_file_exact_floating_point(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c < STEM_FLAC; c++) {
        check_floats((enum stem_container)c, STEM_FLOAT);
        check_floats((enum stem_container)c, STEM_DOUBLE);
    }
}

/* Values that must change, in every container alike: rounding, saturation, not-a-number. */
static void test_stem_file_exact_rounding_and_saturation(void **state)
{
    (void)state;
    static const struct {
        float in; /* in steps of 24 bit */
        int out;
    } CASES[] = {{0.5f, 0}, {1.5f, 2}, {-0.5f, 0}, {-2.5f, -2}, {0.75f, 1}, {8388607.5f, 8388607},
        {8388608.0f, 8388607}, {-8388609.0f, -8388608}, {1e20f, 8388607}, {-INFINITY, -8388608},
        {NAN, 0}, {-8388608.0f, -8388608}};
    enum { COUNT = sizeof CASES / sizeof *CASES };
    for (int c = STEM_WAV; c <= STEM_FLAC; c++) {
        float samples[COUNT];
        int back[COUNT];
        SF_INFO info;
        for (int k = 0; k < COUNT; k++)
            samples[k] = CASES[k].in * 0x1p-23f;
        struct stem_file *file = create((enum stem_container)c, STEM_PCM24, 1);
        write_frames(file, samples, COUNT);
        assert_int_equal(stem_file_clips(file), 6);
        close_file(file);
        SNDFILE *sound = open_back(&info);
        assert_int_equal(sf_read_int(sound, back, COUNT), COUNT);
        sf_close(sound);
        for (int k = 0; k < COUNT; k++)
            if (back[k] != CASES[k].out * 256)
                fail_msg("%s: %g became %d", stem_container_name((enum stem_container)c),
                    (double)CASES[k].in, back[k] >> 8);
        unlink(path);
    }
}

/* A stretch of silence in every format: no room on the disk, zero in the file, marks around it. */
static void check_silence(enum stem_container container, enum stem_encoding encoding)
{
    enum { SILENT = 1000003, CHANNELS = 3 };
    const float before[CHANNELS] = {0.5f, -0.5f, 0.25f}, after[CHANNELS] = {-0.125f, 0.75f, -1.0f};
    static float back[(SILENT + 2) * CHANNELS];
    struct stem_error error = {0};
    struct stat on_disk;
    SF_INFO info;
    struct stem_file *file = create(container, encoding, CHANNELS);
    write_frames(file, before, 1);
    if (stem_file_write_silence(file, SILENT, &error))
        fail_msg("%s", error.text);
    write_frames(file, after, 1);
    assert_int_equal(stem_file_frames(file), SILENT + 2);
    close_file(file);
    assert_int_equal(stat(path, &on_disk), 0);
    assert_true(on_disk.st_blocks * 512 < 1 << 20);
    SNDFILE *sound = open_back(&info);
    assert_int_equal(info.frames, SILENT + 2);
    assert_int_equal(sf_readf_float(sound, back, SILENT + 3), SILENT + 2);
    sf_close(sound);
    assert_memory_equal(back, before, sizeof before);
    assert_memory_equal(back + (SILENT + 1) * CHANNELS, after, sizeof after);
    for (size_t k = CHANNELS; k < (SILENT + 1) * CHANNELS; k++)
        assert_true(back[k] == 0.0f);
    unlink(path);
}

static void test_stem_file_exact_silence(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++)
        for (int e = STEM_PCM16; e <= STEM_DOUBLE; e++)
            if (stem_format_valid((enum stem_container)c, (enum stem_encoding)e, 3))
                check_silence((enum stem_container)c, (enum stem_encoding)e);
}

/* Across 4 GiB with flushes on both sides, as a recorder does it, and marks at the border. The
 * steps are wide because libsndfile 1.2.0 never returns from opening a CAF file whose audio ends
 * within the last 4 KiB before the border. */
static void check_4_gib(enum stem_container container)
{
    enum { STEPS = 4, STEP = 4096, MARKED = 4 };
    const uint64_t begin = (UINT64_C(1) << 32) / 16 - STEP * 3 / 2; /* 16 bytes a frame */
    const float marks[16] = {0.5f, -0.5f, 0.25f, -0.25f, 0.125f, -0.125f, 1e-9f, 1.0f, 0.75f,
        -0.75f, 0.1f, -0.1f, 0.2f, -0.2f, 0.3f, -1.0f};
    struct stem_error error = {0};
    struct stem_file *file = create(container, STEM_FLOAT, 4);
    SF_INFO info;
    float back[16];
    assert_int_equal(stem_file_write_silence(file, begin - STEP, &error), 0);
    for (uint64_t k = 0; k < STEPS; k++) {
        assert_int_equal(stem_file_write_silence(file, STEP - MARKED, &error), 0);
        write_frames(file, marks, MARKED);
        assert_int_equal(stem_file_flush(file, &error), 0);
        SNDFILE *sound = open_back(&info); /* as if killed here */
        assert_int_equal(info.frames, begin + STEP * k);
        sf_close(sound);
    }
    close_file(file);
    SNDFILE *sound = open_back(&info);
    assert_int_equal(info.frames, begin + STEP * (STEPS - 1));
    for (int k = 0; k < STEPS; k++) {
        sf_count_t at = (sf_count_t)begin + STEP * k - MARKED;
        assert_int_equal(sf_seek(sound, at, SEEK_SET), at);
        assert_int_equal(sf_readf_float(sound, back, MARKED), MARKED);
        assert_memory_equal(back, marks, sizeof marks);
    }
    sf_close(sound);
    unlink(path);
}

static void test_stem_file_exact_across_4_gib(void **state)
{
    (void)state;
    check_4_gib(STEM_WAV);
    check_4_gib(STEM_W64);
    check_4_gib(STEM_CAF);
}

/* What others make of a short take: plain WAV that sox reads without a word. */
static void test_stem_file_exact_wav_pleases_sox(void **state)
{
    (void)state;
    char command[300], said[300] = "";
    float samples[2001 * 3];
    if (system("command -v sox >/dev/null 2>&1") != 0)
        skip();
    for (int k = 0; k < 2001 * 3; k++)
        samples[k] = (float)(k % 100) / 128;
    snprintf(path, sizeof path, "%s/file.wav", folder);
    struct stem_file *file = create(STEM_WAV, STEM_PCM24, 3);
    write_frames(file, samples, 2001);
    close_file(file);
    snprintf(command, sizeof command, "sox -V3 %s -n 2>&1 | grep -iE 'warn|fail|error'", path);
    FILE *sox = popen(command, "r");
    assert_non_null(sox);
    if (fgets(said, sizeof said, sox))
        fail_msg("sox: %s", said);
    pclose(sox);
    snprintf(command, sizeof command, "sox --i -s %s 2>&1", path);
    sox = popen(command, "r");
    assert_non_null(sox);
    assert_non_null(fgets(said, sizeof said, sox));
    pclose(sox);
    assert_string_equal(said, "2001\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_stem_file_exact_every_24_bit_value),
        TEST(test_stem_file_exact_every_16_bit_value),
        TEST(test_stem_file_exact_32_bit_values),
        TEST(test_stem_file_exact_floating_point),
        TEST(test_stem_file_exact_rounding_and_saturation),
        TEST(test_stem_file_exact_silence),
        TEST(test_stem_file_exact_across_4_gib),
        TEST(test_stem_file_exact_wav_pleases_sox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
