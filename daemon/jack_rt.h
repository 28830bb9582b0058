/* The JACK calls that the process thread makes. Their documentation allows them there; a compiler
 * that checks real-time code cannot see into the library, so it is told here, and only here. */
#ifndef STEMD_JACK_RT_H
#define STEMD_JACK_RT_H

#include "rt.h"

#include <jack/jack.h>
#include <jack/transport.h>
#include <stdbool.h>

#if defined(__clang__) && __clang_major__ >= 20
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif

static inline jack_nframes_t cycle_frame_rt(const jack_client_t *client) STEM_RT
{
    return jack_last_frame_time(client);
}

/* What JACK tells of the time of the current cycle: the same to all clients. */
struct cycle_times {
    jack_nframes_t frame;
    jack_time_t began_us;
    jack_time_t next_us;
};

/* All of it belongs to one cycle, which may be a later one than that of cycle_frame_rt() when the
 * server did not wait for this client. False when JACK cannot tell. */
static inline bool cycle_times_rt(const jack_client_t *client, struct cycle_times *times) STEM_RT
{
    float period_us;
    return jack_get_cycle_times(
               client, &times->frame, &times->began_us, &times->next_us, &period_us) == 0;
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
