/* What a stem file is from the outside: every format with every width, its header as others read
 * it, and the step from WAV to RF64 at 4 GiB. (Exactness and faults have tests of their own.) */
#include "stem_file.h"

#include "audio_reader.h"
#include "unit.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FRAMES = 5003, MOST_WIDTH = 32 };

static char *folder;
static char path[128];
static float samples[FRAMES * MOST_WIDTH];
static double back[FRAMES * MOST_WIDTH];

static int set_up(void **state)
{
    (void)state;
    uint32_t seed = 3;
    folder = scratch_make();
    snprintf(path, sizeof path, "%s/file", folder);
    for (size_t k = 0; k < FRAMES * MOST_WIDTH; k++) /* exact in 16 bits */
        samples[k] = (float)(int)(unit_noise(&seed) * 32767) / 32768;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static struct stem_file_params parameters(
    enum stem_container container, enum stem_encoding encoding, uint32_t channels)
{
    return (struct stem_file_params){.path = path,
        .container = container,
        .encoding = encoding,
        .rate_hz = 44100,
        .channels = channels,
        .time_reference_frames = (UINT64_C(7) << 32) + 1234567,
        .description = "Drums",
        .originated = "2026-11-20T21:53:07",
        .tempo_bpm = 98.5};
}

static struct stem_file *create(const struct stem_file_params *params)
{
    struct stem_error error = {0};
    struct stem_file *file = stem_file_create(params, &error);
    if (!file)
        fail_msg("%s", error.text);
    return file;
}

static void close_file(struct stem_file *file)
{
    struct stem_error error = {0};
    if (stem_file_close(file, true, &error))
        fail_msg("%s", error.text);
}

static void write_frames(struct stem_file *file, size_t frames)
{
    struct stem_error error = {0};
    if (stem_file_write(file, samples, frames, &error))
        fail_msg("%s", error.text);
}

static void check_format(
    enum stem_container container, enum stem_encoding encoding, uint32_t channels)
{
    const struct stem_file_params params = parameters(container, encoding, channels);
    struct stem_audio_info info;
    struct stem_error error = {0};
    struct stem_file *file = create(&params);
    write_frames(file, FRAMES);
    assert_int_equal(stem_file_frames(file), FRAMES);
    assert_int_equal(stem_file_clips(file), 0);
    close_file(file);
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, &error);
    if (!reader)
        fail_msg("%s", error.text);
    assert_int_equal(info.rate_hz, 44100);
    assert_int_equal(info.channels, channels);
    assert_int_equal(info.frames, FRAMES);
    assert_string_equal(info.container, stem_container_name(container));
    assert_string_equal(info.encoding, stem_encoding_name(encoding));
    assert_int_equal(stem_audio_reader_read(reader, back, FRAMES + 1), FRAMES);
    stem_audio_reader_close(reader);
    for (size_t k = 0; k < FRAMES * channels; k++)
        if (back[k] != (double)samples[k])
            fail_msg("%s %s, %u channels: sample %zu", stem_container_name(container),
                stem_encoding_name(encoding), channels, k);
    unlink(path);
}

static void test_stem_file_every_format_and_width_comes_back(void **state)
{
    (void)state;
    static const uint32_t WIDTHS[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 32};
    for (int c = STEM_WAV; c <= STEM_FLAC; c++)
        for (int e = STEM_PCM16; e <= STEM_DOUBLE; e++)
            for (size_t w = 0; w < sizeof WIDTHS / sizeof *WIDTHS; w++)
                if (stem_format_valid(
                        (enum stem_container)c, (enum stem_encoding)e, (int)WIDTHS[w]))
                    check_format((enum stem_container)c, (enum stem_encoding)e, WIDTHS[w]);
}

static void test_stem_file_impossible_formats_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum stem_container container;
        enum stem_encoding encoding;
        uint32_t channels;
    } CASES[] = {{STEM_FLAC, STEM_FLOAT, 2}, {STEM_FLAC, STEM_PCM32, 2}, {STEM_FLAC, STEM_PCM24, 9},
        {STEM_WAV, STEM_PCM24, 0}, {STEM_WAV, STEM_PCM24, 5000}};
    for (size_t k = 0; k < sizeof CASES / sizeof *CASES; k++) {
        struct stem_error error = {0};
        const struct stem_file_params params =
            parameters(CASES[k].container, CASES[k].encoding, CASES[k].channels);
        assert_null(stem_file_create(&params, &error));
        assert_non_null(strstr(error.text, path));
        assert_int_equal(access(path, F_OK), -1);
    }
}

static void test_stem_file_never_overwrites(void **state)
{
    (void)state;
    struct stem_error error = {0};
    const struct stem_file_params params = parameters(STEM_WAV, STEM_PCM24, 2);
    FILE *other = fopen(path, "w");
    fputs("precious", other);
    fclose(other);
    assert_null(stem_file_create(&params, &error));
    assert_non_null(strstr(error.text, "File exists"));
    char text[16] = "";
    other = fopen(path, "r");
    assert_non_null(fgets(text, sizeof text, other));
    fclose(other);
    assert_string_equal(text, "precious");
}

static void test_stem_file_folder_that_is_not_there(void **state)
{
    (void)state;
    struct stem_error error = {0};
    struct stem_file_params params = parameters(STEM_WAV, STEM_PCM24, 2);
    params.path = "/nowhere/at/all.wav";
    assert_null(stem_file_create(&params, &error));
    assert_non_null(strstr(error.text, "/nowhere/at/all.wav"));
    assert_non_null(strstr(error.text, "No such file or directory"));
}

static void test_stem_file_counts_peak_and_clips(void **state)
{
    (void)state;
    const float in[] = {0.25f, -0.5f, 1.5f, -1.25f, 0.0f, 0.999f};
    struct stem_error error = {0};
    const struct stem_file_params params = parameters(STEM_WAV, STEM_PCM16, 2);
    struct stem_file *file = create(&params);
    assert_int_equal(stem_file_write(file, in, 3, &error), 0);
    assert_int_equal(stem_file_clips(file), 2);
    assert_true(stem_file_peak(file) == 1.5f);
    assert_int_equal(stem_file_frames(file), 3);
    close_file(file);
}

/* RIFF chunks, read by hand: libsndfile is not asked about its own work. */

static unsigned char head[4096];

static uint64_t little_endian(const unsigned char *bytes, int size)
{
    uint64_t value = 0;
    for (int k = size; k > 0; k--)
        value = value << 8 | bytes[k - 1];
    return value;
}

/* The content of a chunk, or NULL; `*size` as its head says. Only chunks up to the audio. */
static const unsigned char *find_chunk(const char *name, uint32_t *size)
{
    for (size_t at = 12; at + 8 <= sizeof head;) {
        *size = (uint32_t)little_endian(head + at + 4, 4);
        if (memcmp(head + at, name, 4) == 0)
            return head + at + 8;
        if (memcmp(head + at, "data", 4) == 0)
            break;
        at += 8 + *size + *size % 2;
    }
    return NULL;
}

static uint64_t read_head(void)
{
    struct stat file;
    memset(head, 0, sizeof head);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_true(fread(head, 1, sizeof head, in) > 100);
    fclose(in);
    assert_int_equal(stat(path, &file), 0);
    return (uint64_t)file.st_size;
}

static void test_stem_file_broadcast_chunk(void **state)
{
    (void)state;
    const struct stem_file_params params = parameters(STEM_WAV, STEM_PCM24, 2);
    uint32_t size;
    struct stem_file *file = create(&params);
    write_frames(file, FRAMES);
    close_file(file);
    read_head();
    const unsigned char *bext = find_chunk("bext", &size); /* EBU Tech 3285 */
    assert_non_null(bext);
    assert_true(size >= 602);
    assert_string_equal((const char *)bext, "Drums");
    assert_string_equal((const char *)bext + 256, "stemd");
    assert_memory_equal(bext + 320,
        "2026-11-20"
        "21:53:07",
        18);
    assert_int_equal(little_endian(bext + 338, 8), params.time_reference_frames);
    assert_int_equal(little_endian(bext + 346, 2), 2); /* version */
    for (int k = 0; k < 5; k++)
        assert_int_equal(little_endian(bext + 412 + 2 * k, 2), 0x7FFF); /* not measured */
}

static void test_stem_file_tempo_chunk(void **state)
{
    (void)state;
    const struct stem_file_params params = parameters(STEM_WAV, STEM_PCM24, 2);
    uint32_t size;
    struct stem_file *file = create(&params);
    close_file(file);
    read_head();
    const unsigned char *acid = find_chunk("acid", &size);
    assert_non_null(acid);
    assert_int_equal(size, 24);
    assert_int_equal(little_endian(acid, 4) & 1, 1); /* one-shot: never a loop */
    float tempo;
    memcpy(&tempo, acid + 20, sizeof tempo);
    assert_true(tempo == 98.5f);
}

static void test_stem_file_without_metadata(void **state)
{
    (void)state;
    struct stem_file_params params = parameters(STEM_WAV, STEM_PCM24, 2);
    uint32_t size;
    params.description = params.originated = NULL;
    params.tempo_bpm = 0;
    close_file(create(&params));
    read_head();
    assert_null(find_chunk("bext", &size));
    assert_null(find_chunk("acid", &size));
}

static void test_stem_file_long_description_is_cut(void **state)
{
    (void)state;
    struct stem_file_params params = parameters(STEM_WAV, STEM_PCM24, 2);
    char text[1000];
    uint32_t size;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    params.description = text;
    close_file(create(&params));
    read_head();
    const unsigned char *bext = find_chunk("bext", &size);
    assert_non_null(bext);
    assert_int_equal(strnlen((const char *)bext, 256), 255);
    assert_string_equal((const char *)bext + 256, "stemd");
}

/* Metadata must not move while audio is written: flushes rewrite the header. */
static void test_stem_file_header_stays_as_it_is(void **state)
{
    (void)state;
    const struct stem_file_params params = parameters(STEM_WAV, STEM_PCM24, 2);
    struct stem_error error = {0};
    uint32_t size;
    struct stem_file *file = create(&params);
    assert_int_equal(stem_file_flush(file, &error), 0);
    read_head();
    assert_non_null(find_chunk("data", &size));
    const unsigned char *data = find_chunk("data", &size);
    for (int k = 0; k < 5; k++) {
        write_frames(file, FRAMES);
        assert_int_equal(stem_file_flush(file, &error), 0);
        uint64_t length = read_head();
        assert_ptr_equal(find_chunk("data", &size), data);
        assert_int_equal(size, (k + 1) * FRAMES * 6);
        assert_int_equal(length, (uint64_t)(data - head) + size);
        assert_int_equal(little_endian(head + 4, 4), length - 8);
    }
    close_file(file);
}

/* The size that a W64's audio chunk tells; the chunk ends the header. */
static uint64_t w64_size(uint64_t audio_at)
{
    return little_endian(head + audio_at - 8, 4) | (uint64_t)little_endian(head + audio_at - 4, 4)
                                                       << 32;
}

static void test_stem_file_w64_that_grows_tells_more_than_it_has(void **state)
{
    (void)state;
    const struct stem_file_params params = parameters(STEM_W64, STEM_PCM24, 2);
    struct stem_error error = {0};
    struct stem_file *file = create(&params);
    assert_int_equal(stem_file_flush(file, &error), 0);
    uint64_t audio_at = read_head();
    for (uint64_t k = 1; k <= 5; k++) {
        write_frames(file, FRAMES);
        uint64_t length = read_head(); /* between two headers */
        assert_true(w64_size(audio_at) > length);
        assert_int_equal(stem_file_flush(file, &error), 0);
        length = read_head();
        assert_int_equal(length, audio_at + k * FRAMES * 6);
        assert_true(w64_size(audio_at) > length);
    }
    close_file(file);
    read_head();
    assert_int_equal(w64_size(audio_at), 24 + 5 * FRAMES * 6);
}

/* Six bytes a frame; audio of so many bytes, most of it a hole. */
static void write_long(uint64_t audio_bytes)
{
    const struct stem_file_params params = parameters(STEM_WAV, STEM_PCM24, 2);
    struct stem_error error = {0};
    struct stem_file *file = create(&params);
    assert_int_equal(audio_bytes % 6, 0);
    if (stem_file_write_silence(file, audio_bytes / 6 - 1, &error))
        fail_msg("%s", error.text);
    write_frames(file, 1);
    close_file(file);
}

static void test_stem_file_below_4_gib_is_plain_wav(void **state)
{
    (void)state;
    const uint64_t audio = (UINT64_C(0xFFFFFFFF) - 4096) / 6 * 6;
    uint32_t size;
    write_long(audio);
    uint64_t length = read_head();
    assert_memory_equal(head, "RIFF", 4);
    assert_int_equal(little_endian(head + 4, 4), length - 8);
    assert_non_null(find_chunk("data", &size));
    assert_int_equal(size, audio);
    assert_null(find_chunk("ds64", &size));
}

static void test_stem_file_above_4_gib_is_rf64(void **state)
{
    (void)state;
    const uint64_t audio = (UINT64_C(0xFFFFFFFF) + 4096) / 6 * 6;
    uint32_t size;
    write_long(audio);
    uint64_t length = read_head();
    assert_memory_equal(head, "RF64\xFF\xFF\xFF\xFFWAVE", 12);
    const unsigned char *ds64 = find_chunk("ds64", &size); /* EBU Tech 3306 */
    assert_non_null(ds64);
    assert_ptr_equal(ds64, head + 20); /* the first one */
    assert_int_equal(little_endian(ds64, 8), length - 8);
    assert_int_equal(little_endian(ds64 + 8, 8), audio);
    assert_int_equal(little_endian(ds64 + 16, 8), audio / 6);
    const unsigned char *data = find_chunk("data", &size);
    assert_non_null(data);
    assert_int_equal(size, 0xFFFFFFFF);
    assert_int_equal((uint64_t)(data - head) + audio, length);
}

/* What another program says of the file; skipped where there is none. */
static void ask_ffprobe(const char *entry, char answer[128])
{
    char command[400];
    if (system("command -v ffprobe >/dev/null 2>&1") != 0)
        skip();
    snprintf(command, sizeof command,
        "ffprobe -v error -of default=nw=1:nk=1 -show_entries %s %s 2>&1", entry, path);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    if (!fgets(answer, 128, out))
        answer[0] = '\0';
    pclose(out);
    answer[strcspn(answer, "\n")] = '\0';
}

static void test_stem_file_as_ffprobe_sees_it(void **state)
{
    (void)state;
    static const char *const ANSWERS[][2] = {{"stream=sample_rate", "44100"},
        {"stream=channels", "2"}, {"stream=codec_name", "pcm_s24le"},
        {"format_tags=time_reference", "30066005639"}, {"format_tags=comment", "Drums"},
        {"format_tags=encoded_by", "stemd"}, {"format_tags=date", "2026-11-20"},
        {"format_tags=creation_time", "21:53:07"}, {"format=format_name", "wav"}};
    char answer[128];
    write_long(6 * FRAMES);
    for (size_t k = 0; k < sizeof ANSWERS / sizeof *ANSWERS; k++) {
        ask_ffprobe(ANSWERS[k][0], answer);
        if (strcmp(answer, ANSWERS[k][1]) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", ANSWERS[k][0], answer, ANSWERS[k][1]);
    }
}

static void test_stem_file_beyond_4_gib_as_ffprobe_sees_it(void **state)
{
    (void)state;
    char answer[128];
    write_long(UINT64_C(6) * 44100 * 20000); /* 4.9 GiB */
    ask_ffprobe("stream=duration_ts", answer);
    assert_string_equal(answer, "882000000");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_stem_file_every_format_and_width_comes_back),
        TEST(test_stem_file_impossible_formats_are_refused),
        TEST(test_stem_file_never_overwrites),
        TEST(test_stem_file_folder_that_is_not_there),
        TEST(test_stem_file_counts_peak_and_clips),
        TEST(test_stem_file_broadcast_chunk),
        TEST(test_stem_file_tempo_chunk),
        TEST(test_stem_file_without_metadata),
        TEST(test_stem_file_long_description_is_cut),
        TEST(test_stem_file_header_stays_as_it_is),
        TEST(test_stem_file_w64_that_grows_tells_more_than_it_has),
        TEST(test_stem_file_below_4_gib_is_plain_wav),
        TEST(test_stem_file_above_4_gib_is_rf64),
        TEST(test_stem_file_as_ffprobe_sees_it),
        TEST(test_stem_file_beyond_4_gib_as_ffprobe_sees_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
