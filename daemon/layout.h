/* The layout: what a configuration means in ports, tracks and routes.
 *
 * A track is a file of a take. First come the stems in configured order, then the returns that are
 * files of their own: together they are the mix. Then come files beside the sum: returns that are
 * in their stems too, and single inputs as they arrive. The mix reference, if there is one, is the
 * last. Ports come in the order of the configuration: inputs and private returns stem by stem,
 * shared returns, the mix. JACK names: "Drums/Kick", "Drums/Overheads-L", "Plate-L", "Mix-L";
 * beyond stereo "-1", "-2", ….
 */
#ifndef STEMD_LAYOUT_H
#define STEMD_LAYOUT_H

#include "config.h"
#include "mix.h"
#include "naming_template.h"
#include "take.h"

struct stem_layout_port {
    char *name;       /* JACK short name */
    char *pretty;     /* for people: "Overheads L" */
    char *group;      /* stem or return it belongs to: JACK's port group */
    const char *from; /* what it is connected from; borrowed from the configuration */
    unsigned line;    /* where that stands */
};

struct stem_layout_track {
    char *name;      /* "Drums"; "Plate"; of a stem's own return or input "Drums Room"; "Mix" */
    unsigned number; /* as in the file name: 1 … in the sum, returns and inputs beside it count for
                        themselves; 0 for the mix */
    enum stem_take_role role; /* STEM_TAKE_STEM for the mix too */
    bool in_sum;              /* one of those that add up to the mix */
    uint32_t channels;
    uint32_t inputs; /* largest number of ports summed into one channel */
    bool muted;      /* at start; stems only */
};

struct stem_layout {
    struct stem_layout_port *ports;
    uint32_t port_count;
    struct stem_layout_track *tracks;
    uint32_t track_count;
    uint32_t *channels; /* of each track */
    struct stem_mix_route *routes;
    uint32_t route_count;
    bool has_mix; /* the last track is the reference */
};

/* Makes the layout; the configuration must outlive it. NULL when there is no memory. Control. */
struct stem_layout *stem_layout_create(const struct stem_config *config);

/* Frees; NULL is allowed. */
void stem_layout_destroy(struct stem_layout *layout);

/* Whether a track is the mix reference. */
bool stem_layout_is_mix(const struct stem_layout *layout, uint32_t track);

/* Whether a track is neither in the sum nor the mix. */
bool stem_layout_is_extra(const struct stem_layout *layout, uint32_t track);

/* The name of a track's file; `values` still lacks index and stem. Files beside the sum begin with
 * "fx_" (returns) and "in_" (inputs). */
void stem_layout_file_name(const struct stem_layout *layout, uint32_t track,
    const struct stem_config *config, const struct stem_naming_values *values,
    char name[STEM_NAMING_BYTES]);

/* Whether a port belongs to a track: a route leads from it there. */
bool stem_layout_feeds(const struct stem_layout *layout, uint32_t port, uint32_t track);

#endif
