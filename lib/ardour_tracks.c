/* What an Ardour session has of each file: a source for each channel; a region of the whole file,
 * which its list of sources shows; and a playlist that places the file on its track. */
#include "ardour_parts.h"
#include "xml_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What tracks cannot be called. */
static const char *const RESERVED[] = {"", "master", "monitor", "auditioner", "click", "ltc out",
    "midi clock in", "midi clock out", "mtc in", "mtc out", "mmc in", "mmc out", "scene in",
    "scene out", "foldback", "session", "bundle", "io", "control", "drumset"};

uint64_t ardour_id(size_t track, unsigned thing)
{
    return ARDOUR_ID_TRACKS + (uint64_t)track * ARDOUR_IDS_PER_TRACK + thing;
}

/* Names */

static bool is_reserved(const char *name)
{
    for (size_t k = 0; k < sizeof RESERVED / sizeof *RESERVED; k++)
        if (strcasecmp(name, RESERVED[k]) == 0)
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool ardour_can_use_names(const struct stem_take *take)
{
    size_t count = take->stem_count + take->extra_count + 1, used = 0;
    const char **names = calloc(count, sizeof *names);
    const struct stem_take_stem *stem;
    bool can = names != NULL;
    for (; can && (stem = ardour_file(take, used)); used++) {
        names[used] = stem->name ? stem->name : "";
        can = !is_reserved(names[used]) && !strchr(names[used], ':');
    }
    if (can)
        qsort(names, used, sizeof *names, by_name);
    for (size_t k = 1; can && k < used; k++)
        can = strcmp(names[k - 1], names[k]) != 0;
    free(names);
    return can;
}

void ardour_put_name(FILE *out, const struct ardour *ardour, const struct stem_take_stem *stem)
{
    const char *dot = strrchr(stem->file, '.');
    if (ardour->is_named)
        stem_xml_put(out, stem->name);
    else
        stem_xml_put_some(out, stem->file, dot ? (size_t)(dot - stem->file) : SIZE_MAX);
}

void ardour_put_named(FILE *out, const char *attribute, const struct ardour *ardour,
    const struct stem_take_stem *stem)
{
    fprintf(out, " %s=\"", attribute);
    ardour_put_name(out, ardour, stem);
    putc('"', out);
}

/* Sources and regions */

/* Ardour looks for files in FOLDER/interchange/NAME/audiofiles. */
static void put_source(FILE *out, const struct ardour *ardour, size_t track, uint32_t channel)
{
    const struct stem_take_stem *stem = ardour_file(ardour->take, track);
    fprintf(out,
        "<Source type=\"audio\" id=\"%" PRIu64 "\" channel=\"%u\" flags=\"\" natural-position=\"a"
        "%" PRIu64 "\" name=\"../../../",
        ardour_id(track, ARDOUR_SOURCES + channel), channel, ardour->begin);
    stem_xml_put(out, stem->file);
    putc('"', out);
    stem_xml_put_attribute(out, "origin", stem->file);
    fputs("/>\n", out);
}

void ardour_put_sources(FILE *out, const struct ardour *ardour)
{
    fputs("<Sources>\n", out);
    for (size_t k = 0; k < ardour->tracks; k++)
        for (uint32_t c = 0; c < ardour_file(ardour->take, k)->channels; c++)
            put_source(out, ardour, k, c);
    fputs("</Sources>\n", out);
}

static void put_region(FILE *out, const struct ardour *ardour, size_t track, bool is_whole)
{
    const struct stem_take_stem *stem = ardour_file(ardour->take, track);
    fprintf(out,
        "<Region type=\"audio\" id=\"%" PRIu64 "\" whole-file=\"%d\" opaque=\"1\" external=\"1\" "
        "start=\"a0\" length=\"a%" PRIu64 "@a%" PRIu64 "\" layer=\"0\" scale-amplitude=\"1\" "
        "envelope-active=\"0\" fade-in-active=\"0\" fade-out-active=\"0\" channels=\"%u\"",
        ardour_id(track, is_whole ? ARDOUR_WHOLE : ARDOUR_PLACED), is_whole,
        ardour_clocks(ardour->take, ardour->take->frames), ardour->begin, stem->channels);
    stem_xml_put_attribute(out, "name", stem->file);
    for (uint32_t c = 0; c < stem->channels; c++)
        fprintf(out, " source-%u=\"%" PRIu64 "\" master-source-%u=\"%" PRIu64 "\"", c,
            ardour_id(track, ARDOUR_SOURCES + c), c, ardour_id(track, ARDOUR_SOURCES + c));
    fputs("/>\n", out);
}

void ardour_put_regions(FILE *out, const struct ardour *ardour)
{
    fputs("<Regions>\n", out);
    for (size_t k = 0; k < ardour->tracks; k++)
        put_region(out, ardour, k, true);
    fputs("</Regions>\n", out);
}

void ardour_put_playlists(FILE *out, const struct ardour *ardour)
{
    fputs("<Playlists>\n", out);
    for (size_t k = 0; k < ardour->tracks; k++) {
        fprintf(out,
            "<Playlist id=\"%" PRIu64 "\" type=\"audio\" orig-track-id=\"%" PRIu64
            "\" shared-with-ids=\"\" frozen=\"0\" combine-ops=\"0\"",
            ardour_id(k, ARDOUR_PLAYLIST), ardour_id(k, 0));
        ardour_put_named(out, "name", ardour, ardour_file(ardour->take, k));
        fputs(">\n", out);
        put_region(out, ardour, k, false);
        fputs("</Playlist>\n", out);
    }
    fputs("</Playlists>\n", out);
}
