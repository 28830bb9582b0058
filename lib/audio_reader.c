#include "audio_reader.h"

#include "format.h"

#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stem_audio_reader {
    SNDFILE *sound;
};

static const char *container_of(int format)
{
    switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
    case SF_FORMAT_RF64:
        return stem_container_name(STEM_WAV);
    case SF_FORMAT_W64:
        return stem_container_name(STEM_W64);
    case SF_FORMAT_CAF:
        return stem_container_name(STEM_CAF);
    case SF_FORMAT_AIFF:
        return stem_container_name(STEM_AIFF);
    case SF_FORMAT_FLAC:
        return stem_container_name(STEM_FLAC);
    default:
        return "other";
    }
}

static const char *encoding_of(int format)
{
    switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_16:
        return stem_encoding_name(STEM_PCM16);
    case SF_FORMAT_PCM_24:
        return stem_encoding_name(STEM_PCM24);
    case SF_FORMAT_PCM_32:
        return stem_encoding_name(STEM_PCM32);
    case SF_FORMAT_FLOAT:
        return stem_encoding_name(STEM_FLOAT);
    case SF_FORMAT_DOUBLE:
        return stem_encoding_name(STEM_DOUBLE);
    default:
        return "other";
    }
}

struct stem_audio_reader *stem_audio_reader_open(
    const char *path, struct stem_audio_info *info, struct stem_error *error)
{
    struct stem_audio_reader *reader = calloc(1, sizeof *reader);
    SF_INFO found = {0};
    if (!reader) {
        stem_error_set(error, "no memory to read \"%s\"", path);
        return NULL;
    }
    reader->sound = sf_open(path, SFM_READ, &found);
    if (!reader->sound || found.channels < 1) {
        stem_error_set(error, "cannot read \"%s\": %s", path, sf_strerror(reader->sound));
        stem_audio_reader_close(reader);
        return NULL;
    }
    *info = (struct stem_audio_info){
        .rate_hz = (uint32_t)found.samplerate,
        .channels = (uint32_t)found.channels,
        .frames = found.frames > 0 ? (uint64_t)found.frames : 0,
    };
    snprintf(info->container, sizeof info->container, "%s", container_of(found.format));
    snprintf(info->encoding, sizeof info->encoding, "%s", encoding_of(found.format));
    return reader;
}

size_t stem_audio_reader_read(struct stem_audio_reader *reader, double *interleaved, size_t frames)
{
    sf_count_t got = sf_readf_double(reader->sound, interleaved, (sf_count_t)frames);
    return got > 0 ? (size_t)got : 0;
}

void stem_audio_reader_close(struct stem_audio_reader *reader)
{
    if (!reader)
        return;
    if (reader->sound)
        sf_close(reader->sound);
    free(reader);
}
