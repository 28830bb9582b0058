/* What a take tells: names, title, tempo, markers, xruns. */
#include "scripted_session.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void test_session_manifest_tells_title_key_tempo(void **state)
{
    (void)state;
    struct stem_take take;
    const struct stem_command tempo = {.type = STEM_COMMAND_TEMPO, .number = 120.5};
    pass(2);
    give(STEM_COMMAND_START, now(), "First");
    pass(2);
    uint32_t title = give(STEM_COMMAND_TITLE, now(), "Night Train");
    uint32_t key = give(STEM_COMMAND_KEY, now(), "F# minor");
    assert_true(stem_ring_push_rt(commands, &tempo));
    pass(2);
    check_done(title);
    check_done(key);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    const struct stem_event *event = find(STEM_EVENT_FINISHED, 0);
    assert_non_null(event);
    assert_non_null(strstr(event->text, "_Night-Train_120.5bpm")); /* renamed at the end */
    load_and_check(&take, event->text);
    assert_string_equal(take.title, "Night Train");
    assert_string_equal(take.key, "F# minor");
    assert_true(take.tempo_bpm == 120.5);
    assert_int_equal(take.rate_hz, STUDIO_RATE);
    assert_int_equal(take.encoding, STEM_PCM24);
    stem_take_finish(&take);
}

static void use_templates(const char *folder_name, const char *file_name)
{
    static char texts[2][64];
    snprintf(texts[0], sizeof texts[0], "%s", folder_name);
    snprintf(texts[1], sizeof texts[1], "%s", file_name);
    studio->config.folder_name = texts[0];
    studio->config.file_name = texts[1];
}

/* Records a moment; `late` is a title that comes while it runs. Returns the folder's name. */
static const char *take_of(const char *title, const char *late, struct stem_take *take)
{
    forget();
    give(STEM_COMMAND_START, now(), title);
    pass(2);
    if (late)
        give(STEM_COMMAND_TITLE, now(), late);
    pass(2);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    const struct stem_event *event = find(STEM_EVENT_FINISHED, 0);
    assert_non_null(event);
    load_and_check(take, event->text);
    return strrchr(event->text, '/') + 1;
}

static void check_name(
    const char *title, const char *late, const char *folder_name, const char *file)
{
    struct stem_take take;
    assert_string_equal(take_of(title, late, &take), folder_name);
    assert_string_equal(take.stems[0].file, file);
    stem_take_finish(&take);
}

static size_t entries(const char *name)
{
    char path[PATH_MAX];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s", takes, name);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void test_session_takes_of_one_name_are_numbered(void **state)
{
    (void)state;
    use_templates("{title}", "{title}_{stem}");
    check_name("Song", NULL, "Song", "Song_Drums.wav");
    check_name("Song", NULL, "Song-2", "Song_Drums.wav");
    check_name("Song", NULL, "Song-3", "Song_Drums.wav");
    use_templates("{title}_take{take}", "{stem}_{take}");
    check_name("Song", NULL, "Song_take01", "Drums_01.wav");
    check_name("Song", NULL, "Song_take02", "Drums_02.wav");
}

static void test_session_names_follow_a_late_title(void **state)
{
    (void)state;
    use_templates("{title}", "{title}_{stem}");
    check_name("Song", "Night Train", "Night-Train", "Night-Train_Drums.wav");
    check_name("Other", "Night Train", "Night-Train-2", "Night-Train_Drums.wav");
    assert_int_equal(entries("Night-Train-2"), 6); /* three files once, manifest, projects */
    check_name("Night-Train", "Night", "Night", "Night_Drums.wav");
    check_name("Night", "Night", "Night-2", "Night_Drums.wav"); /* and stays that */
    use_templates("{title}_{take}", "{stem}_{take}");
    check_name("Song", "Night Train", "Night-Train_01", "Drums_01.wav");
    check_name("Song", "Night Train", "Night-Train_02", "Drums_02.wav");
}

static void test_session_takes_the_tempo_from_the_transport(void **state)
{
    (void)state;
    struct stem_take take;
    studio->position.valid = JackPositionBBT;
    studio->position.beats_per_minute = 98;
    studio->position.beats_per_bar = studio->position.beat_type = 4;
    studio->position.ticks_per_beat = 960;
    studio->position.bar = studio->position.beat = 1;
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    pass(2);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, 2 * PERIOD, 2 * PERIOD, &take);
    assert_true(take.tempo_bpm == 98);
    stem_take_finish(&take);
}

static void test_session_markers_and_xruns_count_from_the_start(void **state)
{
    (void)state;
    struct stem_take take;
    pass(20);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(20);
    uint32_t verse = give(STEM_COMMAND_MARK, start + 1234, "Verse");
    give(STEM_COMMAND_MARK, start - 10, "early");
    const struct stem_fact xrun = {
        .kind = STEM_FACT_XRUN, .frame = start + 2000, .xrun_us = 1500.5};
    assert_true(stem_ring_push_rt(xruns, &xrun));
    pass(1);
    assert_string_equal(answer_to(verse)->text, "1234");
    assert_int_equal(atomic_load(&stem_session_status(session)->xruns), 1);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, 21 * PERIOD, &take);
    assert_int_equal(take.marker_count, 2);
    assert_int_equal(take.xrun_count, 1);
    assert_int_equal(take.xruns[0].frame, 2000);
    assert_true(take.xruns[0].delay_us == 1500.5);
    assert_int_equal(take.markers[0].frame, 0); /* in the order of their frames */
    assert_string_equal(take.markers[0].text, "early");
    assert_int_equal(take.markers[1].frame, 1234);
    assert_string_equal(take.markers[1].text, "Verse");
    stem_take_finish(&take);
}

/* A flood of markers ends where the manifest would become a burden. */
static void test_session_markers_are_bounded(void **state)
{
    enum { MOST = 10000 };
    (void)state;
    struct stem_take take;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(3);
    for (int k = 0; k <= MOST; k++) {
        forget();
        uint32_t mark = give(STEM_COMMAND_MARK, now(), "x");
        work();
        if (k < MOST)
            check_done(mark);
        else
            check_failed(mark, STEM_CODE_BUSY, "too many markers");
    }
    forget();
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, 3 * PERIOD, &take);
    assert_int_equal(take.marker_count, MOST);
    stem_take_finish(&take);
}

/* What a recorder leaves that is killed now: the manifest as it stands. */
static void test_session_manifest_tells_of_clock_and_gaps_at_once(void **state)
{
    (void)state;
    struct stem_take take = {0};
    struct stem_error error = {0};
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    work();
    char path[TEXT];
    snprintf(path, sizeof path, "%s", find(STEM_EVENT_STARTED, 0)->text);
    assert_int_equal(stem_take_load(&take, path, &error), 0);
    assert_int_equal(take.clock_count, 1);
    assert_int_equal(take.clocks[0].jack_frame, 2 * PERIOD);
    stem_take_finish(&take);
    pass(1);
    studio_skip(studio, 100);
    pass(1);
    stem_timeline_resume(&studio->process.timeline, now() + 7000);
    studio->clock = 123456; /* another server */
    pass(1);
    assert_int_equal(stem_take_load(&take, path, &error), 0);
    assert_true(take.gap_count >= 1);
    assert_int_equal(take.gaps[0].frame, PERIOD);
    assert_int_equal(take.gaps[0].frames, 100);
    for (int tries = 0; tries < 100 && take.gap_count < 2; tries++) {
        usleep(60000); /* not as often as that, and less often on a slow disk */
        pass(1);
        stem_take_finish(&take);
        assert_int_equal(stem_take_load(&take, path, &error), 0);
    }
    assert_int_equal(take.gap_count, 2);
    assert_int_equal(take.clock_count, 2);
    assert_int_equal(take.clocks[1].jack_frame, 123456);
    assert_int_equal(take.clocks[1].frame, take.gaps[1].frame + take.gaps[1].frames);
    stem_take_finish(&take);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_session_markers_are_bounded),
        TEST(test_session_manifest_tells_title_key_tempo),
        TEST(test_session_takes_of_one_name_are_numbered),
        TEST(test_session_names_follow_a_late_title),
        TEST(test_session_takes_the_tempo_from_the_transport),
        TEST(test_session_markers_and_xruns_count_from_the_start),
        TEST(test_session_manifest_tells_of_clock_and_gaps_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
