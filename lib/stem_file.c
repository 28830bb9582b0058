#include "stem_file.h"

#include "gather.h"
#include "sample.h"

#include <errno.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCRATCH_SAMPLES = 16384,
    LOUDNESS_UNSET = 0x7FFF, /* EBU Tech 3285 version 2 */
    ACID_BYTES = 24,
};

/* AIFF counts its bytes in 32 bits; this leaves room for the chunks around the audio. */
#define AIFF_MOST_BYTES (UINT64_C(0xFFFFFFFF) - 65536)

struct stem_file {
    char *path;
    struct stem_gather *gather;
    SNDFILE *sound;
    enum stem_container container;
    int bits; /* of an integer encoding, 0 for floating point */
    int sample_bytes;
    uint32_t channels;
    uint64_t frames;
    uint64_t clips;
    float peak;
    int32_t scratch[SCRATCH_SAMPLES];
};

/* libsndfile on top of the gathering file */

static sf_count_t vio_length(void *data)
{
    return stem_gather_length(data);
}

static sf_count_t vio_seek(sf_count_t offset, int whence, void *data)
{
    return stem_gather_seek(data, offset, whence);
}

static sf_count_t vio_read(void *bytes, sf_count_t size, void *data)
{
    return stem_gather_read(data, bytes, size);
}

static sf_count_t vio_write(const void *bytes, sf_count_t size, void *data)
{
    return stem_gather_write(data, bytes, size);
}

static sf_count_t vio_tell(void *data)
{
    return stem_gather_tell(data);
}

static SF_VIRTUAL_IO virtual_io = {vio_length, vio_seek, vio_read, vio_write, vio_tell};

static int format_of(enum stem_container container, enum stem_encoding encoding)
{
    static const int MAJOR[] = {
        [STEM_WAV] = SF_FORMAT_RF64,
        [STEM_W64] = SF_FORMAT_W64,
        [STEM_CAF] = SF_FORMAT_CAF,
        [STEM_AIFF] = SF_FORMAT_AIFF,
        [STEM_FLAC] = SF_FORMAT_FLAC,
    };
    static const int SUBTYPE[] = {
        [STEM_PCM16] = SF_FORMAT_PCM_16,
        [STEM_PCM24] = SF_FORMAT_PCM_24,
        [STEM_PCM32] = SF_FORMAT_PCM_32,
        [STEM_FLOAT] = SF_FORMAT_FLOAT,
        [STEM_DOUBLE] = SF_FORMAT_DOUBLE,
    };
    return MAJOR[container] | SUBTYPE[encoding];
}

/* Metadata: everything is written before the first frame and never grows */

static int set_bext(struct stem_file *file, const struct stem_file_params *params)
{
    SF_BROADCAST_INFO info = {0};
    if (params->container != STEM_WAV || !params->originated)
        return 0;
    snprintf(info.description, sizeof info.description, "%s",
        params->description ? params->description : "");
    memcpy(info.originator, "stemd", 5);
    memcpy(info.origination_date, params->originated, strnlen(params->originated, 10));
    if (strlen(params->originated) >= 19)
        memcpy(info.origination_time, params->originated + 11, 8);
    info.time_reference_low = (uint32_t)params->time_reference_frames;
    info.time_reference_high = (uint32_t)(params->time_reference_frames >> 32);
    info.loudness_value = info.loudness_range = info.max_true_peak_level = LOUDNESS_UNSET;
    info.max_momentary_loudness = info.max_shortterm_loudness = LOUDNESS_UNSET;
    return sf_command(file->sound, SFC_SET_BROADCAST_INFO, &info, sizeof info) == SF_TRUE ? 0 : -1;
}

/* Sonic Foundry's `acid` chunk; only the tempo is told, never the loop flag. Layout: flags u32,
 * root note u16, two unknown fields, beats u32, meter 2 x u16, tempo float32, all little endian. */
static int set_acid(struct stem_file *file, const struct stem_file_params *params)
{
    enum { FLAG_ONE_SHOT = 1 };
    unsigned char bytes[ACID_BYTES] = {FLAG_ONE_SHOT};
    float tempo = (float)params->tempo_bpm;
    uint32_t bits;
    bool possible = params->container == STEM_WAV || params->container == STEM_AIFF ||
                    params->container == STEM_CAF;
    if (!possible || params->tempo_bpm <= 0)
        return 0;
    memcpy(&bits, &tempo, sizeof bits);
    for (int k = 0; k < 4; k++)
        bytes[ACID_BYTES - 4 + k] = (unsigned char)(bits >> 8 * k);
    SF_CHUNK_INFO chunk = {.id_size = 4, .datalen = ACID_BYTES, .data = bytes};
    memcpy(chunk.id, "acid", 4);
    return sf_set_chunk(file->sound, &chunk) == SF_ERR_NO_ERROR ? 0 : -1;
}

static int open_sound(
    struct stem_file *file, const struct stem_file_params *params, struct stem_error *error)
{
    SF_INFO info = {
        .samplerate = (int)params->rate_hz,
        .channels = (int)params->channels,
        .format = format_of(params->container, params->encoding),
    };
    file->sound = sf_open_virtual(&virtual_io, SFM_WRITE, &info, file->gather);
    if (!file->sound)
        return stem_error_set(error, "cannot write \"%s\": %s", params->path, sf_strerror(NULL));
    sf_command(file->sound, SFC_RF64_AUTO_DOWNGRADE, NULL, SF_TRUE);
    sf_command(file->sound, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
    if (set_bext(file, params) || set_acid(file, params))
        return stem_error_set(error, "cannot put metadata into \"%s\"", params->path);
    sf_command(file->sound, SFC_UPDATE_HEADER_NOW, NULL, 0);
    return 0;
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
    file->sample_bytes = stem_encoding_bytes(params->encoding);
    file->channels = params->channels;
    file->gather = stem_gather_create(path, error);
    if (file->gather && open_sound(file, params, error) == 0)
        return file;
    if (file->gather) {
        stem_file_close(file, false, NULL);
        remove(params->path); /* we created it just now */
        return NULL;
    }
    stem_file_close(file, false, NULL);
    return NULL;
}

static int fail(const struct stem_file *file, struct stem_error *error)
{
    int problem = stem_gather_problem(file->gather);
    if (problem)
        return stem_error_set_errno(error, problem, "cannot write \"%s\"", file->path);
    return stem_error_set(error, "cannot write \"%s\": %s", file->path, sf_strerror(file->sound));
}

static int check_size(const struct stem_file *file, uint64_t frames, struct stem_error *error)
{
    uint64_t frame_bytes = (uint64_t)file->channels * (uint64_t)file->sample_bytes;
    if (file->container != STEM_AIFF || (file->frames + frames) * frame_bytes <= AIFF_MOST_BYTES)
        return 0;
    return stem_error_set(error,
        "cannot write \"%s\": AIFF files end at 4 GiB; use wav, w64 or caf for long takes",
        file->path);
}

/* What reached the file counts, also after a short write. */
static int account(
    struct stem_file *file, sf_count_t written, size_t wanted, struct stem_error *error)
{
    file->frames += written > 0 ? (uint64_t)written : 0;
    if ((size_t)written == wanted && stem_gather_problem(file->gather) == 0)
        return 0;
    return fail(file, error);
}

static int write_integers(
    struct stem_file *file, const float *samples, size_t frames, struct stem_error *error)
{
    file->clips += stem_sample_to_int(
        samples, file->scratch, frames * file->channels, file->bits, &file->peak);
    sf_count_t written = sf_writef_int(file->sound, file->scratch, (sf_count_t)frames);
    return account(file, written, frames, error);
}

static int write_floats(
    struct stem_file *file, const float *samples, size_t frames, struct stem_error *error)
{
    file->peak = stem_sample_peak(samples, frames * file->channels, file->peak);
    sf_count_t written = sf_writef_float(file->sound, samples, (sf_count_t)frames);
    return account(file, written, frames, error);
}

int stem_file_write(
    struct stem_file *file, const float *interleaved, size_t frames, struct stem_error *error)
{
    size_t most = SCRATCH_SAMPLES / file->channels;
    if (check_size(file, frames, error))
        return -1;
    while (frames > 0) {
        size_t part = frames < most ? frames : most;
        int status = file->bits ? write_integers(file, interleaved, part, error)
                                : write_floats(file, interleaved, part, error);
        if (status)
            return -1;
        interleaved += part * file->channels;
        frames -= part;
    }
    return 0;
}

int stem_file_write_silence(struct stem_file *file, uint64_t frames, struct stem_error *error)
{
    size_t most = SCRATCH_SAMPLES / file->channels;
    int status = check_size(file, frames, error);
    memset(file->scratch, 0, sizeof file->scratch);
    stem_gather_allow_holes(file->gather, true);
    while (frames > 0 && status == 0) {
        size_t part = frames < most ? (size_t)frames : most;
        /* an all-zero integer is an all-zero float */
        sf_count_t written =
            file->bits ? sf_writef_int(file->sound, file->scratch, (sf_count_t)part)
                       : sf_writef_float(file->sound, (const float *)(const void *)file->scratch,
                             (sf_count_t)part);
        status = account(file, written, part, error);
        frames -= part;
    }
    stem_gather_allow_holes(file->gather, false);
    return status;
}

int stem_file_flush(struct stem_file *file, struct stem_error *error)
{
    if (stem_gather_flush(file->gather))
        return fail(file, error);
    sf_command(file->sound, SFC_UPDATE_HEADER_NOW, NULL, 0);
    return stem_gather_problem(file->gather) ? fail(file, error) : 0;
}

int stem_file_sync(struct stem_file *file, struct stem_error *error)
{
    return stem_gather_sync(file->gather) ? fail(file, error) : 0;
}

int stem_file_close(struct stem_file *file, bool sync, struct stem_error *error)
{
    if (!file)
        return 0;
    if (file->sound)
        sf_close(file->sound);
    int problem = file->gather ? stem_gather_problem(file->gather) : 0;
    if (file->gather && !problem && sync && stem_gather_sync(file->gather))
        problem = stem_gather_problem(file->gather);
    if (stem_gather_close(file->gather) && !problem)
        problem = EIO;
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
