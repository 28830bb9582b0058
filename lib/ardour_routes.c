/* What sounds in an Ardour session: the master bus and a track for each file. */
#include "ardour_parts.h"
#include "track_colour.h"

#include <inttypes.h>

static void begin_io(
    FILE *out, const struct ardour *ardour, size_t track, unsigned part, const char *direction)
{
    fprintf(out, "<IO id=\"%" PRIu64 "\" direction=\"%s\" default-type=\"audio\"",
        ardour_id(track, part), direction);
    ardour_put_named(out, "name", ardour, ardour_file(ardour->take, track));
    fputs(">\n", out);
}

static void begin_port(
    FILE *out, const struct ardour *ardour, size_t track, const char *kind, unsigned channel)
{
    fputs("<Port type=\"audio\" name=\"", out);
    ardour_put_name(out, ardour, ardour_file(ardour->take, track));
    fprintf(out, "/%s %u\"", kind, channel);
}

static void put_inputs(FILE *out, const struct ardour *ardour, size_t track)
{
    begin_io(out, ardour, track, ARDOUR_INPUT, "Input");
    for (unsigned c = 1; c <= ardour_file(ardour->take, track)->channels; c++) {
        begin_port(out, ardour, track, "audio_in", c);
        fputs("/>\n", out);
    }
    fputs("</IO>\n", out);
}

/* A mono track goes to both sides, any other channel to its like: all at unity. */
static void put_outputs(FILE *out, const struct ardour *ardour, size_t track)
{
    unsigned channels = ardour_file(ardour->take, track)->channels;
    begin_io(out, ardour, track, ARDOUR_OUTPUT, "Output");
    for (unsigned c = 1; c <= channels; c++) {
        begin_port(out, ardour, track, "audio_out", c);
        fprintf(out, "><Connection other=\"Master/audio_in %u\"/>", c);
        if (channels == 1)
            fputs("<Connection other=\"Master/audio_in 2\"/>", out);
        fputs("</Port>\n", out);
    }
    fputs("</IO>\n", out);
}

static void put_processor(FILE *out, uint64_t id, const char *type, const char *name)
{
    fprintf(out, "<Processor id=\"%" PRIu64 "\" type=\"%s\" active=\"1\" name=\"%s\"/>\n", id, type,
        name);
}

static void put_processors(FILE *out, const struct ardour *ardour, size_t track)
{
    const struct stem_take_stem *stem = ardour_file(ardour->take, track);
    uint64_t id = ardour_id(track, ARDOUR_PROCESSORS);
    fprintf(out,
        "<Processor id=\"%" PRIu64 "\" type=\"diskwriter\" active=\"1\" name=\"recorder\" "
        "record-safe=\"0\"/>\n",
        id++);
    put_processor(out, id++, "diskreader", "player");
    put_processor(out, id++, "trim", "Amp");
    put_processor(out, id++, "amp", "Amp");
    put_processor(out, id++, "meter", "meter");
    fprintf(out, "<Processor id=\"%" PRIu64 "\" type=\"main-outs\" active=\"1\"", id);
    ardour_put_named(out, "name", ardour, stem);
    fputs(" own-input=\"1\" own-output=\"0\" role=\"Main\"", out);
    ardour_put_named(out, "output", ardour, stem);
    fputs(
        "><PannerShell bypassed=\"1\" user-panner=\"\" linked-to-route=\"1\"/></Processor>\n", out);
}

static void put_track(FILE *out, const struct ardour *ardour, size_t track)
{
    const struct stem_take *take = ardour->take;
    const struct stem_take_stem *stem = ardour_file(take, track);
    bool in_sum = track < take->stem_count;
    struct stem_colour colour = in_sum ? stem_track_colour(track) : STEM_TRACK_GREY;
    fprintf(out,
        "<Route version=\"7002\" id=\"%" PRIu64 "\" default-type=\"audio\" strict-io=\"1\" "
        "active=\"1\" mode=\"Normal\" audio-playlist=\"%" PRIu64 "\"",
        ardour_id(track, 0), ardour_id(track, ARDOUR_PLAYLIST));
    ardour_put_named(out, "name", ardour, stem);
    fprintf(out,
        ">\n<PresentationInfo order=\"%zu\" flags=\"AudioTrack,OrderSet\" color=\"%" PRIu32
        "\"/>\n",
        track + 1,
        (uint32_t)colour.red << 24 | (uint32_t)colour.green << 16 | (uint32_t)colour.blue << 8 |
            0xFF);
    put_inputs(out, ardour, track);
    put_outputs(out, ardour, track);
    fprintf(out,
        "<Controllable name=\"mute\" id=\"%" PRIu64 "\" flags=\"Toggle,RealTime\" value=\"%d\"/>\n",
        ardour_id(track, ARDOUR_MUTE), !in_sum);
    put_processors(out, ardour, track);
    fputs("</Route>\n", out);
}

static void put_master(FILE *out, const struct ardour *ardour)
{
    uint64_t id = ARDOUR_ID_MASTER;
    fprintf(out,
        "<Route version=\"7002\" id=\"%" PRIu64 "\" name=\"Master\" default-type=\"audio\" "
        "strict-io=\"1\" active=\"1\">\n"
        "<PresentationInfo order=\"0\" flags=\"MasterOut,OrderSet\" color=\"0\"/>\n",
        id);
    fprintf(out,
        "<IO id=\"%" PRIu64 "\" direction=\"Input\" default-type=\"audio\" name=\"Master\">\n",
        ++id);
    for (uint32_t c = 1; c <= ardour->widest; c++)
        fprintf(out, "<Port type=\"audio\" name=\"Master/audio_in %u\"/>\n", c);
    fprintf(out,
        "</IO>\n<IO id=\"%" PRIu64 "\" direction=\"Output\" default-type=\"audio\" "
        "name=\"Master\">\n",
        ++id);
    for (uint32_t c = 1; c <= ardour->widest; c++)
        fprintf(out,
            "<Port type=\"audio\" name=\"Master/audio_out %u\">"
            "<Connection other=\"system:playback_%u\"/></Port>\n",
            c, c);
    fputs("</IO>\n", out);
    put_processor(out, ++id, "trim", "Amp");
    put_processor(out, ++id, "amp", "Amp");
    fprintf(out,
        "<Processor id=\"%" PRIu64 "\" type=\"main-outs\" active=\"1\" name=\"Master\" "
        "own-input=\"1\" own-output=\"0\" role=\"Main\" output=\"Master\">"
        "<PannerShell bypassed=\"1\" user-panner=\"\" linked-to-route=\"1\"/></Processor>\n",
        ++id);
    put_processor(out, ++id, "meter", "meter");
    fputs("</Route>\n", out);
}

void ardour_put_routes(FILE *out, const struct ardour *ardour)
{
    fputs("<Routes>\n", out);
    put_master(out, ardour);
    for (size_t k = 0; k < ardour->tracks; k++)
        put_track(out, ardour, k);
    fputs("</Routes>\n", out);
}
