/* What the reader says of files that others wrote, of broken ones, and of no files at all. */
#include "audio_reader.h"
#include "scratch_file.h"

#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_sound(int format, int channels, const double *samples, sf_count_t frames)
{
    SF_INFO info = {.samplerate = 44100, .channels = channels, .format = format};
    SNDFILE *sound = sf_open(path, SFM_WRITE, &info);
    assert_non_null(sound);
    assert_int_equal(sf_writef_double(sound, samples, frames), frames);
    sf_close(sound);
}

static void write_bytes(const void *bytes, size_t size)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    fclose(out);
}

/* Opening must fail with a sentence that holds the path and `reason`. */
static void check_refused(const char *reason)
{
    struct stem_audio_info info;
    struct stem_error error = {0};
    assert_null(stem_audio_reader_open(path, &info, &error));
    assert_non_null(strstr(error.text, path));
    if (!strstr(error.text, reason))
        fail_msg("\"%s\" does not say \"%s\"", error.text, reason);
    assert_int_not_equal(error.text[strlen(error.text) - 1], '.');
}

static void check_described(int format, const char *container, const char *encoding)
{
    const double samples[6] = {0.5, -0.5, 0.25, -0.25, 0, 0.125};
    struct stem_audio_info info;
    struct stem_error error = {0};
    write_sound(format, 2, samples, 3);
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, &error);
    if (!reader)
        fail_msg("%s", error.text);
    assert_string_equal(info.container, container);
    assert_string_equal(info.encoding, encoding);
    assert_int_equal(info.rate_hz, 44100);
    assert_int_equal(info.channels, 2);
    assert_int_equal(info.frames, 3);
    stem_audio_reader_close(reader);
}

static void test_audio_reader_names_containers_and_encodings(void **state)
{
    (void)state;
    check_described(SF_FORMAT_WAV | SF_FORMAT_PCM_16, "wav", "pcm16");
    check_described(SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, "wav", "pcm24");
    check_described(SF_FORMAT_RF64 | SF_FORMAT_PCM_32, "wav", "pcm32");
    check_described(SF_FORMAT_W64 | SF_FORMAT_FLOAT, "w64", "float");
    check_described(SF_FORMAT_CAF | SF_FORMAT_DOUBLE, "caf", "double");
    check_described(SF_FORMAT_AIFF | SF_FORMAT_PCM_24, "aiff", "pcm24");
    check_described(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, "flac", "pcm16");
    check_described(SF_FORMAT_AU | SF_FORMAT_ULAW, "other", "other");
}

static void test_audio_reader_reads_integers_as_parts_of_full_scale(void **state)
{
    (void)state;
    /* mono, 24 bit: -2^23, 2^23 - 1, 1 */
    const unsigned char wav[] = "RIFF\x2D\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\xBB\0\0\x80\x32\2\0\3"
                                "\0\x18\0data\x9\0\0\0\0\0\x80\xFF\xFF\x7F\1\0\0";
    struct stem_audio_info info;
    struct stem_error error = {0};
    double back[4];
    write_bytes(wav, sizeof wav - 1);
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, &error);
    if (!reader)
        fail_msg("%s", error.text);
    assert_int_equal(stem_audio_reader_read(reader, back, 4), 3);
    assert_true(back[0] == -1.0);
    assert_true(back[1] == 8388607.0 / 8388608.0);
    assert_true(back[2] == 1.0 / 8388608.0);
    assert_int_equal(stem_audio_reader_read(reader, back, 4), 0);
    stem_audio_reader_close(reader);
}

static void test_audio_reader_leaves_floats_above_full_scale(void **state)
{
    (void)state;
    const double samples[] = {2.5, -1e-300, 1.0};
    double back[3];
    struct stem_audio_info info;
    write_sound(SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 1, samples, 3);
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, NULL);
    assert_non_null(reader);
    assert_int_equal(stem_audio_reader_read(reader, back, 3), 3);
    assert_memory_equal(back, samples, sizeof samples);
    stem_audio_reader_close(reader);
}

static void test_audio_reader_refuses_what_is_no_audio_file(void **state)
{
    (void)state;
    check_refused("No such file or directory");
    assert_int_equal(mkdir(path, 0700), 0);
    check_refused("not an ordinary file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    check_refused("not an ordinary file");
    assert_int_equal(unlink(path), 0);
    write_bytes("", 0);
    check_refused("");
    write_bytes("{ \"not\": \"audio\" }\n", 19);
    check_refused("Format not recognised");
    stem_audio_reader_close(NULL);
}

/* A length that leads libsndfile back to where it was: it would read this list for ever. */
static void test_audio_reader_refuses_a_list_without_end(void **state)
{
    static const unsigned char LIST[] = {'L', 'I', 'S', 'T', 24, 0, 0, 0, 'a', 'd', 't', 'l', 'l',
        'a', 'b', 0x94, 0xF4, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 'S', 'o', 'l', 'o', 0, 0, 0, 0};
    enum { PATIENCE_SECONDS = 20 };
    static const double SAMPLES[4] = {0.5, 0.25, 0, -0.5};
    struct stem_audio_info info;
    (void)state;
    write_sound(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, SAMPLES, 4);
    FILE *out = fopen(path, "ab");
    assert_non_null(out);
    assert_int_equal(fwrite(LIST, 1, sizeof LIST, out), sizeof LIST);
    fclose(out);
    alarm(PATIENCE_SECONDS);
    check_refused("list");
    alarm(0);
    out = fopen(path, "r+b");
    assert_non_null(out);
    assert_int_equal(fseek(out, -16, SEEK_END), 0);
    assert_int_equal(fwrite("\x0c\0\0\0", 1, 4, out), 4);
    fclose(out);
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, NULL);
    assert_non_null(reader);
    assert_int_equal(info.frames, 4);
    stem_audio_reader_close(reader);
}

static void test_audio_reader_reads_a_cut_file_up_to_the_cut(void **state)
{
    (void)state;
    static double samples[1000], back[1000];
    struct stem_audio_info info;
    struct stat file;
    for (int i = 0; i < 1000; i++)
        samples[i] = (double)(i % 512) / 1024;
    write_sound(SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 1, samples, 1000);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(truncate(path, file.st_size - 400 * (off_t)sizeof *samples), 0);
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, NULL);
    assert_non_null(reader);
    assert_int_equal(info.frames, 600);
    assert_int_equal(stem_audio_reader_read(reader, back, 1000), 600);
    assert_memory_equal(back, samples, 600 * sizeof *back);
    stem_audio_reader_close(reader);
}

/* STREAMINFO's count of samples set to 0 means "unknown": a killed recorder leaves it so. */
static void test_audio_reader_counts_flac_of_unknown_length(void **state)
{
    (void)state;
    enum { COUNT_AT = 21, FRAMES = 10000 };
    static double samples[FRAMES], back[FRAMES + 1];
    struct stem_audio_info info;
    for (int i = 0; i < FRAMES; i++)
        samples[i] = (double)(i % 512) / 1024;
    write_sound(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1, samples, FRAMES);
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fseek(file, COUNT_AT, SEEK_SET), 0);
    /* the lower half of "bits per sample - 1", then 36 bits of count */
    assert_int_equal(fwrite((unsigned char[]){0xF0, 0, 0, 0, 0}, 1, 5, file), 5);
    fclose(file);
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, NULL);
    assert_non_null(reader);
    assert_int_equal(info.frames, FRAMES);
    assert_int_equal(stem_audio_reader_read(reader, back, FRAMES + 1), FRAMES);
    assert_memory_equal(back, samples, sizeof samples);
    stem_audio_reader_close(reader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_audio_reader_names_containers_and_encodings),
        TEST(test_audio_reader_reads_integers_as_parts_of_full_scale),
        TEST(test_audio_reader_leaves_floats_above_full_scale),
        TEST(test_audio_reader_refuses_what_is_no_audio_file),
        TEST(test_audio_reader_refuses_a_list_without_end),
        TEST(test_audio_reader_reads_a_cut_file_up_to_the_cut),
        TEST(test_audio_reader_counts_flac_of_unknown_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
