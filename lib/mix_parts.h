/* The inside of a mixing plan, shared by its set-up (mix.c) and its real-time half (mix_rt.c). */
#ifndef STEM_MIX_PARTS_H
#define STEM_MIX_PARTS_H

#include "mix.h"

#include <stdalign.h>
#include <stdatomic.h>

/* Frames mixed at a time: a chunk of eight channels stays in the first-level cache. */
enum { MIX_CHUNK_FRAMES = 256 };

/* One product of a channel's sum. */
struct mix_term {
    uint32_t port;
    float gain;
};

struct mix_track {
    uint32_t channels;
    uint32_t first_term[STEM_MIX_MAX_CHANNELS + 1]; /* terms of channel c: [c] up to [c + 1] */
    float level;                                    /* rt: 1 open, 0 muted, between while fading */
    atomic_bool muted;                              /* shared: written by control, relaxed */
};

struct stem_mix {
    /* setup: constant after creation */
    uint32_t tracks;
    uint32_t terms;
    float fade_step; /* change of level per frame */
    struct mix_track *track;
    struct mix_term *term;

    /* rt: process thread only; planar sums of one chunk */
    alignas(64) float sum[STEM_MIX_MAX_CHANNELS][MIX_CHUNK_FRAMES];
};

#endif
