/* Writing all of it: write(2) may be interrupted, and may take only a part.
 */
#ifndef STEM_WRITE_ALL_H
#define STEM_WRITE_ALL_H

#include <stddef.h>
#include <stdint.h>

/* Writes `size` bytes at the offset `at` of an ordinary file. 0, or -1 with errno; then a part may
 * have been written. Any thread that may wait for the disk. */
int stem_write_all(int fd, const void *bytes, size_t size, uint64_t at);

#endif
