/* A recording: the folder, files and manifest of one running take. Writer thread only.
 *
 * Every call that writes advances all files by the same number of frames. After an error the
 * recording can only be finished; what was written until then stays valid.
 */
#ifndef STEMD_RECORDING_H
#define STEMD_RECORDING_H

#include "config.h"
#include "facts.h"
#include "layout.h"
#include "take.h"
#include "tape.h"

#include <time.h>

struct stem_recording;

struct stem_recording_params {
    const struct stem_config *config;
    const struct stem_layout *layout;
    const struct stem_mix *mix; /* tells which stems are muted; NULL: none */
    const char *takes;          /* folder in which the take folder is made; outlives it */
    uint32_t rate_hz;
    uint64_t start_frame;
    uint64_t time_reference; /* for the files' bext chunk */
    struct timespec started; /* wall clock of the first frame */
    const char *started_by;  /* as in the manifest */
    uint64_t seed;           /* identity of the take, with its start frame; 0: a random one */
    const char *mirror;      /* as in the manifest; NULL: none */
    const struct stem_take
        *part_of; /* goes on with this take, which failed here; NULL: a new one */
    const char *title;
    const char *key;
    double tempo_bpm;
    const char *previous; /* folder name of the take this one continues, or NULL */
    const char *name;     /* of the folder; NULL: made from time, title and tempo */
};

/* Makes folder, files and manifest. NULL and `error` when that fails; a folder without audio is
 * removed again then. */
struct stem_recording *stem_recording_create(
    const struct stem_recording_params *params, struct stem_error *error);

/* Where folder and files of the take are. */
enum stem_recording_place {
    STEM_RECORDING_KEPT,  /* where they were made, or where they were found the last time */
    STEM_RECORDING_MOVED, /* somebody moved them: the take goes on in them */
    STEM_RECORDING_LOST,  /* removed, or cannot be reached any more: nothing more is kept in them */
};

/* Looks whether folder and files are still there. A moved folder is followed, and a moved file gets
 * its name again, where the file system can give a second one. `what` says what happened; a loss is
 * told again and again. */
enum stem_recording_place stem_recording_look(
    struct stem_recording *recording, struct stem_error *what);

/* First frame, absolute, that the kernel does not have for every file. */
uint64_t stem_recording_stored(const struct stem_recording *recording);

/* Gives the kernel what the files gather: what they cannot keep does not count any more in
 * stem_recording_end_frame. */
void stem_recording_settle(struct stem_recording *recording);

/* Absolute frame at which the files end at the latest when the recording is finished now. */
uint64_t stem_recording_end_frame(const struct stem_recording *recording);

/* The recording failed: first frame, absolute, that may not be on the disk. A full disk keeps what
 * it took; one that fails may lose what it took since it was last waited for. */
uint64_t stem_recording_safe(const struct stem_recording *recording);

/* First absolute frame from `frame` on at which this recording's files can end: FLAC's only where a
 * block does. If they do not have as much, `frame` itself. */
uint64_t stem_recording_boundary(const struct stem_recording *recording, uint64_t frame);

/* The take goes on in `next`, which begins at a frame of this part (a boundary, at most
 * stem_recording_stored): this part ends there, its manifest tells where the next one is, and what
 * was noted of later frames moves there. */
void stem_recording_continued(struct stem_recording *recording, struct stem_recording *next);

/* Notes in the manifest where the part before is, whose folder got its final name; nowhere when
 * this folder was made in its place. */
void stem_recording_continues(struct stem_recording *recording, const char *folder);

/* Appends frames of all tracks, read in place from `spans`, one per track. 0 or -1. */
int stem_recording_write(struct stem_recording *recording, const struct stem_tape_span *spans,
    uint32_t frames, struct stem_error *error);

/* Appends a gap: silence in all files, and an entry in the manifest. With `save` the manifest is
 * renewed before, so that a recorder that dies now has told of it. 0 or -1. */
int stem_recording_gap(struct stem_recording *recording, uint64_t frame, uint64_t frames,
    uint32_t reasons, bool save, struct stem_error *error);

/* Notes in the manifest; frames are absolute, those before the start count as its first. */
void stem_recording_xrun(struct stem_recording *recording, uint64_t frame, double delay_us);
/* Clock, tempo or transport; a fact from before the start counts as seen at its first frame. */
void stem_recording_fact(struct stem_recording *recording, const struct stem_fact *fact);
void stem_recording_marker(struct stem_recording *recording, uint64_t frame, const char *text);

/* Renews the manifest. When that fails, for want of a descriptor for instance, no audio is lost: it
 * is tried again with the next flush. */
void stem_recording_save(struct stem_recording *recording);
/* Why the manifest could not be renewed the last time; "" when it was. */
const char *stem_recording_trouble(const struct stem_recording *recording);

/* Makes what was written so far playable, renews the manifest if it changed, and the projects. 0 or
 * -1. */
int stem_recording_flush(struct stem_recording *recording, struct stem_error *error);

/* No more frames follow: hands all of them to the kernel, FLAC's last block too. 0 or -1. */
int stem_recording_end(struct stem_recording *recording, struct stem_error *error);

/* Waits until what was flushed is on the disk, and renews the manifest. 0 or -1. */
int stem_recording_sync(struct stem_recording *recording, struct stem_error *error);

/* Closes the files, completes the manifest and gives the folder its final name (title and tempo may
 * have come late). `failure` is NULL for a take that ended as asked. Frees the recording. `folder`
 * receives the final path. 0, or -1 with `error` when something could not be completed;
 * STEM_RECORDING_NO_FOLDER when its folder is lost: then nothing at that path is touched. */
enum { STEM_RECORDING_NO_FOLDER = -2 };
int stem_recording_finish(struct stem_recording *recording, const char *failure, char *folder,
    size_t folder_size, struct stem_error *error);

/* Title, key and tempo may change while it runs. */
void stem_recording_describe(
    struct stem_recording *recording, const char *title, const char *key, double tempo_bpm);

const char *stem_recording_folder(const struct stem_recording *recording); /* absolute path */
const struct stem_take *stem_recording_take(const struct stem_recording *recording);
uint64_t stem_recording_clips(const struct stem_recording *recording);

#endif
