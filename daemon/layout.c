#include "layout_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *layout_grow(void *array, uint32_t count, size_t bytes)
{
    if (count & (count - 1))
        return array;
    return realloc(array, (count ? 2 * (size_t)count : 1) * bytes);
}

/* Ports */

/* "-L" and "-R" of a pair, "-1" … of more, nothing for one. */
static void channel_suffix(uint32_t channel, uint32_t channels, char *suffix, size_t size)
{
    if (channels == 1)
        suffix[0] = '\0';
    else if (channels == 2)
        snprintf(suffix, size, "-%c", channel == 0 ? 'L' : 'R');
    else
        snprintf(suffix, size, "-%u", channel + 1);
}

static bool add_port(struct stem_layout *layout, const char *stem,
    const struct stem_config_input *input, uint32_t channel)
{
    struct stem_layout_port *ports = layout_grow(layout->ports, layout->port_count, sizeof *ports);
    if (!ports)
        return false;
    layout->ports = ports;
    struct stem_layout_port *port = &ports[layout->port_count++];
    *port = (struct stem_layout_port){0};
    char suffix[16];
    channel_suffix(channel, input->channels, suffix, sizeof suffix);
    const char *pretty_suffix = suffix[0] ? suffix + 1 : "";
    int name = stem ? asprintf(&port->name, "%s/%s%s", stem, input->name, suffix)
                    : asprintf(&port->name, "%s%s", input->name, suffix);
    int pretty =
        asprintf(&port->pretty, "%s%s%s", input->name, pretty_suffix[0] ? " " : "", pretty_suffix);
    port->name = name < 0 ? NULL : port->name;
    port->pretty = pretty < 0 ? NULL : port->pretty;
    port->group = strdup(stem ? stem : input->name);
    port->from = input->from[channel].from;
    port->line = input->from[channel].line;
    return port->name && port->pretty && port->group;
}

/* Groups of ports in the order of the configuration. */
struct making {
    struct stem_layout *layout;
    const struct stem_config *config;
    struct layout_group *groups;
    uint32_t group_count;
};

static bool add_group(struct making *making, struct layout_group group)
{
    struct stem_layout *layout = making->layout;
    struct layout_group *groups = layout_grow(making->groups, making->group_count, sizeof *groups);
    if (!groups)
        return false;
    making->groups = groups;
    group.port = layout->port_count;
    groups[making->group_count++] = group;
    for (uint32_t c = 0; c < group.input->channels; c++)
        if (!add_port(layout, group.stem ? group.stem->name : NULL, group.input, c))
            return false;
    return true;
}

static bool add_stem_groups(struct making *making, uint32_t s)
{
    const struct stem_config_stem *stem = &making->config->stems[s];
    for (size_t i = 0; i < stem->input_count; i++)
        if (!add_group(
                making, (struct layout_group){.input = &stem->inputs[i], .stem = stem, .track = s}))
            return false;
    for (size_t r = 0; r < stem->return_count; r++) {
        const struct stem_config_send *send = &stem->returns[r];
        if (!send->is_shared && !add_group(making, (struct layout_group){.input = &send->own,
                                                       .stem = stem,
                                                       .send = send,
                                                       .track = s,
                                                       .is_return = true}))
            return false;
    }
    return true;
}

static bool add_groups(struct making *making)
{
    const struct stem_config *config = making->config;
    for (uint32_t s = 0; s < config->stem_count; s++)
        if (!add_stem_groups(making, s))
            return false;
    for (size_t r = 0; r < config->return_count; r++)
        if (!add_group(making, (struct layout_group){
                                   .input = &config->returns[r], .shared = r, .is_return = true}))
            return false;
    return !config->has_mix || add_group(making, (struct layout_group){.input = &config->mix});
}

/* Tracks */

/* Takes `name` over; NULL: there was no memory for it. */
static bool add_track(struct stem_layout *layout, char *name, struct stem_layout_track track)
{
    uint32_t *widths = layout_grow(layout->channels, layout->track_count, sizeof *widths);
    layout->channels = widths ? widths : layout->channels;
    struct stem_layout_track *tracks =
        widths && name ? layout_grow(layout->tracks, layout->track_count, sizeof *tracks) : NULL;
    if (!tracks) {
        free(name);
        return false;
    }
    track.name = name;
    layout->tracks = tracks;
    widths[layout->track_count] = track.channels;
    tracks[layout->track_count++] = track;
    return true;
}

static bool add_stems(struct making *making)
{
    for (uint32_t s = 0; s < making->config->stem_count; s++) {
        const struct stem_config_stem *stem = &making->config->stems[s];
        if (!add_track(making->layout, strdup(stem->name),
                (struct stem_layout_track){.number = s + 1,
                    .in_sum = true,
                    .channels = stem->channels,
                    .muted = stem->muted}))
            return false;
    }
    return true;
}

/* "Drums Room" of a stem's own, "Plate" of a shared return. */
static char *group_name(const struct layout_group *group)
{
    char *name;
    if (!group->stem)
        return strdup(group->input->name);
    return asprintf(&name, "%s %s", group->stem->name, group->input->name) < 0 ? NULL : name;
}

/* What the stems sum: inputs and their own returns, then shared returns. */
static bool route_into_stems(struct making *making, const struct layout_group *group)
{
    const struct stem_config *config = making->config;
    if (group->stem)
        return (group->is_return && group->stem->wet == STEM_WET_OWN) ||
               layout_route(making->layout, config, group, group->track,
                   group->send ? group->send->share : 1.0);
    for (uint32_t s = 0; group->is_return && s < config->stem_count; s++)
        for (size_t r = 0; r < config->stems[s].return_count; r++) {
            const struct stem_config_send *send = &config->stems[s].returns[r];
            if (send->is_shared && send->shared == group->shared &&
                config->stems[s].wet != STEM_WET_OWN &&
                !layout_route(making->layout, config, group, s, send->share))
                return false;
        }
    return true;
}

/* Returns as files: with STEM_WET_OWN in the sum, with STEM_WET_BOTH beside it. */
static bool add_returns(struct making *making, enum stem_wet wet)
{
    struct stem_layout *layout = making->layout;
    unsigned number = wet == STEM_WET_OWN ? layout->track_count : 0;
    for (uint32_t g = 0; g < making->group_count; g++) {
        const struct layout_group *group = &making->groups[g];
        uint32_t channels = group->is_return ? layout_part_channels(making->config, group, wet) : 0;
        if (channels &&
            (!add_track(layout, group_name(group),
                 (struct stem_layout_track){.number = ++number,
                     .role = STEM_TAKE_RETURN,
                     .in_sum = wet == STEM_WET_OWN,
                     .channels = channels}) ||
                !layout_route_part(layout, making->config, group, wet, layout->track_count - 1)))
            return false;
    }
    return true;
}

/* Everything that arrives, as it arrives. */
static bool add_inputs(struct making *making)
{
    struct stem_layout *layout = making->layout;
    unsigned number = 0;
    for (uint32_t g = 0; g < making->group_count; g++) {
        const struct layout_group *group = &making->groups[g];
        if (group->input != &making->config->mix &&
            (!add_track(layout, group_name(group),
                 (struct stem_layout_track){.number = ++number,
                     .role = STEM_TAKE_INPUT,
                     .channels = group->input->channels}) ||
                !layout_route_raw(layout, group, layout->track_count - 1)))
            return false;
    }
    return true;
}

static bool add_mix(struct making *making)
{
    struct stem_layout *layout = making->layout;
    const struct stem_config_input *mix = &making->config->mix;
    layout->has_mix = making->config->has_mix;
    return !layout->has_mix ||
           (add_track(
                layout, strdup(mix->name), (struct stem_layout_track){.channels = mix->channels}) &&
               layout_route_raw(
                   layout, &making->groups[making->group_count - 1], layout->track_count - 1));
}

static bool add_tracks(struct making *making)
{
    if (!add_stems(making))
        return false;
    for (uint32_t g = 0; g < making->group_count; g++)
        if (!route_into_stems(making, &making->groups[g]))
            return false;
    return add_returns(making, STEM_WET_OWN) && add_returns(making, STEM_WET_BOTH) &&
           (!making->config->multitrack || add_inputs(making)) && add_mix(making);
}

/* The whole */

static void count_inputs(struct stem_layout *layout)
{
    for (uint32_t t = 0; t < layout->track_count; t++)
        for (uint32_t c = 0; c < layout->tracks[t].channels; c++) {
            uint32_t inputs = 0;
            for (uint32_t r = 0; r < layout->route_count; r++)
                inputs += layout->routes[r].track == t && layout->routes[r].channel == c;
            if (inputs > layout->tracks[t].inputs)
                layout->tracks[t].inputs = inputs;
        }
}

struct stem_layout *stem_layout_create(const struct stem_config *config)
{
    struct making making = {.layout = calloc(1, sizeof *making.layout), .config = config};
    bool made = making.layout && add_groups(&making) && add_tracks(&making);
    free(making.groups);
    if (made) {
        count_inputs(making.layout);
        return making.layout;
    }
    stem_layout_destroy(making.layout);
    return NULL;
}

void stem_layout_destroy(struct stem_layout *layout)
{
    if (!layout)
        return;
    for (uint32_t p = 0; p < layout->port_count; p++) {
        free(layout->ports[p].name);
        free(layout->ports[p].pretty);
        free(layout->ports[p].group);
    }
    for (uint32_t t = 0; t < layout->track_count; t++)
        free(layout->tracks[t].name);
    free(layout->ports);
    free(layout->tracks);
    free(layout->channels);
    free(layout->routes);
    free(layout);
}

bool stem_layout_feeds(const struct stem_layout *layout, uint32_t port, uint32_t track)
{
    for (uint32_t r = 0; r < layout->route_count; r++)
        if (layout->routes[r].port == port && layout->routes[r].track == track)
            return true;
    return false;
}

bool stem_layout_is_mix(const struct stem_layout *layout, uint32_t track)
{
    return layout->has_mix && track == layout->track_count - 1;
}

bool stem_layout_is_extra(const struct stem_layout *layout, uint32_t track)
{
    return !layout->tracks[track].in_sum && !stem_layout_is_mix(layout, track);
}

void stem_layout_file_name(const struct stem_layout *layout, uint32_t t,
    const struct stem_config *config, const struct stem_naming_values *values,
    char name[STEM_NAMING_BYTES])
{
    const struct stem_layout_track *track = &layout->tracks[t];
    struct stem_naming_values own = *values;
    own.index = track->number;
    own.stem = track->name;
    stem_naming_file(config->file_name, &own,
        !stem_layout_is_extra(layout, t)  ? ""
        : track->role == STEM_TAKE_RETURN ? "fx_"
                                          : "in_",
        stem_container_extension(config->container), name);
}
