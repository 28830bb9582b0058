/* The iXML chunk of finished files. Recovery knows where it stands in every container. */
#include "ixml.h"

#include "recover_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Finds the chunk, if it is one of ours and has the size of `text`. */
static bool find(int fd, const char *text, uint32_t *at)
{
    unsigned char *head = malloc(RECOVER_HEADER_BYTES);
    struct recover_header header;
    ssize_t got = head ? pread(fd, head, RECOVER_HEADER_BYTES, 0) : -1;
    bool is_found = got > 0 && recover_header_parse(head, (size_t)got, &header) && header.ixml_at &&
                    header.ixml_bytes == strlen(text) &&
                    memcmp(head + header.ixml_at, STEM_IXML_BEGIN, strlen(STEM_IXML_BEGIN)) == 0 &&
                    memcmp(head + header.ixml_at, text, header.ixml_bytes) != 0;
    *at = is_found ? header.ixml_at : 0;
    free(head);
    return is_found;
}

/* A crash may leave parts of both texts; finishing again sets that right. */
static int put(int fd, const char *text, uint32_t at)
{
    const size_t size = strlen(text);
    size_t done = 0;
    while (done < size) {
        ssize_t written = pwrite(fd, text + done, size - done, (off_t)(at + done));
        if (written < 0 && errno != EINTR)
            return -1;
        done += written > 0 ? (size_t)written : 0;
    }
    return fdatasync(fd);
}

int stem_ixml_renew(const char *path, const struct stem_take *take,
    const struct stem_take_stem *stem, struct stem_error *error)
{
    int status = 0, fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    char *text = stem_ixml_make(take, stem);
    struct stat there;
    uint32_t at;
    if (fd < 0)
        status = stem_error_set_errno(error, errno, "cannot open \"%s\"", path);
    else if (!text)
        status = stem_error_set(error, "no memory for \"%s\"", path);
    else if (fstat(fd, &there) == 0 && S_ISREG(there.st_mode) && find(fd, text, &at) &&
             put(fd, text, at))
        status = stem_error_set_errno(error, errno, "cannot write \"%s\"", path);
    free(text);
    if (fd >= 0)
        close(fd);
    return status;
}
