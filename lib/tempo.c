#include "tempo.h"

#include <math.h>

/* Beyond these nothing is music, and arithmetic could overflow. */
#define LEAST_BPM 1.0
#define MOST_BPM 10000.0
#define MOST_BEATS 1024.0

bool stem_tempo_valid(const struct stem_take_tempo *entry)
{
    return entry->bpm >= LEAST_BPM && entry->bpm <= MOST_BPM && entry->beats_per_bar >= 1 &&
           entry->beats_per_bar <= MOST_BEATS && entry->beat_type >= 1 &&
           entry->beat_type <= MOST_BEATS && entry->ticks_per_beat >= 1 && entry->tick >= 0 &&
           entry->tick < entry->ticks_per_beat && entry->beat >= 1 &&
           entry->beat <= ceil(entry->beats_per_bar);
}

static double frames_per_beat(const struct stem_tempo_map *map, const struct stem_take_tempo *entry)
{
    return 60.0 * map->rate_hz / entry->bpm;
}

/* Beats from the start of the entry's bar. */
static double beats_into_bar(const struct stem_take_tempo *entry)
{
    return entry->beat - 1 + entry->tick / entry->ticks_per_beat;
}

/* Index of the entry that holds at `frame`; the first one before any. */
static size_t entry_at(const struct stem_tempo_map *map, uint64_t frame)
{
    size_t low = 0, high = map->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (map->entries[middle].frame <= frame)
            low = middle;
        else
            high = middle;
    }
    return low;
}

bool stem_tempo_at(
    const struct stem_tempo_map *map, uint64_t frame, struct stem_tempo_position *position)
{
    if (map->count == 0 || frame < map->entries[0].frame)
        return false;
    const struct stem_take_tempo *entry = &map->entries[entry_at(map, frame)];
    double length = frames_per_beat(map, entry), near = 0.5 / length;
    double beats = beats_into_bar(entry) + (double)(frame - entry->frame) / length;
    double bars = floor((beats + near) / entry->beats_per_bar);
    double in_bar = fmax(beats - bars * entry->beats_per_bar, 0);
    double beat = floor(in_bar + near);
    *position = (struct stem_tempo_position){
        .bar = entry->bar + (int64_t)bars,
        .beat = 1 + (int32_t)beat,
        .part = fmax(in_bar - beat, 0),
        .beats_per_bar = entry->beats_per_bar,
        .beat_type = entry->beat_type,
        .bpm = entry->bpm,
    };
    return true;
}

/* The first bar line at or after `frame`, as if the entry held for ever. */
static uint64_t bar_in_entry(
    const struct stem_tempo_map *map, const struct stem_take_tempo *entry, uint64_t frame)
{
    double length = frames_per_beat(map, entry), bar = length * entry->beats_per_bar;
    double first = (double)entry->frame - beats_into_bar(entry) * length;
    double bars = ceil(((double)frame - 0.5 - first) / bar);
    double line = floor(first + bars * bar + 0.5);
    while (line < (double)frame)
        line = floor(first + ++bars * bar + 0.5);
    return (uint64_t)line;
}

bool stem_tempo_next_bar(const struct stem_tempo_map *map, uint64_t frame, uint64_t *bar_frame)
{
    if (map->count == 0)
        return false;
    if (frame < map->entries[0].frame)
        frame = map->entries[0].frame;
    for (size_t k = entry_at(map, frame); k < map->count; k++) {
        const struct stem_take_tempo *entry = &map->entries[k];
        *bar_frame = bar_in_entry(map, entry, frame > entry->frame ? frame : entry->frame);
        if (k + 1 == map->count || *bar_frame < entry[1].frame)
            break;
    }
    return true;
}

static double quarters_per_frame(
    const struct stem_tempo_map *map, const struct stem_take_tempo *entry)
{
    return 4 / entry->beat_type / frames_per_beat(map, entry);
}

double stem_tempo_quarters(const struct stem_tempo_map *map, uint64_t frame)
{
    double quarters = 0;
    for (size_t k = 0; k < map->count; k++) {
        uint64_t begin = k ? map->entries[k].frame : 0;
        uint64_t end = k + 1 < map->count ? map->entries[k + 1].frame : UINT64_MAX;
        if (begin >= frame)
            break;
        end = end < frame ? end : frame;
        quarters += (double)(end - begin) * quarters_per_frame(map, &map->entries[k]);
    }
    return quarters;
}

uint64_t stem_tempo_frame(const struct stem_tempo_map *map, double quarters)
{
    for (size_t k = 0; k < map->count; k++) {
        double begin = k ? (double)map->entries[k].frame : 0;
        double speed = quarters_per_frame(map, &map->entries[k]);
        double frames = quarters / speed;
        if (k + 1 == map->count || begin + frames < (double)map->entries[k + 1].frame)
            return (uint64_t)(begin + frames + 0.5);
        quarters -= ((double)map->entries[k + 1].frame - begin) * speed;
    }
    return 0;
}

uint64_t stem_tempo_ticks(const struct stem_tempo_map *map, uint64_t frame)
{
    return (uint64_t)(stem_tempo_quarters(map, frame) * STEM_TEMPO_PPQ + 0.5);
}

void stem_tempo_settle(
    const struct stem_take_tempo *before, struct stem_take_tempo *entry, uint32_t rate_hz)
{
    enum { MOST_FRAMES = 8192 };
    if (!stem_tempo_valid(before) || !stem_tempo_valid(entry) || entry->frame < before->frame)
        return;
    double old_beat = 60.0 * rate_hz / before->bpm, beat = 60.0 * rate_hz / entry->bpm;
    double since = entry->tick / entry->ticks_per_beat * beat; /* frames from its last beat */
    double gone = (double)(entry->frame - before->frame) - since;
    if (since > MOST_FRAMES || gone < 0)
        return;
    double beats = beats_into_bar(before) + gone / old_beat;
    /* a frame, or what masters that tell whole ticks leave out */
    double near = fmax(1, fmax(old_beat / before->ticks_per_beat, beat / entry->ticks_per_beat));
    if (fabs(beats - round(beats)) * old_beat > near)
        return;
    double place = (double)entry->frame - since;
    uint64_t frame = (uint64_t)(place + 0.5);
    entry->tick = fmax((double)frame - place, 0) / beat * entry->ticks_per_beat;
    entry->frame = frame;
}

static double bpm_or(double bpm, double otherwise)
{
    return bpm >= LEAST_BPM && bpm <= MOST_BPM ? bpm : otherwise;
}

struct stem_tempo_map stem_tempo_of_take(const struct stem_take *take, struct stem_take_tempo *only)
{
    struct stem_tempo_map map = {.entries = take->tempos, .rate_hz = take->rate_hz};
    while (map.count < take->tempo_count && stem_tempo_valid(&take->tempos[map.count]) &&
           (map.count == 0 || take->tempos[map.count].frame >= take->tempos[map.count - 1].frame))
        map.count++;
    if (map.count)
        return map;
    *only = (struct stem_take_tempo){
        .bpm = bpm_or(take->tempo_bpm, 120),
        .beats_per_bar = 4,
        .beat_type = 4,
        .ticks_per_beat = STEM_TEMPO_PPQ,
        .bar = 1,
        .beat = 1,
    };
    return (struct stem_tempo_map){.entries = only, .count = 1, .rate_hz = take->rate_hz};
}

bool stem_tempo_known(const struct stem_take *take)
{
    return (take->tempo_count && stem_tempo_valid(&take->tempos[0])) ||
           bpm_or(take->tempo_bpm, 0) > 0;
}
