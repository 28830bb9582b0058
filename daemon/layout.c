#include "layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more element in an array that doubles at powers of two; NULL without memory, and the
 * array stays as it was. */
static void *grow(void *array, uint32_t count, size_t bytes)
{
    if (count & (count - 1))
        return array;
    return realloc(array, (count ? 2 * (size_t)count : 1) * bytes);
}

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
    struct stem_layout_port *ports = grow(layout->ports, layout->port_count, sizeof *ports);
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

/* Adds all ports of an input; `*first` is the index of the first. */
static bool add_ports(struct stem_layout *layout, const char *stem,
    const struct stem_config_input *input, uint32_t *first)
{
    *first = layout->port_count;
    for (uint32_t c = 0; c < input->channels; c++)
        if (!add_port(layout, stem, input, c))
            return false;
    return true;
}

static bool add_route(
    struct stem_layout *layout, uint32_t port, uint32_t track, uint32_t channel, double gain)
{
    struct stem_mix_route *routes = grow(layout->routes, layout->route_count, sizeof *routes);
    if (!routes)
        return false;
    layout->routes = routes;
    routes[layout->route_count++] = (struct stem_mix_route){port, track, channel, (float)gain};
    return true;
}

static bool add_mono_routes(struct stem_layout *layout, enum stem_pan_law law,
    const struct stem_config_input *input, uint32_t port, uint32_t track, double gain)
{
    uint32_t channels = layout->tracks[track].channels;
    if (input->channel)
        return add_route(layout, port, track, input->channel - 1, gain);
    if (input->has_pan && channels == 2) {
        double left, right;
        stem_gain_pan(law, input->pan, &left, &right);
        return add_route(layout, port, track, 0, gain * left) &&
               add_route(layout, port, track, 1, gain * right);
    }
    for (uint32_t c = 0; c < channels; c++)
        if (!add_route(layout, port, track, c, gain))
            return false;
    return true;
}

/* Routes an input's ports, of which `first` is the first, into a track. */
static bool add_routes(struct stem_layout *layout, enum stem_pan_law law,
    const struct stem_config_input *input, uint32_t first, uint32_t track, double share)
{
    double gain = stem_gain_from_db(input->gain_db) * share * (input->invert ? -1.0 : 1.0);
    if (input->channels == 1)
        return add_mono_routes(layout, law, input, first, track, gain);
    for (uint32_t c = 0; c < input->channels; c++)
        if (!add_route(layout, first + c, track, c, gain))
            return false;
    return true;
}

static bool add_track(
    struct stem_layout *layout, const char *name, unsigned number, uint32_t channels, bool muted)
{
    uint32_t *widths = grow(layout->channels, layout->track_count, sizeof *widths);
    if (!widths)
        return false;
    layout->channels = widths;
    struct stem_layout_track *tracks = grow(layout->tracks, layout->track_count, sizeof *tracks);
    if (!tracks)
        return false;
    layout->tracks = tracks;
    widths[layout->track_count] = channels;
    tracks[layout->track_count++] = (struct stem_layout_track){name, number, channels, 0, muted};
    return true;
}

/* One stem: its inputs, then its private returns. Shared returns are routed later, so that every
 * channel sums inputs first. */
static bool add_stem(struct stem_layout *layout, const struct stem_config *config, uint32_t s)
{
    const struct stem_config_stem *stem = &config->stems[s];
    uint32_t first;
    if (!add_track(layout, stem->name, s + 1, stem->channels, stem->muted))
        return false;
    for (size_t i = 0; i < stem->input_count; i++)
        if (!add_ports(layout, stem->name, &stem->inputs[i], &first) ||
            !add_routes(layout, config->pan_law, &stem->inputs[i], first, s, 1.0))
            return false;
    for (size_t r = 0; r < stem->return_count; r++) {
        const struct stem_config_send *send = &stem->returns[r];
        if (send->is_shared)
            continue;
        if (!add_ports(layout, stem->name, &send->own, &first) ||
            !add_routes(layout, config->pan_law, &send->own, first, s, send->share))
            return false;
    }
    return true;
}

static bool add_shared_return(
    struct stem_layout *layout, const struct stem_config *config, size_t shared)
{
    uint32_t first;
    if (!add_ports(layout, NULL, &config->returns[shared], &first))
        return false;
    for (uint32_t s = 0; s < config->stem_count; s++)
        for (size_t r = 0; r < config->stems[s].return_count; r++) {
            const struct stem_config_send *send = &config->stems[s].returns[r];
            if (send->is_shared && send->shared == shared &&
                !add_routes(
                    layout, config->pan_law, &config->returns[shared], first, s, send->share))
                return false;
        }
    return true;
}

static bool add_mix(struct stem_layout *layout, const struct stem_config *config)
{
    uint32_t first, track = layout->track_count;
    layout->has_mix = true;
    return add_track(layout, config->mix.name, 0, config->mix.channels, false) &&
           add_ports(layout, NULL, &config->mix, &first) &&
           add_routes(layout, config->pan_law, &config->mix, first, track, 1.0);
}

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
    struct stem_layout *layout = calloc(1, sizeof *layout);
    if (!layout)
        return NULL;
    for (uint32_t s = 0; s < config->stem_count; s++)
        if (!add_stem(layout, config, s))
            goto fail;
    for (size_t r = 0; r < config->return_count; r++)
        if (!add_shared_return(layout, config, r))
            goto fail;
    if (config->has_mix && !add_mix(layout, config))
        goto fail;
    count_inputs(layout);
    return layout;
fail:
    stem_layout_destroy(layout);
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

void stem_layout_file_name(const struct stem_layout_track *track, const struct stem_config *config,
    const struct stem_naming_values *values, char name[STEM_NAMING_BYTES])
{
    struct stem_naming_values own = *values;
    own.index = track->number;
    own.stem = track->name;
    stem_naming_file(
        config->file_name, &own, "", stem_container_extension(config->container), name);
}
