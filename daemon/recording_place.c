/* Where a running take is: somebody may move or remove its folder or a file while it is written.
 * The descriptors tell, since they stay with what was opened, whatever its name is. */
#include "recording_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum whereabouts { HERE, ELSEWHERE, NOWHERE };

static bool is_same(const struct stat *one, const struct stat *two)
{
    return one->st_dev == two->st_dev && one->st_ino == two->st_ino;
}

/* Whether `path` from the folder `at` on is what the descriptor belongs to. A path that cannot be
 * looked at for another reason than that it is not there proves nothing. */
static enum whereabouts find(int at, const char *path, int descriptor)
{
    struct stat there, self;
    bool found = fstatat(at, path, &there, 0) == 0;
    if (!found && errno != ENOENT && errno != ENOTDIR)
        return HERE;
    bool has_name = fstat(descriptor, &self) == 0 && self.st_nlink > 0;
    if (found && has_name && is_same(&there, &self))
        return HERE;
    return has_name ? ELSEWHERE : NOWHERE;
}

static void name_link(int descriptor, char link[32])
{
    snprintf(link, 32, "/proc/self/fd/%d", descriptor);
}

/* The path that a folder has now; false when none leads there. */
static bool find_path(int descriptor, char path[PATH_MAX])
{
    char link[32];
    name_link(descriptor, link);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    return path[0] == '/' && find(AT_FDCWD, path, descriptor) == HERE;
}

/* Goes after a folder that was moved. It keeps the name that somebody gave it. */
static enum stem_recording_place follow_folder(
    struct stem_recording *recording, struct stem_error *what)
{
    char path[PATH_MAX];
    enum whereabouts at =
        recording->lock >= 0 ? find(AT_FDCWD, recording->folder, recording->lock) : HERE;
    if (at == HERE)
        return STEM_RECORDING_KEPT;
    if (at == NOWHERE || !find_path(recording->lock, path)) {
        stem_error_set(what, "the take's folder \"%s\" was removed", recording->folder);
        return STEM_RECORDING_LOST;
    }
    stem_error_set(what, "the take's folder \"%s\" was moved; the take goes on in \"%s\"",
        recording->folder, path);
    memcpy(recording->folder, path, strlen(path) + 1);
    recording->keeps_name = true;
    recording->manifest_stale = true;
    return STEM_RECORDING_MOVED;
}

/* Gives a file that was moved its name again; it keeps the other one. */
static bool name_again(int descriptor, const char *path)
{
    char link[32];
    name_link(descriptor, link);
    return linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static enum stem_recording_place look_at_file(
    struct stem_recording *recording, uint32_t track, struct stem_error *what, uint32_t *strays)
{
    char path[PATH_MAX];
    int descriptor = stem_file_descriptor(recording->files[track]);
    snprintf(path, sizeof path, "%.*s/%s", PATH_MAX - STEM_NAMING_BYTES - 2, recording->folder,
        recording_entry(recording, track)->file);
    switch (find(AT_FDCWD, path, descriptor)) {
    case HERE:
        return STEM_RECORDING_KEPT;
    case NOWHERE:
        stem_error_set(what, "\"%s\" was removed", path);
        return STEM_RECORDING_LOST;
    case ELSEWHERE:
        break;
    }
    if (name_again(descriptor, path)) {
        stem_error_set(what, "\"%s\" was moved; it has its name again", path);
        return STEM_RECORDING_MOVED;
    }
    if (++*strays <= recording->strays)
        return STEM_RECORDING_KEPT; /* told before */
    stem_error_set(what, "\"%s\" was moved; its audio goes on where it is now", path);
    return STEM_RECORDING_MOVED;
}

enum stem_recording_place stem_recording_look(
    struct stem_recording *recording, struct stem_error *what)
{
    enum stem_recording_place worst = follow_folder(recording, what);
    recording->is_lost = worst == STEM_RECORDING_LOST;
    uint32_t strays = 0;
    for (uint32_t t = 0; t < recording->tracks && worst != STEM_RECORDING_LOST; t++) {
        enum stem_recording_place file = look_at_file(recording, t, what, &strays);
        worst = file > worst ? file : worst;
    }
    recording->strays = strays;
    return worst;
}
