/* Meters: levels from the last moments on the tape, looked at without holding it, so that they go
 * on while a disk stalls. Control thread. */
#ifndef STEMD_METERS_H
#define STEMD_METERS_H

#include "tape.h"

/* Largest magnitude of a track over its newest `frames` frames, fewer after a gap. 0 when there are
 * none, or when they were overwritten while looking. */
float stem_meters_peak(const struct stem_tape *tape, uint32_t track, uint64_t frames);

#endif
