/* Texts and tables of stemctl. */
#include "table.h"
#include "text.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_written(const char *text, const char *expected)
{
    char *written = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&written, &size);
    assert_non_null(out);
    stemctl_text_write(out, text);
    fclose(out);
    assert_string_equal(written, expected);
    free(written);
}

static void test_stemctl_text_shows_nothing_a_terminal_obeys(void **state)
{
    (void)state;
    assert_written("Night Train", "Night Train");
    assert_written("a\033[2Jb\r\n\tc\x7f", "a?[2Jb???c?");
    assert_written("csi\xc2\x9b"
                   "31m",
        "csi?31m");
    assert_written("abc\xe2\x80\xae"
                   "fed",
        "abc?fed");
    assert_written("\xff\xc3", "??");
    assert_written("Gänsehaut 音楽", "Gänsehaut 音楽");
}

static void test_stemctl_text_is_measured_in_columns(void **state)
{
    (void)state;
    assert_int_equal(stemctl_text_columns(""), 0);
    assert_int_equal(stemctl_text_columns("Bass"), 4);
    assert_int_equal(stemctl_text_columns("Gänse"), 5);
    assert_int_equal(stemctl_text_columns("e\xcc\x81t\xcc\x81"), 2); /* combining accents */
    assert_int_equal(stemctl_text_columns("音楽"), 4);
    assert_int_equal(stemctl_text_columns("\033\xff"), 2);
}

static void assert_number(
    void (*format)(double, char *, size_t), double number, const char *expected)
{
    char text[STEMCTL_NUMBER_BYTES];
    format(number, text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_stemctl_text_tells_lengths(void **state)
{
    (void)state;
    assert_number(stemctl_text_length, 0, "0:00:00.000");
    assert_number(stemctl_text_length, 59.9996, "0:01:00.000");
    assert_number(stemctl_text_length, 3723.456, "1:02:03.456");
    assert_number(stemctl_text_length, 360000, "100:00:00.000");
    assert_number(stemctl_text_length, -1, "-");
    assert_number(stemctl_text_length, NAN, "-");
    assert_number(stemctl_text_length, INFINITY, "-");
}

static void test_stemctl_text_tells_what_is_left_without_rounding_up(void **state)
{
    (void)state;
    assert_number(stemctl_text_rough_length, 59.9, "59 s");
    assert_number(stemctl_text_rough_length, 60, "1 min");
    assert_number(stemctl_text_rough_length, 3599, "59 min");
    assert_number(stemctl_text_rough_length, 45240, "12 h 34 min");
    assert_number(stemctl_text_rough_length, 273600, "3 d 4 h");
    assert_number(stemctl_text_rough_length, 1e300, "-");
}

static void test_stemctl_text_tells_bytes(void **state)
{
    (void)state;
    assert_number(stemctl_text_bytes, 999, "999 bytes");
    assert_number(stemctl_text_bytes, 1000, "1.0 kB");
    assert_number(stemctl_text_bytes, 123.4e9, "123.4 GB");
    assert_number(stemctl_text_bytes, 5e18, "5000.0 PB");
}

static void test_stemctl_text_counts_things(void **state)
{
    char text[STEMCTL_NUMBER_BYTES];
    (void)state;
    stemctl_text_count(0, "gap", text, sizeof text);
    assert_string_equal(text, "no gaps");
    stemctl_text_count(1, "gap", text, sizeof text);
    assert_string_equal(text, "1 gap");
    stemctl_text_count(1234567, "clip", text, sizeof text);
    assert_string_equal(text, "1234567 clips");
}

static void assert_bar(double part, int columns, bool blocks, const char *expected)
{
    char text[512];
    stemctl_text_bar(part, columns, blocks, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(stemctl_text_columns(text), columns);
}

static void test_stemctl_text_draws_bars_of_one_width(void **state)
{
    (void)state;
    assert_bar(0, 10, false, "[--------]");
    assert_bar(0.5, 10, false, "[####----]");
    assert_bar(1, 10, false, "[########]");
    assert_bar(17, 10, false, "[########]");
    assert_bar(1e300, 10, false, "[########]");
    assert_bar(-1, 10, false, "[--------]");
    assert_bar(NAN, 10, false, "[--------]");
    assert_bar(0.5, 4, true, "██░░");
}

static void assert_table(struct stemctl_table *table, bool colours, const char *expected)
{
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    assert_non_null(out);
    stemctl_table_print(table, out, colours);
    fclose(out);
    assert_string_equal(printed, expected);
    free(printed);
}

static void test_stemctl_table_aligns_any_script(void **state)
{
    static const struct stemctl_column COLUMNS[] = {{"stem", false}, {"gaps", true}, {"", false}};
    (void)state;
    struct stemctl_table *table = stemctl_table_create(COLUMNS, 3);
    assert_table(table, false, "stem  gaps\n");
    stemctl_table_add(table, STEMCTL_PLAIN, "%s", "Bläser");
    stemctl_table_add(table, STEMCTL_WARNING, "%d", 12345);
    stemctl_table_add(table, STEMCTL_PLAIN, "muted");
    stemctl_table_add(table, STEMCTL_PLAIN, "%s", "音\n");
    stemctl_table_add(table, STEMCTL_PLAIN, "%d", 0);
    stemctl_table_add(table, STEMCTL_BAD, "%s", "");
    assert_table(table, false,
        "stem     gaps\n"
        "Bläser  12345  muted\n"
        "音?         0\n");
    stemctl_table_destroy(table);
}

static void test_stemctl_table_colours_cells_without_moving_them(void **state)
{
    static const struct stemctl_column COLUMNS[] = {{"a", false}, {"b", false}};
    (void)state;
    struct stemctl_table *table = stemctl_table_create(COLUMNS, 2);
    stemctl_table_add(table, STEMCTL_BAD, "x");
    stemctl_table_add(table, STEMCTL_PLAIN, "yy");
    assert_table(table, true,
        "\033[2ma\033[0m  \033[2mb\033[0m\n"
        "\033[1;31mx\033[0m  yy\n");
    stemctl_table_destroy(table);
}

static void test_stemctl_table_prints_no_half_row(void **state)
{
    static const struct stemctl_column COLUMNS[] = {{"a", false}, {"b", false}};
    (void)state;
    struct stemctl_table *table = stemctl_table_create(COLUMNS, 2);
    stemctl_table_add(table, STEMCTL_PLAIN, "lonely");
    assert_table(table, false, "a       b\n");
    stemctl_table_destroy(table);
    stemctl_table_destroy(NULL);
}

int main(void)
{
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return 77; /* skipped: the texts need UTF-8 */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stemctl_text_shows_nothing_a_terminal_obeys),
        cmocka_unit_test(test_stemctl_text_is_measured_in_columns),
        cmocka_unit_test(test_stemctl_text_tells_lengths),
        cmocka_unit_test(test_stemctl_text_tells_what_is_left_without_rounding_up),
        cmocka_unit_test(test_stemctl_text_tells_bytes),
        cmocka_unit_test(test_stemctl_text_counts_things),
        cmocka_unit_test(test_stemctl_text_draws_bars_of_one_width),
        cmocka_unit_test(test_stemctl_table_aligns_any_script),
        cmocka_unit_test(test_stemctl_table_colours_cells_without_moving_them),
        cmocka_unit_test(test_stemctl_table_prints_no_half_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
