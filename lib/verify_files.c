/* Opening and reading the files of a take that is verified. */
#include "verify_parts.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Frames read at a time, fewer when the files have very many channels together: the blocks of all
 * files stay below MOST_SAMPLES (32 MiB). */
enum { MOST_FRAMES = 4096, FEWEST_FRAMES = 64, MOST_SAMPLES = 4 << 20 };

/* Opening */

/* While a take is being recorded the manifest lags behind the files. */
static void check_length(struct verify_check *check, const struct verify_source *source)
{
    const struct stem_take *take = &check->report->take;
    unsigned long long found = source->info.frames, expected = take->frames;
    unsigned long long listed = source->stem->frames;
    const char *file = source->stem->file;
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
    const struct stem_audio_info *info = &source->info;
    const char *file = source->stem->file;
    const char *container = stem_container_name(take->container);
    const char *encoding = stem_encoding_name(take->encoding);
    if (info->rate_hz != take->rate_hz)
        verify_problem(check, "%s: its rate is %u Hz, the manifest says %u Hz", file, info->rate_hz,
            take->rate_hz);
    if (info->channels != source->stem->channels)
        verify_problem(check, "%s: it has %u channels, the manifest says %u", file, info->channels,
            source->stem->channels);
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
    const char *file = source->stem->file;
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

static void open_source(struct verify_check *check, struct verify_source *source)
{
    char path[PATH_MAX + NAME_MAX + 2];
    struct stem_error trouble = {""};
    snprintf(path, sizeof path, "%s/%s", check->folder, source->stem->file);
    if (!is_file(check, source, path))
        return;
    source->reader = stem_audio_reader_open(path, &source->info, &trouble);
    size_t length = strlen(trouble.text);
    if (length && trouble.text[length - 1] == '.')
        trouble.text[length - 1] = '\0';
    if (source->reader)
        check_form(check, source);
    else
        verify_problem(check, "%s", trouble.text);
}

/* Hundreds of stems are open at once. */
static void allow_many_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int describe_file(struct verify_check *check, size_t k)
{
    const struct stem_take *take = &check->report->take;
    const struct stem_take_stem *stem = k < take->stem_count ? &take->stems[k] : &take->mix;
    struct stem_verify_file *file = &check->report->files[k];
    check->sources[k] = (struct verify_source){.stem = stem, .file = file};
    file->clips = stem->clips;
    file->silent = true;
    if (stem_take_set_string(&file->name, stem->name) ||
        stem_take_set_string(&file->file, stem->file))
        return -1;
    return 0;
}

static int make_blocks(struct verify_check *check)
{
    size_t channels = 0;
    for (size_t k = 0; k < check->count; k++)
        channels += check->sources[k].info.channels;
    size_t frames = channels ? MOST_SAMPLES / channels : MOST_FRAMES;
    frames = frames < FEWEST_FRAMES ? FEWEST_FRAMES : frames;
    check->block_frames = frames < MOST_FRAMES ? frames : MOST_FRAMES;
    for (size_t k = 0; k < check->count; k++) {
        struct verify_source *source = &check->sources[k];
        if (!source->reader)
            continue;
        source->block = calloc(check->block_frames * source->info.channels, sizeof *source->block);
        if (!source->block)
            return -1;
        check->stem_blocks[k] = source->block;
    }
    return 0;
}

int verify_open_files(struct verify_check *check, struct stem_error *error)
{
    struct stem_verify_report *report = check->report;
    check->count = report->take.stem_count + (report->take.has_mix ? 1 : 0);
    report->files = calloc(check->count + 1, sizeof *report->files);
    check->sources = calloc(check->count + 1, sizeof *check->sources);
    check->stem_blocks = calloc(check->count + 1, sizeof *check->stem_blocks);
    if (!report->files || !check->sources || !check->stem_blocks)
        goto fail;
    report->file_count = check->count;
    allow_many_files();
    for (size_t k = 0; k < check->count; k++) {
        if (describe_file(check, k))
            goto fail;
        open_source(check, &check->sources[k]);
    }
    if (make_blocks(check) == 0)
        return 0;
fail:
    return stem_error_set(error, "no memory to verify \"%s\"", check->folder);
}

void verify_close_files(struct verify_check *check)
{
    for (size_t k = 0; check->sources && k < check->count; k++) {
        stem_audio_reader_close(check->sources[k].reader);
        free(check->sources[k].block);
    }
    free(check->sources);
    free(check->stem_blocks);
}

/* Reading */

static bool is_silent(const struct verify_source *source, size_t begin, size_t end)
{
    const uint32_t channels = source->info.channels;
    for (size_t s = begin * channels; s < end * channels; s++)
        if (source->block[s] != 0)
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
        begin = begin > from ? begin : from;
        end = end < to ? end : to;
        if (begin >= end || is_silent(source, (size_t)(begin - from), (size_t)(end - from)))
            continue;
        source->loud_in_gap = true;
        verify_problem(check, "%s: it is not silent in the gap of %llu frames at frame %llu",
            source->stem->file, (unsigned long long)take->gaps[g].frames,
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
        double magnitude = fabs(source->block[s]);
        if (isfinite(magnitude))
            peak = magnitude > peak ? magnitude : peak;
        else if (source->bad_count++ == 0)
            source->bad_frame = from + s / source->info.channels;
    }
    source->file->peak = peak;
    source->file->silent = peak == 0 && source->bad_count == 0;
}

static void read_source(struct verify_check *check, struct verify_source *source, uint64_t from)
{
    const size_t channels = source->info.channels;
    const uint64_t left = source->info.frames > from ? source->info.frames - from : 0;
    const size_t wanted = left < check->block_frames ? (size_t)left : check->block_frames;
    size_t got = source->ended ? 0 : stem_audio_reader_read(source->reader, source->block, wanted);
    memset(source->block + got * channels, 0,
        (check->block_frames - got) * channels * sizeof *source->block);
    if (got < wanted && !source->ended)
        verify_problem(check, "%s: it is damaged: %llu of its %llu frames can be read",
            source->stem->file, (unsigned long long)(from + got),
            (unsigned long long)source->info.frames);
    if (!source->ended)
        source->file->frames = from + got;
    source->ended = source->ended || got < check->block_frames;
    measure(source, from, got * channels);
    check_gaps(check, source, from, got);
}

bool verify_read_block(struct verify_check *check, uint64_t from)
{
    bool has_more = false;
    pass_gaps(check, from);
    for (size_t k = 0; k < check->count; k++) {
        struct verify_source *source = &check->sources[k];
        if (!source->reader)
            continue;
        has_more = has_more || !source->ended;
        read_source(check, source, from);
    }
    return has_more;
}
