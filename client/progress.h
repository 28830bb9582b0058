/* A progress bar on standard error; nothing when that is no terminal. */
#ifndef STEMCTL_PROGRESS_H
#define STEMCTL_PROGRESS_H

#include <stdbool.h>

struct stemctl_progress {
    const char *label; /* borrowed */
    bool shown;
    bool blocks;    /* drawn with Unicode blocks */
    double started; /* seconds of the monotonic clock */
};

/* Draws the empty bar. */
void stemctl_progress_begin(struct stemctl_progress *progress, const char *label);

/* From 0 to 1, with the time that is left once it can be told. */
void stemctl_progress_show(const struct stemctl_progress *progress, double done);

/* Clears the line. */
void stemctl_progress_end(struct stemctl_progress *progress);

#endif
