/* The projects of a running take: whoever opens its folder, or finds it after a crash, has tracks,
 * markers and tempo as far as they are written. They are not waited for, and a take goes on without
 * them: the finisher makes them again. */
#include "projects.h"
#include "recording_parts.h"

#include <time.h>

/* Renewed when the take has grown by a part of a second, however often the manifest is; long lists
 * and slow disks are given a twentieth of the time. */
enum { RENEWALS_PER_SECOND = 2, PAUSE_FACTOR = 20 };

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void put(struct stem_recording *recording, uint64_t frames, bool wait)
{
    struct stem_take so_far = recording->take; /* borrows everything */
    so_far.frames = frames;
    for (int k = 0; k < STEM_PROJECT_KINDS; k++)
        STEM_PROJECTS[k].write(recording->folder, &so_far, wait, NULL);
    recording->shown_frames = frames;
    recording->shown_markers = recording->take.marker_count;
}

void recording_begin_projects(struct stem_recording *recording)
{
    put(recording, 0, false);
}

static bool is_new(const struct stem_recording *recording, uint64_t frames)
{
    return frames >= recording->shown_frames + recording->rate_hz / RENEWALS_PER_SECOND ||
           recording->shown_markers != recording->take.marker_count;
}

void recording_renew_projects(struct stem_recording *recording)
{
    uint64_t frames = stem_recording_stored(recording) - recording->take.start_frame;
    int64_t began = now_ns();
    if (began < recording->show_again_ns || !is_new(recording, frames))
        return;
    put(recording, frames, false);
    int64_t ended = now_ns();
    recording->show_again_ns = ended + PAUSE_FACTOR * (ended - began);
}

void recording_complete_projects(struct stem_recording *recording)
{
    put(recording, recording->take.frames, true);
}
