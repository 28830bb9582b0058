#include "take_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int stem_take_lock(const char *folder)
{
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (lock < 0)
        return -1;
    if (flock(lock, LOCK_EX | LOCK_NB) == 0)
        return lock;
    int problem = errno;
    close(lock);
    errno = problem;
    return -1;
}

int stem_take_lock_there(const char *folder)
{
    char *path = realpath(folder, NULL);
    int lock = path ? stem_take_lock(path) : -1, problem = errno;
    free(path);
    errno = problem;
    return lock;
}

int stem_take_claim(const char *folder, struct stem_error *error)
{
    int lock = stem_take_lock_there(folder), problem = errno;
    if (lock < 0 && problem == EWOULDBLOCK)
        return stem_error_set(
            error, "\"%s\": the take is being recorded, or somebody works on it", folder);
    if (lock < 0)
        return stem_error_set_errno(error, problem, "cannot open the folder \"%s\"", folder);
    return lock;
}

void stem_take_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}
