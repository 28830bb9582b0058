#include "gain.h"

#include <math.h>

double stem_gain_from_db(double db)
{
    return db == 0 ? 1.0 : pow(10.0, db / 20.0);
}

double stem_gain_to_db(double linear)
{
    return 20.0 * log10(fabs(linear));
}

void stem_gain_pan(enum stem_pan_law law, double pan, double *left, double *right)
{
    static const double EXPONENT[] = {
        [STEM_PAN_3DB] = 1.0, [STEM_PAN_45DB] = 1.5, [STEM_PAN_6DB] = 2.0};
    if (law == STEM_PAN_0DB) {
        *left = pan > 0 ? 1.0 - pan : 1.0;
        *right = pan < 0 ? 1.0 + pan : 1.0;
        return;
    }
    double angle = (pan + 1.0) * M_PI_4;
    *left = pan >= 1 ? 0.0 : pow(cos(angle), EXPONENT[law]);
    *right = pan <= -1 ? 0.0 : pow(sin(angle), EXPONENT[law]);
    if (pan <= -1)
        *left = 1.0;
    if (pan >= 1)
        *right = 1.0;
}
