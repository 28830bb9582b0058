#include "work.h"

void stemctl_work_begin(struct stemctl_work *work, const struct stemctl *ctl, const char *label)
{
    *work = (struct stemctl_work){.to = 1};
    stemctl_interrupt_begin(&work->interrupt);
    if (!ctl->quiet)
        stemctl_progress_begin(&work->progress, label);
}

void stemctl_work_end(struct stemctl_work *work)
{
    stemctl_progress_end(&work->progress);
    stemctl_interrupt_end(&work->interrupt);
}

bool stemctl_work_progress(double done, void *data)
{
    struct stemctl_work *work = data;
    stemctl_progress_show(&work->progress, work->from + (work->to - work->from) * done);
    return !stemctl_interrupt_pending(&work->interrupt);
}

bool stemctl_work_step(double done, const char *step, void *data)
{
    (void)step;
    return stemctl_work_progress(done, data);
}

enum stemctl_exit stemctl_work_fail(
    const struct stemctl_work *work, const struct stemctl *ctl, const struct stem_error *error)
{
    return stemctl_fail(&ctl->output,
        work->interrupt.happened ? STEMCTL_INTERRUPTED : STEMCTL_REFUSED, error->text);
}
