/* The inside of a tape, shared by its set-up (tape.c) and its real-time half (tape_rt.c). */
#ifndef STEM_TAPE_PARTS_H
#define STEM_TAPE_PARTS_H

#include "tape.h"

#include <stdalign.h>
#include <stdatomic.h>

struct tape_track {
    uint32_t channels;
    float *samples; /* capacity_frames * channels, interleaved */
};

struct stem_tape {
    /* setup: constant after creation */
    uint64_t capacity_frames;
    uint32_t tracks;
    uint64_t sample_bytes; /* size of the mapping behind all tracks */
    float *samples;
    struct tape_track *track;

    /* rt: the producer only */
    uint64_t gap_begin; /* where the last gap began; it ends at contiguous_from */

    /* shared, written by the producer */
    alignas(
        64) _Atomic uint64_t writing_end; /* end of the block being written, or of the last one */
    _Atomic uint64_t written;             /* end of the last published block */
    _Atomic uint64_t contiguous_from;     /* first frame after the last gap */
    _Atomic uint64_t first;               /* first frame that was ever written */

    /* shared, each written by its holder */
    struct {
        alignas(64) _Atomic uint64_t frame; /* oldest frame to keep, or STEM_TAPE_NOTHING_HELD */
    } held[STEM_TAPE_HOLDERS];
};

#endif
