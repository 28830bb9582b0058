/* How long work on takes tells how far it is, and can be interrupted. */
#ifndef STEM_WORK_PROGRESS_H
#define STEM_WORK_PROGRESS_H

#include <stdbool.h>

/* Called now and then with the part that is done, 0 … 1; false interrupts. */
typedef bool stem_work_progress(double done, void *data);

#endif
