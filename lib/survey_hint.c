/* Words for a null test that failed. What is looked for, from the simplest to the worst: few frames
 * that are wrong; one gain and one delay for the whole sum; a stem that is missing or has another
 * gain; a stem that is shifted; and at last a mix bus that is not linear, which no gain and no
 * delay can make null. Looks at the passages with the largest residual. */
#include "align.h"
#include "gain.h"
#include "survey_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAG = 4096, MOST_STEM_LAG = 256 };

/* Energy that may be left of the mix when it is called explained: -80 dB. */
#define EXPLAINED 1e-8
/* Wrong frames in a take, at most, that are called a few: one in a thousand. */
#define FEW 0.001
/* Nearer to 0 dB than this a gain is unity. */
#define UNITY_DB 0.005

static char *words(const char *format, ...) STEM_PRINTF(1, 2);

static char *words(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return text;
}

/* The channel in which two passages differ most; without `b`, the loudest one of `a`. */
static size_t worst_channel(const float *a, const float *b, size_t frames, size_t channels)
{
    size_t worst = 0;
    double most = -1;
    for (size_t c = 0; c < channels; c++) {
        double energy = 0;
        for (size_t i = c; i < frames * channels; i += channels) {
            double difference = (double)a[i] - (b ? (double)b[i] : 0);
            energy += difference * difference;
        }
        if (energy > most) {
            most = energy;
            worst = c;
        }
    }
    return worst;
}

/* The stems' sum in a window, as wide as the mix. */
static void sum_stems(
    const struct survey_null *null, const struct survey_window *window, float *sum)
{
    const struct stem_take_reader *reader = null->reader;
    const size_t stems = reader->take->stem_count, wide = reader->sources[stems].info.channels;
    for (size_t i = 0; i < window->frames; i++)
        for (size_t c = 0; c < wide; c++) {
            double value = 0;
            for (size_t k = 0; k < stems; k++)
                value += (double)(reader->sources[k].info.channels == 1
                                      ? window->sources[k][i]
                                      : window->sources[k][i * wide + c]);
            sum[i * wide + c] = (float)value;
        }
}

/* Lags that a short passage leaves room for. */
static size_t lags_of(const struct survey_null *null, size_t most)
{
    size_t longest = 0;
    for (size_t w = 0; w < SURVEY_WINDOWS; w++)
        if (null->windows[w].frames > longest)
            longest = null->windows[w].frames;
    return longest / 4 < most ? longest / 4 : most;
}

/* Gain and delay of the whole sum. */
static bool align_sum(const struct survey_null *null, struct stem_align_result *result)
{
    const struct stem_take_reader *reader = null->reader;
    const size_t wide = reader->sources[reader->take->stem_count].info.channels;
    struct stem_align *align = stem_align_create(lags_of(null, MOST_LAG));
    float *sum = calloc(SURVEY_WINDOW_FRAMES * wide, sizeof *sum);
    bool found = false;
    if (align && sum) {
        for (size_t w = 0; w < SURVEY_WINDOWS; w++) {
            const struct survey_window *window = &null->windows[w];
            if (window->frames == 0)
                continue;
            sum_stems(null, window, sum);
            size_t c = worst_channel(window->mix, sum, window->frames, wide);
            stem_align_add(align, window->mix + c, sum + c, wide, window->frames);
        }
        found = stem_align_best(align, result);
    }
    free(sum);
    stem_align_destroy(align);
    return found;
}

/* "the mix is the sum of the stems, 0.50 dB quieter and 64 frames (1.3 ms) later" */
static char *tell_alignment(const struct survey_null *null, const struct stem_align_result *best)
{
    const double db = stem_gain_to_db(best->gain);
    char gain[64] = "", delay[96] = "";
    if (fabs(db) >= UNITY_DB)
        snprintf(gain, sizeof gain, "%.2f dB %s", fabs(db), db < 0 ? "quieter" : "louder");
    if (best->lag)
        snprintf(delay, sizeof delay, "%ld frame%s (%.2f ms) %s", labs(best->lag),
            labs(best->lag) == 1 ? "" : "s",
            1000.0 * (double)labs(best->lag) / null->reader->take->rate_hz,
            best->lag > 0 ? "later" : "earlier");
    const char *inverted = best->gain < 0 ? "inverted" : "";
    return words("the mix is the sum of the stems, %s%s%s%s%s", inverted,
        *inverted && (*gain || *delay) ? ", " : "", gain, *gain && *delay ? " and " : "", delay);
}

/* One stem, on the passage with the largest residual: is mix minus all others the same stem at
 * another place? */
static bool align_stem(const struct survey_null *null, const struct survey_window *window,
    const float *residual, size_t k, struct stem_align_result *result)
{
    const struct stem_take_reader *reader = null->reader;
    const size_t wide = reader->sources[reader->take->stem_count].info.channels;
    const size_t own = reader->sources[k].info.channels;
    const float *stem = window->sources[k];
    const size_t channel = worst_channel(stem, NULL, window->frames, own);
    struct stem_align *align = stem_align_create(lags_of(null, MOST_STEM_LAG));
    float *there = calloc(window->frames, sizeof *there);
    float *here = calloc(window->frames, sizeof *here);
    bool found = false;
    for (size_t i = 0; there && here && i < window->frames; i++) {
        here[i] = stem[i * own + channel];
        there[i] = residual[i * wide + channel] + here[i];
    }
    if (align && there && here) {
        stem_align_add(align, there, here, 1, window->frames);
        found = stem_align_best(align, result);
    }
    free(there);
    free(here);
    stem_align_destroy(align);
    return found;
}

static const struct survey_window *worst_window(const struct survey_null *null)
{
    const struct survey_window *worst = &null->windows[0];
    for (size_t w = 1; w < SURVEY_WINDOWS; w++)
        if (null->windows[w].energy > worst->energy)
            worst = &null->windows[w];
    return worst->frames ? worst : NULL;
}

static char *tell_shifted_stem(const struct survey_null *null)
{
    const struct stem_take_reader *reader = null->reader;
    const size_t wide = reader->sources[reader->take->stem_count].info.channels;
    const struct survey_window *window = worst_window(null);
    float *residual = window ? calloc(window->frames * wide, sizeof *residual) : NULL;
    char *text = NULL;
    if (!residual)
        return NULL;
    sum_stems(null, window, residual);
    for (size_t s = 0; s < window->frames * wide; s++)
        residual[s] = window->mix[s] - residual[s];
    for (size_t k = 0; k < reader->take->stem_count && !text; k++) {
        struct stem_align_result best;
        if (align_stem(null, window, residual, k, &best) && best.lag &&
            best.remaining <= EXPLAINED * best.energy)
            text = words("stem \"%s\" stands %ld frame%s too %s: it is shifted against the mix",
                reader->sources[k].stem->name, labs(best.lag), labs(best.lag) == 1 ? "" : "s",
                best.lag > 0 ? "early" : "late");
    }
    free(residual);
    return text;
}

static char *tell_few_frames(const struct survey_null *null)
{
    const double rate = null->reader->take->rate_hz;
    const double first = (double)null->first_wrong / rate, last = (double)null->last_wrong / rate;
    if (null->wrong_frames == 1)
        return words(
            "the stems add up to the mix but for one frame at %.3f s, which must be damaged",
            first);
    return words("the stems add up to the mix but for %llu frames between %.3f s and %.3f s: a "
                 "damaged or edited passage, or a limiter on the mix that worked there only",
        (unsigned long long)null->wrong_frames, first, last);
}

/* What remains is told for the passages that were looked at, on their worst channel. */
static char *tell_not_linear(const struct survey_null *null, const struct stem_align_result *best)
{
    size_t frames = 0, lags = lags_of(null, MOST_LAG);
    for (size_t w = 0; w < SURVEY_WINDOWS; w++)
        if (null->windows[w].frames > 2 * lags)
            frames += null->windows[w].frames - 2 * lags;
    double rms = frames ? sqrt(best->remaining / (double)frames) : 0;
    return words(
        "the mix bus is not linear (a limiter or compressor?), or something that is not in "
        "the stems is in the mix: even the best gain of %.2f dB%s and delay of %ld frames "
        "leave %.1f dBFS RMS where the residual is loudest",
        stem_gain_to_db(best->gain), best->gain < 0 ? " (inverted)" : "", best->lag,
        stem_gain_to_db(rms));
}

char *survey_hint(const struct survey_null *null, const struct stem_null_result *result)
{
    const struct stem_take *take = null->reader->take;
    struct stem_align_result best = {0};
    char blame[512], *text;
    if (!isfinite(result->peak))
        return words("there are samples that are infinite or not numbers, the first at %.3f s",
            (double)null->first_wrong / take->rate_hz);
    bool aligned = align_sum(null, &best);
    bool trivial = best.lag == 0 && fabs(stem_gain_to_db(best.gain)) < UNITY_DB && best.gain > 0;
    if (aligned && !trivial && best.remaining <= EXPLAINED * best.energy)
        return tell_alignment(null, &best);
    if (stem_null_test_blame(result, take->stems[result->likely_stem].name, blame, sizeof blame))
        return strdup(blame);
    if ((double)null->wrong_frames < FEW * (double)result->frames || null->wrong_frames == 1)
        return tell_few_frames(null);
    text = tell_shifted_stem(null);
    if (text)
        return text;
    if (!aligned)
        return words("the stems are silent where the mix is not: something that is not in the "
                     "stems is in the mix");
    return tell_not_linear(null, &best);
}
