#include "export_file.h"

#include "audio_reader.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK_FRAMES = 8192 };

/* Noise: splitmix64 (Steele, Lea, Flood 2014), whose upper 53 bits make a number in 0 … 1. */
static double uniform(uint64_t *state)
{
    uint64_t bits = *state += UINT64_C(0x9E3779B97F4A7C15);
    bits = (bits ^ bits >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94D049BB133111EB);
    return (double)((bits ^ bits >> 31) >> 11) * 0x1p-53;
}

static double step_of(const struct stem_export_file *file)
{
    int bits = stem_encoding_bits(file->to.encoding);
    return bits ? ldexp(1, 1 - bits) : 0;
}

static void add_dither(
    const struct stem_export_file *file, double *samples, size_t count, uint64_t *noise)
{
    double step = step_of(file);
    for (size_t i = 0; i < count; i++)
        samples[i] += step * (uniform(noise) - uniform(noise));
}

static int tell(const struct stem_export_file *file, double part, struct stem_error *error)
{
    if (!file->progress || file->progress(part, file->data))
        return 0;
    return stem_error_set(error, "interrupted");
}

static struct stem_audio_reader *open_source(
    const struct stem_export_file *file, struct stem_audio_info *info, struct stem_error *error)
{
    struct stem_audio_reader *reader = stem_audio_reader_open(file->from, info, error);
    if (reader && (info->channels != file->to.channels || info->rate_hz != file->to.rate_hz)) {
        stem_error_set(error, "\"%s\" has %u channels at %u Hz; the manifest says %u at %u",
            file->from, info->channels, info->rate_hz, file->to.channels, file->to.rate_hz);
        stem_audio_reader_close(reader);
        return NULL;
    }
    if (reader && info->frames != file->frames) {
        stem_error_set(error, "\"%s\" has %llu frames; the manifest says %llu", file->from,
            (unsigned long long)info->frames, (unsigned long long)file->frames);
        stem_audio_reader_close(reader);
        return NULL;
    }
    return reader;
}

/* Writing */

static int copy(struct stem_export_file *file, struct stem_audio_reader *reader,
    struct stem_file *out, double *block, struct stem_error *error)
{
    uint64_t noise = file->seed, done = 0;
    size_t got;
    while ((got = stem_audio_reader_read(reader, block, BLOCK_FRAMES)) > 0) {
        if (file->dither)
            add_dither(file, block, got * file->to.channels, &noise);
        if (stem_file_write_doubles(out, block, got, error))
            return -1;
        done += got;
        if (tell(file, 0.5 * (double)done / (double)file->frames, error))
            return -1;
    }
    if (done == file->frames)
        return 0;
    return stem_error_set(error, "\"%s\" is damaged: %llu of %llu frames can be read", file->from,
        (unsigned long long)done, (unsigned long long)file->frames);
}

static int write_file(struct stem_export_file *file, double *block, struct stem_error *error)
{
    struct stem_audio_info info;
    struct stem_audio_reader *reader = open_source(file, &info, error);
    struct stem_file *out = reader ? stem_file_create(&file->to, error) : NULL;
    int status = out ? copy(file, reader, out, block, error) : -1;
    if (out)
        file->clips = stem_file_clips(out);
    if (stem_file_close(out, true, status ? NULL : error))
        status = -1;
    stem_audio_reader_close(reader);
    return status;
}

/* Comparing */

/* How far a sample may be from what it was: nowhere; a rounding; a rounding and the dither. */
static bool is_right(const struct stem_export_file *file, double was, double is, double most)
{
    if (was == is || (isnan(was) && isnan(is)))
        return true;
    if (file->exact)
        return false;
    double step = step_of(file);
    if (step == 0) /* to floats */
        return (float)was == (float)is;
    if (isnan(was))
        return is == 0;
    double held = fmin(fmax(was, -1), 1 - step);
    return fabs(is - held) <= most;
}

static int compare(struct stem_export_file *file, struct stem_audio_reader *was,
    struct stem_audio_reader *is, double *blocks, struct stem_error *error)
{
    double *a = blocks, *b = blocks + (size_t)BLOCK_FRAMES * file->to.channels;
    double most = step_of(file) * (file->dither ? 1.5 : 0.5);
    uint64_t done = 0;
    for (;;) {
        size_t got = stem_audio_reader_read(was, a, BLOCK_FRAMES);
        if (stem_audio_reader_read(is, b, BLOCK_FRAMES) != got)
            return stem_error_set(error, "\"%s\" came out with another length", file->to.path);
        if (got == 0)
            return 0;
        for (size_t i = 0; i < got * file->to.channels; i++)
            if (!is_right(file, a[i], b[i], most))
                return stem_error_set(error, "\"%s\" came out wrong at frame %llu", file->to.path,
                    (unsigned long long)(done + i / file->to.channels));
        done += got;
        if (tell(file, 0.5 + 0.5 * (double)done / (double)file->frames, error))
            return -1;
    }
}

static int check_file(struct stem_export_file *file, double *blocks, struct stem_error *error)
{
    struct stem_audio_info info;
    struct stem_audio_reader *was = open_source(file, &info, error);
    struct stem_audio_reader *is = was ? stem_audio_reader_open(file->to.path, &info, error) : NULL;
    int status = is ? compare(file, was, is, blocks, error) : -1;
    if (is)
        stem_audio_reader_close(is);
    if (was)
        stem_audio_reader_close(was);
    return status;
}

int stem_export_file_write(struct stem_export_file *file, struct stem_error *error)
{
    double *blocks = calloc((size_t)BLOCK_FRAMES * 2 * file->to.channels, sizeof *blocks);
    if (!blocks)
        return stem_error_set(error, "no memory for \"%s\"", file->to.path);
    file->clips = 0;
    int status = write_file(file, blocks, error) || check_file(file, blocks, error) ? -1 : 0;
    free(blocks);
    return status;
}
