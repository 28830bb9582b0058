/* Points in time as people write them. No state but the time zone; any thread. */
#ifndef STEMCTL_WHEN_H
#define STEMCTL_WHEN_H

#include "error.h"

#include <time.h>

/* Reads a point in time, seen from `now`:
 *     "21:30", "21:30:05", "21:30:05.250"   the next such moment of the local clock
 *     "2026-11-20T21:30", "2026-11-20T21:30:05.250+01:00", "…Z"   ISO 8601; local without an offset
 *     "+90", "+0.5"   so many seconds from now
 * 0, or -1 with `error`. */
int stemctl_when_parse(
    const char *text, struct timespec now, struct timespec *when, struct stem_error *error);

#endif
