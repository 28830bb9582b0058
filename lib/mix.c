/* Compiling a mixing plan. See mix.h. */
#include "mix_parts.h"

#include <stdlib.h>

static bool check_routes(const uint32_t *channels, uint32_t tracks, uint32_t ports,
    const struct stem_mix_route *routes, uint32_t count, struct stem_error *error)
{
    for (uint32_t r = 0; r < count; r++) {
        if (routes[r].port < ports && routes[r].track < tracks &&
            routes[r].channel < channels[routes[r].track])
            continue;
        stem_error_set(error, "route %u leads from port %u to track %u, channel %u: no such place",
            r, routes[r].port, routes[r].track, routes[r].channel);
        return false;
    }
    return true;
}

/* Copies the routes of one channel, in order, behind the terms that are there. */
static void collect_terms(struct stem_mix *mix, uint32_t track, uint32_t channel,
    const struct stem_mix_route *routes, uint32_t count)
{
    for (uint32_t r = 0; r < count; r++)
        if (routes[r].track == track && routes[r].channel == channel)
            mix->term[mix->terms++] = (struct mix_term){routes[r].port, routes[r].gain};
}

struct stem_mix *stem_mix_create(const uint32_t *channels, uint32_t tracks, uint32_t ports,
    const struct stem_mix_route *routes, uint32_t route_count, uint32_t rate_hz,
    struct stem_error *error)
{
    if (!check_routes(channels, tracks, ports, routes, route_count, error))
        return NULL;
    struct stem_mix *mix = aligned_alloc(alignof(struct stem_mix), sizeof *mix);
    if (!mix) {
        stem_error_set(error, "no memory for the mixing plan");
        return NULL;
    }
    *mix = (struct stem_mix){
        .tracks = tracks, .fade_step = (float)(1.0 / (STEM_MIX_FADE_SECONDS * rate_hz))};
    mix->track = calloc(tracks ? tracks : 1, sizeof *mix->track);
    mix->term = calloc(route_count ? route_count : 1, sizeof *mix->term);
    if (!mix->track || !mix->term) {
        stem_error_set(error, "no memory for the mixing plan");
        stem_mix_destroy(mix);
        return NULL;
    }
    for (uint32_t t = 0; t < tracks; t++) {
        mix->track[t].channels = channels[t];
        mix->track[t].level = 1.0f;
        for (uint32_t c = 0; c < channels[t]; c++) {
            mix->track[t].first_term[c] = mix->terms;
            collect_terms(mix, t, c, routes, route_count);
        }
        mix->track[t].first_term[channels[t]] = mix->terms;
    }
    return mix;
}

void stem_mix_destroy(struct stem_mix *mix)
{
    if (!mix)
        return;
    free(mix->track);
    free(mix->term);
    free(mix);
}

void stem_mix_set_mute(struct stem_mix *mix, uint32_t track, bool muted)
{
    atomic_store_explicit(&mix->track[track].muted, muted, memory_order_relaxed);
}

void stem_mix_begin_muted(struct stem_mix *mix, uint32_t track, bool muted)
{
    stem_mix_set_mute(mix, track, muted);
    mix->track[track].level = muted ? 0.0f : 1.0f;
}

bool stem_mix_muted(const struct stem_mix *mix, uint32_t track)
{
    return atomic_load_explicit(&mix->track[track].muted, memory_order_relaxed);
}
