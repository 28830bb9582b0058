/* OSC address patterns: what they cover, and that none takes long. */
#include "osc_pattern.h"
#include "unit.h"

#include <string.h>

struct pair {
    const char *pattern;
    const char *address;
};

static const struct pair FITTING[] = {
    {"/record/start", "/record/start"},
    {"/record/*", "/record/start"},
    {"/*/*", "/record/start"},
    {"/*", "/ping"},
    {"/ping*", "/ping"},
    {"/***g", "/ping"},
    {"/p?ng", "/ping"},
    {"/rec*/s*t", "/record/start"},
    {"/record/sto[pq]", "/record/stop"},
    {"/record/sto[a-p]", "/record/stop"},
    {"/record/sto[!a-o]", "/record/stop"},
    {"/record/{start,stop}", "/record/stop"},
    {"/record/{st,start}*p", "/record/stop"},
    {"/record/{s,st}{top,op}", "/record/stop"},
    {"/record/stop{,x}", "/record/stop"},
    {"/stem/*/mute", "/stem/Lead-Vocals/mute"},
    {"/stem/*-*/mute", "/stem/Lead-Vocals/mute"},
    {"/stem/[A-Z]ass/mute", "/stem/Bass/mute"},
    {"/a[-z]", "/a-"},
    {"/a[a-]", "/a-"},
};

static const struct pair OTHERS[] = {
    {"", "/ping"},
    {"/", "/ping"},
    {"/pin", "/ping"},
    {"/pings", "/ping"},
    {"/*", "/record/start"}, /* no slash is covered */
    {"*", "/ping"},
    {"?ping", "/ping"},
    {"[!a]ping", "/ping"},
    {"/record*start", "/record/start"},
    {"/p?", "/ping"},
    {"/ping?", "/ping"},
    {"/record/sto[!a-p]", "/record/stop"},
    {"/record/sto[p", "/record/stop"}, /* open for ever */
    {"/record/{start,stop", "/record/stop"},
    {"/record/sto[]", "/record/stop"},
    {"/record/{}", "/record/stop"},
    {"/record/{start,sto}", "/record/stop"},
    {"/a[b-a]", "/ab"},
};

static void test_osc_pattern_fits(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof FITTING / sizeof *FITTING; k++)
        if (!stem_osc_pattern_match(FITTING[k].pattern, FITTING[k].address))
            fail_msg("%s does not cover %s", FITTING[k].pattern, FITTING[k].address);
}

static void test_osc_pattern_does_not_fit(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof OTHERS / sizeof *OTHERS; k++)
        if (stem_osc_pattern_match(OTHERS[k].pattern, OTHERS[k].address))
            fail_msg("%s covers %s", OTHERS[k].pattern, OTHERS[k].address);
}

/* Fills a text with repetitions, and ends it with one more character. */
static void repeat(char *text, size_t size, const char *element, char last)
{
    size_t length = strlen(element), at = 1;
    text[0] = '/';
    for (; at + length + 1 < size; at += length)
        memcpy(text + at, element, length);
    text[at] = last;
    text[at + 1] = '\0';
}

/* Tried one way after the other, any of these would outlast us all. */
static void test_osc_pattern_never_takes_long(void **state)
{
    static const char *const HOSTILE[] = {"*", "*?", "*a", "*[a]", "*{a,aa}", "{a,aa}", "?"};
    char address[256], pattern[STEM_OSC_PATTERN_MOST + 1];
    (void)state;
    repeat(address, sizeof address, "a", 'b');
    for (size_t k = 0; k < sizeof HOSTILE / sizeof *HOSTILE; k++) {
        repeat(pattern, sizeof pattern, HOSTILE[k], 'c');
        for (int times = 0; times < 100; times++)
            assert_false(stem_osc_pattern_match(pattern, address));
    }
}

static void test_osc_pattern_too_long_matches_nothing(void **state)
{
    char longest[STEM_OSC_PATTERN_MOST + 1], longer[STEM_OSC_PATTERN_MOST + 2];
    (void)state;
    repeat(longest, sizeof longest, "a", 'b');
    assert_int_equal(strlen(longest), STEM_OSC_PATTERN_MOST);
    assert_true(stem_osc_pattern_match(longest, longest));
    repeat(longer, sizeof longer, "a", 'b');
    assert_false(stem_osc_pattern_match(longer, longer));
    assert_false(stem_osc_pattern_match(longer, "/ping"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_osc_pattern_fits),
        cmocka_unit_test(test_osc_pattern_does_not_fit),
        cmocka_unit_test(test_osc_pattern_never_takes_long),
        cmocka_unit_test(test_osc_pattern_too_long_matches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
