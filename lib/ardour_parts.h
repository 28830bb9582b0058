/* The inside of an Ardour session: ardour_session.c puts it together, ardour_tracks.c places the
 * files, ardour_routes.c lets them sound, ardour_tempo.c writes bars and beats. */
#ifndef STEM_ARDOUR_PARTS_H
#define STEM_ARDOUR_PARTS_H

#include "take.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Ardour's unit of time: divides the frames of all common rates. */
enum { ARDOUR_CLOCKS_PER_SECOND = 282240000 };

/* Identities of things in a session: numbers that nothing else has. A track's things follow its own
 * number, its channels' sources after those. */
enum {
    ARDOUR_ID_MASTER = 100,
    ARDOUR_ID_RANGE = 200,
    ARDOUR_ID_TRACKS = 10000,
    ARDOUR_IDS_PER_TRACK = 2000,
};

/* Behind a track's own number. */
enum {
    ARDOUR_PLAYLIST = 1,
    ARDOUR_WHOLE,  /* region of the whole file */
    ARDOUR_PLACED, /* region on the track */
    ARDOUR_INPUT = 10,
    ARDOUR_OUTPUT,
    ARDOUR_MUTE,
    ARDOUR_PROCESSORS,
    ARDOUR_SOURCES = 100,
};

struct ardour {
    const struct stem_take *take;
    size_t tracks;
    uint32_t widest;     /* channels of the master bus */
    bool is_named;       /* tracks are called like the stems; if not, like the files */
    uint64_t begin, end; /* of the take, in clocks */
};

/* Clocks at a frame, rounded. */
uint64_t ardour_clocks(const struct stem_take *take, uint64_t frame);

/* The file of a track: stems in order, then mix, then extras. */
const struct stem_take_stem *ardour_file(const struct stem_take *take, size_t track);

/* A number that nothing before the markers has; the first one that the session does not have is
 * that of the marker behind the last. */
uint64_t ardour_marker_id(const struct ardour *ardour, size_t marker);

/* Identity of one of a track's things. */
uint64_t ardour_id(size_t track, unsigned thing);

/* Writes the name of a file's track; as an attribute with the given name. */
void ardour_put_name(FILE *out, const struct ardour *ardour, const struct stem_take_stem *stem);
void ardour_put_named(FILE *out, const char *attribute, const struct ardour *ardour,
    const struct stem_take_stem *stem);

/* Whether tracks can be called like the stems. Ardour's names are without colons, and no two are
 * alike. */
bool ardour_can_use_names(const struct stem_take *take);

/* The elements of all tracks, one kind after the other as Ardour reads them. */
void ardour_put_sources(FILE *out, const struct ardour *ardour);
void ardour_put_regions(FILE *out, const struct ardour *ardour);
void ardour_put_routes(FILE *out, const struct ardour *ardour);
void ardour_put_playlists(FILE *out, const struct ardour *ardour);

void ardour_put_tempo(FILE *out, const struct ardour *ardour);

#endif
