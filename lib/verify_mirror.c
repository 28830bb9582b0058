/* Comparing a take with its mirror: outside the gaps of either they hold the same samples. */
#include "verify_parts.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_FRAMES = 4096 };

/* Both copies of one file, side by side. */
struct pair {
    const struct stem_take *a, *b;
    struct stem_audio_reader *reader_a, *reader_b;
    double *block_a, *block_b;
    uint32_t channels;
    uint64_t differing;
    uint64_t first; /* of them */
};

/* Whether a frame of a take is listed as lost; `gap` remembers where the last look ended. */
static bool is_lost(const struct stem_take *take, uint64_t frame, size_t *gap)
{
    while (*gap < take->gap_count && take->gaps[*gap].frame + take->gaps[*gap].frames <= frame)
        ++*gap;
    return *gap < take->gap_count && take->gaps[*gap].frame <= frame;
}

static void compare_blocks(struct pair *pair, uint64_t from, size_t frames, size_t gaps[2])
{
    for (size_t i = 0; i < frames; i++) {
        bool lost_a = is_lost(pair->a, from + i, &gaps[0]);
        bool lost_b = is_lost(pair->b, from + i, &gaps[1]);
        if (lost_a || lost_b ||
            memcmp(pair->block_a + i * pair->channels, pair->block_b + i * pair->channels,
                pair->channels * sizeof(double)) == 0)
            continue;
        if (pair->differing++ == 0)
            pair->first = from + i;
    }
}

static void compare(struct pair *pair)
{
    uint64_t from = 0;
    size_t gaps[2] = {0, 0};
    for (;;) {
        size_t a = stem_audio_reader_read(pair->reader_a, pair->block_a, BLOCK_FRAMES);
        size_t b = stem_audio_reader_read(pair->reader_b, pair->block_b, BLOCK_FRAMES);
        size_t both = a < b ? a : b;
        if (both == 0)
            return;
        compare_blocks(pair, from, both, gaps);
        from += both;
    }
}

/* Opens both copies of a file; a copy that cannot be read is a problem. */
static bool open_pair(struct verify_check *check, struct pair *pair, const char *copy,
    const struct stem_take_stem *stem)
{
    char path[PATH_MAX + NAME_MAX + 2];
    struct stem_audio_info info_a, info_b;
    struct stem_error error = {0};
    snprintf(path, sizeof path, "%s/%s", check->folder, stem->file);
    pair->reader_a = stem_audio_reader_open(path, &info_a, &error);
    if (!pair->reader_a)
        return false; /* told already */
    snprintf(path, sizeof path, "%s/%s", copy, stem->file);
    pair->reader_b = stem_audio_reader_open(path, &info_b, &error);
    if (!pair->reader_b)
        verify_problem(check, "mirror: %s", error.text);
    else if (info_a.channels != info_b.channels || info_a.rate_hz != info_b.rate_hz)
        verify_problem(check, "mirror: \"%s\" has another rate or width", path);
    pair->channels = info_a.channels;
    return pair->reader_b && info_a.channels == info_b.channels;
}

static void compare_file(struct verify_check *check, const char *copy,
    const struct stem_take *other, const struct stem_take_stem *stem)
{
    struct pair pair = {.a = &check->report->take, .b = other};
    if (open_pair(check, &pair, copy, stem)) {
        pair.block_a = calloc((size_t)BLOCK_FRAMES * pair.channels, sizeof(double));
        pair.block_b = calloc((size_t)BLOCK_FRAMES * pair.channels, sizeof(double));
        if (pair.block_a && pair.block_b)
            compare(&pair);
        else
            check->no_memory = true;
    }
    if (pair.differing)
        verify_problem(check, "mirror: %s differs in %llu frames, from frame %llu on", stem->file,
            (unsigned long long)pair.differing, (unsigned long long)pair.first);
    free(pair.block_a);
    free(pair.block_b);
    stem_audio_reader_close(pair.reader_a);
    stem_audio_reader_close(pair.reader_b);
}

/* The mirror's folder of this part of the take, and its manifest; false when there is none. */
static bool find_copy(
    const struct stem_take *take, char *folder, size_t size, struct stem_take *copy)
{
    DIR *mirror = opendir(take->mirror);
    bool is_found = false;
    for (struct dirent *entry; mirror && !is_found && (entry = readdir(mirror));) {
        snprintf(folder, size, "%s/%s", take->mirror, entry->d_name);
        if (entry->d_name[0] == '.' || stem_take_load(copy, folder, NULL))
            continue;
        is_found = copy->id && strcmp(copy->id, take->id) == 0 && copy->part == take->part;
        if (!is_found)
            stem_take_finish(copy);
    }
    if (mirror)
        closedir(mirror);
    return is_found;
}

static void compare_takes(
    struct verify_check *check, const char *folder, const struct stem_take *copy)
{
    const struct stem_take *take = &check->report->take;
    if (copy->start_frame != take->start_frame) {
        verify_problem(check, "mirror: \"%s\" starts on another frame", folder);
        return;
    }
    if (copy->frames != take->frames)
        verify_remark(check, "mirror: \"%s\" is %llu frames long instead of %llu", folder,
            (unsigned long long)copy->frames, (unsigned long long)take->frames);
    if (copy->gap_count)
        verify_remark(check, "mirror: \"%s\" has %zu gaps of its own", folder, copy->gap_count);
    for (size_t s = 0; s < take->stem_count; s++)
        compare_file(check, folder, copy, &take->stems[s]);
    if (take->has_mix)
        compare_file(check, folder, copy, &take->mix);
    for (size_t s = 0; s < take->extra_count; s++)
        compare_file(check, folder, copy, &take->extras[s]);
}

void verify_mirror(struct verify_check *check)
{
    const struct stem_take *take = &check->report->take;
    char folder[PATH_MAX + NAME_MAX + 2];
    struct stem_take copy = {0};
    if (!take->mirror || !take->id)
        return;
    if (!find_copy(take, folder, sizeof folder, &copy)) {
        verify_remark(
            check, "there is no copy of this take in \"%s\" to compare with", take->mirror);
        return;
    }
    compare_takes(check, folder, &copy);
    stem_take_finish(&copy);
}
