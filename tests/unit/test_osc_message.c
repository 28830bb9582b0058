/* Whole OSC messages and every way to be none. Each stands in memory of exactly its size, so that
 * the sanitizer sees a look behind its end. */
#include "osc_message.h"
#include "unit.h"

#include <stdbool.h>
#include <string.h>

struct packet {
    const char *bytes;
    size_t size;
};
#define PACKET(text)                                                                               \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

static bool is_valid(const char *bytes, size_t size)
{
    unsigned char *copy = malloc(size + (size == 0));
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    bool valid = stem_osc_message_valid(copy, size);
    free(copy);
    return valid;
}

static const struct packet WHOLE[] = {
    PACKET("/a\0\0,\0\0\0"),
    PACKET("/record/start\0\0\0,\0\0\0"),
    PACKET("/a\0\0,i\0\0\0\0\0\1"),
    PACKET("/a\0\0,ifc\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\1"),
    PACKET("/a\0\0,m\0\0abcd"),
    PACKET("/a\0\0,hdt\0\0\0\0"
           "12345678"
           "12345678"
           "12345678"),
    PACKET("/a\0\0,s\0\0abc\0"),
    PACKET("/a\0\0,s\0\0abcd\0\0\0\0"),
    PACKET("/a\0\0,S\0\0\0\0\0\0"),
    PACKET("/a\0\0,b\0\0\0\0\0\0"),
    PACKET("/a\0\0,b\0\0\0\0\0\1x\0\0\0"),
    PACKET("/a\0\0,b\0\0\0\0\0\4abcd"),
    PACKET("/a\0\0,TFNI\0\0\0"),
    PACKET("/a\0\0,sTi\0\0\0\0ab\0\0\0\0\0\7"),
};

static void test_osc_message_whole_ones(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof WHOLE / sizeof *WHOLE; k++)
        if (!is_valid(WHOLE[k].bytes, WHOLE[k].size))
            fail_msg("number %zu", k);
}

static void test_osc_message_cut_off_anywhere(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof WHOLE / sizeof *WHOLE; k++)
        for (size_t size = 0; size < WHOLE[k].size; size++)
            assert_false(is_valid(WHOLE[k].bytes, size));
}

static void test_osc_message_with_something_behind_it(void **state)
{
    (void)state;
    char bytes[128];
    for (size_t k = 0; k < sizeof WHOLE / sizeof *WHOLE; k++) {
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, WHOLE[k].bytes, WHOLE[k].size);
        for (size_t more = 1; more <= 8; more++)
            assert_false(is_valid(bytes, WHOLE[k].size + more));
    }
}

static void test_osc_message_others(void **state)
{
    (void)state;
    static const struct packet OTHERS[] = {
        PACKET("a\0\0\0,\0\0\0"), /* no path */
        PACKET("\0\0\0\0,\0\0\0"),
        PACKET("/a\0\0"), /* no type tags */
        PACKET("/a\0\0i\0\0\0\0\0\0\1"),
        PACKET("/a\0\0,xyz\0\0\0\0"), /* unknown types */
        PACKET("/a\0\0,[i]\0\0\0\0\0\0\0\1"),
        PACKET("/a\0\0,iii"),               /* no end of the tags */
        PACKET("////"),                     /* no end of the path */
        PACKET("/a\0\0,b\0\0\0\0\0\5abcd"), /* a blob that is not all there */
        PACKET("/a\0\0,b\0\0\x7F\xFF\xFF\xFF"),
        PACKET("/a\0\0,b\0\0\xFF\xFF\xFF\xFF"),
        PACKET("/a\0\0,b\0\0\xFF\xFF\xFF\xFC"
               "abcd"),
        PACKET("/a\0\0,s\0\0abcd"), /* a string without an end */
        PACKET("#bundle\0"),
    };
    for (size_t k = 0; k < sizeof OTHERS / sizeof *OTHERS; k++)
        if (is_valid(OTHERS[k].bytes, OTHERS[k].size))
            fail_msg("number %zu", k);
}

static void test_osc_message_stray_bytes(void **state)
{
    (void)state;
    uint32_t seed = 4;
    for (int round = 0; round < 50000; round++) {
        const struct packet *from = &WHOLE[(size_t)round % (sizeof WHOLE / sizeof *WHOLE)];
        char bytes[128];
        memcpy(bytes, from->bytes, from->size);
        bytes[(size_t)((unit_noise(&seed) + 1) / 2 * (float)(from->size - 1))] =
            (char)(int)(unit_noise(&seed) * 128);
        is_valid(bytes, from->size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_osc_message_whole_ones),
        cmocka_unit_test(test_osc_message_cut_off_anywhere),
        cmocka_unit_test(test_osc_message_with_something_behind_it),
        cmocka_unit_test(test_osc_message_others),
        cmocka_unit_test(test_osc_message_stray_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
