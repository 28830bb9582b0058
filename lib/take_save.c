/* Writing a manifest to its folder, atomically. See take.h. */
#include "take_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0)
            return -1;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int status = fsync(fd);
    close(fd);
    return status;
}

/* Temporary file, synced, renamed over the old one, folder synced. errno tells what failed. */
static int replace_file(const char *folder, const char *bytes, size_t size)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, STEM_TAKE_MANIFEST) >= (int)sizeof path ||
        snprintf(temporary, sizeof temporary, "%s/.%s.new", folder, STEM_TAKE_MANIFEST) >=
            (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    int status = write_all(fd, bytes, size) || fsync(fd) ? -1 : 0;
    int problem = errno;
    close(fd);
    if (status == 0 && rename(temporary, path) == 0 && sync_folder(folder) == 0)
        return 0;
    if (status == 0)
        problem = errno;
    unlink(temporary);
    errno = problem;
    return -1;
}

int stem_take_save(const struct stem_take *take, const char *folder, struct stem_error *error)
{
    json_t *object = stem_take_to_json(take);
    char *bytes = object ? json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(object);
    if (!bytes)
        return stem_error_set(error, "no memory for \"%s/%s\"", folder, STEM_TAKE_MANIFEST);
    int status = replace_file(folder, bytes, strlen(bytes));
    int problem = errno;
    free(bytes);
    if (status == 0)
        return 0;
    return stem_error_set_errno(
        error, problem, "cannot write \"%s/%s\"", folder, STEM_TAKE_MANIFEST);
}
