/* The inside of a recording: recording_open.c makes folder and files, recording_names.c names them,
 * recording_place.c looks whether they are still there, recording_projects.c lets other programs
 * open them, recording.c fills them and completes them.
 * Writer thread only. */
#ifndef STEMD_RECORDING_PARTS_H
#define STEMD_RECORDING_PARTS_H

#include "naming_template.h"
#include "recording.h"
#include "stem_file.h"

#include <limits.h>
#include <sys/types.h>

/* Disk space kept for the manifest, so that a take on a full disk can still be completed: so much,
 * and what the manifest has come to need. */
#define RECORDING_RESERVE ".reserve"
enum { RECORDING_RESERVE_BYTES = 256 * 1024, RECORDING_MOST_NUMBER = 9999 };

struct stem_recording {
    char folder[PATH_MAX];
    const char *takes;
    const struct stem_config *config;
    const struct stem_layout *layout;
    struct tm started;
    struct stem_take take;
    struct stem_file **files; /* one per track, in the tape's order */
    char **old_files;         /* names that files had until its end; NULL: still have */
    unsigned number;          /* among takes of the same name, from 1 */
    int lock;                 /* of the folder: nobody recovers or finishes it meanwhile */
    uint32_t tracks;
    uint32_t rate_hz;
    bool keeps_name;   /* its folder's name was given */
    bool is_lost;      /* its folder, at the last look */
    uint32_t strays;   /* files that are not in it, at the last look */
    bool failed;       /* a file could not be written; the files' ends differ */
    bool is_sync_lost; /* the kernel could not bring to the disk what it had taken */
    off_t reserve_bytes;
    uint64_t synced_frames; /* are on the disk for sure */
    uint64_t most_frames;   /* after a failure the take ends here at the latest */
    bool manifest_stale;
    uint64_t shown_frames; /* length that the projects tell of */
    size_t shown_markers;
    int64_t show_again_ns;     /* not before */
    struct stem_error trouble; /* why the manifest could not be renewed */
};

/* The manifest's entry of a track. */
struct stem_take_stem *recording_entry(struct stem_recording *recording, uint32_t track);

/* The name that the folder should have, by what is known now and with the recording's number. */
void recording_folder_name(const struct stem_recording *recording, char name[STEM_NAMING_BYTES]);
/* The same for the file of a track. */
void recording_file_name(
    const struct stem_recording *recording, uint32_t track, char name[STEM_NAMING_BYTES]);

/* Lets folder and closed files have the names that fit what became known. Then save the manifest,
 * and tell whether that was done: the names that it does not have are given up. */
void recording_rename(struct stem_recording *recording);
void recording_renamed(struct stem_recording *recording, bool saved);

/* The take's projects (projects.h): made with the folder; renewed after a flush, when
 * there is something new, with what every file has; completed when files and manifest are. */
void recording_begin_projects(struct stem_recording *recording);
void recording_renew_projects(struct stem_recording *recording);
void recording_complete_projects(struct stem_recording *recording);

/* Reserves more when the manifest in the folder has grown; on a full disk it stays as it is. */
void recording_grow_reserve(struct stem_recording *recording);

/* Gives the reserved space back. */
void recording_drop_reserve(const struct stem_recording *recording);

void recording_destroy(struct stem_recording *recording);

#endif
