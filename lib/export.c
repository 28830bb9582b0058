#include "export.h"

#include "export_file.h"
#include "place.h"
#include "take_lock.h"
#include "zip.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Shares of the whole work. */
#define CONVERTED 0.5
#define FINISHED 0.9

struct work {
    const char *folder;
    char target[PATH_MAX]; /* the folder that is being made, under a hidden name */
    const struct stem_export_params *params;
    struct stem_take take; /* as it will be */
    bool exact;
    uint64_t clips;
    uint64_t samples, done; /* of all files */
    uint64_t now;           /* of the file that is being converted */
    stem_finish_progress *progress;
    void *data;
    struct stem_error *error;
};

bool stem_export_is_exact(enum stem_encoding from, enum stem_encoding to)
{
    enum { FLOAT_BITS = 24, DOUBLE_BITS = 53 };
    int had = stem_encoding_bits(from), has = stem_encoding_bits(to);
    if (from == to || to == STEM_DOUBLE)
        return true;
    if (!had)
        return false; /* a double, or a float that shall become an integer */
    return had <= (has ? has : FLOAT_BITS);
}

/* The format */

static int check_file(const struct work *work, const struct stem_take_stem *stem)
{
    const struct stem_export_params *params = work->params;
    const char *container = stem_container_name(params->container);
    const char *encoding = stem_encoding_name(work->take.encoding);
    if (stem_format_valid(params->container, work->take.encoding, (int)stem->channels))
        return 0;
    if (stem_format_valid(params->container, STEM_PCM24, (int)stem->channels))
        return stem_error_set(work->error,
            "%s files cannot hold %s samples; say which depth they shall have (--depth)", container,
            encoding);
    return stem_error_set(work->error, "%s files cannot hold the %u channels of \"%s\"", container,
        stem->channels, stem->file);
}

static int choose_format(struct work *work)
{
    const struct stem_export_params *params = work->params;
    enum stem_encoding was = work->take.encoding;
    const struct stem_take_stem *stem;
    if (params->is_encoding_given)
        work->take.encoding = params->encoding;
    work->take.container = params->container;
    work->exact = stem_export_is_exact(was, work->take.encoding);
    if (params->dither && (work->exact || stem_encoding_bits(work->take.encoding) == 0))
        return stem_error_set(work->error,
            "from %s to %s nothing is rounded to fewer bits, so there is nothing to dither",
            stem_encoding_name(was), stem_encoding_name(work->take.encoding));
    for (size_t k = 0; (stem = stem_take_file(&work->take, k)); k++)
        if (check_file(work, stem))
            return -1;
    return 0;
}

/* Files */

static bool tell_file(double done, void *data)
{
    struct work *work = data;
    double samples = (double)work->done + done * (double)work->now;
    double part = work->samples ? samples / (double)work->samples : 1;
    return !work->progress ||
           work->progress(CONVERTED * (part < 1 ? part : 1), "convert", work->data);
}

/* "01_Drums.wav" becomes "01_Drums.flac". The caller frees it; NULL without memory. */
static char *name_for(const char *file, enum stem_container container)
{
    const char *dot = strrchr(file, '.');
    char *name = NULL;
    int length = dot && dot > file ? (int)(dot - file) : (int)strlen(file);
    if (asprintf(&name, "%.*s.%s", length, file, stem_container_extension(container)) < 0)
        return NULL;
    return name;
}

static int convert(struct work *work, struct stem_take_stem *stem, uint64_t seed)
{
    const struct stem_take *take = &work->take;
    char from[PATH_MAX], to[PATH_MAX], *name = name_for(stem->file, take->container);
    if (!name)
        return stem_error_set(work->error, "no memory for a file's name");
    int length = snprintf(from, sizeof from, "%s/%s", work->folder, stem->file);
    free(stem->file);
    stem->file = name;
    if (length >= (int)sizeof from ||
        snprintf(to, sizeof to, "%s/%s", work->target, name) >= (int)sizeof to)
        return stem_error_set_errno(work->error, ENAMETOOLONG, "\"%s\"", name);
    struct stem_export_file file = {
        .from = from,
        .to = {.path = to,
            .container = take->container,
            .encoding = take->encoding,
            .rate_hz = take->rate_hz,
            .channels = stem->channels,
            .time_reference_frames = take->time_reference,
            .description = stem->name,
            .originated = take->started,
            .tempo_bpm = take->tempo_bpm,
            .is_of_take = true},
        .exact = work->exact,
        .dither = work->params->dither,
        .seed = seed,
        .frames = take->frames,
        .progress = tell_file,
        .data = work,
    };
    work->now = take->frames * stem->channels;
    if (stem_export_file_write(&file, work->error))
        return -1;
    work->done += work->now;
    work->clips += file.clips;
    stem->clips += file.clips;
    return 0;
}

static int convert_all(struct work *work)
{
    struct stem_take_stem *stem;
    for (size_t k = 0; (stem = stem_take_file(&work->take, k)); k++)
        work->samples += work->take.frames * stem->channels;
    for (size_t k = 0; (stem = stem_take_file(&work->take, k)); k++)
        if (convert(work, stem, k + 1))
            return -1;
    return 0;
}

/* The folder */

static bool tell_finish(double done, const char *step, void *data)
{
    struct work *work = data;
    return !work->progress ||
           work->progress(CONVERTED + (FINISHED - CONVERTED) * done, step, work->data);
}

static bool tell_zip(double done, void *data)
{
    struct work *work = data;
    return !work->progress || work->progress(FINISHED + (1 - FINISHED) * done, "pack", work->data);
}

/* The exported take stands for itself: it has no mirror and no other parts. */
static int describe(struct work *work)
{
    struct stem_take *take = &work->take;
    if (stem_take_set_string(&take->mirror, NULL) ||
        stem_take_set_string(&take->continued_from, NULL) ||
        stem_take_set_string(&take->continued_in, NULL) ||
        stem_take_set_string(&take->finished, NULL))
        return stem_error_set(work->error, "no memory for the manifest");
    return stem_take_save(take, work->target, work->error);
}

static int make_folder(struct work *work, struct stem_finish_report *finish)
{
    if (mkdir(work->target, 0777) != 0)
        return stem_error_set_errno(work->error, errno, "cannot make \"%s\"", work->target);
    if (convert_all(work) || describe(work))
        return -1;
    return stem_finish_folder(work->target, false, tell_finish, work, finish, work->error);
}

/* What is interrupted or fails leaves nothing behind. */
static int make_and_put(
    struct work *work, const char *target, const char *name, struct stem_finish_report *finish)
{
    char packed[PATH_MAX + 8];
    snprintf(packed, sizeof packed, "%s.zip", work->target);
    int status = make_folder(work, finish);
    if (status == 0 && work->params->zip)
        status = stem_zip_write(work->target, name, packed, tell_zip, work, work->error);
    if (status == 0)
        status = stem_place_put(work->params->zip ? packed : work->target, target, work->error);
    stem_place_remove(work->target);
    stem_place_remove(packed);
    return status;
}

static int prepare(struct work *work, const char *target)
{
    if (stem_take_load_ended(&work->take, work->folder, work->error))
        return -1;
    if (choose_format(work) || stem_place_free(target, work->error) ||
        stem_place_hidden(target, work->target, sizeof work->target, work->error))
        return -1;
    stem_place_remove(work->target); /* of one that was killed */
    return 0;
}

int stem_export_take(const char *folder, const char *target, const char *name,
    const struct stem_export_params *params, stem_finish_progress *progress, void *data,
    struct stem_export_report *report, struct stem_error *error)
{
    struct work work = {
        .folder = folder, .params = params, .progress = progress, .data = data, .error = error};
    *report = (struct stem_export_report){0};
    int lock = stem_take_claim(folder, error);
    if (lock < 0)
        return -1;
    int status = prepare(&work, target);
    if (status == 0)
        status = make_and_put(&work, target, name, &report->finish);
    stem_take_unlock(lock);
    stem_take_finish(&work.take);
    report->exact = work.exact;
    report->clips = work.clips;
    if (status)
        stem_export_report_finish(report);
    return status;
}

void stem_export_report_finish(struct stem_export_report *report)
{
    stem_finish_report_finish(&report->finish);
}
