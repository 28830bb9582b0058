#include "gap_list.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int stem_gap_list_add(struct stem_gap_list *list, struct stem_gap gap)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        struct stem_gap *gaps = realloc(list->gaps, room * sizeof *gaps);
        if (!gaps)
            return -1;
        list->gaps = gaps;
        list->room = room;
    }
    list->gaps[list->count++] = gap;
    return 0;
}

static bool over(const struct stem_gap *gap, uint64_t frame)
{
    return gap->frames ? gap->frame + gap->frames <= frame : gap->frame < frame;
}

void stem_gap_list_forget(struct stem_gap_list *list, uint64_t frame)
{
    size_t gone = 0;
    while (gone < list->count && over(&list->gaps[gone], frame))
        gone++;
    if (gone)
        memmove(list->gaps, list->gaps + gone, (list->count - gone) * sizeof *list->gaps);
    list->count -= gone;
}

const struct stem_gap *stem_gap_list_find(const struct stem_gap_list *list, uint64_t frame)
{
    for (size_t g = 0; g < list->count; g++)
        if (!over(&list->gaps[g], frame))
            return &list->gaps[g];
    return NULL;
}

void stem_gap_list_finish(struct stem_gap_list *list)
{
    free(list->gaps);
    *list = (struct stem_gap_list){0};
}
