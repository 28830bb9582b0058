#include "fact_log.h"

#include <stdbool.h>
#include <stdlib.h>

int stem_fact_log_add(struct stem_fact_log *log, const struct stem_fact *fact)
{
    if (log->count == log->room) {
        size_t room = log->room ? 2 * log->room : 16;
        struct stem_fact *facts = realloc(log->facts, room * sizeof *facts);
        if (!facts)
            return -1;
        log->facts = facts;
        log->room = room;
    }
    log->facts[log->count++] = *fact;
    return 0;
}

const struct stem_fact *stem_fact_log_last(
    const struct stem_fact_log *log, enum stem_fact_kind kind, uint64_t frame)
{
    for (size_t k = log->count; k > 0; k--)
        if (log->facts[k - 1].kind == kind && log->facts[k - 1].frame <= frame)
            return &log->facts[k - 1];
    return NULL;
}

void stem_fact_log_forget(struct stem_fact_log *log, uint64_t frame)
{
    bool is_needed[STEM_FACT_KINDS] = {false};
    size_t kept = log->count;
    /* Backwards, moving what is kept to the end: the first one met of a kind is its last. */
    for (size_t k = log->count; k > 0; k--) {
        const struct stem_fact *fact = &log->facts[k - 1];
        if (fact->frame < frame && is_needed[fact->kind])
            continue;
        if (fact->frame < frame)
            is_needed[fact->kind] = true;
        log->facts[--kept] = *fact;
    }
    log->count -= kept;
    for (size_t k = 0; kept && k < log->count; k++)
        log->facts[k] = log->facts[k + kept];
}

void stem_fact_log_finish(struct stem_fact_log *log)
{
    free(log->facts);
    *log = (struct stem_fact_log){0};
}

struct stem_take_tempo stem_fact_tempo(const struct stem_fact *fact)
{
    return (struct stem_take_tempo){
        .frame = fact->frame,
        .bpm = fact->tempo.bpm,
        .beats_per_bar = fact->tempo.beats_per_bar,
        .beat_type = fact->tempo.beat_type,
        .ticks_per_beat = fact->tempo.ticks_per_beat,
        .bar = fact->tempo.bar,
        .beat = fact->tempo.beat,
        .tick = fact->tempo.tick,
    };
}

/* Bars, beats and ticks at a later frame, in a tempo that stays. */
static void move_bars(struct stem_fact *fact, uint64_t frame, uint32_t rate_hz)
{
    struct stem_take_tempo entry = stem_fact_tempo(fact);
    struct stem_tempo_map map = {&entry, 1, rate_hz};
    struct stem_tempo_position position;
    if (!stem_tempo_valid(&entry) || !stem_tempo_at(&map, frame, &position))
        return;
    fact->tempo.bar = (int32_t)position.bar;
    fact->tempo.beat = position.beat;
    fact->tempo.tick = position.part * fact->tempo.ticks_per_beat;
}

struct stem_fact stem_fact_at(const struct stem_fact *fact, uint64_t frame, uint32_t rate_hz)
{
    struct stem_fact moved = *fact;
    uint64_t later = frame - fact->frame;
    if (fact->kind == STEM_FACT_CLOCK)
        moved.jack_frame += (uint32_t)later;
    if (fact->kind == STEM_FACT_TRANSPORT && fact->transport.rolling)
        moved.transport.frame += later;
    if (fact->kind == STEM_FACT_TEMPO && fact->tempo.rolling && later > 0)
        move_bars(&moved, frame, rate_hz);
    moved.frame = frame;
    return moved;
}
