/* Disks that are full and folders that are gone. */
#include "scripted_session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The session anew, with a spare folder, and as it was set up since. */
static void begin_with_spare(void)
{
    snprintf(spare, sizeof spare, "%s/spare", folder);
    stem_session_destroy(session);
    open_session();
}

static void limit_files(rlim_t bytes)
{
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = bytes, .rlim_max = RLIM_INFINITY}), 0);
}

static void test_session_full_disk_ends_the_take_and_keeps_it(void **state)
{
    (void)state;
    struct stem_take take;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    work();
    limit_files(200001);
    pass(500);
    limit_files(RLIM_INFINITY);
    const struct stem_event *broken = find(STEM_EVENT_BROKEN, 0);
    assert_non_null(broken);
    assert_non_null(strstr(broken->text, strerror(EFBIG)));
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
    struct stem_error error = {0};
    char path[TEXT];
    snprintf(path, sizeof path, "%s", find(STEM_EVENT_STARTED, 0)->text);
    take = (struct stem_take){0};
    if (stem_take_load(&take, path, &error))
        fail_msg("%s", error.text);
    assert_int_equal(take.progress, STEM_TAKE_FAILED);
    assert_non_null(strstr(take.failure, strerror(EFBIG)));
    stem_take_finish(&take);
    forget(); /* it lives on */
    start = now();
    give(STEM_COMMAND_START, start, "");
    pass(10);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, start, 10 * PERIOD);
}

/* The take as its manifest tells it: all its files are valid and end with it. */
static void check_files(uint32_t tracks, const char *at, uint64_t least)
{
    struct stem_take take = {0};
    struct stem_error error = {0};
    char path[TEXT + 512];
    if (stem_take_load(&take, at, &error))
        fail_msg("%s", error.text);
    assert_int_equal(take.progress, STEM_TAKE_FAILED);
    for (uint32_t t = 0; t < tracks; t++) {
        const struct stem_take_stem *stem = t == STUDIO_MIX ? &take.mix : &take.stems[t];
        double *samples;
        snprintf(path, sizeof path, "%s/%s", at, stem->file);
        uint64_t frames = read_file(path, &samples, stem->channels);
        assert_int_equal(frames, stem->frames);
        assert_int_equal(frames, take.frames); /* all end together */
        assert_true(frames >= least);
        for (uint64_t i = 0; i < frames * stem->channels; i++)
            assert_true(
                samples[i] == (double)studio_sample(studio, t, (uint32_t)(i % stem->channels),
                                  clock_of(take.start_frame + i / stem->channels)));
        free(samples);
    }
    stem_take_finish(&take);
}

/* A disk that fills up under a take. */
static void check_full_disk(uint32_t tracks, rlim_t bytes)
{
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    work();
    limit_files(bytes);
    pass(500);
    limit_files(RLIM_INFINITY);
    check_files(tracks, find(STEM_EVENT_STARTED, 0)->text, 10000);
}

static void test_session_full_disk_leaves_valid_flac_files(void **state)
{
    (void)state;
    studio->config.container = STEM_FLAC;
    check_full_disk(STUDIO_TRACKS, 200001);
}

static void test_session_full_disk_leaves_valid_files(void **state)
{
    (void)state;
    check_full_disk(STUDIO_TRACKS, 200001);
}

/* A studio of the first stem alone. */
static void keep_one_stem(void)
{
    struct stem_error error;
    stem_session_destroy(session);
    stem_tape_destroy(studio->tape);
    stem_mix_destroy(studio->mix);
    stem_layout_destroy(studio->layout);
    studio->config.stem_count = 1;
    studio->config.has_mix = false;
    studio->layout = stem_layout_create(&studio->config);
    const struct stem_layout *layout = studio->layout;
    studio->tape = stem_tape_create(layout->channels, 1, TAPE, false, NULL, &error);
    studio->mix = stem_mix_create(layout->channels, 1, layout->port_count, layout->routes,
        layout->route_count, STUDIO_RATE, &error);
    assert_true(studio->tape && studio->mix);
    studio->process.tape = studio->tape;
    studio->process.mix = studio->mix;
    studio->process.port_count = layout->port_count;
    open_session();
}

/* The only file got a part of what was to be written when the disk was full. */
static void test_session_full_disk_leaves_one_valid_file(void **state)
{
    (void)state;
    keep_one_stem();
    check_full_disk(1, 240001);
}

/* An xrun that the server tells of at a frame. */
static void suffer(uint64_t frame)
{
    const struct stem_fact fact = {.kind = STEM_FACT_XRUN, .frame = frame, .xrun_us = 1};
    assert_true(stem_ring_push_rt(xruns, &fact));
}

/* Of `count` moments, in the frames at[0], at[1] and so on, each has a marker and an xrun in the
 * part that has its frame, and nowhere else. */
static void check_notes(
    const struct stem_take *first, const struct stem_take *second, const uint64_t *at, size_t count)
{
    size_t early = 0;
    while (early < count && at[early] < second->start_frame)
        early++;
    assert_int_equal(first->marker_count, early);
    assert_int_equal(first->xrun_count, early);
    assert_int_equal(second->marker_count, count - early);
    assert_int_equal(second->xrun_count, count - early);
    for (size_t k = 0; k < count; k++) {
        const struct stem_take *part = k < early ? first : second;
        size_t n = k < early ? k : k - early;
        assert_int_equal(part->start_frame + part->markers[n].frame, at[k]);
        assert_int_equal(part->start_frame + part->xruns[n].frame, at[k]);
    }
}

/* The disk fails and the take goes on in the spare folder: two parts, and between them no frame is
 * lost or doubled, whatever the first one's files had gathered, and each note is where its frame
 * is. */
static void check_spare_folder(rlim_t bytes)
{
    struct stem_take first, second;
    char path[TEXT];
    uint64_t moments[200];
    size_t count = 0;
    begin_with_spare();
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    work();
    snprintf(path, sizeof path, "%s", find(STEM_EVENT_STARTED, 0)->text);
    pass(20);
    limit_files(bytes); /* the spare folder's files find room for what comes after */
    while (count_of(STEM_EVENT_WARNING) == 0) {
        assert_true(count < 200);
        suffer(moments[count++] = now());
        give(STEM_COMMAND_MARK, now(), "moment");
        studio_skip(studio, 100);
        pass(7);
    }
    limit_files(RLIM_INFINITY);
    pass(10);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    assert_int_equal(count_of(STEM_EVENT_BROKEN), 0);
    const struct stem_event *finished = find(STEM_EVENT_FINISHED, 0);
    assert_non_null(finished);
    assert_non_null(strstr(finished->text, spare));
    load_and_check(&first, path);
    load_and_check(&second, finished->text);
    assert_int_equal(first.part, 1);
    assert_int_equal(second.part, 2);
    assert_string_equal(first.id, second.id);
    assert_string_equal(first.continued_in, finished->text);
    assert_int_equal(second.start_frame, start + first.frames);
    assert_int_equal(second.part_frame, first.frames);
    assert_int_equal(second.start_frame + second.frames, now());
    assert_true(first.gap_count > 0 && second.frames > 10 * PERIOD);
    check_notes(&first, &second, moments, count);
    assert_true(second.marker_count > 0);
    assert_string_equal(find(STEM_EVENT_CONTINUED, 0)->text, finished->text);
    stem_take_finish(&first);
    stem_take_finish(&second);
}

/* What a FLAC encoder had still to itself is written again in the next part, gaps too: these were
 * told of, and count, once. */
static void test_session_gap_that_is_written_again_is_told_once(void **state)
{
    (void)state;
    size_t count = 0;
    studio->config.container = STEM_FLAC;
    begin_with_spare();
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    work();
    limit_files(1300001);
    for (; count_of(STEM_EVENT_CONTINUED) == 0; count++) {
        assert_true(count < MOST_EVENTS / 2);
        studio_skip(studio, 100);
        pass(7);
    }
    limit_files(RLIM_INFINITY);
    pass(10);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    assert_int_equal(count_of(STEM_EVENT_FINISHED), 1);
    assert_int_equal(count_of(STEM_EVENT_GAP), count);
    assert_int_equal(stem_session_status(session)->gaps, count);
}

/* The length that was asked for is that of the whole take. */
static void test_session_take_of_a_set_length_ends_in_the_spare_folder(void **state)
{
    (void)state;
    const uint64_t length = 300001;
    struct stem_take last = {0};
    begin_with_spare();
    pass(2);
    uint64_t start = now();
    struct stem_command command = start_by(STEM_SYNC_NOW, start);
    command.how.length_frames = length;
    send(&command);
    work();
    limit_files(1300001);
    while (count_of(STEM_EVENT_CONTINUED) == 0 && now() < start + length)
        pass(1);
    limit_files(RLIM_INFINITY);
    while (now() < start + length)
        pass(1);
    pass(20);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    load_and_check(&last, find(STEM_EVENT_FINISHED, 0)->text);
    assert_int_equal(last.part, 2);
    assert_int_equal(last.start_frame + last.frames, start + length);
    stem_take_finish(&last);
}

/* Lets the files grow by so many bytes more than the longest one has. */
static void allow_bytes(const char *path, rlim_t bytes)
{
    struct stem_take take = {0};
    struct stem_error error = {0};
    char file[TEXT + 512];
    struct stat longest = {0}, one;
    if (stem_take_load(&take, path, &error))
        fail_msg("%s", error.text);
    for (size_t k = 0; k < take.stem_count; k++) {
        snprintf(file, sizeof file, "%s/%s", path, take.stems[k].file);
        assert_int_equal(stat(file, &one), 0);
        longest = one.st_size > longest.st_size ? one : longest;
    }
    stem_take_finish(&take);
    limit_files((rlim_t)longest.st_size + bytes);
}

/* A take of which the last frames, gathered still, find no room when it is stopped. */
static uint32_t stop_on_a_full_disk(char path[TEXT])
{
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    work();
    snprintf(path, TEXT, "%s", find(STEM_EVENT_STARTED, 0)->text);
    pass(1000);
    allow_bytes(path, 0);
    pass(1);
    uint32_t stop = give(STEM_COMMAND_STOP, now(), "");
    work();
    limit_files(RLIM_INFINITY);
    return stop;
}

static void check_full_disk_at_the_stop(void)
{
    struct stem_take take = {0};
    char path[TEXT];
    check_failed(stop_on_a_full_disk(path), STEM_CODE_FILE, strerror(EFBIG));
    assert_int_equal(count_of(STEM_EVENT_FINISHED), 0);
    load_and_check(&take, path);
    assert_int_equal(take.progress, STEM_TAKE_FAILED);
    assert_true(take.frames > 900 * PERIOD);
    stem_take_finish(&take);
}

static void test_session_full_disk_at_the_stop_is_told(void **state)
{
    (void)state;
    check_full_disk_at_the_stop();
}

/* Its encoder keeps a block to itself up to the end. */
static void test_session_full_disk_at_the_stop_is_told_with_flac(void **state)
{
    (void)state;
    studio->config.container = STEM_FLAC;
    check_full_disk_at_the_stop();
}

static void check_spare_folder_at_the_stop(void)
{
    struct stem_take first = {0}, second = {0};
    char path[TEXT];
    begin_with_spare();
    check_done(stop_on_a_full_disk(path));
    load_and_check(&first, path);
    load_and_check(&second, find(STEM_EVENT_FINISHED, 0)->text);
    assert_int_equal(second.part, 2);
    assert_int_equal(second.part_frame, first.frames);
    assert_int_equal(second.start_frame + second.frames, now());
    stem_take_finish(&first);
    stem_take_finish(&second);
}

static void test_session_full_disk_at_the_stop_goes_on_in_the_spare_folder(void **state)
{
    (void)state;
    check_spare_folder_at_the_stop();
}

static void test_session_full_disk_at_the_stop_goes_on_in_the_spare_folder_with_flac(void **state)
{
    (void)state;
    studio->config.container = STEM_FLAC;
    check_spare_folder_at_the_stop();
}

/* The tape went on for the mirror's sake while the disk stood still, and then that is full: what
 * is lost is a gap of the next part, and nothing is missing between the two. */
static void test_session_frames_lost_before_the_disk_is_full_are_told(void **state)
{
    (void)state;
    struct stem_take first = {0}, second = {0};
    char path[TEXT];
    is_shared = true;
    begin_with_spare();
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    work();
    snprintf(path, sizeof path, "%s", find(STEM_EVENT_STARTED, 0)->text);
    pass(500);
    allow_bytes(path, 200000); /* what is gathered has room, but not what follows the gap */
    for (uint64_t end = now() + TAPE + 100 * PERIOD; now() < end;) {
        stem_tape_hold(studio->tape, STEM_TAPE_MIRROR, now());
        studio_cycle(studio, PERIOD);
    }
    const uint64_t oldest = now() - TAPE;
    give(STEM_COMMAND_STOP, now(), "");
    for (int rounds = 0; count_of(STEM_EVENT_CONTINUED) == 0; rounds++) {
        assert_true(rounds < 1000);
        stem_session_work(session);
        hear();
    }
    limit_files(RLIM_INFINITY);
    work();
    load_and_check(&first, path);
    load_and_check(&second, find(STEM_EVENT_FINISHED, 0)->text);
    assert_int_equal(second.start_frame, start + first.frames);
    assert_int_equal(second.part_frame, first.frames);
    assert_int_equal(second.start_frame + second.frames, now());
    check_gaps(
        &second, (const uint64_t[][3]){{0, oldest - second.start_frame, STEM_GAP_OVERFLOW}}, 1);
    assert_true(count_of(STEM_EVENT_GAP) > 0);
    stem_take_finish(&first);
    stem_take_finish(&second);
}

static void test_session_full_disk_goes_on_in_the_spare_folder(void **state)
{
    (void)state;
    check_spare_folder(1300001);
}

static void test_session_full_disk_goes_on_in_the_spare_folder_with_flac(void **state)
{
    (void)state;
    studio->config.container = STEM_FLAC;
    check_spare_folder(1300001);
}

static void test_session_full_disk_while_stopping_answers(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    uint32_t stop = give(STEM_COMMAND_STOP, start + 10 * TAPE, "");
    work();
    limit_files(200001);
    pass(500);
    limit_files(RLIM_INFINITY);
    check_failed(stop, STEM_CODE_FILE, strerror(EFBIG));
}

static void test_session_full_disk_while_quitting_ends(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    give(STEM_COMMAND_QUIT, start + 10 * TAPE, "");
    work();
    limit_files(200001);
    pass(500);
    limit_files(RLIM_INFINITY);
    assert_true(stem_session_ended(session));
    assert_non_null(find(STEM_EVENT_QUIT, 0));
}

static void test_session_takes_folder_that_cannot_be(void **state)
{
    (void)state;
    int file = open(takes, O_CREAT | O_WRONLY | O_CLOEXEC, 0600); /* a file in its place */
    assert_true(file >= 0);
    close(file);
    pass(2);
    uint32_t start = give(STEM_COMMAND_START, now(), "");
    work();
    check_failed(start, STEM_CODE_FILE, takes);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
    assert_int_equal(unlink(takes), 0);
    uint64_t from = now();
    start = give(STEM_COMMAND_START, from, "");
    pass(4);
    check_done(start);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, from, 4 * PERIOD);
}

/* The takes folder goes away between two songs. */
static void test_session_split_that_cannot_begin_answers(void **state)
{
    (void)state;
    char away[TEXT];
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(4);
    snprintf(away, sizeof away, "%s/away", folder);
    assert_int_equal(rename(takes, away), 0);
    int file = open(takes, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    uint32_t split = give(STEM_COMMAND_SPLIT, now(), "");
    work();
    check_failed(split, STEM_CODE_FILE, takes);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
    assert_int_equal(unlink(takes), 0);
    assert_int_equal(rename(away, takes), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_session_full_disk_ends_the_take_and_keeps_it),
        TEST(test_session_full_disk_leaves_valid_files),
        TEST(test_session_full_disk_leaves_valid_flac_files),
        TEST(test_session_full_disk_leaves_one_valid_file),
        TEST(test_session_full_disk_goes_on_in_the_spare_folder),
        TEST(test_session_full_disk_goes_on_in_the_spare_folder_with_flac),
        TEST(test_session_gap_that_is_written_again_is_told_once),
        TEST(test_session_frames_lost_before_the_disk_is_full_are_told),
        TEST(test_session_take_of_a_set_length_ends_in_the_spare_folder),
        TEST(test_session_full_disk_at_the_stop_is_told),
        TEST(test_session_full_disk_at_the_stop_is_told_with_flac),
        TEST(test_session_full_disk_at_the_stop_goes_on_in_the_spare_folder),
        TEST(test_session_full_disk_at_the_stop_goes_on_in_the_spare_folder_with_flac),
        TEST(test_session_full_disk_while_stopping_answers),
        TEST(test_session_full_disk_while_quitting_ends),
        TEST(test_session_takes_folder_that_cannot_be),
        TEST(test_session_split_that_cannot_begin_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
