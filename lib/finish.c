#include "finish.h"

#include "acid.h"
#include "bext.h"
#include "cue.h"
#include "finish_wanted.h"
#include "flac_tags.h"
#include "gain.h"
#include "ixml.h"
#include "markers.h"
#include "midi_file.h"
#include "projects.h"
#include "readme_txt.h"
#include "replace.h"
#include "report.h"
#include "sha256sums.h"
#include "sums_check.h"
#include "survey.h"
#include "take_lock.h"
#include "take_names.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* Shares of the whole work: measuring reads all audio and computes, checking and summing up only
 * read. */
#define CHECKED 0.12
#define MEASURED 0.85
#define MARKED 0.86
#define DESCRIBED 0.87

struct finish {
    const char *folder;
    struct stem_finish_report *report;
    struct stem_survey survey;
    double began; /* part that is done before measuring */
    stem_finish_progress *progress;
    void *data;
    struct stem_error *error;
};

static int remark(struct finish *finish, const char *format, ...) STEM_PRINTF(2, 3);

static int remark(struct finish *finish, const char *format, ...)
{
    struct stem_finish_report *report = finish->report;
    char **grown = realloc(report->remarks, (report->remark_count + 1) * sizeof *grown);
    va_list arguments;
    if (!grown)
        return stem_error_set(finish->error, "no memory for a remark");
    report->remarks = grown;
    va_start(arguments, format);
    int length = vasprintf(&grown[report->remark_count], format, arguments);
    va_end(arguments);
    if (length < 0)
        return stem_error_set(finish->error, "no memory for a remark");
    report->remark_count++;
    return 0;
}

static int tell(struct finish *finish, double done, const char *step)
{
    if (!finish->progress || finish->progress(done, step, finish->data))
        return 0;
    return stem_error_set(finish->error, "interrupted");
}

/* Checking */

static bool tell_check(double done, void *data)
{
    return tell(data, done * CHECKED, "check") == 0;
}

/* Nobody shall get new sums for a file that was damaged since it got its last ones. */
static int check(struct finish *finish)
{
    if (!stem_sums_check_can(finish->folder))
        return 0;
    bool is_unsure;
    finish->began = CHECKED;
    if (stem_sums_check(
            finish->folder, &finish->report->take, tell_check, finish, &is_unsure, finish->error))
        return -1;
    return is_unsure ? remark(finish,
                           "a finish was interrupted while it changed audio files: nothing tells "
                           "whether these were damaged since")
                     : 0;
}

/* Measuring */

static bool tell_survey(double done, void *data)
{
    struct finish *finish = data;
    return tell(finish, finish->began + done * (MEASURED - finish->began), "measure") == 0;
}

static int remark_file(struct finish *finish, const struct stem_take_stem *stem, size_t k)
{
    const struct stem_survey_file *file = &finish->survey.files[k];
    if (file->frames != finish->report->take.frames &&
        remark(finish, "%s: %llu frames can be read, the take has %llu", stem->file,
            (unsigned long long)file->frames, (unsigned long long)finish->report->take.frames))
        return -1;
    if (file->bad_samples && remark(finish, "%s: %llu samples are infinite or not numbers",
                                 stem->file, (unsigned long long)file->bad_samples))
        return -1;
    if (file->levels.silent)
        return remark(finish, "%s: it is silent from beginning to end", stem->file);
    return 0;
}

/* The recorder's own peaks are those of the samples before they were rounded; a take that was
 * recovered has none. */
static int take_over_levels(struct finish *finish)
{
    struct stem_take *take = &finish->report->take;
    struct stem_take_stem *stem;
    for (size_t k = 0; (stem = stem_take_file(take, k)); k++) {
        const struct stem_survey_file *file = &finish->survey.files[k];
        stem->levels = file->levels;
        if (take->progress == STEM_TAKE_RECOVERED && file->peak > stem->peak)
            stem->peak = file->peak;
        if (remark_file(finish, stem, k))
            return -1;
    }
    free(take->residual.hint);
    take->residual = finish->survey.residual;
    take->residual.hint = NULL;
    if (stem_take_set_string(&take->residual.hint, finish->survey.residual.hint))
        return stem_error_set(finish->error, "no memory for the manifest");
    if (!take->residual.measured || take->residual.passed)
        return 0;
    return remark(finish, "the stems do not add up to the mix: %s", take->residual.hint);
}

static int measure(struct finish *finish)
{
    if (stem_survey_folder(finish->folder, &finish->report->take, tell_survey, finish,
            &finish->survey, finish->error))
        return -1;
    return take_over_levels(finish);
}

/* What is only called like a file of the take: a link may lead anywhere, and what recovery left as
 * it was is listed without frames. */
static bool is_odd(const struct finish *finish, const struct stem_take_stem *stem, const char *path)
{
    struct stat there;
    bool is_there = lstat(path, &there) == 0;
    bool is_left = stem->frames == 0 && finish->report->take.frames > 0;
    return is_there && (S_ISLNK(there.st_mode) || is_left);
}

/* What goes into the audio files. A file that cannot take it is remarked upon. */
static int mark_file(struct finish *finish, const struct stem_take_stem *stem, size_t number)
{
    struct stem_error problem = {""};
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", finish->folder, stem->file) >= (int)sizeof path)
        return stem_error_set_errno(finish->error, ENAMETOOLONG, "%s", stem->file);
    if (is_odd(finish, stem, path))
        return remark(
            finish, "%s: it is none of the recorder's files, and left as it is", stem->file);
    if (stem_ixml_renew(path, &finish->report->take, stem, &problem) &&
        remark(finish, "no iXML: %s", problem.text))
        return -1;
    if (stem_acid_renew(path, finish->report->take.tempo_bpm, &problem) &&
        remark(finish, "no tempo: %s", problem.text))
        return -1;
    if (finish->report->take.container == STEM_FLAC &&
        stem_flac_tags_renew(path, &finish->report->take, number, &problem) &&
        remark(finish, "no tags: %s", problem.text))
        return -1;
    if (finish->report->take.container != STEM_WAV)
        return 0;
    if (stem_cue_write(path, &finish->report->take, &problem) &&
        remark(finish, "no markers: %s", problem.text))
        return -1;
    if (stem_bext_set_loudness(path, &stem->levels, &problem) &&
        remark(finish, "no loudness: %s", problem.text))
        return -1;
    return 0;
}

static int mark(struct finish *finish)
{
    struct stem_take *take = &finish->report->take;
    const struct stem_take_stem *stem;
    if (tell(finish, MEASURED, "mark"))
        return -1;
    for (size_t k = 0; (stem = stem_take_file(take, k)); k++)
        if (mark_file(finish, stem, k + 1) || tell(finish, MEASURED, "mark"))
            return -1;
    return 0;
}

/* What stands beside them */

static int describe_projects(struct finish *finish)
{
    for (int k = 0; k < STEM_PROJECT_KINDS; k++) {
        const struct stem_project *project = &STEM_PROJECTS[k];
        enum stem_project_result result =
            project->write(finish->folder, &finish->report->take, true, finish->error);
        if (result == STEM_PROJECT_FAILED)
            return -1;
        if (result == STEM_PROJECT_KEPT && remark(finish,
                                               "%s: somebody changed it, so it was kept; without "
                                               "it another finish makes a new one",
                                               project->file))
            return -1;
    }
    return 0;
}

static int describe(struct finish *finish)
{
    const struct stem_take *take = &finish->report->take;
    if (tell(finish, MARKED, "describe"))
        return -1;
    return stem_markers_write(finish->folder, take, finish->error) ||
                   stem_midi_file_write(finish->folder, take, finish->error) ||
                   describe_projects(finish) ||
                   stem_readme_txt_write(finish->folder, take, finish->error) ||
                   stem_report_write(finish->folder, take, &finish->survey, finish->error)
               ? -1
               : 0;
}

static int set_finished(struct finish *finish)
{
    char text[40], zone[8];
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &local);
    strftime(zone, sizeof zone, "%z", &local);
    snprintf(text + 19, sizeof text - 19, "%.3s:%.2s", zone, zone + 3);
    return stem_take_set_string(&finish->report->take.finished, text)
               ? stem_error_set(finish->error, "no memory for the manifest")
               : 0;
}

/* Others may have completed the manifest meanwhile, with the next part's place for instance: only
 * what was measured is taken over. */
static int save(struct finish *finish)
{
    struct stem_take *take = &finish->report->take, fresh = {0};
    struct stem_take_stem *stem, *measured;
    if (set_finished(finish) || stem_take_load(&fresh, finish->folder, finish->error))
        return -1;
    for (size_t k = 0; (stem = stem_take_file(&fresh, k)) && (measured = stem_take_file(take, k));
         k++) {
        stem->levels = measured->levels;
        stem->peak = measured->peak;
    }
    free(fresh.residual.hint);
    fresh.residual = take->residual;
    take->residual.hint = NULL;
    free(fresh.finished);
    fresh.finished = take->finished;
    take->finished = NULL;
    stem_take_finish(take);
    *take = fresh;
    return stem_take_save(take, finish->folder, finish->error);
}

static bool tell_sums(double done, void *data)
{
    return tell(data, DESCRIBED + done * (1 - DESCRIBED), "sum up") == 0;
}

static int run(struct finish *finish, bool accept)
{
    struct stem_take *take = &finish->report->take;
    if (stem_take_load_ended(take, finish->folder, finish->error))
        return -1;
    stem_take_names_tidy(finish->folder, take);
    stem_take_set_string(&take->finished, NULL); /* of a former time: no file shall tell it */
    /* sums that do not fit any more would be worse than none */
    if ((!accept && check(finish)) || measure(finish) ||
        stem_sums_set_aside(finish->folder, finish->error) || mark(finish) || describe(finish) ||
        tell(finish, DESCRIBED, "sum up") || save(finish))
        return -1;
    return stem_sha256sums_write(finish->folder, tell_sums, finish, finish->error) ||
                   stem_sums_forget(finish->folder, finish->error)
               ? -1
               : 0;
}

int stem_finish_folder(const char *folder, bool accept, stem_finish_progress *progress, void *data,
    struct stem_finish_report *report, struct stem_error *error)
{
    struct finish finish = {
        .folder = folder, .report = report, .progress = progress, .data = data, .error = error};
    *report = (struct stem_finish_report){0};
    int lock = stem_take_claim(folder, error); /* one at a time, be it recorder or finisher */
    if (lock < 0)
        return -1;
    int status = run(&finish, accept);
    if (status == 0)
        stem_finish_wanted_done(folder);
    stem_survey_finish(&finish.survey);
    if (status)
        stem_finish_report_finish(report);
    stem_take_unlock(lock);
    return status;
}

void stem_finish_report_finish(struct stem_finish_report *report)
{
    stem_take_finish(&report->take);
    for (size_t k = 0; k < report->remark_count; k++)
        free(report->remarks[k]);
    free(report->remarks);
    *report = (struct stem_finish_report){0};
}
