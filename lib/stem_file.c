/* Samples take the shortest exact way into the file: little-endian integers are converted and
 * packed here and handed to libsndfile as raw bytes; floats that already look as they do in the
 * file go as they are; the rest is packed or encoded by libsndfile. Below libsndfile the bytes are
 * gathered (gather.h), which also knows what really reached the file. After a failure nothing more
 * is taken, the file is cut behind its last whole frame, and the header is set right.
 */
#include "stem_file.h"

#include "gather.h"
#include "sample.h"
#include "stem_file_parts.h"

#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCRATCH_SAMPLES = 4096 }; /* what is converted at a time stays in the first-level cache */

/* AIFF counts its bytes in 32 bits; this leaves room for the chunks around the audio. */
#define AIFF_MOST_BYTES (UINT64_C(0xFFFFFFFF) - 65536)

/* How samples reach the file. Packing here instead of in libsndfile, which has an 8 KiB buffer of
 * its own, saved a fifth of the processor's time for a whole recording of 64 files. */
enum way {
    WAY_BYTES,    /* converted and packed here */
    WAY_INTEGERS, /* converted here, packed or encoded by libsndfile */
    WAY_MEMORY,   /* the file holds floats as memory does */
    WAY_FLOATS,   /* turned into big-endian or double ones by libsndfile */
};

/* More than is written between two headers, and less than what readers take for a mistake. */
#define OPEN_END_BYTES (INT64_C(1) << 40)

struct stem_file {
    char *path;
    struct stem_gather *gather;
    SNDFILE *sound;
    enum stem_container container;
    enum way way;
    int bits; /* of an integer encoding, 0 for floating point */
    uint32_t channels;
    uint64_t frame_bytes;
    uint32_t block_frames; /* of FLAC's encoder; 1 elsewhere */
    int64_t audio_at;      /* offset of the first frame */
    uint64_t frames;
    uint64_t flushed; /* frames accepted at the last flush */
    uint64_t clips;
    float peak;
    int32_t scratch[SCRATCH_SAMPLES];
};

static int fail(const struct stem_file *file, struct stem_error *error)
{
    int problem = stem_gather_problem(file->gather);
    if (problem)
        return stem_error_set_errno(error, problem, "cannot write \"%s\"", file->path);
    return stem_error_set(error, "cannot write \"%s\": %s", file->path, sf_strerror(file->sound));
}

static enum way way_of(enum stem_container container, enum stem_encoding encoding)
{
    const bool is_little_endian_host = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    bool is_little_endian = container == STEM_WAV || container == STEM_W64;
    if (stem_encoding_bits(encoding) != 0)
        return is_little_endian ? WAY_BYTES : WAY_INTEGERS;
    return is_little_endian && is_little_endian_host && encoding == STEM_FLOAT ? WAY_MEMORY
                                                                               : WAY_FLOATS;
}

/* While a W64 file grows, its header says that the audio goes on for long. Readers stop at the
 * file's end; but what stands behind the end that a header tells, ffmpeg takes for a chunk, and
 * refuses files of a recorder that died when it looks too strange. libsndfile's next header is true
 * again. */
static void leave_end_open(struct stem_file *file)
{
    enum { CHUNK_HEAD = 24, SIZE_BYTES = 8 }; /* the size counts the chunk's own head */
    unsigned char bytes[SIZE_BYTES];
    int64_t place = stem_gather_tell(file->gather);
    uint64_t size =
        (uint64_t)(stem_gather_length(file->gather) - file->audio_at) + CHUNK_HEAD + OPEN_END_BYTES;
    if (file->container != STEM_W64 || stem_gather_problem(file->gather))
        return;
    for (size_t k = 0; k < SIZE_BYTES; k++)
        bytes[k] = (unsigned char)(size >> 8 * k);
    stem_gather_seek(file->gather, file->audio_at - SIZE_BYTES, SEEK_SET);
    stem_gather_write(file->gather, bytes, SIZE_BYTES);
    stem_gather_seek(file->gather, place, SEEK_SET);
}

/* What FLAC's encoder makes of a new file, if its head tells. */
static uint32_t block_of(const struct stem_file *file)
{
    enum { USUAL = 4096 };
    if (file->container != STEM_FLAC)
        return 1;
    uint32_t frames = stem_file_flac_block(file->gather);
    return frames ? frames : USUAL;
}

struct stem_file *stem_file_create(const struct stem_file_params *params, struct stem_error *error)
{
    if (!stem_format_valid(params->container, params->encoding, (int)params->channels) ||
        params->channels > SCRATCH_SAMPLES) {
        stem_error_set(error, "cannot write \"%s\": %s files cannot hold %u channels of %s",
            params->path, stem_container_name(params->container), params->channels,
            stem_encoding_name(params->encoding));
        return NULL;
    }
    struct stem_file *file = calloc(1, sizeof *file);
    char *path = strdup(params->path);
    if (!file || !path) {
        stem_error_set(error, "no memory to write \"%s\"", params->path);
        free(path);
        free(file);
        return NULL;
    }
    file->path = path;
    file->container = params->container;
    file->bits = stem_encoding_bits(params->encoding);
    file->way = way_of(params->container, params->encoding);
    file->channels = params->channels;
    file->frame_bytes =
        (uint64_t)params->channels * (uint64_t)stem_encoding_bytes(params->encoding);
    file->gather = stem_gather_create(path, error);
    if (file->gather)
        file->sound = stem_file_open_sound(file->gather, params, error);
    file->block_frames = file->sound ? block_of(file) : 1;
    if (file->sound) {
        file->audio_at = stem_gather_length(file->gather);
        return file;
    }
    bool is_there = file->gather != NULL;
    stem_file_close(file, false, NULL);
    if (is_there)
        unlink(params->path); /* we created it just now */
    return NULL;
}

static struct stem_flac flac_of(const struct stem_file *file)
{
    return (struct stem_flac){
        file->gather, file->audio_at, file->block_frames, file->channels, (uint32_t)file->bits};
}

/* Lets a FLAC encoder write its last block; if that or anything before failed, the file ends with
 * the last one that is whole. */
static void end_flac(struct stem_file *file)
{
    const struct stem_flac flac = flac_of(file);
    if (!file->sound)
        return;
    stem_gather_flush(file->gather);
    sf_close(file->sound);
    file->sound = NULL;
    if (stem_gather_flush(file->gather))
        file->frames = stem_file_flac_settle(&flac, file->frames);
}

/* After a failure: the file ends with the last frame that is whole, and header and figures say so.
 */
static void settle(struct stem_file *file)
{
    int64_t audio_bytes = stem_gather_length(file->gather) - file->audio_at;
    if (file->container == STEM_FLAC)
        end_flac(file);
    if (file->container == STEM_FLAC || audio_bytes < 0)
        return;
    file->frames = (uint64_t)audio_bytes / file->frame_bytes;
    stem_gather_cut(file->gather, file->audio_at + (int64_t)(file->frames * file->frame_bytes));
    sf_command(file->sound, SFC_UPDATE_HEADER_NOW, NULL, 0);
}

static int check_size(const struct stem_file *file, uint64_t frames, struct stem_error *error)
{
    if (file->container != STEM_AIFF ||
        file->frames + frames <= AIFF_MOST_BYTES / file->frame_bytes)
        return 0;
    return stem_error_set(error,
        "cannot write \"%s\": AIFF files end at 4 GiB; use wav, w64 or caf for long takes",
        file->path);
}

/* Appends bytes as they stand in the file; returns how many frames were taken. */
static sf_count_t append_raw(struct stem_file *file, const void *bytes, size_t frames)
{
    sf_count_t size = (sf_count_t)(frames * file->frame_bytes);
    return sf_write_raw(file->sound, bytes, size) / (sf_count_t)file->frame_bytes;
}

/* Converts and appends at most a scratch buffer full. */
static sf_count_t append_floats(struct stem_file *file, const void *interleaved, size_t frames)
{
    const float *in = interleaved;
    size_t samples = frames * file->channels;
    if (!file->bits)
        file->peak = stem_sample_peak(in, samples, file->peak);
    switch (file->way) {
    case WAY_FLOATS:
        return sf_writef_float(file->sound, in, (sf_count_t)frames);
    case WAY_MEMORY:
        return append_raw(file, in, frames);
    case WAY_INTEGERS:
        file->clips += stem_sample_to_int(in, file->scratch, samples, file->bits, &file->peak);
        return sf_writef_int(file->sound, file->scratch, (sf_count_t)frames);
    case WAY_BYTES:
        break;
    }
    unsigned char *bytes = (unsigned char *)file->scratch;
    file->clips += stem_sample_to_bytes(in, bytes, samples, file->bits, &file->peak);
    return append_raw(file, bytes, frames);
}

/* Silence is all zero bytes in every encoding but FLAC's, which has to encode it. */
static sf_count_t append_silence(struct stem_file *file, size_t frames)
{
    return file->container == STEM_FLAC
               ? sf_writef_int(file->sound, file->scratch, (sf_count_t)frames)
               : append_raw(file, file->scratch, frames);
}

/* Counts what was taken of `wanted` frames. */
static int account(
    struct stem_file *file, sf_count_t taken, size_t wanted, struct stem_error *error)
{
    bool is_first = file->frames == 0; /* before it libsndfile writes the header once more */
    file->frames += taken > 0 ? (uint64_t)taken : 0;
    if (is_first)
        leave_end_open(file);
    if (taken == (sf_count_t)wanted && stem_gather_problem(file->gather) == 0)
        return 0;
    settle(file);
    return fail(file, error);
}

/* Appends at most a scratch buffer full of interleaved samples of one type. */
typedef sf_count_t append_some(struct stem_file *file, const void *interleaved, size_t frames);

/* Appends in parts that fit into the scratch buffer. */
static int write_parts(struct stem_file *file, const void *interleaved, size_t sample_bytes,
    size_t frames, append_some *append_part, struct stem_error *error)
{
    const unsigned char *in = interleaved;
    size_t most = SCRATCH_SAMPLES / file->channels;
    if (stem_gather_problem(file->gather))
        return fail(file, error);
    if (check_size(file, frames, error))
        return -1;
    while (frames > 0) {
        size_t part = frames < most ? frames : most;
        if (account(file, append_part(file, in, part), part, error))
            return -1;
        in += part * file->channels * sample_bytes;
        frames -= part;
    }
    return 0;
}

int stem_file_write(
    struct stem_file *file, const float *interleaved, size_t frames, struct stem_error *error)
{
    return write_parts(file, interleaved, sizeof *interleaved, frames, append_floats, error);
}

/* The same for doubles, always by way of libsndfile. */
static sf_count_t append_doubles(struct stem_file *file, const void *interleaved, size_t frames)
{
    const double *in = interleaved;
    size_t samples = frames * file->channels;
    if (file->bits) {
        file->clips +=
            stem_sample_doubles_to_int(in, file->scratch, samples, file->bits, &file->peak);
        return sf_writef_int(file->sound, file->scratch, (sf_count_t)frames);
    }
    for (size_t i = 0; i < samples; i++)
        file->peak = fmaxf(file->peak, (float)fabs(in[i]));
    return sf_writef_double(file->sound, in, (sf_count_t)frames);
}

int stem_file_write_doubles(
    struct stem_file *file, const double *interleaved, size_t frames, struct stem_error *error)
{
    return write_parts(file, interleaved, sizeof *interleaved, frames, append_doubles, error);
}

int stem_file_write_silence(struct stem_file *file, uint64_t frames, struct stem_error *error)
{
    size_t most = sizeof file->scratch / (file->channels * sizeof(double));
    int status = 0;
    if (stem_gather_problem(file->gather))
        return fail(file, error);
    if (check_size(file, frames, error))
        return -1;
    memset(file->scratch, 0, sizeof file->scratch);
    stem_gather_allow_holes(file->gather, true);
    while (frames > 0 && status == 0) {
        size_t part = frames < most ? (size_t)frames : most;
        status = account(file, append_silence(file, part), part, error);
        frames -= part;
    }
    stem_gather_allow_holes(file->gather, false);
    return status;
}

int stem_file_flush(struct stem_file *file, struct stem_error *error)
{
    if (stem_gather_flush(file->gather) == 0) {
        if (file->sound)
            sf_command(file->sound, SFC_UPDATE_HEADER_NOW, NULL, 0);
        leave_end_open(file);
        stem_gather_write_back(file->gather);
        file->flushed = file->frames;
    }
    return account(file, 0, 0, error);
}

int stem_file_sync(struct stem_file *file, struct stem_error *error)
{
    stem_gather_sync(file->gather);
    return account(file, 0, 0, error);
}

int stem_file_end(struct stem_file *file, struct stem_error *error)
{
    if (file->container != STEM_FLAC)
        return stem_file_flush(file, error);
    end_flac(file);
    return stem_gather_problem(file->gather) ? fail(file, error) : 0;
}

void stem_file_cut(struct stem_file *file, uint64_t frames)
{
    const struct stem_flac flac = flac_of(file);
    if (frames >= file->frames)
        return;
    if (file->container == STEM_FLAC) {
        end_flac(file);
        if (frames < file->frames && stem_file_flac_cut(&flac, frames))
            file->frames = frames;
        return;
    }
    file->frames = frames;
    stem_gather_cut(file->gather, file->audio_at + (int64_t)(frames * file->frame_bytes));
    sf_command(file->sound, SFC_UPDATE_HEADER_NOW, NULL, 0);
}

uint32_t stem_file_block(const struct stem_file *file)
{
    return file->block_frames;
}

int stem_file_descriptor(const struct stem_file *file)
{
    return stem_gather_descriptor(file->gather);
}

int stem_file_problem(const struct stem_file *file)
{
    return stem_gather_problem(file->gather);
}

uint64_t stem_file_stored(const struct stem_file *file)
{
    if (file->container == STEM_FLAC) { /* a block is written when the next one has begun */
        uint64_t last = file->flushed ? file->flushed - 1 : 0,
                 stored = last - last % file->block_frames;
        return stored < file->frames ? stored : file->frames;
    }
    int64_t bytes = stem_gather_stored(file->gather) - file->audio_at;
    return bytes > 0 ? (uint64_t)bytes / file->frame_bytes : 0;
}

int stem_file_close(struct stem_file *file, bool sync, struct stem_error *error)
{
    if (!file)
        return 0;
    if (file->sound && stem_gather_flush(file->gather))
        settle(file); /* before libsndfile writes the final header */
    if (file->container == STEM_FLAC)
        end_flac(file);
    else if (file->sound)
        sf_close(file->sound);
    int problem = stem_gather_close(file->gather, sync);
    if (problem)
        stem_error_set_errno(error, problem, "cannot complete \"%s\"", file->path);
    free(file->path);
    free(file);
    return problem ? -1 : 0;
}

uint64_t stem_file_frames(const struct stem_file *file)
{
    return file->frames;
}

uint64_t stem_file_clips(const struct stem_file *file)
{
    return file->clips;
}

float stem_file_peak(const struct stem_file *file)
{
    return file->peak;
}
