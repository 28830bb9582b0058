/* Packing waveforms and the residual for the page. See report_parts.h.
 *
 * 16 bits, since a stem at -60 dBFS is still worth looking at; base64, since a page is text. A file
 * of 2000 columns takes 16 KiB.
 */
#include "gain.h"
#include "report_parts.h"

#include <math.h>
#include <stdlib.h>

/* Numbers on their way into base64: three bytes make four letters. */
struct packer {
    char *text;
    size_t used;
    unsigned pending; /* bits that have not been written yet */
    unsigned pending_bits;
};

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool packer_start(struct packer *packer, size_t numbers)
{
    *packer = (struct packer){.text = malloc(numbers * 2 / 3 * 4 + 8)};
    return packer->text;
}

static void pack_byte(struct packer *packer, unsigned byte)
{
    packer->pending = packer->pending << 8 | (byte & 0xFF);
    for (packer->pending_bits += 8; packer->pending_bits >= 6; packer->pending_bits -= 6)
        packer->text[packer->used++] = LETTERS[packer->pending >> (packer->pending_bits - 6) & 63];
}

/* What is not a number is shown as nothing. */
static void pack_number(struct packer *packer, double value)
{
    double bounded = isnan(value) ? 0 : fmax(-32768, fmin(32767, value));
    unsigned bits = (unsigned)lrint(bounded);
    pack_byte(packer, bits);
    pack_byte(packer, bits >> 8);
}

static char *packer_end(struct packer *packer)
{
    if (packer->pending_bits)
        packer->text[packer->used++] = LETTERS[packer->pending << (6 - packer->pending_bits) & 63];
    while (packer->used % 4)
        packer->text[packer->used++] = '=';
    packer->text[packer->used] = '\0';
    return packer->text;
}

char *stem_report_pack_wave(const struct stem_survey_column *columns, size_t count)
{
    struct packer packer;
    if (!packer_start(&packer, count * 3))
        return NULL;
    for (size_t c = 0; c < count; c++) {
        pack_number(&packer, columns[c].min * 32767.0);
        pack_number(&packer, columns[c].max * 32767.0);
        pack_number(&packer, columns[c].rms * 32767.0);
    }
    return packer_end(&packer);
}

static void pack_level(struct packer *packer, double linear)
{
    double db = isnan(linear) ? INFINITY : stem_gain_to_db(linear); /* at the top, to be seen */
    pack_number(packer, db * 100);
}

char *stem_report_pack_residual(const struct stem_survey *survey, size_t seconds_each)
{
    struct packer packer;
    if (!packer_start(&packer, (survey->seconds / seconds_each + 1) * 2))
        return NULL;
    for (size_t first = 0; first < survey->seconds; first += seconds_each) {
        double energy = 0, peak = 0;
        size_t s = first;
        for (; s < survey->seconds && s < first + seconds_each; s++) {
            double rms = survey->residual_rms[s];
            energy += rms * rms;
            peak = survey->residual_peak[s] <= peak ? peak : survey->residual_peak[s];
        }
        pack_level(&packer, sqrt(energy / (double)(s - first)));
        pack_level(&packer, peak);
    }
    return packer_end(&packer);
}
