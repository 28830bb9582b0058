/* Reading audio files of any kind libsndfile knows, as doubles (1.0 = full scale). */
#ifndef STEM_AUDIO_READER_H
#define STEM_AUDIO_READER_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

struct stem_audio_reader;

struct stem_audio_info {
    uint32_t rate_hz;
    uint32_t channels;
    uint64_t frames;
    char container[16]; /* name as in format.h ("wav" for RF64, WAVEX and WAV), or "other" */
    char encoding[16];  /* name as in format.h, or "other" */
};

/* Opens an ordinary file; NULL and `error` (with the path) when it cannot be read. A FLAC file that
 * does not know its length, because its recorder was killed, is decoded once to find out. Any one
 * thread. */
struct stem_audio_reader *stem_audio_reader_open(
    const char *path, struct stem_audio_info *info, struct stem_error *error);

/* Reads up to `frames` interleaved frames; returns how many, 0 at the end. */
size_t stem_audio_reader_read(struct stem_audio_reader *reader, double *interleaved, size_t frames);

void stem_audio_reader_close(struct stem_audio_reader *reader);

#endif
