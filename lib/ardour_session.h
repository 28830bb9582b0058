/* The take as a session of Ardour 7 or later: a track for each file, where its TimeReference says;
 * the mix and what is not to be added to the stems muted; markers, tempo map. */
#ifndef STEM_ARDOUR_SESSION_H
#define STEM_ARDOUR_SESSION_H

#include "error.h"
#include "project_file.h"
#include "take.h"

#define STEM_ARDOUR_FILE "take.ardour"

/* Writes FOLDER/take.ardour, unless it is somebody's (project_file.h, also for `wait`). Ardour
 * opens the folder as it is, and makes folders of its own in it. All tracks at unity gain, so the
 * master bus has the sum of the stems. A take without a frame has no session: Ardour knows no empty
 * files. Neither has one of FLAC files that is being recorded, they tell their length at their end
 * only. Otherwise valid for a take that is being recorded, too. Any one thread that may wait for
 * the disk.
 */
enum stem_project_result stem_ardour_session_write(
    const char *folder, const struct stem_take *take, bool wait, struct stem_error *error);

#endif
