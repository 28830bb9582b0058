/* The manifest as a JSON object. See take.h; the schema is described in README. */
#include "gain.h"
#include "take_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A string that may hold anything: what is not UTF-8 becomes U+FFFD, byte by byte. */
static json_t *text(const char *value)
{
    if (!value)
        return json_null();
    json_t *string = json_string(value);
    if (string)
        return string;
    size_t length = strlen(value), used = 0;
    char *valid = malloc(length * 3 + 1);
    if (!valid)
        return NULL;
    for (size_t i = 0; i < length;) {
        size_t run = 1;
        json_t *probe = NULL;
        for (run = 1; run <= 4 && i + run <= length; run++)
            if ((probe = json_stringn(value + i, run)))
                break;
        if (probe) {
            memcpy(valid + used, value + i, run);
            used += run;
            i += run;
        } else {
            memcpy(valid + used, "\xEF\xBF\xBD", 3);
            used += 3;
            i++;
        }
        json_decref(probe);
    }
    string = json_stringn(valid, used);
    free(valid);
    return string;
}

/* JSON has no infinity: silence is null. */
static json_t *decibels(double linear)
{
    double db = stem_gain_to_db(linear);
    return isfinite(db) ? json_real(round(db * 100) / 100) : json_null();
}

static json_t *level(double db)
{
    return isfinite(db) ? json_real(round(db * 100) / 100) : json_null();
}

/* Null for what is infinite: a residual with samples that are not numbers. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *levels_object(const struct stem_take_levels *levels)
{
    if (!levels->measured)
        return json_null();
    return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "silent", levels->silent,
        "true_peak_dbtp", level(levels->true_peak_dbtp), "integrated_lufs",
        level(levels->integrated_lufs), "short_term_lufs", level(levels->short_term_lufs),
        "momentary_lufs", level(levels->momentary_lufs), "range_lu", level(levels->range_lu),
        "rms_dbfs", level(levels->rms_dbfs), "dc_offset", number(levels->dc_offset));
}

static json_t *stem_object(const struct stem_take_stem *stem, size_t position)
{
    return json_pack("{s:I, s:o, s:o, s:s, s:i, s:i, s:I, s:I, s:o, s:o, s:b, s:o}", "number",
        (json_int_t)position, "name", text(stem->name), "file", text(stem->file), "role",
        STEM_TAKE_ROLE[stem->role], "channels", (int)stem->channels, "inputs", (int)stem->inputs,
        "frames", (json_int_t)stem->frames, "clips", (json_int_t)stem->clips, "peak",
        number(stem->peak), "peak_dbfs", decibels(stem->peak), "muted", stem->muted, "levels",
        levels_object(&stem->levels));
}

static json_t *stem_array(const struct stem_take_stem *stems, size_t count)
{
    json_t *array = json_array();
    for (size_t s = 0; s < count; s++)
        json_array_append_new(array, stem_object(&stems[s], s + 1));
    return array;
}

static json_t *residual_object(const struct stem_take_residual *residual)
{
    if (!residual->measured)
        return json_null();
    return json_pack("{s:b, s:o, s:o, s:f, s:o, s:f, s:I, s:f, s:o}", "passed", residual->passed,
        "peak", number(residual->peak), "peak_dbfs", decibels(residual->peak), "rms", residual->rms,
        "rms_dbfs", decibels(residual->rms), "bound", residual->bound, "worst_frame",
        (json_int_t)residual->worst_frame, "worst_rms", residual->worst_rms, "hint",
        text(residual->hint));
}

static json_t *clock_array(const struct stem_take *take)
{
    json_t *array = json_array();
    for (size_t c = 0; c < take->clock_count; c++)
        json_array_append_new(
            array, json_pack("{s:I, s:I}", "frame", (json_int_t)take->clocks[c].frame, "jack_frame",
                       (json_int_t)take->clocks[c].jack_frame));
    return array;
}

static json_t *tempo_array(const struct stem_take *take)
{
    json_t *array = json_array();
    for (size_t t = 0; t < take->tempo_count; t++) {
        const struct stem_take_tempo *tempo = &take->tempos[t];
        json_array_append_new(array,
            json_pack("{s:I, s:f, s:f, s:f, s:f, s:i, s:i, s:f}", "frame", (json_int_t)tempo->frame,
                "bpm", tempo->bpm, "beats_per_bar", tempo->beats_per_bar, "beat_type",
                tempo->beat_type, "ticks_per_beat", tempo->ticks_per_beat, "bar", (int)tempo->bar,
                "beat", (int)tempo->beat, "tick", tempo->tick));
    }
    return array;
}

static json_t *transport_array(const struct stem_take *take)
{
    json_t *array = json_array();
    for (size_t t = 0; t < take->transport_count; t++) {
        const struct stem_take_transport *transport = &take->transports[t];
        json_array_append_new(array,
            json_pack("{s:I, s:I, s:b}", "frame", (json_int_t)transport->frame, "transport_frame",
                (json_int_t)transport->transport_frame, "rolling", transport->rolling));
    }
    return array;
}

static json_t *gap_array(const struct stem_take *take)
{
    json_t *array = json_array();
    for (size_t g = 0; g < take->gap_count; g++) {
        const struct stem_take_gap *gap = &take->gaps[g];
        json_t *reasons = json_array();
        for (unsigned bit = 0; bit < STEM_TAKE_REASONS; bit++)
            if (gap->reasons & 1u << bit)
                json_array_append_new(reasons, json_string(STEM_TAKE_REASON[bit]));
        json_array_append_new(array, json_pack("{s:I, s:I, s:o}", "frame", (json_int_t)gap->frame,
                                         "frames", (json_int_t)gap->frames, "reasons", reasons));
    }
    return array;
}

static json_t *xrun_array(const struct stem_take *take)
{
    json_t *array = json_array();
    for (size_t x = 0; x < take->xrun_count; x++)
        json_array_append_new(
            array, json_pack("{s:I, s:f}", "frame", (json_int_t)take->xruns[x].frame, "delay_us",
                       take->xruns[x].delay_us));
    return array;
}

static json_t *marker_array(const struct stem_take *take)
{
    json_t *array = json_array();
    for (size_t m = 0; m < take->marker_count; m++)
        json_array_append_new(
            array, json_pack("{s:I, s:o}", "frame", (json_int_t)take->markers[m].frame, "text",
                       text(take->markers[m].text)));
    return array;
}

/* Adds what describes the take as a whole. */
static int add_facts(json_t *object, const struct stem_take *take)
{
    double seconds = take->rate_hz ? (double)take->frames / take->rate_hz : 0;
    json_t *facts = json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:i, "
                              "s:I, s:o, s:o, s:o, s:o, "
                              "s:i, s:I, s:I, s:I, s:f, s:{s:s, s:s}}",
        "version", STEM_TAKE_VERSION, "kind", "stemd-take", "progress",
        STEM_TAKE_PROGRESS[take->progress], "failure", text(take->failure), "title",
        text(take->title ? take->title : ""), "key", text(take->key ? take->key : ""), "tempo_bpm",
        take->tempo_bpm, "started", text(take->started), "started_by", text(take->started_by),
        "recorder", text(take->recorder), "previous", text(take->previous), "id", text(take->id),
        "part", (int)(take->part ? take->part : 1), "part_frame", (json_int_t)take->part_frame,
        "continued_from", text(take->continued_from), "continued_in", text(take->continued_in),
        "mirror", text(take->mirror), "finished", text(take->finished), "rate_hz",
        (int)take->rate_hz, "start_frame", (json_int_t)take->start_frame, "time_reference",
        (json_int_t)take->time_reference, "frames", (json_int_t)take->frames, "seconds", seconds,
        "format", "container", stem_container_name(take->container), "encoding",
        stem_encoding_name(take->encoding));
    int status = json_object_update(object, facts);
    json_decref(facts);
    return status;
}

/* Adds files and everything that happened at a frame. */
static int add_lists(json_t *object, const struct stem_take *take)
{
    json_t *lists = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "stems",
        stem_array(take->stems, take->stem_count), "mix",
        take->has_mix ? stem_object(&take->mix, 0) : json_null(), "extras",
        stem_array(take->extras, take->extra_count), "residual", residual_object(&take->residual),
        "gaps", gap_array(take), "xruns", xrun_array(take), "markers", marker_array(take), "clocks",
        clock_array(take), "tempo_map", tempo_array(take), "transport", transport_array(take));
    int status = json_object_update(object, lists);
    json_decref(lists);
    return status;
}

json_t *stem_take_to_json(const struct stem_take *take)
{
    json_t *object = json_object();
    if (object && add_facts(object, take) == 0 && add_lists(object, take) == 0)
        return object;
    json_decref(object);
    return NULL;
}
