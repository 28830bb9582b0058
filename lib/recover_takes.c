/* All unfinished takes of a folder. See recover.h. */
#include "recover.h"

#include "take.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SENTENCE_BYTES = 2 * STEM_ERROR_BYTES };

/* Folders only: a link may lead anywhere. */
static bool is_unfinished(const char *folder)
{
    struct stat there;
    return lstat(folder, &there) == 0 && S_ISDIR(there.st_mode) && stem_recover_wanted(folder);
}

static bool recover_one(const char *folder, stem_recover_each *each, void *data)
{
    struct stem_recover_report report;
    struct stem_error error = {""};
    if (stem_recover_folder(folder, &report, &error))
        return each(data, folder, NULL, &error);
    bool goes_on = each(data, folder, &report, &error);
    stem_recover_report_finish(&report);
    return goes_on;
}

int stem_recover_all(
    const char *takes, stem_recover_each *each, void *data, struct stem_error *error)
{
    struct dirent **names = NULL;
    bool goes_on = true;
    int count = scandir(takes, &names, NULL, alphasort);
    if (count < 0)
        return stem_error_set_errno(error, errno, "cannot read \"%s\"", takes);
    for (int k = 0; k < count; k++) {
        char folder[PATH_MAX];
        int length = snprintf(folder, sizeof folder, "%s/%s", takes, names[k]->d_name);
        if (goes_on && names[k]->d_name[0] != '.' && length < (int)sizeof folder &&
            is_unfinished(folder))
            goes_on = recover_one(folder, each, data);
        free(names[k]);
    }
    free(names);
    return 0;
}

/* For a log */

struct logging {
    stem_recover_log *log;
    void *data;
    const volatile bool *stop;
    size_t completed;
};

static void tell(
    const struct logging *logging, const char *folder, const struct stem_recover_report *report)
{
    char sentence[SENTENCE_BYTES], gap[96] = "";
    const char *name = strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder;
    double rate = report->take.rate_hz;
    if (report->gap_frames)
        snprintf(gap, sizeof gap, "; %.3f s of it are not complete in every file",
            (double)report->gap_frames / rate);
    snprintf(sentence, sizeof sentence, "take \"%s\" recovered: %.3f s long%s", name,
        (double)report->take.frames / rate, gap);
    logging->log(logging->data, false, sentence);
    for (size_t k = 0; k < report->remark_count; k++) {
        snprintf(sentence, sizeof sentence, "take \"%s\": %s", name, report->remarks[k]);
        logging->log(logging->data, true, sentence);
    }
}

static bool log_one(void *data, const char *folder, const struct stem_recover_report *report,
    const struct stem_error *error)
{
    struct logging *logging = data;
    if (!report)
        logging->log(logging->data, true, error->text);
    else if (report->outcome == STEM_RECOVER_COMPLETED)
        tell(logging, folder, report);
    logging->completed += report && report->outcome == STEM_RECOVER_COMPLETED;
    return !(logging->stop && *logging->stop);
}

size_t stem_recover_takes(
    const char *takes, stem_recover_log *log, void *data, const volatile bool *stop)
{
    struct logging logging = {log, data, stop, 0};
    struct stem_error error = {""};
    struct stat there;
    if (lstat(takes, &there) != 0 && errno == ENOENT)
        return 0; /* the first take makes it */
    if (stem_recover_all(takes, log_one, &logging, &error))
        log(data, true, error.text);
    return logging.completed;
}
