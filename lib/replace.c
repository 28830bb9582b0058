#include "replace.h"

#include "write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int stem_replace_sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int status = fsync(fd), problem = errno;
    close(fd);
    errno = problem;
    return status;
}

int stem_replace_sync_parent(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) : 0;
    if (length == 0)
        return stem_replace_sync_folder(slash ? "/" : ".");
    errno = ENAMETOOLONG;
    if (snprintf(folder, sizeof folder, "%.*s", length, path) >= (int)sizeof folder)
        return -1;
    return stem_replace_sync_folder(folder);
}

/* Temporary file, synced if asked for, renamed over the old one. errno tells what failed. */
static int replace(
    const char *path, const char *temporary, const void *bytes, size_t size, bool sync)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    int status = stem_write_all(fd, bytes, size, 0) || (sync && fsync(fd)) ? -1 : 0;
    int problem = errno;
    close(fd);
    if (status == 0 && rename(temporary, path) == 0)
        return 0;
    if (status == 0)
        problem = errno;
    unlink(temporary);
    errno = problem;
    return -1;
}

/* 0, or -1 and errno. */
static int replace_in(
    const char *folder, const char *name, const void *bytes, size_t size, bool sync)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    errno = ENAMETOOLONG;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        snprintf(temporary, sizeof temporary, "%s/.%s.new", folder, name) >= (int)sizeof temporary)
        return -1;
    return replace(path, temporary, bytes, size, sync);
}

int stem_replace_file(
    const char *folder, const char *name, const void *bytes, size_t size, struct stem_error *error)
{
    if (replace_in(folder, name, bytes, size, true) == 0 && stem_replace_sync_folder(folder) == 0)
        return 0;
    return stem_error_set_errno(error, errno, "cannot write \"%s/%s\"", folder, name);
}

int stem_replace_soon(
    const char *folder, const char *name, const void *bytes, size_t size, struct stem_error *error)
{
    if (replace_in(folder, name, bytes, size, false) == 0)
        return 0;
    return stem_error_set_errno(error, errno, "cannot write \"%s/%s\"", folder, name);
}

int stem_replace_text(const char *folder, const char *name, stem_replace_put *put, const void *data,
    struct stem_error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    if (out)
        put(out, data);
    int status = out && fclose(out) == 0
                     ? stem_replace_file(folder, name, bytes, size, error)
                     : stem_error_set(error, "no memory for \"%s/%s\"", folder, name);
    free(bytes);
    return status;
}

int stem_replace_remove(const char *folder, const char *name, struct stem_error *error)
{
    char path[PATH_MAX];
    errno = ENAMETOOLONG;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
        (unlink(path) == 0 || errno == ENOENT))
        return 0;
    return stem_error_set_errno(error, errno, "cannot remove \"%s/%s\"", folder, name);
}
