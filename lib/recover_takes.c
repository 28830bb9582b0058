/* All unfinished takes of a folder. See recover.h. */
#include "recover.h"

#include "take.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SENTENCE_BYTES = 2 * STEM_ERROR_BYTES };

/* One sentence: which take, how long, what is doubtful. */
static void tell(
    const char *name, const struct stem_recover_report *report, stem_recover_log *log, void *data)
{
    const struct stem_take *take = &report->take;
    char sentence[SENTENCE_BYTES], gap[96] = "";
    double rate = take->rate_hz;
    if (report->gap_frames)
        snprintf(gap, sizeof gap, "; %.3f s of it are not complete in every file",
            (double)report->gap_frames / rate);
    snprintf(sentence, sizeof sentence, "take \"%s\" recovered: %.3f s long%s", name,
        (double)take->frames / rate, gap);
    log(data, false, sentence);
    for (size_t k = 0; k < report->remark_count; k++) {
        snprintf(sentence, sizeof sentence, "take \"%s\": %s", name, report->remarks[k]);
        log(data, true, sentence);
    }
}

/* 1 when it was completed. */
static size_t recover_one(const char *takes, const char *name, stem_recover_log *log, void *data)
{
    char folder[PATH_MAX];
    struct stat there;
    struct stem_recover_report report;
    struct stem_error error = {""};
    if (snprintf(folder, sizeof folder, "%s/%s", takes, name) >= (int)sizeof folder ||
        lstat(folder, &there) != 0 || !S_ISDIR(there.st_mode) || !stem_recover_wanted(folder))
        return 0;
    if (stem_recover_folder(folder, &report, &error)) {
        log(data, true, error.text);
        return 0;
    }
    bool is_completed = report.outcome == STEM_RECOVER_COMPLETED;
    if (is_completed)
        tell(name, &report, log, data);
    stem_recover_report_finish(&report);
    return is_completed;
}

size_t stem_recover_takes(
    const char *takes, stem_recover_log *log, void *data, const volatile bool *stop)
{
    struct dirent **names = NULL;
    size_t completed = 0;
    int count = scandir(takes, &names, NULL, alphasort);
    for (int k = 0; k < count; k++) {
        if (names[k]->d_name[0] != '.' && !(stop && *stop))
            completed += recover_one(takes, names[k]->d_name, log, data);
        free(names[k]);
    }
    free(names);
    return completed;
}
