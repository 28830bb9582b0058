#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A writer whose disk hangs while its mirror answers gathers commands: there is room for many. */
enum { PERIOD_NS = 50000000, COMMANDS = 1024, EVENTS = 256 };

struct stem_writer {
    /* setup */
    struct stem_session *session;
    struct stem_ring *commands; /* control to writer */
    struct stem_ring *events;   /* writer to control */
    int event_fd;
    pthread_t thread;

    /* shared */
    sem_t wake;       /* posted by control and by a waiting freewheel cycle */
    atomic_bool quit; /* written by control */
};

static void sleep_until_woken(struct stem_writer *writer)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += PERIOD_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (sem_clockwait(&writer->wake, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR)
        continue;
    while (sem_trywait(&writer->wake) == 0)
        continue;
}

/* Tells control to look. It looks each time, so nothing has to be known about new events. */
static void notify(struct stem_writer *writer)
{
    const uint64_t one = 1;
    if (write(writer->event_fd, &one, sizeof one) < 0)
        return; /* only when the counter is full: control is woken anyway */
}

static void *run(void *argument)
{
    struct stem_writer *writer = argument;
    pthread_setname_np(pthread_self(), "stemd-writer");
    while (!atomic_load(&writer->quit)) {
        if (stem_session_work(writer->session))
            continue;
        notify(writer);
        sleep_until_woken(writer);
    }
    return NULL;
}

struct stem_writer *stem_writer_create(
    const struct stem_session_params *params, int event_fd, struct stem_error *error)
{
    struct stem_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        stem_error_set(error, "no memory for the writer");
        return NULL;
    }
    writer->event_fd = event_fd;
    writer->commands = stem_ring_create(COMMANDS, sizeof(struct stem_command));
    writer->events = stem_ring_create(EVENTS, sizeof(struct stem_event));
    struct stem_session_params with = *params;
    with.commands = writer->commands;
    with.events = writer->events;
    if (writer->commands && writer->events)
        writer->session = stem_session_create(&with);
    sem_init(&writer->wake, 0, 0);
    int status = writer->session ? pthread_create(&writer->thread, NULL, run, writer) : ENOMEM;
    if (status == 0)
        return writer;
    stem_error_set_errno(error, status, "cannot start the writer thread");
    stem_session_destroy(writer->session);
    stem_ring_destroy(writer->commands);
    stem_ring_destroy(writer->events);
    sem_destroy(&writer->wake);
    free(writer);
    return NULL;
}

void stem_writer_destroy(struct stem_writer *writer)
{
    if (!writer)
        return;
    atomic_store(&writer->quit, true);
    stem_writer_wake(writer);
    pthread_join(writer->thread, NULL);
    stem_session_destroy(writer->session);
    stem_ring_destroy(writer->commands);
    stem_ring_destroy(writer->events);
    sem_destroy(&writer->wake);
    free(writer);
}

bool stem_writer_send(struct stem_writer *writer, const struct stem_command *command)
{
    bool sent = stem_ring_push_rt(writer->commands, command);
    stem_writer_wake(writer);
    return sent;
}

bool stem_writer_receive(struct stem_writer *writer, struct stem_event *event)
{
    return stem_ring_pop_rt(writer->events, event);
}

void stem_writer_wake(struct stem_writer *writer)
{
    sem_post(&writer->wake);
}

const struct stem_session_status *stem_writer_status(const struct stem_writer *writer)
{
    return stem_session_status(writer->session);
}
