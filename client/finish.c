/* stemctl finish FOLDER. */
#include "finish.h"

#include "gain.h"
#include "interrupt.h"
#include "progress.h"
#include "stemctl.h"

#include <stdio.h>
#include <string.h>

struct watch {
    struct stemctl_interrupt interrupt;
    struct stemctl_progress progress;
    int fd;        /* for another program; -1: none */
    int told;      /* tenths of a percent that the program knows of */
    char step[32]; /* likewise */
};

/* "42.5 measure": percent and step, a line whenever one of them is another. Nobody may be listening
 * any more; that is no reason to stop. */
static void tell_program(struct watch *watch, double done, const char *step)
{
    int tenths = (int)(done * 1000);
    if (watch->fd < 0 || (tenths == watch->told && strcmp(step, watch->step) == 0))
        return;
    watch->told = tenths;
    snprintf(watch->step, sizeof watch->step, "%s", step);
    if (dprintf(watch->fd, "%d.%d %s\n", tenths / 10, tenths % 10, step) < 0)
        watch->fd = -1;
}

static bool show_progress(double done, const char *step, void *data)
{
    struct watch *watch = data;
    stemctl_progress_show(&watch->progress, done);
    tell_program(watch, done, step);
    return !stemctl_interrupt_pending(&watch->interrupt);
}

static json_t *residual_json(const struct stem_take_residual *residual)
{
    if (!residual->measured)
        return json_null();
    return json_pack("{s:b, s:o, s:o, s:o, s:o}", "passed", residual->passed, "peak_dbfs",
        stemctl_json_real(stem_gain_to_db(residual->peak)), "rms_dbfs",
        stemctl_json_real(stem_gain_to_db(residual->rms)), "bound_dbfs",
        stemctl_json_real(stem_gain_to_db(residual->bound)), "hint",
        residual->hint ? stemctl_json_text(residual->hint) : json_null());
}

static void print_json(const char *folder, const struct stem_finish_report *report)
{
    json_t *remarks = json_array();
    for (size_t k = 0; k < report->remark_count; k++)
        json_array_append_new(remarks, stemctl_json_text(report->remarks[k]));
    stemctl_print_json(json_pack("{s:o, s:o, s:o, s:o}", "folder", stemctl_json_text(folder),
        "finished", stemctl_json_text(report->take.finished), "null_test",
        residual_json(&report->take.residual), "remarks", remarks));
}

static void print_report(const struct stemctl_output *output, const char *folder,
    const struct stem_finish_report *report)
{
    const struct stem_take_residual *residual = &report->take.residual;
    stemctl_print_value(output, STEMCTL_STRONG, "finished", folder);
    for (size_t k = 0; k < report->remark_count; k++)
        stemctl_print_line(output, "remark", STEMCTL_WARNING, report->remarks[k]);
    if (residual->measured && residual->passed)
        stemctl_print_line(
            output, "null test", STEMCTL_GOOD, "passed: the stems add up to the mix");
}

static enum stemctl_exit work(struct stemctl *ctl, struct watch *watch)
{
    struct stem_finish_report report;
    struct stem_error error = {0};
    const char *folder = ctl->words[0];
    stemctl_interrupt_begin(&watch->interrupt);
    if (!ctl->quiet)
        stemctl_progress_begin(&watch->progress, "finishing");
    int status = stem_finish_folder(folder, ctl->accept, show_progress, watch, &report, &error);
    stemctl_progress_end(&watch->progress);
    stemctl_interrupt_end(&watch->interrupt);
    if (status)
        return stemctl_fail(&ctl->output,
            watch->interrupt.happened ? STEMCTL_INTERRUPTED : STEMCTL_REFUSED, error.text);
    if (ctl->output.json)
        print_json(folder, &report);
    else if (!ctl->quiet)
        print_report(&ctl->output, folder, &report);
    stem_finish_report_finish(&report);
    return STEMCTL_OK;
}

enum stemctl_exit run_finish(struct stemctl *ctl)
{
    struct watch watch = {.fd = ctl->progress_fd, .told = -1};
    signal(SIGPIPE, SIG_IGN); /* whoever watches the progress may end before us */
    return work(ctl, &watch);
}
