/* The gaps that may still matter: those on the tape, ascending. Writer thread. */
#ifndef STEMD_GAP_LIST_H
#define STEMD_GAP_LIST_H

#include <stddef.h>
#include <stdint.h>

struct stem_gap {
    uint64_t frame;
    uint64_t frames;
    uint32_t reasons;
};

/* All zero is an empty list. */
struct stem_gap_list {
    struct stem_gap *gaps;
    size_t count;
    size_t room;
};

/* Appends a gap that begins at or after the end of the last one. 0, or -1 without memory. */
int stem_gap_list_add(struct stem_gap_list *list, struct stem_gap gap);

/* Forgets gaps that end at or before `frame`. A gap of no length goes once `frame` is past it. */
void stem_gap_list_forget(struct stem_gap_list *list, uint64_t frame);

/* The first gap that ends after `frame`, or a gap of no length at or after it; NULL when none. */
const struct stem_gap *stem_gap_list_find(const struct stem_gap_list *list, uint64_t frame);

void stem_gap_list_finish(struct stem_gap_list *list);

#endif
