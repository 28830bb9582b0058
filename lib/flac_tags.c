/* Formats: RFC 9639 section 8 (metadata blocks), Vorbis I comment header (little endian). Field
 * names as Vorbis, Picard and the workstations use them.
 */
#include "flac_tags.h"

#include "write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, MARK_BYTES = 4, HEAD_BYTES = 4, LAST = 0x80, PADDING = 1, COMMENT = 4 };

/* The place of the tags: their block, and the padding behind it if there is any. */
struct place {
    unsigned char page[PAGE_BYTES]; /* the file's first bytes */
    size_t at;                      /* of the block's head */
    size_t bytes;                   /* with all heads */
    bool is_last;                   /* the audio follows */
};

/* Finding */

static size_t block_bytes(const unsigned char *head)
{
    return (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

/* Takes padding behind the tags, which a former time left, into the place. */
static void add_padding(struct place *place, size_t size)
{
    const unsigned char *next = place->page + place->at + place->bytes;
    size_t end = place->at + place->bytes;
    if (place->is_last || end + HEAD_BYTES > size || (next[0] & ~LAST) != PADDING)
        return;
    place->bytes += HEAD_BYTES + block_bytes(next);
    place->is_last = next[0] & LAST;
}

static bool find(int fd, struct place *place)
{
    ssize_t got = pread(fd, place->page, PAGE_BYTES, 0);
    size_t size = got > 0 ? (size_t)got : 0;
    if (size < MARK_BYTES || memcmp(place->page, "fLaC", MARK_BYTES) != 0)
        return false;
    for (size_t at = MARK_BYTES; at + HEAD_BYTES <= size;) {
        const unsigned char *head = place->page + at;
        place->at = at;
        place->bytes = HEAD_BYTES + block_bytes(head);
        place->is_last = head[0] & LAST;
        at += place->bytes;
        if ((head[0] & ~LAST) == COMMENT) {
            add_padding(place, size);
            return place->bytes > STEM_FLAC_TAGS_BLANKS && place->at + place->bytes <= size;
        }
        if (place->is_last)
            break;
    }
    return false;
}

/* Making */

struct tags {
    unsigned char bytes[PAGE_BYTES];
    size_t used;
    uint32_t count;
    bool is_full;
};

static void put_number(unsigned char *bytes, uint32_t value)
{
    for (int k = 0; k < 4; k++)
        bytes[k] = (unsigned char)(value >> 8 * k);
}

/* Length and text. */
static void add_text(struct tags *tags, const char *text, size_t length)
{
    if (tags->used + 4 + length > sizeof tags->bytes) {
        tags->is_full = true;
        return;
    }
    put_number(tags->bytes + tags->used, (uint32_t)length);
    memcpy(tags->bytes + tags->used + 4, text, length);
    tags->used += 4 + length;
}

/* What is not known is left out. */
static void add(struct tags *tags, const char *name, const char *format, ...) STEM_PRINTF(3, 4);

static void add(struct tags *tags, const char *name, const char *format, ...)
{
    char text[PAGE_BYTES];
    int length = snprintf(text, sizeof text, "%s=", name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    va_end(arguments);
    if (!text[length])
        return;
    add_text(tags, text, strlen(text));
    tags->count++;
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

/* Without a title the take is called by its time, so that its files stay together. */
static void add_take(struct tags *tags, const struct stem_take *take)
{
    const char *started = text_of(take->started);
    if (take->title && take->title[0])
        add(tags, "ALBUM", "%s", take->title);
    else
        add(tags, "ALBUM", "%.10s %.8s", started, strlen(started) > 11 ? started + 11 : "");
    add(tags, "DATE", "%.10s", started);
    if (take->tempo_bpm > 0)
        add(tags, "BPM", "%.10g", take->tempo_bpm);
    add(tags, "KEY", "%s", text_of(take->key));
    add(tags, "INITIALKEY", "%s", text_of(take->key));
    add(tags, "ENCODER", "%s", text_of(take->recorder));
}

/* The encoder's name stays in front. */
static void make(
    struct tags *tags, const struct place *place, struct stem_take *take, size_t number)
{
    const unsigned char *vendor = place->page + place->at + HEAD_BYTES;
    size_t length = vendor[0] | (size_t)vendor[1] << 8, total = 0, count_at;
    while (stem_take_file(take, total))
        total++;
    if (length + 4 > place->bytes - HEAD_BYTES || vendor[2] || vendor[3])
        length = 0;
    add_text(tags, (const char *)vendor + 4, length);
    count_at = tags->used;
    tags->used += 4;
    add(tags, "TITLE", "%s", stem_take_file(take, number - 1)->name);
    add(tags, "TRACKNUMBER", "%zu", number);
    add(tags, "TRACKTOTAL", "%zu", total);
    add_take(tags, take);
    put_number(tags->bytes + count_at, tags->count);
}

/* Writing */

static void put_head(unsigned char *head, int type, bool is_last, size_t bytes)
{
    head[0] = (unsigned char)(type | (is_last ? LAST : 0));
    for (int k = 0; k < 3; k++)
        head[1 + k] = (unsigned char)(bytes >> 8 * (2 - k));
}

/* Tags, then padding over the rest of the place, written at once: they are on one page. */
static int put(int fd, const struct place *place, const struct tags *tags)
{
    unsigned char page[PAGE_BYTES] = {0};
    size_t rest = place->bytes - HEAD_BYTES - tags->used - HEAD_BYTES;
    put_head(page, COMMENT, false, tags->used);
    memcpy(page + HEAD_BYTES, tags->bytes, tags->used);
    put_head(page + HEAD_BYTES + tags->used, PADDING, place->is_last, rest);
    if (memcmp(page, place->page + place->at, place->bytes) == 0)
        return 0;
    return stem_write_all(fd, page, place->bytes, place->at) ? -1 : fdatasync(fd);
}

int stem_flac_tags_renew(
    const char *path, struct stem_take *take, size_t number, struct stem_error *error)
{
    struct place place = {0};
    struct tags tags = {0};
    struct stat there;
    int status = 0, fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return stem_error_set_errno(error, errno, "cannot open \"%s\"", path);
    if (fstat(fd, &there) == 0 && S_ISREG(there.st_mode) && find(fd, &place)) {
        make(&tags, &place, take, number);
        if (tags.is_full || tags.used + 2 * HEAD_BYTES > place.bytes)
            status = stem_error_set(error, "the names are too long for \"%s\"", path);
        else if (put(fd, &place, &tags))
            status = stem_error_set_errno(error, errno, "cannot write \"%s\"", path);
    }
    close(fd);
    return status;
}
