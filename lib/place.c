#include "place.h"

#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int stem_place_hidden(const char *path, char *hidden, size_t size, struct stem_error *error)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path + 1) : 0;
    if (snprintf(hidden, size, "%.*s.%s.part", folder, path, path + folder) < (int)size)
        return 0;
    return stem_error_set_errno(error, ENAMETOOLONG, "\"%s\"", path);
}

int stem_place_free(const char *path, struct stem_error *error)
{
    struct stat there;
    if (lstat(path, &there) != 0)
        return errno == ENOENT ? 0 : stem_error_set_errno(error, errno, "\"%s\"", path);
    return stem_error_set(error, "\"%s\" is there already; nothing is overwritten", path);
}

/* File systems that cannot refuse by themselves: the moment between look and name is short. */
static int put_after_look(const char *hidden, const char *path, struct stem_error *error)
{
    if (stem_place_free(path, error))
        return -1;
    if (rename(hidden, path) == 0)
        return 0;
    return stem_error_set_errno(error, errno, "cannot make \"%s\"", path);
}

static int put(const char *hidden, const char *path, struct stem_error *error)
{
    if (renameat2(AT_FDCWD, hidden, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EINVAL || errno == ENOSYS)
        return put_after_look(hidden, path, error);
    return stem_error_set_errno(error, errno, "cannot make \"%s\"", path);
}

int stem_place_put(const char *hidden, const char *path, struct stem_error *error)
{
    if (put(hidden, path, error))
        return -1;
    stem_replace_sync_parent(path); /* it has the name now, whether that can be waited for or not */
    return 0;
}

static int remove_one(const char *path, const struct stat *file, int type, struct FTW *walk)
{
    (void)file, (void)type, (void)walk;
    return remove(path);
}

void stem_place_remove(const char *path)
{
    enum { MOST_OPEN = 16 };
    nftw(path, remove_one, MOST_OPEN, FTW_DEPTH | FTW_PHYS);
}
