/* For each test an empty scratch folder, and the path of a file that is not there yet. One per test
 * program. */
#ifndef STEM_SCRATCH_FILE_H
#define STEM_SCRATCH_FILE_H

#include "unit.h"

static char *folder;
static char path[128];

static int set_up(void **state)
{
    (void)state;
    folder = scratch_make();
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

#endif
