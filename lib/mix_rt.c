/* The mixing that the process thread does. See mix.h.
 *
 * Each chunk is summed channel by channel into a small planar buffer, then interleaved once into
 * the tape, with the fade on the way when there is one.
 */
#include "mix_parts.h"

#include <string.h>

/* The first product replaces what is there, so one route at unity gain copies bits. */
static void set_product(float *restrict sum, const float *restrict in, float gain, uint32_t frames)
    STEM_RT
{
    if (gain == 1.0f) {
        memcpy(sum, in, frames * sizeof *sum);
        return;
    }
    for (uint32_t i = 0; i < frames; i++)
        sum[i] = gain * in[i];
}

static void add_product(float *restrict sum, const float *restrict in, float gain, uint32_t frames)
    STEM_RT
{
    if (gain == 1.0f) {
        for (uint32_t i = 0; i < frames; i++)
            sum[i] += in[i];
        return;
    }
    for (uint32_t i = 0; i < frames; i++)
        sum[i] += gain * in[i];
}

static void sum_channel(float *restrict sum, const struct mix_term *term, uint32_t terms,
    const float *const *ports, uint32_t offset, uint32_t frames) STEM_RT
{
    if (terms == 0)
        memset(sum, 0, frames * sizeof *sum);
    for (uint32_t k = 0; k < terms; k++) {
        const float *in = ports[term[k].port] + offset;
        if (k == 0)
            set_product(sum, in, term[k].gain, frames);
        else
            add_product(sum, in, term[k].gain, frames);
    }
}

static void interleave(float *restrict out, const float (*sum)[MIX_CHUNK_FRAMES], uint32_t channels,
    uint32_t frames) STEM_RT
{
    if (channels == 1) {
        memcpy(out, sum[0], frames * sizeof *out);
        return;
    }
    if (channels == 2) {
        const float *restrict left = sum[0], *restrict right = sum[1];
        for (uint32_t i = 0; i < frames; i++) {
            out[2 * i] = left[i];
            out[2 * i + 1] = right[i];
        }
        return;
    }
    for (uint32_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < channels; c++)
            out[i * channels + c] = sum[c][i];
}

/* Moves the level towards its target frame by frame; open and shut are exactly 1 and 0. */
static void fade(struct stem_mix *mix, struct mix_track *track, float target, uint32_t frames)
    STEM_RT
{
    float level = track->level;
    for (uint32_t i = 0; i < frames; i++) {
        if (level < target)
            level = level + mix->fade_step < target ? level + mix->fade_step : target;
        else
            level = level - mix->fade_step > target ? level - mix->fade_step : target;
        for (uint32_t c = 0; c < track->channels; c++)
            mix->sum[c][i] *= level;
    }
    track->level = level;
}

static void mix_chunk(struct stem_mix *mix, struct mix_track *track, const float *const *ports,
    uint32_t offset, uint32_t frames, float *out) STEM_RT
{
    float target = atomic_load_explicit(&track->muted, memory_order_relaxed) ? 0.0f : 1.0f;
    if (target == 0.0f && track->level == 0.0f) {
        memset(out, 0, (size_t)frames * track->channels * sizeof *out);
        return;
    }
    for (uint32_t c = 0; c < track->channels; c++)
        sum_channel(mix->sum[c], mix->term + track->first_term[c],
            track->first_term[c + 1] - track->first_term[c], ports, offset, frames);
    if (track->level != target)
        fade(mix, track, target, frames);
    interleave(out, (const float(*)[MIX_CHUNK_FRAMES])mix->sum, track->channels, frames);
}

void stem_mix_track_rt(struct stem_mix *mix, uint32_t track, const float *const *ports,
    const struct stem_tape_span *out) STEM_RT
{
    struct mix_track *t = &mix->track[track];
    uint32_t offset = 0;
    for (int part = 0; part < 2; part++) {
        float *to = out->samples[part];
        uint32_t left = out->frames[part];
        while (left > 0) {
            uint32_t chunk = left < MIX_CHUNK_FRAMES ? left : MIX_CHUNK_FRAMES;
            mix_chunk(mix, t, ports, offset, chunk, to);
            to += (size_t)chunk * t->channels;
            offset += chunk;
            left -= chunk;
        }
    }
}
