/* Reading what the manifest does not know yet of a file: level, clipped samples, silence, and the
 * places where audio may be missing. See recover_parts.h.
 *
 * After a power cut the file system may have kept a file's length and not its last blocks: they
 * read as zeros. Two signs tell them from silence that was played. A hole: the recorder makes holes
 * for listed gaps only. And zeros to the file's end that begin where a block of the disk begins:
 * music falls silent there once in thousands of times, and then a gap too many is listed. Both
 * count near the end only, since older audio was synced. And where all files are silent at once,
 * behind the manifest's last word, there may have been a gap that it did not come to list.
 */
#include "recover_parts.h"

#include "audio_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longer than any sensible sync interval. */
enum { SUSPICIOUS_SECONDS = 60, BLOCK_FRAMES = 4096, LEAST_SILENT_FRAMES = 16 };

struct look {
    struct recover *recover;
    struct recover_file *file;
    uint64_t unknown;  /* levels count from here on */
    double full_scale; /* magnitude from which a sample counts as clipped */
    bool in_silence;
    uint64_t silence_begin;
    struct recover_spans silences; /* of this file, long enough to matter */
};

/* Samples as they stand in the file, 1.0 = full scale. */
static double sample_at(const unsigned char *bytes, enum stem_encoding encoding, bool big_endian)
{
    const int count = stem_encoding_bytes(encoding);
    uint64_t bits = 0;
    for (int k = 0; k < count; k++)
        bits = bits << 8 | bytes[big_endian ? k : count - 1 - k];
    if (encoding == STEM_DOUBLE) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (encoding == STEM_FLOAT) {
        uint32_t half = (uint32_t)bits;
        float value;
        memcpy(&value, &half, sizeof value);
        return value;
    }
    int32_t value = (int32_t)(uint32_t)(bits << (32 - 8 * count)); /* the sign is on top */
    return value / 2147483648.0;
}

static int end_silence(struct look *look, uint64_t frame)
{
    if (!look->in_silence)
        return 0;
    look->in_silence = false;
    if (frame - look->silence_begin < LEAST_SILENT_FRAMES)
        return 0;
    return recover_spans_add(&look->silences, look->silence_begin, frame);
}

/* Takes note of interleaved samples from `frame` on. */
static int look_at(struct look *look, uint64_t frame, const double *samples, size_t frames)
{
    const uint32_t channels = look->file->stem->channels;
    struct stem_take_stem *stem = look->file->stem;
    for (size_t f = 0; f < frames; f++, frame++) {
        bool is_silent = true;
        for (uint32_t c = 0; c < channels; c++) {
            double magnitude = fabs(*samples++);
            is_silent = is_silent && magnitude == 0;
            if (frame < look->unknown || !isfinite(magnitude))
                continue;
            stem->peak = magnitude > stem->peak ? magnitude : stem->peak;
            stem->clips += magnitude >= look->full_scale;
        }
        if (is_silent && !look->in_silence)
            look->silence_begin = frame;
        if (!is_silent && end_silence(look, frame))
            return -1;
        look->in_silence = is_silent;
    }
    return 0;
}

/* What cannot be read is suspect, and counts as silence. */
static int look_at_trouble(struct look *look, uint64_t frame, uint64_t frames)
{
    int status = recover_remark(look->recover, "%s: %llu frames from frame %llu on cannot be read",
        look->file->stem->file, (unsigned long long)frames, (unsigned long long)frame);
    return status || recover_spans_add(&look->recover->suspect, frame, frame + frames) ? -1 : 0;
}

static int read_pcm(struct look *look, int fd, uint64_t from)
{
    const struct recover_file *file = look->file;
    const size_t width = (size_t)stem_encoding_bytes(file->header.encoding);
    const size_t samples = (size_t)BLOCK_FRAMES * file->header.channels;
    unsigned char *bytes = malloc(samples * width);
    double *block = malloc(samples * sizeof *block);
    int status = bytes && block ? 0 : -1;
    for (uint64_t frame = from; frame < file->frames && status == 0; frame += BLOCK_FRAMES) {
        uint64_t left = file->frames - frame;
        size_t frames = left < BLOCK_FRAMES ? (size_t)left : BLOCK_FRAMES;
        size_t size = frames * file->frame_bytes;
        ssize_t got =
            pread(fd, bytes, size, (off_t)(file->header.audio_at + frame * file->frame_bytes));
        if (got != (ssize_t)size) {
            status = look_at_trouble(look, frame, frames);
            memset(bytes, 0, size);
        }
        for (size_t s = 0; s < frames * file->header.channels; s++)
            block[s] = sample_at(bytes + s * width, file->header.encoding, file->header.big_endian);
        if (status == 0)
            status = look_at(look, frame, block, frames);
    }
    free(bytes);
    free(block);
    return status;
}

static int read_flac(struct look *look, uint64_t from)
{
    const struct recover_file *file = look->file;
    struct stem_audio_info info;
    struct stem_audio_reader *reader = stem_audio_reader_open(file->path, &info, NULL);
    if (!reader)
        return 0;
    double *block = malloc((size_t)BLOCK_FRAMES * info.channels * sizeof *block);
    int status = block && info.channels == file->stem->channels ? 0 : -1;
    for (uint64_t frame = 0; frame < file->frames && status == 0;) {
        size_t got = stem_audio_reader_read(reader, block, BLOCK_FRAMES);
        if (got == 0)
            break;
        if (frame + got > from)
            status = look_at(look, frame, block, got);
        frame += got;
    }
    free(block);
    stem_audio_reader_close(reader);
    return status;
}

/* The silences that touch a hole are suspect. */
static int find_holes(struct look *look, int fd, uint64_t from)
{
    const struct recover_file *file = look->file;
    const struct recover_header *header = &file->header;
    const off_t end = (off_t)(header->audio_at + file->frames * file->frame_bytes);
    off_t at = (off_t)(header->audio_at + from * file->frame_bytes);
    size_t s = 0;
    while (at < end) {
        off_t hole = lseek(fd, at, SEEK_HOLE);
        if (hole < 0 || hole >= end)
            break;
        off_t data = lseek(fd, hole, SEEK_DATA);
        at = data < 0 || data > end ? end : data;
        uint64_t begin = ((uint64_t)hole - header->audio_at) / file->frame_bytes;
        uint64_t behind = ((uint64_t)at - header->audio_at) / file->frame_bytes;
        for (; s < look->silences.count && look->silences.spans[s].begin <= behind; s++) {
            const struct recover_span *silence = &look->silences.spans[s];
            if (silence->end > begin &&
                recover_spans_add(&look->recover->suspect, silence->begin, silence->end))
                return -1;
        }
    }
    return 0;
}

/* Zeros to the end that begin with a block of the disk. */
static int find_zero_tail(struct look *look, int fd, uint64_t from)
{
    const struct recover_file *file = look->file;
    struct stat there;
    if (look->silences.count == 0 || fstat(fd, &there) != 0 || there.st_blksize <= 0)
        return 0;
    struct recover_span last = look->silences.spans[look->silences.count - 1];
    uint64_t at = file->header.audio_at + last.begin * file->frame_bytes;
    uint64_t block = (uint64_t)there.st_blksize;
    if (last.end != file->frames || last.begin <= from ||
        at / block == (at - file->frame_bytes) / block)
        return 0;
    return recover_spans_add(&look->recover->suspect, last.begin, last.end);
}

/* Keeps what this file shares with the others of silence that nobody has listed. */
static int share_silence(struct look *look)
{
    struct recover *recover = look->recover;
    struct recover_spans unlisted = {0};
    int status = 0;
    for (size_t k = 0; k < look->silences.count && status == 0; k++) {
        struct recover_span silence = look->silences.spans[k];
        if (silence.begin < recover->known)
            silence.begin = recover->known;
        status = recover_spans_add(&unlisted, silence.begin, silence.end);
    }
    if (status == 0) /* a file that has ended has nothing to say against */
        status = recover_spans_add(&unlisted, look->file->frames, UINT64_MAX);
    recover_spans_tidy(&unlisted);
    if (recover->silent_begun) {
        if (status == 0)
            status = recover_spans_intersect(&recover->silent, &unlisted);
        recover_spans_finish(&unlisted);
    } else {
        recover->silent = unlisted;
        recover->silent_begun = true;
    }
    return status;
}

int recover_look(struct recover *recover, struct recover_file *file)
{
    const uint64_t margin = (uint64_t)SUSPICIOUS_SECONDS * recover->take.rate_hz;
    const uint64_t from = recover->known > margin ? recover->known - margin : 0;
    const int bits = stem_encoding_bits(recover->take.encoding);
    struct look look = {
        .recover = recover,
        .file = file,
        .unknown = file->stem->frames < recover->known ? file->stem->frames : recover->known,
        .full_scale = bits ? 1.0 - ldexp(1.0, 1 - bits) : HUGE_VAL,
    };
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int status = fd < 0 ? -1 : file->is_flac ? read_flac(&look, from) : 0;
    bool is_pcm = fd >= 0 && !file->is_flac && file->frame_bytes > 0;
    if (status == 0 && is_pcm)
        status = read_pcm(&look, fd, from);
    if (status == 0)
        status = end_silence(&look, file->frames);
    if (status == 0 && is_pcm)
        status = find_holes(&look, fd, from) || find_zero_tail(&look, fd, from) ? -1 : 0;
    if (status == 0 && file->is_flac)
        status = recover_flac_lost(&file->flac, &recover->suspect);
    if (status == 0)
        status = share_silence(&look);
    recover_spans_finish(&look.silences);
    if (fd >= 0)
        close(fd);
    return status ? stem_error_set(recover->error, "cannot read \"%s\"", file->path) : 0;
}
