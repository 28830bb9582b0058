/* Markers and loudness in WAV files that are made byte by byte: small ones, RF64, odd sizes, and
 * ones whose sizes are wrong. Whatever happens, the audio's bytes stay what they were. */
#include "bext.h"
#include "cue.h"
#include "riff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 4096, BEXT_BYTES = 602 };

struct scene {
    char path[64];
    unsigned char bytes[MOST_BYTES]; /* of the file */
    size_t size;
    size_t audio_at, audio_size;
    struct stem_take take;
    struct stem_error error;
};

static int make_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    snprintf(scene->path, sizeof scene->path, "/tmp/stemd-riff-XXXXXX");
    int fd = mkstemp(scene->path);
    *state = scene;
    return fd < 0 ? -1 : close(fd);
}

static int remove_scene(void **state)
{
    struct scene *scene = *state;
    stem_take_finish(&scene->take);
    int status = unlink(scene->path);
    free(scene);
    return status;
}

static void put(struct scene *scene, const void *bytes, size_t size)
{
    memcpy(scene->bytes + scene->size, bytes, size);
    scene->size += size;
}

static void put_number(struct scene *scene, uint64_t number, size_t size)
{
    stem_riff_set_number(scene->bytes + scene->size, number, size);
    scene->size += size;
}

static void put_bext(struct scene *scene, unsigned version)
{
    unsigned char bext[BEXT_BYTES] = "Drums";
    stem_riff_set_number(bext + 346, version, 2);
    for (int k = 0; k < 5; k++)
        stem_riff_set_number(bext + 412 + 2 * k, 0x7FFF, 2);
    put(scene, "bext", 4);
    put_number(scene, BEXT_BYTES, 4);
    put(scene, bext, sizeof bext);
}

static void put_audio(struct scene *scene, size_t size, bool is_rf64, bool padded)
{
    put(scene, "data", 4);
    put_number(scene, is_rf64 ? 0xFFFFFFFF : size, 4);
    scene->audio_at = scene->size;
    scene->audio_size = size;
    for (size_t k = 0; k < size; k++)
        scene->bytes[scene->size++] = (unsigned char)(k * 37 + 1);
    if (size % 2 && padded)
        put(scene, "", 1);
}

static void save(const struct scene *scene)
{
    FILE *file = fopen(scene->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(scene->bytes, 1, scene->size, file), scene->size);
    assert_int_equal(fclose(file), 0);
}

static void load(struct scene *scene)
{
    FILE *file = fopen(scene->path, "rb");
    assert_non_null(file);
    scene->size = fread(scene->bytes, 1, MOST_BYTES, file);
    fclose(file);
}

/* A plain file: format, bext, audio of so many bytes. */
static void make_wav(struct scene *scene, size_t audio, bool padded)
{
    scene->size = 0;
    put(scene, "RIFF\0\0\0\0WAVEfmt ", 16);
    put_number(scene, 16, 4);
    put(scene, "\1\0\1\0\200\273\0\0\200\62\2\0\3\0\30\0", 16);
    put_bext(scene, 2);
    put_audio(scene, audio, false, padded);
    stem_riff_set_number(scene->bytes + 4, scene->size - 8, 4);
    save(scene);
}

/* An RF64 file as of more than 4 GiB, but small. */
static void make_rf64(struct scene *scene, size_t audio)
{
    scene->size = 0;
    put(scene, "RF64\377\377\377\377WAVEds64", 16);
    put_number(scene, 28, 4);
    put_number(scene, 0, 8);
    put_number(scene, audio, 8);
    put_number(scene, 0, 8);
    put_number(scene, 0, 4);
    put_audio(scene, audio, true, true);
    stem_riff_set_number(scene->bytes + 20, scene->size - 8, 8);
    save(scene);
}

static void mark(struct scene *scene, uint64_t frame, const char *text)
{
    assert_int_equal(stem_take_add_marker(&scene->take, frame, text), 0);
}

static void assert_audio(struct scene *scene)
{
    load(scene);
    for (size_t k = 0; k < scene->audio_size; k++)
        assert_int_equal(scene->bytes[scene->audio_at + k], (unsigned char)(k * 37 + 1));
}

/* The file is whole: it ends where its header says, and its chunks fill it. */
static void assert_whole(struct scene *scene, const char *last)
{
    struct stem_riff riff;
    assert_int_equal(stem_riff_open(&riff, scene->path, &scene->error), 0);
    assert_int_equal(riff.end, riff.file_bytes);
    const struct stem_riff_chunk *chunk = &riff.chunks[riff.count - 1];
    assert_string_equal(chunk->id, last);
    uint64_t end = chunk->at + 8 + chunk->bytes;
    assert_true(end == riff.end || end + 1 == riff.end);
    stem_riff_close(&riff);
}

static void write_cues(struct scene *scene)
{
    int status = stem_cue_write(scene->path, &scene->take, &scene->error);
    assert_string_equal(scene->error.text, "");
    assert_int_equal(status, 0);
}

static const unsigned char TAIL[] = "cue \64\0\0\0\2\0\0\0"
                                    "\1\0\0\0\5\0\0\0data\0\0\0\0\0\0\0\0\5\0\0\0"
                                    "\2\0\0\0\0\1\0\0data\0\0\0\0\0\0\0\0\0\1\0\0"
                                    "LIST\44\0\0\0adtl"
                                    "labl\7\0\0\0\1\0\0\0ab\0\0"
                                    "labl\10\0\0\0\2\0\0\0cde";

/* Everything behind the audio, byte by byte. */
static void assert_tail(struct scene *scene)
{
    size_t at = scene->audio_at + scene->audio_size + scene->audio_size % 2;
    assert_audio(scene);
    assert_int_equal(scene->size - at, sizeof TAIL);
    assert_memory_equal(scene->bytes + at, TAIL, sizeof TAIL);
    assert_whole(scene, "LIST");
}

static void test_riff_cues_stand_behind_the_audio(void **state)
{
    struct scene *scene = *state;
    mark(scene, 5, "ab");
    mark(scene, 256, "cde");
    make_wav(scene, 96, true);
    write_cues(scene);
    assert_tail(scene);
}

static void test_riff_cues_follow_audio_of_odd_size(void **state)
{
    struct scene *scene = *state;
    mark(scene, 5, "ab");
    mark(scene, 256, "cde");
    make_wav(scene, 99, true);
    write_cues(scene);
    assert_tail(scene);
    make_wav(scene, 99, false); /* written without its pad byte */
    write_cues(scene);
    assert_tail(scene);
}

static void test_riff_cues_fit_into_rf64(void **state)
{
    struct scene *scene = *state;
    mark(scene, 5, "ab");
    mark(scene, 256, "cde");
    make_rf64(scene, 99);
    write_cues(scene);
    assert_tail(scene);
    assert_int_equal(stem_riff_number(scene->bytes + 4, 4), 0xFFFFFFFF);
    assert_int_equal(stem_riff_number(scene->bytes + 20, 8), scene->size - 8);
    assert_int_equal(stem_riff_number(scene->bytes + 28, 8), 99);
}

static void test_riff_cues_are_replaced_and_removed(void **state)
{
    struct scene *scene = *state;
    make_wav(scene, 96, true);
    size_t bare = scene->size;
    mark(scene, 1, "something longer than what comes later");
    write_cues(scene);
    stem_take_finish(&scene->take);
    mark(scene, 5, "ab");
    mark(scene, 256, "cde");
    write_cues(scene);
    assert_tail(scene);
    stem_take_finish(&scene->take);
    write_cues(scene);
    assert_audio(scene);
    assert_int_equal(scene->size, bare);
    assert_whole(scene, "data");
}

static void test_riff_cues_that_are_there_are_not_written_again(void **state)
{
    struct scene *scene = *state;
    struct stat before, after;
    mark(scene, 5, "ab");
    make_wav(scene, 99, true);
    write_cues(scene);
    assert_int_equal(chmod(scene->path, 0444), 0);
    assert_int_equal(stat(scene->path, &before), 0);
    write_cues(scene);
    assert_int_equal(stat(scene->path, &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
}

/* Killed at any moment of writing: the chunks are partly there, the header does not know. */
static void test_riff_cues_are_completed_after_a_crash(void **state)
{
    struct scene *scene = *state;
    mark(scene, 5, "ab");
    mark(scene, 256, "cde");
    for (size_t written = 4; written <= sizeof TAIL; written++) {
        make_wav(scene, 99, true);
        put(scene, TAIL, written);
        save(scene);
        write_cues(scene);
        assert_tail(scene);
    }
}

static void test_riff_cues_leave_the_last_places_out(void **state)
{
    struct scene *scene = *state;
    mark(scene, 5, "ab");
    mark(scene, 256, "cde");
    mark(scene, (uint64_t)1 << 32, "too far");
    make_wav(scene, 96, true);
    write_cues(scene);
    assert_tail(scene);
}

/* Refused, with the sentence, and the file is as it was. */
static void assert_refused(struct scene *scene, const char *sentence)
{
    unsigned char before[MOST_BYTES];
    size_t size = scene->size;
    memcpy(before, scene->bytes, size);
    save(scene);
    scene->error.text[0] = '\0';
    assert_int_equal(stem_cue_write(scene->path, &scene->take, &scene->error), -1);
    if (!strstr(scene->error.text, sentence))
        fail_msg("expected \"%s\" in \"%s\"", sentence, scene->error.text);
    load(scene);
    assert_int_equal(scene->size, size);
    assert_memory_equal(scene->bytes, before, size);
}

static void test_riff_refuses_sizes_that_are_wrong(void **state)
{
    struct scene *scene = *state;
    mark(scene, 5, "ab");
    make_wav(scene, 96, true);
    stem_riff_set_number(scene->bytes + 4, scene->size, 4);
    assert_refused(scene, "shorter than its header says");
    make_wav(scene, 96, true);
    stem_riff_set_number(scene->bytes + scene->audio_at - 4, 98, 4);
    assert_refused(scene, "its chunks do not fit");
    make_wav(scene, 96, true);
    stem_riff_set_number(scene->bytes + scene->audio_at - 4, 0xFFFFFFFF, 4);
    assert_refused(scene, "its chunks do not fit");
    make_rf64(scene, 96);
    stem_riff_set_number(scene->bytes + 20, UINT64_MAX, 8);
    assert_refused(scene, "shorter than its header says");
    make_rf64(scene, 96);
    stem_riff_set_number(scene->bytes + 28, UINT64_MAX - 20, 8);
    assert_refused(scene, "its chunks do not fit");
}

static void test_riff_refuses_what_is_no_wav(void **state)
{
    struct scene *scene = *state;
    mark(scene, 5, "ab");
    make_wav(scene, 96, true);
    memcpy(scene->bytes, "RIFX", 4);
    assert_refused(scene, "it is no WAV file");
    make_wav(scene, 96, true);
    memcpy(scene->bytes + scene->audio_at - 8, "date", 4);
    assert_refused(scene, "it has no audio");
    make_rf64(scene, 96);
    memcpy(scene->bytes + 12, "JUNK", 4);
    assert_refused(scene, "its sizes are missing");
    scene->size = 7;
    assert_refused(scene, "it ends too early");
    scene->size = 0;
    assert_refused(scene, "it ends too early");
}

/* Audio that the header does not count yet, of a recorder that was killed, is never cut. */
static void test_riff_refuses_bytes_behind_the_end(void **state)
{
    struct scene *scene = *state;
    mark(scene, 5, "ab");
    make_wav(scene, 96, true);
    put(scene, "audio of a recorder that was killed", 35);
    assert_refused(scene, "bytes behind its end");
}

static void test_riff_refuses_chunks_of_others_behind_cues(void **state)
{
    struct scene *scene = *state;
    mark(scene, 5, "ab");
    make_wav(scene, 96, true);
    put(scene, "cue \4\0\0\0\0\0\0\0iXML\2\0\0\0ab", 22);
    stem_riff_set_number(scene->bytes + 4, scene->size - 8, 4);
    assert_refused(scene, "left alone");
}

static void test_riff_never_patches_audio(void **state)
{
    struct scene *scene = *state;
    struct stem_riff riff;
    make_wav(scene, 96, true);
    assert_int_equal(stem_riff_open(&riff, scene->path, &scene->error), 0);
    for (size_t k = 0; k < 96; k++)
        assert_int_equal(stem_riff_patch(&riff, scene->audio_at + k, "x", 1, &scene->error), -1);
    assert_int_equal(stem_riff_patch(&riff, scene->audio_at - 1, "xx", 2, &scene->error), -1);
    assert_int_equal(stem_riff_replace_tail(&riff, scene->audio_at + 95, "", 0, &scene->error), -1);
    stem_riff_close(&riff);
    assert_audio(scene);
}

/* Loudness */

static void assert_loudness(struct scene *scene, const int expected[5])
{
    const unsigned char *bext = scene->bytes + 12 + 24 + 8;
    assert_audio(scene);
    assert_string_equal((const char *)bext, "Drums");
    for (int k = 0; k < 5; k++)
        assert_int_equal((int16_t)stem_riff_number(bext + 412 + 2 * k, 2), expected[k]);
    for (size_t k = 422; k < BEXT_BYTES; k++)
        assert_int_equal(bext[k], 0);
}

static void test_riff_loudness_is_told_in_hundredths(void **state)
{
    struct scene *scene = *state;
    struct stem_take_levels levels = {.measured = true,
        .integrated_lufs = -23.456,
        .range_lu = 7.1,
        .true_peak_dbtp = 0.315,
        .momentary_lufs = -18.0,
        .short_term_lufs = -99.999};
    make_wav(scene, 99, true);
    assert_int_equal(stem_bext_set_loudness(scene->path, &levels, &scene->error), 0);
    assert_loudness(scene, (const int[]){-2346, 710, 32, -1800, 0x7FFF});
}

static void test_riff_loudness_of_silence_is_unset(void **state)
{
    struct scene *scene = *state;
    const int unset[] = {0x7FFF, 0x7FFF, 0x7FFF, 0x7FFF, 0x7FFF};
    struct stem_take_levels levels = {.measured = true,
        .integrated_lufs = -HUGE_VAL,
        .range_lu = 100,
        .true_peak_dbtp = -HUGE_VAL,
        .momentary_lufs = -HUGE_VAL,
        .short_term_lufs = NAN};
    make_wav(scene, 99, true);
    assert_int_equal(stem_bext_set_loudness(scene->path, &levels, &scene->error), 0);
    assert_loudness(scene, unset);
    levels = (struct stem_take_levels){.measured = true, .silent = true};
    assert_int_equal(stem_bext_set_loudness(scene->path, &levels, &scene->error), 0);
    assert_loudness(scene, unset);
}

static void test_riff_loudness_leaves_old_versions_alone(void **state)
{
    struct scene *scene = *state;
    struct stem_take_levels levels = {.measured = true, .integrated_lufs = -20};
    make_wav(scene, 99, true);
    scene->bytes[12 + 24 + 8 + 346] = 1;
    save(scene);
    assert_int_equal(stem_bext_set_loudness(scene->path, &levels, &scene->error), 0);
    assert_loudness(scene, (const int[]){0x7FFF, 0x7FFF, 0x7FFF, 0x7FFF, 0x7FFF});
    make_rf64(scene, 99); /* has none */
    assert_int_equal(stem_bext_set_loudness(scene->path, &levels, &scene->error), 0);
    assert_audio(scene);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_riff_cues_stand_behind_the_audio),
        SCENE_TEST(test_riff_cues_follow_audio_of_odd_size),
        SCENE_TEST(test_riff_cues_fit_into_rf64),
        SCENE_TEST(test_riff_cues_are_replaced_and_removed),
        SCENE_TEST(test_riff_cues_that_are_there_are_not_written_again),
        SCENE_TEST(test_riff_cues_are_completed_after_a_crash),
        SCENE_TEST(test_riff_cues_leave_the_last_places_out),
        SCENE_TEST(test_riff_refuses_sizes_that_are_wrong),
        SCENE_TEST(test_riff_refuses_what_is_no_wav),
        SCENE_TEST(test_riff_refuses_bytes_behind_the_end),
        SCENE_TEST(test_riff_refuses_chunks_of_others_behind_cues),
        SCENE_TEST(test_riff_never_patches_audio),
        SCENE_TEST(test_riff_loudness_is_told_in_hundredths),
        SCENE_TEST(test_riff_loudness_of_silence_is_unset),
        SCENE_TEST(test_riff_loudness_leaves_old_versions_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
