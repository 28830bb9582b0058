/* Names, sizes and limits of the file formats. */
#include "format.h"
#include "unit.h"

#include <string.h>

enum { CONTAINERS = STEM_FLAC + 1, ENCODINGS = STEM_DOUBLE + 1 };

static void test_format_container_names_lead_back(void **state)
{
    (void)state;
    for (int k = 0; k < CONTAINERS; k++) {
        enum stem_container container = (enum stem_container)k, back;
        assert_true(stem_container_parse(stem_container_name(container), &back));
        assert_int_equal(back, container);
    }
}

static void test_format_encoding_names_lead_back(void **state)
{
    (void)state;
    for (int k = 0; k < ENCODINGS; k++) {
        enum stem_encoding encoding = (enum stem_encoding)k, back;
        assert_true(stem_encoding_parse(stem_encoding_name(encoding), &back));
        assert_int_equal(back, encoding);
    }
}

static void test_format_refuses_other_names(void **state)
{
    (void)state;
    static const char *const OTHERS[] = {
        "", "WAV", "wav ", "wa", "wavx", "mp3", "pcm", "pcm8", "PCM24", "24"};
    for (size_t k = 0; k < sizeof OTHERS / sizeof *OTHERS; k++) {
        enum stem_container container = STEM_CAF;
        enum stem_encoding encoding = STEM_PCM32;
        assert_false(stem_container_parse(OTHERS[k], &container));
        assert_false(stem_encoding_parse(OTHERS[k], &encoding));
        assert_int_equal(container, STEM_CAF); /* left alone */
        assert_int_equal(encoding, STEM_PCM32);
    }
}

/* The lists in messages are written by hand: they must name every one, in order, and no other. */
static void test_format_lists_are_complete(void **state)
{
    (void)state;
    char names[128] = "";
    for (int k = 0; k < CONTAINERS; k++) {
        strcat(names, k ? ", " : "");
        strcat(names, stem_container_name((enum stem_container)k));
    }
    assert_string_equal(stem_container_names(), names);
    names[0] = '\0';
    for (int k = 0; k < ENCODINGS; k++) {
        strcat(names, k ? ", " : "");
        strcat(names, stem_encoding_name((enum stem_encoding)k));
    }
    assert_string_equal(stem_encoding_names(), names);
}

static void test_format_extensions_differ_and_hold_no_dot(void **state)
{
    (void)state;
    for (int k = 0; k < CONTAINERS; k++) {
        const char *extension = stem_container_extension((enum stem_container)k);
        assert_true(extension[0] != '\0' && !strchr(extension, '.'));
        for (int other = 0; other < k; other++)
            assert_string_not_equal(
                extension, stem_container_extension((enum stem_container)other));
    }
}

static void test_format_sizes_of_encodings(void **state)
{
    (void)state;
    static const struct {
        enum stem_encoding encoding;
        int bits;
        int bytes;
    } SIZES[] = {{STEM_PCM16, 16, 2}, {STEM_PCM24, 24, 3}, {STEM_PCM32, 32, 4}, {STEM_FLOAT, 0, 4},
        {STEM_DOUBLE, 0, 8}};
    for (size_t k = 0; k < sizeof SIZES / sizeof *SIZES; k++) {
        assert_int_equal(stem_encoding_bits(SIZES[k].encoding), SIZES[k].bits);
        assert_int_equal(stem_encoding_bytes(SIZES[k].encoding), SIZES[k].bytes);
    }
}

static void test_format_only_flac_is_choosy(void **state)
{
    (void)state;
    for (int c = 0; c < CONTAINERS; c++)
        for (int e = 0; e < ENCODINGS; e++)
            for (int channels = -1; channels <= 64; channels++) {
                bool possible = channels >= 1;
                if (c == STEM_FLAC)
                    possible = possible && channels <= 8 && (e == STEM_PCM16 || e == STEM_PCM24);
                assert_int_equal(
                    stem_format_valid((enum stem_container)c, (enum stem_encoding)e, channels),
                    possible);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_container_names_lead_back),
        cmocka_unit_test(test_format_encoding_names_lead_back),
        cmocka_unit_test(test_format_refuses_other_names),
        cmocka_unit_test(test_format_lists_are_complete),
        cmocka_unit_test(test_format_extensions_differ_and_hold_no_dot),
        cmocka_unit_test(test_format_sizes_of_encodings),
        cmocka_unit_test(test_format_only_flac_is_choosy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
