/* The JACK calls that the process thread makes. Their documentation allows them there; a compiler
 * that checks real-time code cannot see into the library, so it is told here, and only here. */
#ifndef STEMD_JACK_RT_H
#define STEMD_JACK_RT_H

#include "rt.h"

#include <jack/jack.h>
#include <jack/transport.h>

#if defined(__clang__) && __clang_major__ >= 20
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif

static inline jack_nframes_t cycle_frame_rt(const jack_client_t *client) STEM_RT
{
    return jack_last_frame_time(client);
}

static inline const float *port_buffer_rt(jack_port_t *port, jack_nframes_t frames) STEM_RT
{
    return jack_port_get_buffer(port, frames);
}

static inline jack_transport_state_t transport_rt(
    const jack_client_t *client, jack_position_t *position) STEM_RT
{
    return jack_transport_query(client, position);
}

#if defined(__clang__) && __clang_major__ >= 20
#pragma clang diagnostic pop
#endif

#endif
