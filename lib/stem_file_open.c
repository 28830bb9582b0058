/* libsndfile on top of a gathering file, and the metadata, all of which is written before the first
 * frame: libsndfile overwrites audio when it comes later or grows.
 */
#include "acid.h"
#include "flac_tags.h"
#include "stem_file_parts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOUDNESS_UNSET = 0x7FFF,   /* EBU Tech 3285 version 2 */
    MOST_HEADER_BYTES = 20480, /* iXML with the longest track list among it */
};

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

/* libsndfile puts a PEAK chunk, with the time of day, into RF64 floating-point files and cannot be
 * told not to: the same take would give different files. Its place becomes a JUNK chunk. */
static void blank_peak(unsigned char *header, size_t size)
{
    enum { FIRST_CHUNK = 12, CHUNK_HEAD = 8 };
    size_t at = FIRST_CHUNK;
    while (at + CHUNK_HEAD <= size) {
        unsigned char *chunk = header + at;
        size_t length =
            chunk[4] | (size_t)chunk[5] << 8 | (size_t)chunk[6] << 16 | (size_t)chunk[7] << 24;
        if (memcmp(chunk, "PEAK", 4) == 0 && length <= size - at - CHUNK_HEAD) {
            memcpy(chunk, "JUNK", 4);
            memset(chunk + CHUNK_HEAD, 0, length);
        }
        at += CHUNK_HEAD + length + length % 2;
    }
}

static sf_count_t vio_write(const void *bytes, sf_count_t size, void *data)
{
    unsigned char header[MOST_HEADER_BYTES];
    bool is_riff = size > 4 && (memcmp(bytes, "RIFF", 4) == 0 || memcmp(bytes, "RF64", 4) == 0);
    if (stem_gather_tell(data) != 0 || !is_riff || size > MOST_HEADER_BYTES)
        return stem_gather_write(data, bytes, size);
    memcpy(header, bytes, (size_t)size);
    blank_peak(header, (size_t)size);
    return stem_gather_write(data, header, size);
}

static sf_count_t vio_tell(void *data)
{
    return stem_gather_tell(data);
}

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

static int set_bext(SNDFILE *sound, const struct stem_file_params *params)
{
    SF_BROADCAST_INFO info = {0};
    if (params->container != STEM_WAV || !params->originated)
        return 0;
    snprintf(info.description, sizeof info.description, "%s",
        params->description ? params->description : "");
    memcpy(info.originator, "stemd", 5);
    if (params->reference)
        memcpy(info.originator_reference, params->reference,
            strnlen(params->reference, sizeof info.originator_reference));
    memcpy(info.origination_date, params->originated, strnlen(params->originated, 10));
    if (strlen(params->originated) >= 19)
        memcpy(info.origination_time, params->originated + 11, 8);
    info.time_reference_low = (uint32_t)params->time_reference_frames;
    info.time_reference_high = (uint32_t)(params->time_reference_frames >> 32);
    info.loudness_value = info.loudness_range = info.max_true_peak_level = LOUDNESS_UNSET;
    info.max_momentary_loudness = info.max_shortterm_loudness = LOUDNESS_UNSET;
    return sf_command(sound, SFC_SET_BROADCAST_INFO, &info, sizeof info) == SF_TRUE ? 0 : -1;
}

/* Whether libsndfile puts further chunks into the file. */
static bool takes_chunks(const struct stem_file_params *params)
{
    return params->container == STEM_WAV || params->container == STEM_AIFF ||
           params->container == STEM_CAF;
}

static int set_chunk(SNDFILE *sound, const char *id, void *bytes, size_t size)
{
    SF_CHUNK_INFO chunk = {.id_size = 4, .datalen = (unsigned)size, .data = bytes};
    memcpy(chunk.id, id, 4);
    return sf_set_chunk(sound, &chunk) == SF_ERR_NO_ERROR ? 0 : -1;
}

/* Without a tempo the place is held for one that is told during the take. */
static int set_acid(SNDFILE *sound, const struct stem_file_params *params)
{
    unsigned char bytes[STEM_ACID_BYTES];
    bool has_tempo = params->tempo_bpm > 0;
    if (!takes_chunks(params) || (!has_tempo && !params->is_of_take))
        return 0;
    stem_acid_make(params->tempo_bpm, bytes);
    return set_chunk(
        sound, has_tempo ? "acid" : stem_acid_place(params->container), bytes, sizeof bytes);
}

static int set_ixml(SNDFILE *sound, const struct stem_file_params *params)
{
    char *text;
    if (!takes_chunks(params) || !params->ixml)
        return 0;
    text = strdup(params->ixml); /* libsndfile wants to be able to change it */
    int status = text ? set_chunk(sound, "iXML", text, strlen(text)) : -1;
    free(text);
    return status;
}

/* Only the stem's name is told yet; the rest of the place is filled when the take is finished. */
static int set_tags(SNDFILE *sound, const struct stem_file_params *params)
{
    char blanks[STEM_FLAC_TAGS_BLANKS + 1];
    if (params->container != STEM_FLAC || !params->is_of_take)
        return 0;
    memset(blanks, ' ', sizeof blanks - 1);
    blanks[sizeof blanks - 1] = '\0';
    if (params->description && params->description[0] &&
        sf_set_string(sound, SF_STR_TITLE, params->description) != SF_ERR_NO_ERROR)
        return -1;
    return sf_set_string(sound, SF_STR_COMMENT, blanks) == SF_ERR_NO_ERROR ? 0 : -1;
}

static SNDFILE *fail(SNDFILE *sound, struct stem_gather *gather, const char *path,
    const char *problem, struct stem_error *error)
{
    if (stem_gather_problem(gather))
        stem_error_set_errno(error, stem_gather_problem(gather), "cannot write \"%s\"", path);
    else
        stem_error_set(error, "cannot write \"%s\": %s", path, problem);
    if (sound)
        sf_close(sound);
    return NULL;
}

SNDFILE *stem_file_open_sound(
    struct stem_gather *gather, const struct stem_file_params *params, struct stem_error *error)
{
    SF_INFO info = {
        .samplerate = (int)params->rate_hz,
        .channels = (int)params->channels,
        .format = format_of(params->container, params->encoding),
    };
    SF_VIRTUAL_IO virtual_io = {vio_length, vio_seek, vio_read, vio_write, vio_tell}; /* copied */
    SNDFILE *sound = sf_open_virtual(&virtual_io, SFM_WRITE, &info, gather);
    if (!sound)
        return fail(NULL, gather, params->path, sf_strerror(NULL), error);
    sf_command(sound, SFC_RF64_AUTO_DOWNGRADE, NULL, SF_TRUE);
    sf_command(sound, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
    if (set_bext(sound, params) || set_acid(sound, params) || set_ixml(sound, params) ||
        set_tags(sound, params))
        return fail(sound, gather, params->path, "it does not take the metadata", error);
    /* The header tells the size that the file had before it was written: only the second one counts
     * the metadata. */
    sf_command(sound, SFC_UPDATE_HEADER_NOW, NULL, 0);
    sf_command(sound, SFC_UPDATE_HEADER_NOW, NULL, 0);
    if (stem_gather_problem(gather))
        return fail(sound, gather, params->path, "", error);
    return sound;
}
