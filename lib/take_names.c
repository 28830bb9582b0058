#include "take_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool look(int folder, const char *name, struct stat *file)
{
    return fstatat(folder, name, file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file->st_mode);
}

static bool is_told(struct stem_take *take, const char *name)
{
    const struct stem_take_stem *stem;
    for (size_t k = 0; (stem = stem_take_file(take, k)); k++)
        if (strcmp(stem->file, name) == 0)
            return true;
    return false;
}

/* Whether a file is one of the take's, under whatever name. */
static bool is_of_take(int folder, struct stem_take *take, const struct stat *file)
{
    const struct stem_take_stem *stem;
    struct stat own;
    for (size_t k = 0; (stem = stem_take_file(take, k)); k++)
        if (look(folder, stem->file, &own) && own.st_dev == file->st_dev &&
            own.st_ino == file->st_ino)
            return true;
    return false;
}

void stem_take_names_tidy(const char *folder, struct stem_take *take)
{
    struct stat file;
    DIR *all = opendir(folder);
    for (struct dirent *entry; all && (entry = readdir(all));)
        if (look(dirfd(all), entry->d_name, &file) && file.st_nlink > 1 &&
            !is_told(take, entry->d_name) && is_of_take(dirfd(all), take, &file))
            unlinkat(dirfd(all), entry->d_name, 0);
    if (all)
        closedir(all);
}
