/* The timeline: JACK's 32-bit frame clock, made into 64 bits that only grow.
 *
 * JACK counts frames in 32 bits and wraps after a day; a restarted server begins anew. The timeline
 * follows the clock's steps, so that a forward jump is exactly the number of frames nobody was
 * called for, and never goes back: when the clock does, the timeline goes on without a break and
 * says so. It belongs to the process thread; set-up may touch it while that does not run.
 */
#ifndef STEM_TIMELINE_H
#define STEM_TIMELINE_H

#include "rt.h"

#include <stdbool.h>
#include <stdint.h>

/* All zero is a timeline that starts at the JACK frame of its first cycle. */
struct stem_timeline {
    bool running;       /* whether `next` and `clock` hold */
    uint64_t next;      /* frame at which the next cycle is expected */
    uint32_t clock;     /* the JACK frame that belongs to `next` */
    uint64_t resume_at; /* not running: frame of the first cycle to come; 0: its JACK frame */
};

/* Places a cycle of `frames` frames whose JACK frame time is `clock`. Returns its first frame on
 * the timeline; `*reasons` gets enum stem_gap_reason bits when it is not where it was expected (0
 * when it is). Frames from the old `next` up to the returned one were not delivered. RT safe. */
uint64_t stem_timeline_place_rt(
    struct stem_timeline *timeline, uint32_t clock, uint32_t frames, uint32_t *reasons) STEM_RT;

/* Lets the next cycle fall on `frame` (at least `next`), whatever its JACK frame: the server was
 * gone. Only while the process thread does not run. */
void stem_timeline_resume(struct stem_timeline *timeline, uint64_t frame);

#endif
