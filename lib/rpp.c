/* Reaper's project format is text: elements between '<' and '>', one property a line. Only what
 * differs from Reaper's defaults is written. Of a tempo point the fields are: seconds, quarter
 * notes per minute, shape (1: holds), meter (denominator << 16 | numerator), selected, flags (1:
 * sets the meter, 4: the bar before may be short). */
#include "rpp.h"

#include "project_file.h"
#include "tempo.h"
#include "track_colour.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FLAG_COLOUR = 0x1000000, SETS_METER = 1, MAY_CUT_BAR = 5 };

/* A text in the quotes that it does not contain; what no quotes can hold is replaced. */
static void put_text(FILE *out, const char *text)
{
    static const char QUOTES[] = "\"'`";
    char quote = '`';
    for (const char *try = QUOTES; *try; try++)
        if (!strchr(text, *try)) {
            quote = *try;
            break;
        }
    putc(quote, out);
    for (; *text; text++)
        putc((unsigned char)*text < ' ' ? ' ' : *text == quote ? '\'' : *text, out);
    putc(quote, out);
}

static void put_source(FILE *out, const struct stem_take *take, const struct stem_take_stem *stem)
{
    fprintf(out, "      <SOURCE %s\n        FILE ", take->container == STEM_FLAC ? "FLAC" : "WAVE");
    put_text(out, stem->file);
    fputs("\n      >\n", out);
}

/* Nothing, as long as nothing is recorded. */
static void put_item(FILE *out, const struct stem_take *take, const struct stem_take_stem *stem)
{
    if (take->frames == 0)
        return;
    fprintf(out, "    <ITEM\n      POSITION 0\n      LENGTH %.9f\n      LOOP 0\n      NAME ",
        (double)take->frames / take->rate_hz);
    put_text(out, stem->file);
    putc('\n', out);
    put_source(out, take, stem);
    fputs("    >\n", out);
}

static void put_track(FILE *out, const struct stem_take *take, const struct stem_take_stem *stem,
    struct stem_colour colour, bool muted)
{
    uint32_t channels = stem->channels < 2 ? 2 : stem->channels + stem->channels % 2;
    fputs("  <TRACK\n    NAME ", out);
    put_text(out, stem->name);
    fprintf(out, "\n    PEAKCOL %u\n    VOLPAN 1 0 -1 -1 1\n    MUTESOLO %d 0 0\n    NCHAN %u\n",
        FLAG_COLOUR | (unsigned)colour.blue << 16 | (unsigned)colour.green << 8 | colour.red, muted,
        channels);
    put_item(out, take, stem);
    fputs("  >\n", out);
}

static void put_tracks(FILE *out, const struct stem_take *take)
{
    for (size_t k = 0; k < take->stem_count; k++)
        put_track(out, take, &take->stems[k], stem_track_colour(k), false);
    if (take->has_mix)
        put_track(out, take, &take->mix, STEM_TRACK_GREY, true);
    for (size_t k = 0; k < take->extra_count; k++)
        put_track(out, take, &take->extras[k], STEM_TRACK_GREY, true);
}

static void put_markers(FILE *out, const struct stem_take *take)
{
    for (size_t m = 0; m < take->marker_count; m++) {
        fprintf(out, "  MARKER %zu %.9f ", m + 1, (double)take->markers[m].frame / take->rate_hz);
        put_text(out, take->markers[m].text);
        fputs(" 0\n", out);
    }
}

static void put_point(FILE *out, const struct stem_take *take, const struct stem_tempo_event *event)
{
    fprintf(out, "    PT %.12f %.10f 1", (double)event->frame / take->rate_hz, event->quarter_bpm);
    if (event->numerator)
        fprintf(out, " %u 0 %d", event->denominator << 16 | event->numerator,
            event->frame ? MAY_CUT_BAR : SETS_METER);
    putc('\n', out);
}

static void put_tempo(FILE *out, const struct stem_take *take)
{
    struct stem_take_tempo only;
    struct stem_tempo_event *events;
    const struct stem_tempo_map map = stem_tempo_of_take(take, &only);
    size_t count = stem_tempo_known(take) ? stem_tempo_events(&map, take->frames, &events) : 0;
    if (count == 0)
        return;
    fprintf(out, "  TEMPO %.10f %u %u\n  <TEMPOENVEX\n    ACT 1 -1\n    DEFSHAPE 1 -1 -1\n",
        events[0].quarter_bpm, events[0].numerator, events[0].denominator);
    for (size_t k = 0; k < count; k++)
        put_point(out, take, &events[k]);
    fputs("  >\n", out);
    free(events);
}

static void put_project(FILE *out, const void *data)
{
    const struct stem_take *take = data;
    fputs("<REAPER_PROJECT 0.1 \"6.0/" STEM_PROJECT_SEAL "\" 0\n  TITLE ", out);
    put_text(out, take->title ? take->title : "");
    fprintf(out, "\n  PANLAW 1\n  SAMPLERATE %u 1 0\n", take->rate_hz);
    put_tempo(out, take);
    put_markers(out, take);
    put_tracks(out, take);
    fputs(">\n", out);
}

enum stem_project_result stem_rpp_write(
    const char *folder, const struct stem_take *take, bool wait, struct stem_error *error)
{
    return stem_project_write(folder, STEM_RPP_FILE, put_project, take, wait, error);
}
