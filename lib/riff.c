#include "riff.h"

#include "write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 8,    /* id and size */
    FIRST_CHUNK = 12,  /* behind "RIFF", size and "WAVE" */
    SIZE_AT = 4,       /* of the file, 32 bits */
    DS64_SIZE_AT = 20, /* of the file in RF64, 64 bits; ds64 is the first chunk */
    DS64_DATA_AT = 28, /* of the audio */
    DS64_LEAST_BYTES = 28,
};

#define SIZE_IN_DS64 0xFFFFFFFFu

uint64_t stem_riff_number(const unsigned char *bytes, size_t size)
{
    uint64_t number = 0;
    while (size-- > 0)
        number = number << 8 | bytes[size];
    return number;
}

void stem_riff_set_number(unsigned char *bytes, uint64_t number, size_t size)
{
    for (size_t k = 0; k < size; k++)
        bytes[k] = (unsigned char)(number >> 8 * k);
}

static int wrong(const struct stem_riff *riff, const char *what, struct stem_error *error)
{
    return stem_error_set(error, "\"%s\": %s", riff->path, what);
}

int stem_riff_read(
    const struct stem_riff *riff, uint64_t at, void *bytes, size_t size, struct stem_error *error)
{
    ssize_t got = pread(riff->fd, bytes, size, (off_t)at);
    if (got == (ssize_t)size)
        return 0;
    if (got < 0)
        return stem_error_set_errno(error, errno, "cannot read \"%s\"", riff->path);
    return wrong(riff, "it ends too early", error);
}

static int write_all(const struct stem_riff *riff, uint64_t at, const void *bytes, size_t size,
    struct stem_error *error)
{
    if (stem_write_all(riff->fd, bytes, size, at))
        return stem_error_set_errno(error, errno, "cannot write \"%s\"", riff->path);
    return 0;
}

static int sync_file(const struct stem_riff *riff, struct stem_error *error)
{
    if (fdatasync(riff->fd) == 0)
        return 0;
    return stem_error_set_errno(error, errno, "cannot write \"%s\"", riff->path);
}

/* Where the chunk's successor begins; the pad byte of the last one may be missing. */
static uint64_t end_of(const struct stem_riff *riff, const struct stem_riff_chunk *chunk)
{
    uint64_t end = chunk->at + HEAD_BYTES + chunk->bytes;
    return end + (end % 2 && end < riff->file_bytes);
}

int stem_riff_patch(const struct stem_riff *riff, uint64_t at, const void *bytes, size_t size,
    struct stem_error *error)
{
    const struct stem_riff_chunk *data = &riff->chunks[riff->data];
    if (at + size > data->at + HEAD_BYTES && at < end_of(riff, data))
        return wrong(riff, "audio is never changed", error);
    if (write_all(riff, at, bytes, size, error))
        return -1;
    return sync_file(riff, error);
}

/* Header */

static int read_sizes(struct stem_riff *riff, uint64_t *data_bytes, struct stem_error *error)
{
    unsigned char head[FIRST_CHUNK + HEAD_BYTES + DS64_LEAST_BYTES];
    if (stem_riff_read(riff, 0, head, FIRST_CHUNK, error))
        return -1;
    riff->is_rf64 = memcmp(head, "RF64", 4) == 0;
    if ((!riff->is_rf64 && memcmp(head, "RIFF", 4) != 0) || memcmp(head + 8, "WAVE", 4) != 0)
        return wrong(riff, "it is no WAV file", error);
    riff->end = stem_riff_number(head + SIZE_AT, 4);
    if (riff->is_rf64) {
        if (stem_riff_read(riff, 0, head, sizeof head, error))
            return -1;
        if (memcmp(head + FIRST_CHUNK, "ds64", 4) != 0)
            return wrong(riff, "it is RF64, but its sizes are missing", error);
        riff->end = stem_riff_number(head + DS64_SIZE_AT, 8);
        *data_bytes = stem_riff_number(head + DS64_DATA_AT, 8);
    }
    if (riff->end > riff->file_bytes || riff->end + HEAD_BYTES > riff->file_bytes)
        return wrong(riff, "it is shorter than its header says", error);
    riff->end += HEAD_BYTES;
    return 0;
}

static int read_chunk(
    struct stem_riff *riff, uint64_t at, uint64_t data_bytes, struct stem_error *error)
{
    unsigned char head[HEAD_BYTES];
    if (riff->count == STEM_RIFF_CHUNKS)
        return wrong(riff, "it has too many chunks", error);
    if (stem_riff_read(riff, at, head, sizeof head, error))
        return -1;
    struct stem_riff_chunk *chunk = &riff->chunks[riff->count];
    *chunk = (struct stem_riff_chunk){.at = at, .bytes = stem_riff_number(head + 4, 4)};
    memcpy(chunk->id, head, 4);
    bool is_data = strcmp(chunk->id, "data") == 0;
    if (is_data && riff->is_rf64 && chunk->bytes == SIZE_IN_DS64)
        chunk->bytes = data_bytes;
    if (chunk->bytes > riff->end - at - HEAD_BYTES)
        return wrong(riff, "its chunks do not fit into it", error);
    if (is_data)
        riff->data = riff->count;
    riff->count++;
    return 0;
}

static int read_chunks(struct stem_riff *riff, struct stem_error *error)
{
    uint64_t data_bytes = 0;
    if (read_sizes(riff, &data_bytes, error))
        return -1;
    riff->data = SIZE_MAX;
    for (uint64_t at = FIRST_CHUNK; at + HEAD_BYTES <= riff->end;) {
        if (read_chunk(riff, at, data_bytes, error))
            return -1;
        at = end_of(riff, &riff->chunks[riff->count - 1]);
    }
    return riff->data == SIZE_MAX ? wrong(riff, "it has no audio", error) : 0;
}

int stem_riff_open(struct stem_riff *riff, const char *path, struct stem_error *error)
{
    struct stat file;
    *riff = (struct stem_riff){.path = path};
    riff->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (riff->fd < 0)
        return stem_error_set_errno(error, errno, "cannot open \"%s\"", path);
    int status = fstat(riff->fd, &file);
    riff->file_bytes = status == 0 ? (uint64_t)file.st_size : 0;
    if (status != 0)
        stem_error_set_errno(error, errno, "cannot read \"%s\"", path);
    else if (!S_ISREG(file.st_mode))
        status = wrong(riff, "it is no ordinary file", error);
    else
        status = read_chunks(riff, error);
    if (status)
        stem_riff_close(riff);
    return status;
}

void stem_riff_close(struct stem_riff *riff)
{
    if (riff->fd >= 0)
        close(riff->fd);
    riff->fd = -1;
}

size_t stem_riff_find(const struct stem_riff *riff, const char *id, size_t from)
{
    while (from < riff->count && strcmp(riff->chunks[from].id, id) != 0)
        from++;
    return from;
}

/* Tail */

/* Tells where the last chunk ends. */
static int set_end(struct stem_riff *riff, uint64_t end, struct stem_error *error)
{
    unsigned char bytes[8];
    size_t size = riff->is_rf64 ? 8 : 4;
    stem_riff_set_number(bytes, end - HEAD_BYTES, size);
    if (write_all(riff, riff->is_rf64 ? DS64_SIZE_AT : SIZE_AT, bytes, size, error) ||
        sync_file(riff, error))
        return -1;
    riff->end = end;
    return 0;
}

static int cut(struct stem_riff *riff, uint64_t end, struct stem_error *error)
{
    if (ftruncate(riff->fd, (off_t)end) != 0)
        return stem_error_set_errno(error, errno, "cannot shorten \"%s\"", riff->path);
    riff->file_bytes = end;
    return 0;
}

int stem_riff_replace_tail(
    struct stem_riff *riff, uint64_t at, const void *bytes, size_t size, struct stem_error *error)
{
    const struct stem_riff_chunk *data = &riff->chunks[riff->data];
    const uint64_t audio_end = data->at + HEAD_BYTES + data->bytes;
    const uint64_t begin = at + at % 2; /* chunks begin at even places */
    if (at < audio_end || at > riff->file_bytes)
        return wrong(riff, "audio is never changed", error);
    if (!riff->is_rf64 && begin + size - HEAD_BYTES >= SIZE_IN_DS64)
        return wrong(riff, "there is no room behind 4 GiB", error);
    if (riff->end > at && set_end(riff, at, error))
        return -1;
    if (riff->file_bytes > at && cut(riff, at, error))
        return -1;
    if (size == 0)
        return 0;
    if ((begin > at && write_all(riff, at, "", 1, error)) ||
        write_all(riff, begin, bytes, size, error) || sync_file(riff, error)) {
        cut(riff, at, NULL);
        return -1;
    }
    riff->file_bytes = begin + size;
    return set_end(riff, begin + size, error);
}
