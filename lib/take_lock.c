#include "take_lock.h"

#include <errno.h>
#include <fcntl.h>
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

void stem_take_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}
