#include "jobs.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* However many takes of former runs are to be finished, there is room for those of this one. */
enum { MOST_JOBS = 256, KEPT_FOR_NEW = 128 };
enum { NICENESS = 15, LINE_BYTES = 1024, WORDS = 8, TALK_FD = 3 };

/* ioprio_set(2): a process of the idle class gets the disk when nobody else wants it. */
enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13 };

enum kind { RECOVER, FINISH, HOOK };

struct job {
    enum kind kind;
    bool is_old; /* of a former run: those of this one go before */
    char *folder;
};

struct stem_jobs {
    const struct stem_config *config;
    struct stem_notify *notify;
    char stemctl[PATH_MAX];
    struct job queue[MOST_JOBS]; /* the first one is at work while `child` is */
    size_t count;
    bool told_many; /* takes of former runs, for which there is no room */
    pid_t child;    /* 0: none */
    int child_fd;   /* pidfd; -1: none */
    int talk_fd;    /* what it says; -1: none */
    char line[LINE_BYTES + PATH_MAX];
    size_t line_length;
    char said[LINE_BYTES]; /* its last sentence */
    char step[32];
    double percent;
};

/* stemctl stands beside stemd, or in the next folder of a build; otherwise on the path. */
static void find_stemctl(struct stem_jobs *jobs)
{
    static const char *const PLACES[] = {"stemctl", "../client/stemctl"};
    char self[PATH_MAX - 32];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = length > 0 ? memrchr(self, '/', (size_t)length) : NULL;
    for (size_t k = 0; slash && k < sizeof PLACES / sizeof *PLACES; k++) {
        snprintf(
            jobs->stemctl, sizeof jobs->stemctl, "%.*s/%s", (int)(slash - self), self, PLACES[k]);
        if (access(jobs->stemctl, X_OK) == 0)
            return;
    }
    snprintf(jobs->stemctl, sizeof jobs->stemctl, "stemctl");
}

struct stem_jobs *stem_jobs_create(const struct stem_config *config, struct stem_notify *notify)
{
    struct stem_jobs *jobs = calloc(1, sizeof *jobs);
    if (!jobs)
        return NULL;
    jobs->config = config;
    jobs->notify = notify;
    jobs->child_fd = jobs->talk_fd = -1;
    find_stemctl(jobs);
    return jobs;
}

/* The queue */

/* The job at work does not count: it may have begun with another take of the same name. */
static bool is_queued(const struct stem_jobs *jobs, enum kind kind, const char *folder)
{
    for (size_t k = jobs->child ? 1 : 0; k < jobs->count; k++)
        if (jobs->queue[k].kind == kind && strcmp(jobs->queue[k].folder, folder) == 0)
            return true;
    return false;
}

static void insert(struct stem_jobs *jobs, struct job job)
{
    size_t at = jobs->count++;
    for (; !job.is_old && at > (jobs->child ? 1 : 0) && jobs->queue[at - 1].is_old; at--)
        jobs->queue[at] = jobs->queue[at - 1];
    jobs->queue[at] = job;
}

static void tell_left(struct stem_jobs *jobs, const char *folder, bool is_old)
{
    if (!is_old)
        stem_log(STEM_LOG_WARNING, "too much to do: \"%s\" is left to stemctl finish", folder);
    else if (!jobs->told_many)
        stem_log(STEM_LOG_WARNING,
            "many takes of former runs are not finished: \"%s\" and more "
            "are left to the next start, or to stemctl finish",
            folder);
    jobs->told_many = jobs->told_many || is_old;
}

static void add(struct stem_jobs *jobs, enum kind kind, const char *folder, bool is_old)
{
    const size_t most = is_old ? MOST_JOBS - KEPT_FOR_NEW : MOST_JOBS;
    if (is_queued(jobs, kind, folder))
        return;
    char *copy = strdup(folder);
    if (!copy || jobs->count >= most) {
        tell_left(jobs, folder, is_old);
        free(copy);
        return;
    }
    insert(jobs, (struct job){.kind = kind, .is_old = is_old, .folder = copy});
}

static void drop_first(struct stem_jobs *jobs)
{
    free(jobs->queue[0].folder);
    jobs->count--;
    memmove(jobs->queue, jobs->queue + 1, jobs->count * sizeof *jobs->queue);
}

void stem_jobs_recover(struct stem_jobs *jobs, const char *takes)
{
    if (jobs->config->recover && access(takes, R_OK) == 0)
        add(jobs, RECOVER, takes, false);
}

void stem_jobs_finish(struct stem_jobs *jobs, const char *folder, bool with_hook)
{
    if (jobs->config->finish)
        add(jobs, FINISH, folder, false);
    if (jobs->config->hook && with_hook)
        add(jobs, HOOK, folder, false);
}

/* A take of a former run. */
static void finish_old(struct stem_jobs *jobs, const char *folder)
{
    if (jobs->config->finish)
        add(jobs, FINISH, folder, true);
}

/* Children */

/* The command line of a job; `script` has room for the hook's. */
static void make_words(const struct stem_jobs *jobs, const struct job *job, char *script,
    size_t script_size, const char *words[WORDS])
{
    const char *const ALL[][WORDS] = {
        [RECOVER] = {jobs->stemctl, "recover", "--progress-fd", "3", job->folder},
        [FINISH] = {jobs->stemctl, "finish", "--quiet", "--progress-fd", "3", job->folder},
        [HOOK] = {"/bin/sh", "-c", script, "stemd-hook", job->folder},
    };
    if (job->kind == HOOK)
        snprintf(script, script_size, "%s \"$1\"", jobs->config->hook);
    memcpy(words, ALL[job->kind], sizeof ALL[job->kind]);
}

/* A child gets nothing of ours but the pipe to talk into: not the signals we block, and above all
 * not JACK's sockets, which would keep our client alive after our death. */
static int spawn(pid_t *child, const char *const *words, int talk)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGHUP);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, talk, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&files, talk, TALK_FD);
    posix_spawn_file_actions_addclosefrom_np(&files, TALK_FD + 1);
    int status = posix_spawnp(
        child, words[0], &files, &attributes, (char *const *)(uintptr_t)words, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return status;
}

static void be_modest(pid_t child)
{
    setpriority(PRIO_PROCESS, (id_t)child, NICENESS);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, child, IOPRIO_IDLE);
}

static void tell(struct stem_jobs *jobs, const char *step)
{
    snprintf(jobs->step, sizeof jobs->step, "%s", step);
    if (jobs->queue[0].kind == FINISH)
        stem_notify_finish(jobs->notify, jobs->queue[0].folder, jobs->percent, step);
}

static const char *job_word(const struct job *job)
{
    static const char *const WORD[] = {
        [RECOVER] = "recovering takes in",
        [FINISH] = "finishing",
        [HOOK] = "the hook command for",
    };
    return WORD[job->kind];
}

static void complain(struct stem_jobs *jobs, const char *why)
{
    char text[PATH_MAX + 2 * LINE_BYTES];
    const struct job *job = &jobs->queue[0];
    snprintf(text, sizeof text, "%s \"%s\" failed: %s", job_word(job), job->folder, why);
    stem_log(STEM_LOG_WARNING, "%s", text);
    stem_notify_warning(jobs->notify, text);
    tell(jobs, "failed");
}

/* Starts the first job of the queue. 0 or an errno. */
static int start_child(struct stem_jobs *jobs)
{
    const char *words[WORDS] = {NULL};
    char script[LINE_BYTES + 8];
    int talk[2];
    if (pipe2(talk, O_CLOEXEC) != 0)
        return errno;
    make_words(jobs, &jobs->queue[0], script, sizeof script, words);
    int status = spawn(&jobs->child, words, talk[1]);
    close(talk[1]);
    if (status) {
        jobs->child = 0;
        close(talk[0]);
        return status;
    }
    be_modest(jobs->child);
    fcntl(talk[0], F_SETFL, O_NONBLOCK);
    jobs->talk_fd = talk[0];
    jobs->child_fd = (int)syscall(SYS_pidfd_open, jobs->child, 0);
    jobs->line_length = 0;
    jobs->said[0] = '\0';
    jobs->percent = 0;
    return 0;
}

static void start_next(struct stem_jobs *jobs)
{
    while (jobs->child == 0 && jobs->count > 0) {
        int status = start_child(jobs);
        if (status == 0) {
            tell(jobs, "start");
            return;
        }
        complain(jobs, strerror(status));
        drop_first(jobs);
    }
}

/* Listening */

static void hear_recovered(
    struct stem_jobs *jobs, double seconds, double gap_seconds, const char *folder)
{
    char gap[64] = "";
    if (gap_seconds > 0)
        snprintf(gap, sizeof gap, "; %.3f s of it are not complete in every file", gap_seconds);
    stem_log(STEM_LOG_INFO, "recovered \"%s\": %.3f s%s", folder, seconds, gap);
    stem_notify_finish(jobs->notify, folder, 0, "recovered");
    finish_old(jobs, folder);
}

/* What recovery tells of a take. False when it is something else. */
static bool hear_recovery(struct stem_jobs *jobs, const char *line)
{
    double seconds, gap_seconds;
    int at = 0;
    if (sscanf(line, "recovered %lf %lf %n", &seconds, &gap_seconds, &at) == 2 && at > 0) {
        hear_recovered(jobs, seconds, gap_seconds, line + at);
    } else if (strncmp(line, "remark ", 7) == 0) {
        stem_log(STEM_LOG_WARNING, "%s", line + 7);
        stem_notify_warning(jobs->notify, line + 7);
    } else if (strncmp(line, "finish ", 7) == 0) {
        finish_old(jobs, line + 7);
    } else {
        return false;
    }
    return true;
}

/* "42.5 measure" is progress, anything else a sentence. */
static void hear_line(struct stem_jobs *jobs, const char *line)
{
    if (jobs->queue[0].kind == RECOVER && hear_recovery(jobs, line))
        return;
    char step[sizeof jobs->step];
    double percent;
    if (jobs->queue[0].kind == FINISH && sscanf(line, "%lf %31[^\n]", &percent, step) == 2) {
        jobs->percent = percent;
        tell(jobs, step);
    } else if (line[0]) {
        snprintf(jobs->said, sizeof jobs->said, "%.*s", LINE_BYTES - 1, line);
    }
}

static void hear(struct stem_jobs *jobs)
{
    char bytes[4096];
    ssize_t length = 0;
    while (jobs->talk_fd >= 0 && (length = read(jobs->talk_fd, bytes, sizeof bytes)) > 0)
        for (ssize_t k = 0; k < length; k++) {
            if (bytes[k] != '\n' && jobs->line_length < sizeof jobs->line - 1) {
                jobs->line[jobs->line_length++] = bytes[k];
                continue;
            }
            jobs->line[jobs->line_length] = '\0';
            jobs->line_length = 0;
            hear_line(jobs, jobs->line);
        }
    if (jobs->talk_fd >= 0 && length == 0) { /* it will say no more */
        close(jobs->talk_fd);
        jobs->talk_fd = -1;
    }
}

static void close_child(struct stem_jobs *jobs)
{
    if (jobs->child_fd >= 0)
        close(jobs->child_fd);
    if (jobs->talk_fd >= 0)
        close(jobs->talk_fd);
    jobs->child = 0;
    jobs->child_fd = jobs->talk_fd = -1;
}

static void judge(struct stem_jobs *jobs, int status)
{
    char why[LINE_BYTES + 64];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        jobs->percent = 100;
        tell(jobs, "done");
        return;
    }
    const char *said = strncmp(jobs->said, "stemctl: ", 9) == 0 ? jobs->said + 9 : jobs->said;
    if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "ended by signal %d", WTERMSIG(status));
    else
        snprintf(
            why, sizeof why, "exit code %d%s%s", WEXITSTATUS(status), said[0] ? ": " : "", said);
    complain(jobs, why);
}

void stem_jobs_work(struct stem_jobs *jobs)
{
    int status;
    if (jobs->child) {
        hear(jobs);
        if (waitpid(jobs->child, &status, WNOHANG) != jobs->child)
            return;
        hear(jobs);
        judge(jobs, status);
        close_child(jobs);
        drop_first(jobs);
    }
    start_next(jobs);
}

size_t stem_jobs_pollfds(const struct stem_jobs *jobs, struct pollfd *fds, size_t room)
{
    size_t count = 0;
    if (jobs->child_fd >= 0 && count < room)
        fds[count++] = (struct pollfd){.fd = jobs->child_fd, .events = POLLIN};
    if (jobs->talk_fd >= 0 && count < room)
        fds[count++] = (struct pollfd){.fd = jobs->talk_fd, .events = POLLIN};
    return count;
}

void stem_jobs_figures(const struct stem_jobs *jobs, struct stem_jobs_figures *figures)
{
    *figures = (struct stem_jobs_figures){.count = jobs->count, .folder = "", .step = ""};
    if (!jobs->child)
        return;
    figures->folder = jobs->queue[0].folder;
    figures->step = jobs->step;
    figures->percent = jobs->percent;
}

/* stemctl takes a signal as an interruption and leaves a valid take; a hook gets a moment too. */
static void end_child(struct stem_jobs *jobs)
{
    enum { NAPS = 200 };
    const struct timespec nap = {.tv_nsec = 10000000};
    kill(-jobs->child, SIGTERM);
    for (int k = 0; k < NAPS; k++) {
        if (waitpid(jobs->child, NULL, WNOHANG) == jobs->child)
            return;
        nanosleep(&nap, NULL);
    }
    kill(-jobs->child, SIGKILL);
    waitpid(jobs->child, NULL, 0);
}

void stem_jobs_destroy(struct stem_jobs *jobs)
{
    if (!jobs)
        return;
    if (jobs->child)
        end_child(jobs);
    close_child(jobs);
    while (jobs->count > 0)
        drop_first(jobs);
    free(jobs);
}
