/* Making the folder, files and manifest of a take. */
#include "finish_wanted.h"
#include "ixml.h"
#include "recording_parts.h"
#include "replace.h"
#include "take_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct stem_take_stem *recording_entry(struct stem_recording *recording, uint32_t track)
{
    struct stem_take *take = &recording->take;
    if (stem_layout_is_mix(recording->layout, track))
        return &take->mix;
    return track < take->stem_count ? &take->stems[track] : &take->extras[track - take->stem_count];
}

/* "NAME", "NAME-2" … of what is given, or by the template. */
static void number_folder(
    const struct stem_recording *recording, const char *given, char name[STEM_NAMING_BYTES])
{
    if (!given)
        recording_folder_name(recording, name);
    else if (recording->number == 1)
        snprintf(name, STEM_NAMING_BYTES, "%s", given);
    else
        snprintf(name, STEM_NAMING_BYTES, "%s-%u", given, recording->number);
}

/* The number that the template has in a given name, so that files get the same one; or 1. */
static unsigned number_of(struct stem_recording *recording, const char *given)
{
    char name[STEM_NAMING_BYTES];
    for (recording->number = 1; recording->number <= RECORDING_MOST_NUMBER; recording->number++) {
        recording_folder_name(recording, name);
        if (strcmp(name, given) == 0)
            return recording->number;
    }
    return 1;
}

/* Makes the take's folder, with the first number whose name is free; the takes folder itself too
 * when it is missing. `folder` is set only when it was made. */
static int make_folder(
    struct stem_recording *recording, const char *given, struct stem_error *error)
{
    char name[STEM_NAMING_BYTES], path[PATH_MAX];
    if (mkdir(recording->takes, 0777) != 0 && errno != EEXIST)
        return stem_error_set_errno(
            error, errno, "cannot make the takes folder \"%s\"", recording->takes);
    for (recording->number = 1; recording->number <= RECORDING_MOST_NUMBER; recording->number++) {
        number_folder(recording, given, name);
        if (snprintf(path, sizeof path, "%s/%s", recording->takes, name) >= (int)sizeof path)
            return stem_error_set(error, "the path of the takes folder is too long");
        if (mkdir(path, 0777) == 0) {
            memcpy(recording->folder, path, strlen(path) + 1);
            recording->number = given ? number_of(recording, given) : recording->number;
            recording->lock = stem_take_lock(path);
            if (recording->config->finish)
                stem_finish_want(path);
            stem_replace_sync_folder(recording->takes); /* a power cut leaves the folder there */
            return 0;
        }
        if (errno != EEXIST)
            return stem_error_set_errno(error, errno, "cannot make the take folder \"%s\"", path);
    }
    return stem_error_set(error, "too many takes are called \"%s/%s\"", recording->takes, name);
}

static int describe_track(struct stem_recording *recording,
    const struct stem_recording_params *params, uint32_t t, struct stem_error *error)
{
    const struct stem_layout_track *track = &params->layout->tracks[t];
    char file[STEM_NAMING_BYTES];
    recording_file_name(recording, t, file);
    struct stem_take *take = &recording->take;
    int status;
    if (stem_layout_is_mix(params->layout, t)) {
        take->has_mix = true;
        take->mix.channels = track->channels;
        status = stem_take_set_string(&take->mix.name, track->name) ||
                 stem_take_set_string(&take->mix.file, file);
    } else if (track->in_sum) {
        status = stem_take_add_stem(take, track->name, file, track->channels);
    } else {
        status = stem_take_add_extra(take, track->name, file, track->channels);
    }
    if (status)
        return stem_error_set(error, "no memory for the take");
    struct stem_take_stem *entry = recording_entry(recording, t);
    entry->role = track->role;
    entry->inputs = track->inputs;
    entry->muted = params->mix && stem_mix_muted(params->mix, t);
    return 0;
}

/* An identity that no other take has: random, but the same in the mirror. */
static int set_identity(struct stem_take *take, uint64_t seed)
{
    char text[40];
    if (seed == 0 && getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return -1;
    snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)seed,
        (unsigned long long)take->start_frame);
    return stem_take_set_string(&take->id, text);
}

/* A take of its own, or the next part of one that had to go on elsewhere. */
static int describe_kinship(
    struct stem_take *take, const struct stem_recording_params *params, struct stem_error *error)
{
    const struct stem_take *part_of = params->part_of;
    int status =
        part_of ? stem_take_set_string(&take->id, part_of->id) : set_identity(take, params->seed);
    if (part_of) {
        take->part = part_of->part + 1;
        take->part_frame = part_of->part_frame + (take->start_frame - part_of->start_frame);
        stem_take_set_string(&take->previous, part_of->previous);
    }
    return status ? stem_error_set(error, "no identity for the take") : 0;
}

static int describe_take(struct stem_recording *recording,
    const struct stem_recording_params *params, struct stem_error *error)
{
    struct stem_take *take = &recording->take;
    char zone[8], started[64], moment[32];
    strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%S", &recording->started);
    strftime(zone, sizeof zone, "%z", &recording->started);
    snprintf(started, sizeof started, "%s.%03u%.3s:%.2s", moment,
        (unsigned)(params->started.tv_nsec / 1000000) % 1000, zone, zone + 3);
    take->progress = STEM_TAKE_RECORDING;
    take->part = 1;
    take->time_reference = params->time_reference;
    take->tempo_bpm = params->tempo_bpm;
    take->rate_hz = params->rate_hz;
    take->start_frame = params->start_frame;
    take->container = params->config->container;
    take->encoding = params->config->encoding;
    if (stem_take_set_string(&take->title, params->title) ||
        stem_take_set_string(&take->key, params->key) ||
        stem_take_set_string(&take->started, started) ||
        stem_take_set_string(&take->started_by, params->started_by) ||
        stem_take_set_string(&take->mirror, params->mirror) ||
        stem_take_set_string(&take->recorder, "stemd " STEMD_VERSION) ||
        stem_take_set_string(&take->previous, params->previous))
        return stem_error_set(error, "no memory for the take");
    return describe_kinship(take, params, error);
}

static int open_file(struct stem_recording *recording, const struct stem_recording_params *params,
    uint32_t t, struct stem_error *error)
{
    const struct stem_take_stem *entry = recording_entry(recording, t);
    char path[PATH_MAX + STEM_NAMING_BYTES + 1], originated[32];
    snprintf(path, sizeof path, "%s/%s", recording->folder, entry->file);
    strftime(originated, sizeof originated, "%Y-%m-%dT%H:%M:%S", &recording->started);
    char *ixml = stem_ixml_make(&recording->take, entry);
    if (!ixml)
        return stem_error_set(error, "no memory for the take");
    const struct stem_file_params file = {
        .path = path,
        .container = params->config->container,
        .encoding = params->config->encoding,
        .rate_hz = params->rate_hz,
        .channels = params->layout->tracks[t].channels,
        .time_reference_frames = params->time_reference,
        .description = params->layout->tracks[t].name,
        .originated = originated,
        .reference = recording->take.id,
        .ixml = ixml,
        .tempo_bpm = params->tempo_bpm,
        .is_of_take = true,
    };
    recording->files[t] = stem_file_create(&file, error);
    free(ixml);
    return recording->files[t] ? 0 : -1;
}

/* Takes back what was made when a take cannot begin. Only files that this recording created. */
static void remove_empty(struct stem_recording *recording)
{
    char path[PATH_MAX + STEM_NAMING_BYTES + 1];
    for (uint32_t t = 0; recording->files && t < recording->tracks; t++) {
        if (!recording->files[t])
            continue;
        stem_file_close(recording->files[t], false, NULL);
        snprintf(
            path, sizeof path, "%s/%s", recording->folder, recording_entry(recording, t)->file);
        unlink(path);
    }
    if (recording->folder[0]) {
        recording_drop_reserve(recording);
        stem_finish_wanted_done(recording->folder);
        snprintf(path, sizeof path, "%s/%s", recording->folder, STEM_TAKE_MANIFEST);
        unlink(path);
        rmdir(recording->folder);
    }
}

/* Space for the manifest of a take that ends because the disk is full. */
static int make_reserve(struct stem_recording *recording, off_t bytes, struct stem_error *error)
{
    char path[PATH_MAX + sizeof RECORDING_RESERVE + 1];
    snprintf(path, sizeof path, "%s/%s", recording->folder, RECORDING_RESERVE);
    int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    int problem = fd < 0 ? errno : posix_fallocate(fd, 0, bytes);
    if (fd >= 0)
        close(fd);
    if (problem)
        return stem_error_set_errno(error, problem, "cannot reserve space in \"%s\"", path);
    recording->reserve_bytes = bytes;
    return 0;
}

void recording_grow_reserve(struct stem_recording *recording)
{
    char path[PATH_MAX + sizeof STEM_TAKE_MANIFEST + 1];
    struct stat manifest;
    snprintf(path, sizeof path, "%s/%s", recording->folder, STEM_TAKE_MANIFEST);
    if (stat(path, &manifest) != 0)
        return;
    off_t size = manifest.st_size;
    if (recording->reserve_bytes < RECORDING_RESERVE_BYTES + size + size / 4)
        make_reserve(recording, RECORDING_RESERVE_BYTES + 2 * size, NULL);
}

void recording_drop_reserve(const struct stem_recording *recording)
{
    char path[PATH_MAX + sizeof RECORDING_RESERVE + 1];
    snprintf(path, sizeof path, "%s/%s", recording->folder, RECORDING_RESERVE);
    unlink(path);
}

void recording_destroy(struct stem_recording *recording)
{
    stem_take_unlock(recording->lock);
    stem_take_finish(&recording->take);
    free(recording->files);
    free(recording);
}

static int open_all(struct stem_recording *recording, const struct stem_recording_params *params,
    struct stem_error *error)
{
    if (describe_take(recording, params, error) || make_folder(recording, params->name, error))
        return -1;
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (describe_track(recording, params, t, error))
            return -1;
    if (make_reserve(recording, RECORDING_RESERVE_BYTES, error))
        return -1;
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (open_file(recording, params, t, error))
            return -1;
    return stem_take_save(&recording->take, recording->folder, error);
}

struct stem_recording *stem_recording_create(
    const struct stem_recording_params *params, struct stem_error *error)
{
    struct stem_recording *recording = calloc(1, sizeof *recording);
    if (!recording) {
        stem_error_set(error, "no memory for the take");
        return NULL;
    }
    recording->takes = params->takes;
    recording->config = params->config;
    recording->layout = params->layout;
    recording->lock = -1;
    recording->most_frames = UINT64_MAX;
    recording->rate_hz = params->rate_hz;
    recording->keeps_name = params->name != NULL;
    recording->tracks = params->layout->track_count;
    recording->files = calloc(recording->tracks, sizeof *recording->files);
    localtime_r(&params->started.tv_sec, &recording->started);
    if (recording->files && open_all(recording, params, error) == 0) {
        recording_begin_projects(recording);
        return recording;
    }
    if (!recording->files)
        stem_error_set(error, "no memory for the take");
    remove_empty(recording);
    recording_destroy(recording);
    return NULL;
}
