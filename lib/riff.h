/* Finished WAV files as chunks: RIFF, and RF64 (EBU Tech 3306) whose sizes stand in `ds64`. What is
 * changed here is never audio: the `data` chunk's bytes are neither read nor written.
 */
#ifndef STEM_RIFF_H
#define STEM_RIFF_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEM_RIFF_CHUNKS = 64 };

struct stem_riff_chunk {
    char id[5];
    uint64_t at;    /* of its head (id and size) */
    uint64_t bytes; /* behind the head */
};

struct stem_riff {
    int fd;
    const char *path; /* borrowed */
    bool is_rf64;
    uint64_t end;        /* where the header says that the last chunk ends */
    uint64_t file_bytes; /* more than `end` when something was not completed */
    struct stem_riff_chunk chunks[STEM_RIFF_CHUNKS];
    size_t count;
    size_t data; /* index of the audio's chunk */
};

/* Opens an ordinary file for reading and writing and lists its chunks. 0, or -1 with `error`: it
 * cannot be opened, is no WAV, has no audio, or its sizes do not fit together; nothing is open
 * then. */
int stem_riff_open(struct stem_riff *riff, const char *path, struct stem_error *error);
void stem_riff_close(struct stem_riff *riff);

/* Index of the first chunk of that id, from `from` on; `count` when there is none. */
size_t stem_riff_find(const struct stem_riff *riff, const char *id, size_t from);

/* Reads or changes bytes in place. Changing inside the audio is refused. 0, or -1 with `error`. */
int stem_riff_read(
    const struct stem_riff *riff, uint64_t at, void *bytes, size_t size, struct stem_error *error);
int stem_riff_patch(const struct stem_riff *riff, uint64_t at, const void *bytes, size_t size,
    struct stem_error *error);

/* Replaces everything from `at` on, which must be behind the audio, with `size` bytes of whole
 * chunks. The order is safe against a crash at any moment: the header never counts bytes that are
 * not there; at worst bytes stand behind its end, which readers pass over. 0, or -1 with `error`.
 */
int stem_riff_replace_tail(
    struct stem_riff *riff, uint64_t at, const void *bytes, size_t size, struct stem_error *error);

/* Numbers as they stand in the file, lowest byte first. */
uint64_t stem_riff_number(const unsigned char *bytes, size_t size);
void stem_riff_set_number(unsigned char *bytes, uint64_t number, size_t size);

#endif
