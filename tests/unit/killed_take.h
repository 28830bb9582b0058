/* A take of two stems whose recorder was killed: the files are written by a child that ends without
 * closing them. What recovery makes of it is held against the pattern that was written.
 */
#ifndef STEM_KILLED_TAKE_H
#define STEM_KILLED_TAKE_H

#include "stem_file.h"
#include "take.h"
#include "unit.h"

#include <stdbool.h>
#include <sys/types.h>

enum { RATE = 48000, STEMS = 2, LONG = 100000, FLUSHED = 9000, KNOWN = 5000, MOST_CHANNELS = 2 };

struct shape {
    enum stem_container container;
    enum stem_encoding encoding;
};

enum { SHAPES_COUNT = 15 };
extern const struct shape SHAPES[SHAPES_COUNT];

extern bool without_ixml; /* as early recorders wrote */

/* The first stem is mono, the second stereo. */
uint32_t channels_of(int stem);
void file_path(
    const char *folder, int stem, enum stem_container container, char *path, size_t size);
off_t size_of(const char *path);

/* A stem's pattern. Never zero, exact in 16 bits. */
float expected(int stem, uint64_t frame, uint32_t channel);

/* Writes frames [from, to) of it. */
void write_pattern(struct stem_file *file, int stem, uint64_t from, uint64_t to);

/* How many frames of it a file of `frames` frames begins with; the rest must be silent. */
uint64_t count_pattern(const char *path, int stem, uint64_t frames);

void write_manifest(const char *folder, const struct shape *shape, uint64_t frames,
    enum stem_take_progress progress);

/* Leaves a take behind as a killed recorder does: LONG frames, of which FLUSHED were flushed and
 * the manifest tells KNOWN. */
void record_and_die(const char *folder, const struct shape *shape);

/* Finds nothing wrong. */
void check_verify(const char *folder);

/* Recovers and checks that all is as it must be; `there` receives the frames each file has. Returns
 * the length of the take, or of the longest file. */
uint64_t recover_and_check(const char *folder, const struct shape *shape, uint64_t *there);

#endif
