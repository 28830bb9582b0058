#include "markers.h"

#include "replace.h"
#include "tempo.h"

#include <stdio.h>
#include <string.h>

/* In quotes when it needs them; quotes inside are doubled. */
static void put_quoted(FILE *out, const char *text)
{
    bool needed = strpbrk(text, ",\"\r\n") != NULL;
    if (needed)
        putc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    if (needed)
        putc('"', out);
}

static void put_csv(FILE *out, const void *data)
{
    const struct stem_take *take = data;
    struct stem_take_tempo only;
    const struct stem_tempo_map map = stem_tempo_of_take(take, &only);
    const bool has_map = map.entries != &only; /* else nobody knows where bar 1 is */
    fputs("frame,seconds,bar,beat,text\n", out);
    for (size_t m = 0; m < take->marker_count; m++) {
        const struct stem_take_marker *marker = &take->markers[m];
        struct stem_tempo_position at;
        fprintf(out, "%llu,%.6f,", (unsigned long long)marker->frame,
            (double)marker->frame / take->rate_hz);
        if (has_map && stem_tempo_at(&map, marker->frame, &at))
            fprintf(out, "%lld,%.3f,", (long long)at.bar, at.beat + at.part);
        else
            fputs(",,", out);
        put_quoted(out, marker->text);
        putc('\n', out);
    }
}

/* Audacity: start, end and text, separated by tabs. */
static void put_labels(FILE *out, const void *data)
{
    const struct stem_take *take = data;
    for (size_t m = 0; m < take->marker_count; m++) {
        double seconds = (double)take->markers[m].frame / take->rate_hz;
        fprintf(out, "%.6f\t%.6f\t", seconds, seconds);
        for (const char *text = take->markers[m].text; *text; text++)
            putc((unsigned char)*text < ' ' ? ' ' : *text, out);
        putc('\n', out);
    }
}

int stem_markers_write(const char *folder, const struct stem_take *take, struct stem_error *error)
{
    if (take->marker_count == 0)
        return stem_replace_remove(folder, STEM_MARKERS_CSV, error) ||
                       stem_replace_remove(folder, STEM_MARKERS_LABELS, error)
                   ? -1
                   : 0;
    return stem_replace_text(folder, STEM_MARKERS_CSV, put_csv, take, error) ||
                   stem_replace_text(folder, STEM_MARKERS_LABELS, put_labels, take, error)
               ? -1
               : 0;
}
