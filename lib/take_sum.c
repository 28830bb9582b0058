#include "take_sum.h"

#include "place.h"
#include "stem_file.h"
#include "take_reader.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sum {
    struct stem_take take;
    struct stem_take_reader reader;
    struct stem_file *out;
    double *block;
    struct stem_take_sum_report *report;
    stem_work_progress *progress;
    void *data;
    struct stem_error *error;
};

static int open_stems(struct sum *sum)
{
    struct stem_take_reader *reader = &sum->reader;
    if (sum->take.stem_count == 0)
        return stem_error_set(sum->error, "\"%s\" has no stems", reader->folder);
    for (size_t k = 0; k < sum->take.stem_count; k++) {
        if (stem_take_reader_open(reader, k, sum->error))
            return -1;
        if (reader->sources[k].info.frames != sum->take.frames)
            return stem_error_set(sum->error, "\"%s/%s\" has %llu frames; the manifest says %llu",
                reader->folder, sum->take.stems[k].file,
                (unsigned long long)reader->sources[k].info.frames,
                (unsigned long long)sum->take.frames);
        uint32_t channels = reader->sources[k].info.channels, *widest = &sum->report->channels;
        if (channels != 1 && *widest > 1 && channels != *widest)
            return stem_error_set(sum->error, "\"%s\" has %u channels, others have %u",
                sum->take.stems[k].file, channels, *widest);
        *widest = channels > *widest ? channels : *widest;
    }
    if (stem_take_reader_make_blocks(reader) == 0)
        sum->block = calloc(reader->block_frames * sum->report->channels, sizeof *sum->block);
    if (!sum->block)
        return stem_error_set(sum->error, "no memory for the stems");
    return 0;
}

static void add(struct sum *sum, const struct stem_take_source *source, size_t frames)
{
    uint32_t width = sum->report->channels, channels = source->info.channels;
    for (size_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < width; c++)
            sum->block[i * width + c] += source->block[i * channels + (channels > 1 ? c : 0)];
}

/* Frames of the block that any stem has; -1 when one is damaged. */
static int add_block(struct sum *sum, size_t *frames)
{
    *frames = 0;
    memset(sum->block, 0, sum->reader.block_frames * sum->report->channels * sizeof *sum->block);
    for (size_t k = 0; k < sum->take.stem_count; k++) {
        const struct stem_take_source *source = &sum->reader.sources[k];
        if (source->damaged)
            return stem_error_set(sum->error, "\"%s/%s\" cannot be read to its end",
                sum->reader.folder, source->stem->file);
        *frames = source->got > *frames ? source->got : *frames;
        add(sum, source, source->got);
    }
    for (size_t i = 0; i < *frames * sum->report->channels; i++)
        sum->report->peak = fmax(sum->report->peak, fabs(sum->block[i]));
    return 0;
}

static int add_all(struct sum *sum)
{
    double longest = (double)stem_take_reader_longest(&sum->reader);
    while (stem_take_reader_next(&sum->reader)) {
        size_t frames;
        if (add_block(sum, &frames) ||
            stem_file_write_doubles(sum->out, sum->block, frames, sum->error))
            return -1;
        sum->report->frames += frames;
        if (sum->progress && !sum->progress((double)sum->report->frames / longest, sum->data))
            return stem_error_set(sum->error, "interrupted");
    }
    return 0;
}

static int write_sum(struct sum *sum, const char *hidden)
{
    const struct stem_take *take = &sum->take;
    const struct stem_file_params params = {
        .path = hidden,
        .container = sum->report->container,
        .encoding = sum->report->encoding,
        .rate_hz = take->rate_hz,
        .channels = sum->report->channels,
        .time_reference_frames = take->time_reference,
        .description = "Sum of the stems",
        .originated = take->started,
        .tempo_bpm = take->tempo_bpm,
    };
    stem_place_remove(hidden); /* of one that was killed */
    sum->out = stem_file_create(&params, sum->error);
    int status = sum->out ? add_all(sum) : -1;
    if (sum->out)
        sum->report->clips = stem_file_clips(sum->out);
    if (stem_file_close(sum->out, true, status ? NULL : sum->error))
        status = -1;
    return status;
}

static int run(struct sum *sum, const struct stem_take_sum_params *params)
{
    char hidden[PATH_MAX];
    sum->report->container = params->container;
    sum->report->encoding = params->is_encoding_given ? params->encoding : sum->take.encoding;
    if (stem_place_free(params->target, sum->error) ||
        stem_place_hidden(params->target, hidden, sizeof hidden, sum->error) || open_stems(sum))
        return -1;
    int status = write_sum(sum, hidden);
    if (status == 0)
        status = stem_place_put(hidden, params->target, sum->error);
    if (status)
        stem_place_remove(hidden);
    return status;
}

int stem_take_sum_write(const char *folder, const struct stem_take_sum_params *params,
    stem_work_progress *progress, void *data, struct stem_take_sum_report *report,
    struct stem_error *error)
{
    struct sum sum = {.report = report, .progress = progress, .data = data, .error = error};
    *report = (struct stem_take_sum_report){0};
    if (stem_take_load(&sum.take, folder, error))
        return -1;
    int status = stem_take_reader_init(&sum.reader, folder, &sum.take)
                     ? stem_error_set(error, "no memory for the stems")
                     : run(&sum, params);
    stem_take_reader_finish(&sum.reader);
    free(sum.block);
    stem_take_finish(&sum.take);
    return status;
}
