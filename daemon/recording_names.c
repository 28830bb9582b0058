/* The names of a recording's folder and files. Title, key and tempo may come while it runs: at its
 * end the names follow them. */
#include "projects.h"
#include "recording_parts.h"
#include "replace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stem_naming_values values_of(const struct stem_recording *recording)
{
    return (struct stem_naming_values){
        .when = &recording->started,
        .title = recording->take.title,
        .key = recording->take.key,
        .tempo_bpm = recording->take.tempo_bpm,
        .rate_hz = recording->rate_hz,
        .encoding = recording->take.encoding,
        .take = recording->number,
    };
}

void recording_folder_name(const struct stem_recording *recording, char name[STEM_NAMING_BYTES])
{
    const struct stem_naming_values values = values_of(recording);
    stem_naming_folder(recording->config->folder_name, &values, name);
}

void recording_file_name(
    const struct stem_recording *recording, uint32_t track, char name[STEM_NAMING_BYTES])
{
    const struct stem_naming_values values = values_of(recording);
    stem_layout_file_name(recording->layout, track, recording->config, &values, name);
}

/* "PATH/NAME"; false when that is too long. */
static bool join(const char *folder, const char *name, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

/* A folder whose name is taken gets the next number. */
static void rename_folder(struct stem_recording *recording)
{
    char name[STEM_NAMING_BYTES], path[PATH_MAX];
    struct stat there;
    const unsigned number = recording->number;
    recording_folder_name(recording, name);
    if (!join(recording->takes, name, path) || strcmp(path, recording->folder) == 0)
        return;
    for (recording->number = 1; recording->number <= RECORDING_MOST_NUMBER; recording->number++) {
        recording_folder_name(recording, name);
        if (!join(recording->takes, name, path))
            break;
        if (lstat(path, &there) == 0)
            continue;
        if (rename(recording->folder, path) != 0)
            break;
        memcpy(recording->folder, path, strlen(path) + 1);
        stem_replace_sync_folder(recording->takes); /* others are told this name */
        return;
    }
    recording->number = number;
}

/* Gives a file its second name; NULL when it has the right one or cannot get it. */
static char *link_file(struct stem_recording *recording, uint32_t track)
{
    char name[STEM_NAMING_BYTES], from[PATH_MAX], to[PATH_MAX];
    const char *file = recording_entry(recording, track)->file;
    recording_file_name(recording, track, name);
    if (strcmp(name, file) == 0 || !join(recording->folder, file, from) ||
        !join(recording->folder, name, to) || link(from, to) != 0)
        return NULL;
    return strdup(name);
}

/* The files have both names until the manifest with the new ones stands, so that it is right at any
 * moment. On file systems without links, files keep their names; so they do when a project that
 * somebody saved tells them. */
static void link_files(struct stem_recording *recording)
{
    recording->old_files = calloc(recording->tracks, sizeof *recording->old_files);
    bool is_named = stem_projects_are_theirs(recording->folder);
    for (uint32_t t = 0; recording->old_files && t < recording->tracks && !is_named; t++) {
        struct stem_take_stem *entry = recording_entry(recording, t);
        char *name = link_file(recording, t);
        if (!name)
            continue;
        recording->old_files[t] = entry->file;
        entry->file = name;
    }
}

void recording_rename(struct stem_recording *recording)
{
    if (!recording->keeps_name)
        rename_folder(recording);
    link_files(recording);
}

void recording_renamed(struct stem_recording *recording, bool saved)
{
    for (uint32_t t = 0; recording->old_files && t < recording->tracks; t++) {
        char path[PATH_MAX];
        const char *old = recording->old_files[t];
        if (old && join(recording->folder, saved ? old : recording_entry(recording, t)->file, path))
            unlink(path);
        free(recording->old_files[t]);
    }
    free(recording->old_files);
    recording->old_files = NULL;
}
