#include "take.h"

#include "facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more element in an array that doubles at powers of two; NULL without memory. */
static void *grow(void *array, size_t count, size_t bytes)
{
    if (count & (count - 1))
        return array;
    return realloc(array, (count ? 2 * count : 1) * bytes);
}

int stem_take_set_string(char **field, const char *value)
{
    char *copy = value ? strdup(value) : NULL;
    if (value && !copy)
        return -1;
    free(*field);
    *field = copy;
    return 0;
}

static void free_stem(struct stem_take_stem *stem)
{
    free(stem->name);
    free(stem->file);
}

static void free_stems(struct stem_take_stem *stems, size_t count)
{
    for (size_t s = 0; s < count; s++)
        free_stem(&stems[s]);
    free(stems);
}

void stem_take_finish(struct stem_take *take)
{
    free(take->failure);
    free(take->title);
    free(take->key);
    free(take->started);
    free(take->recorder);
    free(take->previous);
    free(take->id);
    free(take->continued_from);
    free(take->continued_in);
    free(take->mirror);
    free(take->started_by);
    free(take->finished);
    free(take->residual.hint);
    free_stem(&take->mix);
    free_stems(take->stems, take->stem_count);
    free_stems(take->extras, take->extra_count);
    for (size_t m = 0; m < take->marker_count; m++)
        free(take->markers[m].text);
    free(take->clocks);
    free(take->tempos);
    free(take->transports);
    free(take->gaps);
    free(take->xruns);
    free(take->markers);
    *take = (struct stem_take){0};
}

static int add_file(struct stem_take_stem **list, size_t *count, const char *name, const char *file,
    uint32_t channels)
{
    struct stem_take_stem *stems = grow(*list, *count, sizeof *stems);
    if (!stems)
        return -1;
    *list = stems;
    struct stem_take_stem stem = {.channels = channels};
    if (stem_take_set_string(&stem.name, name) || stem_take_set_string(&stem.file, file)) {
        free_stem(&stem);
        return -1;
    }
    stems[(*count)++] = stem;
    return 0;
}

int stem_take_add_stem(
    struct stem_take *take, const char *name, const char *file, uint32_t channels)
{
    return add_file(&take->stems, &take->stem_count, name, file, channels);
}

int stem_take_add_extra(
    struct stem_take *take, const char *name, const char *file, uint32_t channels)
{
    return add_file(&take->extras, &take->extra_count, name, file, channels);
}

int stem_take_add_gap(struct stem_take *take, uint64_t frame, uint64_t frames, uint32_t reasons)
{
    struct stem_take_gap *last = take->gap_count ? &take->gaps[take->gap_count - 1] : NULL;
    if (last && last->frame + last->frames == frame && last->reasons == reasons) {
        last->frames += frames;
        return 0;
    }
    struct stem_take_gap *gaps = grow(take->gaps, take->gap_count, sizeof *gaps);
    if (!gaps)
        return -1;
    take->gaps = gaps;
    gaps[take->gap_count++] = (struct stem_take_gap){frame, frames, reasons};
    return 0;
}

int stem_take_add_xrun(struct stem_take *take, uint64_t frame, double delay_us)
{
    struct stem_take_xrun *xruns = grow(take->xruns, take->xrun_count, sizeof *xruns);
    if (!xruns)
        return -1;
    take->xruns = xruns;
    xruns[take->xrun_count++] = (struct stem_take_xrun){frame, delay_us};
    return 0;
}

int stem_take_add_marker(struct stem_take *take, uint64_t frame, const char *text)
{
    struct stem_take_marker *markers = grow(take->markers, take->marker_count, sizeof *markers);
    if (!markers)
        return -1;
    take->markers = markers;
    struct stem_take_marker marker = {.frame = frame};
    if (stem_take_set_string(&marker.text, text))
        return -1;
    markers[take->marker_count++] = marker;
    return 0;
}

int stem_take_add_clock(struct stem_take *take, struct stem_take_clock clock)
{
    struct stem_take_clock *clocks = grow(take->clocks, take->clock_count, sizeof *clocks);
    if (!clocks)
        return -1;
    take->clocks = clocks;
    clocks[take->clock_count++] = clock;
    return 0;
}

int stem_take_add_tempo(struct stem_take *take, struct stem_take_tempo tempo)
{
    struct stem_take_tempo *tempos = grow(take->tempos, take->tempo_count, sizeof *tempos);
    if (!tempos)
        return -1;
    take->tempos = tempos;
    tempos[take->tempo_count++] = tempo;
    return 0;
}

int stem_take_add_transport(struct stem_take *take, struct stem_take_transport transport)
{
    struct stem_take_transport *transports =
        grow(take->transports, take->transport_count, sizeof *transports);
    if (!transports)
        return -1;
    take->transports = transports;
    transports[take->transport_count++] = transport;
    return 0;
}

struct stem_take_stem *stem_take_file(struct stem_take *take, size_t k)
{
    if (k < take->stem_count)
        return &take->stems[k];
    k -= take->stem_count;
    if (take->has_mix && k-- == 0)
        return &take->mix;
    return k < take->extra_count ? &take->extras[k] : NULL;
}

uint64_t stem_take_gap_frames(const struct stem_take *take)
{
    uint64_t frames = 0;
    for (size_t g = 0; g < take->gap_count; g++)
        frames += take->gaps[g].frames;
    return frames;
}

void stem_take_reason_words(uint32_t reasons, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned bit = 0; bit < STEM_TAKE_REASONS && used < size; bit++)
        if (reasons & 1u << bit)
            used += (size_t)snprintf(
                text + used, size - used, "%s%s", used ? "+" : "", STEM_TAKE_REASON[bit]);
}

const char *const STEM_TAKE_REASON[STEM_TAKE_REASONS] = {
    "skipped", "overflow", "server", "clock", "recovered"};

const char *const STEM_TAKE_PROGRESS[STEM_TAKE_PROGRESSES] = {
    "recording", "complete", "failed", "recovered"};
const char *const STEM_TAKE_ROLE[STEM_TAKE_ROLES] = {"stem", "return", "input"};
