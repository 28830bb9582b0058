/* Jobs: work on takes that are over. It is done by child processes, niced, one at a time, so that
 * neither the next take nor control ever waits for it: stemctl recover for what a killed recorder
 * left, stemctl finish for each take, then the configured hook command. Control thread.
 *
 * Receivers of notifications get /finish ,sfs folder percent step; at the end step is "done", or
 * "failed" with a /warning that says why; "recovered" is told of a take that recovery completed.
 */
#ifndef STEMD_JOBS_H
#define STEMD_JOBS_H

#include "config.h"
#include "error.h"
#include "notify.h"

#include <poll.h>
#include <stddef.h>

struct stem_jobs;

/* All are borrowed. NULL without memory. */
struct stem_jobs *stem_jobs_create(const struct stem_config *config, struct stem_notify *notify);

/* Ends the child that is at work (a take stays valid, and can be finished again) and forgets the
 * rest. NULL is allowed. */
void stem_jobs_destroy(struct stem_jobs *jobs);

/* Completes the unfinished takes in the folder `takes`, and finishes them and those that nobody
 * came to finish (finish_wanted.h), without the hook command. */
void stem_jobs_recover(struct stem_jobs *jobs, const char *takes);

/* Finishes the take folder `folder`, and with `with_hook` hands it to the hook command. */
void stem_jobs_finish(struct stem_jobs *jobs, const char *folder, bool with_hook);

/* What to poll; at most two. */
size_t stem_jobs_pollfds(const struct stem_jobs *jobs, struct pollfd *fds, size_t room);

/* Reads what the child says, buries it, starts the next one. Never waits. */
void stem_jobs_work(struct stem_jobs *jobs);

/* What is at work, for /status: jobs in all, and folder, percent and step of the present one. */
struct stem_jobs_figures {
    size_t count;
    const char *folder; /* "" when there is nothing to do */
    const char *step;
    double percent;
};
void stem_jobs_figures(const struct stem_jobs *jobs, struct stem_jobs_figures *figures);

#endif
