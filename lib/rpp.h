/* The take as a Reaper project: a track for each stem, the mix as a muted track, markers, tempo. */
#ifndef STEM_RPP_H
#define STEM_RPP_H

#include "error.h"
#include "project_file.h"
#include "take.h"

#define STEM_RPP_FILE "take.rpp"

/* Writes FOLDER/take.rpp, unless it is somebody's (project_file.h, also for `wait`). Files are
 * named relative to it. The take begins at the project's start. Valid for a take that is being
 * recorded, too: it shows what is there so far. Any one thread that may wait for the disk. */
enum stem_project_result stem_rpp_write(
    const char *folder, const struct stem_take *take, bool wait, struct stem_error *error);

#endif
