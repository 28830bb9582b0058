/* Long work of one command: a progress bar on a terminal, and Ctrl-C that ends it cleanly. */
#ifndef STEMCTL_WORK_H
#define STEMCTL_WORK_H

#include "interrupt.h"
#include "progress.h"
#include "stemctl.h"

struct stemctl_work {
    struct stemctl_interrupt interrupt;
    struct stemctl_progress progress;
    double from, to; /* the part of the bar that the work under way fills: 0 and 1 unless set */
};

/* Begins; `label` stands before the bar. Nothing is shown with --quiet. */
void stemctl_work_begin(struct stemctl_work *work, const struct stemctl *ctl, const char *label);
void stemctl_work_end(struct stemctl_work *work);

/* What the library calls; `data` is the work. False when it was interrupted. */
bool stemctl_work_progress(double done, void *data);
bool stemctl_work_step(double done, const char *step, void *data);

/* Tells why work that has ended failed: STEMCTL_INTERRUPTED or STEMCTL_REFUSED. */
enum stemctl_exit stemctl_work_fail(
    const struct stemctl_work *work, const struct stemctl *ctl, const struct stem_error *error);

#endif
