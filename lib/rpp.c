/* Reaper's project format is text: elements between '<' and '>', one property a line. Only what
 * differs from Reaper's defaults is written. Of a tempo point the fields are: seconds, quarter
 * notes per minute, shape (1: holds), meter (denominator << 16 | numerator), selected, flags (1:
 * sets the meter, 4: the bar before may be short). */
#include "rpp.h"

#include "replace.h"
#include "tempo.h"

#include <math.h>
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

/* Hues far from each other, one a stem; 0xBBGGRR. */
static unsigned colour(size_t stem)
{
    double hue = fmod((double)stem * 0.61803398875 + 0.58, 1) * 6, rest = fmod(hue, 2) - 1;
    double strong = 0.75, weak = 0.30, middle = weak + (strong - weak) * (1 - fabs(rest));
    const double red[] = {strong, middle, weak, weak, middle, strong};
    int sector = (int)hue % 6;
    unsigned r = (unsigned)(red[sector] * 255), g = (unsigned)(red[(sector + 4) % 6] * 255),
             b = (unsigned)(red[(sector + 2) % 6] * 255);
    return b << 16 | g << 8 | r;
}

static void put_source(FILE *out, const struct stem_take *take, const struct stem_take_stem *stem)
{
    fprintf(out, "      <SOURCE %s\n        FILE ", take->container == STEM_FLAC ? "FLAC" : "WAVE");
    put_text(out, stem->file);
    fputs("\n      >\n", out);
}

static void put_track(FILE *out, const struct stem_take *take, const struct stem_take_stem *stem,
    unsigned rgb, bool muted)
{
    uint32_t channels = stem->channels < 2 ? 2 : stem->channels + stem->channels % 2;
    fputs("  <TRACK\n    NAME ", out);
    put_text(out, stem->name);
    fprintf(out, "\n    PEAKCOL %u\n    VOLPAN 1 0 -1 -1 1\n    MUTESOLO %d 0 0\n    NCHAN %u\n",
        FLAG_COLOUR | rgb, muted, channels);
    fprintf(out, "    <ITEM\n      POSITION 0\n      LENGTH %.9f\n      LOOP 0\n      NAME ",
        (double)take->frames / take->rate_hz);
    put_text(out, stem->file);
    putc('\n', out);
    put_source(out, take, stem);
    fputs("    >\n  >\n", out);
}

static void put_tracks(FILE *out, const struct stem_take *take)
{
    const unsigned grey = 0x808080;
    for (size_t k = 0; k < take->stem_count; k++)
        put_track(out, take, &take->stems[k], colour(k), false);
    if (take->has_mix)
        put_track(out, take, &take->mix, grey, true);
    for (size_t k = 0; k < take->extra_count; k++)
        put_track(out, take, &take->extras[k], grey, true);
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
    fputs("<REAPER_PROJECT 0.1 \"6.0/stemd\" 0\n  TITLE ", out);
    put_text(out, take->title ? take->title : "");
    fprintf(out, "\n  PANLAW 1\n  SAMPLERATE %u 1 0\n", take->rate_hz);
    put_tempo(out, take);
    put_markers(out, take);
    put_tracks(out, take);
    fputs(">\n", out);
}

int stem_rpp_write(const char *folder, const struct stem_take *take, struct stem_error *error)
{
    return stem_replace_text(folder, STEM_RPP_FILE, put_project, take, error);
}
