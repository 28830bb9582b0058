/* Stretches of frames. See recover_parts.h. */
#include "recover_parts.h"

#include "facts.h"

#include <stdlib.h>

int recover_spans_add(struct recover_spans *spans, uint64_t begin, uint64_t end)
{
    if (begin >= end)
        return 0;
    if (spans->count == spans->room) {
        size_t room = spans->room ? 2 * spans->room : 16;
        struct recover_span *grown = realloc(spans->spans, room * sizeof *grown);
        if (!grown)
            return -1;
        spans->spans = grown;
        spans->room = room;
    }
    spans->spans[spans->count++] = (struct recover_span){begin, end};
    return 0;
}

static int by_begin(const void *a, const void *b)
{
    const struct recover_span *one = a, *two = b;
    return (one->begin > two->begin) - (one->begin < two->begin);
}

void recover_spans_tidy(struct recover_spans *spans)
{
    size_t kept = 0;
    if (spans->count > 1)
        qsort(spans->spans, spans->count, sizeof *spans->spans, by_begin);
    for (size_t k = 0; k < spans->count; k++) {
        struct recover_span span = spans->spans[k];
        struct recover_span *last = kept ? &spans->spans[kept - 1] : NULL;
        if (last && span.begin <= last->end)
            last->end = span.end > last->end ? span.end : last->end;
        else
            spans->spans[kept++] = span;
    }
    spans->count = kept;
}

int recover_spans_intersect(struct recover_spans *spans, const struct recover_spans *other)
{
    struct recover_spans both = {0};
    int status = 0;
    for (size_t a = 0, b = 0; a < spans->count && b < other->count && status == 0;) {
        const struct recover_span *one = &spans->spans[a], *two = &other->spans[b];
        uint64_t begin = one->begin > two->begin ? one->begin : two->begin;
        uint64_t end = one->end < two->end ? one->end : two->end;
        status = recover_spans_add(&both, begin, end);
        if (one->end < two->end)
            a++;
        else
            b++;
    }
    recover_spans_finish(spans);
    *spans = both;
    return status;
}

void recover_spans_finish(struct recover_spans *spans)
{
    free(spans->spans);
    *spans = (struct recover_spans){0};
}

/* What of `span` is in no gap from number `g` on becomes a gap at the end of `gaps`. */
static int64_t add_outside(const struct recover_span *span, const struct stem_take *take, size_t *g,
    struct stem_take *gaps)
{
    int64_t added = 0;
    uint64_t at = span->begin;
    while (*g < take->gap_count && take->gaps[*g].frame + take->gaps[*g].frames <= at)
        ++*g;
    for (size_t k = *g; at < span->end; k++) {
        bool has_gap = k < take->gap_count && take->gaps[k].frame < span->end;
        uint64_t end = has_gap ? take->gaps[k].frame : span->end;
        if (end > at) {
            if (stem_take_add_gap(gaps, at, end - at, STEM_GAP_RECOVERED))
                return -1;
            added += (int64_t)(end - at);
        }
        at = has_gap ? take->gaps[k].frame + take->gaps[k].frames : span->end;
    }
    return added;
}

static int gap_by_frame(const void *a, const void *b)
{
    const struct stem_take_gap *one = a, *two = b;
    if (one->frame == two->frame) /* one of no length stands before what begins there */
        return (one->frames > two->frames) - (one->frames < two->frames);
    return one->frame < two->frame ? -1 : 1;
}

/* A gap of no length that lies in what is missing now has nothing left to tell. */
static int join_gap(struct stem_take *joined, const struct stem_take_gap *gap)
{
    const struct stem_take_gap *last =
        joined->gap_count ? &joined->gaps[joined->gap_count - 1] : NULL;
    if (gap->frames == 0 && last && gap->frame < last->frame + last->frames)
        return 0;
    return stem_take_add_gap(joined, gap->frame, gap->frames, gap->reasons);
}

int64_t recover_spans_to_gaps(const struct recover_spans *spans, struct stem_take *take)
{
    struct stem_take all = {0}, joined = {0};
    int64_t added = 0, now = 0;
    size_t g = 0;
    for (size_t k = 0; k < spans->count && now >= 0; k++) {
        now = add_outside(&spans->spans[k], take, &g, &all);
        added += now > 0 ? now : 0;
    }
    for (size_t k = 0; k < take->gap_count && now >= 0; k++)
        now = stem_take_add_gap(
            &all, take->gaps[k].frame, take->gaps[k].frames, take->gaps[k].reasons);
    if (all.gap_count > 1)
        qsort(all.gaps, all.gap_count, sizeof *all.gaps, gap_by_frame);
    for (size_t k = 0; k < all.gap_count && now >= 0; k++)
        now = join_gap(&joined, &all.gaps[k]);
    stem_take_finish(&all);
    if (now < 0) {
        stem_take_finish(&joined);
        return -1;
    }
    free(take->gaps);
    take->gaps = joined.gaps;
    take->gap_count = joined.gap_count;
    return added;
}
