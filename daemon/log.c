#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Nobody waits for who reads the log, be it a pipe that is full, a terminal that was stopped, or a
 * file on a disk that has stalled: a thread of its own writes the lines, and what there is no room
 * for is counted. */
enum { LINES = 128, LINE_BYTES = STEM_ERROR_BYTES + 512 };

/* Constant once other threads run. */
static bool verbose;

static struct {
    pthread_mutex_t lock; /* for all that follows; nobody writes while holding it */
    pthread_cond_t changed;
    char lines[LINES][LINE_BYTES];
    size_t first, count; /* of those that wait; the first one is being written */
    unsigned long long lost;
    bool is_on;
    bool is_ending;
    bool has_ended;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

void stem_log_set_verbose(bool on)
{
    verbose = on;
}

/* The beginning of a line. Returns its length. */
static int begin_line(enum stem_log_level level, char *line)
{
    static const int PRIORITY[] = {3, 4, 6, 7}; /* sd-daemon(3) */
    static const char *const WORD[] = {"error: ", "warning: ", "", ""};
    return getenv("JOURNAL_STREAM")
               ? snprintf(line, LINE_BYTES, "<%d>%s", PRIORITY[level], WORD[level])
               : snprintf(line, LINE_BYTES, "stemd: %s", WORD[level]);
}

/* Called by the thread; until it runs, by whoever has something to say. */
static void write_line(const char *line)
{
    size_t length = strlen(line);
    ssize_t written = 0;
    for (size_t at = 0; at < length && written >= 0; at += (size_t)written)
        written = write(STDERR_FILENO, line + at, length - at);
}

/* The line that waits longest, or one that tells how many were lost. False at the end. With the
 * lock. */
static bool next_line(char *line)
{
    while (queue.count == 0 && queue.lost == 0 && !queue.is_ending)
        pthread_cond_wait(&queue.changed, &queue.lock);
    if (queue.count > 0) {
        memcpy(line, queue.lines[queue.first], LINE_BYTES);
        return true;
    }
    if (queue.lost > 0)
        snprintf(line + begin_line(STEM_LOG_WARNING, line), LINE_BYTES / 2,
            "%llu lines of the log were lost, because they were not read in time\n", queue.lost);
    bool is_lost_told = queue.lost > 0;
    queue.lost = 0;
    return is_lost_told;
}

static void *run(void *unused)
{
    char line[LINE_BYTES];
    pthread_setname_np(pthread_self(), "stemd-log");
    pthread_mutex_lock(&queue.lock);
    while (next_line(line)) {
        bool is_queued = queue.count > 0;
        pthread_mutex_unlock(&queue.lock);
        write_line(line);
        pthread_mutex_lock(&queue.lock);
        queue.first = (queue.first + is_queued) % LINES;
        queue.count -= is_queued;
    }
    queue.has_ended = true;
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
    return unused;
}

void stem_log_begin(void)
{
    pthread_t thread;
    memset(queue.lines, 0, sizeof queue.lines); /* memory that is there from the start */
    queue.is_on = pthread_create(&thread, NULL, run, NULL) == 0;
    if (queue.is_on)
        pthread_detach(thread);
}

void stem_log_end(double patience_seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)patience_seconds;
    pthread_mutex_lock(&queue.lock);
    queue.is_ending = true;
    pthread_cond_broadcast(&queue.changed);
    while (queue.is_on && !queue.has_ended &&
           pthread_cond_clockwait(&queue.changed, &queue.lock, CLOCK_MONOTONIC, &until) == 0)
        continue;
    pthread_mutex_unlock(&queue.lock);
}

static void add(const char *line)
{
    pthread_mutex_lock(&queue.lock);
    if (queue.count < LINES)
        memcpy(queue.lines[(queue.first + queue.count++) % LINES], line, strlen(line) + 1);
    else
        queue.lost++;
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
}

void stem_log(enum stem_log_level level, const char *format, ...)
{
    if (level == STEM_LOG_DEBUG && !verbose)
        return;
    char line[LINE_BYTES];
    size_t used = (size_t)begin_line(level, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, sizeof line - used - 1, format, arguments);
    va_end(arguments);
    memcpy(line + strlen(line), "\n", 2);
    if (queue.is_on)
        add(line);
    else
        write_line(line);
}
