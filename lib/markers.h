/* Markers as text files beside the stems. */
#ifndef STEM_MARKERS_H
#define STEM_MARKERS_H

#include "error.h"
#include "take.h"

#define STEM_MARKERS_CSV "markers.csv"
#define STEM_MARKERS_LABELS "markers.txt"

/* Writes FOLDER/markers.csv: frame, seconds, bar, beat (where the tempo map knows them) and text,
 * one marker a line, quoted as in RFC 4180; and FOLDER/markers.txt: an Audacity label track.
 * Without markers both are removed. 0, or -1 with `error`. Any one thread. */
int stem_markers_write(const char *folder, const struct stem_take *take, struct stem_error *error);

#endif
