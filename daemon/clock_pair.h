/* The wall clock and the server's clock, read at one instant, to a nanosecond or so.
 *
 * JACK tells whole microseconds. What it counts is one of the kernel's clocks (JACK2:
 * CLOCK_MONOTONIC_RAW, which the network's time does not bend; PipeWire: CLOCK_MONOTONIC), and read
 * from there it has nanoseconds.
 */
#ifndef STEMD_CLOCK_PAIR_H
#define STEMD_CLOCK_PAIR_H

#include "wall_times.h"

/* Takes a look: `server_us` is the server's clock. False when the wall clock was set meanwhile.
 * Takes some microseconds. Any thread. */
bool stem_clock_pair_look(uint64_t (*server_us)(void), struct stem_wall_look *look);

#endif
