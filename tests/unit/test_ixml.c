/* The iXML chunk: its text, whatever the names are, its fixed size, and renewing it in place. That
 * others understand it is seen in the system tests. */
#include "ixml.h"

#include "stem_file.h"
#include "unit.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *text_of(const struct stem_take *take, const struct stem_take_stem *stem)
{
    char *text = stem_ixml_make(take, stem);
    assert_non_null(text);
    assert_int_equal(strlen(text), stem_ixml_bytes(stem->channels));
    return text;
}

static void make_take(struct stem_take *take, const char *title)
{
    *take = (struct stem_take){.rate_hz = 48000,
        .encoding = STEM_PCM24,
        .has_mix = true,
        .time_reference = (UINT64_C(3) << 32) + 77};
    assert_int_equal(stem_take_set_string(&take->title, title), 0);
    assert_int_equal(stem_take_set_string(&take->id, "0123456789abcdef0123456789abcdef"), 0);
    assert_int_equal(stem_take_set_string(&take->started, "2026-11-20T21:53:07.000+01:00"), 0);
    assert_int_equal(stem_take_add_stem(take, "Drums", "01_Drums.wav", 2), 0);
    assert_int_equal(stem_take_add_stem(take, "Bass", "02_Bass.wav", 1), 0);
    assert_int_equal(stem_take_add_extra(take, "Plate", "03_Plate.wav", 3), 0);
    stem_take_set_string(&take->mix.name, "Mix");
    stem_take_set_string(&take->mix.file, "00_Mix.wav");
    take->mix.channels = 2;
}

static void has(const char *text, const char *piece)
{
    if (!strstr(text, piece))
        fail_msg("\"%s\" is missing in:\n%s", piece, text);
}

static void test_ixml_tells_what_belongs_together(void **state)
{
    (void)state;
    struct stem_take take;
    make_take(&take, "Night Train");
    const struct stem_take_stem *files[] = {
        &take.mix, &take.stems[0], &take.stems[1], &take.extras[0]};
    for (int k = 0; k < 4; k++) {
        char uid[80], *text = text_of(&take, files[k]);
        snprintf(
            uid, sizeof uid, "<FILE_UID>0123456789abcdef0123456789abcdef-1-%02d</FILE_UID>", k);
        has(text, uid);
        has(text, "<FAMILY_UID>0123456789abcdef0123456789abcdef</FAMILY_UID>");
        has(text, "<TOTAL_FILES>4</TOTAL_FILES>");
        has(text, "<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>3</");
        has(text, "<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>77</");
        free(text);
    }
    char *text = text_of(&take, &take.mix);
    has(text, "<FUNCTION>L-MIX</FUNCTION>");
    free(text);
    text = text_of(&take, &take.extras[0]);
    has(text, "<NAME>Plate 3</NAME>");
    assert_null(strstr(text, "FUNCTION"));
    free(text);
    stem_take_finish(&take);
}

static void check_title(const char *title, const char *expected)
{
    struct stem_take take;
    char element[600];
    make_take(&take, title);
    char *text = text_of(&take, &take.stems[0]);
    snprintf(element, sizeof element, "<PROJECT>%s</PROJECT>", expected);
    has(text, element);
    free(text);
    stem_take_finish(&take);
}

static void test_ixml_names_are_escaped(void **state)
{
    (void)state;
    char ampersands[201] = "", escaped[201] = "";
    check_title("<a> & \"b\"", "&lt;a&gt; &amp; &quot;b&quot;");
    check_title("\x01 tab\t", "  tab ");
    check_title("Größe \xF0\x9F\x8E\xB9", "Größe \xF0\x9F\x8E\xB9");
    check_title(
        "-\xFF\xC0\x80-\xED\xA0\x80-\xEF\xBF\xBF-\xE2\x82", "-   -   -   -  "); /* no characters */
    memset(ampersands, '&', 200);
    for (int k = 0; k < 40; k++)
        memcpy(escaped + 5 * k, "&amp;", 5);
    check_title(ampersands, escaped); /* cut between escapes */
}

/* The longest names that a manifest may hold still fit, down to the last element. */
static void test_ixml_long_names_fit(void **state)
{
    (void)state;
    char longest[400] = "";
    memset(longest, 'x', sizeof longest - 1);
    for (uint32_t channels = 1; channels <= 40; channels++) {
        struct stem_take take;
        make_take(&take, longest);
        take.tempo_bpm = 1.0 / 3;
        take.part = UINT32_MAX;
        take.rate_hz = 1000000;
        take.time_reference = UINT64_MAX;
        struct stem_take_stem *stem = &take.stems[0];
        stem_take_set_string(&take.id, longest);
        stem_take_set_string(&take.key, longest);
        stem_take_set_string(&stem->name, longest);
        stem_take_set_string(&stem->file, longest);
        stem->channels = channels;
        char *text = text_of(&take, stem);
        has(text, "</TRACK_LIST>");
        has(text, "</BWFXML>\n");
        free(text);
        stem_take_finish(&take);
    }
}

/* Files */

static size_t read_file(const char *path, unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got = fread(bytes, 1, size, file);
    fclose(file);
    return got;
}

static void write_file(const char *path, const struct stem_take *take, const char *ixml)
{
    static const float AUDIO[2 * 100] = {0.5f, -0.5f};
    struct stem_error error = {""};
    const struct stem_file_params params = {.path = path,
        .container = take->container,
        .encoding = take->encoding,
        .rate_hz = 48000,
        .channels = 2,
        .originated = "2026-11-20T21:53:07",
        .description = "Drums",
        .ixml = ixml,
        .tempo_bpm = 120};
    struct stem_file *file = stem_file_create(&params, &error);
    if (!file)
        fail_msg("%s", error.text);
    assert_int_equal(stem_file_write(file, AUDIO, 100, &error), 0);
    assert_int_equal(stem_file_close(file, false, &error), 0);
}

/* Also before the first frame, when the recorder may be killed already. */
static void test_ixml_is_counted_in_an_empty_file(void **state)
{
    static const enum stem_container CONTAINERS[] = {STEM_WAV, STEM_AIFF};
    (void)state;
    for (int k = 0; k < 2; k++) {
        static unsigned char bytes[65536];
        char *folder = scratch_make(), path[256], *text;
        struct stem_take take;
        snprintf(path, sizeof path, "%s/file", folder);
        make_take(&take, "Title");
        text = text_of(&take, &take.stems[0]);
        const struct stem_file_params params = {.path = path,
            .container = CONTAINERS[k],
            .encoding = STEM_PCM24,
            .rate_hz = 48000,
            .channels = 2,
            .ixml = text};
        struct stem_file *file = stem_file_create(&params, NULL);
        assert_non_null(file);
        size_t size = read_file(path, bytes, sizeof bytes);
        size_t told = 0;
        for (int b = 0; b < 4; b++)
            told = told << 8 | bytes[CONTAINERS[k] == STEM_AIFF ? 4 + b : 7 - b];
        assert_true(size > stem_ixml_bytes(2));
        assert_int_equal(told, size - 8);
        stem_file_close(file, false, NULL);
        free(text);
        stem_take_finish(&take);
        scratch_remove(folder);
    }
}

static void renew(const char *path, const struct stem_take *take)
{
    struct stem_error error = {""};
    if (stem_ixml_renew(path, take, &take->stems[0], &error))
        fail_msg("%s", error.text);
}

static bool contains(const unsigned char *bytes, size_t size, const char *text)
{
    for (size_t at = 0; at + strlen(text) <= size; at++)
        if (memcmp(bytes + at, text, strlen(text)) == 0)
            return true;
    return false;
}

/* A file renewed to another title is, byte by byte, the file that was made with it. */
static void check_renewing(
    const char *folder, enum stem_container container, enum stem_encoding encoding, bool takes_ixml)
{
    static unsigned char one[65536], other[65536];
    struct stem_take take;
    char path[256];
    snprintf(path, sizeof path, "%s/file", folder);
    make_take(&take, "First");
    take.container = container;
    take.encoding = encoding;
    char *first = text_of(&take, &take.stems[0]);
    stem_take_set_string(&take.title, "Second & last");
    char *second = text_of(&take, &take.stems[0]);
    write_file(path, &take, second);
    size_t size = read_file(path, other, sizeof other);
    unlink(path);
    write_file(path, &take, first);
    renew(path, &take);
    assert_int_equal(read_file(path, one, sizeof one), size);
    assert_true(container == STEM_FLAC || memcmp(one, other, size) == 0);
    assert_int_equal(contains(one, size, "<PROJECT>Second &amp; last</PROJECT>"), takes_ixml);
    unlink(path);
    free(first);
    free(second);
    stem_take_finish(&take);
}

static void test_ixml_is_renewed_in_place(void **state)
{
    (void)state;
    char *folder = scratch_make();
    check_renewing(folder, STEM_WAV, STEM_PCM24, true);
    check_renewing(folder, STEM_WAV, STEM_FLOAT, true);
    check_renewing(folder, STEM_AIFF, STEM_PCM24, true);
    check_renewing(folder, STEM_AIFF, STEM_FLOAT, true);
    check_renewing(folder, STEM_CAF, STEM_PCM24, true);
    check_renewing(folder, STEM_W64, STEM_PCM24, false);
    check_renewing(folder, STEM_FLAC, STEM_PCM24, false);
    scratch_remove(folder);
}

static void check_left_alone(const char *folder, const char *ixml)
{
    static unsigned char one[65536], other[65536];
    struct stem_take take;
    char path[256];
    snprintf(path, sizeof path, "%s/file", folder);
    make_take(&take, "Title");
    write_file(path, &take, ixml);
    size_t size = read_file(path, other, sizeof other);
    renew(path, &take);
    assert_int_equal(read_file(path, one, sizeof one), size);
    assert_memory_equal(one, other, size);
    unlink(path);
    stem_take_finish(&take);
}

static void test_ixml_of_others_is_left_alone(void **state)
{
    (void)state;
    char *folder = scratch_make(), *text = malloc(stem_ixml_bytes(2) + 1);
    memset(text, 'x', stem_ixml_bytes(2));
    text[stem_ixml_bytes(2)] = '\0';
    check_left_alone(folder, NULL);
    check_left_alone(folder, "<BWFXML></BWFXML>");
    check_left_alone(folder, STEM_IXML_BEGIN "</BWFXML>");
    check_left_alone(folder, text);
    free(text);
    scratch_remove(folder);
}

static void test_ixml_file_that_is_not_there(void **state)
{
    (void)state;
    struct stem_take take;
    struct stem_error error = {""};
    make_take(&take, "Title");
    assert_int_equal(stem_ixml_renew("/nowhere/at/all.wav", &take, &take.stems[0], &error), -1);
    has(error.text, "/nowhere/at/all.wav");
    stem_take_finish(&take);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ixml_tells_what_belongs_together),
        cmocka_unit_test(test_ixml_names_are_escaped),
        cmocka_unit_test(test_ixml_long_names_fit),
        cmocka_unit_test(test_ixml_is_counted_in_an_empty_file),
        cmocka_unit_test(test_ixml_is_renewed_in_place),
        cmocka_unit_test(test_ixml_of_others_is_left_alone),
        cmocka_unit_test(test_ixml_file_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
