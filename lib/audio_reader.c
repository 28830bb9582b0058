#include "audio_reader.h"

#include "format.h"
#include "wav_lists.h"

#include <errno.h>
#include <fcntl.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* libsndfile's sentence without its full stop. */
static int set_sound_error(struct stem_error *error, const char *path)
{
    const char *text = sf_strerror(NULL);
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '.')
        length--;
    return stem_error_set(error, "cannot read \"%s\": %.*s", path, (int)length, text);
}

/* Opens an ordinary file only: anything else could make us wait. */
static SNDFILE *open_sound(const char *path, SF_INFO *info, struct stem_error *error)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &file) != 0) {
        stem_error_set_errno(error, errno, "cannot read \"%s\"", path);
    } else if (!S_ISREG(file.st_mode)) {
        stem_error_set(error, "cannot read \"%s\": not an ordinary file", path);
    } else if (!stem_wav_lists_end(fd)) {
        stem_error_set(error, "cannot read \"%s\": its list of texts is damaged", path);
    } else {
        SNDFILE *sound = sf_open_fd(fd, SFM_READ, info, SF_TRUE); /* closes it in any case */
        if (!sound)
            set_sound_error(error, path);
        return sound;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* A FLAC file whose recorder was killed does not know its length: it is decoded to see. */
static uint64_t count_frames(const char *path)
{
    enum { SAMPLES = 8192 };
    int samples[SAMPLES];
    SF_INFO info = {0};
    SNDFILE *sound = open_sound(path, &info, NULL);
    uint64_t frames = 0;
    sf_count_t got = 0;
    while (sound && (got = sf_readf_int(sound, samples, SAMPLES / info.channels)) > 0)
        frames += (uint64_t)got;
    if (sound)
        sf_close(sound);
    return frames;
}

static void describe(const char *path, const SF_INFO *found, struct stem_audio_info *info)
{
    bool is_known = found->frames < SF_COUNT_MAX && found->frames >= 0;
    *info = (struct stem_audio_info){
        .rate_hz = (uint32_t)found->samplerate,
        .channels = (uint32_t)found->channels,
        .frames = is_known ? (uint64_t)found->frames : count_frames(path),
    };
    snprintf(info->container, sizeof info->container, "%s", container_of(found->format));
    snprintf(info->encoding, sizeof info->encoding, "%s", encoding_of(found->format));
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
    reader->sound = open_sound(path, &found, error);
    if (!reader->sound) {
        free(reader);
        return NULL;
    }
    describe(path, &found, info);
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
