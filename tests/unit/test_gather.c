/* The gathering file against a plain array that the same calls are made on. */
#include "gather.h"
#include "scratch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODEL_BYTES = 4 << 20 };

static struct stem_gather *create(void)
{
    struct stem_error error = {0};
    struct stem_gather *gather = stem_gather_create(path, &error);
    if (!gather)
        fail_msg("%s", error.text);
    return gather;
}

static void check_file(const unsigned char *wanted, size_t size)
{
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_size, size);
    unsigned char *bytes = malloc(size + 1);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fread(bytes, 1, size, in), size);
    fclose(in);
    for (size_t k = 0; k < size; k++)
        if (bytes[k] != wanted[k])
            fail_msg("byte %zu is %d instead of %d", k, bytes[k], wanted[k]);
    free(bytes);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* One random step on the file and on the model. */
static void step(struct stem_gather *gather, unsigned char *model, size_t *length, unsigned *seed)
{
    static unsigned char bytes[40000];
    unsigned kind = next_random(seed) % 16;
    size_t size = next_random(seed) % (kind == 0 ? sizeof bytes : 9000);
    size_t at = kind < 3 && *length ? next_random(seed) % *length : *length;
    stem_gather_allow_holes(gather, kind % 2);
    memset(bytes, 0, size);
    for (size_t k = 0; kind < 12 && k < size; k++)
        bytes[k] = (unsigned char)next_random(seed);
    assert_int_equal(stem_gather_seek(gather, (int64_t)at, SEEK_SET), at);
    assert_int_equal(stem_gather_write(gather, bytes, (int64_t)size), size);
    assert_int_equal(stem_gather_tell(gather), at + size);
    memcpy(model + at, bytes, size);
    if (at + size > *length)
        *length = at + size;
    assert_int_equal(stem_gather_length(gather), *length);
    if (kind == 15)
        assert_int_equal(stem_gather_flush(gather), 0);
}

static void test_gather_is_a_file_whatever_the_order_of_writes(void **state)
{
    (void)state;
    unsigned char *model = calloc(1, MODEL_BYTES);
    assert_non_null(model);
    for (unsigned seed = 1; seed < 8; seed++) {
        struct stem_gather *gather = create();
        unsigned random = seed;
        size_t length = 0;
        while (length + 40000 < MODEL_BYTES / 2)
            step(gather, model, &length, &random);
        assert_int_equal(stem_gather_close(gather, false), 0);
        check_file(model, length);
        unlink(path);
    }
    free(model);
}

static void test_gather_reads_what_was_just_written(void **state)
{
    (void)state;
    char back[8] = {0};
    struct stem_gather *gather = create();
    assert_int_equal(stem_gather_write(gather, "abcdef", 6), 6);
    assert_int_equal(stem_gather_seek(gather, -4, SEEK_CUR), 2);
    assert_int_equal(stem_gather_read(gather, back, 8), 4);
    assert_string_equal(back, "cdef");
    assert_int_equal(stem_gather_seek(gather, -1, SEEK_END), 5);
    assert_int_equal(stem_gather_seek(gather, -1, SEEK_SET), -1);
    assert_int_equal(stem_gather_tell(gather), 5);
    assert_int_equal(stem_gather_close(gather, true), 0);
}

static void test_gather_keeps_small_appends_until_flushed(void **state)
{
    (void)state;
    struct stem_gather *gather = create();
    assert_int_equal(stem_gather_write(gather, "abc", 3), 3);
    check_file((const unsigned char *)"", 0);
    assert_int_equal(stem_gather_flush(gather), 0);
    check_file((const unsigned char *)"abc", 3);
    assert_int_equal(stem_gather_close(gather, false), 0);
}

/* Zeros take no room on the disk when holes are allowed, also at the end of the file. */
static void test_gather_leaves_zeros_out(void **state)
{
    (void)state;
    static const unsigned char zeros[65536];
    enum { ROUNDS = 1000 };
    struct stat file;
    struct stem_gather *gather = create();
    assert_int_equal(stem_gather_write(gather, "begin", 5), 5);
    stem_gather_allow_holes(gather, true);
    for (int k = 0; k < ROUNDS; k++)
        assert_int_equal(stem_gather_write(gather, zeros, sizeof zeros), sizeof zeros);
    assert_int_equal(stem_gather_flush(gather), 0);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_size, 5 + ROUNDS * sizeof zeros);
    assert_true(file.st_blocks < 256);
    assert_int_equal(stem_gather_write(gather, "end", 3), 3);
    assert_int_equal(stem_gather_close(gather, false), 0);
    FILE *in = fopen(path, "rb");
    char last[4] = {1, 1, 1, 1};
    assert_int_equal(fseek(in, -4, SEEK_END), 0);
    assert_int_equal(fread(last, 1, 4, in), 4);
    fclose(in);
    assert_memory_equal(last, "\0end", 4);
}

static void test_gather_cuts(void **state)
{
    (void)state;
    struct stem_gather *gather = create();
    assert_int_equal(stem_gather_write(gather, "abcdef", 6), 6);
    assert_int_equal(stem_gather_cut(gather, 9), 0);
    assert_int_equal(stem_gather_cut(gather, 4), 0);
    assert_int_equal(stem_gather_length(gather), 4);
    assert_int_equal(stem_gather_seek(gather, 0, SEEK_END), 4);
    assert_int_equal(stem_gather_write(gather, "XY", 2), 2);
    assert_int_equal(stem_gather_close(gather, false), 0);
    check_file((const unsigned char *)"abcdXY", 6);
}

static void test_gather_is_exclusive_and_closed_on_exec(void **state)
{
    (void)state;
    struct stem_error error = {0};
    int lowest = open("/dev/null", O_RDONLY);
    close(lowest);
    struct stem_gather *gather = create();
    assert_true(fcntl(lowest, F_GETFD) & FD_CLOEXEC);
    assert_null(stem_gather_create(path, &error));
    assert_non_null(strstr(error.text, path));
    assert_non_null(strstr(error.text, strerror(EEXIST)));
    assert_int_equal(stem_gather_close(gather, false), 0);
    assert_int_equal(stem_gather_close(NULL, true), 0);
}

/* After a failure nothing is appended any more, but what is there can be put right. */
static void test_gather_remembers_the_first_failure(void **state)
{
    (void)state;
    static unsigned char bytes[10000];
    memset(bytes, 7, sizeof bytes);
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 12345;
    signal(SIGXFSZ, SIG_IGN);
    struct stem_gather *gather = create();
    assert_int_equal(stem_gather_write(gather, bytes, 10000), 10000);
    assert_int_equal(stem_gather_write(gather, bytes, 10000), 10000);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(stem_gather_flush(gather), -1);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(stem_gather_problem(gather), EFBIG);
    assert_int_equal(stem_gather_length(gather), 12345);
    assert_int_equal(stem_gather_seek(gather, 0, SEEK_END), 12345);
    assert_int_equal(stem_gather_write(gather, bytes, 1), 0);
    assert_int_equal(stem_gather_cut(gather, 12000), 0);
    assert_int_equal(stem_gather_seek(gather, 0, SEEK_SET), 0);
    assert_int_equal(stem_gather_write(gather, "head", 4), 4);
    assert_int_equal(stem_gather_close(gather, true), EFBIG);
    unsigned char wanted[12000];
    memset(wanted, 7, sizeof wanted);
    memcpy(wanted, "head", 4);
    check_file(wanted, sizeof wanted);
}

/* A hole that was never closed by bytes does not count when the bytes behind it fail. */
static void test_gather_failure_behind_a_hole(void **state)
{
    (void)state;
    static const unsigned char zeros[65536];
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 12345;
    signal(SIGXFSZ, SIG_IGN);
    struct stem_gather *gather = create();
    assert_int_equal(stem_gather_write(gather, "abc", 3), 3);
    stem_gather_allow_holes(gather, true);
    assert_int_equal(stem_gather_write(gather, zeros, sizeof zeros), sizeof zeros);
    stem_gather_allow_holes(gather, false);
    assert_int_equal(stem_gather_write(gather, "def", 3), 3);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(stem_gather_flush(gather), -1);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(stem_gather_length(gather), 3);
    assert_int_equal(stem_gather_close(gather, false), EFBIG);
    check_file((const unsigned char *)"abc", 3);
}

/* However the file began: the kernel gets whole pages. */
static void test_gather_writes_end_at_even_places(void **state)
{
    (void)state;
    enum { EVEN = 65536 };
    static const unsigned char bytes[EVEN];
    struct stat file;
    struct stem_gather *gather = create();
    assert_int_equal(stem_gather_write(gather, "head", 4), 4);
    assert_int_equal(stem_gather_flush(gather), 0);
    for (int64_t blocks = 1; blocks < 4; blocks++) {
        assert_int_equal(stem_gather_write(gather, bytes, EVEN), EVEN);
        assert_int_equal(stat(path, &file), 0);
        assert_int_equal(file.st_size, blocks * EVEN);
    }
    assert_int_equal(stem_gather_length(gather), 3 * EVEN + 4);
    assert_int_equal(stem_gather_close(gather, false), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_gather_is_a_file_whatever_the_order_of_writes),
        TEST(test_gather_reads_what_was_just_written),
        TEST(test_gather_keeps_small_appends_until_flushed),
        TEST(test_gather_writes_end_at_even_places),
        TEST(test_gather_leaves_zeros_out),
        TEST(test_gather_cuts),
        TEST(test_gather_is_exclusive_and_closed_on_exec),
        TEST(test_gather_remembers_the_first_failure),
        TEST(test_gather_failure_behind_a_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
