/* A take cut into pieces: its gaps, and what was recorded between them along JACK's clock. */
#ifndef STEM_PIECES_H
#define STEM_PIECES_H

#include "take.h"

struct piece {
    uint64_t frame; /* of the take */
    uint64_t end;
    uint32_t jack_frame; /* JACK's frame of `frame` */
    bool is_gap;
    bool may_be_silent; /* a recovered gap: the sound, or silence where a file ended early */
};

struct pieces {
    struct piece *piece; /* ascending, together the whole take */
    size_t count;
};

/* False when there is no memory. The caller frees pieces->piece. */
bool pieces_cut(struct pieces *pieces, const struct stem_take *take);

/* JACK's frame of a frame in a piece. */
static inline uint32_t piece_jack_frame(const struct piece *piece, uint64_t frame)
{
    return piece->jack_frame + (uint32_t)(frame - piece->frame);
}

#endif
