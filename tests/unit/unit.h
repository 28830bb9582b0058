/* What the unit tests share: cmocka with its headers in the right order, noise, a
 * scratch folder. */
#ifndef STEM_UNIT_H
#define STEM_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

/* The next number of a sequence between -1 and 1 that is the same in every run. */
static inline float unit_noise(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)((double)(int32_t)*seed * 0x1p-31);
}

/* A new empty folder; the path is valid until scratch_remove. */
static inline char *scratch_make(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/stemd-unit.XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline int scratch_unlink(
    const char *path, const struct stat *file, int type, struct FTW *walk)
{
    (void)file, (void)type, (void)walk;
    return remove(path);
}

static inline void scratch_remove(const char *path)
{
    nftw(path, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
