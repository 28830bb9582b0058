/* Single blocks of a FLAC stream ("frames" in its own words): their headers, their checksums, and
 * silent ones; and the stream's length. Format: RFC 9639, sections 8.2 and 9. Pure computation, any
 * thread.
 */
#ifndef STEM_RECOVER_FLAC_BLOCKS_H
#define STEM_RECOVER_FLAC_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recover_flac_block {
    uint64_t number;
    uint32_t frames; /* of audio */
    uint32_t channels;
    uint32_t bits; /* 0: as STREAMINFO says */
    size_t bytes;  /* of the header, with its checksum */
};

/* Reads a block's header. False when there is none, or its checksum does not fit. */
bool recover_flac_block_parse(
    const unsigned char *bytes, size_t size, struct recover_flac_block *block);

/* Goes on with the checksum that ends a block, from 0. */
uint16_t recover_flac_crc16(uint16_t crc, unsigned char byte);

enum { RECOVER_FLAC_SILENCE_BYTES = 64 };

/* Writes a block of silence; returns its bytes. `rate_hz` as in STREAMINFO, 16 or 24 bits, up to 8
 * channels, up to 65536 frames. */
size_t recover_flac_silence(const struct recover_flac_block *block, uint32_t rate_hz,
    unsigned char bytes[RECOVER_FLAC_SILENCE_BYTES]);

enum { RECOVER_FLAC_INFO_BYTES = 34 };

/* Sets the length in a STREAMINFO block, without its head. The checksum of the audio and the sizes
 * of its blocks become "unknown" (zero). False when it says that length already. */
bool recover_flac_set_frames(unsigned char info[RECOVER_FLAC_INFO_BYTES], uint64_t frames);

#endif
