/* The inside of recovery: recover.c leads, recover_manifest.c knows what the take should hold,
 * recover_rebuild.c makes a lost manifest anew, recover_header.c and recover_flac.c know the
 * containers, recover_file.c completes one file, recover_whose.c judges whose it is, recover_look.c
 * reads what nobody has counted yet, recover_spans.c computes with stretches of frames. */
#ifndef STEM_RECOVER_PARTS_H
#define STEM_RECOVER_PARTS_H

#include "format.h"
#include "recover.h"

#include <limits.h>
#include <sys/types.h>

/* Stretches of frames, ascending, apart from each other once they are tidy. */
struct recover_span {
    uint64_t begin;
    uint64_t end; /* the first frame behind it */
};

struct recover_spans {
    struct recover_span *spans;
    size_t count;
    size_t room;
};

/* Appends, in any order; empty ones are left out. 0, or -1 without memory. */
int recover_spans_add(struct recover_spans *spans, uint64_t begin, uint64_t end);
/* Sorts and joins. */
void recover_spans_tidy(struct recover_spans *spans);
/* Keeps what is in both; both are tidy. 0, or -1 without memory. */
int recover_spans_intersect(struct recover_spans *spans, const struct recover_spans *other);
void recover_spans_finish(struct recover_spans *spans);
/* Lists in the take's gaps, as "recovered", what of `spans` (tidy) is not in a gap yet. Returns the
 * frames added, or -1 without memory. */
int64_t recover_spans_to_gaps(const struct recover_spans *spans, struct stem_take *take);

/* A number in a header that tells a length. */
enum recover_measure {
    RECOVER_FILE,   /* bytes of the whole file, plus `bias` */
    RECOVER_DATA,   /* bytes of audio, plus `bias` */
    RECOVER_FRAMES, /* frames */
    RECOVER_FIXED,  /* `bias` itself */
};

struct recover_field {
    enum recover_measure measure;
    uint32_t at; /* offset in the file */
    uint32_t bytes;
    bool big_endian;
    int64_t bias;
};

/* More than these a manifest cannot tell. */
enum { RECOVER_MOST_CHANNELS = 1024, RECOVER_MOST_RATE = 1000000 };
#define RECOVER_MOST_FRAMES (UINT64_C(1) << 62)

enum { RECOVER_FIELDS = 8, RECOVER_HEADER_BYTES = 65536, RECOVER_TEXT_BYTES = 257 };

/* What the head of a WAV, RF64, W64, CAF or AIFF file says. */
struct recover_header {
    enum stem_container container;
    enum stem_encoding encoding;
    bool big_endian; /* the samples */
    uint32_t rate_hz;
    uint32_t channels;
    uint32_t audio_at;   /* offset of the first frame */
    uint64_t data_bytes; /* of audio, as the header says; UINT64_MAX: it does not know */
    bool is_riff;        /* 32-bit sizes, may become RF64 */
    bool even;           /* an odd length is followed by one zero byte */
    struct recover_field fields[RECOVER_FIELDS];
    size_t field_count;
    uint32_t description_at; /* of bext, 256 bytes; 0: none */
    char description[RECOVER_TEXT_BYTES];
    char originated[20]; /* bext: "2026-11-20T21:53:07", or "" */
    uint64_t time_reference;
    double tempo_bpm;    /* acid, or 0 */
    uint32_t acid_id_at; /* offsets of acid, or of the place for it; 0: none */
    uint32_t acid_data_at;
    uint32_t ixml_at; /* offset of iXML's text; 0: none */
    uint32_t ixml_bytes;
};

/* Reads `size` bytes from the beginning of a file. False when they are no such header, or one that
 * does not reach its audio. */
bool recover_header_parse(const unsigned char *bytes, size_t size, struct recover_header *header);

/* Makes the header in `bytes` (audio_at of them) say that the audio is `data_bytes` long and the
 * file `file_bytes`; RIFF becomes RF64 when it has to. 0, or -1 when the container cannot say it.
 */
int recover_header_complete(struct recover_header *header, unsigned char *bytes,
    uint64_t data_bytes, uint64_t frames, uint64_t file_bytes);

/* A FLAC stream's head, and where its whole frames are. */
struct recover_flac_run {
    uint64_t at; /* offset in the file */
    uint64_t bytes;
    uint64_t first; /* number of the first block */
    uint64_t blocks;
};

struct recover_flac {
    uint32_t rate_hz;
    uint32_t channels;
    uint32_t bits;
    uint32_t block_frames;
    uint64_t audio_at;
    uint64_t frames;               /* to the end of the last whole block */
    uint64_t blocks;               /* the same in blocks, the last may be short */
    bool ends_short;               /* nothing can follow the last block */
    struct recover_flac_run *runs; /* several: blocks between them are damaged or missing */
    size_t run_count;
};

/* Reads a FLAC file through; with `head` (or NULL) instead of its own. False when it is none. */
bool recover_flac_scan(
    int fd, const unsigned char *head, size_t head_bytes, struct recover_flac *flac);
/* Frames between the runs: lost. 0, or -1 without memory. */
int recover_flac_lost(const struct recover_flac *flac, struct recover_spans *lost);
/* Makes the file `frames` long with silence. In place where it is whole, else through a copy that
 * replaces `path`. 0, or -1 with errno. */
int recover_flac_complete(
    const struct recover_flac *flac, int fd, const char *path, uint64_t frames);
void recover_flac_finish(struct recover_flac *flac);

/* One file of the take. */
struct recover_file {
    struct stem_take_stem *stem;
    char path[PATH_MAX];
    bool missing;     /* not there, or left as it is: a remark was made */
    bool header_lost; /* the header is made anew */
    bool is_flac;
    struct recover_header header; /* not FLAC */
    struct recover_flac flac;
    unsigned char *made_header; /* replaces a lost one, or NULL */
    size_t made_bytes;
    uint32_t frame_bytes; /* not FLAC */
    uint32_t tail_bytes;  /* chunks behind the audio of a file that was closed properly */
    uint64_t frames;      /* whole frames that are there */
    bool can_grow;
};

struct recover {
    const char *folder;
    struct stem_recover_report *report;
    struct stem_error *error;
    struct stem_take take;
    bool is_finished; /* nothing has to be done */
    uint64_t known;   /* the manifest has everything up to this frame */
    struct recover_file *files;
    size_t count;
    struct recover_spans suspect; /* not every file is complete here */
    struct recover_spans silent;  /* all files are silent here, beyond what is known */
    bool silent_begun;
};

int recover_remark(struct recover *recover, const char *format, ...) STEM_PRINTF(2, 3);

/* Fills `take`, from the manifest or from the files. 1 when the folder is no take, 0, or -1 with
 * the error. */
int recover_manifest(struct recover *recover);

/* Makes the manifest at `path`, which cannot be read, anew from the files. As recover_manifest. */
int recover_rebuild(struct recover *recover, const char *path);
/* Whether a folder without any manifest is called like a take. */
bool recover_may_rebuild(const char *folder);
/* Keeps a damaged manifest under another name: somebody may still read something in it. */
void recover_keep_damaged(const struct recover *recover, const char *path);
/* "FOLDER/NAME"; -1 when that is too long. */
int recover_path(const char *folder, const char *name, char *path, size_t size);

/* Finds out what is there. 0 or -1 with the error. */
int recover_file_open(struct recover *recover, struct recover_file *file);
/* Up to `size` bytes from the beginning of a file; how many there are. */
size_t recover_read_head(int fd, unsigned char *bytes, size_t size);
/* Whether what stands in a header's place may be what is left of it: zeros, or mostly what a new
 * one says in its first `size` bytes. */
bool recover_is_left_of_header(int fd, const unsigned char *made, size_t size);
/* Whether a file without its header is about as long as the take: a power cut may have left what
 * another file had in the header's place. */
bool recover_has_length(const struct recover *recover, int fd, const struct recover_header *header,
    uint64_t file_bytes);
/* Leaves a file alone that is none of the take's, though it has the name; makes a remark that says
 * why. 0, or -1 without memory. */
int recover_file_leave(struct recover *recover, struct recover_file *file, const char *why);
/* Makes the header of a file that lost it, once all files were opened. 0 or -1 with the error. */
int recover_file_rebuild_header(struct recover *recover, struct recover_file *file);
/* Completes it to `frames`. 0 or -1 with the error. */
int recover_file_complete(struct recover *recover, struct recover_file *file, uint64_t frames);
void recover_file_finish(struct recover_file *file);

/* Reads the part that the manifest does not know: level, clips, silence, holes. 0 or -1. */
int recover_look(struct recover *recover, struct recover_file *file);

#endif
