/* The take's tempo map as a standard MIDI file: tempo, meter and markers, for any DAW. */
#ifndef STEM_MIDI_FILE_H
#define STEM_MIDI_FILE_H

#include "error.h"
#include "take.h"

#define STEM_MIDI_FILE "tempo.mid"

/* Writes FOLDER/tempo.mid; removes it when nothing is known of the tempo. Tick 0 is the take's
 * first frame; each event stands on the tick nearest to its frame, counted in the take's own tempo
 * (960 ticks per quarter note). Format: MIDI 1.0, Standard MIDI Files, format 1. A tempo is stored
 * as whole microseconds per quarter note, so a DAW may drift by a few milliseconds an hour. 0, or
 * -1 with `error`. Any one thread. */
int stem_midi_file_write(
    const char *folder, const struct stem_take *take, struct stem_error *error);

#endif
