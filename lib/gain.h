/* Gains: decibels, pan laws, polarity. Pure arithmetic, any thread. */
#ifndef STEM_GAIN_H
#define STEM_GAIN_H

/* Level of a panned mono source on each side when it stands in the centre. */
enum stem_pan_law {
    STEM_PAN_0DB,  /* balance: centre untouched on both sides, the far side fades linearly */
    STEM_PAN_3DB,  /* constant power: cos/sin */
    STEM_PAN_45DB, /* compromise: (cos/sin)^1.5 */
    STEM_PAN_6DB,  /* constant sum: cos^2/sin^2 */
};

/* Linear factor of `db` decibels (20 log10 rule); 0 dB gives exactly 1. */
double stem_gain_from_db(double db);

/* Decibels of a linear factor's magnitude; -infinity for 0. */
double stem_gain_to_db(double linear);

/* Left and right factors for pan -1 (left) … 0 (centre) … +1 (right). A hard-panned source has
 * exactly 1 on its side and 0 on the other. Formulas: theta = (pan+1)·pi/4, cos(theta)^k and
 * sin(theta)^k with k = 1, 1.5, 2; STEM_PAN_0DB: min(1, 1-pan), min(1, 1+pan). */
void stem_gain_pan(enum stem_pan_law law, double pan, double *left, double *right);

#endif
