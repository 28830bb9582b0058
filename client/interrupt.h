/* SIGINT and SIGTERM while stemctl waits or works: read from a descriptor, so that waiting can poll
 * it and no handler needs a variable that everybody sees. Signals that were ignored when stemctl
 * started (as in a script's background jobs) stay ignored.
 */
#ifndef STEMCTL_INTERRUPT_H
#define STEMCTL_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

struct stemctl_interrupt {
    int fd;          /* readable once a signal came; -1: they act as usual */
    bool happened;   /* a signal was read */
    sigset_t before; /* signals blocked before */
};

/* From here on signals are kept for stemctl_interrupt_pending. */
void stemctl_interrupt_begin(struct stemctl_interrupt *interrupt);

/* Whether a signal came since the beginning. */
bool stemctl_interrupt_pending(struct stemctl_interrupt *interrupt);

/* Signals act as usual again. */
void stemctl_interrupt_end(struct stemctl_interrupt *interrupt);

#endif
