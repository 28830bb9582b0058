/* Layouts: Microsoft, Multimedia Programming Interface and Data Specifications 1.0. A cue point is
 * 24 bytes: name, position, the chunk that holds it ("data"), chunk start, block start, offset in
 * frames. A label is `labl`: the cue point's name and a text that ends in zero. */
#include "cue.h"

#include "riff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tail {
    char *bytes;
    size_t size;
};

static void put_number(FILE *out, uint32_t number)
{
    unsigned char bytes[4];
    stem_riff_set_number(bytes, number, sizeof bytes);
    fwrite(bytes, 1, sizeof bytes, out);
}

static uint32_t label_bytes(const struct stem_take_marker *marker)
{
    return (uint32_t)(4 + strlen(marker->text) + 1);
}

static void put_cues(FILE *out, const struct stem_take *take, uint32_t count)
{
    fputs("cue ", out);
    put_number(out, 4 + 24 * count);
    put_number(out, count);
    for (uint32_t m = 0; m < count; m++) {
        uint32_t frame = (uint32_t)take->markers[m].frame;
        put_number(out, m + 1);
        put_number(out, frame);
        fputs("data", out);
        put_number(out, 0);
        put_number(out, 0);
        put_number(out, frame);
    }
}

static void put_labels(FILE *out, const struct stem_take *take, uint32_t count)
{
    uint32_t size = 4;
    for (uint32_t m = 0; m < count; m++)
        size += 8 + label_bytes(&take->markers[m]) + label_bytes(&take->markers[m]) % 2;
    fputs("LIST", out);
    put_number(out, size);
    fputs("adtl", out);
    for (uint32_t m = 0; m < count; m++) {
        uint32_t bytes = label_bytes(&take->markers[m]);
        fputs("labl", out);
        put_number(out, bytes);
        put_number(out, m + 1);
        fwrite(take->markers[m].text, 1, bytes - 4, out);
        if (bytes % 2)
            putc(0, out);
    }
}

/* The chunks; empty without markers. */
static int make_tail(const struct stem_take *take, struct tail *tail)
{
    uint32_t count = 0;
    while (count < take->marker_count && take->markers[count].frame <= UINT32_MAX)
        count++;
    FILE *out = open_memstream(&tail->bytes, &tail->size);
    if (!out)
        return -1;
    if (count) {
        put_cues(out, take, count);
        put_labels(out, take, count);
    }
    return fclose(out) == 0 ? 0 : -1;
}

static bool is_label_list(const struct stem_riff *riff, const struct stem_riff_chunk *chunk)
{
    char kind[4];
    return strcmp(chunk->id, "LIST") == 0 && chunk->bytes >= 4 &&
           stem_riff_read(riff, chunk->at + 8, kind, 4, NULL) == 0 && memcmp(kind, "adtl", 4) == 0;
}

/* Where our chunks begin or shall begin: behind everything that is not ours. -1 with `error` when
 * somebody else's chunks stand behind ours, or other bytes behind the end. */
static int find_tail(const struct stem_riff *riff, uint64_t *at, struct stem_error *error)
{
    char id[4];
    size_t first = stem_riff_find(riff, "cue ", 0);
    *at = first < riff->count ? riff->chunks[first].at : riff->end;
    for (size_t k = first + 1; k < riff->count; k++)
        if (!is_label_list(riff, &riff->chunks[k]))
            return stem_error_set(error,
                "\"%s\" has got markers from another program; they are left alone", riff->path);
    if (first < riff->data)
        return stem_error_set(
            error, "\"%s\" has markers before its audio; they are left alone", riff->path);
    if (riff->file_bytes <= riff->end + 1)
        return 0;
    uint64_t rest = riff->end + riff->end % 2; /* of a writing that was not completed? */
    if (stem_riff_read(riff, rest, id, 4, NULL) || memcmp(id, "cue ", 4) != 0)
        return stem_error_set(
            error, "\"%s\" has bytes behind its end; it is left alone", riff->path);
    return 0;
}

static bool has_it(const struct stem_riff *riff, uint64_t at, const struct tail *tail)
{
    uint64_t begin = at + at % 2;
    if (tail->size == 0)
        return riff->file_bytes == riff->end && riff->end <= begin;
    if (riff->end != begin + tail->size || riff->file_bytes != riff->end)
        return false;
    char *bytes = malloc(tail->size);
    bool same = bytes && stem_riff_read(riff, begin, bytes, tail->size, NULL) == 0 &&
                memcmp(bytes, tail->bytes, tail->size) == 0;
    free(bytes);
    return same;
}

static int replace(struct stem_riff *riff, const struct tail *tail, struct stem_error *error)
{
    uint64_t at;
    if (find_tail(riff, &at, error))
        return -1;
    if (has_it(riff, at, tail))
        return 0;
    return stem_riff_replace_tail(riff, at, tail->bytes, tail->size, error);
}

int stem_cue_write(const char *path, const struct stem_take *take, struct stem_error *error)
{
    struct stem_riff riff;
    struct tail tail = {0};
    if (make_tail(take, &tail)) {
        free(tail.bytes);
        return stem_error_set(error, "no memory for the markers of \"%s\"", path);
    }
    int status = stem_riff_open(&riff, path, error);
    if (status == 0) {
        status = replace(&riff, &tail, error);
        stem_riff_close(&riff);
    }
    free(tail.bytes);
    return status;
}
