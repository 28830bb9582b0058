#include "finish_wanted.h"

#include "recover.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTE ".finish"

static bool note_path(const char *folder, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/" NOTE, folder) < PATH_MAX;
}

void stem_finish_want(const char *folder)
{
    char path[PATH_MAX];
    int fd = note_path(folder, path) ? open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666)
                                     : -1;
    if (fd >= 0)
        close(fd);
}

void stem_finish_wanted_done(const char *folder)
{
    char path[PATH_MAX];
    if (note_path(folder, path))
        unlink(path);
}

/* Folders only: a link may lead anywhere. */
static bool is_wanted(const char *folder)
{
    char path[PATH_MAX];
    struct stat there;
    return lstat(folder, &there) == 0 && S_ISDIR(there.st_mode) && note_path(folder, path) &&
           lstat(path, &there) == 0 && S_ISREG(there.st_mode) && !stem_recover_wanted(folder);
}

void stem_finish_all_wanted(const char *takes, stem_finish_each *each, void *data)
{
    struct dirent **names = NULL;
    int count = scandir(takes, &names, NULL, alphasort);
    for (int k = 0; k < count; k++) {
        char folder[PATH_MAX];
        int length = snprintf(folder, sizeof folder, "%s/%s", takes, names[k]->d_name);
        if (names[k]->d_name[0] != '.' && length < (int)sizeof folder && is_wanted(folder))
            each(data, folder);
        free(names[k]);
    }
    free(names);
}
