/* Musical positions: a take's tempo map against frames. Pure arithmetic, any thread.
 *
 * The map is a list of entries in ascending order of their frames, each a position (bar, beat,
 * tick) and a tempo that holds until the next entry. A beat is what the meter counts, a note of
 * `beat_type`; `bpm` counts those beats. Positions between frames are rounded to the nearest frame.
 */
#ifndef STEM_TEMPO_H
#define STEM_TEMPO_H

#include "take.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ticks per quarter note in the files that we write. */
enum { STEM_TEMPO_PPQ = 960 };

struct stem_tempo_map {
    const struct stem_take_tempo *entries; /* borrowed */
    size_t count;
    uint32_t rate_hz;
};

struct stem_tempo_position {
    int64_t bar;  /* from 1 */
    int32_t beat; /* from 1 */
    double part;  /* of the beat, 0 … below 1 */
    double beats_per_bar;
    double beat_type;
    double bpm;
};

/* An entry that makes sense: tempo and meter are positive and within what music uses. The functions
 * below ask for entries that do. */
bool stem_tempo_valid(const struct stem_take_tempo *entry);

/* Where `frame` stands. A frame less than half a frame before a beat counts to it. False before the
 * first entry. */
bool stem_tempo_at(
    const struct stem_tempo_map *map, uint64_t frame, struct stem_tempo_position *position);

/* The first bar line at or after `frame`; before the first entry, the first one behind that. False
 * for an empty map. */
bool stem_tempo_next_bar(const struct stem_tempo_map *map, uint64_t frame, uint64_t *bar_frame);

/* Quarter notes from frame 0 to `frame`. Before the first entry its tempo holds too. */
double stem_tempo_quarters(const struct stem_tempo_map *map, uint64_t frame);

/* The frame at which so many quarter notes have gone by since frame 0. */
uint64_t stem_tempo_frame(const struct stem_tempo_map *map, double quarters);

/* stem_tempo_quarters in ticks of STEM_TEMPO_PPQ, rounded. */
uint64_t stem_tempo_ticks(const struct stem_tempo_map *map, uint64_t frame);

/* Moves an entry back to where its tempo or meter began: whoever watches the transport sees a
 * change at the first cycle behind it only. Changes lie on beats; when the last beat of `entry` is
 * at most 8192 frames before it, and a beat of `before` too, that is the place. Otherwise nothing
 * happens. The entry follows `before` without a jump of the transport. */
void stem_tempo_settle(
    const struct stem_take_tempo *before, struct stem_take_tempo *entry, uint32_t rate_hz);

/* What a DAW's tempo track needs to be told. */
struct stem_tempo_event {
    uint64_t frame;
    double quarter_bpm;   /* quarter notes per minute */
    uint32_t numerator;   /* of a meter that begins here with a new bar; 0: the bar goes on */
    uint32_t denominator; /* a power of two */
};

/* All changes before `end`, in order. A map that begins inside a bar gets a short bar first when
 * its rest is whole beats, so that the next bar line is a bar line there too. The caller frees
 * `*events`. Returns their number; 0 also without memory. */
size_t stem_tempo_events(
    const struct stem_tempo_map *map, uint64_t end, struct stem_tempo_event **events);

/* The take's own map; or, without one, a single entry in `only` of bar 1, 4/4 in the take's tempo,
 * 120 when that is unknown too. Entries that make no sense end the map before them. */
struct stem_tempo_map stem_tempo_of_take(
    const struct stem_take *take, struct stem_take_tempo *only);

/* Whether anything is known of the take's tempo. */
bool stem_tempo_known(const struct stem_take *take);

#endif
