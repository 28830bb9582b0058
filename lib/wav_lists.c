/* Chunks are walked as libsndfile walks them: a name that is none, at an odd place, is looked for
 * at the next bytes; elsewhere it ends the walk. */
#include "wav_lists.h"

#include "riff.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID_BYTES = 4, HEAD_BYTES = 8, FIRST_CHUNK = 12, DS64_DATA_AT = 28, ALIGNMENT = 4 };

#define SIZE_IN_DS64 0xFFFFFFFFu
#define MOST_TEXT_BYTES 0x7FFFFFFFu

static bool get(int fd, uint64_t at, void *bytes, size_t size)
{
    return at <= INT64_MAX && pread(fd, bytes, size, (off_t)at) == (ssize_t)size;
}

static bool is_kind(const unsigned char *id)
{
    return memcmp(id, "adtl", ID_BYTES) == 0 || memcmp(id, "INFO", ID_BYTES) == 0;
}

/* Some writers forget the byte that makes a text's length even. */
static bool texts_end(int fd, uint64_t at, uint64_t end, bool is_padded)
{
    unsigned char head[HEAD_BYTES];
    while (at + HEAD_BYTES <= end && get(fd, at, head, sizeof head)) {
        uint64_t size = stem_riff_number(head + ID_BYTES, 4);
        if (is_kind(head)) {
            at += ID_BYTES;
            continue;
        }
        if (size > MOST_TEXT_BYTES)
            return false;
        at += HEAD_BYTES + size + (is_padded ? size % 2 : 0);
    }
    return true;
}

static bool is_name(const unsigned char *id)
{
    for (int k = 0; k < ID_BYTES; k++)
        if (id[k] >= 0x80 || !isprint(id[k]))
            return false;
    return true;
}

/* Where the next chunk is looked for; UINT64_MAX: nowhere. */
static uint64_t next_of(int fd, uint64_t at, const unsigned char *head, bool is_rf64)
{
    uint64_t size = stem_riff_number(head + ID_BYTES, 4);
    unsigned char bytes[8];
    if (!is_name(head))
        return at % ALIGNMENT ? at + HEAD_BYTES - 3 : UINT64_MAX;
    if (is_rf64 && size == SIZE_IN_DS64 && memcmp(head, "data", ID_BYTES) == 0)
        size = get(fd, DS64_DATA_AT, bytes, sizeof bytes) ? stem_riff_number(bytes, 8) : UINT64_MAX;
    return size > INT64_MAX ? UINT64_MAX : at + HEAD_BYTES + size + size % 2;
}

bool stem_wav_lists_end(int fd)
{
    unsigned char head[FIRST_CHUNK];
    struct stat file;
    if (fstat(fd, &file) != 0 || !get(fd, 0, head, FIRST_CHUNK) ||
        memcmp(head + HEAD_BYTES, "WAVE", ID_BYTES) != 0)
        return true;
    const bool is_rf64 = memcmp(head, "RF64", ID_BYTES) == 0;
    const uint64_t file_bytes = (uint64_t)file.st_size;
    for (uint64_t at = FIRST_CHUNK; at < file_bytes && get(fd, at, head, HEAD_BYTES);
         at = next_of(fd, at, head, is_rf64)) {
        uint64_t end = at + HEAD_BYTES + stem_riff_number(head + ID_BYTES, 4);
        end = end < file_bytes ? end : file_bytes;
        if (memcmp(head, "LIST", ID_BYTES) == 0 && !(texts_end(fd, at + HEAD_BYTES, end, true) &&
                                                       texts_end(fd, at + HEAD_BYTES, end, false)))
            return false;
    }
    return true;
}
