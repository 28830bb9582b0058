/* File formats: containers and sample encodings that a take can be written in. */
#ifndef STEM_FORMAT_H
#define STEM_FORMAT_H

#include <stdbool.h>

enum stem_container {
    STEM_WAV, /* written as RF64, ends as plain WAV when it stayed below 4 GiB */
    STEM_W64, /* Sony Wave64 */
    STEM_CAF, /* Apple Core Audio Format */
    STEM_AIFF,
    STEM_FLAC,
};

enum stem_encoding {
    STEM_PCM16,
    STEM_PCM24,
    STEM_PCM32,
    STEM_FLOAT,
    STEM_DOUBLE,
};

/* "wav" … and "pcm24" … as in configuration and manifest; never NULL for valid values. */
const char *stem_container_name(enum stem_container container);
const char *stem_encoding_name(enum stem_encoding encoding);

/* Parse a name; false when there is none like it. */
bool stem_container_parse(const char *name, enum stem_container *container);
bool stem_encoding_parse(const char *name, enum stem_encoding *encoding);

/* All names, separated by ", ", for error messages. */
const char *stem_container_names(void);
const char *stem_encoding_names(void);

/* File name extension without the dot. */
const char *stem_container_extension(enum stem_container container);

/* Significant bits of an integer encoding; 0 for float and double. */
int stem_encoding_bits(enum stem_encoding encoding);

/* Bytes that one sample takes (FLAC: before compression). */
int stem_encoding_bytes(enum stem_encoding encoding);

/* Whether the container can hold the encoding with that many channels (FLAC: 16 and 24 bit only,
 * at most 8 channels). */
bool stem_format_valid(enum stem_container container, enum stem_encoding encoding, int channels);

#endif
