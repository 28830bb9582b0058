#include "meters.h"

#include "sample.h"

#include <math.h>

/* The producer may overwrite samples while they are looked at; the caller finds out afterwards and
 * throws the result away. That is a data race on purpose. */
#define LOOKS_AT_THE_TAPE __attribute__((no_sanitize("thread")))

/* Summed at a time. */
enum { CHUNK_FRAMES = 512 };

/* The newest frames that can be looked at: begin and end. */
static bool newest(const struct stem_tape *tape, uint64_t frames, uint64_t *from, uint64_t *end)
{
    *end = stem_tape_written(tape);
    *from = *end > frames ? *end - frames : 0;
    uint64_t whole = stem_tape_contiguous_from(tape), oldest = stem_tape_oldest(tape);
    *from = *from > whole ? *from : whole;
    *from = *from > oldest ? *from : oldest;
    return *from < *end;
}

float stem_meters_peak(const struct stem_tape *tape, uint32_t track, uint64_t frames)
{
    uint64_t from, end;
    if (!newest(tape, frames, &from, &end))
        return 0;
    uint32_t channels = stem_tape_channels(tape, track);
    struct stem_tape_span span = stem_tape_span_rt(tape, track, from, (uint32_t)(end - from));
    float peak = 0;
    for (int part = 0; part < 2; part++)
        peak = stem_sample_peak(span.samples[part], (size_t)span.frames[part] * channels, peak);
    return stem_tape_intact(tape, from) ? peak : 0;
}

/* Adds `gain` times a run of a track to the sum; a mono track counts to every channel. */
LOOKS_AT_THE_TAPE static void add_run(double *sum, const float *samples, uint32_t frames,
    uint32_t channels, uint32_t track_channels, double gain)
{
    for (uint32_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < channels; c++)
            sum[i * channels + c] +=
                gain * samples[i * track_channels + (track_channels == 1 ? 0 : c)];
}

static void add_track(double *sum, const struct stem_tape *tape, uint32_t track, uint64_t from,
    uint32_t frames, uint32_t channels, double gain)
{
    struct stem_tape_span span = stem_tape_span_rt(tape, track, from, frames);
    uint32_t width = stem_tape_channels(tape, track);
    add_run(sum, span.samples[0], span.frames[0], channels, width, gain);
    add_run(sum + (size_t)span.frames[0] * channels, span.samples[1], span.frames[1], channels,
        width, gain);
}

static bool widths_fit(const struct stem_layout *layout)
{
    uint32_t mix = layout->track_count - 1;
    for (uint32_t t = 0; t < mix; t++)
        if (layout->tracks[t].in_sum && layout->channels[t] != 1 &&
            layout->channels[t] != layout->channels[mix])
            return false;
    return true;
}

bool stem_meters_residual(const struct stem_tape *tape, const struct stem_layout *layout,
    uint64_t frames, struct stem_meters_residual *residual)
{
    double sum[CHUNK_FRAMES * STEM_MIX_MAX_CHANNELS], energy = 0;
    uint64_t from, end;
    if (!layout->has_mix || !widths_fit(layout) || !newest(tape, frames, &from, &end))
        return false;
    uint32_t mix = layout->track_count - 1, channels = layout->channels[mix];
    *residual = (struct stem_meters_residual){.mix_peak = stem_meters_peak(tape, mix, end - from)};
    for (uint64_t at = from; at < end; at += CHUNK_FRAMES) {
        uint32_t part = end - at < CHUNK_FRAMES ? (uint32_t)(end - at) : CHUNK_FRAMES;
        for (uint32_t k = 0; k < part * channels; k++)
            sum[k] = 0;
        for (uint32_t t = 0; t < layout->track_count; t++)
            if (t == mix || layout->tracks[t].in_sum)
                add_track(sum, tape, t, at, part, channels, t == mix ? 1 : -1);
        for (uint32_t k = 0; k < part * channels; k++) {
            residual->peak = fmax(residual->peak, fabs(sum[k]));
            energy += sum[k] * sum[k];
        }
    }
    residual->rms = sqrt(energy / ((double)(end - from) * channels));
    return stem_tape_intact(tape, from);
}
