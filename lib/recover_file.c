/* One file of a take that is recovered: what is there, and completing it. See recover_parts.h. */
#include "recover_parts.h"

#include "ixml.h"
#include "stem_file.h"
#include "write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Chunks that a finished file may have behind its audio are small. */
enum { MOST_TAIL_BYTES = 1 << 20 };

static int fail(const struct recover *recover, const struct recover_file *file, int problem)
{
    return stem_error_set_errno(recover->error, problem, "cannot complete \"%s\"", file->path);
}

/* Opens an ordinary file for reading and writing, never through a link. -1 with errno. */
static int open_file(const char *path, uint64_t *bytes)
{
    struct stat there;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, &there) == 0 && S_ISREG(there.st_mode)) {
        *bytes = (uint64_t)there.st_size;
        return fd;
    }
    close(fd);
    errno = EINVAL;
    return -1;
}

size_t recover_read_head(int fd, unsigned char *bytes, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t now = pread(fd, bytes + got, size - got, (off_t)got);
        if (now < 0 && errno == EINTR)
            continue;
        if (now <= 0)
            break;
        got += (size_t)now;
    }
    return got;
}

/* Whether chunks of a finished file, and nothing else, stand between `at` and the file's end: such
 * a file was closed properly. Audio that looks so is out of the question. */
static bool is_chunks(int fd, uint64_t at, uint64_t file_bytes)
{
    static const char *const KNOWN[] = {"cue ", "LIST", "iXML", "id3 ", "smpl", "JUNK", "MARK"};
    while (at + 8 <= file_bytes) {
        unsigned char head[8];
        bool is_known = false;
        if (pread(fd, head, sizeof head, (off_t)at) != sizeof head)
            return false;
        for (size_t k = 0; k < sizeof KNOWN / sizeof *KNOWN; k++)
            is_known = is_known || memcmp(head, KNOWN[k], 4) == 0;
        uint64_t size =
            head[4] | (uint64_t)head[5] << 8 | (uint64_t)head[6] << 16 | (uint64_t)head[7] << 24;
        if (!is_known)
            return false;
        at += 8 + size + size % 2;
    }
    return at == file_bytes;
}

/* Bytes of audio: up to the file's end, or to the chunks behind it. */
static uint64_t find_audio(struct recover_file *file, int fd, uint64_t file_bytes)
{
    const struct recover_header *header = &file->header;
    uint64_t most = file_bytes > header->audio_at ? file_bytes - header->audio_at : 0;
    uint64_t told = header->data_bytes;
    if (header->container != STEM_WAV || told >= most || told % file->frame_bytes)
        return most;
    uint64_t end = header->audio_at + told + told % 2;
    if (end + 8 > file_bytes || file_bytes - end > MOST_TAIL_BYTES ||
        !is_chunks(fd, end, file_bytes))
        return most;
    file->tail_bytes = (uint32_t)(file_bytes - end);
    return told;
}

static void measure(struct recover_file *file, int fd, uint64_t file_bytes)
{
    file->frame_bytes =
        file->header.channels * (uint32_t)stem_encoding_bytes(file->header.encoding);
    file->frames = find_audio(file, fd, file_bytes) / file->frame_bytes;
    file->can_grow = true;
}

/* Whether the recorder put iXML into its files; early ones did not. */
static bool knows_ixml(const struct recover *recover)
{
    for (size_t k = 0; k < recover->count; k++) {
        const struct recover_file *sibling = &recover->files[k];
        if (sibling->header.audio_at && !sibling->header_lost && !sibling->header.ixml_at)
            return false;
    }
    return true;
}

/* A header as the recorder writes it, in a file that is gone again at once. Returns its bytes. */
static size_t make_header(
    struct recover *recover, const struct recover_file *file, unsigned char *bytes, size_t size)
{
    const struct stem_take *take = &recover->take;
    char path[PATH_MAX], originated[20] = "";
    if (snprintf(path, sizeof path, "%s/.header.recovering", recover->folder) >= (int)sizeof path)
        return 0;
    if (take->started)
        snprintf(originated, sizeof originated, "%s", take->started);
    char *ixml = knows_ixml(recover) ? stem_ixml_make(take, file->stem) : NULL;
    const struct stem_file_params params = {
        .path = path,
        .container = take->container,
        .encoding = take->encoding,
        .rate_hz = take->rate_hz,
        .channels = file->stem->channels,
        .time_reference_frames = take->time_reference,
        .description = file->stem->name,
        .originated = originated[0] ? originated : NULL,
        .reference = take->id,
        .ixml = ixml,
        .tempo_bpm = take->tempo_bpm,
        .is_of_take = true,
    };
    unlink(path);
    struct stem_file *made = stem_file_create(&params, NULL);
    free(ixml);
    if (!made)
        return 0;
    stem_file_flush(made, NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t got = fd >= 0 ? recover_read_head(fd, bytes, size) : 0;
    if (fd >= 0)
        close(fd);
    stem_file_close(made, false, NULL);
    unlink(path);
    return got;
}

/* The iXML chunk of a borrowed header tells of our file, if it is one that we know to make. */
static void put_ixml(struct recover *recover, const struct recover_file *file,
    const struct recover_header *header, unsigned char *bytes)
{
    char *text = stem_ixml_make(&recover->take, file->stem);
    if (text && header->ixml_at && header->ixml_bytes == strlen(text))
        memcpy(bytes + header->ixml_at, text, header->ixml_bytes);
    free(text);
}

/* The header of a sibling with as many channels, under our name: it has the right length. */
static size_t borrow_header(
    struct recover *recover, const struct recover_file *file, unsigned char *bytes)
{
    for (size_t k = 0; k < recover->count; k++) {
        const struct recover_file *sibling = &recover->files[k];
        const struct recover_header *header = &sibling->header;
        uint64_t size;
        if (sibling == file || header->audio_at == 0 || sibling->header_lost ||
            header->channels != file->stem->channels ||
            header->container != recover->take.container)
            continue;
        int fd = open_file(sibling->path, &size);
        size_t got = fd >= 0 ? recover_read_head(fd, bytes, header->audio_at) : 0;
        if (fd >= 0)
            close(fd);
        if (got != header->audio_at)
            continue;
        if (header->description_at) {
            memset(bytes + header->description_at, 0, RECOVER_TEXT_BYTES - 1);
            snprintf((char *)bytes + header->description_at, RECOVER_TEXT_BYTES - 1, "%s",
                file->stem->name);
        }
        put_ixml(recover, file, header, bytes);
        return got;
    }
    return 0;
}

/* Whether a header that we make is as long as those that the recorder made: then its audio begins
 * where ours says. */
static bool makes_same_headers(struct recover *recover)
{
    unsigned char *bytes = malloc(RECOVER_HEADER_BYTES);
    bool is_same = true;
    for (size_t k = 0; k < recover->count && bytes; k++) {
        const struct recover_file *sibling = &recover->files[k];
        if (sibling->header.audio_at == 0 || sibling->header_lost || sibling->missing)
            continue;
        is_same =
            make_header(recover, sibling, bytes, RECOVER_HEADER_BYTES) == sibling->header.audio_at;
        break;
    }
    free(bytes);
    return is_same;
}

static const char LOST_HEADER[] = "its header is lost and cannot be made anew";
static const char NOT_OURS[] = "the recorder did not make it";

static int cannot_make(const struct recover *recover, const struct recover_file *file)
{
    return stem_error_set(recover->error,
        "cannot complete \"%s\": its header is lost and cannot be made anew", file->path);
}

/* What title and tempo do not change. */
static size_t fixed_bytes(const struct recover_header *header)
{
    return header->ixml_at ? header->ixml_at : header->audio_at;
}

int recover_file_leave(struct recover *recover, struct recover_file *file, const char *why)
{
    file->missing = true;
    file->header_lost = false;
    file->header = (struct recover_header){0};
    recover_flac_finish(&file->flac);
    free(file->made_header);
    file->made_header = NULL;
    return recover_remark(recover, "%s: %s; it is left as it is", file->stem->file, why);
}

static int note_new_header(struct recover *recover, const struct recover_file *file)
{
    return recover_remark(recover, "%s: its header was lost and made anew", file->stem->file);
}

int recover_file_rebuild_header(struct recover *recover, struct recover_file *file)
{
    unsigned char *bytes = calloc(1, RECOVER_HEADER_BYTES);
    uint64_t file_bytes = 0;
    int fd = open_file(file->path, &file_bytes);
    size_t size = 0;
    bool is_made = false, is_ours = true;
    if (bytes && fd >= 0) {
        size = borrow_header(recover, file, bytes);
        bool is_borrowed = size > 0;
        if (!is_borrowed)
            size = make_header(recover, file, bytes, RECOVER_HEADER_BYTES);
        is_made = recover_header_parse(bytes, size, &file->header);
        is_ours = !is_made || (recover_is_left_of_header(fd, bytes, fixed_bytes(&file->header)) ||
                                  recover_has_length(recover, fd, &file->header, file_bytes));
        is_made =
            is_made && is_ours &&
            (is_borrowed || file_bytes <= file->header.audio_at || makes_same_headers(recover));
    }
    if (is_made) {
        file->header.data_bytes = UINT64_MAX;
        file->made_header = bytes;
        file->made_bytes = file->header.audio_at;
        measure(file, fd, file_bytes);
    } else {
        free(bytes);
    }
    if (fd >= 0)
        close(fd);
    if (is_made)
        return note_new_header(recover, file);
    if (size == 0)
        return cannot_make(recover, file);
    return recover_file_leave(recover, file, is_ours ? LOST_HEADER : NOT_OURS);
}

static int open_flac(struct recover *recover, struct recover_file *file, int fd)
{
    enum { MOST_HEAD_BYTES = 4096, FLAC_FIXED_BYTES = 42 }; /* up to the end of STREAMINFO */
    file->is_flac = true;
    if (!recover_flac_scan(fd, NULL, 0, &file->flac)) {
        file->made_header = calloc(1, MOST_HEAD_BYTES);
        if (file->made_header)
            file->made_bytes = make_header(recover, file, file->made_header, MOST_HEAD_BYTES);
        if (!file->made_bytes)
            return cannot_make(recover, file);
        bool is_left = recover_is_left_of_header(fd, file->made_header, FLAC_FIXED_BYTES);
        if (!recover_flac_scan(fd, file->made_header, file->made_bytes, &file->flac))
            return recover_file_leave(recover, file, is_left ? LOST_HEADER : NOT_OURS);
        if (!is_left && file->flac.blocks == 0) /* blocks of our form tell, too */
            return recover_file_leave(recover, file, NOT_OURS);
        if (note_new_header(recover, file))
            return -1;
    }
    file->frames = file->flac.frames;
    file->can_grow = !file->flac.ends_short;
    return 0;
}

int recover_file_open(struct recover *recover, struct recover_file *file)
{
    uint64_t size;
    int status = 0, fd = open_file(file->path, &size);
    if (fd < 0 && errno == ENOENT) {
        file->missing = true;
        return recover_remark(recover, "%s: it is missing", file->stem->file);
    }
    if (fd < 0 && (errno == EINVAL || errno == ELOOP || errno == EISDIR || errno == ENXIO))
        return recover_file_leave(recover, file, "it is not an ordinary file");
    if (fd < 0)
        return fail(recover, file, errno);
    unsigned char *head = malloc(RECOVER_HEADER_BYTES);
    size_t got = head ? recover_read_head(fd, head, RECOVER_HEADER_BYTES) : 0;
    if (!head)
        status = stem_error_set(recover->error, "no memory to read \"%s\"", file->path);
    else if (recover->take.container == STEM_FLAC)
        status = open_flac(recover, file, fd);
    else if (recover_header_parse(head, got, &file->header))
        measure(file, fd, size);
    else
        file->header_lost = true;
    free(head);
    close(fd);
    return status;
}

/* Completing */

/* Makes the audio `data_bytes` long: what is behind it is cut, what is missing becomes a hole, and
 * chunks that stood behind it stand there again. */
static int set_length(struct recover_file *file, int fd, uint64_t data_bytes, uint64_t *file_bytes)
{
    const struct recover_header *header = &file->header;
    uint64_t audio_end = header->audio_at + file->frames * file->frame_bytes;
    uint64_t end = header->audio_at + data_bytes, pad = header->even && data_bytes % 2;
    uint64_t old_bytes = (uint64_t)lseek(fd, 0, SEEK_END);
    *file_bytes = end + pad + file->tail_bytes;
    if (old_bytes == *file_bytes && audio_end == end)
        return 0;
    unsigned char *tail = malloc(file->tail_bytes + 1);
    if (!tail)
        return -1;
    int status = pread(fd, tail, file->tail_bytes, (off_t)(old_bytes - file->tail_bytes)) ==
                         (ssize_t)file->tail_bytes
                     ? 0
                     : -1;
    if (status == 0 && old_bytes > audio_end)
        status = ftruncate(fd, (off_t)audio_end);
    if (status == 0)
        status = ftruncate(fd, (off_t)(end + pad));
    if (status == 0)
        status = stem_write_all(fd, tail, file->tail_bytes, end + pad);
    free(tail);
    return status;
}

/* Writes the header where it differs. */
static int set_header(struct recover_file *file, int fd, uint64_t frames, uint64_t file_bytes)
{
    const uint32_t size = file->header.audio_at;
    unsigned char *old = calloc(2, size), *now = old ? old + size : NULL;
    int status = -1;
    if (!old)
        return -1;
    recover_read_head(fd, old, size);
    memcpy(now, file->made_header ? file->made_header : old, size);
    if (recover_header_complete(&file->header, now, frames * file->frame_bytes, frames, file_bytes))
        errno = EFBIG;
    else
        status = memcmp(old, now, size) ? stem_write_all(fd, now, size, 0) : 0;
    free(old);
    return status;
}

static int complete_audio(struct recover_file *file, int fd, uint64_t frames)
{
    uint64_t file_bytes;
    return set_length(file, fd, frames * file->frame_bytes, &file_bytes) ||
                   set_header(file, fd, frames, file_bytes) || fdatasync(fd)
               ? -1
               : 0;
}

int recover_file_complete(struct recover *recover, struct recover_file *file, uint64_t frames)
{
    uint64_t size;
    int fd = open_file(file->path, &size), status = fd < 0 ? -1 : 0;
    if (status == 0 && file->is_flac && file->made_header)
        status = stem_write_all(fd, file->made_header, file->made_bytes, 0);
    if (status == 0 && file->is_flac)
        status = recover_flac_complete(&file->flac, fd, file->path, frames);
    else if (status == 0)
        status = complete_audio(file, fd, frames);
    int problem = errno;
    if (fd >= 0)
        close(fd);
    return status ? fail(recover, file, problem) : 0;
}

void recover_file_finish(struct recover_file *file)
{
    recover_flac_finish(&file->flac);
    free(file->made_header);
}
