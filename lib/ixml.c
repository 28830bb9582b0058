/* Elements: iXML 2.10, http://www.gallery.co.uk/ixml/. All of them are optional; what is not known
 * is left out. SPEED has no frame rate, since a take has no timecode. TIMESTAMP_… and BWF_TIME_…
 * are the TimeReference of the bext chunk, which AIFF and CAF do not have. */
#include "ixml.h"

#include "xml_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_TEXT_BYTES = 200, /* of a text with its escapes */
    BASE_BYTES = 3072,     /* everything but the track list, with texts as long as they may be */
    TRACK_BYTES = 416,     /* an entry of the track list, likewise */
    MOST_TRACKS = 32,      /* beyond these a file only says how many there are */
};

static uint32_t listed(uint32_t channels)
{
    return channels < MOST_TRACKS ? channels : MOST_TRACKS;
}

size_t stem_ixml_bytes(uint32_t channels)
{
    return BASE_BYTES + (size_t)TRACK_BYTES * listed(channels);
}

static void put_text(FILE *out, const char *text)
{
    stem_xml_put_some(out, text, MOST_TEXT_BYTES);
}

static void put_element(FILE *out, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    fprintf(out, "<%s>", name);
    put_text(out, text);
    fprintf(out, "</%s>\n", name);
}

static void put_number(FILE *out, const char *name, uint64_t number)
{
    fprintf(out, "<%s>%llu</%s>\n", name, (unsigned long long)number, name);
}

/* Mix, then stems, then the others, as the folder lists them. */
static size_t number_of(const struct stem_take *take, const struct stem_take_stem *stem)
{
    for (size_t k = 0; k < take->stem_count; k++)
        if (stem == &take->stems[k])
            return k + 1;
    for (size_t k = 0; k < take->extra_count; k++)
        if (stem == &take->extras[k])
            return take->stem_count + k + 1;
    return 0;
}

/* Takes have no numbers: day and time, as in the folder's name, tell them apart. */
static void put_names(FILE *out, const struct stem_take *take)
{
    char day[11] = "", moment[9] = "", note[80] = "";
    if (take->started && strlen(take->started) >= 19) {
        snprintf(day, sizeof day, "%.10s", take->started);
        snprintf(moment, sizeof moment, "%.2s-%.2s-%.2s", take->started + 11, take->started + 14,
            take->started + 17);
    }
    if (take->tempo_bpm > 0)
        snprintf(note, sizeof note, "%.10g bpm", take->tempo_bpm);
    if (take->key && *take->key)
        snprintf(note + strlen(note), sizeof note - strlen(note), "%s%.40s", *note ? ", " : "",
            take->key);
    put_element(out, "PROJECT", take->title);
    put_element(out, "TAPE", day);
    put_element(out, "TAKE", moment);
    put_element(out, "NOTE", note);
}

static void put_speed(FILE *out, const struct stem_take *take)
{
    int bits = 8 * stem_encoding_bytes(take->encoding);
    fputs("<SPEED>\n", out);
    put_number(out, "FILE_SAMPLE_RATE", take->rate_hz);
    put_number(out, "AUDIO_BIT_DEPTH", (uint64_t)bits);
    put_number(out, "DIGITIZER_SAMPLE_RATE", take->rate_hz);
    put_number(out, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", take->time_reference >> 32);
    put_number(out, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", take->time_reference & UINT32_MAX);
    put_number(out, "TIMESTAMP_SAMPLE_RATE", take->rate_hz);
    fputs("</SPEED>\n", out);
}

/* Parts of a take are one family; the mirror's files are the same files. */
static void put_family(FILE *out, const struct stem_take *take, const struct stem_take_stem *stem)
{
    char index[24], uid[96];
    snprintf(index, sizeof index, "%02zu", number_of(take, stem));
    if (take->id && *take->id) {
        snprintf(uid, sizeof uid, "%.40s-%u-%s", take->id, take->part ? take->part : 1, index);
        put_element(out, "FILE_UID", uid);
    }
    fputs("<FILE_SET>\n", out);
    put_number(out, "TOTAL_FILES", take->stem_count + take->extra_count + (take->has_mix ? 1 : 0));
    put_element(out, "FAMILY_UID", take->id);
    put_element(out, "FAMILY_NAME", take->title);
    put_element(out, "FILE_SET_INDEX", index);
    fputs("</FILE_SET>\n", out);
    fputs("<HISTORY>\n", out);
    put_element(out, "ORIGINAL_FILENAME", stem->file);
    fputs("</HISTORY>\n", out);
}

/* Names of the standard's dictionary; NULL: it has none. */
static const char *function_of(bool is_mix, uint32_t channels, uint32_t channel)
{
    if (channels == 1)
        return is_mix ? "MIX" : NULL;
    if (channels != 2)
        return NULL;
    return is_mix ? channel ? "R-MIX" : "L-MIX" : channel ? "RIGHT" : "LEFT";
}

static void put_track(FILE *out, const struct stem_take_stem *stem, bool is_mix, uint32_t channel)
{
    char side[16] = "";
    if (stem->channels == 2)
        snprintf(side, sizeof side, " %c", "LR"[channel]);
    else if (stem->channels > 2)
        snprintf(side, sizeof side, " %u", channel + 1);
    fputs("<TRACK>\n", out);
    put_number(out, "CHANNEL_INDEX", channel + 1);
    put_number(out, "INTERLEAVE_INDEX", channel + 1);
    fputs("<NAME>", out);
    put_text(out, stem->name ? stem->name : "");
    fprintf(out, "%s</NAME>\n", side);
    put_element(out, "FUNCTION", function_of(is_mix, stem->channels, channel));
    fputs("</TRACK>\n", out);
}

static void put_tracks(FILE *out, const struct stem_take *take, const struct stem_take_stem *stem)
{
    fputs("<TRACK_LIST>\n", out);
    put_number(out, "TRACK_COUNT", stem->channels);
    for (uint32_t channel = 0; channel < listed(stem->channels); channel++)
        put_track(out, stem, stem == &take->mix, channel);
    fputs("</TRACK_LIST>\n", out);
}

static void put_bext(FILE *out, const struct stem_take *take, const struct stem_take_stem *stem)
{
    char day[11] = "", moment[9] = "";
    if (take->started && strlen(take->started) >= 19) {
        snprintf(day, sizeof day, "%.10s", take->started);
        snprintf(moment, sizeof moment, "%.8s", take->started + 11);
    }
    fputs("<BEXT>\n", out);
    put_element(out, "BWF_DESCRIPTION", stem->name);
    put_element(out, "BWF_ORIGINATOR", "stemd");
    put_element(out, "BWF_ORIGINATOR_REFERENCE", take->id);
    put_element(out, "BWF_ORIGINATION_DATE", day);
    put_element(out, "BWF_ORIGINATION_TIME", moment);
    put_number(out, "BWF_TIME_REFERENCE_LOW", take->time_reference & UINT32_MAX);
    put_number(out, "BWF_TIME_REFERENCE_HIGH", take->time_reference >> 32);
    fputs("</BEXT>\n", out);
}

static void put_all(FILE *out, const struct stem_take *take, const struct stem_take_stem *stem)
{
    fputs(STEM_IXML_BEGIN "<IXML_VERSION>2.10</IXML_VERSION>\n", out);
    put_names(out, take);
    put_family(out, take, stem);
    put_speed(out, take);
    put_tracks(out, take, stem);
    put_bext(out, take, stem);
    fputs("</BWFXML>\n", out);
}

char *stem_ixml_make(const struct stem_take *take, const struct stem_take_stem *stem)
{
    const size_t bytes = stem_ixml_bytes(stem->channels);
    char *text = malloc(bytes + 1);
    FILE *out = text ? fmemopen(text, bytes + 1, "w") : NULL;
    if (!out) {
        free(text);
        return NULL;
    }
    put_all(out, take, stem);
    const long used = ftell(out);
    fclose(out);
    memset(text + used, ' ', bytes - (size_t)used);
    text[bytes - 1] = '\n';
    text[bytes] = '\0';
    return text;
}
