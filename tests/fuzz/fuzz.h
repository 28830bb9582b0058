/* What the fuzz targets share. Each target is fuzz_<what>.c with libFuzzer's one function; linked
 * with replay.c instead of libFuzzer it runs the kept corpus as a test.
 */
#ifndef STEM_FUZZ_H
#define STEM_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An empty folder of this process, the same each time; it is gone when the process ends as it
 * should. The name is that of a take. Ends the process when there is none. */
const char *fuzz_folder(void);

/* Writes a file into it. */
void fuzz_write(const char *name, const uint8_t *data, size_t size);

struct fuzz_bytes {
    uint8_t *data;
    size_t size;
};

/* Reads an ordinary file of it whole; the caller frees the data. False when there is none. */
bool fuzz_read(const char *name, struct fuzz_bytes *bytes);

/* Beside the folder lies one file, which a link may lead to. Ends the process when it was changed,
 * or something else was made there. */
void fuzz_check_outside(void);

/* Unpacks a folder: records of a name's number (1 byte), a length (2 bytes, low first) and bytes.
 * The last record may be cut. */
void fuzz_unpack(const uint8_t *data, size_t size);

/* The names, by number modulo FUZZ_NAMES. */
enum { FUZZ_NAMES = 16 };
extern const char *const FUZZ_NAME[FUZZ_NAMES];

/* Ends the process with a sentence: an invariant does not hold. */
_Noreturn void fuzz_fail(const char *what);

#endif
