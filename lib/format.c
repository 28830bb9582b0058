#include "format.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    const char *extension;
} CONTAINERS[] = {
    [STEM_WAV] = {"wav", "wav"},
    [STEM_W64] = {"w64", "w64"},
    [STEM_CAF] = {"caf", "caf"},
    [STEM_AIFF] = {"aiff", "aiff"},
    [STEM_FLAC] = {"flac", "flac"},
};

static const struct {
    const char *name;
    int bits;
    int bytes;
} ENCODINGS[] = {
    [STEM_PCM16] = {"pcm16", 16, 2},
    [STEM_PCM24] = {"pcm24", 24, 3},
    [STEM_PCM32] = {"pcm32", 32, 4},
    [STEM_FLOAT] = {"float", 0, 4},
    [STEM_DOUBLE] = {"double", 0, 8},
};

enum { FLAC_MAX_CHANNELS = 8 };

const char *stem_container_name(enum stem_container container)
{
    return CONTAINERS[container].name;
}

const char *stem_encoding_name(enum stem_encoding encoding)
{
    return ENCODINGS[encoding].name;
}

bool stem_container_parse(const char *name, enum stem_container *container)
{
    for (size_t k = 0; k < sizeof CONTAINERS / sizeof *CONTAINERS; k++)
        if (strcmp(name, CONTAINERS[k].name) == 0) {
            *container = (enum stem_container)k;
            return true;
        }
    return false;
}

bool stem_encoding_parse(const char *name, enum stem_encoding *encoding)
{
    for (size_t k = 0; k < sizeof ENCODINGS / sizeof *ENCODINGS; k++)
        if (strcmp(name, ENCODINGS[k].name) == 0) {
            *encoding = (enum stem_encoding)k;
            return true;
        }
    return false;
}

const char *stem_container_names(void)
{
    return "wav, w64, caf, aiff, flac";
}

const char *stem_encoding_names(void)
{
    return "pcm16, pcm24, pcm32, float, double";
}

const char *stem_container_extension(enum stem_container container)
{
    return CONTAINERS[container].extension;
}

int stem_encoding_bits(enum stem_encoding encoding)
{
    return ENCODINGS[encoding].bits;
}

int stem_encoding_bytes(enum stem_encoding encoding)
{
    return ENCODINGS[encoding].bytes;
}

bool stem_format_valid(enum stem_container container, enum stem_encoding encoding, int channels)
{
    if (container == STEM_FLAC)
        return (encoding == STEM_PCM16 || encoding == STEM_PCM24) && channels >= 1 &&
               channels <= FLAC_MAX_CHANNELS;
    return channels >= 1;
}
