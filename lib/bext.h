/* Loudness in the broadcast extension chunk (`bext`) of finished WAV files. */
#ifndef STEM_BEXT_H
#define STEM_BEXT_H

#include "error.h"
#include "take.h"

/* Writes the five loudness fields (EBU Tech 3285, version 2) in place: true values, in hundredths,
 * or "unset" for what was not measured, is silent or out of range. A file without a bext chunk, or
 * with one of an earlier version, is left as it is; so is one that holds them already. 0, or -1
 * with `error`. Any one thread. */
int stem_bext_set_loudness(
    const char *path, const struct stem_take_levels *levels, struct stem_error *error);

#endif
