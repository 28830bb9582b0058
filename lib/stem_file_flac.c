/* The end of a FLAC file that cannot grow any more. Its encoder cannot go back, but it wrote one
 * whole block after the other, all of the same length and numbered: the file can be cut where a
 * block begins, and its head be told the length. Nothing is decoded. Format: RFC 9639.
 */
#include "recover_flac_blocks.h"
#include "stem_file_parts.h"

#include <stdio.h>

enum { INFO_AT = 8, WINDOW_BYTES = 16384, HEAD_BYTES = 16 /* of a block, at most */ };

static size_t read_at(struct stem_gather *gather, int64_t at, unsigned char *bytes, size_t size)
{
    stem_gather_seek(gather, at, SEEK_SET);
    return (size_t)stem_gather_read(gather, bytes, (int64_t)size);
}

uint32_t stem_file_flac_block(struct stem_gather *gather)
{
    unsigned char size[2];
    int64_t place = stem_gather_tell(gather);
    size_t got = read_at(gather, INFO_AT, size, sizeof size);
    stem_gather_seek(gather, place, SEEK_SET);
    return got == sizeof size ? (uint32_t)(size[0] << 8 | size[1]) : 0;
}

/* The last block before `end` in bytes of the file from `begin` on; its offset, or -1. */
static int64_t find_between(const struct stem_flac *flac, int64_t begin, int64_t end,
    uint64_t most_number, struct recover_flac_block *block)
{
    unsigned char bytes[WINDOW_BYTES + HEAD_BYTES];
    size_t size = read_at(flac->gather, begin, bytes, (size_t)(end - begin) + HEAD_BYTES);
    for (int64_t at = end; at-- > begin;) {
        const size_t k = (size_t)(at - begin);
        if (k < size && bytes[k] == 0xFF && recover_flac_block_parse(bytes + k, size - k, block) &&
            block->channels == flac->channels && (block->bits == 0 || block->bits == flac->bits) &&
            block->frames <= flac->block_frames && block->number <= most_number)
            return at;
    }
    return -1;
}

/* The last block in the file with at most that number; its offset, or -1. */
static int64_t find_last(
    const struct stem_flac *flac, uint64_t most_number, struct recover_flac_block *block)
{
    for (int64_t end = stem_gather_length(flac->gather); end > flac->audio_at;) {
        int64_t begin = end - WINDOW_BYTES > flac->audio_at ? end - WINDOW_BYTES : flac->audio_at;
        int64_t at = find_between(flac, begin, end, most_number, block);
        if (at >= 0)
            return at;
        end = begin;
    }
    return -1;
}

/* Whether a block may begin at an offset, where the file has only a few bytes more. */
static bool may_begin(const struct stem_flac *flac, int64_t at)
{
    unsigned char bytes[2] = {0, 0xF8};
    return read_at(flac->gather, at, bytes, sizeof bytes) > 0 && bytes[0] == 0xFF &&
           bytes[1] == 0xF8;
}

/* Where the file's last block ends, which begins at an offset: with the file, or a few bytes before
 * it, where the head of another one was begun. A checksum over itself leaves zero. 0 when the block
 * is not whole. */
static int64_t end_of_block(const struct stem_flac *flac, int64_t at)
{
    unsigned char bytes[WINDOW_BYTES];
    const int64_t length = stem_gather_length(flac->gather);
    int64_t end = 0;
    uint16_t crc = 0;
    size_t got;
    for (; (got = read_at(flac->gather, at, bytes, sizeof bytes)) > 0; at += (int64_t)got)
        for (size_t k = 0; k < got; k++) {
            const int64_t behind = at + (int64_t)k + 1;
            crc = recover_flac_crc16(crc, bytes[k]);
            if (crc == 0 && length - behind < HEAD_BYTES &&
                (behind == length || may_begin(flac, behind)))
                end = behind;
        }
    return end;
}

static void set_length(const struct stem_flac *flac, uint64_t frames)
{
    unsigned char info[RECOVER_FLAC_INFO_BYTES];
    if (read_at(flac->gather, INFO_AT, info, sizeof info) != sizeof info ||
        !recover_flac_set_frames(info, frames))
        return;
    stem_gather_seek(flac->gather, INFO_AT, SEEK_SET);
    stem_gather_write(flac->gather, info, sizeof info);
}

uint64_t stem_file_flac_settle(const struct stem_flac *flac, uint64_t most_frames)
{
    struct recover_flac_block block = {0};
    uint64_t frames = 0;
    int64_t at = find_last(flac, most_frames / flac->block_frames, &block);
    if (at >= 0) {
        const int64_t end = end_of_block(flac, at);
        frames = block.number * flac->block_frames + (end ? block.frames : 0);
        stem_gather_cut(flac->gather, end ? end : at);
    } else {
        stem_gather_cut(flac->gather, flac->audio_at);
    }
    set_length(flac, frames);
    return frames;
}

bool stem_file_flac_cut(const struct stem_flac *flac, uint64_t frames)
{
    struct recover_flac_block block = {0};
    const uint64_t number = frames / flac->block_frames;
    int64_t at = find_last(flac, number, &block);
    if (at < 0 || block.number != number || stem_gather_cut(flac->gather, at))
        return false;
    set_length(flac, frames);
    return true;
}
