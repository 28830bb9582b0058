/* stemctl recover [FOLDER…]. A folder is a take, or holds takes; without one, the daemon is asked
 * where its takes are. */
#include "recover.h"

#include "finish_wanted.h"
#include "interrupt.h"
#include "stemctl.h"
#include "text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct work {
    struct stemctl *ctl;
    struct stemctl_interrupt interrupt;
    json_t *takes; /* one object for each take that was looked at */
    bool failed;   /* a take could not be completed */
    char *folder;  /* that of the daemon's takes, or NULL */
};

static const char *outcome_word(const struct stem_recover_report *report)
{
    static const char *const WORDS[] = {
        [STEM_RECOVER_COMPLETED] = "recovered",
        [STEM_RECOVER_FINISHED] = "finished before",
        [STEM_RECOVER_BUSY] = "being recorded",
        [STEM_RECOVER_NO_TAKE] = "no take",
    };
    return report ? WORDS[report->outcome] : "failed";
}

static json_t *json_remarks(const struct stem_recover_report *report)
{
    json_t *array = json_array();
    for (size_t k = 0; report && k < report->remark_count; k++)
        json_array_append_new(array, stemctl_json_text(report->remarks[k]));
    return array;
}

/* For the program that watches: "recovered SECONDS GAP_SECONDS FOLDER", "remark NAME: sentence". */
static void tell_program(
    const struct work *work, const char *folder, const struct stem_recover_report *report)
{
    const int fd = work->ctl->progress_fd;
    const char *slash = strrchr(folder, '/');
    if (fd < 0 || !report || report->outcome != STEM_RECOVER_COMPLETED)
        return;
    const double rate = report->take.rate_hz;
    dprintf(fd, "recovered %.3f %.3f %s\n", (double)report->take.frames / rate,
        (double)report->gap_frames / rate, folder);
    for (size_t k = 0; k < report->remark_count; k++)
        dprintf(fd, "remark %s: %s\n", slash ? slash + 1 : folder, report->remarks[k]);
}

/* "finish FOLDER": a take that its recorder wanted finished. */
static void tell_wanted(void *data, const char *folder)
{
    const struct work *work = data;
    dprintf(work->ctl->progress_fd, "finish %s\n", folder);
}

static bool add_take(void *data, const char *folder, const struct stem_recover_report *report,
    const struct stem_error *error)
{
    struct work *work = data;
    double rate = report && report->take.rate_hz ? report->take.rate_hz : 1;
    tell_program(work, folder, report);
    json_array_append_new(
        work->takes, json_pack("{s:o, s:s, s:I, s:f, s:I, s:f, s:b, s:o, s:o}", "folder",
                         stemctl_json_text(folder), "result", outcome_word(report), "frames",
                         (json_int_t)(report ? report->take.frames : 0), "seconds",
                         report ? (double)report->take.frames / rate : 0.0, "gap_frames",
                         (json_int_t)(report ? report->gap_frames : 0), "gap_seconds",
                         report ? (double)report->gap_frames / rate : 0.0, "rebuilt",
                         (int)(report && report->rebuilt), "remarks", json_remarks(report), "error",
                         report ? json_null() : stemctl_json_text(error->text)));
    work->failed = work->failed || !report;
    return !stemctl_interrupt_pending(&work->interrupt);
}

/* Whether the folder itself is meant, and not the takes in it. */
static bool is_take(const char *folder)
{
    char path[4096];
    struct stat there;
    snprintf(path, sizeof path, "%s/%s", folder, STEM_TAKE_MANIFEST);
    return lstat(path, &there) == 0 || stem_recover_wanted(folder);
}

/* One folder of the command line. */
static void recover_folder(struct work *work, const char *folder)
{
    struct stem_recover_report report;
    struct stem_error error = {""};
    size_t before = json_array_size(work->takes);
    if (!is_take(folder) && stem_recover_all(folder, add_take, work, &error)) {
        add_take(work, folder, NULL, &error);
        return;
    }
    if (json_array_size(work->takes) > before)
        return;
    if (stem_recover_folder(folder, &report, &error)) {
        add_take(work, folder, NULL, &error);
        return;
    }
    if (is_take(folder) || report.outcome == STEM_RECOVER_COMPLETED) {
        add_take(work, folder, &report, &error);
        work->failed = work->failed || report.outcome == STEM_RECOVER_BUSY;
    }
    stem_recover_report_finish(&report);
}

/* The daemon's takes folder is where its takes are. */

static void keep_folder(const char *path, lo_message message, void *data)
{
    struct work *work = data;
    (void)path;
    if (work->folder || lo_message_get_argc(message) < 1 ||
        lo_message_get_types(message)[0] != LO_STRING)
        return;
    work->folder = strdup(&lo_message_get_argv(message)[0]->s);
}

static void forget(void *data)
{
    struct work *work = data;
    free(work->folder);
    work->folder = NULL;
}

/* Leaves work->folder NULL when it has no takes yet. */
static enum stemctl_exit find_folder(struct work *work)
{
    enum stemctl_exit code = stemctl_ask_list(work->ctl, "/takes", keep_folder, forget, work);
    char *slash = work->folder ? strrchr(work->folder, '/') : NULL;
    if (slash)
        *slash = '\0';
    return code;
}

/* Answers */

static enum stemctl_style style_of(const char *result)
{
    return strcmp(result, "recovered") == 0 ? STEMCTL_GOOD
           : strcmp(result, "failed") == 0  ? STEMCTL_BAD
                                            : STEMCTL_PLAIN;
}

static void add_row(struct stemctl_table *table, const json_t *take)
{
    const char *result = json_string_value(json_object_get(take, "result"));
    double gap = json_number_value(json_object_get(take, "gap_seconds"));
    double seconds = json_number_value(json_object_get(take, "seconds"));
    char length[STEMCTL_NUMBER_BYTES];
    stemctl_text_length(seconds, length, sizeof length);
    stemctl_table_add(table, style_of(result), "%s", result);
    stemctl_table_add(table, STEMCTL_PLAIN, "%s", seconds > 0 ? length : "-");
    if (gap > 0)
        stemctl_table_add(table, STEMCTL_WARNING, "%.3f s", gap);
    else
        stemctl_table_add(table, STEMCTL_PLAIN, "%s", "-");
    stemctl_table_add(
        table, STEMCTL_STRONG, "%s", json_string_value(json_object_get(take, "folder")));
}

static void print_sentences(const struct stemctl_output *output, const json_t *take)
{
    const char *folder = json_string_value(json_object_get(take, "folder"));
    const char *error = json_string_value(json_object_get(take, "error"));
    size_t index;
    json_t *remark;
    json_array_foreach(json_object_get(take, "remarks"), index, remark)
    {
        const char *name = strrchr(folder, '/');
        stemctl_print(output, STEMCTL_FAINT, name && name[1] ? name + 1 : folder);
        stemctl_print(output, STEMCTL_PLAIN, ": ");
        stemctl_print(output, STEMCTL_PLAIN, json_string_value(remark));
        putchar('\n');
    }
    if (error)
        stemctl_fail(output, STEMCTL_REFUSED, error);
}

static void print_takes(const struct stemctl_output *output, const json_t *takes)
{
    static const struct stemctl_column COLUMNS[] = {
        {"result", false}, {"length", true}, {"not complete", true}, {"folder", false}};
    struct stemctl_table *table = stemctl_table_create(COLUMNS, 4);
    size_t index;
    json_t *take;
    json_array_foreach(takes, index, take) add_row(table, take);
    if (json_array_size(takes) > 0)
        stemctl_table_print(table, stdout, output->colours);
    else if (output->terminal)
        puts("no unfinished takes");
    json_array_foreach(takes, index, take) print_sentences(output, take);
    stemctl_table_destroy(table);
}

static void recover_folders(struct work *work)
{
    const struct stemctl *ctl = work->ctl;
    stemctl_interrupt_begin(&work->interrupt);
    if (work->folder)
        recover_folder(work, work->folder);
    for (int k = 0; k < ctl->word_count && !stemctl_interrupt_pending(&work->interrupt); k++) {
        recover_folder(work, ctl->words[k]);
        if (ctl->progress_fd >= 0)
            stem_finish_all_wanted(ctl->words[k], tell_wanted, work);
    }
    stemctl_interrupt_pending(&work->interrupt);
    stemctl_interrupt_end(&work->interrupt);
}

enum stemctl_exit run_recover(struct stemctl *ctl)
{
    struct work work = {.ctl = ctl};
    enum stemctl_exit code = ctl->word_count ? STEMCTL_OK : find_folder(&work);
    if (code != STEMCTL_OK) {
        free(work.folder);
        return code;
    }
    work.takes = json_array();
    signal(SIGPIPE, SIG_IGN); /* whoever watches may end before us */
    recover_folders(&work);
    free(work.folder);
    if (ctl->output.json) {
        stemctl_print_json(json_pack("{s:o}", "takes", work.takes));
    } else {
        print_takes(&ctl->output, work.takes);
        json_decref(work.takes);
    }
    if (work.interrupt.happened) /* the takes that were told are complete */
        return STEMCTL_INTERRUPTED;
    return work.failed ? STEMCTL_REFUSED : STEMCTL_OK;
}
