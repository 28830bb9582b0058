/* What the report's modules share. */
#ifndef STEM_REPORT_PARTS_H
#define STEM_REPORT_PARTS_H

#include "survey.h"
#include "take.h"

#include <jansson.h>

/* A piece of the page, embedded when the program is built. */
struct stem_report_piece {
    const unsigned char *bytes;
    size_t size;
};

/* The page in three pieces: between them stand the title and the data. Made by embed.py. */
extern const struct stem_report_piece stem_report_page[3];

/* Everything the page shows, as JSON; see report_data.c. NULL without memory. The caller drops the
 * reference. */
json_t *stem_report_data(const struct stem_take *take, const struct stem_survey *survey);

/* A waveform's columns in base64: min, max and RMS of each as 16-bit little-endian numbers, 32767 =
 * full scale (louder ones are cut there). The caller frees it; NULL without memory. */
char *stem_report_pack_wave(const struct stem_survey_column *columns, size_t count);

/* The residual in base64: for each group of `seconds_each` seconds the RMS and the peak, in 1/100
 * dB as 16-bit little-endian numbers, -32768 = nothing at all. The same. */
char *stem_report_pack_residual(const struct stem_survey *survey, size_t seconds_each);

#endif
