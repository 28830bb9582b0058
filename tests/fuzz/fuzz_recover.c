/* Recovery of a damaged folder completes it or leaves a sentence; what is complete stays so, audio
 * that was there is there afterwards, and nothing else is touched. */
#include "audio_reader.h"
#include "fuzz.h"
#include "recover.h"
#include "recover_parts.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fuzz_bytes before[FUZZ_NAMES];

/* Whether recovery left a file as it was, since the recorder did not make it. */
static bool is_left(const struct stem_take *take, const struct stem_take_stem *stem)
{
    return take->frames > 0 && stem->frames == 0;
}

/* The other files of a recovered take are as long as its manifest says. */
static void check_length(
    const char *folder, const struct stem_take *take, const struct stem_take_stem *stem)
{
    char path[PATH_MAX];
    struct stat there;
    struct stem_audio_info info;
    snprintf(path, sizeof path, "%s/%s", folder, stem->file);
    if (lstat(path, &there) != 0 || is_left(take, stem))
        return; /* that was remarked */
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, NULL);
    if (!reader)
        return; /* libsndfile is pickier about what stands before the audio */
    if (info.frames != take->frames && take->container != STEM_FLAC)
        fuzz_fail("a recovered file has another length than its take");
    stem_audio_reader_close(reader);
}

static void check_take(const char *folder, struct stem_take *take)
{
    uint64_t end = 0;
    const struct stem_take_stem *stem;
    for (size_t k = 0; (stem = stem_take_file(take, k)); k++)
        check_length(folder, take, stem);
    for (size_t g = 0; g < take->gap_count; g++) {
        if (take->gaps[g].frame < end)
            fuzz_fail("gaps overlap");
        end = take->gaps[g].frame + take->gaps[g].frames;
        if (end > take->frames)
            fuzz_fail("a gap ends behind the take");
    }
}

/* Audio */

/* Chunks that a finished WAV file has behind its audio may move when it grows. */
static bool is_tail(const struct fuzz_bytes *old, const struct recover_header *header, size_t at)
{
    size_t end = header->audio_at + header->data_bytes + header->data_bytes % 2;
    return header->container == STEM_WAV && header->data_bytes < old->size && at >= end &&
           end + 8 <= old->size;
}

/* Every whole frame stands where it stood. */
static void check_samples(const struct fuzz_bytes *old, const struct fuzz_bytes *now)
{
    struct recover_header header, first = {0};
    if (!recover_header_parse(now->data, now->size, &header))
        return; /* it was left as it was, or is FLAC */
    bool had_header = recover_header_parse(old->data, old->size, &first);
    if (had_header && first.audio_at != header.audio_at)
        fuzz_fail("the audio of a file begins elsewhere now");
    size_t frame = header.channels * (size_t)stem_encoding_bytes(header.encoding);
    size_t end = old->size;
    if (end > header.audio_at)
        end -= (end - header.audio_at) % frame;
    for (size_t at = header.audio_at; at < end; at++)
        if ((at >= now->size || old->data[at] != now->data[at]) &&
            !(had_header && is_tail(old, &first, at)))
            fuzz_fail("audio that was there is not there any more");
}

/* Every whole block of a FLAC file is there, in the same order. */
static void check_blocks(const struct fuzz_bytes *old, const struct fuzz_bytes *now)
{
    struct recover_flac flac;
    const uint8_t *from = now->data;
    int fd = memfd_create("old", MFD_CLOEXEC);
    if (fd < 0 || write(fd, old->data, old->size) != (ssize_t)old->size)
        fuzz_fail("cannot write");
    if (recover_flac_scan(fd, NULL, 0, &flac)) {
        for (size_t k = 0; k < flac.run_count; k++) {
            const struct recover_flac_run *run = &flac.runs[k];
            from = memmem(from, now->size - (size_t)(from - now->data), old->data + run->at,
                (size_t)run->bytes);
            if (!from)
                fuzz_fail("a whole block of a FLAC file is not there any more");
            from += run->bytes;
        }
        recover_flac_finish(&flac);
    }
    close(fd);
}

static bool is_same(const struct fuzz_bytes *old, const struct fuzz_bytes *now)
{
    return old->size == now->size && memcmp(old->data, now->data, old->size) == 0;
}

/* Whether a recovered take has the file, and has not left it as it was. */
static bool is_of_take(struct stem_take *take, const char *name)
{
    const struct stem_take_stem *stem;
    for (size_t k = 0; take && (stem = stem_take_file(take, k)); k++)
        if (strcmp(stem->file, name) == 0)
            return !is_left(take, stem);
    return false;
}

/* `take`: the one that was completed. NULL: none was, but audio may have been completed before that
 * failed when `may_change`. */
static void check_files(struct stem_take *take, bool may_change)
{
    for (int k = 0; k < FUZZ_NAMES; k++) {
        const struct fuzz_bytes *old = &before[k];
        const bool is_manifest = strstr(FUZZ_NAME[k], "take.json") != NULL;
        struct fuzz_bytes now;
        if (!old->data || (may_change && is_manifest))
            continue;
        if (!fuzz_read(FUZZ_NAME[k], &now))
            fuzz_fail("a file is gone");
        if (!may_change || (take && !is_of_take(take, FUZZ_NAME[k]))) {
            if (!is_same(old, &now))
                fuzz_fail("a file was changed that is none of the take's, or is of a finished one");
        } else if (strstr(FUZZ_NAME[k], ".flac")) {
            check_blocks(old, &now);
        } else {
            check_samples(old, &now);
        }
        free(now.data);
    }
}

static bool had_audio(void)
{
    for (int k = 0; k < FUZZ_NAMES; k++)
        if (before[k].data && !strstr(FUZZ_NAME[k], "take.json"))
            return true;
    return false;
}

static void check_again(const char *folder)
{
    struct stem_recover_report again;
    struct stem_error error = {""};
    if (stem_recover_folder(folder, &again, &error))
        fuzz_fail(error.text);
    if (again.outcome != STEM_RECOVER_FINISHED || stem_recover_wanted(folder))
        fuzz_fail("a recovered take is not finished");
    stem_recover_report_finish(&again);
}

static void recover(const char *folder)
{
    struct stem_recover_report report;
    struct stem_error error = {""};
    bool is_wanted = stem_recover_wanted(folder);
    if (stem_recover_folder(folder, &report, &error)) {
        if (!error.text[0])
            fuzz_fail("recovery failed without a sentence");
        check_files(NULL, true);
        return;
    }
    bool is_completed = report.outcome == STEM_RECOVER_COMPLETED;
    check_files(is_completed ? &report.take : NULL, is_completed);
    if (is_completed) {
        check_take(folder, &report.take);
        check_again(folder);
    } else if (is_wanted && (report.outcome != STEM_RECOVER_NO_TAKE || had_audio())) {
        fuzz_fail("an unfinished take was passed by");
    }
    stem_recover_report_finish(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *folder = fuzz_folder();
    fuzz_unpack(data, size);
    for (int k = 0; k < FUZZ_NAMES; k++)
        fuzz_read(FUZZ_NAME[k], &before[k]);
    recover(folder);
    fuzz_check_outside();
    for (int k = 0; k < FUZZ_NAMES; k++)
        free(before[k].data);
    return 0;
}
