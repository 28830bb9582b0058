/* The parts before and after one of a take that had to go on in another folder. */
#include "verify_parts.h"

#include <string.h>

/* Loads the part that ought to be in a folder; a remark when it is not. */
static bool load_part(
    struct verify_check *check, const char *folder, uint32_t number, struct stem_take *part)
{
    const struct stem_take *take = &check->report->take;
    if (stem_take_load(part, folder, NULL) == 0 && take->id && part->id &&
        strcmp(part->id, take->id) == 0 && part->part == number)
        return true;
    verify_remark(check, "part %u of this take is not in \"%s\"", number, folder);
    stem_take_finish(part);
    return false;
}

/* Whether one part ends where the next one begins, on the timeline of the whole take. */
static void compare_border(struct verify_check *check, uint64_t end, const struct stem_take *next)
{
    const unsigned long long begin = next->part_frame;
    if (end < begin)
        verify_remark(check, "%llu frames are missing between part %u and part %u", begin - end,
            next->part - 1, next->part);
    if (end > begin)
        verify_remark(check, "the last %llu frames of part %u are in part %u too", end - begin,
            next->part - 1, next->part);
}

static void look_at_next(struct verify_check *check)
{
    const struct stem_take *take = &check->report->take;
    struct stem_take next = {0};
    if (!take->continued_in || !load_part(check, take->continued_in, take->part + 1, &next))
        return;
    compare_border(check, take->part_frame + take->frames, &next);
    stem_take_finish(&next);
}

static void look_at_last(struct verify_check *check)
{
    const struct stem_take *take = &check->report->take;
    struct stem_take last = {0};
    if (!take->continued_from || !load_part(check, take->continued_from, take->part - 1, &last))
        return;
    compare_border(check, last.part_frame + last.frames, take);
    stem_take_finish(&last);
}

void verify_neighbours(struct verify_check *check)
{
    look_at_next(check);
    look_at_last(check);
}
