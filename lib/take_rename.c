#include "take_rename.h"

#include "naming.h"
#include "naming_template.h"
#include "place.h"
#include "projects.h"
#include "replace.h"
#include "sums_check.h"
#include "take.h"
#include "take_lock.h"
#include "take_names.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A path with a name behind it. */
enum { PATH_BYTES = PATH_MAX + STEM_NAMING_BYTES };

struct work {
    char folder[PATH_MAX]; /* absolute, as it is now */
    const char *title;
    char old_safe[STEM_NAME_BYTES], new_safe[STEM_NAME_BYTES];
    struct stem_take take;
    struct stem_error *error;
};

/* Names */

static bool is_separator(char c)
{
    return c == '\0' || c == '_' || c == '-' || c == '.';
}

/* Where the old title stands as a word of its own; NULL when it does not. */
static const char *find_title(const struct work *work, const char *name)
{
    size_t length = strlen(work->old_safe);
    for (const char *at = name; length && (at = strstr(at, work->old_safe)); at++)
        if ((at == name || is_separator(at[-1])) && is_separator(at[length]))
            return at;
    return NULL;
}

/* The name with the new title in it; false when the old one is not there. */
static bool replace_title(
    const struct work *work, const char *name, char renamed[STEM_NAMING_BYTES])
{
    const char *at = find_title(work, name);
    if (!at)
        return false;
    return snprintf(renamed, STEM_NAMING_BYTES, "%.*s%s%s", (int)(at - name), name, work->new_safe,
               at + strlen(work->old_safe)) < STEM_NAMING_BYTES;
}

static void make_name(const struct work *work, char name[STEM_NAMING_BYTES])
{
    struct tm when = {0};
    if (work->take.started)
        strptime(work->take.started, "%Y-%m-%dT%H:%M:%S", &when);
    const struct stem_naming_values values = {
        .when = &when,
        .title = work->title,
        .key = work->take.key,
        .tempo_bpm = work->take.tempo_bpm,
        .rate_hz = work->take.rate_hz,
        .encoding = work->take.encoding,
        .take = 1,
    };
    stem_naming_folder(STEM_NAMING_FOLDER, &values, name);
}

/* The folder */

static int rename_folder(struct work *work)
{
    char name[STEM_NAMING_BYTES], path[PATH_MAX];
    char *slash = strrchr(work->folder, '/');
    if (!slash || !slash[1])
        return stem_error_set(work->error, "\"%s\" cannot get another name", work->folder);
    if (!replace_title(work, slash + 1, name))
        make_name(work, name);
    if (strcmp(name, slash + 1) == 0)
        return 0;
    if (snprintf(path, sizeof path, "%.*s%s", (int)(slash + 1 - work->folder), work->folder,
            name) >= (int)sizeof path)
        return stem_error_set_errno(work->error, ENAMETOOLONG, "\"%s\"", name);
    if (stem_place_free(path, work->error) || stem_place_put(work->folder, path, work->error))
        return -1;
    strcpy(work->folder, path);
    return 0;
}

/* The files: they have both names until the manifest knows the new ones. A project that somebody
 * saved names them, so they keep theirs. */

static void path_of(const struct work *work, const char *file, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", work->folder, file);
}

/* A file system without links keeps the names. `*old` is the former name, or stays NULL. */
static void link_file(struct work *work, struct stem_take_stem *stem, char **old)
{
    char name[STEM_NAMING_BYTES], from[PATH_BYTES], to[PATH_BYTES], *copy;
    if (!replace_title(work, stem->file, name) || strcmp(name, stem->file) == 0)
        return;
    path_of(work, stem->file, from);
    path_of(work, name, to);
    if (!(copy = strdup(name)))
        return;
    if (link(from, to) != 0) {
        free(copy);
        return;
    }
    *old = stem->file;
    stem->file = copy;
}

static int rename_files(struct work *work)
{
    size_t count = 0;
    while (stem_take_file(&work->take, count))
        count++;
    char **old = calloc(count + 1, sizeof *old);
    if (!old)
        return stem_error_set(work->error, "no memory for the files' names");
    bool is_named = stem_projects_are_theirs(work->folder);
    for (size_t k = 0; k < count && !is_named; k++)
        link_file(work, stem_take_file(&work->take, k), &old[k]);
    int status = stem_take_save(&work->take, work->folder, work->error);
    for (size_t k = 0; k < count; k++) {
        char path[PATH_BYTES];
        if (!old[k])
            continue;
        path_of(work, status ? stem_take_file(&work->take, k)->file : old[k], path);
        unlink(path);
        free(old[k]);
    }
    free(old);
    return status;
}

static int run(struct work *work)
{
    if (stem_take_load_ended(&work->take, work->folder, work->error))
        return -1;
    stem_naming_safe(work->take.title ? work->take.title : "", work->old_safe, STEM_NAME_BYTES);
    stem_naming_safe(work->title, work->new_safe, STEM_NAME_BYTES);
    if (!work->new_safe[0])
        return stem_error_set(work->error, "\"%s\" has no letter or digit for a name", work->title);
    bool is_unsure;
    if (stem_sums_check(work->folder, &work->take, NULL, NULL, &is_unsure, work->error))
        return -1;
    stem_take_names_tidy(work->folder, &work->take);
    if (rename_folder(work) || stem_sums_set_aside(work->folder, work->error))
        return -1;
    if (stem_take_set_string(&work->take.title, work->title))
        return stem_error_set(work->error, "no memory for the title");
    return rename_files(work);
}

int stem_take_rename(const char *folder, const char *title, char *path, size_t size,
    bool *was_finished, struct stem_error *error)
{
    struct work work = {.title = title, .error = error};
    int lock = stem_take_claim(folder, error);
    if (lock < 0)
        return -1;
    char *absolute = realpath(folder, NULL);
    snprintf(work.folder, sizeof work.folder, "%s", absolute ? absolute : "");
    free(absolute);
    int status = run(&work);
    *was_finished = work.take.finished != NULL;
    snprintf(path, size, "%s", work.folder);
    stem_take_finish(&work.take);
    stem_take_unlock(lock);
    return status;
}
