/* The inside of a recording: recording_open.c makes folder and files, recording.c fills them and
 * completes them. Writer thread only. */
#ifndef STEMD_RECORDING_PARTS_H
#define STEMD_RECORDING_PARTS_H

#include "recording.h"
#include "stem_file.h"

#include <limits.h>

/* Disk space kept for the manifest, so that a take on a full disk can still be completed. */
#define RECORDING_RESERVE ".reserve"
enum { RECORDING_RESERVE_BYTES = 256 * 1024 };

struct stem_recording {
    char folder[PATH_MAX];
    const char *takes;
    struct tm started;
    struct stem_take take;
    struct stem_file **files; /* one per track, in the tape's order */
    uint32_t tracks;
    uint32_t rate_hz;
    bool has_mix;
    bool keeps_name;      /* its folder's name was given */
    bool failed;          /* a file could not be written; the files' ends differ */
    uint64_t most_frames; /* continued elsewhere: the length of this part */
    bool manifest_stale;
};

/* The manifest's entry of a track. */
struct stem_take_stem *recording_entry(struct stem_recording *recording, uint32_t track);

/* Gives the reserved space back. */
void recording_drop_reserve(const struct stem_recording *recording);

void recording_destroy(struct stem_recording *recording);

#endif
