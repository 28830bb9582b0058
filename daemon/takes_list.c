#include "takes_list.h"

#include "messages.h"
#include "take.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job {
    char takes[PATH_MAX];
    char path[128];
    struct stem_osc_peer
        peer; /* with a descriptor of its own: control may close its socket first */
};

static void job_free(struct job *job)
{
    if (job)
        close(job->peer.socket_fd);
    free(job);
}

/* Whether a thread is at it; the only state that outlives a job. */
static atomic_bool busy;

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Sends one take; false when the folder is none. */
static bool send_take(const struct job *job, const char *name)
{
    char folder[PATH_MAX + NAME_MAX + 2];
    struct stem_take take = {0};
    snprintf(folder, sizeof folder, "%s/%s", job->takes, name);
    if (stem_take_load(&take, folder, NULL))
        return false;
    double seconds = take.rate_hz ? (double)take.frames / take.rate_hz : 0;
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "ssdis", folder, take.title ? take.title : "", seconds,
            (int)take.gap_count, STEM_TAKE_PROGRESS[take.progress]);
    stem_osc_send(&job->peer, "/takes/take", message);
    stem_take_finish(&take);
    return true;
}

static void *run(void *argument)
{
    struct job *job = argument;
    struct dirent **entries = NULL;
    int count = scandir(job->takes, &entries, is_visible, alphasort), sent = 0;
    for (int k = 0; k < count; k++) {
        sent += send_take(job, entries[k]->d_name);
        free(entries[k]);
    }
    free(entries);
    char text[STEM_ERROR_BYTES];
    snprintf(text, sizeof text, count < 0 ? "cannot read the takes folder" : "%d takes", sent);
    if (count < 0)
        stem_osc_error(&job->peer, job->path, STEM_CODE_FILE, text);
    else
        stem_osc_reply(&job->peer, job->path, text);
    job_free(job);
    atomic_store(&busy, false);
    return NULL;
}

static struct job *job_create(const char *takes, const struct stem_osc_peer *peer, const char *path)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    snprintf(job->takes, sizeof job->takes, "%s", takes);
    snprintf(job->path, sizeof job->path, "%s", path);
    job->peer = *peer;
    job->peer.socket_fd = fcntl(peer->socket_fd, F_DUPFD_CLOEXEC, 0);
    if (job->peer.socket_fd >= 0)
        return job;
    free(job);
    return NULL;
}

int stem_takes_list_send(const char *takes, const struct stem_osc_peer *peer, const char *path)
{
    if (atomic_exchange(&busy, true))
        return -1;
    struct job *job = job_create(takes, peer, path);
    pthread_t thread;
    if (!job || pthread_create(&thread, NULL, run, job) != 0) {
        job_free(job);
        atomic_store(&busy, false);
        return -1;
    }
    pthread_detach(thread);
    return 0;
}
