#include "places.h"

#include "log.h"
#include "take_lock.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beside the files of a take: sockets, JACK, standard files, a manifest being renewed. */
enum { OTHER_FILES = 64 };

/* A folder that cannot be written is better heard of now than at the show. */
static int check(const char *name, const char *folder, struct stem_error *error)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return stem_error_set_errno(
            error, errno, "the %s folder \"%s\" does not exist and cannot be made", name, folder);
    if (access(folder, W_OK | X_OK) != 0)
        return stem_error_set_errno(
            error, errno, "cannot write to the %s folder \"%s\"", name, folder);
    return 0;
}

static int take(int *lock, const char *name, const char *folder, struct stem_error *error)
{
    if (check(name, folder, error))
        return -1;
    *lock = stem_take_lock_there(folder);
    if (*lock >= 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return stem_error_set(error,
            "the %s folder \"%s\" is in use by another stemd: stop that one, or give each its own "
            "folder",
            name, folder);
    stem_log(STEM_LOG_WARNING, "the %s folder \"%s\" cannot be locked against another stemd", name,
        folder);
    return 0;
}

int stem_places_take(
    struct stem_places *places, const struct stem_config *config, struct stem_error *error)
{
    const struct {
        const char *name;
        const char *folder;
    } ALL[STEM_PLACES] = {
        {"takes", config->takes}, {"spare", config->spare}, {"mirror", config->mirror}};
    *places = (struct stem_places){{-1, -1, -1}};
    for (int k = 0; k < STEM_PLACES; k++)
        if (ALL[k].folder && take(&places->locks[k], ALL[k].name, ALL[k].folder, error)) {
            stem_places_leave(places);
            return -1;
        }
    return 0;
}

void stem_places_leave(struct stem_places *places)
{
    for (int k = 0; k < STEM_PLACES; k++) {
        stem_take_unlock(places->locks[k]);
        places->locks[k] = -1;
    }
}

void stem_places_raise_files(const struct stem_config *config, unsigned files)
{
    struct rlimit limit;
    /* A split opens the next take while the last one is still there; likewise the spare folder. */
    unsigned needed = 2 * files * (config->mirror ? 2 : 1) + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < needed)
        stem_log(STEM_LOG_WARNING,
            "only %llu files may be open, and takes of %u files may need %u: raise the limit "
            "(LimitNOFILE= of the service, or nofile in limits.conf)",
            (unsigned long long)limit.rlim_cur, files, needed);
}
