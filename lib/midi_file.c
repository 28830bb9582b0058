#include "midi_file.h"

#include "replace.h"
#include "tempo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    META = 0xFF,
    TRACK_NAME = 0x03,
    MARKER = 0x06,
    END_OF_TRACK = 0x2F,
    SET_TEMPO = 0x51,
    TIME_SIGNATURE = 0x58,
    CLOCKS_PER_QUARTER = 24,
    MOST_DELTA = 0x0FFFFFFF,
    MOST_TEMPO_US = 0xFFFFFF,
};

struct track {
    FILE *out;
    uint64_t tick; /* of the last event */
};

static void put_number(FILE *out, uint32_t value, int bytes)
{
    while (bytes-- > 0)
        putc((int)(value >> 8 * bytes & 0xFF), out);
}

/* Seven bits a byte, the highest first; all but the last have their top bit set. */
static void put_variable(FILE *out, uint32_t value)
{
    for (int shift = 21; shift > 0; shift -= 7)
        if (value >> shift)
            putc((int)(0x80 | (value >> shift & 0x7F)), out);
    putc((int)(value & 0x7F), out);
}

static void put_meta(struct track *track, uint64_t tick, int kind, const void *bytes, size_t size)
{
    uint64_t delta = tick > track->tick ? tick - track->tick : 0;
    put_variable(track->out, delta < MOST_DELTA ? (uint32_t)delta : MOST_DELTA);
    putc(META, track->out);
    putc(kind, track->out);
    put_variable(track->out, (uint32_t)size);
    fwrite(bytes, 1, size, track->out);
    track->tick += delta;
}

static void put_tempo(struct track *track, uint64_t tick, double quarter_bpm)
{
    double us = 60e6 / quarter_bpm + 0.5;
    uint32_t tempo = us < MOST_TEMPO_US ? (uint32_t)us : MOST_TEMPO_US;
    unsigned char bytes[] = {
        (unsigned char)(tempo >> 16), (unsigned char)(tempo >> 8), (unsigned char)tempo};
    put_meta(track, tick, SET_TEMPO, bytes, sizeof bytes);
}

static void put_meter(struct track *track, uint64_t tick, const struct stem_tempo_event *event)
{
    unsigned power = 0, clocks = 4 * CLOCKS_PER_QUARTER / event->denominator;
    while (1u << power < event->denominator)
        power++;
    unsigned char bytes[] = {(unsigned char)event->numerator, (unsigned char)power,
        (unsigned char)(clocks ? clocks : 1), 8};
    put_meta(track, tick, TIME_SIGNATURE, bytes, sizeof bytes);
}

static void put_event(struct track *track, const struct stem_tempo_map *map,
    const struct stem_tempo_event *event, double *quarter_bpm)
{
    uint64_t tick = event->frame ? stem_tempo_ticks(map, event->frame) : 0;
    if (event->numerator)
        put_meter(track, tick, event);
    if (event->quarter_bpm != *quarter_bpm)
        put_tempo(track, tick, event->quarter_bpm);
    *quarter_bpm = event->quarter_bpm;
}

/* Tempo and meter events and markers, in the order of their frames. */
static void put_events(struct track *track, const struct stem_take *take)
{
    struct stem_take_tempo only;
    struct stem_tempo_event *events;
    const struct stem_tempo_map map = stem_tempo_of_take(take, &only);
    size_t count = stem_tempo_events(&map, take->frames, &events), m = 0;
    double quarter_bpm = 0;
    if (count && events[0].frame > 0) /* ticks before the first entry are counted in its tempo */
        put_tempo(track, 0, quarter_bpm = events[0].quarter_bpm);
    for (size_t k = 0; k <= count; k++) {
        uint64_t until = k < count ? events[k].frame : UINT64_MAX;
        for (; m < take->marker_count && take->markers[m].frame < until; m++)
            put_meta(track, stem_tempo_ticks(&map, take->markers[m].frame), MARKER,
                take->markers[m].text, strlen(take->markers[m].text));
        if (k < count)
            put_event(track, &map, &events[k], &quarter_bpm);
    }
    put_meta(track, stem_tempo_ticks(&map, take->frames), END_OF_TRACK, "", 0);
    free(events);
}

static char *make_track(const struct stem_take *take, size_t *size)
{
    char *bytes = NULL;
    struct track track = {.out = open_memstream(&bytes, size)};
    const char *title = take->title ? take->title : "";
    if (!track.out)
        return NULL;
    put_meta(&track, 0, TRACK_NAME, title, strlen(title));
    put_events(&track, take);
    if (fclose(track.out) == 0)
        return bytes;
    free(bytes);
    return NULL;
}

struct chunk {
    const char *bytes;
    size_t size;
};

/* Header chunk: format 1, one track, ticks per quarter note. */
static void put_file(FILE *out, const void *data)
{
    const struct chunk *track = data;
    fwrite("MThd", 1, 4, out);
    put_number(out, 6, 4);
    put_number(out, 1, 2);
    put_number(out, 1, 2);
    put_number(out, STEM_TEMPO_PPQ, 2);
    fwrite("MTrk", 1, 4, out);
    put_number(out, (uint32_t)track->size, 4);
    fwrite(track->bytes, 1, track->size, out);
}

int stem_midi_file_write(const char *folder, const struct stem_take *take, struct stem_error *error)
{
    struct chunk track = {0};
    if (!stem_tempo_known(take))
        return stem_replace_remove(folder, STEM_MIDI_FILE, error);
    char *bytes = make_track(take, &track.size);
    if (!bytes)
        return stem_error_set(error, "no memory for \"%s/%s\"", folder, STEM_MIDI_FILE);
    track.bytes = bytes;
    int status = stem_replace_text(folder, STEM_MIDI_FILE, put_file, &track, error);
    free(bytes);
    return status;
}
