/* Opening and reading the files of a take that is verified. */
#include "verify_parts.h"

#include "facts.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Opening */

/* While a take is being recorded the manifest lags behind the files. */
static void check_length(struct verify_check *check, const struct verify_source *source)
{
    const struct stem_take *take = &check->report->take;
    unsigned long long found = source->in->info.frames, expected = take->frames;
    unsigned long long listed = source->in->stem->frames;
    const char *file = source->in->stem->file;
    if (take->progress == STEM_TAKE_RECORDING && found >= expected)
        return;
    if (found != expected)
        verify_problem(check, "%s: it is %llu frames long, the take %llu", file, found, expected);
    else if (listed != expected)
        verify_problem(check, "%s: the manifest lists it with %llu frames, the take with %llu",
            file, listed, expected);
}

static void check_form(struct verify_check *check, const struct verify_source *source)
{
    const struct stem_take *take = &check->report->take;
    const struct stem_audio_info *info = &source->in->info;
    const char *file = source->in->stem->file;
    const char *container = stem_container_name(take->container);
    const char *encoding = stem_encoding_name(take->encoding);
    if (info->rate_hz != take->rate_hz)
        verify_problem(check, "%s: its rate is %u Hz, the manifest says %u Hz", file, info->rate_hz,
            take->rate_hz);
    if (info->channels != source->in->stem->channels)
        verify_problem(check, "%s: it has %u channels, the manifest says %u", file, info->channels,
            source->in->stem->channels);
    if (strcmp(info->container, container) != 0 || strcmp(info->encoding, encoding) != 0)
        verify_problem(check, "%s: its format is %s %s, the manifest says %s %s", file,
            info->container, info->encoding, container, encoding);
    check_length(check, source);
}

/* Only regular files are opened: a pipe would wait for ever. */
static bool is_file(
    struct verify_check *check, const struct verify_source *source, const char *path)
{
    struct stat there;
    const char *file = source->in->stem->file;
    char reason[128];
    int problem = stat(path, &there) == 0 ? 0 : errno;
    if (problem == 0 && S_ISREG(there.st_mode))
        return true;
    if (problem == ENOENT)
        verify_problem(check, "%s: it is missing", file);
    else if (problem)
        verify_problem(
            check, "%s: it cannot be read: %s", file, strerror_r(problem, reason, sizeof reason));
    else
        verify_problem(check, "%s: it is not a regular file", file);
    return false;
}

static void open_source(struct verify_check *check, size_t k)
{
    const struct verify_source *source = &check->sources[k];
    char path[PATH_MAX + NAME_MAX + 2];
    struct stem_error trouble = {""};
    snprintf(path, sizeof path, "%s/%s", check->folder, source->in->stem->file);
    if (!is_file(check, source, path))
        return;
    if (stem_take_reader_open(&check->reader, k, &trouble) == 0)
        check_form(check, source);
    else
        verify_problem(check, "%s", trouble.text);
}

static int describe_file(struct verify_check *check, size_t k)
{
    struct stem_take_source *in = &check->reader.sources[k];
    struct stem_verify_file *file = &check->report->files[k];
    check->sources[k] = (struct verify_source){.in = in, .file = file};
    file->clips = in->stem->clips;
    file->silent = true;
    if (stem_take_set_string(&file->name, in->stem->name) ||
        stem_take_set_string(&file->file, in->stem->file))
        return -1;
    return 0;
}

int verify_open_files(struct verify_check *check, struct stem_error *error)
{
    struct stem_verify_report *report = check->report;
    if (stem_take_reader_init(&check->reader, check->folder, &report->take))
        goto fail;
    const size_t count = check->reader.count;
    report->files = calloc(count + 1, sizeof *report->files);
    check->sources = calloc(count + 1, sizeof *check->sources);
    if (!report->files || !check->sources)
        goto fail;
    report->file_count = count;
    for (size_t k = 0; k < count; k++) {
        if (describe_file(check, k))
            goto fail;
        open_source(check, k);
    }
    if (stem_take_reader_make_blocks(&check->reader) == 0)
        return 0;
fail:
    return stem_error_set(error, "no memory to verify \"%s\"", check->folder);
}

void verify_close_files(struct verify_check *check)
{
    stem_take_reader_finish(&check->reader);
    free(check->sources);
}

/* Reading */

static bool is_silent(const struct verify_source *source, size_t begin, size_t end)
{
    const uint32_t channels = source->in->info.channels;
    for (size_t s = begin * channels; s < end * channels; s++)
        if (source->in->block[s] != 0)
            return false;
    return true;
}

/* Gaps are in ascending order, and so are the blocks. */
static void check_gaps(
    struct verify_check *check, struct verify_source *source, uint64_t from, size_t frames)
{
    const struct stem_take *take = &check->report->take;
    const uint64_t to = from + frames;
    for (size_t g = check->gap; g < take->gap_count && !source->loud_in_gap; g++) {
        uint64_t begin = take->gaps[g].frame, end = begin + take->gaps[g].frames;
        if (begin >= to)
            break;
        if (take->gaps[g].reasons & STEM_GAP_RECOVERED)
            continue; /* some files have these frames */
        begin = begin > from ? begin : from;
        end = end < to ? end : to;
        if (begin >= end || is_silent(source, (size_t)(begin - from), (size_t)(end - from)))
            continue;
        source->loud_in_gap = true;
        verify_problem(check, "%s: it is not silent in the gap of %llu frames at frame %llu",
            source->in->stem->file, (unsigned long long)take->gaps[g].frames,
            (unsigned long long)take->gaps[g].frame);
    }
}

static void pass_gaps(struct verify_check *check, uint64_t from)
{
    const struct stem_take *take = &check->report->take;
    while (check->gap < take->gap_count &&
           take->gaps[check->gap].frame + take->gaps[check->gap].frames <= from)
        check->gap++;
}

static void measure(struct verify_source *source, uint64_t from, size_t samples)
{
    double peak = source->file->peak;
    for (size_t s = 0; s < samples; s++) {
        double magnitude = fabs(source->in->block[s]);
        if (isfinite(magnitude))
            peak = magnitude > peak ? magnitude : peak;
        else if (source->bad_count++ == 0)
            source->bad_frame = from + s / source->in->info.channels;
    }
    source->file->peak = peak;
    source->file->silent = peak == 0 && source->bad_count == 0;
}

static void check_source(struct verify_check *check, struct verify_source *source)
{
    const struct stem_take_source *in = source->in;
    const uint64_t from = check->reader.from;
    if (in->damaged && !source->told_damage)
        verify_problem(check, "%s: it is damaged: %llu of its %llu frames can be read",
            in->stem->file, (unsigned long long)(from + in->got),
            (unsigned long long)in->info.frames);
    source->told_damage = in->damaged;
    source->file->frames += in->got;
    measure(source, from, in->got * in->info.channels);
    check_gaps(check, source, from, in->got);
}

bool verify_read_block(struct verify_check *check)
{
    bool has_more = stem_take_reader_next(&check->reader);
    pass_gaps(check, check->reader.from);
    for (size_t k = 0; k < check->reader.count; k++)
        if (check->sources[k].in->reader)
            check_source(check, &check->sources[k]);
    return has_more;
}
