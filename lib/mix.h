/* Mixing: sums port buffers into stem channels.
 *
 * A plan is a list of routes; a route adds `gain` times one port to one channel of one track. It
 * covers every case: a mono input at unity on both sides is two routes, a panned one two routes
 * with other gains, a shared return one route per stem and channel with gain times share.
 *
 * Sums are single precision, in the order in which the routes were added, starting from the first
 * product: one route at unity gain hands the samples through bit for bit. A muted track fades
 * linearly to silence over STEM_MIX_FADE_SECONDS and back.
 */
#ifndef STEM_MIX_H
#define STEM_MIX_H

#include "error.h"
#include "rt.h"
#include "tape.h"

#include <stdbool.h>
#include <stdint.h>

#define STEM_MIX_FADE_SECONDS 0.01

enum { STEM_MIX_MAX_CHANNELS = 8 };

struct stem_mix_route {
    uint32_t port;    /* index into the port buffers */
    uint32_t track;   /* index of the track */
    uint32_t channel; /* channel of the track, from 0 */
    float gain;       /* linear factor, negative for inverted polarity */
};

struct stem_mix;

/* Compiles a plan. Routes of one channel are summed in the order given. Returns NULL and fills
 * `error` when a route names a port, track or channel that does not exist. Control thread. */
struct stem_mix *stem_mix_create(const uint32_t *channels, uint32_t tracks, uint32_t ports,
    const struct stem_mix_route *routes, uint32_t route_count, uint32_t rate_hz,
    struct stem_error *error);

/* Frees the plan; NULL is allowed. No other thread may use it any more. */
void stem_mix_destroy(struct stem_mix *mix);

/* Asks for a track to be muted or not; the fade starts with the next block. Control thread. */
void stem_mix_set_mute(struct stem_mix *mix, uint32_t track, bool muted);
/* The same without a fade. Only while the process thread does not run. */
void stem_mix_begin_muted(struct stem_mix *mix, uint32_t track, bool muted);
bool stem_mix_muted(const struct stem_mix *mix, uint32_t track);

/* Writes one track of one block: fills `out` (interleaved) and reads as many frames from the start
 * of each ports[route.port]. Call it once per track and block. Process thread. RT safe. */
void stem_mix_track_rt(struct stem_mix *mix, uint32_t track, const float *const *ports,
    const struct stem_tape_span *out) STEM_RT;

/* Call it after the last track and before the block is published: mixing stores past the caches,
 * and such stores do not keep their order with others by themselves. RT safe. */
void stem_mix_settle_rt(void) STEM_RT;

#endif
