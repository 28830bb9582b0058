/* What control and writer say to each other, in two queues.
 *
 *     commands   producer: control   consumer: writer
 *     events     producer: writer    consumer: control
 *
 * A mirror is a second writer with queues of its own; it gets the same commands.
 *
 * Every command with a request number is answered by exactly one DONE or FAILED event with the same
 * number, after the work is done.
 */
#ifndef STEMD_MESSAGES_H
#define STEMD_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { STEM_TEXT_BYTES = 256, STEM_EVENT_TEXT_BYTES = 4608 };

/* Codes of /error answers. */
enum stem_code {
    STEM_CODE_GENERAL = -1,
    STEM_CODE_ADDRESS = -2,   /* unknown OSC address */
    STEM_CODE_ARGUMENTS = -3, /* wrong OSC arguments */
    STEM_CODE_STATE = -4,     /* not possible now, such as stop while nothing is recorded */
    STEM_CODE_NOT_FOUND = -5, /* unknown stem */
    STEM_CODE_SERVER = -6,    /* no JACK server */
    STEM_CODE_FILE = -7,      /* file or disk error */
    STEM_CODE_BUSY = -8,      /* too many requests under way */
    STEM_CODE_LOCKED = -9,    /* stopping needs a repetition or a token */
};

enum stem_command_type {
    STEM_COMMAND_START, /* text: title, or empty to keep the current one */
    STEM_COMMAND_STOP,
    STEM_COMMAND_TOGGLE, /* text as for start */
    STEM_COMMAND_SPLIT,  /* text as for start */
    STEM_COMMAND_MARK,   /* text: the marker's */
    STEM_COMMAND_TITLE,  /* text: for this and the next takes */
    STEM_COMMAND_KEY,    /* text */
    STEM_COMMAND_TEMPO,  /* number: beats per minute, 0: unknown */
    STEM_COMMAND_QUIT,   /* ends a running take; nothing is accepted afterwards */
};

/* What decides where a take starts. */
enum stem_sync {
    STEM_SYNC_NOW,       /* at the command's frame */
    STEM_SYNC_BAR,       /* at the next bar line of JACK's transport */
    STEM_SYNC_TRANSPORT, /* when the transport rolls; the take ends with it; again and again */
    STEM_SYNC_THRESHOLD, /* when a stem gets loud; the take ends when all are quiet; likewise */
    STEM_SYNC_FRAME,     /* at the command's frame, which is still to come */
};
enum { STEM_SYNCS = STEM_SYNC_FRAME + 1 };

/* How a take is started and ended, beyond its frame. */
struct stem_start {
    enum stem_sync sync;
    bool is_timed;          /* the frame comes from a point in time that somebody gave */
    bool is_capture;        /* the take ends at the command's frame: only pre-roll */
    double preroll_seconds; /* negative: as configured */
    uint64_t length_frames; /* the take ends by itself after that; 0: it does not */
};

struct stem_command {
    enum stem_command_type type;
    uint32_t request; /* 0: nobody waits for an answer */
    bool is_internal; /* nobody asked for it: the take ends by itself, or its server is lost */
    uint64_t frame;   /* when it was asked for */
    int64_t when_ns;  /* a moment of the wall clock that somebody gave: it decides, and `frame` is
                         an estimate; 0: none */
    uint64_t wall_looks; /* looks at the clocks that were there when it was given (wall_times.h) */
    /* The same in all writers, so that the folders of writer and mirror have the same name and the
     * same identity: a frame and its time of day, and a random number. 0: none is given. */
    uint64_t wall_frame;
    struct timespec wall;
    uint64_t seed;
    double number;
    struct stem_start how; /* START and TOGGLE */
    char text[STEM_TEXT_BYTES];
};

enum stem_event_kind {
    STEM_EVENT_DONE,      /* text: what the answer says */
    STEM_EVENT_FAILED,    /* code, text: why */
    STEM_EVENT_ARMED,     /* a start is waited for; text: for what. Empty: no more */
    STEM_EVENT_STARTED,   /* a take runs; text: its folder; frame: its first */
    STEM_EVENT_CONTINUED, /* the take goes on elsewhere; text: the folder there */
    STEM_EVENT_FINISHED,  /* a take ended as asked; text: its folder; frames: its length */
    STEM_EVENT_BROKEN,    /* a take ended by a fault, or could not begin; text: why */
    STEM_EVENT_CLOSED, /* text: a folder that will not be written to any more: it can be finished */
    STEM_EVENT_GAP,    /* the running take has a gap: frame (from its start), frames, reasons */
    STEM_EVENT_WARNING, /* text: something a person should read in the log */
    STEM_EVENT_QUIT,    /* the writer has nothing left to do */
};

struct stem_event {
    enum stem_event_kind kind;
    uint32_t request;
    int code;
    uint32_t reasons;
    uint64_t frame;
    uint64_t frames;
    char text[STEM_EVENT_TEXT_BYTES];
};

#endif
