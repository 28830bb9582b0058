#include "take_links.h"

#include "sha256sums.h"
#include "take.h"
#include "take_lock.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct links {
    const char *old_folder, *new_folder;
    struct stem_error *error;
};

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Sets `*field` to `now` if it is `was`; returns whether it was, -1 without memory. */
static int renew_field(char **field, const char *was, const char *now)
{
    if (!*field || strcmp(*field, was) != 0)
        return 0;
    return stem_take_set_string(field, now) ? -1 : 1;
}

/* The same for a path, which may lead to the old folder by way of a link: its way stays. */
static int renew_path(char **field, const struct links *links)
{
    char way[PATH_MAX], real[PATH_MAX], path[PATH_MAX];
    const char *was = links->old_folder;
    if (!*field || strcmp(name_of(*field), name_of(was)) != 0)
        return 0;
    int length = (int)(name_of(*field) - *field);
    snprintf(way, sizeof way, "%.*s", length, *field);
    const bool is_there = realpath(way, real) != NULL;
    if (strcmp(*field, was) != 0 &&
        (!is_there || strlen(real) + 1 != (size_t)(name_of(was) - was) ||
            strncmp(real, was, strlen(real)) != 0))
        return 0;
    if (snprintf(path, sizeof path, "%s%s", way, name_of(links->new_folder)) >= (int)sizeof path)
        return 0;
    return stem_take_set_string(field, path) ? -1 : 1;
}

/* Sums of a take that was finished go with its manifest: only if they fitted before, so that
 * nothing becomes whole by this. */
static int save(const struct stem_take *take, const char *folder, struct stem_error *error)
{
    enum stem_sha256sums_verdict verdict;
    if (stem_sha256sums_compare(
            folder, STEM_SHA256SUMS, STEM_TAKE_MANIFEST, NULL, NULL, &verdict, error) ||
        stem_take_save(take, folder, error))
        return -1;
    return verdict == STEM_SHA256SUMS_SAME
               ? stem_sha256sums_renew(folder, STEM_TAKE_MANIFEST, error)
               : 0;
}

/* `next` becomes the folder of a further part that tells the same, or "". */
static int renew(const struct links *links, const char *folder, char next[PATH_MAX])
{
    struct stem_take take = {0};
    int status = 0;
    if (stem_take_load(&take, folder, NULL))
        return 0; /* no take, or one that is told of elsewhere */
    int previous =
        renew_field(&take.previous, name_of(links->old_folder), name_of(links->new_folder));
    int after = renew_path(&take.continued_from, links);
    int before = renew_path(&take.continued_in, links);
    if (previous < 0 || after < 0 || before < 0)
        status = stem_error_set(links->error, "no memory for \"%s\"", folder);
    else if ((previous || after || before) && take.progress != STEM_TAKE_RECORDING)
        status = save(&take, folder, links->error);
    const bool is_told = previous > 0 && status == 0 && take.progress != STEM_TAKE_RECORDING;
    snprintf(next, PATH_MAX, "%s", is_told && take.continued_in ? take.continued_in : "");
    stem_take_finish(&take);
    return status;
}

static int renew_locked(const struct links *links, const char *folder, char next[PATH_MAX])
{
    int lock = stem_take_lock(folder);
    next[0] = '\0';
    if (lock < 0)
        return 0;
    int status = renew(links, folder, next);
    stem_take_unlock(lock);
    return status;
}

/* All parts of a take that follows by a split name the take before it. */
static int renew_all(const struct links *links, const char *folder)
{
    char path[PATH_MAX], next[PATH_MAX];
    int status = renew_locked(links, folder, next);
    while (status == 0 && next[0]) {
        memcpy(path, next, sizeof path);
        status = renew_locked(links, path, next);
    }
    return status;
}

/* The takes beside it. */
static int renew_around(struct links *links)
{
    char takes[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
    const char *new_folder = links->new_folder;
    int status = 0;
    snprintf(takes, sizeof takes, "%.*s", (int)(name_of(new_folder) - new_folder), new_folder);
    DIR *folder = opendir(takes);
    if (!folder)
        return stem_error_set_errno(links->error, errno, "cannot read the folder \"%s\"", takes);
    for (struct dirent *entry; (entry = readdir(folder));) {
        snprintf(path, sizeof path, "%s%s", takes, entry->d_name);
        if (entry->d_name[0] == '.' || renew_all(links, path) == 0)
            continue;
        status = -1;
        links->error = NULL; /* the first one is told */
    }
    closedir(folder);
    return status;
}

/* The parts before and after it. */
static int renew_parts(struct links *links)
{
    struct stem_take take = {0};
    int status = 0;
    if (stem_take_load(&take, links->new_folder, links->error))
        return -1;
    if (take.continued_from && renew_all(links, take.continued_from))
        status = -1;
    if (take.continued_in && renew_all(links, take.continued_in))
        status = -1;
    stem_take_finish(&take);
    return status;
}

int stem_take_links_renew(const char *old_folder, const char *new_folder, struct stem_error *error)
{
    struct links links = {old_folder, new_folder, error};
    if (strcmp(old_folder, new_folder) == 0) /* whom we told would tell the old name for ever */
        return 0;
    int status = renew_around(&links);
    if (status)
        links.error = NULL;
    return renew_parts(&links) ? -1 : status;
}
