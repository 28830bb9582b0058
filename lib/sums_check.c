#include "sums_check.h"

#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct check {
    const char *folder;
    struct stem_take *take;
    size_t now, count; /* files */
    stem_sha256sums_progress *progress;
    void *data;
    bool *is_unsure;
    struct stem_error *error;
};

static bool status_of(const char *folder, const char *name, struct stat *status)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           lstat(path, status) == 0;
}

bool stem_sums_check_can(const char *folder)
{
    struct stat there;
    return status_of(folder, STEM_SHA256SUMS, &there) || status_of(folder, STEM_SUMS_ASIDE, &there);
}

static bool tell(double done, void *data)
{
    const struct check *check = data;
    return !check->progress ||
           check->progress(((double)check->now + done) / (double)check->count, check->data);
}

/* The finish that was interrupted had sums set aside before it touched a file. */
static bool was_touched_since(const struct check *check, const char *name)
{
    struct stat file, sums;
    if (!status_of(check->folder, name, &file) || !status_of(check->folder, STEM_SUMS_ASIDE, &sums))
        return false;
    return file.st_mtim.tv_sec > sums.st_mtim.tv_sec ||
           (file.st_mtim.tv_sec == sums.st_mtim.tv_sec &&
               file.st_mtim.tv_nsec >= sums.st_mtim.tv_nsec);
}

static int compare(const struct check *check, const char *sums, const char *name,
    enum stem_sha256sums_verdict *verdict)
{
    return stem_sha256sums_compare(
        check->folder, sums, name, tell, (void *)check, verdict, check->error);
}

static int check_file(const struct check *check, const char *name)
{
    enum stem_sha256sums_verdict verdict;
    struct stat there;
    bool is_aside = !status_of(check->folder, STEM_SHA256SUMS, &there);
    if (compare(check, is_aside ? STEM_SUMS_ASIDE : STEM_SHA256SUMS, name, &verdict))
        return -1;
    if (verdict != STEM_SHA256SUMS_CHANGED)
        return 0;
    if (is_aside && was_touched_since(check, name)) {
        *check->is_unsure = true;
        return 0;
    }
    return stem_error_set(check->error,
        "\"%s/%s\" is not what it was when the take was finished: it is damaged, or somebody "
        "changed it (stemctl finish --accept takes it as it is)",
        check->folder, name);
}

int stem_sums_check(const char *folder, struct stem_take *take, stem_sha256sums_progress *progress,
    void *data, bool *is_unsure, struct stem_error *error)
{
    struct check check = {.folder = folder,
        .take = take,
        .progress = progress,
        .data = data,
        .is_unsure = is_unsure,
        .error = error};
    *is_unsure = false;
    if (!stem_sums_check_can(folder))
        return 0;
    while (stem_take_file(take, check.count))
        check.count++;
    for (; check.now < check.count; check.now++)
        if (check_file(&check, stem_take_file(take, check.now)->file))
            return -1;
    return 0;
}

/* Its time tells later what was touched before and after. */
static int stamp(const char *folder, struct stem_error *error)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/" STEM_SUMS_ASIDE, folder) >= (int)sizeof path ||
        utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    return stem_error_set_errno(error, errno, "cannot write \"%s\"", path);
}

int stem_sums_set_aside(const char *folder, struct stem_error *error)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct stat there;
    if (!status_of(folder, STEM_SHA256SUMS, &there))
        return 0;
    if (snprintf(from, sizeof from, "%s/" STEM_SHA256SUMS, folder) >= (int)sizeof from ||
        snprintf(to, sizeof to, "%s/" STEM_SUMS_ASIDE, folder) >= (int)sizeof to)
        return stem_error_set_errno(error, ENAMETOOLONG, "\"%s\"", folder);
    if (rename(from, to) != 0)
        return stem_error_set_errno(error, errno, "cannot rename \"%s\"", from);
    if (stamp(folder, error))
        return -1;
    if (stem_replace_sync_folder(folder) != 0) /* before a file changes */
        return stem_error_set_errno(error, errno, "cannot write \"%s\"", to);
    return 0;
}

int stem_sums_forget(const char *folder, struct stem_error *error)
{
    return stem_replace_remove(folder, STEM_SUMS_ASIDE, error);
}
