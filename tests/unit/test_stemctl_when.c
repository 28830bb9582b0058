/* Points in time on the command line. */
#include "unit.h"
#include "when.h"

#include <string.h>

/* 2026-11-20 21:00:00.5 in Berlin */
static const struct timespec NOW = {1795204800, 500000000};

static int set_zone(void **state)
{
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    return 0;
}

static void check(const char *text, int64_t seconds, long nanoseconds)
{
    struct timespec when = {0};
    struct stem_error error;
    if (stemctl_when_parse(text, NOW, &when, &error))
        fail_msg("%s: %s", text, error.text);
    assert_int_equal(when.tv_sec, seconds);
    assert_int_equal(when.tv_nsec, nanoseconds);
}

static void test_when_reads_the_next_time_of_day(void **state)
{
    (void)state;
    check("21:30", NOW.tv_sec + 1800, 0);
    check("21:00:01", NOW.tv_sec + 1, 0);
    check("21:00:00.75", NOW.tv_sec, 750000000);
    check("21:00:05.250", NOW.tv_sec + 5, 250000000);
    check("20:59", NOW.tv_sec + 86400 - 60, 0); /* is over: tomorrow */
    check("21:00:00.5", NOW.tv_sec + 86400, 500000000);
}

static void test_when_reads_iso_8601(void **state)
{
    (void)state;
    check("2026-11-20T21:30:00", NOW.tv_sec + 1800, 0);
    check("2026-11-20T21:30", NOW.tv_sec + 1800, 0);
    check("2026-11-20T20:30:00Z", NOW.tv_sec + 1800, 0);
    check("2026-11-20T22:30:00.125+02:00", NOW.tv_sec + 1800, 125000000);
    check("2026-11-20T16:00:00-0430", NOW.tv_sec + 1800, 0);
    check("2026-11-20 21:30+01", NOW.tv_sec + 1800, 0);
    check("2026-07-01T12:00:00", 1782900000, 0); /* in summer time */
}

static void test_when_reads_seconds_from_now(void **state)
{
    (void)state;
    check("+90", NOW.tv_sec + 90, 500000000);
    check("+0.75", NOW.tv_sec + 1, 250000000);
}

static void test_when_refuses_what_is_no_time(void **state)
{
    static const char *const WRONG[] = {"", "x", "now", "21", "21:", "21:60", "24:00", "1:30",
        "21:30:", "21:30:61", "21:30x", "21:30.5", "21:30:05.", "+", "+x", "+1x", "+-1", "+nan",
        "2026-11-20", "2026-11-20T", "2026-13-01T00:00", "2026-11-31T00:00", "2026-02-29T00:00",
        "2026-11-20T21:30+", "2026-11-20T21:30+1", "2026-11-20T21:30Zx", "2026-11-20T21:30+01:0",
        "2026-11-20T21:30+01:000", "-5"};
    (void)state;
    for (size_t k = 0; k < sizeof WRONG / sizeof *WRONG; k++) {
        struct timespec when;
        struct stem_error error = {0};
        if (stemctl_when_parse(WRONG[k], NOW, &when, &error) == 0)
            fail_msg("\"%s\" was taken for a time", WRONG[k]);
        assert_non_null(strstr(error.text, "expected"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when_reads_the_next_time_of_day),
        cmocka_unit_test(test_when_reads_iso_8601),
        cmocka_unit_test(test_when_reads_seconds_from_now),
        cmocka_unit_test(test_when_refuses_what_is_no_time),
    };
    return cmocka_run_group_tests(tests, set_zone, NULL);
}
