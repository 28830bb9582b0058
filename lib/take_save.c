/* Writing a manifest. See take.h; the schema is described in README. */
#include "gain.h"
#include "take.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static json_t *stem_object(const struct stem_take_stem *stem, size_t number)
{
    return json_pack("{s:I, s:o, s:o, s:i, s:i, s:I, s:I, s:f, s:o, s:b}", "number",
        (json_int_t)number, "name", text(stem->name), "file", text(stem->file), "channels",
        (int)stem->channels, "inputs", (int)stem->inputs, "frames", (json_int_t)stem->frames,
        "clips", (json_int_t)stem->clips, "peak", stem->peak, "peak_dbfs", decibels(stem->peak),
        "muted", stem->muted);
}

static json_t *stem_array(const struct stem_take *take)
{
    json_t *array = json_array();
    for (size_t s = 0; s < take->stem_count; s++)
        json_array_append_new(array, stem_object(&take->stems[s], s + 1));
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

static json_t *take_object(const struct stem_take *take)
{
    static const char *const PROGRESS[] = {"recording", "complete", "failed"};
    double seconds = take->rate_hz ? (double)take->frames / take->rate_hz : 0;
    return json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:i, s:I, s:I, s:f, "
                     "s:{s:s, s:s}, s:o, s:o, s:o, s:o, s:o}",
        "version", STEM_TAKE_VERSION, "kind", "stemd-take", "progress", PROGRESS[take->progress],
        "failure", text(take->failure), "title", text(take->title ? take->title : ""), "key",
        text(take->key ? take->key : ""), "tempo_bpm", take->tempo_bpm, "started",
        text(take->started), "recorder", text(take->recorder), "previous", text(take->previous),
        "rate_hz", (int)take->rate_hz, "start_frame", (json_int_t)take->start_frame, "frames",
        (json_int_t)take->frames, "seconds", seconds, "format", "container",
        stem_container_name(take->container), "encoding", stem_encoding_name(take->encoding),
        "stems", stem_array(take), "mix", take->has_mix ? stem_object(&take->mix, 0) : json_null(),
        "gaps", gap_array(take), "xruns", xrun_array(take), "markers", marker_array(take));
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0)
            return -1;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int status = fsync(fd);
    close(fd);
    return status;
}

/* Temporary file, synced, renamed over the old one, folder synced. errno tells what failed. */
static int replace_file(const char *folder, const char *bytes, size_t size)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, STEM_TAKE_MANIFEST) >= (int)sizeof path ||
        snprintf(temporary, sizeof temporary, "%s/.%s.new", folder, STEM_TAKE_MANIFEST) >=
            (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    int status = write_all(fd, bytes, size) || fsync(fd) ? -1 : 0;
    int problem = errno;
    close(fd);
    if (status == 0 && rename(temporary, path) == 0 && sync_folder(folder) == 0)
        return 0;
    if (status == 0)
        problem = errno;
    unlink(temporary);
    errno = problem;
    return -1;
}

int stem_take_save(const struct stem_take *take, const char *folder, struct stem_error *error)
{
    json_t *object = take_object(take);
    char *bytes = object ? json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(object);
    if (!bytes)
        return stem_error_set(error, "no memory for \"%s/%s\"", folder, STEM_TAKE_MANIFEST);
    int status = replace_file(folder, bytes, strlen(bytes));
    int problem = errno;
    free(bytes);
    if (status == 0)
        return 0;
    return stem_error_set_errno(
        error, problem, "cannot write \"%s/%s\"", folder, STEM_TAKE_MANIFEST);
}
