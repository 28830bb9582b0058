/* How far two audio files are apart, sample by sample. */
#ifndef STEM_AUDIO_DIFF_H
#define STEM_AUDIO_DIFF_H

#include "audio_reader.h"
#include "error.h"
#include "work_progress.h"

#include <stdbool.h>
#include <stdint.h>

struct stem_audio_diff {
    struct stem_audio_info a, b;
    bool is_comparable; /* rates and channels agree; the rest holds only then */
    uint64_t frames;    /* that both have: these were compared */
    uint64_t differing; /* of them */
    uint64_t first;     /* of those */
    double peak;        /* largest difference, 1.0 = full scale; infinite for no number */
    double rms;         /* over all samples compared */
};

/* Same rate, width, length and samples. Containers and encodings may differ. */
bool stem_audio_diff_is_same(const struct stem_audio_diff *diff);

/* Compares. 0, or -1 with `error`: a file cannot be read (to its end), "interrupted". Any one
 * thread. */
int stem_audio_diff_files(const char *a, const char *b, stem_work_progress *progress, void *data,
    struct stem_audio_diff *diff, struct stem_error *error);

#endif
