/* Every pair of state and event, against a list that was written down separately, and rules that
 * hold for the whole table. */
#include "take_state.h"
#include "unit.h"

#include <stdbool.h>

#define IDLE STEM_STATE_IDLE
#define ARMED STEM_STATE_ARMED
#define RECORDING STEM_STATE_RECORDING
#define STOPPING STEM_STATE_STOPPING

static const struct {
    enum stem_state state;
    enum stem_event_type event;
    enum stem_state next;
    enum stem_action action;
} PAIRS[] = {
    /* Without a take only a start does something. */
    {IDLE, STEM_ON_START, RECORDING, STEM_DO_OPEN},
    {IDLE, STEM_ON_ARM, ARMED, STEM_DO_ARM},
    {IDLE, STEM_ON_TRIGGER, IDLE, STEM_DO_NOTHING},
    {IDLE, STEM_ON_TOGGLE, RECORDING, STEM_DO_OPEN},
    {IDLE, STEM_ON_STOP, IDLE, STEM_REFUSE_IDLE},
    {IDLE, STEM_ON_SPLIT, IDLE, STEM_REFUSE_IDLE},
    {IDLE, STEM_ON_REACHED, IDLE, STEM_DO_NOTHING},
    {IDLE, STEM_ON_FAULT, IDLE, STEM_DO_NOTHING},
    {IDLE, STEM_ON_QUIT, IDLE, STEM_DO_NOTHING},
    /* A start that is waited for comes, is called off, or is overtaken by another. */
    {ARMED, STEM_ON_START, RECORDING, STEM_DO_OPEN},
    {ARMED, STEM_ON_ARM, ARMED, STEM_DO_ARM},
    {ARMED, STEM_ON_TRIGGER, RECORDING, STEM_DO_OPEN},
    {ARMED, STEM_ON_TOGGLE, IDLE, STEM_DO_DISARM},
    {ARMED, STEM_ON_STOP, IDLE, STEM_DO_DISARM},
    {ARMED, STEM_ON_SPLIT, ARMED, STEM_REFUSE_IDLE},
    {ARMED, STEM_ON_REACHED, ARMED, STEM_DO_NOTHING},
    {ARMED, STEM_ON_FAULT, ARMED, STEM_DO_NOTHING},
    {ARMED, STEM_ON_QUIT, IDLE, STEM_DO_DISARM},
    /* A take ends at a frame: until that is written it is stopping. */
    {RECORDING, STEM_ON_START, RECORDING, STEM_REFUSE_BUSY},
    {RECORDING, STEM_ON_ARM, RECORDING, STEM_REFUSE_BUSY},
    {RECORDING, STEM_ON_TRIGGER, RECORDING, STEM_DO_NOTHING},
    {RECORDING, STEM_ON_TOGGLE, STOPPING, STEM_DO_SET_END},
    {RECORDING, STEM_ON_STOP, STOPPING, STEM_DO_SET_END},
    {RECORDING, STEM_ON_SPLIT, STOPPING, STEM_DO_SET_END},
    {RECORDING, STEM_ON_REACHED, RECORDING, STEM_DO_NOTHING},
    {RECORDING, STEM_ON_FAULT, IDLE, STEM_DO_ABANDON},
    {RECORDING, STEM_ON_QUIT, STOPPING, STEM_DO_SET_END},
    /* What is asked for meanwhile has its turn afterwards. */
    {STOPPING, STEM_ON_START, STOPPING, STEM_DO_WAIT},
    {STOPPING, STEM_ON_ARM, STOPPING, STEM_DO_WAIT},
    {STOPPING, STEM_ON_TRIGGER, STOPPING, STEM_DO_NOTHING},
    {STOPPING, STEM_ON_TOGGLE, STOPPING, STEM_DO_WAIT},
    {STOPPING, STEM_ON_STOP, STOPPING, STEM_DO_WAIT},
    {STOPPING, STEM_ON_SPLIT, STOPPING, STEM_DO_WAIT},
    {STOPPING, STEM_ON_REACHED, IDLE, STEM_DO_FINISH},
    {STOPPING, STEM_ON_FAULT, IDLE, STEM_DO_ABANDON},
    {STOPPING, STEM_ON_QUIT, STOPPING, STEM_DO_WAIT},
};
enum { PAIR_COUNT = sizeof PAIRS / sizeof *PAIRS };

static void test_take_state_every_pair(void **state)
{
    (void)state;
    for (int k = 0; k < PAIR_COUNT; k++) {
        struct stem_transition got = stem_state_next(PAIRS[k].state, PAIRS[k].event);
        if (got.next != PAIRS[k].next || got.action != PAIRS[k].action)
            fail_msg("%s, event %d: %s, action %d", stem_state_name(PAIRS[k].state), PAIRS[k].event,
                stem_state_name(got.next), got.action);
    }
}

/* The list above grows with the table: each pair stands there once. */
static void test_take_state_list_is_complete(void **state)
{
    (void)state;
    int seen[STEM_STATES][STEM_EVENTS] = {0};
    for (int k = 0; k < PAIR_COUNT; k++)
        seen[PAIRS[k].state][PAIRS[k].event]++;
    for (int s = 0; s < STEM_STATES; s++)
        for (int e = 0; e < STEM_EVENTS; e++)
            assert_int_equal(seen[s][e], 1);
}

/* Whether an action fits the step that it comes with. */
static bool fits(enum stem_state from, enum stem_state to, enum stem_action action)
{
    switch (action) {
    case STEM_DO_OPEN:
        return (from == IDLE || from == ARMED) && to == RECORDING;
    case STEM_DO_ARM:
        return (from == IDLE || from == ARMED) && to == ARMED;
    case STEM_DO_DISARM:
        return from == ARMED && to == IDLE;
    case STEM_DO_SET_END:
        return from == RECORDING && to == STOPPING;
    case STEM_DO_FINISH:
        return from == STOPPING && to == IDLE;
    case STEM_DO_ABANDON:
        return from != IDLE && to == IDLE;
    case STEM_DO_WAIT:
        return from == STOPPING && to == from;
    case STEM_REFUSE_IDLE:
        return (from == IDLE || from == ARMED) && to == from;
    case STEM_REFUSE_BUSY:
        return from == RECORDING && to == from;
    case STEM_DO_NOTHING:
        return to == from;
    }
    return false;
}

static void test_take_state_actions_fit_their_steps(void **state)
{
    (void)state;
    for (int s = 0; s < STEM_STATES; s++)
        for (int e = 0; e < STEM_EVENTS; e++) {
            enum stem_state from = (enum stem_state)s;
            struct stem_transition step = stem_state_next(from, (enum stem_event_type)e);
            if (!fits(from, step.next, step.action))
                fail_msg("%s, event %d", stem_state_name(from), e);
        }
}

/* Wherever it is, a fault and an end that is reached lead home: no state holds a take for ever. */
static void test_take_state_always_leads_home(void **state)
{
    (void)state;
    for (int s = 0; s < STEM_STATES; s++) {
        if (s != ARMED) /* which holds no take */
            assert_int_equal(stem_state_next((enum stem_state)s, STEM_ON_FAULT).next, IDLE);
        enum stem_state asked = stem_state_next((enum stem_state)s, STEM_ON_QUIT).next;
        assert_int_equal(stem_state_next(asked, STEM_ON_REACHED).next, IDLE);
    }
}

static void test_take_state_names(void **state)
{
    (void)state;
    assert_string_equal(stem_state_name(IDLE), "idle");
    assert_string_equal(stem_state_name(ARMED), "armed");
    assert_string_equal(stem_state_name(RECORDING), "recording");
    assert_string_equal(stem_state_name(STOPPING), "stopping");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_state_every_pair),
        cmocka_unit_test(test_take_state_list_is_complete),
        cmocka_unit_test(test_take_state_actions_fit_their_steps),
        cmocka_unit_test(test_take_state_always_leads_home),
        cmocka_unit_test(test_take_state_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
