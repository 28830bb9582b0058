#include "track_colour.h"

#include <math.h>

const struct stem_colour STEM_TRACK_GREY = {0x80, 0x80, 0x80};

/* Steps of the golden section around the circle: no two hues ever come close. */
struct stem_colour stem_track_colour(size_t stem)
{
    double hue = fmod((double)stem * 0.61803398875 + 0.58, 1) * 6, rest = fmod(hue, 2) - 1;
    double strong = 0.75, weak = 0.30, middle = weak + (strong - weak) * (1 - fabs(rest));
    const double red[] = {strong, middle, weak, weak, middle, strong};
    int sector = (int)hue % 6;
    return (struct stem_colour){
        .red = (unsigned char)(red[sector] * 255),
        .green = (unsigned char)(red[(sector + 4) % 6] * 255),
        .blue = (unsigned char)(red[(sector + 2) % 6] * 255),
    };
}
