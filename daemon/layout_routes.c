/* Routes: from which port how much goes to which channel. */
#include "layout_parts.h"

#include <stdlib.h>

static bool add_route(
    struct stem_layout *layout, uint32_t port, uint32_t track, uint32_t channel, double gain)
{
    struct stem_mix_route *routes =
        layout_grow(layout->routes, layout->route_count, sizeof *routes);
    if (!routes)
        return false;
    layout->routes = routes;
    routes[layout->route_count++] = (struct stem_mix_route){port, track, channel, (float)gain};
    return true;
}

/* Whether channel `from` of an input goes to channel `to` of a stem, and how much of it. */
static bool leads(enum stem_pan_law law, const struct stem_config_input *input, uint32_t from,
    uint32_t channels, uint32_t to, double *gain)
{
    *gain = stem_gain_from_db(input->gain_db) * (input->invert ? -1.0 : 1.0);
    if (input->channels > 1)
        return from == to;
    if (input->channel)
        return to == input->channel - 1;
    if (input->has_pan && channels == 2) {
        double side[2];
        stem_gain_pan(law, input->pan, &side[0], &side[1]);
        *gain *= side[to];
    }
    return true;
}

bool layout_route(struct stem_layout *layout, const struct stem_config *config,
    const struct layout_group *group, uint32_t track, double share)
{
    const uint32_t channels = layout->tracks[track].channels;
    double gain;
    for (uint32_t from = 0; from < group->input->channels; from++)
        for (uint32_t to = 0; to < channels; to++)
            if (leads(config->pan_law, group->input, from, channels, to, &gain) &&
                !add_route(layout, group->port + from, track, to, gain * share))
                return false;
    return true;
}

bool layout_route_raw(struct stem_layout *layout, const struct layout_group *group, uint32_t track)
{
    for (uint32_t c = 0; c < group->input->channels; c++)
        if (!add_route(layout, group->port + c, track, c, 1.0))
            return false;
    return true;
}

/* Parts of returns */

/* The next stem, from *s on, that has a part of the return of that kind; NULL: none. */
static const struct stem_config_stem *next_part(const struct stem_config *config,
    const struct layout_group *group, enum stem_wet wet, size_t *s, double *share)
{
    if (group->send) {
        *share = group->send->share;
        return (*s)++ == 0 && group->stem->wet == wet ? group->stem : NULL;
    }
    while (*s < config->stem_count) {
        const struct stem_config_stem *stem = &config->stems[(*s)++];
        for (size_t r = 0; r < stem->return_count && stem->wet == wet; r++)
            if (stem->returns[r].is_shared && stem->returns[r].shared == group->shared) {
                *share = stem->returns[r].share;
                return stem;
            }
    }
    return NULL;
}

uint32_t layout_part_channels(
    const struct stem_config *config, const struct layout_group *group, enum stem_wet wet)
{
    const struct stem_config_stem *stem;
    uint32_t channels = 0;
    size_t s = 0;
    double share;
    while ((stem = next_part(config, group, wet, &s, &share)))
        channels = stem->channels > channels ? stem->channels : channels;
    return channels;
}

/* What the return adds to channel `to` of the stems with a part of that kind. A mono stem counts to
 * every channel of wider ones. */
static bool leads_to_part(const struct stem_config *config, const struct layout_group *group,
    enum stem_wet wet, uint32_t from, uint32_t to, double *sum)
{
    const struct stem_config_stem *stem;
    double gain, share;
    bool any = false;
    *sum = 0;
    for (size_t s = 0; (stem = next_part(config, group, wet, &s, &share));) {
        const uint32_t channel = stem->channels == 1 ? 0 : to;
        if (!leads(config->pan_law, group->input, from, stem->channels, channel, &gain))
            continue;
        *sum += gain * share;
        any = true;
    }
    return any;
}

bool layout_route_part(struct stem_layout *layout, const struct stem_config *config,
    const struct layout_group *group, enum stem_wet wet, uint32_t track)
{
    double gain;
    for (uint32_t from = 0; from < group->input->channels; from++)
        for (uint32_t to = 0; to < layout->tracks[track].channels; to++)
            if (leads_to_part(config, group, wet, from, to, &gain) &&
                !add_route(layout, group->port + from, track, to, gain))
                return false;
    return true;
}
