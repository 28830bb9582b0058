/* One audio file that is being written: the only place, beside the reader, that knows libsndfile.
 *
 * All metadata is fixed before the first frame (libsndfile overwrites audio otherwise). Integers
 * are converted here (sample.h), because libsndfile's own float conversion changes samples. Small
 * writes are gathered into large ones. WAV is RF64 with automatic downgrade, so there is no 4 GiB
 * wall. A file that exists is never overwritten.
 */
#ifndef STEM_FILE_H
#define STEM_FILE_H

#include "error.h"
#include "format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stem_file;

struct stem_file_params {
    const char *path; /* borrowed during the call */
    enum stem_container container;
    enum stem_encoding encoding;
    uint32_t rate_hz;
    uint32_t channels;
    uint64_t time_reference_frames; /* bext TimeReference, the same for all stems of a take */
    const char *description;        /* bext Description, at most 255 bytes; NULL: none */
    const char *originated;         /* "YYYY-MM-DDThh:mm:ss", local time; NULL: no bext chunk */
    const char *reference;          /* bext OriginatorReference, at most 32 bytes; NULL: none */
    const char *ixml; /* text of the iXML chunk where the container can (ixml.h); NULL: none */
    double tempo_bpm; /* `acid` chunk where the container can; 0: none */
    bool is_of_take;  /* hold the places for what is known when a take is finished: the tempo
                         (acid.h), the tags of FLAC (flac_tags.h) */
};

/* Creates the file. Returns NULL and fills `error` (with the path) when it exists, cannot be
 * created, or the format is impossible. Writer thread. */
struct stem_file *stem_file_create(const struct stem_file_params *params, struct stem_error *error);

/* Appends `frames` interleaved frames. Returns 0, or -1 with `error` set (disk full, I/O error);
 * stem_file_frames then tells what was accepted. Writer thread. */
int stem_file_write(
    struct stem_file *file, const float *interleaved, size_t frames, struct stem_error *error);

/* The same from doubles, for the encodings that hold more than a float: 32-bit integers and
 * doubles. A float file gets the nearest floats. Slower: for files that are made of others. Do not
 * mix with stem_file_write in one file. */
int stem_file_write_doubles(
    struct stem_file *file, const double *interleaved, size_t frames, struct stem_error *error);

/* Appends silence; long runs become holes in PCM and float files, so they cost no time. */
int stem_file_write_silence(struct stem_file *file, uint64_t frames, struct stem_error *error);

/* Hands everything to the kernel and brings the header up to date: a process killed after this
 * leaves a playable file. FLAC's encoder keeps the block it works on (4096 frames with libsndfile)
 * to itself, and its header tells the length only once the file is closed. Writer thread. */
int stem_file_flush(struct stem_file *file, struct stem_error *error);

/* Waits until what was flushed is on the disk (fdatasync). Writer thread. */
int stem_file_sync(struct stem_file *file, struct stem_error *error);

/* Completes the header, flushes, closes and frees, also when it fails. NULL is allowed (returns 0).
 * With `sync` it also waits for the disk. */
int stem_file_close(struct stem_file *file, bool sync, struct stem_error *error);

/* No more frames follow: what FLAC's encoder kept to itself is written, and everything handed to
 * the kernel. Then stem_file_frames tells what the file has, also after a failure (returns -1).
 * Only cutting and closing may follow. Writer thread. */
int stem_file_end(struct stem_file *file, struct stem_error *error);

/* Shortens the file to `frames` whole frames, also after a failure, and sets its header right; does
 * nothing to a shorter file. FLAC files are ended by it, and can only be cut to a multiple of
 * stem_file_block. One that cannot be read keeps its length. Writer thread. */
void stem_file_cut(struct stem_file *file, uint64_t frames);

/* Frames of FLAC's blocks, the same in all files; 1 in other containers. */
uint32_t stem_file_block(const struct stem_file *file);

/* The file's descriptor, for questions about the file itself; it stays the file's. Writer thread.
 */
int stem_file_descriptor(const struct stem_file *file);

/* errno of the first failure, 0 when there was none. */
int stem_file_problem(const struct stem_file *file);

/* Frames that the kernel has: they survive whatever happens to this process. FLAC: the whole blocks
 * of those accepted at the last flush. */
uint64_t stem_file_stored(const struct stem_file *file);

/* Frames accepted (after a failure: those that are in the file), samples that saturated, largest
 * magnitude (1.0 = full scale). */
uint64_t stem_file_frames(const struct stem_file *file);
uint64_t stem_file_clips(const struct stem_file *file);
float stem_file_peak(const struct stem_file *file);

#endif
