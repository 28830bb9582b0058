/* The process callback: what runs in JACK's real-time thread, and nothing else.
 *
 * Each cycle it places itself on the timeline, mixes every stem into the tape and writes down
 * facts. It knows nothing of takes. It never allocates, locks, logs or makes a system call, and
 * never tells JACK to stop (JACK2 would end the client). Frames that cannot be written, because
 * JACK skipped cycles or the tape is full, become one gap fact, queued before the next block is
 * published.
 */
#ifndef STEMD_PROCESS_H
#define STEMD_PROCESS_H

#include "cycle_times.h"
#include "facts.h"
#include "mix.h"
#include "ring.h"
#include "tape.h"
#include "timeline.h"

#include <jack/jack.h>
#include <stdatomic.h>

struct stem_process {
    /* setup: constant while the client is active */
    jack_client_t *client;
    jack_port_t **ports;
    const float **buffers; /* one place per port, filled each cycle */
    uint32_t port_count;
    struct stem_tape *tape;
    struct stem_mix *mix;
    struct stem_ring *facts[STEM_TAPE_HOLDERS]; /* struct stem_fact; consumer: writer, mirror (or
                                                   NULL) */
    struct stem_cycle_times *times;             /* NULL: nobody wants to know */

    /* rt: process thread only (set-up may touch it while the client is not active) */
    struct stem_timeline timeline;
    bool started; /* a first cycle was seen */
    bool in_gap;  /* frames from gap_from on were not written and not yet reported */
    uint64_t gap_from;
    uint32_t gap_reasons;
    uint64_t contiguous_from;
    bool clock_known;     /* a clock fact was sent; it holds while frame - clock stays */
    uint32_t clock_shift; /* timeline frame minus JACK's, in 32 bits */
    jack_transport_state_t transport; /* as last reported */
    uint64_t transport_next;          /* transport frame expected at the next cycle */
    double bpm;                       /* tempo and meter as last reported */
    float beats_per_bar;
    float beat_type;

    /* shared: written here, read by control; relaxed, they only inform */
    _Atomic uint64_t cycles;
    _Atomic uint64_t end; /* timeline frame after the last cycle */

    /* shared: written here, read by that consumer, after the fact was queued for the other one: it
     * missed facts about frames before this one */
    _Atomic uint64_t missed[STEM_TAPE_HOLDERS];
};

/* One cycle of `frames` frames. Process thread (or a test's in its place). RT safe. */
void stem_process_cycle_rt(struct stem_process *process, jack_nframes_t frames) STEM_RT;

/* Whether a block of `frames` frames would find room on the tape now without taking anything from
 * anybody who holds. Process thread. RT safe. */
bool stem_process_has_room_rt(const struct stem_process *process, jack_nframes_t frames) STEM_RT;

#endif
