/* The meter looks without holding: daemon/meters.c. */
#include "tape_model.h"

static uint32_t later(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Compares what was seen from `from` on with what should be there. */
static void check_glance(uint32_t from, uint32_t end, const uint32_t *found)
{
    for (uint32_t f = from; f < end; f++)
        if (found[f - from] != f + 1)
            model_fail(
                "glance", "frame %u holds the sample of frame %d", f, (int)found[f - from] - 1);
}

enum model_result look(void *local)
{
    int *looks = local;
    uint32_t found[CHUNK];
    uint32_t end = (uint32_t)stem_tape_written(&the_tape);
    uint32_t from = end > CHUNK ? end - CHUNK : 0;
    from = later(from, (uint32_t)stem_tape_contiguous_from(&the_tape));
    from = later(from, (uint32_t)stem_tape_oldest(&the_tape));
    if (from >= end)
        return model_choose(2) ? MODEL_DONE : MODEL_IDLE;
    for (uint32_t f = from; f < end; f++)
        found[f - from] = model_take(CELL + cell_of(f), -1);
    if (stem_tape_intact(&the_tape, from))
        check_glance(from, end, found);
    return --*looks == 0 ? MODEL_DONE : MODEL_WORKED;
}
