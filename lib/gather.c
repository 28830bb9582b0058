#include "gather.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GATHER_BYTES = 64 * 1024 }; /* four times as much saves less than 5 % of the time */

struct stem_gather {
    int fd;
    int problem; /* errno of the first failure */
    bool allow_holes;
    int64_t cursor;
    int64_t base;      /* file offset of the gathered bytes: all before it is in the file */
    size_t gathered;   /* bytes in the buffer */
    int64_t started;   /* up to here the disk was asked to write */
    int64_t file_size; /* what the kernel knows; smaller than `base` behind a hole */
    unsigned char bytes[GATHER_BYTES];
};

struct stem_gather *stem_gather_create(const char *path, struct stem_error *error)
{
    struct stem_gather *gather = calloc(1, sizeof *gather);
    if (!gather) {
        stem_error_set(error, "no memory to write \"%s\"", path);
        return NULL;
    }
    gather->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (gather->fd >= 0)
        return gather;
    stem_error_set_errno(error, errno, "cannot create \"%s\"", path);
    free(gather);
    return NULL;
}

/* Notes the first failure; what was gathered is given up, so that the length stays true. */
static int fail(struct stem_gather *gather, int problem)
{
    if (!gather->problem)
        gather->problem = problem;
    gather->gathered = 0;
    gather->base = gather->file_size;
    return -1;
}

static int write_at(struct stem_gather *gather, const unsigned char *bytes, size_t size, int64_t at)
{
    while (size > 0) {
        ssize_t written = pwrite(gather->fd, bytes, size, at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(gather, written < 0 ? errno : ENOSPC);
        bytes += written;
        at += written;
        size -= (size_t)written;
        if (at > gather->file_size)
            gather->file_size = at;
    }
    return 0;
}

static int flush_bytes(struct stem_gather *gather)
{
    if (gather->gathered == 0)
        return 0;
    size_t size = gather->gathered;
    if (write_at(gather, gather->bytes, size, gather->base))
        return -1;
    gather->base += (int64_t)size;
    gather->gathered = 0;
    return 0;
}

int stem_gather_flush(struct stem_gather *gather)
{
    if (gather->problem || flush_bytes(gather))
        return -1;
    if (gather->file_size >= gather->base)
        return 0;
    if (ftruncate(gather->fd, gather->base) != 0) /* the file ends in a hole */
        return fail(gather, errno);
    gather->file_size = gather->base;
    return 0;
}

int stem_gather_sync(struct stem_gather *gather)
{
    if (stem_gather_flush(gather))
        return -1;
    if (fdatasync(gather->fd) != 0)
        return fail(gather, errno);
    return 0;
}

void stem_gather_write_back(struct stem_gather *gather)
{
    if (gather->started > 0)
        posix_fadvise(gather->fd, 0, gather->started, POSIX_FADV_DONTNEED);
    if (gather->base > gather->started)
        sync_file_range(
            gather->fd, gather->started, gather->base - gather->started, SYNC_FILE_RANGE_WRITE);
    gather->started = gather->base;
}

int stem_gather_cut(struct stem_gather *gather, int64_t length)
{
    if (!gather->problem && flush_bytes(gather))
        return -1;
    if (length >= gather->base)
        return 0;
    if (length < gather->file_size && ftruncate(gather->fd, length) != 0)
        return fail(gather, errno);
    gather->base = length;
    if (gather->file_size > length)
        gather->file_size = length;
    return 0;
}

int stem_gather_close(struct stem_gather *gather, bool sync)
{
    if (!gather)
        return 0;
    if (stem_gather_flush(gather) == 0 && sync)
        stem_gather_sync(gather);
    if (close(gather->fd) != 0)
        fail(gather, errno);
    int problem = gather->problem;
    free(gather);
    return problem;
}

int64_t stem_gather_length(const struct stem_gather *gather)
{
    return gather->base + (int64_t)gather->gathered;
}

int64_t stem_gather_stored(const struct stem_gather *gather)
{
    return gather->base;
}

int64_t stem_gather_seek(struct stem_gather *gather, int64_t offset, int whence)
{
    int64_t from = whence == SEEK_CUR   ? gather->cursor
                   : whence == SEEK_END ? stem_gather_length(gather)
                                        : 0;
    if (from + offset < 0)
        return -1;
    gather->cursor = from + offset;
    return gather->cursor;
}

int64_t stem_gather_tell(const struct stem_gather *gather)
{
    return gather->cursor;
}

int64_t stem_gather_read(struct stem_gather *gather, void *bytes, int64_t size)
{
    if (!gather->problem)
        stem_gather_flush(gather); /* after a failure there is what there is */
    ssize_t got = pread(gather->fd, bytes, (size_t)size, gather->cursor);
    if (got > 0)
        gather->cursor += got;
    return got > 0 ? got : 0;
}

static bool all_zero(const unsigned char *bytes, size_t size)
{
    return size > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Bytes that still fit before the next multiple of GATHER_BYTES in the file: writes end there, so
 * that the page cache gets whole, large pages. */
static size_t room_in_block(const struct stem_gather *gather)
{
    return GATHER_BYTES - (size_t)(stem_gather_length(gather) % GATHER_BYTES);
}

static int append(struct stem_gather *gather, const unsigned char *bytes, size_t size)
{
    if (gather->allow_holes && all_zero(bytes, size)) {
        if (flush_bytes(gather))
            return -1;
        gather->base += (int64_t)size;
        return 0;
    }
    while (size > 0) {
        size_t room = room_in_block(gather);
        size_t part = size < room ? size : room;
        memcpy(gather->bytes + gather->gathered, bytes, part);
        gather->gathered += part;
        bytes += part;
        size -= part;
        if (room_in_block(gather) == GATHER_BYTES && flush_bytes(gather))
            return -1;
    }
    return 0;
}

int64_t stem_gather_write(struct stem_gather *gather, const void *bytes, int64_t size)
{
    const int64_t length = stem_gather_length(gather);
    bool at_end = gather->cursor == length;
    if (gather->problem && gather->cursor >= length)
        return 0; /* the header may still be set right */
    int status;
    if (at_end) {
        status = append(gather, bytes, (size_t)size);
    } else {
        status = gather->problem ? 0 : flush_bytes(gather);
        if (status == 0)
            status = write_at(gather, bytes, (size_t)size, gather->cursor);
        if (gather->base < gather->cursor + size && status == 0)
            gather->base = gather->cursor + size;
    }
    if (status)
        return 0;
    gather->cursor += size;
    return size;
}

void stem_gather_allow_holes(struct stem_gather *gather, bool allow)
{
    gather->allow_holes = allow;
}

int stem_gather_descriptor(const struct stem_gather *gather)
{
    return gather->fd;
}

int stem_gather_problem(const struct stem_gather *gather)
{
    return gather->problem;
}
