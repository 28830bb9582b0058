#include "recover_flac_blocks.h"

#include <string.h>

/* Codes in the header that stand for "more bytes follow". */
enum {
    FRAMES_8_BIT = 6,
    FRAMES_16_BIT = 7,
    RATE_KHZ = 12,
    RATE_HZ = 13,
    RATE_TENS = 14,
};

static uint8_t crc8(const unsigned char *bytes, size_t count)
{
    uint8_t crc = 0;
    for (size_t k = 0; k < count; k++) {
        crc ^= bytes[k];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint8_t)(crc & 0x80 ? crc << 1 ^ 0x07 : crc << 1);
    }
    return crc;
}

/* Two bits at a time would be slow, a table of 256 has to be made: 16 entries serve both halves. */
uint16_t recover_flac_crc16(uint16_t crc, unsigned char byte)
{
    static const uint16_t HALF[16] = {0x0000, 0x8005, 0x800F, 0x000A, 0x801B, 0x001E, 0x0014,
        0x8011, 0x8033, 0x0036, 0x003C, 0x8039, 0x0028, 0x802D, 0x8027, 0x0022};
    crc = (uint16_t)(crc << 4 ^ HALF[crc >> 12 ^ byte >> 4]);
    return (uint16_t)(crc << 4 ^ HALF[crc >> 12 ^ (byte & 15)]);
}

/* The number, coded as in UTF-8 but up to 36 bits. Returns its bytes, 0 when it is none. */
static size_t read_number(const unsigned char *bytes, size_t size, uint64_t *number)
{
    size_t more = 0;
    if (size == 0)
        return 0;
    while (more < 7 && bytes[0] & 0x80 >> more)
        more++;
    if (more == 0) {
        *number = bytes[0];
        return 1;
    }
    if (more == 1 || more > size)
        return 0;
    *number = more < 7 ? bytes[0] & (0x7F >> more) : 0;
    for (size_t k = 1; k < more; k++) {
        if ((bytes[k] & 0xC0) != 0x80)
            return 0;
        *number = *number << 6 | (bytes[k] & 0x3F);
    }
    return more;
}

static size_t write_number(unsigned char *bytes, uint64_t number)
{
    size_t more = 0;
    if (number < 0x80) {
        bytes[0] = (unsigned char)number;
        return 1;
    }
    for (more = 1; number >> (5 * more + 6) != 0; more++) /* n bytes hold 5n + 1 bits */
        continue;
    for (size_t k = more; k > 0; k--) {
        bytes[k] = (unsigned char)(0x80 | (number & 0x3F));
        number >>= 6;
    }
    bytes[0] = (unsigned char)(0xFF << (7 - more) | number);
    return more + 1;
}

/* Frames from the code, or from the bytes behind the number. */
static bool read_frames(
    unsigned code, const unsigned char *bytes, size_t size, size_t *used, uint32_t *frames)
{
    size_t more = code == FRAMES_8_BIT ? 1 : code == FRAMES_16_BIT ? 2 : 0;
    if (code == 0 || size < *used + more)
        return false;
    if (more == 1)
        *frames = bytes[*used] + 1u;
    else if (more == 2)
        *frames = (uint32_t)(bytes[*used] << 8 | bytes[*used + 1]) + 1;
    else
        *frames = code == 1 ? 192 : code <= 5 ? 576u << (code - 2) : 256u << (code - 8);
    *used += more;
    return true;
}

bool recover_flac_block_parse(
    const unsigned char *bytes, size_t size, struct recover_flac_block *block)
{
    static const uint32_t BITS[8] = {0, 8, 12, 0, 16, 20, 24, 32};
    if (size < 6 || bytes[0] != 0xFF || bytes[1] != 0xF8 || bytes[3] & 1)
        return false;
    unsigned rate = bytes[2] & 15, channels = bytes[3] >> 4;
    size_t used = 4, got = read_number(bytes + used, size - used, &block->number);
    if (got == 0 || rate == 15 || channels > 10)
        return false;
    used += got;
    if (!read_frames(bytes[2] >> 4, bytes, size, &used, &block->frames))
        return false;
    used += rate == RATE_KHZ ? 1 : rate == RATE_HZ || rate == RATE_TENS ? 2 : 0;
    block->channels = channels < 8 ? channels + 1 : 2; /* stereo may be coded as a difference */
    block->bits = BITS[bytes[3] >> 1 & 7];
    block->bytes = used + 1;
    return used < size && crc8(bytes, used) == bytes[used];
}

/* The code for a rate as libFLAC chooses it, and the bytes that follow. */
static unsigned rate_code(uint32_t rate_hz, unsigned *more, uint32_t *value)
{
    static const uint32_t RATES[] = {
        0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000};
    *more = 0;
    for (unsigned code = 1; code < sizeof RATES / sizeof *RATES; code++)
        if (RATES[code] == rate_hz)
            return code;
    *more = 2;
    *value = rate_hz;
    if (rate_hz <= 255000 && rate_hz % 1000 == 0) {
        *more = 1;
        *value = rate_hz / 1000;
        return RATE_KHZ;
    }
    if (rate_hz <= 655350 && rate_hz % 10 == 0) {
        *value = rate_hz / 10;
        return RATE_TENS;
    }
    if (rate_hz <= UINT16_MAX)
        return RATE_HZ;
    *more = 0;
    return 0; /* as STREAMINFO says */
}

size_t recover_flac_silence(const struct recover_flac_block *block, uint32_t rate_hz,
    unsigned char bytes[RECOVER_FLAC_SILENCE_BYTES])
{
    unsigned more;
    uint32_t value = 0;
    unsigned rate = rate_code(rate_hz, &more, &value), frames = block->frames - 1;
    bytes[0] = 0xFF;
    bytes[1] = 0xF8;
    bytes[2] = (unsigned char)(FRAMES_16_BIT << 4 | rate);
    bytes[3] = (unsigned char)((block->channels - 1) << 4 | (block->bits == 24 ? 6 : 4) << 1);
    size_t used = 4 + write_number(bytes + 4, block->number);
    bytes[used++] = (unsigned char)(frames >> 8);
    bytes[used++] = (unsigned char)frames;
    for (; more > 0; more--)
        bytes[used++] = (unsigned char)(value >> 8 * (more - 1));
    bytes[used] = crc8(bytes, used);
    used++;
    /* Each channel is a constant: a byte of zero says so, the value follows. */
    size_t zeros = block->channels * (1 + block->bits / 8);
    memset(bytes + used, 0, zeros);
    used += zeros;
    uint16_t crc = 0;
    for (size_t k = 0; k < used; k++)
        crc = recover_flac_crc16(crc, bytes[k]);
    bytes[used++] = (unsigned char)(crc >> 8);
    bytes[used++] = (unsigned char)crc;
    return used;
}

bool recover_flac_set_frames(unsigned char info[RECOVER_FLAC_INFO_BYTES], uint64_t frames)
{
    const uint64_t all = (UINT64_C(1) << 36) - 1;
    uint64_t packed = 0; /* rate 20 bits, channels 3, bits 5, frames 36 */
    for (int k = 0; k < 8; k++)
        packed = packed << 8 | info[10 + k];
    if ((packed & all) == frames)
        return false;
    packed = (packed & ~all) | (frames > all ? 0 : frames);
    for (int k = 0; k < 8; k++)
        info[10 + k] = (unsigned char)(packed >> 8 * (7 - k));
    memset(info + 4, 0, 6);
    memset(info + 18, 0, 16);
    return true;
}
