/* The tape's protocol, explored: the process thread, the writer, a mirror and a meter, one step of
 * each at a time, in every order and with every answer that memory may give (explore.h).
 *
 * The producer is the whole real process callback (daemon/process.c with tape, queue and timeline);
 * hold, release, oldest, kept_from and intact are the real ones too (under_test.c). Their atomics
 * become steps. The readers are short copies of what daemon/session*.c and daemon/meters.c do with
 * them, in the same order: those work on files and cannot be called again and again. JACK is a stub
 * that skips frames or not and chooses the length of each cycle; the sample that it gives for frame
 * F is F + 1, so that 0 is none.
 *
 * Checked in every interleaving:
 *   torn      a sample that is read while it may be written (a race by the rules of C11), or that
 * is not the one of its frame lost      a frame that was on the tape and is told as a gap, though
 * nothing was in the way; or, of two that hold, lost to both; or anything at all in freewheel
 *   unlisted  frames that nobody delivered, and no gap says so
 *   unfair    a block that took from all who hold what they need
 *   needless  a block that was dropped though nothing was in its way, or a hold that would be in it
 *   twice     a gap that is told a second time
 *   stuck     all wait for each other
 *   glance    a meter that looked at what it should not have, without noticing
 * A frame cannot be read twice in a take: a reader only ever goes on from where it is.
 *
 * Sizes are small: a tape of two or three frames, queues of two facts, up to five cycles of one or
 * two frames. That is enough to go round, to overflow, to fill a queue, and for a second take to
 * begin in the past.
 */
#ifndef TAPE_MODEL_H
#define TAPE_MODEL_H

#include "explore.h"

#define STEM_RT_H /* nothing here is real time, also for compilers that would check it */
#define STEM_RT
#include "process.h"
#include "tape_parts.h"

enum { MOST_CAPACITY = 4, SLOTS = 4, HOLDERS = STEM_TAPE_HOLDERS, CHUNK = 2 };

enum thread { PROCESS, WRITER, MIRROR, METER };

enum place {
    WRITING_END,
    WRITTEN,
    CONTIGUOUS_FROM,
    FIRST,
    HELD,
    MISSED = HELD + HOLDERS,
    HEAD = MISSED + HOLDERS,
    TAIL = HEAD + HOLDERS,
    CELL = TAIL + HOLDERS, /* of one sample */
    SLOT = CELL + MOST_CAPACITY,
    CELL_READS = SLOT + HOLDERS * SLOTS, /* by the writer */
    SLOT_READS = CELL_READS + MOST_CAPACITY,
    PLACES = SLOT_READS + HOLDERS * SLOTS,
};

enum ghost {
    ON_TAPE,              /* bit of each frame that was committed */
    GOT,                  /* of each frame that a holder read */
    GONE = GOT + HOLDERS, /* of each frame that a holder gave up as overwritten */
    GAP_BEGIN = GONE + HOLDERS,
    LAST_END,  /* of the last committed block */
    END,       /* the same plus one, once the process thread is done */
    PENDING,   /* end of the block that is being placed; 0: none */
    JUSTIFIED, /* at some moment since it was announced, it was allowed */
    FORBIDDEN, /* at some moment since it is pending, it was not */
};

struct scenario {
    const char *name;
    uint32_t first_frame;
    int cycles;
    uint32_t block;    /* most frames of a cycle */
    uint32_t capacity; /* of the tape, in frames */
    int slots;         /* of a queue, at most SLOTS */
    bool mirror;
    bool meter;     /* instead of all who hold */
    bool skips;     /* JACK may skip frames */
    bool freewheel; /* the process thread waits for room */
    bool whole;     /* all hold from before the first block on, and go on to the end */
    bool stops;     /* … but the writer may stop */
    int takes;      /* that each may begin later, and end at any time */
    uint32_t preroll;
    uint32_t lag; /* frames that files may gather, and that stay held */
    bool spare;   /* the disk may fail: files begin anew in another place, up to two frames back */
};

struct producer {
    struct stem_process process;
    uint64_t gap_begin; /* the tape's, which is plain memory of the process thread */
    uint32_t clock;
    int cycles;
};

enum { MOST_GAPS = 8 };

struct reader {
    uint32_t next;
    int32_t takes;
    uint8_t holder;
    bool is_recording;
    bool has_spare;
    uint8_t gap_count;
    struct {
        uint8_t from, to;
    } gaps[MOST_GAPS];
};

extern const struct scenario *scenario; /* that is explored now */
extern struct stem_tape the_tape;

/* Bits from `from` to before `to`. */
uint32_t frame_bits(uint64_t from, uint64_t to);

/* under_test.c */
void make_tape(void);
struct stem_ring *queue_of(int holder);
int cell_of(uint32_t frame);
/* JACK's next cycle begins at this frame, and is that of this process. */
void begin_cycle(struct stem_process *process, uint32_t clock);

/* Turns: producer.c, reader.c, meter.c */
enum model_result produce(void *producer);
enum model_result read_tape(void *reader);
enum model_result look(void *looks);

/* Checks after each change, and at the end. */
void check_change(int place);
void check_end(void);

/* places.c: who stores and who loads what, in this scenario. */
void assign_places(struct model *model);

#endif
