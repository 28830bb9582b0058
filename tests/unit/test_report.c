/* The page of a take as a file: whole, atomic, safe whatever the take's texts hold. What it does in
 * a browser is the business of tests/system/test_report.py. */
#include "report.h"
#include "report_parts.h"
#include "unit.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;
static struct stem_take take;

static int set_up(void **state)
{
    (void)state;
    folder = scratch_make();
    take = (struct stem_take){.progress = STEM_TAKE_COMPLETE,
        .rate_hz = 48000,
        .frames = 96000,
        .container = STEM_WAV,
        .encoding = STEM_PCM24};
    assert_int_equal(stem_take_set_string(&take.title, "Night Train"), 0);
    assert_int_equal(stem_take_add_stem(&take, "Drums", "01_Drums.wav", 2), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stem_take_finish(&take);
    scratch_remove(folder);
    return 0;
}

static char *read_page(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, STEM_REPORT_FILE);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    char *text = calloc(1, 4 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (4 << 20) - 1, in) > 0);
    fclose(in);
    return text;
}

static char *write_page(const struct stem_survey *survey)
{
    struct stem_error error = {0};
    if (stem_report_write(folder, &take, survey, &error))
        fail_msg("%s", error.text);
    return read_page();
}

static size_t count(const char *text, const char *what)
{
    size_t found = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        found++;
    return found;
}

/* The text between the start of the data and the next end of a script, as a browser sees it. */
static json_t *data_of(const char *page)
{
    static const char start[] = "id=\"data\">";
    const char *from = strstr(page, start);
    assert_non_null(from);
    from += sizeof start - 1;
    const char *to = strstr(from, "</script");
    assert_non_null(to);
    assert_null(memchr(from, '<', (size_t)(to - from)));
    json_error_t problem;
    json_t *data = json_loadb(from, (size_t)(to - from), 0, &problem);
    if (!data)
        fail_msg("the data are no JSON: %s", problem.text);
    return data;
}

static const char *title_of(const json_t *data)
{
    return json_string_value(json_object_get(json_object_get(data, "take"), "title"));
}

static void test_report_is_one_page_without_links(void **state)
{
    (void)state;
    char *page = write_page(NULL);
    assert_memory_equal(page, "<!DOCTYPE html>", 15);
    assert_non_null(strstr(page, "<title>Night Train</title>"));
    assert_int_equal(count(page, "</html>"), 1);
    assert_int_equal(count(page, "://"), 0);                   /* nothing comes from elsewhere */
    assert_int_equal(count(page, "@"), count(page, "@media")); /* no mark is left */
    json_t *data = data_of(page);
    assert_string_equal(title_of(data), "Night Train");
    json_decref(data);
    free(page);
}

/* Whatever the title holds, the page has as many elements as without it, and gives it back. */
static void check_title(const char *title, const char *returned)
{
    char *plain = write_page(NULL);
    size_t tags = count(plain, "<"), ends = count(plain, "</script");
    free(plain);
    assert_int_equal(stem_take_set_string(&take.title, title), 0);
    char *page = write_page(NULL);
    assert_int_equal(count(page, "<"), tags);
    assert_int_equal(count(page, "</script"), ends);
    json_t *data = data_of(page);
    assert_string_equal(title_of(data), returned);
    json_decref(data);
    free(page);
}

static void test_report_keeps_hostile_titles_texts(void **state)
{
    (void)state;
    static const char *const titles[] = {"</script><script>alert(1)</script>", "<!--<script>",
        "</title><img src=x onerror=alert(1)>", "\" onload=\"x", "' & \" < > &lt; \\u003c",
        "line\nbreak\ttab\r\x01\x1F\x7F", "\xE2\x80\xA8\xE2\x80\xA9 separators", "@DATA@ @STYLE@",
        "\xF0\x9F\xA5\x81 drums"};
    for (size_t t = 0; t < sizeof titles / sizeof *titles; t++)
        check_title(titles[t], titles[t]);
}

static void test_report_repairs_titles_that_are_not_utf8(void **state)
{
    (void)state;
    check_title("a\xFF\xC3(b", "a\xEF\xBF\xBD\xEF\xBF\xBD(b");
}

static void test_report_takes_a_title_of_64_kib(void **state)
{
    (void)state;
    enum { SIZE = 64 << 10 };
    static char title[SIZE + 1];
    for (size_t i = 0; i + 9 <= SIZE; i += 9)
        memcpy(title + i, "</script>", 9);
    check_title(title, title);
    char *page = read_page();
    const char *end = strstr(page, "</title>");
    assert_true(end - strstr(page, "<title>") < 2000); /* a head of sensible size */
    free(page);
}

static void test_report_cuts_a_long_title_between_characters(void **state)
{
    (void)state;
    char title[602] = "x";
    for (size_t i = 0; i < 200; i++)
        memcpy(title + 1 + 3 * i, "\xE2\x98\x85", 3);
    assert_int_equal(stem_take_set_string(&take.title, title), 0);
    char *page = write_page(NULL);
    const char *end = strstr(page, "…</title>");
    assert_non_null(end);
    assert_memory_equal(end - 3, "\xE2\x98\x85", 3);
    free(page);
}

static void test_report_keeps_hostile_names_and_markers_texts(void **state)
{
    (void)state;
    assert_int_equal(stem_take_add_marker(&take, 5, "</script><b>"), 0);
    assert_int_equal(stem_take_set_string(&take.stems[0].name, "</SCRIPT >"), 0);
    assert_int_equal(stem_take_set_string(&take.residual.hint, "<!--"), 0);
    take.residual.measured = true;
    char *page = write_page(NULL);
    json_decref(data_of(page));
    free(page);
}

/* Two columns and two seconds of one file. */
static struct stem_survey_column columns[2] = {{-1, 1, 0.5f}, {-3, NAN, 0}};
static float residual_rms[2] = {0, 0.1f}, residual_peak[2] = {0, 1};
static struct stem_survey_file file = {
    .levels = {.measured = true, .integrated_lufs = -INFINITY}, .columns = columns};
static const struct stem_survey survey = {.files = &file,
    .file_count = 1,
    .columns = 2,
    .frames_per_column = 48000,
    .residual_rms = residual_rms,
    .residual_peak = residual_peak,
    .seconds = 2,
    .residual = {.measured = true, .peak = INFINITY, .bound = 1e-7}};

static void test_report_packs_waves_and_residual(void **state)
{
    (void)state;
    char *page = write_page(&survey);
    json_t *data = data_of(page);
    /* 8001 ff7f 0040, 0080 0000 0000, little-endian */
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(data, "waves"), 0)), "AYD/fwBAAIAAAAAA");
    /* 0080 0080 (nothing), 30f8 (-20.00 dB) 0000 (0 dB) */
    json_t *residual = json_object_get(data, "residual");
    assert_string_equal(json_string_value(json_object_get(residual, "db")), "AIAAgDD4AAA=");
    assert_int_equal(json_integer_value(json_object_get(residual, "seconds_each")), 1);
    json_decref(data);
    free(page);
}

static void test_report_tells_of_every_file_though_levels_are_infinite(void **state)
{
    (void)state;
    struct stem_survey_file loud = file;
    loud.peak = INFINITY;
    loud.bad_samples = 7;
    struct stem_survey other = survey;
    other.files = &loud;
    char *page = write_page(&other);
    json_t *data = data_of(page);
    json_t *stems = json_object_get(json_object_get(data, "take"), "stems");
    assert_int_equal(json_array_size(stems), 1);
    json_t *levels = json_object_get(json_array_get(stems, 0), "levels");
    assert_true(json_is_null(json_object_get(levels, "integrated_lufs")));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(data, "bad"), 0)), 7);
    json_decref(data);
    free(page);
}

static void test_report_packs_any_number_of_columns(void **state)
{
    (void)state;
    static struct stem_survey_column many[STEM_SURVEY_COLUMNS];
    for (size_t n = 0; n <= STEM_SURVEY_COLUMNS; n += n < 5 ? 1 : 665) {
        char *text = stem_report_pack_wave(many, n);
        assert_non_null(text);
        assert_int_equal(strlen(text), (n * 6 + 2) / 3 * 4);
        free(text);
    }
}

static void test_report_of_a_day_has_no_more_columns_of_residual(void **state)
{
    (void)state;
    enum { DAY = 86400 };
    float *day = calloc(DAY, sizeof *day);
    assert_non_null(day);
    struct stem_survey_file one = file;
    struct stem_survey whole = {.files = &one,
        .file_count = 1,
        .columns = 2,
        .frames_per_column = 1,
        .residual_rms = day,
        .residual_peak = day,
        .seconds = DAY};
    day[DAY - 1] = 1;
    json_t *data = stem_report_data(&take, &whole);
    json_t *residual = json_object_get(data, "residual");
    assert_int_equal(json_integer_value(json_object_get(residual, "seconds_each")), 44);
    const char *db = json_string_value(json_object_get(residual, "db"));
    assert_true(strlen(db) <= STEM_SURVEY_COLUMNS * 4 / 3 * 4 + 4);
    assert_string_not_equal(db + strlen(db) - 4, "AIA="); /* the last second shows */
    json_decref(data);
    free(day);
}

static void test_report_cuts_long_lists_and_tells_how_long_they_were(void **state)
{
    (void)state;
    for (uint64_t x = 0; x < 5000; x++)
        assert_int_equal(stem_take_add_xrun(&take, x, 1), 0);
    json_t *data = stem_report_data(&take, NULL);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(data, "totals"), "xruns")), 5000);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(data, "take"), "xruns")), 2000);
    assert_int_equal(take.xrun_count, 5000);
    json_decref(data);
}

static void test_report_replaces_the_old_page_and_leaves_nothing_else(void **state)
{
    (void)state;
    char path[128];
    free(write_page(NULL));
    assert_int_equal(stem_take_set_string(&take.title, "Other"), 0);
    char *page = write_page(NULL);
    assert_non_null(strstr(page, "<title>Other</title>"));
    free(page);
    snprintf(path, sizeof path, "%s/.%s.new", folder, STEM_REPORT_FILE);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_report_names_the_file_that_cannot_be_written(void **state)
{
    (void)state;
    struct stem_error error = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/none", folder);
    assert_int_equal(stem_report_write(path, &take, NULL, &error), -1);
    assert_non_null(strstr(error.text, path));
    assert_non_null(strstr(error.text, STEM_REPORT_FILE));
}

static void test_report_that_fails_removes_its_temporary_file(void **state)
{
    (void)state;
    struct stem_error error = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, STEM_REPORT_FILE);
    assert_int_equal(mkdir(path, 0777), 0); /* a folder in its place: the renaming fails */
    assert_int_equal(stem_report_write(folder, &take, NULL, &error), -1);
    assert_non_null(strstr(error.text, path));
    snprintf(path, sizeof path, "%s/.%s.new", folder, STEM_REPORT_FILE);
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_report_is_one_page_without_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_report_keeps_hostile_titles_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_report_repairs_titles_that_are_not_utf8, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_report_takes_a_title_of_64_kib, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_report_cuts_a_long_title_between_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_report_keeps_hostile_names_and_markers_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_report_packs_waves_and_residual, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_report_tells_of_every_file_though_levels_are_infinite, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_report_packs_any_number_of_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_report_of_a_day_has_no_more_columns_of_residual, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_report_cuts_long_lists_and_tells_how_long_they_were, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_report_replaces_the_old_page_and_leaves_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_report_names_the_file_that_cannot_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_report_that_fails_removes_its_temporary_file, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
