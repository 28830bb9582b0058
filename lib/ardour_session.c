/* Elements and attributes are those that Ardour 7 saves itself; what is left out has its default.
 */
#include "ardour_session.h"

#include "ardour_parts.h"
#include "xml_text.h"

#include <inttypes.h>

uint64_t ardour_clocks(const struct stem_take *take, uint64_t frame)
{
    const uint64_t rate = take->rate_hz;
    return frame / rate * ARDOUR_CLOCKS_PER_SECOND +
           (frame % rate * ARDOUR_CLOCKS_PER_SECOND + rate / 2) / rate;
}

const struct stem_take_stem *ardour_file(const struct stem_take *take, size_t track)
{
    if (track < take->stem_count)
        return &take->stems[track];
    track -= take->stem_count;
    if (take->has_mix && track-- == 0)
        return &take->mix;
    return track < take->extra_count ? &take->extras[track] : NULL;
}

uint64_t ardour_marker_id(const struct ardour *ardour, size_t marker)
{
    return ARDOUR_ID_TRACKS + (uint64_t)ardour->tracks * ARDOUR_IDS_PER_TRACK + marker;
}

/* What Ardour would make of a recording in this session. */
static void put_config(FILE *out, const struct stem_take *take)
{
    bool is_float = take->encoding == STEM_FLOAT || take->encoding == STEM_DOUBLE;
    const char *encoding = is_float                       ? "FormatFloat"
                           : take->encoding == STEM_PCM16 ? "FormatInt16"
                                                          : "FormatInt24";
    fprintf(out,
        "<Config>\n<Option name=\"native-file-data-format\" value=\"%s\"/>\n"
        "<Option name=\"native-file-header-format\" value=\"RF64_WAV\"/>\n</Config>\n",
        encoding);
}

static void put_location(
    FILE *out, uint64_t id, const char *name, uint64_t begin, uint64_t end, const char *flags)
{
    fprintf(out,
        "<Location id=\"%" PRIu64 "\" start=\"a%" PRIu64 "\" end=\"a%" PRIu64
        "\" flags=\"%s\" locked=\"0\"",
        id, begin, end, flags);
    stem_xml_put_attribute(out, "name", name);
    fputs("/>\n", out);
}

static void put_locations(FILE *out, const struct ardour *ardour)
{
    const struct stem_take *take = ardour->take;
    fputs("<Locations>\n", out);
    put_location(out, ARDOUR_ID_RANGE, "session", ardour->begin, ardour->end, "IsSessionRange");
    for (size_t m = 0; m < take->marker_count; m++) {
        uint64_t at = ardour_clocks(take, take->time_reference + take->markers[m].frame);
        put_location(out, ardour_marker_id(ardour, m), take->markers[m].text, at, at, "IsMark");
    }
    fputs("</Locations>\n", out);
}

/* The session's name is that of its file. Ardour writes itself into "modified-with". */
static void put_head(FILE *out, const struct ardour *ardour)
{
    const struct stem_take *take = ardour->take;
    fprintf(out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<Session version=\"7002\" name=\"take\" sample-rate=\"%u\" id-counter=\"%" PRIu64
        "\" name-counter=\"1\" event-counter=\"0\" vca-counter=\"1\">\n"
        "<ProgramVersion created-with=\"" STEM_PROJECT_SEAL "\" modified-with=\"Ardour 7.0\"/>\n",
        take->rate_hz, ardour_marker_id(ardour, take->marker_count));
}

static void put_metadata(FILE *out, const struct stem_take *take)
{
    fputs("<Metadata>\n", out);
    if (take->title && *take->title) {
        fputs("<title>", out);
        stem_xml_put(out, take->title);
        fputs("</title>\n", out);
    }
    fputs("</Metadata>\n", out);
}

static void put_session(FILE *out, const void *data)
{
    const struct ardour *ardour = data;
    put_head(out, ardour);
    put_config(out, ardour->take);
    put_metadata(out, ardour->take);
    ardour_put_sources(out, ardour);
    ardour_put_regions(out, ardour);
    put_locations(out, ardour);
    fputs("<Bundles/>\n", out);
    ardour_put_routes(out, ardour);
    ardour_put_playlists(out, ardour);
    fputs("<UnusedPlaylists/>\n<RouteGroups/>\n", out);
    ardour_put_tempo(out, ardour);
    fputs("</Session>\n", out);
}

enum stem_project_result stem_ardour_session_write(
    const char *folder, const struct stem_take *take, bool wait, struct stem_error *error)
{
    const struct stem_take_stem *stem;
    struct ardour ardour = {
        .take = take,
        .widest = 2,
        .is_named = ardour_can_use_names(take),
        .begin = ardour_clocks(take, take->time_reference),
        .end = ardour_clocks(take, take->time_reference + take->frames),
    };
    for (; (stem = ardour_file(take, ardour.tracks)); ardour.tracks++)
        ardour.widest = stem->channels > ardour.widest ? stem->channels : ardour.widest;
    bool is_open = take->progress == STEM_TAKE_RECORDING && take->container == STEM_FLAC;
    if (take->frames == 0 || ardour.tracks == 0 || is_open)
        return stem_project_remove(folder, STEM_ARDOUR_FILE, error);
    return stem_project_write(folder, STEM_ARDOUR_FILE, put_session, &ardour, wait, error);
}
