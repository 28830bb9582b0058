#include "fact_log.h"

#include <math.h>
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

/* Bars, beats and ticks after so many ticks more, in a meter that stays. */
static void move_bars(struct stem_fact *fact, double ticks)
{
    double per_beat = fact->tempo.ticks_per_beat, per_bar = fact->tempo.beats_per_bar;
    if (!(per_beat > 0) || !(per_bar >= 1))
        return;
    double beats = floor((fact->tempo.tick + ticks) / per_beat);
    double whole = fact->tempo.beat - 1 + beats;
    double bars = floor(whole / per_bar);
    fact->tempo.tick += ticks - beats * per_beat;
    fact->tempo.beat = (int32_t)(whole - bars * per_bar) + 1;
    fact->tempo.bar += (int32_t)bars;
}

struct stem_fact stem_fact_at(const struct stem_fact *fact, uint64_t frame, uint32_t rate_hz)
{
    struct stem_fact moved = *fact;
    uint64_t later = frame - fact->frame;
    moved.frame = frame;
    if (fact->kind == STEM_FACT_CLOCK)
        moved.jack_frame += (uint32_t)later;
    if (fact->kind == STEM_FACT_TRANSPORT && fact->transport.rolling)
        moved.transport.frame += later;
    if (fact->kind == STEM_FACT_TEMPO && fact->tempo.rolling)
        move_bars(&moved,
            (double)later * fact->tempo.bpm * fact->tempo.ticks_per_beat / (60.0 * rate_hz));
    return moved;
}
