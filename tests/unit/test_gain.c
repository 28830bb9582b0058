/* Decibels and pan laws against what they promise: levels in the centre, sums, ends. */
#include "gain.h"
#include "unit.h"

#include <math.h>

static const enum stem_pan_law LAWS[] = {STEM_PAN_0DB, STEM_PAN_3DB, STEM_PAN_45DB, STEM_PAN_6DB};
enum { PAN_LAWS = sizeof LAWS / sizeof *LAWS, STEPS = 2000 };

static void check_near(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-12))
        fail_msg("%.17g instead of %.17g", value, wanted);
}

static void test_gain_unity_is_exact(void **state)
{
    (void)state;
    assert_true(stem_gain_from_db(0.0) == 1.0);
    assert_true(stem_gain_from_db(-0.0) == 1.0);
    assert_true(stem_gain_to_db(1.0) == 0.0);
    assert_true(stem_gain_to_db(-1.0) == 0.0);
}

static void test_gain_decibels_count_by_twenty(void **state)
{
    (void)state;
    check_near(stem_gain_from_db(20), 10);
    check_near(stem_gain_from_db(-20), 0.1);
    check_near(stem_gain_from_db(-120), 1e-6);
    check_near(stem_gain_from_db(20 * log10(2.0)), 2);
    check_near(stem_gain_to_db(-0.5), -20 * log10(2.0));
}

static void test_gain_there_and_back(void **state)
{
    (void)state;
    for (double db = -144; db <= 48; db += 0.125)
        if (!(fabs(stem_gain_to_db(stem_gain_from_db(db)) - db) < 1e-10))
            fail_msg("%g dB", db);
}

static void test_gain_of_nothing_is_minus_infinity(void **state)
{
    (void)state;
    double db = stem_gain_to_db(0.0);
    assert_true(isinf(db) && db < 0);
}

static void test_gain_pan_centre_has_the_level_of_its_name(void **state)
{
    (void)state;
    static const double CENTRE_DB[] = {
        0, -10 * M_LN2 / M_LN10, -15 * M_LN2 / M_LN10, -20 * M_LN2 / M_LN10};
    for (int k = 0; k < PAN_LAWS; k++) {
        double left, right;
        stem_gain_pan(LAWS[k], 0, &left, &right);
        check_near(stem_gain_to_db(left), CENTRE_DB[k]);
        check_near(right, left);
    }
    double left, right;
    stem_gain_pan(STEM_PAN_0DB, 0, &left, &right);
    assert_true(left == 1.0 && right == 1.0); /* audio passes untouched */
}

static void test_gain_pan_hard_sides_are_exact(void **state)
{
    (void)state;
    for (int k = 0; k < PAN_LAWS; k++) {
        double left = 7, right = 7;
        stem_gain_pan(LAWS[k], -1, &left, &right);
        assert_true(left == 1.0 && right == 0.0);
        stem_gain_pan(LAWS[k], 1, &left, &right);
        assert_true(left == 0.0 && right == 1.0);
    }
}

/* What each law keeps the same wherever the source stands. */
static void test_gain_pan_laws_keep_their_sums(void **state)
{
    (void)state;
    for (int step = 0; step <= STEPS; step++) {
        double pan = 2.0 * step / STEPS - 1, l[PAN_LAWS], r[PAN_LAWS];
        for (int k = 0; k < PAN_LAWS; k++)
            stem_gain_pan(LAWS[k], pan, &l[k], &r[k]);
        check_near(fmax(l[0], r[0]), 1);             /* one side stays whole */
        check_near(fmin(l[0], r[0]), 1 - fabs(pan)); /* the other fades linearly */
        check_near(l[1] * l[1] + r[1] * r[1], 1);    /* power */
        check_near(l[3] + r[3], 1);                  /* amplitude */
        check_near(l[2] * l[2], l[1] * l[3]);        /* midway between these two */
        check_near(r[2] * r[2], r[1] * r[3]);
    }
}

static void test_gain_pan_is_even_and_never_turns_back(void **state)
{
    (void)state;
    for (int k = 0; k < PAN_LAWS; k++) {
        double last_left = 2, last_right = -1;
        for (int step = 0; step <= STEPS; step++) {
            double pan = 2.0 * step / STEPS - 1, left, right, mirrored_left, mirrored_right;
            stem_gain_pan(LAWS[k], pan, &left, &right);
            stem_gain_pan(LAWS[k], -pan, &mirrored_left, &mirrored_right);
            check_near(left, mirrored_right);
            check_near(right, mirrored_left);
            assert_true(left <= last_left && right >= last_right);
            assert_true(left >= 0 && left <= 1 && right >= 0 && right <= 1);
            last_left = left;
            last_right = right;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gain_unity_is_exact),
        cmocka_unit_test(test_gain_decibels_count_by_twenty),
        cmocka_unit_test(test_gain_there_and_back),
        cmocka_unit_test(test_gain_of_nothing_is_minus_infinity),
        cmocka_unit_test(test_gain_pan_centre_has_the_level_of_its_name),
        cmocka_unit_test(test_gain_pan_hard_sides_are_exact),
        cmocka_unit_test(test_gain_pan_laws_keep_their_sums),
        cmocka_unit_test(test_gain_pan_is_even_and_never_turns_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
