/* Recovery, from the lock to the last word in the manifest. See recover.h.
 *
 * Order makes it safe to be killed: first everything is looked at, then the manifest lists what
 * will be silent (still "recording"), then the files are completed one after the other, then the
 * projects, then the manifest says "recovered". Whoever comes after a kill finds the gaps listed
 * and goes on.
 */
#include "recover.h"

#include "projects.h"
#include "recover_parts.h"
#include "take_lock.h"
#include "take_names.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A manifest that is further ahead of the audio than this does not tell the truth. */
enum { MOST_AHEAD_SECONDS = 60 };

/* As in daemon/recording_parts.h. */
#define RESERVE ".reserve"

int recover_remark(struct recover *recover, const char *format, ...)
{
    struct stem_recover_report *report = recover->report;
    char **grown = realloc(report->remarks, (report->remark_count + 1) * sizeof *grown);
    va_list arguments;
    va_start(arguments, format);
    int length = -1;
    if (grown) {
        report->remarks = grown;
        length = vasprintf(&grown[report->remark_count], format, arguments);
    }
    va_end(arguments);
    if (length < 0)
        return stem_error_set(recover->error, "no memory for the report");
    report->remark_count++;
    return 0;
}

/* Files */

static int set_file(struct recover *recover, struct recover_file *file, struct stem_take_stem *stem)
{
    file->stem = stem;
    if (snprintf(file->path, sizeof file->path, "%s/%s", recover->folder, stem->file) >=
        (int)sizeof file->path)
        return stem_error_set(recover->error, "the path of \"%s\" is too long", recover->folder);
    return 0;
}

/* All files of the manifest, in its order. */
static int list_files(struct recover *recover)
{
    struct stem_take *take = &recover->take;
    size_t count = take->stem_count + take->extra_count + (take->has_mix ? 1 : 0);
    int status = 0;
    recover->files = calloc(count ? count : 1, sizeof *recover->files);
    if (!recover->files)
        return stem_error_set(recover->error, "no memory to recover \"%s\"", recover->folder);
    for (size_t k = 0; k < count && status == 0; k++) {
        struct stem_take_stem *stem = k < take->stem_count ? &take->stems[k]
                                      : k < take->stem_count + take->extra_count
                                          ? &take->extras[k - take->stem_count]
                                          : &take->mix;
        status = set_file(recover, &recover->files[recover->count++], stem);
    }
    return status;
}

/* Whether the file is what the manifest says: else its bytes would be taken for something else. */
static bool has_form(const struct recover *recover, const struct recover_file *file)
{
    const struct stem_take *take = &recover->take;
    uint32_t channels = file->is_flac ? file->flac.channels : file->header.channels;
    uint32_t rate_hz = file->is_flac ? file->flac.rate_hz : file->header.rate_hz;
    bool fits = file->is_flac ? (int)file->flac.bits == stem_encoding_bits(take->encoding)
                              : file->header.encoding == take->encoding &&
                                    file->header.container == take->container;
    return fits && channels == file->stem->channels && rate_hz == take->rate_hz;
}

static int check_form(struct recover *recover, struct recover_file *file)
{
    if (file->missing || file->header_lost || has_form(recover, file))
        return 0;
    return recover_file_leave(recover, file, "its format is not what the manifest says");
}

static int open_files(struct recover *recover)
{
    for (size_t k = 0; k < recover->count; k++)
        if (recover_file_open(recover, &recover->files[k]))
            return -1;
    for (size_t k = 0; k < recover->count; k++)
        if (check_form(recover, &recover->files[k]))
            return -1;
    for (size_t k = 0; k < recover->count; k++)
        if (recover->files[k].header_lost &&
            recover_file_rebuild_header(recover, &recover->files[k]))
            return -1;
    return 0;
}

/* Lengths and gaps */

/* The longest file decides. Where the manifest knows of more, that was lost, but the timeline has
 * it. 0, or -1 when there is no file at all. */
static int decide_length(struct recover *recover, uint64_t *frames)
{
    uint64_t most_ahead = (uint64_t)MOST_AHEAD_SECONDS * recover->take.rate_hz;
    uint64_t listed = recover->take.frames, longest = 0;
    bool can_grow = true, has_file = false;
    for (size_t k = 0; k < recover->count; k++) {
        const struct recover_file *file = &recover->files[k];
        if (file->missing)
            continue;
        has_file = true;
        can_grow = can_grow && file->can_grow;
        longest = file->frames > longest ? file->frames : longest;
    }
    *frames = longest;
    if (!has_file)
        return stem_error_set(
            recover->error, "cannot recover \"%s\": none of its files is there", recover->folder);
    if (listed <= longest)
        return 0;
    bool is_kept = can_grow && listed - longest <= most_ahead;
    *frames = is_kept ? listed : longest;
    return recover_remark(recover, "the last %llu frames that the manifest knew of are lost",
        (unsigned long long)(listed - longest));
}

/* Gaps behind the end would be a lie; what is lost there was remarked. */
static void cut_gaps(struct stem_take *take, uint64_t frames)
{
    while (take->gap_count && take->gaps[take->gap_count - 1].frame >= frames)
        take->gap_count--;
    struct stem_take_gap *last = take->gap_count ? &take->gaps[take->gap_count - 1] : NULL;
    if (last && last->frame + last->frames > frames)
        last->frames = frames - last->frame;
}

static int find_gaps(struct recover *recover, uint64_t frames)
{
    struct stem_take *take = &recover->take;
    struct recover_spans *suspect = &recover->suspect;
    for (size_t k = 0; k < recover->count; k++) {
        struct recover_file *file = &recover->files[k];
        if (file->missing)
            continue;
        if (recover_look(recover, file))
            return -1;
        if (recover_spans_add(suspect, file->frames, frames))
            goto no_memory;
    }
    for (size_t k = 0; k < recover->silent.count; k++) {
        struct recover_span span = recover->silent.spans[k];
        if (recover_spans_add(suspect, span.begin, span.end < frames ? span.end : frames))
            goto no_memory;
    }
    recover_spans_tidy(suspect);
    cut_gaps(take, frames);
    int64_t added = recover_spans_to_gaps(suspect, take);
    if (added < 0)
        goto no_memory;
    recover->report->gap_frames = (uint64_t)added;
    return 0;
no_memory:
    return stem_error_set(recover->error, "no memory to recover \"%s\"", recover->folder);
}

/* The manifest of the outcome; its progress comes last. */
static int describe(struct recover *recover, uint64_t frames)
{
    struct stem_take *take = &recover->take;
    for (size_t k = 0; k < recover->count; k++)
        recover->files[k].stem->frames = recover->files[k].missing ? 0 : frames;
    take->frames = frames;
    return stem_take_save(take, recover->folder, recover->error);
}

/* The recorder keeps some disk space for moments like this. */
static void drop_reserve(const struct recover *recover)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/" RESERVE, recover->folder) < (int)sizeof path)
        unlink(path);
}

/* The recorder left them as they were some moments before. The take is right without them. */
static int complete_projects(struct recover *recover)
{
    struct stem_error problem = {""};
    for (int k = 0; k < STEM_PROJECT_KINDS; k++)
        if (STEM_PROJECTS[k].write(recover->folder, &recover->take, true, &problem) ==
                STEM_PROJECT_FAILED &&
            recover_remark(recover, "%s", problem.text))
            return -1;
    return 0;
}

static int complete(struct recover *recover)
{
    uint64_t frames;
    drop_reserve(recover);
    if (list_files(recover) || open_files(recover))
        return -1;
    stem_take_names_tidy(recover->folder, &recover->take);
    if (decide_length(recover, &frames) || find_gaps(recover, frames) || describe(recover, frames))
        return -1;
    for (size_t k = 0; k < recover->count; k++) {
        struct recover_file *file = &recover->files[k];
        if (!file->missing && recover_file_complete(recover, file, frames))
            return -1;
    }
    recover->take.progress = STEM_TAKE_RECOVERED;
    if (complete_projects(recover))
        return -1;
    return stem_take_save(&recover->take, recover->folder, recover->error);
}

/* With the folder locked. */
static int run(struct recover *recover)
{
    struct stem_recover_report *report = recover->report;
    int found = recover_manifest(recover);
    report->outcome = found > 0              ? STEM_RECOVER_NO_TAKE
                      : recover->is_finished ? STEM_RECOVER_FINISHED
                                             : STEM_RECOVER_COMPLETED;
    report->listed_frames = recover->take.frames;
    recover->known = recover->take.frames;
    if (found < 0 || (report->outcome == STEM_RECOVER_COMPLETED && complete(recover)))
        return -1;
    if (report->outcome != STEM_RECOVER_NO_TAKE) {
        report->take = recover->take;
        recover->take = (struct stem_take){0};
    }
    return 0;
}

int stem_recover_folder(
    const char *folder, struct stem_recover_report *report, struct stem_error *error)
{
    struct recover recover = {.folder = folder, .report = report, .error = error};
    *report = (struct stem_recover_report){0};
    int lock = stem_take_lock_there(folder);
    if (lock < 0 && errno == EWOULDBLOCK) {
        report->outcome = STEM_RECOVER_BUSY;
        return 0;
    }
    if (lock < 0)
        return stem_error_set_errno(error, errno, "cannot recover \"%s\"", folder);
    int status = run(&recover);
    for (size_t k = 0; k < recover.count; k++)
        recover_file_finish(&recover.files[k]);
    free(recover.files);
    recover_spans_finish(&recover.suspect);
    recover_spans_finish(&recover.silent);
    stem_take_finish(&recover.take);
    stem_take_unlock(lock);
    if (status)
        stem_recover_report_finish(report);
    return status;
}

void stem_recover_report_finish(struct stem_recover_report *report)
{
    for (size_t k = 0; k < report->remark_count; k++)
        free(report->remarks[k]);
    free(report->remarks);
    stem_take_finish(&report->take);
    *report = (struct stem_recover_report){0};
}
