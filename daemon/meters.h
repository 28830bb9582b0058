/* Meters: levels and the residual from the last moments on the tape, looked at without holding it,
 * so that they go on while a disk stalls. Control thread.
 */
#ifndef STEMD_METERS_H
#define STEMD_METERS_H

#include "layout.h"
#include "tape.h"

#include <stdbool.h>

/* Largest magnitude of a track over its newest `frames` frames, fewer after a gap. 0 when there are
 * none, or when they were overwritten while looking. */
float stem_meters_peak(const struct stem_tape *tape, uint32_t track, uint64_t frames);

/* Mix minus the sum of the stems, in double precision, of the newest frames; 1.0 = full scale. */
struct stem_meters_residual {
    double peak;
    double rms;
    double mix_peak; /* of the reference: a residual of silence says nothing */
};

/* Over the newest `frames` frames, fewer after a gap. False when there is no mix, a stem's width
 * does not fit it, there are no frames, or they were overwritten while looking. */
bool stem_meters_residual(const struct stem_tape *tape, const struct stem_layout *layout,
    uint64_t frames, struct stem_meters_residual *residual);

#endif
