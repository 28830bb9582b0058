/* Who works on a take: a lock on its folder, so that nobody completes a take that is being
 * recorded.
 *
 * It is flock(2) on the folder itself: the manifest in it is replaced again and again, the folder
 * stays, also when it is renamed. The kernel drops the lock when its owner dies, however that
 * happens. The recorder holds it from the folder's making to the take's end; stem_recover_folder
 * holds it while it works.
 */
#ifndef STEM_TAKE_LOCK_H
#define STEM_TAKE_LOCK_H

#include "error.h"

/* Locks `folder`, which may not be a symbolic link, without waiting. Returns a descriptor (closed
 * on exec), or -1 with errno: EWOULDBLOCK when somebody else holds it. Any thread. */
int stem_take_lock(const char *folder);

/* The same for a folder that somebody named, and whose path may be a link to it. */
int stem_take_lock_there(const char *folder);

/* The same for a command that somebody gives: a symbolic link to the folder is followed. Returns
 * the descriptor, or -1 with `error`. Any thread. */
int stem_take_claim(const char *folder, struct stem_error *error);

/* Gives the lock back. -1 is allowed: nothing happens. */
void stem_take_unlock(int lock);

#endif
