#include "recording.h"

#include "naming.h"
#include "stem_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct stem_recording {
    char folder[PATH_MAX];
    const char *takes;
    struct tm started;
    struct stem_take take;
    struct stem_file **files; /* one per track, in the tape's order */
    uint32_t tracks;
    bool has_mix;
    bool manifest_stale;
};

/* The manifest's entry of a track. */
static struct stem_take_stem *entry(struct stem_recording *recording, uint32_t track)
{
    return recording->has_mix && track == recording->tracks - 1 ? &recording->take.mix
                                                                : &recording->take.stems[track];
}

/* Makes TAKES/NAME, or NAME-2 … when that exists; the takes folder itself too when it is missing.
 */
static int make_folder(struct stem_recording *recording, struct stem_error *error)
{
    char name[STEM_NAME_BYTES * 2];
    stem_naming_take_folder(
        &recording->started, recording->take.title, recording->take.tempo_bpm, name, sizeof name);
    if (mkdir(recording->takes, 0777) != 0 && errno != EEXIST)
        return stem_error_set_errno(
            error, errno, "cannot make the takes folder \"%s\"", recording->takes);
    for (unsigned number = 1; number < 1000; number++) {
        char suffix[16] = "";
        if (number > 1)
            snprintf(suffix, sizeof suffix, "-%u", number);
        if (snprintf(recording->folder, sizeof recording->folder, "%s/%s%s", recording->takes, name,
                suffix) >= (int)sizeof recording->folder)
            return stem_error_set(error, "the path of the takes folder is too long");
        if (mkdir(recording->folder, 0777) == 0)
            return 0;
        if (errno != EEXIST)
            return stem_error_set_errno(
                error, errno, "cannot make the take folder \"%s\"", recording->folder);
    }
    return stem_error_set(error, "too many takes are called \"%s/%s\"", recording->takes, name);
}

static int describe_track(struct stem_recording *recording,
    const struct stem_recording_params *params, uint32_t t, struct stem_error *error)
{
    const struct stem_layout_track *track = &params->layout->tracks[t];
    char file[STEM_NAME_BYTES + 16];
    stem_naming_stem_file(track->number, track->name,
        stem_container_extension(params->config->container), file, sizeof file);
    struct stem_take *take = &recording->take;
    bool is_mix = recording->has_mix && t == recording->tracks - 1;
    if (is_mix) {
        take->has_mix = true;
        take->mix.channels = track->channels;
        if (stem_take_set_string(&take->mix.name, track->name) ||
            stem_take_set_string(&take->mix.file, file))
            return stem_error_set(error, "no memory for the take");
    } else if (stem_take_add_stem(take, track->name, file, track->channels)) {
        return stem_error_set(error, "no memory for the take");
    }
    entry(recording, t)->inputs = track->inputs;
    entry(recording, t)->muted = params->mix && stem_mix_muted(params->mix, t);
    return 0;
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
    take->tempo_bpm = params->tempo_bpm;
    take->rate_hz = params->rate_hz;
    take->start_frame = params->start_frame;
    take->container = params->config->container;
    take->encoding = params->config->encoding;
    if (stem_take_set_string(&take->title, params->title) ||
        stem_take_set_string(&take->key, params->key) ||
        stem_take_set_string(&take->started, started) ||
        stem_take_set_string(&take->recorder, "stemd " STEMD_VERSION) ||
        stem_take_set_string(&take->previous, params->previous))
        return stem_error_set(error, "no memory for the take");
    return 0;
}

static int open_file(struct stem_recording *recording, const struct stem_recording_params *params,
    uint32_t t, struct stem_error *error)
{
    char path[PATH_MAX + STEM_NAME_BYTES + 32], originated[32];
    snprintf(path, sizeof path, "%s/%s", recording->folder, entry(recording, t)->file);
    strftime(originated, sizeof originated, "%Y-%m-%dT%H:%M:%S", &recording->started);
    const struct stem_file_params file = {
        .path = path,
        .container = params->config->container,
        .encoding = params->config->encoding,
        .rate_hz = params->rate_hz,
        .channels = params->layout->tracks[t].channels,
        .time_reference_frames = params->start_frame,
        .description = params->layout->tracks[t].name,
        .originated = originated,
        .tempo_bpm = params->tempo_bpm,
    };
    recording->files[t] = stem_file_create(&file, error);
    return recording->files[t] ? 0 : -1;
}

/* Takes back what was made when a take cannot begin. Only files that this recording created. */
static void remove_empty(struct stem_recording *recording)
{
    char path[PATH_MAX + STEM_NAME_BYTES + 32];
    for (uint32_t t = 0; recording->files && t < recording->tracks; t++) {
        if (!recording->files[t])
            continue;
        stem_file_close(recording->files[t], false, NULL);
        snprintf(path, sizeof path, "%s/%s", recording->folder, entry(recording, t)->file);
        unlink(path);
    }
    if (recording->folder[0]) {
        snprintf(path, sizeof path, "%s/%s", recording->folder, STEM_TAKE_MANIFEST);
        unlink(path);
        rmdir(recording->folder);
    }
}

static void destroy(struct stem_recording *recording)
{
    stem_take_finish(&recording->take);
    free(recording->files);
    free(recording);
}

static int open_all(struct stem_recording *recording, const struct stem_recording_params *params,
    struct stem_error *error)
{
    if (describe_take(recording, params, error))
        return -1;
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (describe_track(recording, params, t, error))
            return -1;
    if (make_folder(recording, error))
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
    recording->takes = params->config->takes;
    recording->tracks = params->layout->track_count;
    recording->has_mix = params->layout->has_mix;
    recording->files = calloc(recording->tracks, sizeof *recording->files);
    localtime_r(&params->started.tv_sec, &recording->started);
    if (recording->files && open_all(recording, params, error) == 0)
        return recording;
    if (!recording->files)
        stem_error_set(error, "no memory for the take");
    remove_empty(recording);
    destroy(recording);
    return NULL;
}

int stem_recording_write(struct stem_recording *recording, const struct stem_tape *tape,
    uint64_t frame, uint32_t frames, struct stem_error *error)
{
    for (uint32_t t = 0; t < recording->tracks; t++) {
        struct stem_tape_span span = stem_tape_span_rt(tape, t, frame, frames);
        for (int part = 0; part < 2; part++)
            if (span.frames[part] &&
                stem_file_write(recording->files[t], span.samples[part], span.frames[part], error))
                return -1;
    }
    recording->take.frames += frames;
    return 0;
}

int stem_recording_gap(struct stem_recording *recording, uint64_t frame, uint64_t frames,
    uint32_t reasons, struct stem_error *error)
{
    struct stem_take *take = &recording->take;
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (stem_file_write_silence(recording->files[t], frames, error))
            return -1;
    if (stem_take_add_gap(take, frame - take->start_frame, frames, reasons))
        return stem_error_set(error, "no memory for another gap");
    take->frames += frames;
    recording->manifest_stale = true;
    return 0;
}

static uint64_t from_start(const struct stem_recording *recording, uint64_t frame)
{
    uint64_t start = recording->take.start_frame;
    return frame > start ? frame - start : 0;
}

void stem_recording_xrun(struct stem_recording *recording, uint64_t frame, double delay_us)
{
    if (frame < recording->take.start_frame)
        return;
    stem_take_add_xrun(&recording->take, from_start(recording, frame), delay_us);
    recording->manifest_stale = true;
}

void stem_recording_marker(struct stem_recording *recording, uint64_t frame, const char *text)
{
    stem_take_add_marker(&recording->take, from_start(recording, frame), text);
    recording->manifest_stale = true;
}

void stem_recording_describe(
    struct stem_recording *recording, const char *title, const char *key, double tempo_bpm)
{
    stem_take_set_string(&recording->take.title, title);
    stem_take_set_string(&recording->take.key, key);
    recording->take.tempo_bpm = tempo_bpm;
    recording->manifest_stale = true;
}

/* What the files know, for the manifest. */
static void count_files(struct stem_recording *recording)
{
    for (uint32_t t = 0; t < recording->tracks; t++) {
        struct stem_take_stem *stem = entry(recording, t);
        stem->frames = stem_file_frames(recording->files[t]);
        stem->clips = stem_file_clips(recording->files[t]);
        stem->peak = stem_file_peak(recording->files[t]);
    }
}

int stem_recording_flush(struct stem_recording *recording, struct stem_error *error)
{
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (stem_file_flush(recording->files[t], error))
            return -1;
    if (!recording->manifest_stale)
        return 0;
    recording->manifest_stale = false;
    count_files(recording);
    return stem_take_save(&recording->take, recording->folder, error);
}

int stem_recording_sync(struct stem_recording *recording, struct stem_error *error)
{
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (stem_file_sync(recording->files[t], error))
            return -1;
    count_files(recording);
    return stem_take_save(&recording->take, recording->folder, error);
}

/* Title and tempo may have come after the folder was made: its name follows them. A name that is
 * taken stays as it is. */
static void rename_folder(struct stem_recording *recording)
{
    char name[STEM_NAME_BYTES * 2], path[PATH_MAX + sizeof name];
    stem_naming_take_folder(
        &recording->started, recording->take.title, recording->take.tempo_bpm, name, sizeof name);
    size_t length = (size_t)snprintf(path, sizeof path, "%s/%s", recording->takes, name);
    bool same = strncmp(recording->folder, path, length) == 0 &&
                (recording->folder[length] == '\0' || recording->folder[length] == '-');
    struct stat there;
    if (same || length >= sizeof recording->folder || stat(path, &there) == 0)
        return;
    if (rename(recording->folder, path) == 0)
        memcpy(recording->folder, path, length + 1);
}

int stem_recording_finish(struct stem_recording *recording, const char *failure, char *folder,
    size_t folder_size, struct stem_error *error)
{
    struct stem_take *take = &recording->take;
    struct stem_error problem = {0};
    int status = 0;
    count_files(recording);
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (stem_file_close(recording->files[t], true, status ? NULL : &problem))
            status = -1;
    if (status && !failure)
        failure = problem.text;
    take->progress = failure ? STEM_TAKE_FAILED : STEM_TAKE_COMPLETE;
    stem_take_set_string(&take->failure, failure);
    rename_folder(recording);
    if (stem_take_save(take, recording->folder, status ? NULL : &problem))
        status = -1;
    if (status && error)
        *error = problem;
    snprintf(folder, folder_size, "%s", recording->folder);
    destroy(recording);
    return status;
}

const char *stem_recording_folder(const struct stem_recording *recording)
{
    return recording->folder;
}

const struct stem_take *stem_recording_take(const struct stem_recording *recording)
{
    return &recording->take;
}

uint64_t stem_recording_clips(const struct stem_recording *recording)
{
    uint64_t clips = 0;
    for (uint32_t t = 0; t < recording->tracks; t++)
        clips += stem_file_clips(recording->files[t]);
    return clips;
}
