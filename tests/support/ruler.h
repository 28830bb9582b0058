/* The ruler: samples that encode their own frame and channel.
 *
 * value(frame, port) is a pseudo-random signed integer of `bits` bits, as a float scaled by 2^-23:
 * exactly a 24-bit sample. With 24 bits it covers the full scale; with 20 bits sums of up to 16
 * ports stay exact in single precision and in 24 bit. The frame is JACK's own 32-bit frame.
 */
#ifndef STEM_RULER_H
#define STEM_RULER_H

#include <stdint.h>

/* Two rounds of multiply and xor-shift (the finaliser of MurmurHash3, shortened): cheap, and any
 * shift in time or swap of channels gives quite other values. */
static inline int32_t ruler_integer(uint32_t frame, uint32_t port, int bits)
{
    uint32_t h = frame + port * 0x9E3779B9u;
    h ^= h >> 16;
    h *= 0x85EBCA6Bu;
    h ^= h >> 13;
    h *= 0xC2B2AE35u;
    h ^= h >> 16;
    return (int32_t)h >> (32 - bits);
}

static inline float ruler_sample(uint32_t frame, uint32_t port, int bits)
{
    return (float)ruler_integer(frame, port, bits) * 0x1p-23f;
}

#endif
