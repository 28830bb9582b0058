#include "ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct message {
    uint64_t number;
    char text[24];
};

static void test_ring_keeps_order_over_many_wraps(void **state)
{
    (void)state;
    struct stem_ring *ring = stem_ring_create(8, sizeof(struct message));
    assert_non_null(ring);
    uint64_t pushed = 0, popped = 0;
    for (int round = 0; round < 1000; round++) {
        for (int k = 0; k < round % 9; k++)
            if (stem_ring_push_rt(ring, &(struct message){.number = pushed}))
                pushed++;
        struct message message;
        for (int k = 0; k < round % 7; k++)
            if (stem_ring_pop_rt(ring, &message))
                assert_int_equal(message.number, popped++);
    }
    assert_true(pushed > 1000);
    stem_ring_destroy(ring);
}

static void test_ring_refuses_when_full_and_loses_nothing(void **state)
{
    (void)state;
    struct stem_ring *ring = stem_ring_create(4, sizeof(int));
    for (int k = 0; k < 4; k++)
        assert_true(stem_ring_push_rt(ring, &k));
    int extra = 99, got;
    assert_false(stem_ring_push_rt(ring, &extra));
    for (int k = 0; k < 4; k++) {
        assert_true(stem_ring_pop_rt(ring, &got));
        assert_int_equal(got, k);
    }
    assert_false(stem_ring_pop_rt(ring, &got));
    stem_ring_destroy(ring);
}

static void test_ring_holds_at_least_what_was_asked(void **state)
{
    (void)state;
    struct stem_ring *ring = stem_ring_create(5, sizeof(int));
    int k = 0;
    while (stem_ring_push_rt(ring, &k))
        k++;
    assert_true(k >= 5);
    stem_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_keeps_order_over_many_wraps),
        cmocka_unit_test(test_ring_refuses_when_full_and_loses_nothing),
        cmocka_unit_test(test_ring_holds_at_least_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
