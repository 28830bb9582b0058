#include "take_reader.h"

#include "facts.h"
#include "open_files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Frames read at a time, fewer when the files have very many channels together: the blocks of all
 * files stay below MOST_SAMPLES (32 MiB). */
enum { MOST_FRAMES = 4096, FEWEST_FRAMES = 64, MOST_SAMPLES = 4 << 20 };

int stem_take_reader_init(
    struct stem_take_reader *reader, const char *folder, const struct stem_take *take)
{
    size_t count = 0;
    *reader = (struct stem_take_reader){.take = take, .folder = folder};
    size_t most = take->stem_count + 1 + take->extra_count;
    reader->sources = calloc(most, sizeof *reader->sources);
    reader->blocks = calloc(most, sizeof *reader->blocks);
    if (!reader->sources || !reader->blocks)
        return -1;
    for (size_t k = 0; k < take->stem_count; k++)
        reader->sources[count++].stem = &take->stems[k];
    if (take->has_mix)
        reader->sources[count++].stem = &take->mix;
    for (size_t k = 0; k < take->extra_count; k++)
        reader->sources[count++].stem = &take->extras[k];
    reader->count = count;
    stem_open_files_allow();
    return 0;
}

void stem_take_reader_finish(struct stem_take_reader *reader)
{
    for (size_t k = 0; reader->sources && k < reader->count; k++) {
        stem_audio_reader_close(reader->sources[k].reader);
        free(reader->sources[k].block);
    }
    free(reader->sources);
    free(reader->blocks);
    *reader = (struct stem_take_reader){0};
}

int stem_take_reader_open(struct stem_take_reader *reader, size_t k, struct stem_error *error)
{
    struct stem_take_source *source = &reader->sources[k];
    char path[PATH_MAX + NAME_MAX + 2];
    snprintf(path, sizeof path, "%s/%s", reader->folder, source->stem->file);
    source->reader = stem_audio_reader_open(path, &source->info, error);
    return source->reader ? 0 : -1;
}

int stem_take_reader_make_blocks(struct stem_take_reader *reader)
{
    size_t channels = 0;
    for (size_t k = 0; k < reader->count; k++)
        channels += reader->sources[k].info.channels;
    size_t frames = channels ? MOST_SAMPLES / channels : MOST_FRAMES;
    frames = frames < FEWEST_FRAMES ? FEWEST_FRAMES : frames;
    reader->block_frames = frames < MOST_FRAMES ? frames : MOST_FRAMES;
    for (size_t k = 0; k < reader->count; k++) {
        struct stem_take_source *source = &reader->sources[k];
        if (!source->reader)
            continue;
        source->block = calloc(reader->block_frames * source->info.channels, sizeof *source->block);
        if (!source->block)
            return -1;
        reader->blocks[k] = source->block;
    }
    return 0;
}

static void read_source(const struct stem_take_reader *reader, struct stem_take_source *source)
{
    const size_t channels = source->info.channels, most = reader->block_frames;
    const uint64_t length = source->info.frames;
    const uint64_t left = length > reader->from ? length - reader->from : 0;
    const size_t wanted = left < most ? (size_t)left : most;
    source->got = source->ended ? 0 : stem_audio_reader_read(source->reader, source->block, wanted);
    memset(source->block + source->got * channels, 0,
        (most - source->got) * channels * sizeof *source->block);
    source->damaged = source->damaged || (source->got < wanted && !source->ended);
    source->ended = source->ended || source->got < most;
}

bool stem_take_reader_next(struct stem_take_reader *reader)
{
    bool has_more = false;
    reader->from = reader->next;
    reader->next += reader->block_frames;
    for (size_t k = 0; k < reader->count; k++) {
        struct stem_take_source *source = &reader->sources[k];
        if (!source->reader)
            continue;
        has_more = has_more || !source->ended;
        read_source(reader, source);
    }
    return has_more;
}

uint64_t stem_take_reader_longest(const struct stem_take_reader *reader)
{
    uint64_t frames = 0;
    for (size_t k = 0; k < reader->count; k++)
        if (reader->sources[k].info.frames > frames)
            frames = reader->sources[k].info.frames;
    return frames;
}

const struct stem_take_source *stem_take_reader_misfit(const struct stem_take_reader *reader)
{
    const size_t stems = reader->take->stem_count;
    for (size_t k = 0; k < stems; k++) {
        uint32_t channels = reader->sources[k].info.channels;
        if (channels != 1 && channels != reader->sources[stems].info.channels)
            return &reader->sources[k];
    }
    return NULL;
}

bool stem_take_reader_can_null(const struct stem_take_reader *reader)
{
    const size_t stems = reader->take->stem_count;
    if (!reader->take->has_mix || stems == 0)
        return false;
    for (size_t k = 0; k <= stems; k++)
        if (!reader->sources[k].reader)
            return false;
    return !stem_take_reader_misfit(reader);
}

struct stem_null_test *stem_take_reader_null_test(const struct stem_take_reader *reader)
{
    const size_t stems = reader->take->stem_count;
    uint32_t *channels = calloc(stems, sizeof *channels);
    struct stem_null_params params = {
        .channels = reader->sources[stems].info.channels,
        .stem_channels = channels,
        .stems = stems,
        .block_frames = reader->block_frames,
        .bits = stem_encoding_bits(reader->take->encoding),
    };
    if (!channels)
        return NULL;
    for (size_t k = 0; k < stems; k++) {
        const struct stem_take_source *source = &reader->sources[k];
        channels[k] = source->info.channels;
        params.terms += source->stem->inputs ? source->stem->inputs : 1;
    }
    struct stem_null_test *test = stem_null_test_create(&params);
    free(channels);
    return test;
}

size_t stem_take_reader_null_frames(const struct stem_take_reader *reader)
{
    uint64_t frames = reader->next;
    for (size_t k = 0; k <= reader->take->stem_count; k++)
        if (reader->sources[k].info.frames < frames)
            frames = reader->sources[k].info.frames;
    return frames > reader->from ? (size_t)(frames - reader->from) : 0;
}

/* Silences frames [begin, end) of the block in all files. */
static void blank(struct stem_take_reader *reader, size_t begin, size_t end)
{
    for (size_t k = 0; k < reader->count; k++) {
        struct stem_take_source *source = &reader->sources[k];
        uint32_t channels = source->info.channels;
        if (source->block)
            memset(source->block + begin * channels, 0,
                (end - begin) * channels * sizeof *source->block);
    }
}

/* The part of a recovered gap that lies in the block, from the block's first frame on. */
static bool recovered_part(const struct stem_take_reader *reader, const struct stem_take_gap *gap,
    size_t *begin, size_t *end)
{
    uint64_t first = gap->frame, behind = gap->frame + gap->frames;
    if (!(gap->reasons & STEM_GAP_RECOVERED) || first >= reader->next || behind <= reader->from)
        return false;
    *begin = first > reader->from ? (size_t)(first - reader->from) : 0;
    *end = (size_t)((behind < reader->next ? behind : reader->next) - reader->from);
    return true;
}

/* Gaps that end before the block are of no interest; recovered ones are near the end. */
static bool is_past(const struct stem_take_reader *reader, const struct stem_take_gap *gap)
{
    return gap->frame + gap->frames <= reader->from;
}

bool stem_take_reader_meets_recovered(const struct stem_take_reader *reader)
{
    const struct stem_take *take = reader->take;
    size_t begin, end;
    for (size_t g = take->gap_count; g > 0 && !is_past(reader, &take->gaps[g - 1]); g--)
        if (recovered_part(reader, &take->gaps[g - 1], &begin, &end))
            return true;
    return false;
}

void stem_take_reader_blank_recovered(struct stem_take_reader *reader)
{
    const struct stem_take *take = reader->take;
    size_t begin, end;
    for (size_t g = take->gap_count; g > 0 && !is_past(reader, &take->gaps[g - 1]); g--)
        if (recovered_part(reader, &take->gaps[g - 1], &begin, &end))
            blank(reader, begin, end);
}
