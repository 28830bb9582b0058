/* stemctl verify FOLDER. */
#include "verify.h"
#include "interrupt.h"
#include "progress.h"
#include "stemctl.h"
#include "verify_report.h"

struct watch {
    struct stemctl_interrupt interrupt;
    struct stemctl_progress progress;
};

static bool show_progress(double done, void *data)
{
    struct watch *watch = data;
    stemctl_progress_show(&watch->progress, done);
    return !stemctl_interrupt_pending(&watch->interrupt);
}

enum stemctl_exit run_verify(struct stemctl *ctl)
{
    struct watch watch;
    struct stem_verify_report report;
    struct stem_error error = {0};
    const char *folder = ctl->words[0];
    stemctl_interrupt_begin(&watch.interrupt);
    stemctl_progress_begin(&watch.progress, "verifying");
    int status = stem_verify_folder(folder, show_progress, &watch, &report, &error);
    stemctl_progress_end(&watch.progress);
    stemctl_interrupt_end(&watch.interrupt);
    if (status)
        return stemctl_fail(&ctl->output,
            watch.interrupt.happened ? STEMCTL_INTERRUPTED : STEMCTL_REFUSED, error.text);
    enum stemctl_exit code = report.problem_count == 0 ? STEMCTL_OK : STEMCTL_REFUSED;
    if (ctl->output.json)
        stemctl_print_json(stemctl_report_json(folder, &report));
    else
        stemctl_report_print(&ctl->output, folder, &report);
    stem_verify_report_finish(&report);
    return code;
}
