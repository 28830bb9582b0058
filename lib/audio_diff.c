#include "audio_diff.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK_FRAMES = 8192 };

struct work {
    struct stem_audio_reader *a, *b;
    double *blocks; /* of a, then of b */
    double squares;
    struct stem_audio_diff *diff;
    stem_work_progress *progress;
    void *data;
    struct stem_error *error;
};

bool stem_audio_diff_is_same(const struct stem_audio_diff *diff)
{
    return diff->is_comparable && diff->a.frames == diff->b.frames && diff->differing == 0;
}

/* Largest difference in one frame; what is no number equals only its like. */
static double frame_distance(const double *a, const double *b, uint32_t channels, double *squares)
{
    double most = 0;
    for (uint32_t c = 0; c < channels; c++) {
        if (a[c] == b[c] || (isnan(a[c]) && isnan(b[c])))
            continue;
        double distance = fabs(a[c] - b[c]);
        distance = isnan(distance) ? INFINITY : distance;
        *squares += distance * distance;
        most = fmax(most, distance);
    }
    return most;
}

static void look(struct work *work, const double *a, const double *b, size_t frames)
{
    struct stem_audio_diff *diff = work->diff;
    uint32_t channels = diff->a.channels;
    for (size_t i = 0; i < frames; i++) {
        double distance =
            frame_distance(a + i * channels, b + i * channels, channels, &work->squares);
        if (distance > 0 && diff->differing++ == 0)
            diff->first = diff->frames + i;
        diff->peak = fmax(diff->peak, distance);
    }
    diff->frames += frames;
}

static int ended_early(const struct work *work, const char *path)
{
    return stem_error_set(work->error, "\"%s\" cannot be read to its end", path);
}

static int compare(struct work *work, const char *a_path, const char *b_path)
{
    struct stem_audio_diff *diff = work->diff;
    double *b = work->blocks + (size_t)BLOCK_FRAMES * diff->a.channels;
    uint64_t frames = diff->a.frames < diff->b.frames ? diff->a.frames : diff->b.frames;
    while (diff->frames < frames) {
        uint64_t left = frames - diff->frames;
        size_t wanted = left < BLOCK_FRAMES ? (size_t)left : BLOCK_FRAMES;
        if (stem_audio_reader_read(work->a, work->blocks, wanted) != wanted)
            return ended_early(work, a_path);
        if (stem_audio_reader_read(work->b, b, wanted) != wanted)
            return ended_early(work, b_path);
        look(work, work->blocks, b, wanted);
        if (work->progress && !work->progress((double)diff->frames / (double)frames, work->data))
            return stem_error_set(work->error, "interrupted");
    }
    double samples = (double)frames * diff->a.channels;
    diff->rms = samples > 0 ? sqrt(work->squares / samples) : 0;
    return 0;
}

static int run(struct work *work, const char *a, const char *b)
{
    struct stem_audio_diff *diff = work->diff;
    work->a = stem_audio_reader_open(a, &diff->a, work->error);
    work->b = work->a ? stem_audio_reader_open(b, &diff->b, work->error) : NULL;
    if (!work->b)
        return -1;
    diff->is_comparable =
        diff->a.channels == diff->b.channels && diff->a.rate_hz == diff->b.rate_hz;
    if (!diff->is_comparable)
        return 0;
    work->blocks = calloc((size_t)BLOCK_FRAMES * 2 * diff->a.channels, sizeof *work->blocks);
    return work->blocks ? compare(work, a, b) : stem_error_set(work->error, "no memory to compare");
}

int stem_audio_diff_files(const char *a, const char *b, stem_work_progress *progress, void *data,
    struct stem_audio_diff *diff, struct stem_error *error)
{
    struct work work = {.diff = diff, .progress = progress, .data = data, .error = error};
    *diff = (struct stem_audio_diff){0};
    int status = run(&work, a, b);
    free(work.blocks);
    stem_audio_reader_close(work.b);
    stem_audio_reader_close(work.a);
    return status;
}
