/* The state of a recorder, as a pure function: (state, event) -> (next state, action).
 *
 * No I/O here, so that every pair is tested. The writer thread owns the state and carries out the
 * actions; events come from commands, from the timeline reaching a frame, and from faults.
 */
#ifndef STEM_TAKE_STATE_H
#define STEM_TAKE_STATE_H

enum stem_state {
    STEM_STATE_IDLE,  /* no take; the tape runs and is overwritten */
    STEM_STATE_ARMED, /* no take yet; one will start when a bar, the transport or a level says so */
    STEM_STATE_RECORDING, /* a take is open; its frames are held and written */
    STEM_STATE_STOPPING, /* a take is open and its last frame is known; it is still being written */
};
enum { STEM_STATES = STEM_STATE_STOPPING + 1 };

enum stem_event_type {
    STEM_ON_START,   /* asked to start a take at a frame */
    STEM_ON_ARM,     /* asked to start a take at a frame that is still to be found */
    STEM_ON_TRIGGER, /* that frame was found */
    STEM_ON_STOP,    /* asked to end the take at a frame */
    STEM_ON_TOGGLE,  /* start or stop, whichever is possible */
    STEM_ON_SPLIT,   /* asked to end the take at a frame and to start the next one there */
    STEM_ON_REACHED, /* everything up to the frame asked for is written */
    STEM_ON_FAULT,   /* the take cannot go on (disk) */
    STEM_ON_QUIT,    /* the daemon ends: the take ends with what is on the tape */
};
enum { STEM_EVENTS = STEM_ON_QUIT + 1 };

enum stem_action {
    STEM_DO_NOTHING,
    STEM_DO_OPEN,     /* make the folder and files of a new take */
    STEM_DO_ARM,      /* look for the start from now on */
    STEM_DO_DISARM,   /* look no more */
    STEM_DO_SET_END,  /* remember the take's last frame */
    STEM_DO_FINISH,   /* complete files and manifest; after a split, open the next take */
    STEM_DO_ABANDON,  /* close what can be closed, mark the take failed */
    STEM_DO_WAIT,     /* ask again when the take that is being ended is finished */
    STEM_REFUSE_IDLE, /* answer: nothing is being recorded */
    STEM_REFUSE_BUSY, /* answer: a take is being recorded already */
};

struct stem_transition {
    enum stem_state next;
    enum stem_action action;
};

/* The whole table. Any thread. */
struct stem_transition stem_state_next(enum stem_state state, enum stem_event_type event);

/* "idle", "armed", "recording", "stopping". */
const char *stem_state_name(enum stem_state state);

#endif
