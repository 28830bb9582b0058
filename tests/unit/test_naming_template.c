/* Names from templates: what stands in them, what is left out, what is refused. */
#include "naming.h"
#include "naming_template.h"
#include "unit.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static const struct tm WHEN = {
    .tm_year = 126, .tm_mon = 10, .tm_mday = 20, .tm_hour = 21, .tm_min = 53, .tm_sec = 7};

static struct stem_naming_values values;

static int set_up(void **state)
{
    (void)state;
    values = (struct stem_naming_values){.when = &WHEN,
        .title = "Night Train",
        .key = "Am",
        .tempo_bpm = 120,
        .rate_hz = 48000,
        .encoding = STEM_PCM24,
        .take = 1,
        .index = 1,
        .stem = "Drums"};
    return 0;
}

static void check_folder(const char *template, const char *wanted)
{
    char name[STEM_NAMING_BYTES];
    stem_naming_folder(template, &values, name);
    assert_string_equal(name, wanted);
}

static void check_file(const char *template, const char *wanted)
{
    char name[STEM_NAMING_BYTES];
    stem_naming_file(template, &values, "", "wav", name);
    assert_string_equal(name, wanted);
}

static void check_default(const char *title, double tempo_bpm, const char *wanted)
{
    values.title = title;
    values.tempo_bpm = tempo_bpm;
    check_folder(STEM_NAMING_FOLDER, wanted);
}

static void test_naming_template_default_folder(void **state)
{
    (void)state;
    check_default("Night Train", 120, "2026-11-20_21-53-07_Night-Train_120bpm");
    check_default("Night Train", 0, "2026-11-20_21-53-07_Night-Train");
    check_default("", 120.5, "2026-11-20_21-53-07_120.5bpm");
    check_default(NULL, 0, "2026-11-20_21-53-07");
    check_default("太鼓", 0, "2026-11-20_21-53-07"); /* nothing of it is safe */
    check_default("../x", 0, "2026-11-20_21-53-07_x");
}

static void test_naming_template_rounds_the_tempo(void **state)
{
    (void)state;
    check_default(NULL, 119.99999, "2026-11-20_21-53-07_120bpm");
    check_default(NULL, (double)98.6f, "2026-11-20_21-53-07_98.6bpm");
    check_default(NULL, 100.0 / 3, "2026-11-20_21-53-07_33.333bpm");
    check_default(NULL, -5, "2026-11-20_21-53-07");
    check_default(NULL, (double)NAN, "2026-11-20_21-53-07");
}

static void test_naming_template_default_file(void **state)
{
    (void)state;
    static const struct {
        unsigned index;
        const char *stem, *extension, *wanted;
    } FILES[] = {{1, "Drums", "wav", "01_Drums.wav"}, {0, "Mix", "flac", "00_Mix.flac"},
        {128, "Lead Vox / dbl", "caf", "128_Lead-Vox-dbl.caf"}};
    for (size_t k = 0; k < 3; k++) {
        char name[STEM_NAMING_BYTES];
        values.index = FILES[k].index;
        values.stem = FILES[k].stem;
        stem_naming_file(STEM_NAMING_FILE, &values, "", FILES[k].extension, name);
        assert_string_equal(name, FILES[k].wanted);
    }
}

static void test_naming_template_delivery(void **state)
{
    (void)state;
    check_folder(STEM_NAMING_DELIVERY_FOLDER, "Night-Train_120bpm_Am_48k24");
    check_file(STEM_NAMING_DELIVERY_FILE, "Night-Train_Drums_120bpm_24-48.wav");
    values.rate_hz = 44100;
    values.encoding = STEM_FLOAT;
    values.key = NULL;
    check_folder(STEM_NAMING_DELIVERY_FOLDER, "Night-Train_120bpm_44.1k32f");
    values.tempo_bpm = 0;
    check_file(STEM_NAMING_DELIVERY_FILE, "Night-Train_Drums_32f-44.1.wav");
}

static void test_naming_template_every_placeholder(void **state)
{
    (void)state;
    values.take = 3;
    values.index = 12;
    check_file("{date}.{time}-{title}_{tempo}_{key}_{take}_{rate}_{depth}_{index}_{stem}",
        "2026-11-20.21-53-07-Night-Train_120_Am_03_48_24_12_Drums.wav");
}

static void test_naming_template_rates_and_depths(void **state)
{
    (void)state;
    static const struct {
        uint32_t rate_hz;
        enum stem_encoding encoding;
        const char *wanted;
    } FORMATS[] = {{48000, STEM_PCM16, "48k16"}, {88200, STEM_PCM32, "88.2k32"},
        {192000, STEM_DOUBLE, "192k64f"}, {11025, STEM_FLOAT, "11.025k32f"}};
    for (size_t k = 0; k < 4; k++) {
        values.rate_hz = FORMATS[k].rate_hz;
        values.encoding = FORMATS[k].encoding;
        check_folder("{rate}k{depth}", FORMATS[k].wanted);
    }
}

static void test_naming_template_drops_what_is_empty(void **state)
{
    (void)state;
    values.title = values.key = "";
    values.tempo_bpm = 0;
    check_file("{title}_{stem}", "Drums.wav");
    check_file("{stem}_{title}", "Drums.wav");
    check_file("{stem}_{tempo}bpm_{key}_x", "Drums_x.wav");
    check_file("{stem}_-_{title}_-_{index}", "Drums_-_01.wav");
    check_file("in{key}A-{stem}.{tempo}", "Drums.wav"); /* the words go with their placeholder */
    check_file("{key}{stem}", "Drums.wav");             /* one of the two is there */
    check_file("Album.{title}-{stem}", "Album-Drums.wav");
}

static void test_naming_template_is_never_empty(void **state)
{
    (void)state;
    values.title = values.key = "";
    values.stem = "太鼓";
    check_file("{stem}", "01.wav");
    check_folder("{key}", "2026-11-20_21-53-07");
    check_folder("{title}", "2026-11-20_21-53-07");
    check_folder("{title}_{rate}k", "2026-11-20_21-53-07_48k"); /* not only "48k" */
    check_folder("{date}_{title}", "2026-11-20");
}

static void test_naming_template_numbers_takes_of_one_name(void **state)
{
    (void)state;
    values.take = 2;
    check_folder("{title}", "Night-Train-2");
    check_folder("{title}_take{take}", "Night-Train_take02");
    values.take = 117;
    check_folder("{title}_{take}", "Night-Train_117");
    values.take = 1;
    check_folder("{title}", "Night-Train");
    check_folder("{title}_{take}", "Night-Train_01");
}

static void check_key(const char *key, const char *wanted)
{
    values.key = key;
    check_folder("{key}", wanted);
}

static void test_naming_template_spells_keys(void **state)
{
    (void)state;
    check_key("F#m", "Fsharpm");
    check_key("C# minor", "Csharp-minor");
    check_key("G\xE2\x99\xAF", "Gsharp");
    check_key("B\xE2\x99\xAD major", "Bb-major");
    check_key("F", "F");
    char many[300];
    memset(many, '#', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    values.key = many;
    char name[STEM_NAMING_BYTES];
    stem_naming_folder("{key}", &values, name);
    assert_int_equal(strspn(name, "sharp"), strlen(name));
}

static void test_naming_template_puts_the_prefix_first(void **state)
{
    (void)state;
    char name[STEM_NAMING_BYTES];
    stem_naming_file("{title}_{stem}", &values, "in_", "wav", name);
    assert_string_equal(name, "in_Night-Train_Drums.wav");
    values.title = "";
    stem_naming_file("{title}_{stem}", &values, "in_", "wav", name);
    assert_string_equal(name, "in_Drums.wav");
}

/* The title makes room for everything else. */
static void test_naming_template_cuts_long_titles(void **state)
{
    (void)state;
    char title[1000], stem[151], name[STEM_NAMING_BYTES];
    memset(title, 'x', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    memset(stem, 'y', sizeof stem - 1);
    stem[sizeof stem - 1] = '\0';
    values.title = title;
    values.stem = stem;
    stem_naming_file("{title}_{stem}", &values, "", "wav", name);
    assert_int_equal(strlen(name), STEM_NAMING_MOST_BYTES);
    assert_string_equal(name + STEM_NAMING_MOST_BYTES - 154, strchr(name, 'y'));
    values.take = 500;
    stem_naming_folder("{title}_{title}", &values, name);
    assert_true(strlen(name) <= STEM_NAMING_MOST_BYTES);
    assert_string_equal(name + strlen(name) - 4, "-500");
}

/* Whatever the template and the values: what is accepted makes safe names of bounded length. */
static void test_naming_template_of_anything(void **state)
{
    (void)state;
    static const char *const PIECES[] = {"{title}", "{tempo}", "{key}", "{stem}", "{index}", "_",
        "-", ".", "bpm", "7", "{date}", "{take}"};
    uint32_t seed = 9;
    int accepted = 0;
    for (int round = 0; round < 20000; round++) {
        char template[200] = "", title[40], problem[200], name[STEM_NAMING_BYTES];
        int pieces = 1 + (int)((unit_noise(&seed) + 1) * 3.99f);
        for (int k = 0; k < pieces; k++)
            strcat(template, PIECES[(int)((unit_noise(&seed) + 1) * 5.99f)]);
        for (size_t k = 0; k < sizeof title - 1; k++)
            title[k] = (char)(1 + (int)((unit_noise(&seed) + 1) * 127));
        title[round % 40 == 39 ? 39 : round % 40] = '\0';
        values.title = title;
        values.tempo_bpm = round % 3 ? 0 : 99.5;
        values.key = round % 5 ? "" : "F#m";
        if (!stem_naming_template_check(template, true, problem, sizeof problem))
            continue;
        accepted++;
        stem_naming_file(template, &values, "", "wav", name);
        size_t length = strlen(name);
        if (length < 5 || length > STEM_NAMING_MOST_BYTES || name[0] == '.' || name[0] == '-')
            fail_msg("\"%s\" makes \"%s\"", template, name);
        for (size_t k = 0; k < length; k++)
            if (!isalnum((unsigned char)name[k]) && !strchr("._-", name[k]))
                fail_msg("\"%s\" makes \"%s\"", template, name);
    }
    assert_true(accepted > 5000);
}

static void check_problem(const char *template, bool of_file, const char *wanted)
{
    char problem[256] = "";
    bool right = stem_naming_template_check(template, of_file, problem, sizeof problem);
    assert_string_equal(problem, wanted);
    assert_int_equal(right, wanted[0] == '\0');
}

static void test_naming_template_check_accepts_what_is_right(void **state)
{
    (void)state;
    check_problem(STEM_NAMING_FOLDER, false, "");
    check_problem(STEM_NAMING_FILE, true, "");
    check_problem(STEM_NAMING_DELIVERY_FOLDER, false, "");
    check_problem(STEM_NAMING_DELIVERY_FILE, true, "");
    check_problem("Album1", false, "");
}

static void test_naming_template_check_says_what_is_wrong(void **state)
{
    (void)state;
    check_problem("{titel}", false, "unknown placeholder \"{titel}\"; did you mean \"{title}\"?");
    check_problem(
        "{stem}_{indx}", true, "unknown placeholder \"{indx}\"; did you mean \"{index}\"?");
    check_problem("{colour}", false,
        "unknown placeholder \"{colour}\"; there are {date}, {time}, {title}, {tempo}, {key}, "
        "{take}, {rate} and {depth}");
    check_problem("{}", true,
        "unknown placeholder \"{}\"; there are {date}, {time}, {title}, {tempo}, {key}, {take}, "
        "{rate}, {depth}, {index} and {stem}");
    check_problem("{title}_{stem}", false,
        "expected what all files of a take have in common, found \"{stem}\", which is for "
        "\"file_name\"");
    check_problem("{title", false, "expected a '}' behind \"{title\", found none");
    check_problem("{title}/{stem}", true,
        "expected letters, digits, '_', '-', '.' and placeholders such as {stem}, found "
        "\"/{stem}\"");
    check_problem("{title} x", false,
        "expected letters, digits, '_', '-', '.' and placeholders such as {title}, found \" x\"");
    check_problem("{title}}", false,
        "expected letters, digits, '_', '-', '.' and placeholders such as {title}, found \"}\"");
    check_problem(".{title}", false,
        "expected a letter, a digit or a placeholder first and last, found \".{title}\"");
    check_problem("{title}_", false,
        "expected a letter, a digit or a placeholder first and last, found \"{title}_\"");
    check_problem(
        "..", false, "expected a letter, a digit or a placeholder first and last, found \"..\"");
    check_problem("", true, "expected 1 to 120 bytes, found 0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(test_naming_template_default_folder),
        TEST(test_naming_template_rounds_the_tempo),
        TEST(test_naming_template_default_file),
        TEST(test_naming_template_delivery),
        TEST(test_naming_template_every_placeholder),
        TEST(test_naming_template_rates_and_depths),
        TEST(test_naming_template_drops_what_is_empty),
        TEST(test_naming_template_is_never_empty),
        TEST(test_naming_template_numbers_takes_of_one_name),
        TEST(test_naming_template_spells_keys),
        TEST(test_naming_template_puts_the_prefix_first),
        TEST(test_naming_template_cuts_long_titles),
        TEST(test_naming_template_of_anything),
        TEST(test_naming_template_check_accepts_what_is_right),
        TEST(test_naming_template_check_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
