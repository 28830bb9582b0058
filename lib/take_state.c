#include "take_state.h"

#define IDLE STEM_STATE_IDLE
#define ARMED STEM_STATE_ARMED
#define RECORDING STEM_STATE_RECORDING
#define STOPPING STEM_STATE_STOPPING

/* A row per state, a column per event. */
static const struct stem_transition TABLE[STEM_STATES][STEM_EVENTS] =
    {
        [IDLE] =
            {
                [STEM_ON_START] = {RECORDING, STEM_DO_OPEN},
                [STEM_ON_ARM] = {ARMED, STEM_DO_ARM},
                [STEM_ON_TRIGGER] = {IDLE, STEM_DO_NOTHING},
                [STEM_ON_STOP] = {IDLE, STEM_REFUSE_IDLE},
                [STEM_ON_TOGGLE] = {RECORDING, STEM_DO_OPEN},
                [STEM_ON_SPLIT] = {IDLE, STEM_REFUSE_IDLE},
                [STEM_ON_REACHED] = {IDLE, STEM_DO_NOTHING},
                [STEM_ON_FAULT] = {IDLE, STEM_DO_NOTHING},
                [STEM_ON_QUIT] = {IDLE, STEM_DO_NOTHING},
            },
        [ARMED] =
            {
                [STEM_ON_START] = {RECORDING, STEM_DO_OPEN},
                [STEM_ON_ARM] = {ARMED, STEM_DO_ARM},
                [STEM_ON_TRIGGER] = {RECORDING, STEM_DO_OPEN},
                [STEM_ON_STOP] = {IDLE, STEM_DO_DISARM},
                [STEM_ON_TOGGLE] = {IDLE, STEM_DO_DISARM},
                [STEM_ON_SPLIT] = {ARMED, STEM_REFUSE_IDLE},
                [STEM_ON_REACHED] = {ARMED, STEM_DO_NOTHING},
                [STEM_ON_FAULT] = {ARMED, STEM_DO_NOTHING},
                [STEM_ON_QUIT] = {IDLE, STEM_DO_DISARM},
            },
        [RECORDING] =
            {
                [STEM_ON_START] = {RECORDING, STEM_REFUSE_BUSY},
                [STEM_ON_ARM] = {RECORDING, STEM_REFUSE_BUSY},
                [STEM_ON_TRIGGER] = {RECORDING, STEM_DO_NOTHING},
                [STEM_ON_STOP] = {STOPPING, STEM_DO_SET_END},
                [STEM_ON_TOGGLE] = {STOPPING, STEM_DO_SET_END},
                [STEM_ON_SPLIT] = {STOPPING, STEM_DO_SET_END},
                [STEM_ON_REACHED] = {RECORDING, STEM_DO_NOTHING},
                [STEM_ON_FAULT] = {IDLE, STEM_DO_ABANDON},
                [STEM_ON_QUIT] = {STOPPING, STEM_DO_SET_END},
            },
        [STOPPING] =
            {
                [STEM_ON_START] = {STOPPING, STEM_DO_WAIT},
                [STEM_ON_ARM] = {STOPPING, STEM_DO_WAIT},
                [STEM_ON_TRIGGER] = {STOPPING, STEM_DO_NOTHING},
                [STEM_ON_STOP] = {STOPPING, STEM_DO_WAIT},
                [STEM_ON_TOGGLE] = {STOPPING, STEM_DO_WAIT},
                [STEM_ON_SPLIT] = {STOPPING, STEM_DO_WAIT},
                [STEM_ON_REACHED] = {IDLE, STEM_DO_FINISH},
                [STEM_ON_FAULT] = {IDLE, STEM_DO_ABANDON},
                [STEM_ON_QUIT] = {STOPPING, STEM_DO_WAIT},
            },
};

struct stem_transition stem_state_next(enum stem_state state, enum stem_event_type event)
{
    return TABLE[state][event];
}

const char *stem_state_name(enum stem_state state)
{
    static const char *const NAMES[STEM_STATES] = {"idle", "armed", "recording", "stopping"};
    return NAMES[state];
}
