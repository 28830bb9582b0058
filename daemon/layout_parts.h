/* The inside of making a layout: layout.c makes ports and tracks, layout_routes.c what leads from
 * one to the other. Control thread. */
#ifndef STEMD_LAYOUT_PARTS_H
#define STEMD_LAYOUT_PARTS_H

#include "layout.h"

/* The ports of one input, return or mix. */
struct layout_group {
    const struct stem_config_input *input;
    const struct stem_config_stem *stem; /* NULL: a shared return, or the mix */
    const struct stem_config_send *send; /* of a private return; NULL otherwise */
    size_t shared;                       /* index of a shared return */
    uint32_t track;                      /* the stem's */
    uint32_t port;                       /* the first */
    bool is_return;
};

/* Room for one more element in an array that doubles at powers of two; NULL without memory, and the
 * array stays as it was. */
void *layout_grow(void *array, uint32_t count, size_t bytes);

/* Channels of the part of a return that belongs to stems with that choice, as the widest of them;
 * 0: there is no such part. */
uint32_t layout_part_channels(
    const struct stem_config *config, const struct layout_group *group, enum stem_wet wet);

/* Routes a group into a stem's track, `share` times what its input settings say. False without
 * memory, as all below. */
bool layout_route(struct stem_layout *layout, const struct stem_config *config,
    const struct layout_group *group, uint32_t track, double share);

/* Routes that part into a track of its own: what it is in all those stems together. */
bool layout_route_part(struct stem_layout *layout, const struct stem_config *config,
    const struct layout_group *group, enum stem_wet wet, uint32_t track);

/* Routes the ports as they are. */
bool layout_route_raw(struct stem_layout *layout, const struct layout_group *group, uint32_t track);

#endif
