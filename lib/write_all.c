#include "write_all.h"

#include <errno.h>
#include <unistd.h>

int stem_write_all(int fd, const void *bytes, size_t size, uint64_t at)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t written = pwrite(fd, next, size, (off_t)at);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written == 0) {
            errno = ENOSPC;
            return -1;
        }
        if (written > 0) {
            next += written;
            at += (uint64_t)written;
            size -= (size_t)written;
        }
    }
    return 0;
}
