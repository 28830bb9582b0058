/* What is left when the recorder is killed or the disk is full. Children do the writing. */
#include "audio_reader.h"
#include "stem_file.h"
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHANNELS = 2, BLOCK = 4800, BLOCKS = 60, FRAMES = BLOCK * BLOCKS, FLAC_BLOCK = 4096 };
enum { EXIT_SKIP = 77 };

static char *folder;
static char path[128];
static float *samples; /* noise that a FLAC encoder cannot make small */

static int set_up(void **state)
{
    (void)state;
    folder = scratch_make();
    snprintf(path, sizeof path, "%s/file", folder);
    samples = malloc(FRAMES * CHANNELS * sizeof *samples);
    unsigned seed = 1;
    for (int k = 0; k < FRAMES * CHANNELS; k++) {
        seed = seed * 1664525u + 1013904223u;
        samples[k] = (float)((int)(seed >> 8) - (1 << 23)) * 0x1p-23f;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(samples);
    scratch_remove(folder);
    return 0;
}

static struct stem_file *create(enum stem_container container, struct stem_error *error)
{
    const struct stem_file_params params = {.path = path,
        .container = container,
        .encoding = STEM_PCM24,
        .rate_hz = 48000,
        .channels = CHANNELS,
        .originated = "2026-11-20T21:53:07",
        .tempo_bpm = 120};
    return stem_file_create(&params, error);
}

/* Runs `work` in a child; true when it ended by itself. A child that could not do what it should
 * says why and leaves with 1. */
static bool run_child(void (*work)(enum stem_container), enum stem_container container)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        work(container);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP)
        skip();
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        fail_msg("%s: the writing child failed", stem_container_name(container));
    return WIFEXITED(status);
}

#define CHILD_ASSERT(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s does not hold\n", __LINE__, #condition);                  \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* How many frames the file says it has; false when one of them is wrong or missing. */
static bool read_back(uint64_t *frames)
{
    static double back[BLOCK * CHANNELS];
    struct stem_audio_info info;
    struct stem_error error = {0};
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, &error);
    if (!reader) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    uint64_t at = 0;
    bool same = info.frames <= FRAMES;
    size_t got;
    while (same && (got = stem_audio_reader_read(reader, back, BLOCK)) > 0) {
        for (size_t k = 0; k < got * CHANNELS && same; k++)
            same = at + got <= FRAMES && back[k] == (double)samples[at * CHANNELS + k];
        at += got;
    }
    stem_audio_reader_close(reader);
    *frames = info.frames;
    return same && at == info.frames;
}

static void be_killed(enum stem_container container)
{
    struct stem_file *file = create(container, NULL);
    CHILD_ASSERT(file);
    for (size_t k = 0; k < BLOCKS; k++) {
        if (k == BLOCKS / 4 || k == BLOCKS / 2)
            CHILD_ASSERT(stem_file_flush(file, NULL) == 0);
        CHILD_ASSERT(stem_file_write(file, samples + k * BLOCK * CHANNELS, BLOCK, NULL) == 0);
    }
    raise(SIGKILL);
}

static void test_stem_file_faults_killed_leaves_all_that_was_flushed(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++) {
        const char *name = stem_container_name((enum stem_container)c);
        uint64_t frames = 0, least = FRAMES / 2 - (c == STEM_FLAC ? FLAC_BLOCK : 0);
        assert_false(run_child(be_killed, (enum stem_container)c));
        if (!read_back(&frames))
            fail_msg("%s: frames are wrong or missing", name);
        if (frames < least)
            fail_msg("%s: only %llu of %d frames", name, (unsigned long long)frames, FRAMES / 2);
        unlink(path);
    }
}

static void be_killed_at_once(enum stem_container container)
{
    CHILD_ASSERT(create(container, NULL));
    raise(SIGKILL);
}

/* Nothing was ever flushed: an empty or no audio file, but nothing that upsets a reader. */
static void test_stem_file_faults_killed_at_once(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++) {
        struct stem_audio_info info = {0};
        assert_false(run_child(be_killed_at_once, (enum stem_container)c));
        stem_audio_reader_close(stem_audio_reader_open(path, &info, NULL));
        assert_int_equal(info.frames, 0);
        unlink(path);
    }
}

static uint32_t little_endian(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* In WAV the sizes must match the file, and the audio end with a whole frame: other readers than
 * ours insist on it. */
static void check_riff_sizes(void)
{
    unsigned char head[4096];
    struct stat file;
    FILE *in = fopen(path, "rb");
    CHILD_ASSERT(in && fread(head, 1, sizeof head, in) == sizeof head);
    fclose(in);
    CHILD_ASSERT(stat(path, &file) == 0 && memcmp(head, "RIFF", 4) == 0);
    CHILD_ASSERT(little_endian(head + 4) + 8 == file.st_size);
    const unsigned char *data = memmem(head, sizeof head, "data", 4);
    CHILD_ASSERT(data);
    uint32_t size = little_endian(data + 4);
    CHILD_ASSERT(size % (CHANNELS * 3) == 0);
    CHILD_ASSERT((data - head) + 8 + size + size % 2 == file.st_size);
}

/* Writes until it fails with `problem`; what is left must be valid and as long as it says. */
static void write_until_full(enum stem_container container, int problem)
{
    struct stem_error error = {0}, again = {0};
    struct stem_file *file = create(container, &error);
    int status = 0;
    uint64_t found = 0;
    CHILD_ASSERT(file);
    for (size_t k = 0; k < BLOCKS && status == 0; k++) {
        status = stem_file_write(file, samples + k * BLOCK * CHANNELS, BLOCK, &error);
        if (status == 0 && k % 7 == 0)
            status = stem_file_flush(file, &error);
    }
    CHILD_ASSERT(status == -1);
    CHILD_ASSERT(strstr(error.text, path) && strstr(error.text, strerror(problem)));
    CHILD_ASSERT(stem_file_write(file, samples, 1, &again) == -1);
    CHILD_ASSERT(strcmp(error.text, again.text) == 0);
    CHILD_ASSERT(stem_file_write_silence(file, 1, NULL) == -1);
    CHILD_ASSERT(stem_file_flush(file, NULL) == -1);
    uint64_t frames = stem_file_frames(file);
    CHILD_ASSERT(stem_file_close(file, true, &error) == -1);
    CHILD_ASSERT(strstr(error.text, path) && strstr(error.text, strerror(problem)));
    CHILD_ASSERT(read_back(&found));
    CHILD_ASSERT(found > 0 && found == frames);
    if (container == STEM_WAV)
        check_riff_sizes();
}

static void reach_limit(enum stem_container container)
{
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t size = 300001; size < 900000; size += 99999) {
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = size, .rlim_max = RLIM_INFINITY});
        write_until_full(container, EFBIG);
        unlink(path);
    }
}

static void test_stem_file_faults_limit_leaves_a_valid_file(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++)
        assert_true(run_child(reach_limit, (enum stem_container)c));
}

/* A file system of its own, seen by this child only. */
static void fill_disk(enum stem_container container)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", 0, "size=700k") != 0)
        _exit(EXIT_SKIP);
    write_until_full(container, ENOSPC);
}

static void test_stem_file_faults_full_disk_leaves_a_valid_file(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++)
        assert_true(run_child(fill_disk, (enum stem_container)c));
}

/* All was gathered until the end: closing finds that there is no room. */
static void close_without_room(enum stem_container container)
{
    struct stem_error error = {0};
    uint64_t found = 0;
    struct stem_file *file = create(container, &error);
    CHILD_ASSERT(file && stem_file_write(file, samples, BLOCK, &error) == 0);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 20003, .rlim_max = RLIM_INFINITY});
    CHILD_ASSERT(stem_file_close(file, true, &error) == -1);
    CHILD_ASSERT(strstr(error.text, path) && strstr(error.text, strerror(EFBIG)));
    CHILD_ASSERT(read_back(&found) && found < BLOCK);
    CHILD_ASSERT(container == STEM_FLAC ? found == 0 /* less than a block */ : found > 0);
    if (container == STEM_WAV)
        check_riff_sizes();
}

static void test_stem_file_faults_close_without_room(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++) {
        assert_true(run_child(close_without_room, (enum stem_container)c));
        unlink(path);
    }
}

/* Cuts a file that has been written to `frames`; what is left must be valid and have `left`. */
static void cut_file(enum stem_container container, bool is_ended, uint64_t frames, uint64_t left)
{
    struct stem_error error = {0};
    uint64_t found = 0;
    struct stem_file *file = create(container, &error);
    CHILD_ASSERT(file);
    for (size_t k = 0; k < BLOCKS; k++)
        CHILD_ASSERT(stem_file_write(file, samples + k * BLOCK * CHANNELS, BLOCK, &error) == 0);
    if (is_ended)
        CHILD_ASSERT(stem_file_end(file, &error) == 0);
    stem_file_cut(file, frames);
    CHILD_ASSERT(stem_file_frames(file) == left);
    CHILD_ASSERT(stem_file_close(file, true, &error) == 0);
    CHILD_ASSERT(read_back(&found) && found == left);
    if (container == STEM_WAV && left > BLOCK)
        check_riff_sizes();
    unlink(path);
}

static void cut_files(enum stem_container container)
{
    const uint64_t block = container == STEM_FLAC ? FLAC_BLOCK : 1;
    const uint64_t last = (FRAMES - 1) / block * block; /* the encoder kept what is behind it */
    for (int is_ended = 0; is_ended < 2; is_ended++) {
        cut_file(container, is_ended, FRAMES + 1, FRAMES);
        cut_file(container, is_ended, last, last);
        cut_file(container, is_ended, last - 37 * block, last - 37 * block);
        cut_file(container, is_ended, block, block);
        cut_file(container, is_ended, 0, 0);
    }
}

static void test_stem_file_faults_cut(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++)
        assert_true(run_child(cut_files, (enum stem_container)c));
}

/* Where a FLAC block of a small number begins in a file that is whole. */
static rlim_t block_begin(unsigned char number)
{
    static unsigned char bytes[1 << 20];
    const unsigned char first[2] = {0xFF, 0xF8};
    FILE *in = fopen(path, "rb");
    CHILD_ASSERT(in && fread(bytes, 1, sizeof bytes, in) == sizeof bytes);
    fclose(in);
    const unsigned char *head = memmem(bytes, sizeof bytes, first, sizeof first);
    CHILD_ASSERT(head && head[4] == 0);
    const unsigned char wanted[5] = {head[0], head[1], head[2], head[3], number};
    const unsigned char *at = memmem(bytes, sizeof bytes, wanted, sizeof wanted);
    CHILD_ASSERT(at);
    return (rlim_t)(at - bytes);
}

static void end_in_block_head(enum stem_container container)
{
    enum { BLOCKS_LEFT = 5, HEAD_BYTES = 16 };
    struct stem_file *file = create(container, NULL);
    CHILD_ASSERT(file && stem_file_write(file, samples, FRAMES, NULL) == 0);
    CHILD_ASSERT(stem_file_close(file, false, NULL) == 0);
    rlim_t begin = block_begin(BLOCKS_LEFT);
    unlink(path);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t size = begin; size < begin + HEAD_BYTES; size++) {
        uint64_t found = 0;
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = size, .rlim_max = RLIM_INFINITY});
        file = create(container, NULL);
        CHILD_ASSERT(file && stem_file_write(file, samples, FRAMES, NULL) == -1);
        CHILD_ASSERT(stem_file_frames(file) == BLOCKS_LEFT * FLAC_BLOCK);
        CHILD_ASSERT(stem_file_close(file, false, NULL) == -1);
        CHILD_ASSERT(read_back(&found) && found == BLOCKS_LEFT * FLAC_BLOCK);
        unlink(path);
    }
}

/* No room in the middle of a block's head: the block before it is whole. */
static void test_stem_file_faults_limit_in_the_head_of_a_flac_block(void **state)
{
    (void)state;
    assert_true(run_child(end_in_block_head, STEM_FLAC));
}

static void create_without_room(enum stem_container container)
{
    struct stem_error error = {0};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 1, .rlim_max = RLIM_INFINITY});
    struct stem_file *file = create(container, &error);
    if (file) /* the header is still gathered */
        CHILD_ASSERT(stem_file_flush(file, &error) == -1);
    CHILD_ASSERT(strstr(error.text, path) && strstr(error.text, strerror(EFBIG)));
    CHILD_ASSERT(file || access(path, F_OK) == -1);
    stem_file_close(file, false, NULL);
    unlink(path);
}

static void test_stem_file_faults_no_room_for_the_header(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++)
        assert_true(run_child(create_without_room, (enum stem_container)c));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_stem_file_faults_killed_leaves_all_that_was_flushed),
        TEST(test_stem_file_faults_killed_at_once),
        TEST(test_stem_file_faults_limit_leaves_a_valid_file),
        TEST(test_stem_file_faults_full_disk_leaves_a_valid_file),
        TEST(test_stem_file_faults_close_without_room),
        TEST(test_stem_file_faults_cut),
        TEST(test_stem_file_faults_limit_in_the_head_of_a_flac_block),
        TEST(test_stem_file_faults_no_room_for_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
