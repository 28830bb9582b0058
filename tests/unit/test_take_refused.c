/* The manifest: nothing that a file says is believed. */
#include "full_take.h"

#include "facts.h"

#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_manifest(const char *bytes, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/take.json", folder);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

/* The manifest is refused; the message names the file and holds `word`; nothing is left in the take
 * (the leak checker looks at that). */
static void check_refused(const char *word)
{
    struct stem_take take = {0};
    struct stem_error error = {0};
    if (stem_take_load(&take, folder, &error) == 0)
        fail_msg("it was believed, though %s", word);
    if (!strstr(error.text, folder) || !strstr(error.text, word))
        fail_msg("\"%s\" does not say \"%s\"", error.text, word);
    assert_null(take.stems);
    assert_null(take.title);
}

static json_t *valid_manifest(void)
{
    struct stem_take take;
    char path[128];
    fill(&take);
    save(&take);
    stem_take_finish(&take);
    snprintf(path, sizeof path, "%s/take.json", folder);
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    return root;
}

/* Finds the object that holds the last word of a path such as "stems.1.file". */
static json_t *holder_of(json_t *root, const char *path, const char **key)
{
    json_t *at = root;
    *key = path;
    for (const char *dot; (dot = strchr(*key, '.')); *key = dot + 1) {
        char word[32];
        snprintf(word, sizeof word, "%.*s", (int)(dot - *key), *key);
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(word)) : json_object_get(at, word);
    }
    assert_non_null(at);
    return at;
}

static void change(json_t *root, const char *path, const char *value)
{
    const char *key;
    json_t *holder = holder_of(root, path, &key);
    json_t *new = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    if (json_is_array(holder)) {
        json_array_set_new(holder, (size_t)atoi(key), new);
    } else {
        json_object_del(holder, key);
        if (new)
            json_object_set_new(holder, key, new);
    }
}

static void write_changed(const char *path, const char *value)
{
    json_t *root = valid_manifest();
    change(root, path, value);
    char *bytes = json_dumps(root, JSON_INDENT(2));
    write_manifest(bytes, strlen(bytes));
    free(bytes);
    json_decref(root);
}

static const struct {
    const char *path;
    const char *value; /* NULL: taken away */
    const char *word;  /* that the message must hold */
} LIES[] = {
    {"kind", NULL, "kind"},
    {"kind", "\"other\"", "kind"},
    {"version", NULL, "version"},
    {"version", "\"1\"", "version"},
    {"version", "999", "newer stemd (version 999"},
    {"progress", "\"perfect\"", "progress"},
    {"progress", "3", "progress"},
    {"title", NULL, "title: expected a string"},
    {"title", "[\"x\"]", "title: expected a string"},
    {"failure", "5", "failure: expected a string"},
    {"tempo_bpm", "\"fast\"", "tempo_bpm: expected a number"},
    {"rate_hz", "0", "rate_hz"},
    {"rate_hz", "-48000", "rate_hz"},
    {"rate_hz", "1e5", "rate_hz"},
    {"rate_hz", "4294967296", "rate_hz"},
    {"frames", "-1", "frames: expected a whole number"},
    {"frames", "9223372036854775807", "frames: expected a whole number"},
    {"frames", "1.5", "frames: expected a whole number"},
    {"start_frame", "true", "start_frame"},
    {"time_reference", "-7", "time_reference"},
    {"part", "-1", "part"},
    {"id", "{}", "id: expected a string"},
    {"format", NULL, "format.container"},
    {"format", "7", "format.container"},
    {"format.container", "\"mp3\"", "format.container: expected wav"},
    {"format.encoding", "\"pcm12\"", "format.encoding: expected pcm16"},
    {"mix", "[]", "mix"},
    {"mix.file", "\"../Mix.wav\"", "mix.file: expected the plain name"},
    {"mix.channels", "0", "mix.channels: expected at least 1"},
    {"stems", NULL, "stems: expected a list"},
    {"stems", "{}", "stems: expected a list"},
    {"stems.1", "null", "stems[1]"},
    {"stems.0.name", NULL, "stems[0].name"},
    {"stems.2.file", "\"01_Drums.wav\"", "stems[2].file: expected a file of its own"},
    {"stems.2.file", "\"/etc/passwd\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"sub/x.wav\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"..\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\".\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"a\\nb\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"\\u001b[2J\"", "stems[2].file: expected the plain name"},
    {"stems.2.file", "\"\\u007f\"", "stems[2].file: expected the plain name"},
    {"stems.0.channels", "4294967297", "stems[0].channels"},
    {"stems.0.channels", "1025", "stems[0].channels"},
    {"stems.0.inputs", "-1", "stems[0].inputs"},
    {"stems.0.frames", "null", "stems[0].frames"},
    {"stems.0.clips", "\"many\"", "stems[0].clips"},
    {"stems.0.peak", "\"1\"", "stems[0].peak"},
    {"stems.0.levels", "{}", "stems[0]"},
    {"stems.0.levels.rms_dbfs", "\"loud\"", "rms_dbfs"},
    {"extras.0.file", "\"../x\"", "extras[0].file: expected the plain name"},
    {"residual.peak", "\"x\"", "residual.peak"},
    {"gaps", "5", "gaps: expected a list"},
    {"gaps.0", "5", "gaps[0].frame"},
    {"gaps.1.frame", "120", "gaps[1].frame: expected gaps in ascending order"},
    {"gaps.1.frames", "-1", "gaps[1].frames"},
    {"xruns.0.delay_us", "null", "xruns[0].delay_us"},
    {"markers.1.text", "7", "markers[1].text"},
    {"clocks.0.jack_frame", "4294967296", "clocks[0].jack_frame"},
    {"tempo_map.0.bar", "2147483648", "tempo_map[0].bar"},
    {"transport.0.transport_frame", "\"\"", "transport[0].transport_frame"},
};

static void test_take_every_lie_is_found_and_named(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof LIES / sizeof *LIES; k++) {
        write_changed(LIES[k].path, LIES[k].value);
        check_refused(LIES[k].word);
    }
}

/* A manifest from an earlier version, or one that somebody added notes to. */
static void test_take_forgives_what_does_no_harm(void **state)
{
    (void)state;
    static const char *const HARMLESS[][2] = {{"notes", "\"the drummer was late\""}, {"part", NULL},
        {"time_reference", NULL}, {"extras", NULL}, {"clocks", NULL}, {"tempo_map", NULL},
        {"transport", NULL}, {"residual", NULL}, {"id", NULL}, {"stems.0.inputs", NULL},
        {"stems.0.levels", NULL}, {"stems.0.role", NULL}, {"mix", NULL},
        {"gaps.0.reasons", "[\"skipped\", \"sabotage\", 5]"}};
    for (size_t k = 0; k < sizeof HARMLESS / sizeof *HARMLESS; k++) {
        struct stem_take back = {0};
        write_changed(HARMLESS[k][0], HARMLESS[k][1]);
        load(&back);
        assert_int_equal(back.stem_count, 3);
        assert_int_equal(back.gaps[0].reasons, STEM_GAP_SKIPPED);
        stem_take_finish(&back);
    }
}

static void test_take_of_an_earlier_version_counts_from_its_start(void **state)
{
    (void)state;
    struct stem_take back = {0};
    write_changed("time_reference", NULL);
    load(&back);
    assert_int_equal(back.time_reference, back.start_frame);
    stem_take_finish(&back);
    write_changed("part", NULL);
    load(&back);
    assert_int_equal(back.part, 1);
    stem_take_finish(&back);
}

/* Wherever the file was cut off or hit, it is refused or read, never misread into a crash. */
static void test_take_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    json_t *root = valid_manifest();
    char *bytes = json_dumps(root, JSON_COMPACT);
    size_t size = strlen(bytes);
    for (size_t length = 0; length < size; length += length < 100 ? 1 : 37) {
        write_manifest(bytes, length);
        check_refused("take.json:1:");
    }
    free(bytes);
    json_decref(root);
}

static void test_take_hit_by_stray_bytes_does_no_harm(void **state)
{
    (void)state;
    json_t *root = valid_manifest();
    char *bytes = json_dumps(root, JSON_COMPACT);
    size_t size = strlen(bytes);
    uint32_t seed = 5;
    for (int round = 0; round < 3000; round++) {
        struct stem_take take = {0};
        size_t at = (size_t)((unit_noise(&seed) + 1) / 2 * (float)(size - 1));
        char was = bytes[at];
        bytes[at] = (char)(int)(unit_noise(&seed) * 128);
        write_manifest(bytes, size);
        stem_take_load(&take, folder, NULL);
        stem_take_finish(&take);
        bytes[at] = was;
    }
    free(bytes);
    json_decref(root);
}

static void check_text_refused(const char *manifest, const char *word)
{
    write_manifest(manifest, strlen(manifest));
    check_refused(word);
}

static void test_take_other_files_are_refused(void **state)
{
    (void)state;
    check_text_refused("", "take.json:1:");
    check_text_refused("[]", "expected an object");
    check_text_refused("{}", "kind");
    check_text_refused("\"stemd-take\"", "take.json:1:");
    check_text_refused("{\"kind\": \"stemd-take\", \"kind\": \"x\"}", "duplicate");
    write_manifest("\0\0\0\0", 4);
    check_refused("take.json:1:");
}

static void test_take_nested_without_end_is_refused(void **state)
{
    (void)state;
    enum { DEEP = 1 << 20 };
    char *bytes = malloc(DEEP);
    memset(bytes, '[', DEEP);
    write_manifest(bytes, DEEP);
    check_refused("depth");
    free(bytes);
}

static void test_take_file_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct stem_take take = {0};
    struct stem_error error = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/take.json", folder);
    assert_int_equal(stem_take_load(&take, folder, &error), -1);
    assert_non_null(strstr(error.text, "No such file or directory"));
    assert_int_equal(mkfifo(path, 0600), 0); /* opening it would wait for ever */
    check_refused("sensible");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    check_refused("sensible");
    rmdir(path);
    write_manifest("", 0);
    assert_int_equal(truncate(path, (off_t)1 << 40), 0);
    check_refused("sensible");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_take_every_lie_is_found_and_named),
        TEST(test_take_forgives_what_does_no_harm),
        TEST(test_take_of_an_earlier_version_counts_from_its_start),
        TEST(test_take_cut_off_anywhere_is_refused),
        TEST(test_take_hit_by_stray_bytes_does_no_harm),
        TEST(test_take_other_files_are_refused),
        TEST(test_take_nested_without_end_is_refused),
        TEST(test_take_file_of_another_kind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
