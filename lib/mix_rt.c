/* The mixing that the process thread does. See mix.h.
 *
 * Each chunk is summed channel by channel into a small planar buffer, then interleaved once into
 * the tape, with the fade on the way when there is one. A channel that is one port at unity gain is
 * interleaved from the port itself: most stems are such, and theirs is most of the work.
 */
#include "mix_parts.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static void set_product(float *restrict sum, const float *restrict in, float gain, uint32_t frames)
    STEM_RT
{
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

/* Puts the sum of one channel's terms into `sum`. */
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

/* Two channels, four frames at a time, past the caches: nobody reads the tape's end at once, and
 * storing into a cache would first fetch from memory what is to be overwritten. Returns how many
 * frames were done. */
static uint32_t interleave_fours(float *restrict out, const float *restrict left,
    const float *restrict right, uint32_t frames) STEM_RT
{
    uint32_t i = 0;
#if defined(__SSE2__)
    if ((uintptr_t)out % sizeof(__m128) != 0)
        return 0;
    for (; i + 4 <= frames; i += 4) {
        __m128 l = _mm_loadu_ps(left + i), r = _mm_loadu_ps(right + i);
        _mm_stream_ps(out + 2 * i, _mm_unpacklo_ps(l, r));
        _mm_stream_ps(out + 2 * i + 4, _mm_unpackhi_ps(l, r));
    }
#else
    (void)out, (void)left, (void)right, (void)frames;
#endif
    return i;
}

static void interleave_two(float *restrict out, const float *restrict left,
    const float *restrict right, uint32_t frames) STEM_RT
{
    for (uint32_t i = interleave_fours(out, left, right, frames); i < frames; i++) {
        out[2 * i] = left[i];
        out[2 * i + 1] = right[i];
    }
}

static void interleave(
    float *restrict out, const float *const *planar, uint32_t channels, uint32_t frames) STEM_RT
{
    if (channels == 1) {
        memcpy(out, planar[0], frames * sizeof *out);
        return;
    }
    if (channels == 2) {
        interleave_two(out, planar[0], planar[1], frames);
        return;
    }
    for (uint32_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < channels; c++)
            out[i * channels + c] = planar[c][i];
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

/* One channel's samples: the port's own when nothing has to be done to them, else their sum. */
static const float *channel_samples(struct stem_mix *mix, const struct mix_track *track, uint32_t c,
    const float *const *ports, uint32_t offset, uint32_t frames, bool fading) STEM_RT
{
    const struct mix_term *term = mix->term + track->first_term[c];
    uint32_t terms = track->first_term[c + 1] - track->first_term[c];
    if (terms == 1 && term->gain == 1.0f && !fading)
        return ports[term->port] + offset;
    sum_channel(mix->sum[c], term, terms, ports, offset, frames);
    return mix->sum[c];
}

static void mix_chunk(struct stem_mix *mix, struct mix_track *track, const float *const *ports,
    uint32_t offset, uint32_t frames, float *out) STEM_RT
{
    float target = atomic_load_explicit(&track->muted, memory_order_relaxed) ? 0.0f : 1.0f;
    if (target == 0.0f && track->level == 0.0f) {
        memset(out, 0, (size_t)frames * track->channels * sizeof *out);
        return;
    }
    bool fading = track->level != target;
    const float *planar[STEM_MIX_MAX_CHANNELS];
    for (uint32_t c = 0; c < track->channels; c++)
        planar[c] = channel_samples(mix, track, c, ports, offset, frames, fading);
    if (fading)
        fade(mix, track, target, frames);
    interleave(out, planar, track->channels, frames);
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

void stem_mix_settle_rt(void) STEM_RT
{
#if defined(__SSE2__)
    _mm_sfence();
#endif
}
