#include "keeper.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum request { NOTHING, OPEN, ACTIVATE, CONNECT, CLOSE, END };

struct stem_keeper {
    /* setup */
    const char *client;
    const char *server;
    const struct stem_layout *layout;
    int wake_fd;
    pthread_t thread;

    /* keeper thread only, or control while no call is under way */
    struct stem_connections *connections;
    struct stem_jack *jack;
    struct stem_jack_shared *shared;
    struct stem_error trouble;
    bool server_gone;
    unsigned made;

    /* shared */
    sem_t asked;               /* posted by control */
    _Atomic int request;       /* written by control, taken by the keeper */
    atomic_bool connect_again; /* written by control, taken by the keeper */
    atomic_bool refused;       /* written by the keeper: connections are to be tried again */
    _Atomic int state;         /* released after all of the above is in place */
    sem_t gone;                /* posted by the keeper as its last act */
    _Atomic int64_t since_ns;  /* start of the call under way; 0: none */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void enter(struct stem_keeper *keeper, enum stem_keeper_state state)
{
    atomic_store_explicit(&keeper->state, (int)state, memory_order_release);
}

/* What the keeper does */

static enum stem_keeper_state open_client(struct stem_keeper *keeper)
{
    keeper->trouble.text[0] = '\0';
    keeper->jack = stem_jack_open(keeper->client, keeper->server, &keeper->trouble);
    return keeper->jack ? STEM_KEEPER_OPEN : STEM_KEEPER_AWAY;
}

static void connect_ports(struct stem_keeper *keeper)
{
    struct stem_jack_port_name name;
    while (atomic_exchange(&keeper->connect_again, false)) {
        while (stem_ring_pop_rt(keeper->shared->names, &name))
            stem_connections_renew(keeper->connections, name.text);
        atomic_store(&keeper->refused,
            !stem_connections_update(keeper->connections, keeper->jack, &keeper->made));
    }
}

static enum stem_keeper_state activate_client(struct stem_keeper *keeper)
{
    if (stem_jack_activate(keeper->jack, keeper->layout, keeper->shared, &keeper->trouble))
        return STEM_KEEPER_FAILED;
    stem_connections_forget(keeper->connections);
    atomic_store(&keeper->connect_again, true);
    connect_ports(keeper);
    return STEM_KEEPER_RUNNING;
}

static enum stem_keeper_state close_client(struct stem_keeper *keeper)
{
    stem_jack_close(keeper->jack, keeper->server_gone);
    keeper->jack = NULL;
    return STEM_KEEPER_AWAY;
}

static void wake_control(const struct stem_keeper *keeper)
{
    const uint64_t one = 1;
    if (write(keeper->wake_fd, &one, sizeof one) < 0)
        return; /* only when the counter is full: control is woken anyway */
}

static void serve(struct stem_keeper *keeper, enum request request)
{
    atomic_store(&keeper->since_ns, now_ns());
    switch (request) {
    case OPEN:
        enter(keeper, open_client(keeper));
        break;
    case ACTIVATE:
        enter(keeper, activate_client(keeper));
        break;
    case CONNECT: /* control may have gone on to close it meanwhile: the state stays */
        connect_ports(keeper);
        break;
    case CLOSE:
    case END:
        enter(keeper, close_client(keeper));
        break;
    case NOTHING:
        break;
    }
    atomic_store(&keeper->since_ns, 0);
    wake_control(keeper);
}

static void *run(void *argument)
{
    struct stem_keeper *keeper = argument;
    pthread_setname_np(pthread_self(), "stemd-jack");
    for (enum request request = NOTHING; request != END;) {
        while (sem_wait(&keeper->asked) != 0 && errno == EINTR)
            continue;
        request = (enum request)atomic_exchange(&keeper->request, NOTHING);
        serve(keeper, request);
    }
    sem_post(&keeper->gone);
    return NULL;
}

/* Life */

struct stem_keeper *stem_keeper_create(const char *client, const char *server,
    const struct stem_layout *layout, struct stem_connections *connections, int wake_fd,
    struct stem_error *error)
{
    struct stem_keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper) {
        stem_error_set(error, "no memory for the JACK thread");
        return NULL;
    }
    keeper->client = client;
    keeper->server = server;
    keeper->layout = layout;
    keeper->connections = connections;
    keeper->wake_fd = wake_fd;
    sem_init(&keeper->asked, 0, 0);
    sem_init(&keeper->gone, 0, 0);
    int status = pthread_create(&keeper->thread, NULL, run, keeper);
    if (status == 0)
        return keeper;
    stem_error_set_errno(error, status, "cannot start the JACK thread");
    sem_destroy(&keeper->asked);
    free(keeper);
    return NULL;
}

static void ask(struct stem_keeper *keeper, enum request request)
{
    atomic_store(&keeper->since_ns, now_ns());
    atomic_store(&keeper->request, (int)request);
    sem_post(&keeper->asked);
}

bool stem_keeper_destroy(struct stem_keeper *keeper, double patience_seconds)
{
    struct timespec until;
    if (!keeper)
        return true;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)patience_seconds;
    ask(keeper, END);
    int status;
    while ((status = sem_clockwait(&keeper->gone, CLOCK_MONOTONIC, &until)) != 0 && errno == EINTR)
        continue;
    if (status)
        return false;
    pthread_join(keeper->thread, NULL);
    sem_destroy(&keeper->gone);
    sem_destroy(&keeper->asked);
    free(keeper);
    return true;
}

/* For control */

enum stem_keeper_state stem_keeper_state(const struct stem_keeper *keeper)
{
    return (enum stem_keeper_state)atomic_load_explicit(&keeper->state, memory_order_acquire);
}

double stem_keeper_waits(const struct stem_keeper *keeper)
{
    int64_t since = atomic_load(&keeper->since_ns);
    return since ? (double)(now_ns() - since) / 1e9 : 0;
}

void stem_keeper_open(struct stem_keeper *keeper)
{
    enter(keeper, STEM_KEEPER_OPENING);
    ask(keeper, OPEN);
}

void stem_keeper_activate(struct stem_keeper *keeper, struct stem_jack_shared *shared)
{
    keeper->shared = shared;
    enter(keeper, STEM_KEEPER_ACTIVATING);
    ask(keeper, ACTIVATE);
}

void stem_keeper_connect(struct stem_keeper *keeper)
{
    int nothing = NOTHING;
    atomic_store(&keeper->connect_again, true);
    /* A request that has not been taken yet will see the flag, or ends the connections anyway. */
    if (atomic_compare_exchange_strong(&keeper->request, &nothing, (int)CONNECT))
        sem_post(&keeper->asked);
}

void stem_keeper_close(struct stem_keeper *keeper, bool server_gone)
{
    keeper->server_gone = server_gone;
    enter(keeper, STEM_KEEPER_CLOSING);
    ask(keeper, CLOSE);
}

const char *stem_keeper_trouble(const struct stem_keeper *keeper)
{
    return keeper->trouble.text;
}

struct stem_jack *stem_keeper_jack(const struct stem_keeper *keeper)
{
    return keeper->jack;
}

bool stem_keeper_refused(const struct stem_keeper *keeper)
{
    return atomic_load(&keeper->refused);
}

unsigned stem_keeper_made(const struct stem_keeper *keeper)
{
    return keeper->made;
}
