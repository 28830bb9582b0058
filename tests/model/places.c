/* What the threads share, and who stores and loads what. */
#include "tape_model.h"

static const char *const NAMES[PLACES] = {
    [WRITING_END] = "writing_end",
    [WRITTEN] = "written",
    [CONTIGUOUS_FROM] = "contiguous_from",
    [FIRST] = "first",
    [HELD] = "held (writer)",
    [HELD + 1] = "held (mirror)",
    [MISSED] = "missed (writer)",
    [MISSED + 1] = "missed (mirror)",
    [HEAD] = "queue head (writer)",
    [HEAD + 1] = "queue head (mirror)",
    [TAIL] = "queue tail (writer)",
    [TAIL + 1] = "queue tail (mirror)",
    [CELL] = "cell 0 (frame + 1)",
    [CELL + 1] = "cell 1 (frame + 1)",
    [CELL + 2] = "cell 2 (frame + 1)",
    [CELL + 3] = "cell 3 (frame + 1)",
};

static unsigned bit(int thread)
{
    return 1u << thread;
}

/* What only the process thread and one who holds have to do with. */
static void assign_holder(struct model_place *places, int h)
{
    unsigned both = bit(PROCESS) | bit(WRITER + h);
    places[HELD + h] =
        (struct model_place){.owner = WRITER + h, .users = both, .initial = UINT32_MAX};
    places[TAIL + h] = (struct model_place){.owner = WRITER + h, .users = both};
    places[HEAD + h] = places[MISSED + h] = (struct model_place){.owner = PROCESS, .users = both};
    for (int k = h * SLOTS; k < (h + 1) * SLOTS; k++) {
        places[SLOT + k] = (struct model_place){.owner = PROCESS, .users = both};
        places[SLOT_READS + k] =
            (struct model_place){.owner = WRITER + h, .users = both, .counts_reads = true};
    }
}

static void assign_cells(struct model_place *places, unsigned all)
{
    for (int c = 0; c < MOST_CAPACITY; c++) {
        places[CELL + c] = (struct model_place){
            .owner = PROCESS, .users = all, .is_watched = scenario->mirror || scenario->meter};
        places[CELL_READS + c] = (struct model_place){
            .owner = WRITER, .users = bit(PROCESS) | bit(WRITER), .counts_reads = true};
    }
}

void assign_places(struct model *model)
{
    unsigned all = bit(PROCESS) | bit(scenario->meter ? METER : WRITER);
    all |= scenario->mirror ? bit(MIRROR) : 0;
    model->place_count = PLACES;
    for (int p = 0; p < HELD; p++)
        model->places[p] = (struct model_place){.owner = PROCESS, .users = all};
    for (int h = 0; h < HOLDERS; h++)
        assign_holder(model->places, h);
    assign_cells(model->places, all);
    for (int p = 0; p < PLACES; p++)
        model->places[p].name = NAMES[p] ? NAMES[p] : "queue slot";
}
