/* Markers inside finished WAV files: a `cue ` chunk with the places and a LIST of type `adtl` with
 * the texts as `labl`, behind the audio. */
#ifndef STEM_CUE_H
#define STEM_CUE_H

#include "error.h"
#include "take.h"

/* Writes the take's markers into the WAV or RF64 file at `path`, in place of those it has from us;
 * without markers those are taken out. A file that holds them already is not touched. Places beyond
 * 2^32 frames cannot be told and are left out. 0, or -1 with `error` (also when the file has other
 * chunks behind the audio that would be lost). Crash-safe, see riff.h. Any one thread. */
int stem_cue_write(const char *path, const struct stem_take *take, struct stem_error *error);

#endif
