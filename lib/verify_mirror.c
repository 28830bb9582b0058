/* Comparing a take with its mirror: outside the gaps of either they hold the same samples. Each of
 * them may be in parts, when a disk was full: they are compared where they overlap in time. */
#include "verify_parts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_FRAMES = 4096 };

/* One of two copies of a file. */
struct side {
    const struct stem_take *take;
    struct stem_audio_reader *reader;
    uint64_t next; /* frame of the take that is read next */
    double *block;
    size_t gap; /* the first one that does not end before `next` */
};

/* Both copies of one file, side by side. */
struct pair {
    struct side own, copy;
    uint32_t channels;
    uint64_t frames; /* that both have from `next` on */
    uint64_t differing;
    uint64_t first; /* of them, from the take's start */
};

/* Whether a frame of a take is listed as lost. */
static bool is_lost(struct side *side, uint64_t frame)
{
    const struct stem_take *take = side->take;
    while (side->gap < take->gap_count &&
           take->gaps[side->gap].frame + take->gaps[side->gap].frames <= frame)
        side->gap++;
    return side->gap < take->gap_count && take->gaps[side->gap].frame <= frame;
}

static void compare_blocks(struct pair *pair, size_t frames)
{
    const size_t channels = pair->channels;
    for (size_t i = 0; i < frames; i++) {
        bool lost_own = is_lost(&pair->own, pair->own.next + i);
        bool lost_copy = is_lost(&pair->copy, pair->copy.next + i);
        if (lost_own || lost_copy ||
            memcmp(pair->own.block + i * channels, pair->copy.block + i * channels,
                channels * sizeof(double)) == 0)
            continue;
        if (pair->differing++ == 0)
            pair->first = pair->own.next + i;
    }
}

/* Reads up to where the other copy begins. Decoding serves every format alike. */
static void skip(struct side *side, uint64_t frames)
{
    while (side->next < frames) {
        uint64_t left = frames - side->next;
        size_t got = stem_audio_reader_read(
            side->reader, side->block, left < BLOCK_FRAMES ? (size_t)left : BLOCK_FRAMES);
        if (got == 0)
            return;
        side->next += got;
    }
}

static void compare(struct pair *pair)
{
    while (pair->frames > 0) {
        size_t most = pair->frames < BLOCK_FRAMES ? (size_t)pair->frames : BLOCK_FRAMES;
        size_t own = stem_audio_reader_read(pair->own.reader, pair->own.block, most);
        size_t copy = stem_audio_reader_read(pair->copy.reader, pair->copy.block, most);
        size_t both = own < copy ? own : copy;
        if (both == 0)
            return;
        compare_blocks(pair, both);
        pair->own.next += both;
        pair->copy.next += both;
        pair->frames -= both;
    }
}

/* Opens both copies of a file; a copy that cannot be read is a problem, and so is one that has
 * ended before its manifest says. */
static bool open_pair(struct verify_check *check, struct pair *pair, const struct verify_copy *copy,
    const char *file, const char *other, uint64_t copy_end)
{
    char path[PATH_MAX + NAME_MAX + 2];
    struct stem_audio_info own_info, info;
    struct stem_error error = {0};
    snprintf(path, sizeof path, "%s/%s", check->folder, file);
    pair->own.reader = stem_audio_reader_open(path, &own_info, &error);
    if (!pair->own.reader)
        return false; /* told already */
    snprintf(path, sizeof path, "%s/%s", copy->folder, other);
    pair->copy.reader = stem_audio_reader_open(path, &info, &error);
    pair->channels = own_info.channels;
    if (!pair->copy.reader)
        verify_problem(check, "mirror: %s", error.text);
    else if (own_info.channels != info.channels || own_info.rate_hz != info.rate_hz)
        verify_problem(check, "mirror: \"%s\" has another rate or width", path);
    else if (info.frames < copy_end && copy->take.progress != STEM_TAKE_RECORDING)
        verify_problem(check, "mirror: \"%s\" has %llu frames instead of %llu", path,
            (unsigned long long)info.frames, (unsigned long long)copy->take.frames);
    return pair->copy.reader && own_info.channels == info.channels;
}

/* Frames of the take, and the copy's frame that is the first of them. */
struct overlap {
    uint64_t from, frames, copy_from;
};

static struct overlap overlap_of(const struct stem_take *take, const struct stem_take *copy)
{
    uint64_t begin = take->start_frame > copy->start_frame ? take->start_frame : copy->start_frame;
    uint64_t end = take->start_frame + take->frames, copy_end = copy->start_frame + copy->frames;
    end = end < copy_end ? end : copy_end;
    if (end <= begin)
        return (struct overlap){0};
    return (struct overlap){begin - take->start_frame, end - begin, begin - copy->start_frame};
}

static void compare_file(struct verify_check *check, const struct verify_copy *copy,
    const struct overlap *overlap, const char *file, const char *other)
{
    struct pair pair = {
        .own.take = &check->report->take, .copy.take = &copy->take, .frames = overlap->frames};
    if (open_pair(check, &pair, copy, file, other, overlap->copy_from + overlap->frames)) {
        pair.own.block = calloc((size_t)BLOCK_FRAMES * pair.channels, sizeof(double));
        pair.copy.block = calloc((size_t)BLOCK_FRAMES * pair.channels, sizeof(double));
        if (pair.own.block && pair.copy.block) {
            skip(&pair.own, overlap->from);
            skip(&pair.copy, overlap->copy_from);
            compare(&pair);
        } else {
            check->no_memory = true;
        }
    }
    if (pair.differing)
        verify_problem(check, "mirror: %s differs in %llu frames, from frame %llu on", file,
            (unsigned long long)pair.differing, (unsigned long long)pair.first);
    free(pair.own.block);
    free(pair.copy.block);
    stem_audio_reader_close(pair.own.reader);
    stem_audio_reader_close(pair.copy.reader);
}

/* The file that holds the same in the copy, whose files may have other names after a `stemctl
 * rename`. Of extras with one name, such as a return and the same as an input, the place in the
 * list tells, `number`. */
static const struct stem_take_stem *counterpart(const struct stem_take_stem *stems, size_t count,
    const struct stem_take_stem *stem, size_t number)
{
    if (number < count && strcmp(stems[number].name, stem->name) == 0)
        return &stems[number];
    for (size_t k = 0; k < count; k++)
        if (strcmp(stems[k].name, stem->name) == 0)
            return &stems[k];
    return NULL;
}

static void compare_stem(struct verify_check *check, const struct verify_copy *copy,
    const struct overlap *overlap, const struct stem_take_stem *stem,
    const struct stem_take_stem *other)
{
    if (other)
        compare_file(check, copy, overlap, stem->file, other->file);
    else
        verify_problem(check, "mirror: \"%s\" has no file of %s", copy->folder, stem->name);
}

static void compare_takes(
    struct verify_check *check, const struct verify_copy *copy, const struct overlap *overlap)
{
    const struct stem_take *take = &check->report->take, *other = &copy->take;
    if (other->gap_count)
        verify_remark(
            check, "mirror: \"%s\" has %zu gaps of its own", copy->folder, other->gap_count);
    for (size_t s = 0; s < take->stem_count; s++)
        compare_stem(check, copy, overlap, &take->stems[s],
            counterpart(other->stems, other->stem_count, &take->stems[s], s));
    if (take->has_mix)
        compare_stem(check, copy, overlap, &take->mix, other->has_mix ? &other->mix : NULL);
    for (size_t s = 0; s < take->extra_count; s++)
        compare_stem(check, copy, overlap, &take->extras[s],
            counterpart(other->extras, other->extra_count, &take->extras[s], s));
}

/* How many frames of the take are in one copy or another. */
static uint64_t covered(const struct stem_take *take, const struct verify_copies *copies)
{
    uint64_t frames = 0;
    for (uint64_t at = 0; at < take->frames;) {
        uint64_t end = at, next = take->frames; /* of what has a copy; of where the next begins */
        for (size_t k = 0; k < copies->count; k++) {
            struct overlap overlap = overlap_of(take, &copies->copies[k].take);
            if (overlap.from <= at && overlap.from + overlap.frames > end)
                end = overlap.from + overlap.frames;
            if (overlap.frames && overlap.from > at && overlap.from < next)
                next = overlap.from;
        }
        frames += end - at;
        at = end > at ? end : next;
    }
    return frames;
}

static void compare_all(struct verify_check *check, const struct verify_copies *copies)
{
    const struct stem_take *take = &check->report->take;
    uint64_t frames = covered(take, copies);
    if (frames == 0 && take->frames > 0) {
        verify_remark(
            check, "there is no copy of this take in \"%s\" to compare with", take->mirror);
        return;
    }
    if (frames < take->frames)
        verify_remark(check, "mirror: only %llu of the %llu frames have a copy",
            (unsigned long long)frames, (unsigned long long)take->frames);
    for (size_t k = 0; k < copies->count; k++) {
        struct overlap overlap = overlap_of(take, &copies->copies[k].take);
        if (overlap.frames)
            compare_takes(check, &copies->copies[k], &overlap);
    }
}

void verify_mirror(struct verify_check *check)
{
    const struct stem_take *take = &check->report->take;
    struct verify_copies copies = {0};
    if (!take->mirror || !take->id)
        return;
    verify_copies_find(&copies, take);
    compare_all(check, &copies);
    check->no_memory = check->no_memory || copies.no_memory;
    verify_copies_finish(&copies);
}
