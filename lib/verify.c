#include "verify.h"

#include "audio_reader.h"
#include "gain.h"
#include "null_test.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { BLOCK_FRAMES = 4096 };

/* Peaks above this leave a mastering engineer too little room; delivery sheets ask for -3 to -6. */
#define HEADROOM_DBFS (-3.0)
/* Share of the residual's energy from which one stem is named as its likely cause. */
#define LIKELY 0.9

/* One file while it is read. */
struct source {
    const struct stem_take_stem *stem;
    struct stem_verify_file *file;
    struct stem_audio_reader *reader; /* NULL: could not be opened */
    uint32_t channels;
    double *block; /* BLOCK_FRAMES frames; silent behind the file's end */
    bool in_gap_reported;
};

struct check {
    struct stem_verify_report *report;
    const char *folder;
    struct source *sources; /* stems in order, then the mix */
    size_t count;
    double **stem_blocks;
    struct stem_null_test *null_test; /* NULL: not possible */
};

/* Messages */

static void add_text(char ***texts, size_t *count, const char *format, va_list arguments)
{
    char **grown = realloc(*texts, (*count + 1) * sizeof *grown);
    if (!grown)
        return;
    *texts = grown;
    if (vasprintf(&grown[*count], format, arguments) >= 0)
        ++*count;
}

static void problem(struct stem_verify_report *report, const char *format, ...) STEM_PRINTF(2, 3);
static void remark(struct stem_verify_report *report, const char *format, ...) STEM_PRINTF(2, 3);

static void problem(struct stem_verify_report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_text(&report->problems, &report->problem_count, format, arguments);
    va_end(arguments);
}

static void remark(struct stem_verify_report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_text(&report->remarks, &report->remark_count, format, arguments);
    va_end(arguments);
}

/* Opening and format */

static void check_format(
    const struct check *check, const struct source *source, const struct stem_audio_info *info)
{
    struct stem_verify_report *report = check->report;
    const struct stem_take *take = &report->take;
    const char *file = source->stem->file;
    const char *container = stem_container_name(take->container);
    const char *encoding = stem_encoding_name(take->encoding);
    if (info->rate_hz != take->rate_hz)
        problem(report, "%s: the rate is %u Hz, the manifest says %u Hz", file, info->rate_hz,
            take->rate_hz);
    if (info->channels != source->stem->channels)
        problem(report, "%s: it has %u channels, the manifest says %u", file, info->channels,
            source->stem->channels);
    if (strcmp(info->container, container) != 0 || strcmp(info->encoding, encoding) != 0)
        problem(report, "%s: the format is %s %s, the manifest says %s %s", file, info->container,
            info->encoding, container, encoding);
    if (info->frames != take->frames)
        problem(report, "%s: it is %llu frames long, the manifest says %llu", file,
            (unsigned long long)info->frames, (unsigned long long)take->frames);
}

static int open_source(struct check *check, struct source *source, struct stem_error *error)
{
    char path[PATH_MAX + NAME_MAX + 2];
    struct stem_audio_info info;
    struct stem_error trouble;
    snprintf(path, sizeof path, "%s/%s", check->folder, source->stem->file);
    source->reader = stem_audio_reader_open(path, &info, &trouble);
    if (!source->reader) {
        problem(check->report, "%s", trouble.text);
        return 0;
    }
    check_format(check, source, &info);
    source->channels = info.channels;
    source->file->frames = info.frames;
    source->block = calloc((size_t)BLOCK_FRAMES * info.channels, sizeof *source->block);
    return source->block ? 0 : stem_error_set(error, "no memory to read \"%s\"", path);
}

/* Many stems are open at once. */
static void allow_many_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int prepare_file(struct check *check, size_t k, const struct stem_take_stem *stem)
{
    struct stem_verify_file *file = &check->report->files[k];
    check->sources[k] = (struct source){.stem = stem, .file = file};
    file->clips = stem->clips;
    file->silent = true;
    return stem_take_set_string(&file->name, stem->name) ||
                   stem_take_set_string(&file->file, stem->file)
               ? -1
               : 0;
}

static int open_sources(struct check *check, struct stem_error *error)
{
    struct stem_verify_report *report = check->report;
    const struct stem_take *take = &report->take;
    check->count = take->stem_count + (take->has_mix ? 1 : 0);
    report->files = calloc(check->count + 1, sizeof *report->files);
    check->sources = calloc(check->count + 1, sizeof *check->sources);
    check->stem_blocks = calloc(check->count + 1, sizeof *check->stem_blocks);
    if (!report->files || !check->sources || !check->stem_blocks)
        return stem_error_set(error, "no memory to verify \"%s\"", check->folder);
    report->file_count = check->count;
    allow_many_files();
    for (size_t k = 0; k < check->count; k++) {
        const struct stem_take_stem *stem = k < take->stem_count ? &take->stems[k] : &take->mix;
        if (prepare_file(check, k, stem))
            return stem_error_set(error, "no memory to verify \"%s\"", check->folder);
        if (open_source(check, &check->sources[k], error))
            return -1;
        check->stem_blocks[k] = check->sources[k].block;
    }
    return 0;
}

static void open_null_test(struct check *check)
{
    const struct stem_take *take = &check->report->take;
    uint32_t channels[4096];
    if (!take->has_mix || take->stem_count > 4096)
        return;
    for (size_t k = 0; k < check->count; k++)
        if (!check->sources[k].reader)
            return;
    for (size_t k = 0; k < take->stem_count; k++)
        channels[k] = check->sources[k].channels;
    uint32_t mix_channels = check->sources[take->stem_count].channels;
    check->null_test =
        stem_null_test_create(mix_channels, channels, take->stem_count, BLOCK_FRAMES);
    if (!check->null_test)
        problem(check->report,
            "the null test is not possible: each stem must be mono or as wide as the mix (%u "
            "channels)",
            mix_channels);
}

/* Reading */

static void check_gap(
    const struct check *check, struct source *source, uint64_t from, size_t frames)
{
    const struct stem_take *take = &check->report->take;
    for (size_t g = 0; g < take->gap_count && !source->in_gap_reported; g++) {
        uint64_t begin = take->gaps[g].frame, end = begin + take->gaps[g].frames;
        begin = begin > from ? begin : from;
        end = end < from + frames ? end : from + frames;
        for (uint64_t f = begin; f < end && !source->in_gap_reported; f++)
            for (uint32_t c = 0; c < source->channels; c++)
                if (source->block[(f - from) * source->channels + c] != 0)
                    source->in_gap_reported = true;
        if (source->in_gap_reported)
            problem(check->report, "%s: it is not silent in the gap at frame %llu",
                source->stem->file, (unsigned long long)take->gaps[g].frame);
    }
}

static void read_block(struct check *check, struct source *source, uint64_t from)
{
    if (!source->reader)
        return;
    size_t got = stem_audio_reader_read(source->reader, source->block, BLOCK_FRAMES);
    size_t samples = got * source->channels;
    memset(source->block + samples, 0,
        ((size_t)BLOCK_FRAMES * source->channels - samples) * sizeof *source->block);
    double peak = source->file->peak;
    for (size_t s = 0; s < samples; s++)
        peak = fmax(peak, fabs(source->block[s]));
    source->file->peak = peak;
    source->file->silent = source->file->silent && peak == 0;
    check_gap(check, source, from, got);
}

/* The longest file decides how far to read. */
static uint64_t longest(const struct check *check)
{
    uint64_t frames = 0;
    for (size_t k = 0; k < check->count; k++)
        if (check->report->files[k].frames > frames)
            frames = check->report->files[k].frames;
    return frames;
}

static int read_all(
    struct check *check, stem_verify_progress *progress, void *data, struct stem_error *error)
{
    uint64_t frames = longest(check), step = frames / 100 + 1, told = 0;
    for (uint64_t from = 0; from < frames; from += BLOCK_FRAMES) {
        for (size_t k = 0; k < check->count; k++)
            read_block(check, &check->sources[k], from);
        uint64_t left = frames - from;
        if (check->null_test)
            stem_null_test_add(check->null_test, check->stem_blocks[check->count - 1],
                check->stem_blocks, left < BLOCK_FRAMES ? (size_t)left : BLOCK_FRAMES);
        if (!progress || from < told)
            continue;
        told = from + step;
        if (!progress((double)from / (double)frames, data))
            return stem_error_set(error, "interrupted");
    }
    if (progress)
        progress(1.0, data);
    return 0;
}

/* Judging */

static double seconds(const struct stem_take *take, uint64_t frame)
{
    return (double)frame / take->rate_hz;
}

static void judge_null(struct check *check)
{
    struct stem_verify_report *report = check->report;
    const struct stem_take *take = &report->take;
    struct stem_null_result result;
    uint64_t terms = 0;
    if (!check->null_test)
        return;
    for (size_t k = 0; k < take->stem_count; k++)
        terms += take->stems[k].inputs ? take->stems[k].inputs : 1;
    stem_null_test_result(check->null_test, &result);
    report->null_tested = true;
    report->residual_peak = result.peak;
    report->residual_rms = result.rms;
    report->residual_peak_frame = result.peak_frame;
    report->null_bound = stem_null_test_bound(stem_encoding_bits(take->encoding), check->count,
        terms, take->stem_count, result.largest_sum);
    report->null_passed = result.peak <= report->null_bound;
    if (report->null_passed)
        return;
    problem(report,
        "the stems do not add up to the mix: the residual reaches %.1f dBFS at %.3f s, %.1f dBFS "
        "are explained",
        stem_gain_to_db(result.peak), seconds(take, result.peak_frame),
        stem_gain_to_db(report->null_bound));
    if (result.likeness > LIKELY)
        problem(report, "the residual looks like stem \"%s\": in the mix it stands %.2f dB %s",
            take->stems[result.likely_stem].name, fabs(stem_gain_to_db(1 + result.likely_gain)),
            result.likely_gain > 0 ? "louder" : "softer");
}

static void judge_files(struct check *check)
{
    struct stem_verify_report *report = check->report;
    for (size_t k = 0; k < check->count; k++) {
        const struct stem_verify_file *file = &report->files[k];
        if (!check->sources[k].reader)
            continue;
        if (file->clips)
            remark(report, "%s: %llu samples were clipped", file->file,
                (unsigned long long)file->clips);
        if (file->silent)
            remark(report, "%s: it is silent from beginning to end", file->file);
        else if (stem_gain_to_db(file->peak) > HEADROOM_DBFS)
            remark(report, "%s: its peak of %.1f dBFS leaves less than 3 dB of headroom",
                file->file, stem_gain_to_db(file->peak));
    }
}

static void judge_take(struct stem_verify_report *report)
{
    const struct stem_take *take = &report->take;
    char reasons[64];
    if (take->progress == STEM_TAKE_RECORDING)
        remark(
            report, "the take is not finished: it is being recorded, or its recorder was killed");
    if (take->progress == STEM_TAKE_FAILED)
        problem(report, "the take ended by a fault: %s", take->failure ? take->failure : "unknown");
    for (size_t g = 0; g < take->gap_count; g++) {
        stem_take_reason_words(take->gaps[g].reasons, reasons, sizeof reasons);
        remark(report, "gap of %llu frames at frame %llu (%.3f s): %s",
            (unsigned long long)take->gaps[g].frames, (unsigned long long)take->gaps[g].frame,
            seconds(take, take->gaps[g].frame), reasons);
    }
}

static void close_check(struct check *check)
{
    for (size_t k = 0; check->sources && k < check->count; k++) {
        stem_audio_reader_close(check->sources[k].reader);
        free(check->sources[k].block);
    }
    free(check->sources);
    free(check->stem_blocks);
    stem_null_test_destroy(check->null_test);
}

int stem_verify_folder(const char *folder, stem_verify_progress *progress, void *data,
    struct stem_verify_report *report, struct stem_error *error)
{
    *report = (struct stem_verify_report){0};
    struct check check = {.report = report, .folder = folder};
    int status = stem_take_load(&report->take, folder, error);
    if (status == 0)
        status = open_sources(&check, error);
    if (status == 0) {
        open_null_test(&check);
        status = read_all(&check, progress, data, error);
    }
    if (status == 0) {
        judge_take(report);
        judge_files(&check);
        judge_null(&check);
    }
    close_check(&check);
    if (status)
        stem_verify_report_finish(report);
    return status;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t k = 0; k < count; k++)
        free(texts[k]);
    free(texts);
}

void stem_verify_report_finish(struct stem_verify_report *report)
{
    stem_take_finish(&report->take);
    for (size_t k = 0; report->files && k < report->file_count; k++) {
        free(report->files[k].name);
        free(report->files[k].file);
    }
    free(report->files);
    free_texts(report->problems, report->problem_count);
    free_texts(report->remarks, report->remark_count);
    *report = (struct stem_verify_report){0};
}
