#include "recording_parts.h"

#include "fact_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(struct stem_recording *recording)
{
    recording->failed = true;
    return -1;
}

int stem_recording_write(struct stem_recording *recording, const struct stem_tape_span *spans,
    uint32_t frames, struct stem_error *error)
{
    for (uint32_t t = 0; t < recording->tracks; t++) {
        const struct stem_tape_span *span = &spans[t];
        for (int part = 0; part < 2; part++)
            if (span->frames[part] && stem_file_write(recording->files[t], span->samples[part],
                                          span->frames[part], error))
                return fail(recording);
    }
    recording->take.frames += frames;
    return 0;
}

int stem_recording_gap(struct stem_recording *recording, uint64_t frame, uint64_t frames,
    uint32_t reasons, bool save, struct stem_error *error)
{
    struct stem_take *take = &recording->take;
    if (stem_take_add_gap(take, frame - take->start_frame, frames, reasons))
        return stem_error_set(error, "no memory for another gap");
    recording->manifest_stale = true;
    if (save)
        stem_recording_save(recording);
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (stem_file_write_silence(recording->files[t], frames, error)) {
            recording->most_frames = take->frames; /* where even_out() ends the list of gaps too */
            return fail(recording);
        }
    take->frames += frames;
    return 0;
}

uint64_t stem_recording_stored(const struct stem_recording *recording)
{
    uint64_t frames = recording->take.frames;
    for (uint32_t t = 0; t < recording->tracks; t++) {
        uint64_t stored = stem_file_stored(recording->files[t]);
        frames = stored < frames ? stored : frames;
    }
    return recording->take.start_frame + frames;
}

/* Whether the disk merely has no more room. */
static bool is_full(const struct stem_recording *recording)
{
    for (uint32_t t = 0; t < recording->tracks; t++) {
        int problem = stem_file_problem(recording->files[t]);
        if (problem && problem != ENOSPC && problem != EDQUOT && problem != EFBIG)
            return false;
    }
    return true;
}

uint64_t stem_recording_safe(const struct stem_recording *recording)
{
    return is_full(recording) && !recording->is_sync_lost
               ? stem_recording_stored(recording)
               : recording->take.start_frame + recording->synced_frames;
}

uint64_t stem_recording_boundary(const struct stem_recording *recording, uint64_t frame)
{
    const uint64_t block = stem_file_block(recording->files[0]);
    uint64_t frames = frame - recording->take.start_frame;
    uint64_t end = (frames + block - 1) / block * block;
    return recording->take.start_frame + (end <= recording->take.frames ? end : frames);
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

/* A marker for a moment that is past comes after those of later frames: other programs want them in
 * order. */
static void sort_last_marker(struct stem_take *take)
{
    const struct stem_take_marker last = take->markers[take->marker_count - 1];
    size_t at = take->marker_count - 1;
    for (; at > 0 && take->markers[at - 1].frame > last.frame; at--)
        take->markers[at] = take->markers[at - 1];
    take->markers[at] = last;
}

void stem_recording_marker(struct stem_recording *recording, uint64_t frame, const char *text)
{
    if (stem_take_add_marker(&recording->take, from_start(recording, frame), text) == 0)
        sort_last_marker(&recording->take);
    recording->manifest_stale = true;
}

/* What was noted of frames that the next part has moves there. */
static void move_notes(struct stem_take *from, struct stem_take *to, uint64_t frame)
{
    size_t kept = 0;
    for (size_t k = 0; k < from->xrun_count; k++)
        if (from->xruns[k].frame < frame)
            from->xruns[kept++] = from->xruns[k];
        else
            stem_take_add_xrun(to, from->xruns[k].frame - frame, from->xruns[k].delay_us);
    from->xrun_count = kept;
    kept = 0;
    for (size_t k = 0; k < from->marker_count; k++) {
        struct stem_take_marker marker = from->markers[k];
        if (marker.frame < frame) {
            from->markers[kept++] = marker;
            continue;
        }
        stem_take_add_marker(to, marker.frame - frame, marker.text);
        free(marker.text);
    }
    from->marker_count = kept;
}

void stem_recording_continued(struct stem_recording *recording, struct stem_recording *next)
{
    uint64_t frame = next->take.start_frame - recording->take.start_frame;
    stem_take_set_string(&recording->take.continued_in, next->folder);
    move_notes(&recording->take, &next->take, frame);
    recording->failed = true;
    recording->most_frames = frame;
    stem_recording_continues(next, recording->folder);
}

void stem_recording_continues(struct stem_recording *recording, const char *folder)
{
    const bool is_gone = strcmp(folder, recording->folder) == 0; /* made anew in its place */
    stem_take_set_string(&recording->take.continued_from, is_gone ? NULL : folder);
    recording->manifest_stale = true;
}

static void add_tempo(struct stem_recording *recording, const struct stem_fact *fact)
{
    struct stem_take_tempo tempo = stem_fact_tempo(fact);
    const struct stem_take *take = &recording->take;
    tempo.frame = from_start(recording, fact->frame);
    bool jumped =
        take->transport_count && take->transports[take->transport_count - 1].frame == tempo.frame;
    if (take->tempo_count && fact->tempo.rolling && !jumped)
        stem_tempo_settle(&take->tempos[take->tempo_count - 1], &tempo, take->rate_hz);
    stem_take_add_tempo(&recording->take, tempo);
}

void stem_recording_fact(struct stem_recording *recording, const struct stem_fact *fact)
{
    uint64_t frame = from_start(recording, fact->frame);
    if (fact->kind == STEM_FACT_TEMPO)
        add_tempo(recording, fact);
    if (fact->kind == STEM_FACT_CLOCK)
        stem_take_add_clock(&recording->take, (struct stem_take_clock){frame, fact->jack_frame});
    if (fact->kind == STEM_FACT_TRANSPORT)
        stem_take_add_transport(
            &recording->take, (struct stem_take_transport){
                                  frame, fact->transport.frame, fact->transport.rolling != 0});
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
        struct stem_take_stem *stem = recording_entry(recording, t);
        stem->frames = stem_file_frames(recording->files[t]);
        stem->clips = stem_file_clips(recording->files[t]);
        stem->peak = stem_file_peak(recording->files[t]);
    }
}

void stem_recording_save(struct stem_recording *recording)
{
    count_files(recording);
    recording->manifest_stale =
        stem_take_save(&recording->take, recording->folder, &recording->trouble) != 0;
    if (recording->manifest_stale)
        return;
    recording->trouble.text[0] = '\0';
    recording_grow_reserve(recording);
}

const char *stem_recording_trouble(const struct stem_recording *recording)
{
    return recording->trouble.text;
}

int stem_recording_flush(struct stem_recording *recording, struct stem_error *error)
{
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (stem_file_flush(recording->files[t], error))
            return fail(recording);
    if (recording->manifest_stale)
        stem_recording_save(recording);
    recording_renew_projects(recording);
    return 0;
}

int stem_recording_sync(struct stem_recording *recording, struct stem_error *error)
{
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (stem_file_sync(recording->files[t], error)) {
            recording->is_sync_lost = true;
            return fail(recording);
        }
    recording->synced_frames = stem_recording_stored(recording) - recording->take.start_frame;
    stem_recording_save(recording);
    return 0;
}

int stem_recording_end(struct stem_recording *recording, struct stem_error *error)
{
    int status = 0;
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (stem_file_end(recording->files[t], status ? NULL : error))
            status = fail(recording);
    return status;
}

/* Frames that every file has or can be cut to. */
static uint64_t shortest(const struct stem_recording *recording)
{
    uint64_t frames = recording->most_frames;
    bool is_cut = false;
    for (uint32_t t = 0; t < recording->tracks; t++) {
        uint64_t has = stem_file_frames(recording->files[t]);
        frames = has < frames ? has : frames;
    }
    for (uint32_t t = 0; t < recording->tracks; t++)
        is_cut = is_cut || stem_file_frames(recording->files[t]) > frames;
    return is_cut ? frames - frames % stem_file_block(recording->files[0]) : frames;
}

void stem_recording_settle(struct stem_recording *recording)
{
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (stem_file_flush(recording->files[t], NULL))
            fail(recording);
}

uint64_t stem_recording_end_frame(const struct stem_recording *recording)
{
    return recording->take.start_frame + shortest(recording);
}

/* What the manifest says of frames behind the end. */
static void cut_lists(struct stem_take *take)
{
    while (take->gap_count && take->gaps[take->gap_count - 1].frame >= take->frames)
        take->gap_count--;
    if (take->gap_count) {
        struct stem_take_gap *last = &take->gaps[take->gap_count - 1];
        if (last->frame + last->frames > take->frames)
            last->frames = take->frames - last->frame;
    }
    while (take->clock_count && take->clocks[take->clock_count - 1].frame >= take->frames)
        take->clock_count--;
    while (take->tempo_count && take->tempos[take->tempo_count - 1].frame >= take->frames)
        take->tempo_count--;
    while (
        take->transport_count && take->transports[take->transport_count - 1].frame >= take->frames)
        take->transport_count--;
}

/* After a failure the files end at different frames: all are cut to the shortest, so that the take
 * stays one. What is cut off is less than a round of the writer. */
static void even_out(struct stem_recording *recording)
{
    uint64_t frames = shortest(recording);
    for (uint32_t t = 0; t < recording->tracks; t++)
        stem_file_cut(recording->files[t], frames);
    recording->take.frames = frames;
    cut_lists(&recording->take);
}

static int close_files(struct stem_recording *recording, struct stem_error *error)
{
    int status = 0;
    for (uint32_t t = 0; t < recording->tracks; t++)
        if (stem_file_close(recording->files[t], true, status ? NULL : error))
            status = -1;
    return status;
}

/* Completes the manifest and lets folder and files have their final names. 0 or -1. */
static int complete_folder(struct stem_recording *recording, struct stem_error *error)
{
    recording_drop_reserve(recording);
    recording_rename(recording);
    const bool saved = stem_take_save(&recording->take, recording->folder, error) == 0;
    if (saved) /* the old names are there as long as the old projects are */
        recording_complete_projects(recording);
    recording_renamed(recording, saved);
    return saved ? 0 : -1;
}

int stem_recording_finish(struct stem_recording *recording, const char *failure, char *folder,
    size_t folder_size, struct stem_error *error)
{
    struct stem_take *take = &recording->take;
    struct stem_error problem = {0}, loss = {0};
    stem_recording_look(recording, &loss);
    stem_recording_end(recording, NULL);
    if (recording->failed)
        even_out(recording);
    count_files(recording);
    int status = close_files(recording, &problem);
    if (take->continued_in)
        status = 0; /* the next part has what is missing here */
    if (status && !failure)
        failure = problem.text;
    take->progress = failure ? STEM_TAKE_FAILED : STEM_TAKE_COMPLETE;
    stem_take_set_string(&take->failure, failure);
    if (recording->is_lost) {
        problem = loss;
        status = STEM_RECORDING_NO_FOLDER;
    } else if (complete_folder(recording, status ? NULL : &problem)) {
        status = -1;
    }
    if (status && error)
        *error = problem;
    snprintf(folder, folder_size, "%s", recording->folder);
    recording_destroy(recording);
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
