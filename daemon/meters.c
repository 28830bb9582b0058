#include "meters.h"

#include <math.h>

/* The producer may overwrite these samples meanwhile; the caller finds out afterwards and throws
 * the result away. That is a data race on purpose. */
__attribute__((no_sanitize("thread"))) static float peak_of(
    const float *samples, uint64_t count, float peak)
{
    for (uint64_t i = 0; i < count; i++)
        peak = fmaxf(peak, fabsf(samples[i]));
    return peak;
}

float stem_meters_peak(const struct stem_tape *tape, uint32_t track, uint64_t frames)
{
    uint64_t written = stem_tape_written(tape);
    uint64_t from = written > frames ? written - frames : 0;
    uint64_t whole = stem_tape_contiguous_from(tape), oldest = stem_tape_oldest(tape);
    from = from > whole ? from : whole;
    from = from > oldest ? from : oldest;
    if (from >= written)
        return 0;
    uint32_t channels = stem_tape_channels(tape, track);
    struct stem_tape_span span = stem_tape_span_rt(tape, track, from, (uint32_t)(written - from));
    float peak = 0;
    for (int part = 0; part < 2; part++)
        peak = peak_of(span.samples[part], (uint64_t)span.frames[part] * channels, peak);
    return stem_tape_intact(tape, from) ? peak : 0;
}
