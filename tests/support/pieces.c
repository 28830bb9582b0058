#include "pieces.h"

#include "facts.h"

#include <stdlib.h>

static void add_piece(struct pieces *pieces, struct piece piece)
{
    if (piece.end > piece.frame)
        pieces->piece[pieces->count++] = piece;
}

/* JACK's frame of a frame of the take: the manifest's clock entries tell. `*until` is the frame of
 * the next entry. */
static uint32_t jack_frame(const struct stem_take *take, uint64_t frame, uint64_t *until)
{
    struct stem_take_clock clock = {0, (uint32_t)take->start_frame};
    size_t k = 0;
    for (; k < take->clock_count && take->clocks[k].frame <= frame; k++)
        clock = take->clocks[k];
    *until = k < take->clock_count ? take->clocks[k].frame : UINT64_MAX;
    return clock.jack_frame + (uint32_t)(frame - clock.frame);
}

/* Frames that somebody delivered, in pieces along JACK's clock. */
static void add_sound(struct pieces *pieces, const struct stem_take *take, uint64_t frame,
    uint64_t end, bool may_be_silent)
{
    while (frame < end) {
        uint64_t until;
        struct piece piece = {.frame = frame, .may_be_silent = may_be_silent};
        piece.jack_frame = jack_frame(take, frame, &until);
        piece.end = until < end ? until : end;
        add_piece(pieces, piece);
        frame = piece.end;
    }
}

bool pieces_cut(struct pieces *pieces, const struct stem_take *take)
{
    uint64_t frame = 0;
    pieces->count = 0;
    pieces->piece = calloc(2 * take->gap_count + 2 * take->clock_count + 2, sizeof *pieces->piece);
    if (!pieces->piece)
        return false;
    for (size_t g = 0; g < take->gap_count; g++) {
        uint64_t begin = take->gaps[g].frame, end = begin + take->gaps[g].frames;
        end = end < take->frames ? end : take->frames;
        add_sound(pieces, take, frame, begin, false);
        if (take->gaps[g].reasons & STEM_GAP_RECOVERED)
            add_sound(pieces, take, begin, end, true);
        else
            add_piece(pieces, (struct piece){.frame = begin, .end = end, .is_gap = true});
        frame = end;
    }
    add_sound(pieces, take, frame, take->frames, false);
    return true;
}
