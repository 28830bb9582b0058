/* Where the second copy of a take is: one folder, or several when it had to go on elsewhere. */
#include "verify_parts.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Loads a folder that holds audio of the same take into the list; only that part of it, unless it
 * is 0. */
static void add(struct verify_copies *copies, const char *folder, const char *id, uint32_t part)
{
    struct verify_copy *grown, copy = {0};
    if (stem_take_load(&copy.take, folder, NULL))
        return;
    bool is_ours =
        copy.take.id && strcmp(copy.take.id, id) == 0 && (part == 0 || copy.take.part == part);
    grown = is_ours ? realloc(copies->copies, (copies->count + 1) * sizeof copy) : NULL;
    if (grown)
        copies->copies = grown;
    if (grown && (copy.folder = strdup(folder))) {
        copies->copies[copies->count++] = copy;
        return;
    }
    copies->no_memory = copies->no_memory || is_ours;
    stem_take_finish(&copy.take);
}

static bool has_part(const struct verify_copies *copies, uint32_t part)
{
    for (size_t k = 0; k < copies->count; k++)
        if (copies->copies[k].take.part == part)
            return true;
    return false;
}

/* Adds the parts in which those in the list go on. Each has the next number, so that folders which
 * name each other in a circle come to an end. */
static void follow(struct verify_copies *copies, const char *id)
{
    for (size_t k = 0; k < copies->count; k++) {
        const struct stem_take *take = &copies->copies[k].take;
        if (take->continued_in && !has_part(copies, take->part + 1))
            add(copies, take->continued_in, id, take->part + 1);
    }
}

void verify_copies_find(struct verify_copies *copies, const struct stem_take *take)
{
    char folder[PATH_MAX + NAME_MAX + 2];
    DIR *mirror = opendir(take->mirror);
    for (struct dirent *entry; mirror && (entry = readdir(mirror));) {
        snprintf(folder, sizeof folder, "%s/%s", take->mirror, entry->d_name);
        if (entry->d_name[0] != '.')
            add(copies, folder, take->id, 0);
    }
    if (mirror)
        closedir(mirror);
    follow(copies, take->id);
}

void verify_copies_finish(struct verify_copies *copies)
{
    for (size_t k = 0; k < copies->count; k++) {
        stem_take_finish(&copies->copies[k].take);
        free(copies->copies[k].folder);
    }
    free(copies->copies);
}
