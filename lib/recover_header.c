/* The heads of WAV, RF64, W64, CAF and AIFF files, as far as recovery needs them: where the audio
 * begins, what it is, and which numbers tell lengths. Nothing here trusts the bytes.
 *
 * Sources: EBU Tech 3306 (RF64), EBU Tech 3285 (bext), Sony Wave64, Apple Core Audio Format
 * Specification 1.0, AIFF-C of 1991. RF64 is laid out as libsndfile does it: the place of `JUNK`
 * and `fact` becomes `ds64` and `PAD `, so that the audio stays where it is.
 */
#include "acid.h"
#include "recover_parts.h"

#include <math.h>
#include <string.h>

enum { CHUNK_HEAD = 8, RIFF_FIRST = 12, DS64_BYTES = 28, BEXT_LEAST = 602, GUID = 16 };

struct view {
    const unsigned char *bytes;
    size_t size;
};

static uint64_t number(const struct view *view, size_t at, size_t bytes, bool big_endian)
{
    uint64_t value = 0;
    for (size_t k = 0; k < bytes; k++)
        value = value << 8 | view->bytes[at + (big_endian ? k : bytes - 1 - k)];
    return value;
}

static void put(unsigned char *bytes, size_t count, bool big_endian, uint64_t value)
{
    for (size_t k = 0; k < count; k++)
        bytes[big_endian ? count - 1 - k : k] = (unsigned char)(value >> 8 * k);
}

static bool is_there(const struct view *view, size_t at, const void *bytes, size_t count)
{
    return at <= view->size && count <= view->size - at &&
           memcmp(view->bytes + at, bytes, count) == 0;
}

static void add_field(struct recover_header *header, enum recover_measure measure, size_t at,
    uint32_t bytes, bool big_endian, int64_t bias)
{
    if (header->field_count < RECOVER_FIELDS)
        header->fields[header->field_count++] =
            (struct recover_field){measure, (uint32_t)at, bytes, big_endian, bias};
}

static bool set_encoding(struct recover_header *header, bool is_float, uint64_t bits)
{
    static const struct {
        bool is_float;
        uint64_t bits;
        enum stem_encoding encoding;
    } KNOWN[] = {{false, 16, STEM_PCM16}, {false, 24, STEM_PCM24}, {false, 32, STEM_PCM32},
        {true, 32, STEM_FLOAT}, {true, 64, STEM_DOUBLE}};
    for (size_t k = 0; k < sizeof KNOWN / sizeof *KNOWN; k++)
        if (KNOWN[k].is_float == is_float && KNOWN[k].bits == bits) {
            header->encoding = KNOWN[k].encoding;
            return true;
        }
    return false;
}

/* WAV and W64 */

/* WAVEFORMATEX, plain or extensible. */
static bool read_fmt(struct recover_header *header, const struct view *view, size_t at, size_t size)
{
    enum { PCM = 1, FLOAT = 3, EXTENSIBLE = 0xFFFE, PLAIN_BYTES = 16, EXTENSIBLE_BYTES = 40 };
    if (size < PLAIN_BYTES || at + size > view->size)
        return false;
    uint64_t tag = number(view, at, 2, false);
    if (tag == EXTENSIBLE && size >= EXTENSIBLE_BYTES)
        tag = number(view, at + 24, 2, false);
    header->channels = (uint32_t)number(view, at + 2, 2, false);
    header->rate_hz = (uint32_t)number(view, at + 4, 4, false);
    return (tag == PCM || tag == FLOAT) &&
           set_encoding(header, tag == FLOAT, number(view, at + 14, 2, false));
}

/* Description, date, time and reference of a broadcast extension. */
static void read_bext(
    struct recover_header *header, const struct view *view, size_t at, size_t size)
{
    enum { DATE_AT = 320, TIME_AT = 330, REFERENCE_AT = 338 };
    if (size < BEXT_LEAST || at + size > view->size)
        return;
    header->description_at = (uint32_t)at;
    memcpy(header->description, view->bytes + at, RECOVER_TEXT_BYTES - 1);
    memcpy(header->originated, view->bytes + at + DATE_AT, 10);
    header->originated[10] = 'T';
    memcpy(header->originated + 11, view->bytes + at + TIME_AT, 8);
    for (int k = 0; k < 19; k++)
        if (header->originated[k] < ' ' || header->originated[k] > '~')
            header->originated[0] = '\0';
    header->time_reference = number(view, at + REFERENCE_AT, 8, false);
}

/* The tempo: an `acid` chunk, or one that holds the place for it and looks like it (acid.h). */
static void read_acid(
    struct recover_header *header, const struct view *view, size_t at, size_t data, size_t size)
{
    enum { TEMPO_AT = 20, TEMPO_BYTES = 4 };
    bool is_acid = is_there(view, at, "acid", 4);
    if (size < TEMPO_AT + TEMPO_BYTES || data + size > view->size)
        return;
    unsigned char ours[STEM_ACID_BYTES];
    stem_acid_make(0, ours);
    if (size == STEM_ACID_BYTES && is_there(view, data, ours, TEMPO_AT)) {
        header->acid_id_at = (uint32_t)at;
        header->acid_data_at = (uint32_t)data;
    }
    if (!is_acid)
        return;
    uint32_t bits = (uint32_t)number(view, data + TEMPO_AT, TEMPO_BYTES, false);
    float tempo;
    memcpy(&tempo, &bits, sizeof tempo);
    header->tempo_bpm = isfinite(tempo) && tempo > 0 && tempo < 10000 ? (double)tempo : 0;
}

static bool may_be_acid(const struct view *view, size_t at)
{
    return is_there(view, at, "acid", 4) || is_there(view, at, "JUNK", 4) ||
           is_there(view, at, "free", 4);
}

static void note_ixml(struct recover_header *header, size_t at, size_t size)
{
    header->ixml_at = (uint32_t)at;
    header->ixml_bytes = (uint32_t)size;
}

static bool begin_riff(struct recover_header *header, const struct view *view)
{
    bool is_rf64 = is_there(view, 0, "RF64", 4);
    header->container = STEM_WAV;
    header->even = true;
    header->is_riff = !is_rf64;
    add_field(header, is_rf64 ? RECOVER_FIXED : RECOVER_FILE, 4, 4, false,
        is_rf64 ? (int64_t)UINT32_MAX : -CHUNK_HEAD);
    return is_there(view, 8, "WAVE", 4);
}

static bool read_riff(struct recover_header *header, const struct view *view)
{
    bool has_format = false;
    uint64_t long_data = UINT64_MAX;
    if (!begin_riff(header, view))
        return false;
    for (size_t at = RIFF_FIRST; at + CHUNK_HEAD <= view->size;) {
        size_t size = (size_t)number(view, at + 4, 4, false), data = at + CHUNK_HEAD;
        if (is_there(view, at, "data", 4)) {
            add_field(header, header->is_riff ? RECOVER_DATA : RECOVER_FIXED, at + 4, 4, false,
                header->is_riff ? 0 : (int64_t)UINT32_MAX);
            header->audio_at = (uint32_t)data;
            header->data_bytes = size == UINT32_MAX ? long_data : size;
            return has_format;
        }
        if (size > view->size - data)
            return false;
        if (is_there(view, at, "fmt ", 4))
            has_format = read_fmt(header, view, data, size);
        else if (is_there(view, at, "bext", 4))
            read_bext(header, view, data, size);
        else if (may_be_acid(view, at))
            read_acid(header, view, at, data, size);
        else if (is_there(view, at, "iXML", 4))
            note_ixml(header, data, size);
        else if (is_there(view, at, "fact", 4) && size >= 4 && header->is_riff)
            add_field(header, RECOVER_FRAMES, data, 4, false, 0);
        else if (is_there(view, at, "ds64", 4) && size >= DS64_BYTES - 4 && !header->is_riff) {
            add_field(header, RECOVER_FILE, data, 8, false, -CHUNK_HEAD);
            add_field(header, RECOVER_DATA, data + 8, 8, false, 0);
            add_field(header, RECOVER_FRAMES, data + 16, 8, false, 0);
            long_data = number(view, data + 8, 8, false);
        }
        at = data + size + size % 2;
    }
    return false;
}

/* The second half of most W64 identifiers. */
static const unsigned char W64_REST[12] = {
    0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A};

static bool is_w64(const struct view *view, size_t at, const char *name)
{
    return is_there(view, at, name, 4) && is_there(view, at + 4, W64_REST, sizeof W64_REST);
}

static bool read_w64(struct recover_header *header, const struct view *view)
{
    enum { HEAD = GUID + 8, FIRST = HEAD + GUID };
    bool has_format = false;
    header->container = STEM_W64;
    add_field(header, RECOVER_FILE, GUID, 8, false, 0);
    if (!is_w64(view, HEAD, "wave"))
        return false;
    for (size_t at = FIRST; at + HEAD <= view->size;) {
        uint64_t size = number(view, at + GUID, 8, false); /* with the chunk's own head */
        if (is_w64(view, at, "data")) {
            add_field(header, RECOVER_DATA, at + GUID, 8, false, HEAD);
            header->audio_at = (uint32_t)(at + HEAD);
            header->data_bytes = size >= HEAD ? size - HEAD : UINT64_MAX;
            return has_format;
        }
        if (size < HEAD || size > view->size - at)
            return false;
        if (is_w64(view, at, "fmt "))
            has_format = read_fmt(header, view, at + HEAD, (size_t)size - HEAD);
        else if (is_w64(view, at, "fact") && size >= HEAD + 8)
            add_field(header, RECOVER_FRAMES, at + HEAD, 8, false, 0);
        at += (size_t)((size + 7) & ~UINT64_C(7));
    }
    return false;
}

/* CAF and AIFF */

static double real_64(const struct view *view, size_t at)
{
    uint64_t bits = number(view, at, 8, true);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool set_rate(struct recover_header *header, double rate_hz)
{
    if (!(rate_hz >= 1 && rate_hz <= 1e7))
        return false;
    header->rate_hz = (uint32_t)lrint(rate_hz);
    return true;
}

static bool read_desc(
    struct recover_header *header, const struct view *view, size_t at, size_t size)
{
    enum { BYTES = 32, IS_FLOAT = 1, IS_LITTLE_ENDIAN = 2 };
    if (size < BYTES || at + size > view->size || !is_there(view, at + 8, "lpcm", 4))
        return false;
    uint64_t flags = number(view, at + 12, 4, true);
    header->big_endian = !(flags & IS_LITTLE_ENDIAN);
    header->channels = (uint32_t)number(view, at + 24, 4, true);
    return set_rate(header, real_64(view, at)) &&
           set_encoding(header, flags & IS_FLOAT, number(view, at + 28, 4, true));
}

static bool read_caf(struct recover_header *header, const struct view *view)
{
    enum { HEAD = 12, FIRST = 8, EDIT_COUNT_BYTES = 4 };
    bool has_format = false;
    header->container = STEM_CAF;
    for (size_t at = FIRST; at + HEAD <= view->size;) {
        uint64_t size = number(view, at + 4, 8, true);
        if (is_there(view, at, "data", 4)) {
            add_field(header, RECOVER_DATA, at + 4, 8, true, EDIT_COUNT_BYTES);
            header->audio_at = (uint32_t)(at + HEAD + EDIT_COUNT_BYTES);
            header->data_bytes = size >= EDIT_COUNT_BYTES && size <= INT64_MAX
                                     ? size - EDIT_COUNT_BYTES
                                     : UINT64_MAX;
            return has_format && header->audio_at <= view->size;
        }
        if (size > view->size - at - HEAD)
            return false;
        if (is_there(view, at, "desc", 4))
            has_format = read_desc(header, view, at + HEAD, (size_t)size);
        else if (may_be_acid(view, at))
            read_acid(header, view, at, at + HEAD, (size_t)size);
        else if (is_there(view, at, "iXML", 4))
            note_ixml(header, at + HEAD, (size_t)size);
        at += HEAD + (size_t)size;
    }
    return false;
}

/* The 80-bit number of SANE: sign and exponent, then the mantissa with its leading 1. */
static double real_80(const struct view *view, size_t at)
{
    int exponent = (int)number(view, at, 2, true) - 16383 - 63;
    return ldexp((double)number(view, at + 2, 8, true), exponent);
}

static bool read_comm(
    struct recover_header *header, const struct view *view, size_t at, size_t size)
{
    enum { PLAIN_BYTES = 18, RATE_AT = 8 };
    if (size < PLAIN_BYTES || at + size > view->size)
        return false;
    uint64_t bits = number(view, at + 6, 2, true);
    bool is_compressed = size >= PLAIN_BYTES + 4;
    bool is_single = is_compressed && (is_there(view, at + PLAIN_BYTES, "fl32", 4) ||
                                          is_there(view, at + PLAIN_BYTES, "FL32", 4));
    bool is_double = is_compressed && (is_there(view, at + PLAIN_BYTES, "fl64", 4) ||
                                          is_there(view, at + PLAIN_BYTES, "FL64", 4));
    if (is_compressed && !is_single && !is_double && !is_there(view, at + PLAIN_BYTES, "NONE", 4))
        return false;
    header->big_endian = true;
    header->channels = (uint32_t)number(view, at, 2, true);
    add_field(header, RECOVER_FRAMES, at + 2, 4, true, 0);
    return set_rate(header, real_80(view, at + RATE_AT)) &&
           set_encoding(header, is_single || is_double,
               is_double   ? 64
               : is_single ? 32
                           : bits);
}

static bool read_aiff(struct recover_header *header, const struct view *view)
{
    enum { OFFSETS_BYTES = 8 };
    bool has_format = false;
    header->container = STEM_AIFF;
    header->even = true;
    add_field(header, RECOVER_FILE, 4, 4, true, -CHUNK_HEAD);
    if (!is_there(view, 8, "AIFF", 4) && !is_there(view, 8, "AIFC", 4))
        return false;
    for (size_t at = RIFF_FIRST; at + CHUNK_HEAD <= view->size;) {
        size_t size = (size_t)number(view, at + 4, 4, true), data = at + CHUNK_HEAD;
        if (is_there(view, at, "SSND", 4)) {
            add_field(header, RECOVER_DATA, at + 4, 4, true, OFFSETS_BYTES);
            /* offset and block size: the recorder uses neither */
            add_field(header, RECOVER_FIXED, data, OFFSETS_BYTES, true, 0);
            header->audio_at = (uint32_t)(data + OFFSETS_BYTES);
            header->data_bytes = size >= OFFSETS_BYTES ? size - OFFSETS_BYTES : UINT64_MAX;
            return has_format && header->audio_at <= view->size;
        }
        if (size > view->size - data)
            return false;
        if (is_there(view, at, "COMM", 4))
            has_format = read_comm(header, view, data, size);
        else if (may_be_acid(view, at))
            read_acid(header, view, at, data, size);
        else if (is_there(view, at, "iXML", 4))
            note_ixml(header, data, size);
        at = data + size + size % 2;
    }
    return false;
}

bool recover_header_parse(const unsigned char *bytes, size_t size, struct recover_header *header)
{
    const struct view view = {bytes, size < RECOVER_HEADER_BYTES ? size : RECOVER_HEADER_BYTES};
    bool is_known = false;
    *header = (struct recover_header){.data_bytes = UINT64_MAX};
    if (is_there(&view, 0, "RIFF", 4) || is_there(&view, 0, "RF64", 4))
        is_known = read_riff(header, &view);
    else if (is_there(&view, 0, "riff", 4))
        is_known = read_w64(header, &view);
    else if (is_there(&view, 0, "caff", 4))
        is_known = read_caf(header, &view);
    else if (is_there(&view, 0, "FORM", 4))
        is_known = read_aiff(header, &view);
    return is_known && header->channels >= 1 && header->channels <= RECOVER_MOST_CHANNELS &&
           header->rate_hz >= 1 && header->rate_hz <= RECOVER_MOST_RATE;
}

/* Completing */

/* RIFF to RF64: `ds64` takes the place of the first `JUNK`, `fact` goes, and `PAD ` fills what is
 * left before the audio. -1 when there is no such place. */
static int to_rf64(struct recover_header *header, unsigned char *bytes)
{
    unsigned char old[RECOVER_HEADER_BYTES];
    const struct view view = {old, header->audio_at};
    const size_t data = header->audio_at - CHUNK_HEAD;
    size_t to = RIFF_FIRST + CHUNK_HEAD + DS64_BYTES, kept = to;
    memcpy(old, bytes, header->audio_at);
    if (!is_there(&view, RIFF_FIRST, "JUNK", 4))
        return -1;
    for (int pass = 0; pass < 2; pass++) { /* first see whether it fits */
        kept = to;
        for (size_t at = RIFF_FIRST; at < data;) {
            size_t size = CHUNK_HEAD + (size_t)number(&view, at + 4, 4, false);
            size += size % 2;
            if (at != RIFF_FIRST && !is_there(&view, at, "fact", 4)) {
                if (pass == 1)
                    memcpy(bytes + kept, old + at, size);
                kept += size;
            }
            at += size;
        }
        if (kept != data && kept + CHUNK_HEAD > data)
            return -1;
    }
    if (kept < data) {
        memset(bytes + kept, 0, data - kept);
        memcpy(bytes + kept, "PAD ", 4);
        put(bytes + kept + 4, 4, false, data - kept - CHUNK_HEAD);
    }
    memcpy(bytes, "RF64", 4);
    memset(bytes + RIFF_FIRST, 0, CHUNK_HEAD + DS64_BYTES);
    memcpy(bytes + RIFF_FIRST, "ds64", 4);
    put(bytes + RIFF_FIRST + 4, 4, false, DS64_BYTES);
    return recover_header_parse(bytes, header->audio_at, header) ? 0 : -1;
}

int recover_header_complete(struct recover_header *header, unsigned char *bytes,
    uint64_t data_bytes, uint64_t frames, uint64_t file_bytes)
{
    bool is_long = file_bytes - CHUNK_HEAD > UINT32_MAX;
    if (is_long && header->is_riff && to_rf64(header, bytes))
        return -1;
    for (size_t k = 0; k < header->field_count; k++) {
        const struct recover_field *field = &header->fields[k];
        uint64_t value = (uint64_t)field->bias;
        value += field->measure == RECOVER_FILE     ? file_bytes
                 : field->measure == RECOVER_DATA   ? data_bytes
                 : field->measure == RECOVER_FRAMES ? frames
                                                    : 0;
        if (field->bytes == 4 && value > UINT32_MAX)
            return -1;
        put(bytes + field->at, field->bytes, field->big_endian, value);
    }
    return 0;
}
