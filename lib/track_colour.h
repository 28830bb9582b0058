/* The colours that a take's tracks have in other programs' projects. Pure, any thread. */
#ifndef STEM_TRACK_COLOUR_H
#define STEM_TRACK_COLOUR_H

#include <stddef.h>

struct stem_colour {
    unsigned char red, green, blue;
};

/* Of what is not to be added to the stems. */
extern const struct stem_colour STEM_TRACK_GREY;

/* Of the stem with this number, from 0: hues far from each other. */
struct stem_colour stem_track_colour(size_t stem);

#endif
