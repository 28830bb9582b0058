/* FLAC streams, as far as recovery needs them: which blocks are whole, and how to go on with
 * silence.
 *
 * A block ("frame" in FLAC's own words) begins with a header that has a checksum and a number, and
 * ends with a checksum over all of it, so each can be trusted or not by itself. Nothing is decoded:
 * whole blocks stay the bytes that they are. Format: RFC 9639. Only what libFLAC's encoder makes is
 * expected: fixed block size, numbers counting blocks.
 */
#include "recover_parts.h"

#include "recover_flac_blocks.h"
#include "write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    INFO_AT = 8,
    INFO_BYTES = RECOVER_FLAC_INFO_BYTES,
    HEAD_BYTES = 16, /* the longest header of a block */
    WINDOW_BYTES = 1 << 20,
    MOST_METADATA_BYTES = 1 << 24,
};

/* Reading forward through a file; a few bytes ahead are always there. */
struct window {
    int fd;
    uint64_t file_bytes;
    uint64_t zeros_at; /* from here on there is nothing but zeros */
    uint64_t at;       /* file offset of bytes[0] */
    size_t size;
    bool failed;
    unsigned char bytes[WINDOW_BYTES + HEAD_BYTES];
};

/* The bytes at a file offset, at least HEAD_BYTES unless the file ends; how many there are. */
static size_t look_at(struct window *window, uint64_t at, const unsigned char **bytes)
{
    if (at < window->at || at + HEAD_BYTES > window->at + window->size) {
        size_t got = 0;
        ssize_t now = 1;
        while (got < sizeof window->bytes && now > 0) {
            now = pread(
                window->fd, window->bytes + got, sizeof window->bytes - got, (off_t)(at + got));
            got += now > 0 ? (size_t)now : 0;
        }
        window->failed = window->failed || now < 0;
        window->at = at;
        window->size = got;
    }
    *bytes = window->bytes + (at - window->at);
    return window->size - (size_t)(at - window->at);
}

static uint64_t big(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t k = 0; k < count; k++)
        value = value << 8 | bytes[k];
    return value;
}

/* STREAMINFO, and where the metadata ends. */
static bool read_head(struct window *window, struct recover_flac *flac)
{
    const unsigned char *bytes;
    size_t size = look_at(window, 0, &bytes);
    if (size < INFO_AT + INFO_BYTES || memcmp(bytes, "fLaC", 4) != 0 || (bytes[4] & 0x7F) != 0 ||
        big(bytes + 5, 3) != INFO_BYTES)
        return false;
    const unsigned char *info = bytes + INFO_AT;
    uint64_t packed = big(info + 10, 8); /* rate 20, channels 3, bits 5, frames 36 */
    flac->block_frames = (uint32_t)big(info, 2);
    flac->rate_hz = (uint32_t)(packed >> 44);
    flac->channels = (uint32_t)(packed >> 41 & 7) + 1;
    flac->bits = (uint32_t)(packed >> 36 & 31) + 1;
    bool is_last = bytes[4] & 0x80;
    for (flac->audio_at = INFO_AT + INFO_BYTES; !is_last;) {
        if (look_at(window, flac->audio_at, &bytes) < 4)
            return false;
        is_last = bytes[0] & 0x80;
        flac->audio_at += 4 + big(bytes + 1, 3);
        if (flac->audio_at > MOST_METADATA_BYTES)
            return false;
    }
    return flac->rate_hz >= 1 && flac->rate_hz <= RECOVER_MOST_RATE && flac->block_frames >= 16 &&
           (flac->bits == 16 || flac->bits == 24);
}

/* A block header at an offset that fits this stream. */
static bool read_block(struct window *window, const struct recover_flac *flac, uint64_t at,
    struct recover_flac_block *block)
{
    const unsigned char *bytes;
    size_t size = look_at(window, at, &bytes);
    return recover_flac_block_parse(bytes, size, block) && block->channels == flac->channels &&
           (block->bits == 0 || block->bits == flac->bits) && block->frames <= flac->block_frames;
}

/* Largest size of a block: as if nothing could be compressed. */
static uint64_t most_bytes(const struct recover_flac *flac)
{
    return (uint64_t)flac->block_frames * flac->channels * (flac->bits + 1) / 8 + 64 +
           16 * flac->channels;
}

/* Where the block at `at` ends: its checksum fits, and then comes the next block, or nothing but
 * zeros. 0 when it is not whole. */
static uint64_t end_of_block(
    struct window *window, const struct recover_flac *flac, uint64_t at, uint64_t block_number)
{
    uint16_t crc = 0;
    uint64_t most = at + most_bytes(flac);
    const unsigned char *bytes;
    for (uint64_t p = at; p <= window->file_bytes && p <= most; p++) {
        struct recover_flac_block next;
        size_t size = look_at(window, p, &bytes);
        if (p > at && crc == 0) {      /* a checksum over itself leaves zero */
            if (p >= window->zeros_at) /* when its last byte is zero, it leaves zero twice */
                return p + 1 == window->file_bytes ? p + 1 : p;
            if (bytes[0] == 0xFF && read_block(window, flac, p, &next) &&
                next.number == block_number + 1)
                return p;
        }
        if (size == 0)
            return 0;
        crc = recover_flac_crc16(crc, bytes[0]);
    }
    return 0;
}

/* Adds a whole block to the runs. */
static int add_block(
    struct recover_flac *flac, uint64_t at, uint64_t end, const struct recover_flac_block *block)
{
    struct recover_flac_run *last = flac->run_count ? &flac->runs[flac->run_count - 1] : NULL;
    if (!last || last->at + last->bytes != at || last->first + last->blocks != block->number) {
        struct recover_flac_run *runs = realloc(flac->runs, (flac->run_count + 1) * sizeof *runs);
        if (!runs)
            return -1;
        flac->runs = runs;
        last = &runs[flac->run_count++];
        *last = (struct recover_flac_run){.at = at, .first = block->number};
    }
    last->bytes += end - at;
    last->blocks++;
    flac->blocks = block->number + 1;
    flac->frames = block->number * flac->block_frames + block->frames;
    flac->ends_short = block->frames < flac->block_frames;
    return 0;
}

/* Numbers only grow; one far ahead of what the bytes in between could have held is chance. */
static bool may_follow(const struct recover_flac *flac, const struct recover_flac_block *block,
    uint64_t at, uint64_t file_bytes)
{
    enum { LEAST_BLOCK_BYTES = 10 };
    return !flac->ends_short && block->number >= flac->blocks && at < file_bytes &&
           block->number - flac->blocks <= file_bytes / LEAST_BLOCK_BYTES &&
           block->number < UINT64_C(1) << 31;
}

static int scan_blocks(struct window *window, struct recover_flac *flac)
{
    for (uint64_t at = flac->audio_at; at < window->zeros_at;) {
        const unsigned char *bytes;
        struct recover_flac_block block;
        uint64_t end = 0;
        look_at(window, at, &bytes);
        if (bytes[0] == 0xFF && read_block(window, flac, at, &block) &&
            may_follow(flac, &block, at, window->file_bytes))
            end = end_of_block(window, flac, at, block.number);
        if (end && add_block(flac, at, end, &block))
            return -1;
        at = end ? end : at + 1;
    }
    return window->failed ? -1 : 0;
}

/* The offset behind the last byte that is not zero. */
static uint64_t find_zeros(int fd, uint64_t file_bytes)
{
    unsigned char bytes[4096];
    for (uint64_t at = file_bytes; at > 0;) {
        size_t size = at < sizeof bytes ? (size_t)at : sizeof bytes;
        if (pread(fd, bytes, size, (off_t)(at - size)) != (ssize_t)size)
            return at;
        for (size_t k = size; k > 0; k--)
            if (bytes[k - 1])
                return at - size + k;
        at -= size;
    }
    return 0;
}

/* A head from elsewhere, as if it had been read from the file. */
static bool borrow_head(
    struct window *window, const unsigned char *head, size_t size, struct recover_flac *flac)
{
    if (!head || size > WINDOW_BYTES)
        return false;
    memcpy(window->bytes, head, size);
    window->at = 0;
    window->size = size;
    bool is_head = read_head(window, flac);
    window->size = 0;
    return is_head;
}

bool recover_flac_scan(
    int fd, const unsigned char *head, size_t head_bytes, struct recover_flac *flac)
{
    struct window *window = calloc(1, sizeof *window);
    off_t size = lseek(fd, 0, SEEK_END);
    bool is_flac = false;
    *flac = (struct recover_flac){0};
    if (window && size >= 0) {
        window->fd = fd;
        window->file_bytes = (uint64_t)size;
        window->zeros_at = find_zeros(fd, window->file_bytes);
        is_flac = (head ? borrow_head(window, head, head_bytes, flac) : read_head(window, flac)) &&
                  scan_blocks(window, flac) == 0;
    }
    free(window);
    if (!is_flac)
        recover_flac_finish(flac);
    return is_flac;
}

void recover_flac_finish(struct recover_flac *flac)
{
    free(flac->runs);
    *flac = (struct recover_flac){0};
}

int recover_flac_lost(const struct recover_flac *flac, struct recover_spans *lost)
{
    uint64_t next = 0;
    for (size_t k = 0; k < flac->run_count; k++) {
        if (recover_spans_add(
                lost, next * flac->block_frames, flac->runs[k].first * flac->block_frames))
            return -1;
        next = flac->runs[k].first + flac->runs[k].blocks;
    }
    return 0;
}

/* Completing */

static int copy_bytes(int from, uint64_t from_at, uint64_t size, int to, uint64_t to_at)
{
    unsigned char bytes[65536];
    while (size > 0) {
        size_t part = size < sizeof bytes ? (size_t)size : sizeof bytes;
        ssize_t got = pread(from, bytes, part, (off_t)from_at);
        if (got <= 0) {
            errno = got == 0 ? EIO : errno;
            return -1;
        }
        if (stem_write_all(to, bytes, (size_t)got, to_at))
            return -1;
        from_at += (uint64_t)got;
        to_at += (uint64_t)got;
        size -= (uint64_t)got;
    }
    return 0;
}

/* Silent blocks from number `first` on, up to frame `end`, written at `at`. Returns the offset
 * behind them, 0 when that fails. */
static uint64_t write_silence(
    const struct recover_flac *flac, int fd, uint64_t at, uint64_t first, uint64_t end)
{
    unsigned char bytes[65536];
    size_t used = 0;
    for (uint64_t number = first; number * flac->block_frames < end; number++) {
        uint64_t left = end - number * flac->block_frames;
        struct recover_flac_block block = {
            .number = number,
            .frames = left < flac->block_frames ? (uint32_t)left : flac->block_frames,
            .channels = flac->channels,
            .bits = flac->bits,
        };
        used += recover_flac_silence(&block, flac->rate_hz, bytes + used);
        if (used + RECOVER_FLAC_SILENCE_BYTES > sizeof bytes) {
            if (stem_write_all(fd, bytes, used, at))
                return 0;
            at += used;
            used = 0;
        }
    }
    return stem_write_all(fd, bytes, used, at) ? 0 : at + used;
}

/* The head says how long the stream is. */
static int write_length(int fd, uint64_t frames)
{
    unsigned char info[RECOVER_FLAC_INFO_BYTES];
    if (pread(fd, info, sizeof info, INFO_AT) != sizeof info)
        return -1;
    return recover_flac_set_frames(info, frames) ? stem_write_all(fd, info, sizeof info, INFO_AT)
                                                 : 0;
}

static int complete_in_place(const struct recover_flac *flac, int fd, uint64_t frames)
{
    const struct recover_flac_run *run = flac->runs;
    uint64_t end = run ? run->at + run->bytes : flac->audio_at;
    off_t size = lseek(fd, 0, SEEK_END);
    if (size > (off_t)end && ftruncate(fd, (off_t)end) != 0)
        return -1;
    if (frames > flac->frames && !write_silence(flac, fd, end, flac->blocks, frames))
        return -1;
    return write_length(fd, frames) || fdatasync(fd) ? -1 : 0;
}

static int copy_runs(const struct recover_flac *flac, int from, int to, uint64_t frames)
{
    uint64_t at = flac->audio_at, next = 0;
    if (copy_bytes(from, 0, at, to, 0))
        return -1;
    for (size_t k = 0; k < flac->run_count; k++) {
        const struct recover_flac_run *run = &flac->runs[k];
        at = write_silence(flac, to, at, next, run->first * flac->block_frames);
        if (!at || copy_bytes(from, run->at, run->bytes, to, at))
            return -1;
        at += run->bytes;
        next = run->first + run->blocks;
    }
    if (frames > flac->frames && !write_silence(flac, to, at, next, frames))
        return -1;
    return write_length(to, frames) || fdatasync(to) ? -1 : 0;
}

static int complete_copy(const struct recover_flac *flac, int fd, const char *path, uint64_t frames)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof copy, "%s.recovering", path) >= (int)sizeof copy) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int to = open(copy, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (to < 0)
        return -1;
    struct stat old;
    if (fstat(fd, &old) == 0 && fchmod(to, old.st_mode & 07777) != 0)
        errno = 0; /* it belongs to somebody else then: its mode is a smaller loss than its audio */
    int status = copy_runs(flac, fd, to, frames), problem = errno;
    close(to);
    if (status == 0 && rename(copy, path) == 0)
        return 0;
    problem = status ? problem : errno;
    unlink(copy);
    errno = problem;
    return -1;
}

int recover_flac_complete(
    const struct recover_flac *flac, int fd, const char *path, uint64_t frames)
{
    bool is_whole = flac->run_count == 0 || (flac->run_count == 1 && flac->runs[0].first == 0 &&
                                                flac->runs[0].at == flac->audio_at);
    return is_whole ? complete_in_place(flac, fd, frames) : complete_copy(flac, fd, path, frames);
}
