/* The list of gaps, also against a plain search through everything that was ever added. */
#include "gap_list.h"
#include "unit.h"

#include <stdbool.h>

enum { MANY = 1000 };

static void add(struct stem_gap_list *list, uint64_t frame, uint64_t frames)
{
    assert_int_equal(stem_gap_list_add(list, (struct stem_gap){frame, frames, 1}), 0);
}

static void check_found(const struct stem_gap_list *list, uint64_t frame, uint64_t wanted)
{
    const struct stem_gap *gap = stem_gap_list_find(list, frame);
    assert_non_null(gap);
    assert_int_equal(gap->frame, wanted);
}

static void test_gap_list_is_empty_at_first(void **state)
{
    (void)state;
    struct stem_gap_list list = {0};
    assert_null(stem_gap_list_find(&list, 0));
    stem_gap_list_forget(&list, UINT64_MAX);
    stem_gap_list_finish(&list);
}

static void test_gap_list_finds_the_first_that_matters(void **state)
{
    (void)state;
    struct stem_gap_list list = {0};
    add(&list, 100, 50);
    add(&list, 200, 50);
    check_found(&list, 0, 100);
    check_found(&list, 100, 100);
    check_found(&list, 149, 100);
    check_found(&list, 150, 200); /* the frame behind a gap is not in it */
    check_found(&list, 249, 200);
    assert_null(stem_gap_list_find(&list, 250));
    stem_gap_list_finish(&list);
}

static void test_gap_list_keeps_what_it_is_told(void **state)
{
    (void)state;
    struct stem_gap_list list = {0};
    const struct stem_gap gap = {UINT64_C(1) << 33, UINT64_C(1) << 34, 5};
    assert_int_equal(stem_gap_list_add(&list, gap), 0);
    const struct stem_gap *found = stem_gap_list_find(&list, UINT64_C(1) << 32);
    assert_non_null(found);
    assert_int_equal(found->frame, gap.frame);
    assert_int_equal(found->frames, gap.frames);
    assert_int_equal(found->reasons, gap.reasons);
    stem_gap_list_finish(&list);
}

/* A gap of no length tells of a clock that turned back. */
static void test_gap_list_gap_of_no_length_is_found_on_its_frame(void **state)
{
    (void)state;
    struct stem_gap_list list = {0};
    add(&list, 100, 0);
    check_found(&list, 99, 100);
    check_found(&list, 100, 100);
    assert_null(stem_gap_list_find(&list, 101));
    stem_gap_list_forget(&list, 100);
    check_found(&list, 100, 100);
    stem_gap_list_forget(&list, 101);
    assert_null(stem_gap_list_find(&list, 0));
    stem_gap_list_finish(&list);
}

static void test_gap_list_forgets_only_what_is_over(void **state)
{
    (void)state;
    struct stem_gap_list list = {0};
    add(&list, 100, 50);
    add(&list, 150, 50); /* touches, for another reason */
    add(&list, 300, 50);
    stem_gap_list_forget(&list, 149);
    assert_int_equal(list.count, 3);
    stem_gap_list_forget(&list, 150);
    assert_int_equal(list.count, 2);
    check_found(&list, 0, 150);
    stem_gap_list_forget(&list, 10000);
    assert_int_equal(list.count, 0);
    add(&list, 20000, 1); /* and goes on */
    check_found(&list, 0, 20000);
    stem_gap_list_finish(&list);
    assert_int_equal(list.count, 0);
}

static bool ends_after(const struct stem_gap *gap, uint64_t frame)
{
    return gap->frames ? gap->frame + gap->frames > frame : gap->frame >= frame;
}

static void test_gap_list_many_gaps_come_and_go(void **state)
{
    (void)state;
    static struct stem_gap all[MANY];
    struct stem_gap_list list = {0};
    uint32_t seed = 9;
    uint64_t frame = 0, forgotten = 0;
    for (size_t k = 0; k < MANY; k++) {
        frame += (uint64_t)((unit_noise(&seed) + 1) * 10);
        all[k] = (struct stem_gap){frame, (uint64_t)((unit_noise(&seed) + 1) * 5), 1};
        frame += all[k].frames;
        add(&list, all[k].frame, all[k].frames);
        if (k % 7 == 6)
            stem_gap_list_forget(&list, forgotten = frame - 30 * (k % 3));
        for (uint64_t asked = forgotten; asked < frame + 3; asked += 3) {
            size_t first = 0;
            while (first <= k && !ends_after(&all[first], asked))
                first++;
            const struct stem_gap *found = stem_gap_list_find(&list, asked);
            if (first > k)
                assert_null(found);
            else
                assert_true(found && found->frame == all[first].frame);
        }
    }
    stem_gap_list_finish(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gap_list_is_empty_at_first),
        cmocka_unit_test(test_gap_list_finds_the_first_that_matters),
        cmocka_unit_test(test_gap_list_keeps_what_it_is_told),
        cmocka_unit_test(test_gap_list_gap_of_no_length_is_found_on_its_frame),
        cmocka_unit_test(test_gap_list_forgets_only_what_is_over),
        cmocka_unit_test(test_gap_list_many_gaps_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
