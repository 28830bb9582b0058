/* A tempo map as the changes that a DAW's tempo track holds. See tempo.h. */
#include "tempo.h"

#include <math.h>
#include <stdlib.h>

/* Parts of a beat that are only rounding: JACK's ticks are whole, and there are 1920 in a beat. */
#define NEAR 0.002

enum { MOST_DENOMINATOR = 64 };

/* Numerator and denominator of `beats` notes of `beat_type`: 3.5 quarters are 7/8. */
static void make_meter(struct stem_tempo_event *event, double beats, double beat_type)
{
    uint32_t denominator = 1;
    while (denominator < MOST_DENOMINATOR && denominator < beat_type - NEAR)
        denominator *= 2;
    while (denominator < MOST_DENOMINATOR && fabs(beats - round(beats)) > NEAR) {
        denominator *= 2;
        beats *= 2;
    }
    event->denominator = denominator;
    event->numerator = beats < 1 ? 1 : beats > 255 ? 255 : (uint32_t)(beats + 0.5);
}

/* The entry only changes the tempo: meter and position are what the one before leads to. */
static bool goes_on(const struct stem_tempo_map *map, size_t k)
{
    const struct stem_take_tempo *entry = &map->entries[k];
    const struct stem_tempo_map before = {map->entries, k, map->rate_hz};
    struct stem_tempo_position position;
    if (k == 0 || !stem_tempo_at(&before, entry->frame, &position))
        return false;
    double reached = (double)position.bar * entry->beats_per_bar + position.beat + position.part;
    double stated =
        entry->bar * entry->beats_per_bar + entry->beat + entry->tick / entry->ticks_per_beat;
    return position.beats_per_bar == entry->beats_per_bar &&
           position.beat_type == entry->beat_type && fabs(reached - stated) < NEAR;
}

static struct stem_tempo_event *add(struct stem_tempo_event *events, size_t *count,
    const struct stem_take_tempo *entry, uint64_t frame)
{
    struct stem_tempo_event *event = &events[(*count)++];
    *event = (struct stem_tempo_event){
        .frame = frame,
        .quarter_bpm = entry->bpm * 4 / entry->beat_type,
    };
    return event;
}

/* A meter begins; when that is inside a bar, the bar's rest comes first. True when the bar line is
 * still to be told. */
static bool begin_meter(struct stem_tempo_event *event, const struct stem_take_tempo *entry)
{
    double into = entry->beat - 1 + entry->tick / entry->ticks_per_beat;
    double rest = entry->beats_per_bar - into;
    bool is_inside = into > NEAR && rest > NEAR;
    bool is_whole = fabs(rest - round(rest)) <= NEAR;
    make_meter(event, is_inside && is_whole ? round(rest) : entry->beats_per_bar, entry->beat_type);
    return is_inside;
}

size_t stem_tempo_events(
    const struct stem_tempo_map *map, uint64_t end, struct stem_tempo_event **events)
{
    size_t count = 0;
    bool wants_bar = false;
    *events = calloc(2 * map->count + 1, sizeof **events);
    for (size_t k = 0; *events && k < map->count && (k == 0 || map->entries[k].frame < end); k++) {
        const struct stem_take_tempo *entry = &map->entries[k];
        uint64_t next = k + 1 < map->count ? entry[1].frame : end, bar = 0;
        struct stem_tempo_event *event = add(*events, &count, entry, entry->frame);
        if (!goes_on(map, k))
            wants_bar = begin_meter(event, entry);
        if (!wants_bar || !stem_tempo_next_bar(map, entry->frame + 1, &bar) || bar >= next)
            continue;
        make_meter(add(*events, &count, entry, bar), entry->beats_per_bar, entry->beat_type);
        wants_bar = false;
    }
    return count;
}
