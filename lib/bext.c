#include "bext.h"

#include "riff.h"

#include <math.h>
#include <string.h>

/* Places inside the chunk; EBU Tech 3285. */
enum { HEAD_BYTES = 8, VERSION_AT = 346, LOUDNESS_AT = 412, LOUDNESS_BYTES = 10, UNSET = 0x7FFF };

/* Larger magnitudes are no valid values. */
#define MOST_DB 99.99

static void put_level(unsigned char *bytes, bool known, double level)
{
    int value = known && fabs(level) <= MOST_DB ? (int)lround(level * 100) : UNSET;
    stem_riff_set_number(bytes, (uint64_t)value, 2);
}

static int set_in(
    const struct stem_riff *riff, const struct stem_take_levels *levels, struct stem_error *error)
{
    const struct stem_riff_chunk *bext = &riff->chunks[stem_riff_find(riff, "bext", 0)];
    const uint64_t begin = bext->at + HEAD_BYTES;
    unsigned char version[2], there[LOUDNESS_BYTES], wanted[LOUDNESS_BYTES];
    const bool known = levels->measured && !levels->silent;
    if (bext == &riff->chunks[riff->count] || bext->bytes < LOUDNESS_AT + LOUDNESS_BYTES)
        return 0;
    if (stem_riff_read(riff, begin + VERSION_AT, version, sizeof version, error) ||
        stem_riff_read(riff, begin + LOUDNESS_AT, there, sizeof there, error))
        return -1;
    if (stem_riff_number(version, 2) < 2)
        return 0;
    put_level(wanted, known, levels->integrated_lufs);
    put_level(wanted + 2, known, levels->range_lu);
    put_level(wanted + 4, known, levels->true_peak_dbtp);
    put_level(wanted + 6, known, levels->momentary_lufs);
    put_level(wanted + 8, known, levels->short_term_lufs);
    if (memcmp(there, wanted, sizeof wanted) == 0)
        return 0;
    return stem_riff_patch(riff, begin + LOUDNESS_AT, wanted, sizeof wanted, error);
}

int stem_bext_set_loudness(
    const char *path, const struct stem_take_levels *levels, struct stem_error *error)
{
    struct stem_riff riff;
    if (stem_riff_open(&riff, path, error))
        return -1;
    int status = set_in(&riff, levels, error);
    stem_riff_close(&riff);
    return status;
}
