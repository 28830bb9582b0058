/* Reading a manifest. See take.h. The file is not trusted: every value is checked, and the first
 * that is wrong is named with its place. */
#include "take.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_BYTES = 64 << 20, MOST_STEMS = 4096, MOST_CHANNELS = 1024, MOST_RATE = 1000000 };
#define MOST_FRAMES ((json_int_t)1 << 62)

/* Where we are, for messages; `place` is the path of the object that is being read. */
struct reader {
    const char *file;
    char place[64];
    struct stem_error *error;
    json_t *files; /* names that were read: each stem has a file of its own */
};

static int wrong(const struct reader *reader, const char *key, const char *expected)
{
    return stem_error_set(reader->error, "%s: %s%s%s: expected %s", reader->file, reader->place,
        reader->place[0] ? "." : "", key, expected);
}

static int read_whole(const struct reader *reader, const json_t *object, const char *key,
    json_int_t most, uint64_t *value)
{
    const json_t *found = json_object_get(object, key);
    char expected[96];
    snprintf(expected, sizeof expected, "a whole number from 0 to %lld", (long long)most);
    if (!json_is_integer(found) || json_integer_value(found) < 0 ||
        json_integer_value(found) > most)
        return wrong(reader, key, expected);
    *value = (uint64_t)json_integer_value(found);
    return 0;
}

static int read_small(const struct reader *reader, const json_t *object, const char *key,
    uint32_t most, uint32_t *value)
{
    uint64_t number;
    if (read_whole(reader, object, key, most, &number))
        return -1;
    *value = (uint32_t)number;
    return 0;
}

static int read_number(
    const struct reader *reader, const json_t *object, const char *key, double *value)
{
    const json_t *found = json_object_get(object, key);
    if (!json_is_number(found))
        return wrong(reader, key, "a number");
    *value = json_number_value(found);
    return 0;
}

static int read_text(const struct reader *reader, const json_t *object, const char *key,
    bool may_be_null, char **value)
{
    const json_t *found = json_object_get(object, key);
    if (may_be_null && (!found || json_is_null(found)))
        return 0;
    if (!json_is_string(found))
        return wrong(reader, key, "a string");
    if (stem_take_set_string(value, json_string_value(found)))
        return stem_error_set(reader->error, "%s: no memory", reader->file);
    return 0;
}

/* A plain name inside the folder: nothing may lead out of it. */
static bool is_plain_name(const char *name)
{
    if (!name[0] || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        strlen(name) > NAME_MAX)
        return false;
    for (; *name; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7F)
            return false;
    return true;
}

/* Files of an earlier version have no role: they are stems. */
static void read_role(const json_t *object, enum stem_take_role *role)
{
    const char *word = json_string_value(json_object_get(object, "role"));
    for (int k = 0; word && k < STEM_TAKE_ROLES; k++)
        if (strcmp(word, STEM_TAKE_ROLE[k]) == 0)
            *role = (enum stem_take_role)k;
}

/* A level in dB; null is silence. */
static int read_level(
    const struct reader *reader, const json_t *object, const char *key, double *db)
{
    if (json_is_null(json_object_get(object, key))) {
        *db = -HUGE_VAL;
        return 0;
    }
    return read_number(reader, object, key, db);
}

/* A linear value; null is one that no number can tell, such as the peak of infinite samples. */
static int read_magnitude(
    const struct reader *reader, const json_t *object, const char *key, double *value)
{
    if (json_is_null(json_object_get(object, key))) {
        *value = HUGE_VAL;
        return 0;
    }
    return read_number(reader, object, key, value);
}

static int read_levels(
    const struct reader *reader, const json_t *object, struct stem_take_levels *levels)
{
    if (!object || json_is_null(object))
        return 0;
    levels->measured = true;
    levels->silent = json_is_true(json_object_get(object, "silent"));
    return read_level(reader, object, "true_peak_dbtp", &levels->true_peak_dbtp) ||
                   read_level(reader, object, "integrated_lufs", &levels->integrated_lufs) ||
                   read_level(reader, object, "short_term_lufs", &levels->short_term_lufs) ||
                   read_level(reader, object, "momentary_lufs", &levels->momentary_lufs) ||
                   read_level(reader, object, "range_lu", &levels->range_lu) ||
                   read_level(reader, object, "rms_dbfs", &levels->rms_dbfs) ||
                   read_magnitude(reader, object, "dc_offset", &levels->dc_offset)
               ? -1
               : 0;
}

static int read_stem(struct reader *reader, const json_t *object, struct stem_take_stem *stem)
{
    if (!json_is_object(object))
        return wrong(reader, "", "an object");
    if (read_text(reader, object, "name", false, &stem->name) ||
        read_text(reader, object, "file", false, &stem->file) ||
        read_small(reader, object, "channels", MOST_CHANNELS, &stem->channels) ||
        read_whole(reader, object, "frames", MOST_FRAMES, &stem->frames) ||
        read_whole(reader, object, "clips", MOST_FRAMES, &stem->clips) ||
        read_magnitude(reader, object, "peak", &stem->peak))
        return -1;
    if (stem->channels == 0)
        return wrong(reader, "channels", "at least 1");
    if (!is_plain_name(stem->file))
        return wrong(reader, "file", "the plain name of a file in the folder");
    if (json_object_get(reader->files, stem->file))
        return wrong(reader, "file", "a file of its own");
    if (json_object_set_new(reader->files, stem->file, json_true()))
        return stem_error_set(reader->error, "%s: no memory", reader->file);
    if (json_object_get(object, "inputs") &&
        read_small(reader, object, "inputs", 1 << 20, &stem->inputs))
        return -1;
    stem->muted = json_is_true(json_object_get(object, "muted"));
    read_role(object, &stem->role);
    return read_levels(reader, json_object_get(object, "levels"), &stem->levels);
}

/* Calls `read_one` for each element of an array, with the place set. */
typedef int read_element(struct reader *reader, const json_t *element, struct stem_take *take);

static int read_array(struct reader *reader, const json_t *object, const char *key, size_t most,
    read_element *read_one, struct stem_take *take)
{
    const json_t *array = json_object_get(object, key);
    if (!json_is_array(array) || json_array_size(array) > most)
        return wrong(reader, key, "a list (not too long)");
    for (size_t k = 0; k < json_array_size(array); k++) {
        snprintf(reader->place, sizeof reader->place, "%s[%zu]", key, k);
        if (read_one(reader, json_array_get(array, k), take))
            return -1;
    }
    reader->place[0] = '\0';
    return 0;
}

/* The same for a list that a manifest of an earlier version may lack. */
static int read_new_array(struct reader *reader, const json_t *object, const char *key,
    read_element *read_one, struct stem_take *take)
{
    if (!json_object_get(object, key))
        return 0;
    return read_array(reader, object, key, SIZE_MAX, read_one, take);
}

static int read_one_stem(struct reader *reader, const json_t *element, struct stem_take *take)
{
    if (stem_take_add_stem(take, "", "", 1))
        return stem_error_set(reader->error, "%s: no memory", reader->file);
    return read_stem(reader, element, &take->stems[take->stem_count - 1]);
}

static int read_one_extra(struct reader *reader, const json_t *element, struct stem_take *take)
{
    if (stem_take_add_extra(take, "", "", 1))
        return stem_error_set(reader->error, "%s: no memory", reader->file);
    return read_stem(reader, element, &take->extras[take->extra_count - 1]);
}

static int read_one_gap(struct reader *reader, const json_t *element, struct stem_take *take)
{
    struct stem_take_gap gap = {0};
    const json_t *reasons = json_object_get(element, "reasons");
    if (read_whole(reader, element, "frame", MOST_FRAMES, &gap.frame) ||
        read_whole(reader, element, "frames", MOST_FRAMES, &gap.frames))
        return -1;
    for (size_t k = 0; k < json_array_size(reasons); k++) {
        const char *word = json_string_value(json_array_get(reasons, k));
        for (unsigned bit = 0; word && bit < STEM_TAKE_REASONS; bit++)
            if (strcmp(word, STEM_TAKE_REASON[bit]) == 0)
                gap.reasons |= 1u << bit;
    }
    const struct stem_take_gap *last = take->gap_count ? &take->gaps[take->gap_count - 1] : NULL;
    if (last && gap.frame < last->frame + last->frames)
        return wrong(reader, "frame", "gaps in ascending order");
    if (stem_take_add_gap(take, gap.frame, gap.frames, gap.reasons))
        return stem_error_set(reader->error, "%s: no memory", reader->file);
    return 0;
}

static int read_one_xrun(struct reader *reader, const json_t *element, struct stem_take *take)
{
    uint64_t frame;
    double delay_us = 0;
    if (read_whole(reader, element, "frame", MOST_FRAMES, &frame) ||
        read_number(reader, element, "delay_us", &delay_us))
        return -1;
    return stem_take_add_xrun(take, frame, delay_us);
}

static int read_one_marker(struct reader *reader, const json_t *element, struct stem_take *take)
{
    uint64_t frame;
    char *text = NULL;
    if (read_whole(reader, element, "frame", MOST_FRAMES, &frame) ||
        read_text(reader, element, "text", false, &text))
        return -1;
    int status = stem_take_add_marker(take, frame, text);
    free(text);
    return status;
}

static int read_one_clock(struct reader *reader, const json_t *element, struct stem_take *take)
{
    struct stem_take_clock clock;
    if (read_whole(reader, element, "frame", MOST_FRAMES, &clock.frame) ||
        read_small(reader, element, "jack_frame", UINT32_MAX, &clock.jack_frame))
        return -1;
    return stem_take_add_clock(take, clock);
}

static int read_one_tempo(struct reader *reader, const json_t *element, struct stem_take *take)
{
    struct stem_take_tempo tempo;
    uint32_t bar, beat;
    if (read_whole(reader, element, "frame", MOST_FRAMES, &tempo.frame) ||
        read_number(reader, element, "bpm", &tempo.bpm) ||
        read_number(reader, element, "beats_per_bar", &tempo.beats_per_bar) ||
        read_number(reader, element, "beat_type", &tempo.beat_type) ||
        read_number(reader, element, "ticks_per_beat", &tempo.ticks_per_beat) ||
        read_small(reader, element, "bar", INT32_MAX, &bar) ||
        read_small(reader, element, "beat", INT32_MAX, &beat) ||
        read_number(reader, element, "tick", &tempo.tick))
        return -1;
    tempo.bar = (int32_t)bar;
    tempo.beat = (int32_t)beat;
    return stem_take_add_tempo(take, tempo);
}

static int read_one_transport(struct reader *reader, const json_t *element, struct stem_take *take)
{
    struct stem_take_transport transport;
    if (read_whole(reader, element, "frame", MOST_FRAMES, &transport.frame) ||
        read_whole(reader, element, "transport_frame", MOST_FRAMES, &transport.transport_frame))
        return -1;
    transport.rolling = json_is_true(json_object_get(element, "rolling"));
    return stem_take_add_transport(take, transport);
}

static int read_residual(struct reader *reader, const json_t *root, struct stem_take *take)
{
    const json_t *object = json_object_get(root, "residual");
    struct stem_take_residual *residual = &take->residual;
    if (!object || json_is_null(object))
        return 0;
    residual->measured = true;
    residual->passed = json_is_true(json_object_get(object, "passed"));
    snprintf(reader->place, sizeof reader->place, "residual");
    if (read_magnitude(reader, object, "peak", &residual->peak) ||
        read_number(reader, object, "rms", &residual->rms) ||
        read_number(reader, object, "bound", &residual->bound) ||
        read_whole(reader, object, "worst_frame", MOST_FRAMES, &residual->worst_frame) ||
        read_number(reader, object, "worst_rms", &residual->worst_rms) ||
        read_text(reader, object, "hint", true, &residual->hint))
        return -1;
    reader->place[0] = '\0';
    return 0;
}

static int read_progress(struct reader *reader, const json_t *root, struct stem_take *take)
{
    const char *word = json_string_value(json_object_get(root, "progress"));
    for (int k = 0; word && k < STEM_TAKE_PROGRESSES; k++)
        if (strcmp(word, STEM_TAKE_PROGRESS[k]) == 0) {
            take->progress = (enum stem_take_progress)k;
            return 0;
        }
    return wrong(reader, "progress", "\"recording\", \"complete\", \"failed\" or \"recovered\"");
}

static int read_format(struct reader *reader, const json_t *root, struct stem_take *take)
{
    const json_t *format = json_object_get(root, "format");
    const char *container = json_string_value(json_object_get(format, "container"));
    const char *encoding = json_string_value(json_object_get(format, "encoding"));
    if (!container || !stem_container_parse(container, &take->container))
        return wrong(reader, "format.container", stem_container_names());
    if (!encoding || !stem_encoding_parse(encoding, &take->encoding))
        return wrong(reader, "format.encoding", stem_encoding_names());
    return 0;
}

static int read_version(struct reader *reader, const json_t *root)
{
    const char *kind = json_string_value(json_object_get(root, "kind"));
    uint64_t version;
    if (!kind || strcmp(kind, "stemd-take") != 0)
        return wrong(reader, "kind", "\"stemd-take\"");
    if (read_whole(reader, root, "version", 1000000, &version))
        return -1;
    if (version > STEM_TAKE_VERSION)
        return stem_error_set(reader->error,
            "%s: it was written by a newer stemd (version %d of the manifest, this one knows %d)",
            reader->file, (int)version, STEM_TAKE_VERSION);
    return 0;
}

static int read_mix(struct reader *reader, const json_t *root, struct stem_take *take)
{
    const json_t *mix = json_object_get(root, "mix");
    if (!mix || json_is_null(mix))
        return 0;
    take->has_mix = true;
    snprintf(reader->place, sizeof reader->place, "mix");
    if (read_stem(reader, mix, &take->mix))
        return -1;
    reader->place[0] = '\0';
    return 0;
}

/* Which take this is a part, a copy or a continuation of. Version 1 had no such things at first. */
static int read_kinship(struct reader *reader, const json_t *root, struct stem_take *take)
{
    take->part = 1;
    take->time_reference = take->start_frame;
    if (read_text(reader, root, "id", true, &take->id) ||
        read_text(reader, root, "continued_from", true, &take->continued_from) ||
        read_text(reader, root, "continued_in", true, &take->continued_in) ||
        read_text(reader, root, "mirror", true, &take->mirror) ||
        read_text(reader, root, "started_by", true, &take->started_by) ||
        read_text(reader, root, "finished", true, &take->finished) ||
        (json_object_get(root, "part") && read_small(reader, root, "part", 1000000, &take->part)) ||
        (json_object_get(root, "part_frame") &&
            read_whole(reader, root, "part_frame", MOST_FRAMES, &take->part_frame)) ||
        (json_object_get(root, "time_reference") &&
            read_whole(reader, root, "time_reference", MOST_FRAMES, &take->time_reference)))
        return -1;
    return 0;
}

static int read_take(struct reader *reader, const json_t *root, struct stem_take *take)
{
    if (read_version(reader, root) || read_progress(reader, root, take) ||
        read_text(reader, root, "failure", true, &take->failure) ||
        read_text(reader, root, "title", false, &take->title) ||
        read_text(reader, root, "key", false, &take->key) ||
        read_number(reader, root, "tempo_bpm", &take->tempo_bpm) ||
        read_text(reader, root, "started", true, &take->started) ||
        read_text(reader, root, "recorder", true, &take->recorder) ||
        read_text(reader, root, "previous", true, &take->previous) ||
        read_small(reader, root, "rate_hz", MOST_RATE, &take->rate_hz) ||
        read_whole(reader, root, "start_frame", MOST_FRAMES, &take->start_frame) ||
        read_whole(reader, root, "frames", MOST_FRAMES, &take->frames) ||
        read_kinship(reader, root, take) || read_format(reader, root, take) ||
        read_mix(reader, root, take) || read_residual(reader, root, take))
        return -1;
    if (take->rate_hz == 0)
        return wrong(reader, "rate_hz", "at least 1");
    return read_array(reader, root, "stems", MOST_STEMS, read_one_stem, take) ||
                   read_array(reader, root, "gaps", SIZE_MAX, read_one_gap, take) ||
                   read_array(reader, root, "xruns", SIZE_MAX, read_one_xrun, take) ||
                   read_array(reader, root, "markers", SIZE_MAX, read_one_marker, take) ||
                   read_new_array(reader, root, "extras", read_one_extra, take) ||
                   read_new_array(reader, root, "clocks", read_one_clock, take) ||
                   read_new_array(reader, root, "tempo_map", read_one_tempo, take) ||
                   read_new_array(reader, root, "transport", read_one_transport, take)
               ? -1
               : 0;
}

static json_t *parse(const char *path, struct stem_error *error)
{
    struct stat file;
    json_error_t problem;
    if (stat(path, &file) != 0) {
        stem_error_set_errno(error, errno, "cannot read \"%s\"", path);
        return NULL;
    }
    if (!S_ISREG(file.st_mode) || file.st_size > MOST_BYTES) {
        stem_error_set(error, "\"%s\" is not a file of a sensible size", path);
        return NULL;
    }
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
    if (!root)
        stem_error_set(error, "%s:%d:%d: %s", path, problem.line, problem.column, problem.text);
    return root;
}

int stem_take_load_file(struct stem_take *take, const char *path, struct stem_error *error)
{
    json_t *root = parse(path, error);
    if (!root)
        return -1;
    struct reader reader = {.file = path, .error = error, .files = json_object()};
    int status =
        json_is_object(root) ? read_take(&reader, root, take) : wrong(&reader, "", "an object");
    json_decref(reader.files);
    json_decref(root);
    if (status)
        stem_take_finish(take);
    return status ? -1 : 0;
}

int stem_take_load(struct stem_take *take, const char *folder, struct stem_error *error)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", folder, STEM_TAKE_MANIFEST);
    return stem_take_load_file(take, path, error);
}

int stem_take_load_ended(struct stem_take *take, const char *folder, struct stem_error *error)
{
    if (stem_take_load(take, folder, error))
        return -1;
    if (take->progress != STEM_TAKE_RECORDING)
        return 0;
    stem_take_finish(take);
    return stem_error_set(error,
        "\"%s\": the take is being recorded, or its recorder was killed and it must be recovered "
        "first",
        folder);
}
