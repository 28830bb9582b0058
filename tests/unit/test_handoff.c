/* What goes beside the stems for other programs: MIDI file, markers, projects, check sums.
 * Small takes with texts that are hard to write down; the files are held against what they must be.
 */
#include "ardour_session.h"
#include "markers.h"
#include "midi_file.h"
#include "rpp.h"
#include "sha256sums.h"
#include "tempo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <unistd.h>

enum { MOST_BYTES = 16384 };

struct scene {
    char folder[64];
    struct stem_take take;
    char bytes[MOST_BYTES + 1]; /* of the file that was read last */
    size_t size;
    struct stem_error error;
};

static int make_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    snprintf(scene->folder, sizeof scene->folder, "/tmp/stemd-handoff-XXXXXX");
    scene->take.rate_hz = 48000;
    scene->take.frames = 480000;
    *state = scene;
    return mkdtemp(scene->folder) ? 0 : -1;
}

static void path_of(const struct scene *scene, const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s", scene->folder, name);
}

static int remove_scene(void **state)
{
    struct scene *scene = *state;
    char path[512];
    DIR *folder = opendir(scene->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        path_of(scene, entry->d_name, path);
        unlink(path);
    }
    closedir(folder);
    stem_take_finish(&scene->take);
    int status = rmdir(scene->folder);
    free(scene);
    return status;
}

static bool load(struct scene *scene, const char *name)
{
    char path[512];
    path_of(scene, name, path);
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    scene->size = fread(scene->bytes, 1, MOST_BYTES, file);
    scene->bytes[scene->size] = '\0';
    fclose(file);
    return true;
}

static void save(const struct scene *scene, const char *name, const char *text)
{
    char path[512];
    path_of(scene, name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void tempo(struct scene *scene, uint64_t frame, double bpm, double beats, double type,
    int32_t bar, int32_t beat, double tick)
{
    struct stem_take_tempo entry = {.frame = frame,
        .bpm = bpm,
        .beats_per_bar = beats,
        .beat_type = type,
        .ticks_per_beat = 1920,
        .bar = bar,
        .beat = beat,
        .tick = tick};
    assert_int_equal(stem_take_add_tempo(&scene->take, entry), 0);
}

/* Events */

static void assert_events(
    const struct scene *scene, const struct stem_tempo_event *expected, size_t count)
{
    struct stem_take_tempo only;
    struct stem_tempo_event *events;
    const struct stem_tempo_map map = stem_tempo_of_take(&scene->take, &only);
    assert_int_equal(stem_tempo_events(&map, scene->take.frames, &events), count);
    for (size_t k = 0; k < count; k++) {
        assert_int_equal(events[k].frame, expected[k].frame);
        assert_float_equal(events[k].quarter_bpm, expected[k].quarter_bpm, 1e-9);
        assert_int_equal(events[k].numerator, expected[k].numerator);
        assert_int_equal(events[k].denominator, expected[k].denominator);
    }
    free(events);
}

/* A take that starts on beat 3 of 4: half a bar comes first. */
static void test_handoff_events_begin_inside_a_bar(void **state)
{
    tempo(*state, 0, 120, 4, 4, 9, 3, 0);
    assert_events(*state, (const struct stem_tempo_event[]){{0, 120, 2, 4}, {48000, 120, 4, 4}}, 2);
}

/* In the middle of a beat no meter fits: bar lines are right from the first one on. */
static void test_handoff_events_begin_inside_a_beat(void **state)
{
    tempo(*state, 0, 120, 3, 4, 9, 3, 960);
    assert_events(*state, (const struct stem_tempo_event[]){{0, 120, 3, 4}, {12000, 120, 3, 4}}, 2);
}

/* The tempo changes before the first bar line is reached. */
static void test_handoff_events_find_the_bar_line_through_changes(void **state)
{
    tempo(*state, 0, 120, 4, 4, 9, 3, 0);
    tempo(*state, 24000, 60, 4, 4, 9, 4, 0);
    assert_events(*state,
        (const struct stem_tempo_event[]){{0, 120, 2, 4}, {24000, 60, 0, 0}, {72000, 60, 4, 4}}, 3);
}

static void test_handoff_events_tell_changes_of_tempo_meter_and_place(void **state)
{
    tempo(*state, 0, 120, 4, 4, 1, 1, 0);
    tempo(*state, 36000, 90, 4, 4, 1, 2, 960);  /* faster; the bar goes on */
    tempo(*state, 116000, 90, 3.5, 4, 2, 1, 0); /* seven eighths */
    tempo(*state, 228000, 180, 6, 8, 40, 1, 0); /* somebody moved the transport */
    tempo(*state, 480000, 60, 4, 4, 50, 1, 0);  /* behind the end */
    assert_events(*state,
        (const struct stem_tempo_event[]){
            {0, 120, 4, 4}, {36000, 90, 0, 0}, {116000, 90, 7, 8}, {228000, 90, 6, 8}},
        4);
}

/* MIDI */

static void test_handoff_midi_file_byte_by_byte(void **state)
{
    struct scene *scene = *state;
    static const unsigned char EXPECTED[] = "MThd\0\0\0\6\0\1\0\1\3\300"
                                            "MTrk\0\0\0\61"
                                            "\0\377\3\5Tr\303\244n"
                                            "\0\377\130\4\4\2\30\10"
                                            "\0\377\121\3\7\241\40"
                                            "\207\100\377\6\1a"
                                            "\207\100\377\121\3\17\102\100"
                                            "\207\100\377\6\1b"
                                            "\274\0\377\57";
    stem_take_set_string(&scene->take.title, "Trän");
    tempo(scene, 0, 120, 4, 4, 1, 1, 0);
    tempo(scene, 48000, 60, 4, 4, 1, 3, 0);
    stem_take_add_marker(&scene->take, 24000, "a");
    stem_take_add_marker(&scene->take, 96000, "b");
    assert_int_equal(stem_midi_file_write(scene->folder, &scene->take, &scene->error), 0);
    assert_true(load(scene, STEM_MIDI_FILE));
    assert_int_equal(scene->size, sizeof EXPECTED);
    assert_memory_equal(scene->bytes, EXPECTED, sizeof EXPECTED);
}

static void test_handoff_midi_file_needs_a_tempo(void **state)
{
    struct scene *scene = *state;
    save(scene, STEM_MIDI_FILE, "of a former finish");
    assert_int_equal(stem_midi_file_write(scene->folder, &scene->take, &scene->error), 0);
    assert_false(load(scene, STEM_MIDI_FILE));
    scene->take.tempo_bpm = 100;
    assert_int_equal(stem_midi_file_write(scene->folder, &scene->take, &scene->error), 0);
    assert_true(load(scene, STEM_MIDI_FILE));
}

/* Markers */

static void test_handoff_markers_are_quoted(void **state)
{
    struct scene *scene = *state;
    tempo(scene, 48000, 120, 4, 4, 3, 1, 0);
    stem_take_add_marker(&scene->take, 0, "plain ä");
    stem_take_add_marker(&scene->take, 60000, "a, \"b\"\nc\td");
    assert_int_equal(stem_markers_write(scene->folder, &scene->take, &scene->error), 0);
    assert_true(load(scene, STEM_MARKERS_CSV));
    assert_string_equal(scene->bytes, "frame,seconds,bar,beat,text\n"
                                      "0,0.000000,,,plain ä\n"
                                      "60000,1.250000,3,1.500,\"a, \"\"b\"\"\nc\td\"\n");
    assert_true(load(scene, STEM_MARKERS_LABELS));
    assert_string_equal(scene->bytes, "0.000000\t0.000000\tplain ä\n"
                                      "1.250000\t1.250000\ta, \"b\" c d\n");
}

static void test_handoff_markers_go_when_there_are_none(void **state)
{
    struct scene *scene = *state;
    save(scene, STEM_MARKERS_CSV, "old");
    save(scene, STEM_MARKERS_LABELS, "old");
    assert_int_equal(stem_markers_write(scene->folder, &scene->take, &scene->error), 0);
    assert_false(load(scene, STEM_MARKERS_CSV));
    assert_false(load(scene, STEM_MARKERS_LABELS));
}

/* Reaper */

static void assert_has(const struct scene *scene, const char *text)
{
    if (!strstr(scene->bytes, text))
        fail_msg("expected '%s' in '%s'", text, scene->bytes);
}

static void test_handoff_project_keeps_any_text_in_its_line(void **state)
{
    struct scene *scene = *state;
    stem_take_set_string(&scene->take.title, "say \"it\"");
    stem_take_add_stem(&scene->take, "all \"three\" 'of' `them`\n>", "1.wav", 1);
    stem_take_add_marker(&scene->take, 24000, "don't");
    assert_int_equal(
        stem_rpp_write(scene->folder, &scene->take, true, &scene->error), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_RPP_FILE));
    assert_has(scene, "\n  TITLE 'say \"it\"'\n");
    assert_has(scene, "\n    NAME `all \"three\" 'of' 'them' >`\n");
    assert_has(scene, "\n  MARKER 1 0.500000000 \"don't\" 0\n");
}

static void test_handoff_project_has_a_track_for_each_file(void **state)
{
    struct scene *scene = *state;
    scene->take.container = STEM_FLAC;
    stem_take_add_stem(&scene->take, "Drums", "01_Drums.flac", 5);
    scene->take.has_mix = true;
    scene->take.mix.channels = 2;
    stem_take_set_string(&scene->take.mix.name, "Mix");
    stem_take_set_string(&scene->take.mix.file, "00_Mix.flac");
    assert_int_equal(
        stem_rpp_write(scene->folder, &scene->take, true, &scene->error), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_RPP_FILE));
    assert_has(scene, "MUTESOLO 0 0 0\n    NCHAN 6\n    <ITEM\n      POSITION 0\n"
                      "      LENGTH 10.000000000\n      LOOP 0\n      NAME \"01_Drums.flac\"\n"
                      "      <SOURCE FLAC\n        FILE \"01_Drums.flac\"\n      >\n    >\n  >\n");
    assert_has(scene, "MUTESOLO 1 0 0\n    NCHAN 2\n");
    assert_has(scene, "SAMPLERATE 48000 1 0\n");
    assert_null(strstr(scene->bytes, "TEMPO"));
}

static void test_handoff_project_of_nothing_yet_has_no_items(void **state)
{
    struct scene *scene = *state;
    scene->take.frames = 0;
    stem_take_add_stem(&scene->take, "Drums", "01_Drums.wav", 2);
    assert_int_equal(
        stem_rpp_write(scene->folder, &scene->take, false, &scene->error), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_RPP_FILE));
    assert_has(scene, "NCHAN 2\n  >\n>\n");
}

static enum stem_project_result write_project(struct scene *scene)
{
    return stem_rpp_write(scene->folder, &scene->take, true, &scene->error);
}

static void test_handoff_project_of_somebody_is_kept(void **state)
{
    struct scene *scene = *state;
    char work[MOST_BYTES + 1];
    assert_int_equal(write_project(scene), STEM_PROJECT_WRITTEN);
    assert_int_equal(write_project(scene), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_RPP_FILE));
    strcpy(work, scene->bytes);
    strstr(work, "PANLAW 1")[7] = '0'; /* one character, and the head is still ours */
    save(scene, STEM_RPP_FILE, work);
    assert_int_equal(write_project(scene), STEM_PROJECT_KEPT);
    assert_true(load(scene, STEM_RPP_FILE));
    assert_string_equal(scene->bytes, work);
    save(scene, STEM_RPP_FILE, "<REAPER_PROJECT 0.1 \"7.07/linux-x86_64\" 1700000000\n>\n");
    assert_int_equal(write_project(scene), STEM_PROJECT_KEPT);
}

/* Nobody's work: what is left when the power goes before the bytes are on the disk. */
static void test_handoff_project_that_was_lost_is_made_anew(void **state)
{
    struct scene *scene = *state;
    save(scene, STEM_RPP_FILE, "");
    assert_int_equal(write_project(scene), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_RPP_FILE));
    assert_has(scene, "<REAPER_PROJECT 0.1 \"6.0/stemd ");
    char path[512];
    path_of(scene, STEM_RPP_FILE, path);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(truncate(path, 200), 0);
    assert_int_equal(write_project(scene), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_RPP_FILE));
    assert_has(scene, "\n>\n");
}

/* Ardour */

static enum stem_project_result write_session(struct scene *scene)
{
    return stem_ardour_session_write(scene->folder, &scene->take, true, &scene->error);
}

static void test_handoff_session_needs_audio(void **state)
{
    struct scene *scene = *state;
    stem_take_add_stem(&scene->take, "Drums", "01_Drums.wav", 2);
    assert_int_equal(write_session(scene), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_ARDOUR_FILE));
    scene->take.frames = 0;
    assert_int_equal(write_session(scene), STEM_PROJECT_WRITTEN);
    assert_false(load(scene, STEM_ARDOUR_FILE));
    save(scene, STEM_ARDOUR_FILE, "<Session/>");
    assert_int_equal(write_session(scene), STEM_PROJECT_KEPT);
    assert_true(load(scene, STEM_ARDOUR_FILE));
}

static void test_handoff_session_places_frames_of_any_rate(void **state)
{
    struct scene *scene = *state;
    scene->take.rate_hz = 44056; /* clocks between its frames are no whole number */
    scene->take.frames = 44056 * 3 + 1;
    scene->take.time_reference = UINT64_C(44056) * 1000000 + 22028;
    stem_take_add_stem(&scene->take, "Drums", "01_Drums.wav", 1);
    assert_int_equal(write_session(scene), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_ARDOUR_FILE));
    assert_has(scene, " length=\"a846726406@a282240141120000\"");
    assert_has(scene, "<Port type=\"audio\" name=\"Drums/audio_out 1\">"
                      "<Connection other=\"Master/audio_in 1\"/>"
                      "<Connection other=\"Master/audio_in 2\"/>");
}

/* Two tracks of one name, or one that Ardour keeps for itself: the files' names tell them apart. */
static void test_handoff_session_names_tracks_apart(void **state)
{
    struct scene *scene = *state;
    stem_take_add_stem(&scene->take, "Keys & \"Pads\"", "01_Keys.wav", 1);
    stem_take_add_stem(&scene->take, "Drums", "02_Drums.wav", 1);
    assert_int_equal(write_session(scene), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_ARDOUR_FILE));
    assert_has(scene, " name=\"Keys &amp; &quot;Pads&quot;\"");
    stem_take_set_string(&scene->take.stems[1].name, "MASTER");
    assert_int_equal(write_session(scene), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_ARDOUR_FILE));
    assert_has(scene, " name=\"01_Keys\"");
    assert_has(scene, " name=\"02_Drums\"");
    stem_take_set_string(&scene->take.stems[1].name, scene->take.stems[0].name);
    assert_int_equal(write_session(scene), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_ARDOUR_FILE));
    assert_has(scene, " name=\"02_Drums\"");
}

static void test_handoff_session_cuts_bars_as_the_music_does(void **state)
{
    struct scene *scene = *state;
    scene->take.time_reference = 48000;
    tempo(scene, 0, 120, 4, 4, 3, 3, 0);      /* two beats before bar 4 */
    tempo(scene, 120000, 120, 3, 4, 5, 1, 0); /* bar 4 ends after three of its beats */
    tempo(scene, 192000, 90, 3, 4, 6, 1, 0);  /* as was to be expected, but slower */
    stem_take_add_stem(&scene->take, "Drums", "01_Drums.wav", 1);
    assert_int_equal(write_session(scene), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_ARDOUR_FILE));
    assert_has(scene, "<MusicTime name=\"\" sclock=\"282240000\" quarters=\"2:0\" bbt=\"3|1|0\">");
    assert_has(scene, "<Meter note-value=\"4\" divisions-per-bar=\"4\" sclock=\"564480000\" "
                      "quarters=\"4:0\" bbt=\"4|1|0\"/>");
    assert_has(scene, "<MusicTime name=\"\" sclock=\"987840000\" quarters=\"7:0\" bbt=\"5|1|0\">");
    assert_has(scene, "sclock=\"1411200000\" quarters=\"10:0\" bbt=\"6|1|0\"/>\n</Tempos>");
}

/* Ardour divides by zero when a music time stands at the very beginning. */
static void test_handoff_session_begins_with_any_bar(void **state)
{
    struct scene *scene = *state;
    tempo(scene, 0, 120, 4, 4, 5, 1, 0);
    stem_take_add_stem(&scene->take, "Drums", "01_Drums.wav", 1);
    assert_int_equal(write_session(scene), STEM_PROJECT_WRITTEN);
    assert_true(load(scene, STEM_ARDOUR_FILE));
    assert_has(scene, "sclock=\"0\" quarters=\"0:0\" bbt=\"5|1|0\"/>\n</Tempos>");
    assert_has(scene, "sclock=\"0\" quarters=\"0:0\" bbt=\"5|1|0\"/>\n</Meters>");
    assert_has(scene, "<MusicTimes>\n</MusicTimes>");
}

/* Check sums */

static void test_handoff_sums_are_those_of_sha256(void **state)
{
    struct scene *scene = *state;
    save(scene, "b", "abc");
    save(scene, "a\nx\\", "");
    save(scene, ".hidden", "");
    save(scene, STEM_SHA256SUMS, "old");
    assert_int_equal(stem_sha256sums_write(scene->folder, NULL, NULL, &scene->error), 0);
    assert_true(load(scene, STEM_SHA256SUMS));
    /* FIPS 180-2, appendix B.1, and the digest of nothing */
    assert_string_equal(scene->bytes,
        "\\e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\\nx\\\\\n"
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n");
}

static bool stop(double done, void *data)
{
    (void)done;
    (void)data;
    return false;
}

static void test_handoff_sums_can_be_interrupted(void **state)
{
    struct scene *scene = *state;
    save(scene, "b", "abc");
    save(scene, STEM_SHA256SUMS, "old");
    assert_int_equal(stem_sha256sums_write(scene->folder, stop, NULL, &scene->error), -1);
    assert_string_equal(scene->error.text, "interrupted");
    assert_true(load(scene, STEM_SHA256SUMS));
    assert_string_equal(scene->bytes, "old");
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_handoff_events_begin_inside_a_bar),
        SCENE_TEST(test_handoff_events_begin_inside_a_beat),
        SCENE_TEST(test_handoff_events_find_the_bar_line_through_changes),
        SCENE_TEST(test_handoff_events_tell_changes_of_tempo_meter_and_place),
        SCENE_TEST(test_handoff_midi_file_byte_by_byte),
        SCENE_TEST(test_handoff_midi_file_needs_a_tempo),
        SCENE_TEST(test_handoff_markers_are_quoted),
        SCENE_TEST(test_handoff_markers_go_when_there_are_none),
        SCENE_TEST(test_handoff_project_keeps_any_text_in_its_line),
        SCENE_TEST(test_handoff_project_has_a_track_for_each_file),
        SCENE_TEST(test_handoff_project_of_nothing_yet_has_no_items),
        SCENE_TEST(test_handoff_project_of_somebody_is_kept),
        SCENE_TEST(test_handoff_project_that_was_lost_is_made_anew),
        SCENE_TEST(test_handoff_session_needs_audio),
        SCENE_TEST(test_handoff_session_places_frames_of_any_rate),
        SCENE_TEST(test_handoff_session_names_tracks_apart),
        SCENE_TEST(test_handoff_session_cuts_bars_as_the_music_does),
        SCENE_TEST(test_handoff_session_begins_with_any_bar),
        SCENE_TEST(test_handoff_sums_are_those_of_sha256),
        SCENE_TEST(test_handoff_sums_can_be_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
