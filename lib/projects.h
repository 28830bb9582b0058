/* All projects of a take for other programs (project_file.h): Reaper's, Ardour's. Another one gets
 * a line in the table. Any one thread that may wait for the disk. */
#ifndef STEM_PROJECTS_H
#define STEM_PROJECTS_H

#include "error.h"
#include "project_file.h"
#include "take.h"

#include <stdbool.h>

enum { STEM_PROJECT_KINDS = 2 };

struct stem_project {
    const char *file; /* its name in the take's folder */
    /* Writes it into `folder`, also for a take that is being recorded; see project_file.h. */
    enum stem_project_result (*write)(
        const char *folder, const struct stem_take *take, bool wait, struct stem_error *error);
};

extern const struct stem_project STEM_PROJECTS[STEM_PROJECT_KINDS];

/* Whether somebody changed one of them. It names the take's files, which shall keep their names. */
bool stem_projects_are_theirs(const char *folder);

#endif
