/* Names from what people type, and what they meant when they mistyped. */
#include "naming.h"
#include "unit.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static void check_safe(const char *name, const char *wanted)
{
    char safe[STEM_NAME_BYTES];
    stem_naming_safe(name, safe, sizeof safe);
    if (strcmp(safe, wanted) != 0)
        fail_msg("\"%s\" became \"%s\" instead of \"%s\"", name, safe, wanted);
}

static void test_naming_safe_leaves_safe_names_alone(void **state)
{
    (void)state;
    check_safe("Drums", "Drums");
    check_safe("Bass_DI-2.take", "Bass_DI-2.take");
    check_safe("0", "0");
}

static void test_naming_safe_folds_what_is_not_safe(void **state)
{
    (void)state;
    check_safe("Night Train!", "Night-Train");
    check_safe("Kick  &  Snare", "Kick-Snare");
    check_safe("a - b", "a-b");
    check_safe("tab\tnewline\n", "tab-newline");
    check_safe("a:b*c?d\"e<f>g|h\\i/j", "a-b-c-d-e-f-g-h-i-j");
    check_safe("$(reboot);`x`", "reboot-x");
}

static void test_naming_safe_leads_nowhere(void **state)
{
    (void)state;
    check_safe("../../etc/passwd", "etc-passwd");
    check_safe("..", "");
    check_safe(".hidden", "hidden");
    check_safe("-rf", "rf");
    check_safe("name.", "name");
    check_safe("name. -", "name");
}

static void test_naming_safe_takes_accents_off(void **state)
{
    (void)state;
    check_safe("Café Zoë", "Cafe-Zoe");
    check_safe("Gänsefüßchen Öl Übung", "Gaensefuesschen-Oel-Uebung");
    check_safe("ÀÁÂÃÅÇÈÉÊËÌÍÎÏÑÒÓÔÕØÙÚÛÝ", "AAAAACEEEEIIIINOOOOOUUUY");
    check_safe("àáâãåçèéêëìíîïñòóôõøùúûýÿ", "aaaaaceeeeiiiinooooouuuyy");
    check_safe("Æsir æsir Œuvre œuvre Ðþ", "AEsir-aesir-OEuvre-oeuvre-Dt");
    check_safe("Łódź Dvořák Işık Žižkov Ŀ ŀ ŉ Ŋŋ Ÿ ſ", "Lodz-Dvorak-Isik-Zizkov-L-l-n-Nn-Y-s");
    check_safe("3×4÷2", "3-4-2");
}

static void test_naming_safe_of_other_scripts_is_empty(void **state)
{
    (void)state;
    check_safe("太鼓", "");
    check_safe("太鼓 2", "2");
    check_safe("", "");
    check_safe("🥁", "");
    check_safe("Drums 🥁 loud", "Drums-loud");
}

static void test_naming_safe_of_invalid_utf8(void **state)
{
    (void)state;
    check_safe("a\xFFz", "a-z");
    check_safe("a\xC3", "a");     /* cut off in the middle */
    check_safe("a\xC3(b", "a-b"); /* the second byte is no continuation */
    check_safe("\x80\xBF", "");
    check_safe("a\xE9t\xE9", "a-t"); /* Latin-1 */
}

static bool is_safe_name(const char *name)
{
    size_t length = strlen(name);
    for (size_t k = 0; k < length; k++)
        if (!isalnum((unsigned char)name[k]) && !strchr("._-", name[k]))
            return false;
    return length == 0 || (!strchr(".-", name[0]) && !strchr(".-", name[length - 1]));
}

/* Whatever comes in, in whatever room: what comes out is safe, ended, and safe as it is. */
static void test_naming_safe_of_anything(void **state)
{
    (void)state;
    uint32_t seed = 3;
    for (int round = 0; round < 20000; round++) {
        char name[64], safe[64], again[64];
        size_t size = 1 + (size_t)round % 48, length = (size_t)round % 63;
        for (size_t k = 0; k < length; k++)
            name[k] = (char)(1 + (int)((unit_noise(&seed) + 1) * 127));
        name[length] = '\0';
        memset(safe, '#', sizeof safe);
        stem_naming_safe(name, safe, size);
        assert_non_null(memchr(safe, '\0', size));
        assert_true(is_safe_name(safe));
        for (size_t k = size; k < sizeof safe; k++)
            assert_int_equal(safe[k], '#');
        stem_naming_safe(safe, again, sizeof again);
        assert_string_equal(again, safe);
    }
}

static void test_naming_safe_cuts_what_is_too_long(void **state)
{
    (void)state;
    char name[1000], safe[20];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    stem_naming_safe(name, safe, sizeof safe);
    assert_true(strlen(safe) >= sizeof safe - 2);
    for (size_t size = 1; size < sizeof safe; size++) { /* letters that become two */
        memset(safe, '#', sizeof safe);
        stem_naming_safe("ßäöüßäöüßäöüßäöü", safe, size);
        assert_non_null(memchr(safe, '\0', size));
        assert_int_equal(safe[size], '#');
    }
}

/* The same number by its definition, without a table: what one edit less leads to. */
static unsigned slow_distance(const char *a, const char *b)
{
    if (!*a || !*b)
        return (unsigned)(strlen(a) + strlen(b));
    unsigned best = slow_distance(a + 1, b + 1) + (*a != *b);
    unsigned other = slow_distance(a + 1, b) + 1;
    best = other < best ? other : best;
    other = slow_distance(a, b + 1) + 1;
    best = other < best ? other : best;
    if (a[1] && b[1] && a[0] == b[1] && a[1] == b[0]) {
        other = slow_distance(a + 2, b + 2) + 1;
        best = other < best ? other : best;
    }
    return best;
}

static void test_naming_distance_by_its_definition(void **state)
{
    (void)state;
    uint32_t seed = 11;
    for (int round = 0; round < 2000; round++) {
        char word[2][8];
        for (int w = 0; w < 2; w++) {
            int length = (int)((unit_noise(&seed) + 1) * 3.49f);
            for (int k = 0; k < length; k++)
                word[w][k] = (char)('a' + (int)((unit_noise(&seed) + 1) * 1.49f));
            word[w][length] = '\0';
        }
        if (stem_naming_distance(word[0], word[1]) != slow_distance(word[0], word[1]))
            fail_msg("\"%s\" to \"%s\"", word[0], word[1]);
    }
}

static void test_naming_distance_examples(void **state)
{
    (void)state;
    assert_int_equal(stem_naming_distance("Drums", "dRUMS"), 0);
    assert_int_equal(stem_naming_distance("Drusm", "Drums"), 1);
    assert_int_equal(stem_naming_distance("", "Bass"), 4);
    assert_int_equal(stem_naming_distance("kitten", "sitting"), 3);
    char a[300], b[300];
    memset(a, 'a', sizeof a - 1);
    memset(b, 'b', sizeof b - 1);
    a[sizeof a - 1] = b[sizeof b - 1] = '\0';
    assert_true(stem_naming_distance(a, b) >= 64); /* far, and nothing overflows */
}

static const char *const SETTINGS[] = {"client", "server", "takes", "format", "encoding", "tape",
    "preroll", "osc", "returns", "stems", "mix"};
enum { SETTING_COUNT = sizeof SETTINGS / sizeof *SETTINGS };

static void test_naming_suggests_the_likely_word(void **state)
{
    (void)state;
    static const char *const PAIRS[][2] = {{"tpae", "tape"}, {"fromat", "format"},
        {"Encodign", "encoding"}, {"pre", "preroll"}, {"retruns", "returns"}, {"stem", "stems"},
        {"clinet", "client"}};
    for (size_t k = 0; k < sizeof PAIRS / sizeof *PAIRS; k++) {
        const char *said = stem_naming_suggest(PAIRS[k][0], SETTINGS, SETTING_COUNT);
        assert_non_null(said);
        assert_string_equal(said, PAIRS[k][1]);
    }
}

static void test_naming_suggests_nothing_far_fetched(void **state)
{
    (void)state;
    static const char *const WORDS[] = {"loudness", "colour", "q", "xyzzy"};
    for (size_t k = 0; k < sizeof WORDS / sizeof *WORDS; k++)
        assert_null(stem_naming_suggest(WORDS[k], SETTINGS, SETTING_COUNT));
    assert_null(stem_naming_suggest("tape", SETTINGS, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_naming_safe_leaves_safe_names_alone),
        cmocka_unit_test(test_naming_safe_folds_what_is_not_safe),
        cmocka_unit_test(test_naming_safe_leads_nowhere),
        cmocka_unit_test(test_naming_safe_takes_accents_off),
        cmocka_unit_test(test_naming_safe_of_other_scripts_is_empty),
        cmocka_unit_test(test_naming_safe_of_invalid_utf8),
        cmocka_unit_test(test_naming_safe_of_anything),
        cmocka_unit_test(test_naming_safe_cuts_what_is_too_long),
        cmocka_unit_test(test_naming_distance_by_its_definition),
        cmocka_unit_test(test_naming_distance_examples),
        cmocka_unit_test(test_naming_suggests_the_likely_word),
        cmocka_unit_test(test_naming_suggests_nothing_far_fetched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
