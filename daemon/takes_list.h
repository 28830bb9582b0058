/* The answer to /takes: a look at every manifest in the takes folder.
 *
 * That may have to wait for the disk, so a short-lived thread does it and answers by itself;
 * control goes on meanwhile. One at a time.
 */
#ifndef STEMD_TAKES_LIST_H
#define STEMD_TAKES_LIST_H

#include "osc_server.h"

/* Starts the thread: sends /takes/take ,ssdis (folder, title, seconds, gaps, progress) per take,
 * oldest first, then /reply or /error for `path`. 0, or -1 when one is still under way or the
 * system refuses. Control thread. */
int stem_takes_list_send(const char *takes, const struct stem_osc_peer *peer, const char *path);

#endif
