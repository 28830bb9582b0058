#include "jack_client.h"

#include "log.h"

#include <errno.h>
#include <jack/metadata.h>
#include <jack/statistics.h>
#include <jack/thread.h>
#include <jack/uuid.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* In freewheel JACK waits up to ten seconds for a client; half of that is ours. */
enum { FREEWHEEL_NAP_NS = 200000, FREEWHEEL_NAPS = 25000 };

struct stem_jack {
    jack_client_t *client;
    jack_port_t **ports;
    uint32_t port_count;
    bool active;
};

/* Callbacks */

static void wake_control(const struct stem_jack_shared *shared)
{
    const uint64_t one = 1;
    if (write(shared->wake_fd, &one, sizeof one) < 0)
        return; /* only when the counter is full: control is woken anyway */
}

/* Freewheel has no deadline: wait for the writer instead of dropping anything. */
static void wait_for_room(struct stem_jack_shared *shared, jack_nframes_t frames)
{
    for (int naps = 0; naps < FREEWHEEL_NAPS; naps++) {
        if (stem_process_has_room_rt(shared->process, frames))
            return;
        shared->wake_writer(shared->writer);
        nanosleep(&(struct timespec){.tv_nsec = FREEWHEEL_NAP_NS}, NULL);
    }
}

static int on_process(jack_nframes_t frames, void *argument)
{
    struct stem_jack_shared *shared = argument;
    if (atomic_load_explicit(&shared->freewheel, memory_order_relaxed))
        wait_for_room(shared, frames);
    stem_process_cycle_rt(shared->process, frames);
    return 0;
}

static int on_xrun(void *argument)
{
    struct stem_jack_shared *shared = argument;
    jack_client_t *client = shared->process->client;
    uint64_t written = stem_tape_written(shared->process->tape);
    struct stem_fact fact = {
        .kind = STEM_FACT_XRUN, .frame = written, .xrun_us = jack_get_xrun_delayed_usecs(client)};
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        if (shared->xruns[h]) /* a full queue holds a thousand of them already */
            stem_ring_push_rt(shared->xruns[h], &fact);
    return 0;
}

static void on_shutdown(jack_status_t code, const char *reason, void *argument)
{
    (void)code;
    (void)reason;
    struct stem_jack_shared *shared = argument;
    atomic_store(&shared->server_gone, true);
    wake_control(shared);
}

static void on_freewheel(int starting, void *argument)
{
    struct stem_jack_shared *shared = argument;
    atomic_store(&shared->freewheel, starting != 0);
}

static int on_buffer_size(jack_nframes_t frames, void *argument)
{
    struct stem_jack_shared *shared = argument;
    atomic_store(&shared->period_frames, frames);
    return 0;
}

/* A port that goes and comes back between two looks at the graph is a new one: its name is handed
 * over. When the queue is full, thousands are on their way and will be seen anyway. */
static void hand_over_name(struct stem_jack_shared *shared, jack_port_id_t id)
{
    struct stem_jack_port_name name;
    const jack_port_t *port = jack_port_by_id(shared->process->client, id);
    const char *text = port ? jack_port_name(port) : NULL;
    if (!text)
        return;
    snprintf(name.text, sizeof name.text, "%s", text);
    stem_ring_push_rt(shared->names, &name);
}

static void on_port_registered(jack_port_id_t port, int registered, void *argument)
{
    struct stem_jack_shared *shared = argument;
    if (registered)
        hand_over_name(shared, port);
    atomic_store(&shared->ports_changed, true);
    wake_control(shared);
}

static void on_port_renamed(
    jack_port_id_t port, const char *old_name, const char *new_name, void *argument)
{
    (void)old_name;
    (void)new_name;
    on_port_registered(port, 1, argument);
}

/* Opening */

static void quiet(const char *message)
{
    stem_log(STEM_LOG_DEBUG, "JACK: %s", message);
}

/* JACK's library says no more than this when it may lock no memory at all. */
static bool may_lock_memory(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur > 0;
}

static const char *reason_of(jack_status_t status)
{
    if (status & JackVersionError)
        return "its version does not fit the JACK library's";
    if (status & JackServerError)
        return may_lock_memory() ? "it does not answer"
                                 : "stemd may not lock memory (LimitMEMLOCK= of the service, or "
                                   "memlock in limits.conf)";
    if (status & JackShmFailure)
        return "its shared memory cannot be reached (same user, /dev/shm, memory-lock limit?)";
    if (status & JackServerFailed)
        return "it is not running";
    return "it refused the client";
}

struct stem_jack *stem_jack_open(const char *client, const char *server, struct stem_error *error)
{
    jack_set_error_function(quiet);
    jack_set_info_function(quiet);
    struct stem_jack *jack = calloc(1, sizeof *jack);
    if (!jack) {
        stem_error_set(error, "no memory for the JACK client");
        return NULL;
    }
    jack_status_t status = 0;
    jack->client = jack_client_open(client, JackNoStartServer | JackServerName, &status, server);
    if (jack->client)
        return jack;
    stem_error_set(error, "cannot connect to JACK server \"%s\": %s", server, reason_of(status));
    free(jack);
    return NULL;
}

uint32_t stem_jack_rate(const struct stem_jack *jack)
{
    return jack_get_sample_rate(jack->client);
}

static void set_property(
    const struct stem_jack *jack, jack_port_t *port, const char *key, const char *value)
{
    jack_uuid_t uuid = jack_port_uuid(port);
    if (!jack_uuid_empty(uuid))
        jack_set_property(jack->client, uuid, key, value, NULL);
}

/* Names for people, the order of the ports, and the stem they belong to; patchbays show these. A
 * server without metadata works as well. */
static void describe_port(
    const struct stem_jack *jack, const struct stem_layout_port *port, uint32_t index)
{
    char order[16];
    snprintf(order, sizeof order, "%u", index);
    set_property(jack, jack->ports[index], JACK_METADATA_PRETTY_NAME, port->pretty);
    set_property(jack, jack->ports[index], JACK_METADATA_PORT_GROUP, port->group);
    set_property(jack, jack->ports[index], JACK_METADATA_ORDER, order);
}

static int register_ports(
    struct stem_jack *jack, const struct stem_layout *layout, struct stem_error *error)
{
    jack->ports = calloc(layout->port_count ? layout->port_count : 1, sizeof *jack->ports);
    if (!jack->ports)
        return stem_error_set(error, "no memory for the ports");
    for (uint32_t p = 0; p < layout->port_count; p++) {
        jack->ports[p] = jack_port_register(jack->client, layout->ports[p].name,
            JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput | JackPortIsTerminal, 0);
        if (!jack->ports[p])
            return stem_error_set(error,
                "JACK refused port %u of %u, \"%s\" (is the server's port limit, jackd -p, too "
                "low?)",
                p + 1, layout->port_count, layout->ports[p].name);
        jack->port_count++;
    }
    return 0;
}

static void set_callbacks(struct stem_jack *jack, struct stem_jack_shared *shared)
{
    jack_set_process_callback(jack->client, on_process, shared);
    jack_set_xrun_callback(jack->client, on_xrun, shared);
    jack_set_freewheel_callback(jack->client, on_freewheel, shared);
    jack_set_buffer_size_callback(jack->client, on_buffer_size, shared);
    jack_set_port_registration_callback(jack->client, on_port_registered, shared);
    jack_set_port_rename_callback(jack->client, on_port_renamed, shared);
    jack_on_info_shutdown(jack->client, on_shutdown, shared);
}

/* A server in real-time mode whose clients may not be: cycles will be late. */
static void check_real_time(const struct stem_jack *jack)
{
    struct sched_param param;
    int policy;
    if (!jack_is_realtime(jack->client) ||
        pthread_getschedparam(jack_client_thread_id(jack->client), &policy, &param) != 0 ||
        policy == SCHED_FIFO || policy == SCHED_RR)
        return;
    stem_log(STEM_LOG_WARNING,
        "JACK runs in real time, but stemd's thread in it may not: raise the limit (LimitRTPRIO= "
        "of the service, or rtprio in limits.conf)");
}

int stem_jack_activate(struct stem_jack *jack, const struct stem_layout *layout,
    struct stem_jack_shared *shared, struct stem_error *error)
{
    if (register_ports(jack, layout, error))
        return -1;
    shared->process->client = jack->client;
    shared->process->ports = jack->ports;
    shared->process->port_count = jack->port_count;
    atomic_store(&shared->period_frames, jack_get_buffer_size(jack->client));
    set_callbacks(jack, shared);
    shared->before_activation(shared->engine);
    if (jack_activate(jack->client) != 0)
        return stem_error_set(error, "JACK refused to activate the client");
    jack->active = true;
    check_real_time(jack);
    for (uint32_t p = 0; p < layout->port_count; p++)
        describe_port(jack, &layout->ports[p], p);
    return 0;
}

/* The ports go one by one: when a client with some hundred ports is closed with them, JACK2 1.9.21
 * writes to it about each one while the client no longer listens, until both wait for ever. */
static void give_ports_back(struct stem_jack *jack)
{
    for (uint32_t p = jack->port_count; p > 0; p--)
        jack_port_unregister(jack->client, jack->ports[p - 1]);
}

void stem_jack_close(struct stem_jack *jack, bool server_gone)
{
    if (!jack)
        return;
    if (jack->active && !server_gone)
        jack_deactivate(jack->client);
    if (!server_gone)
        give_ports_back(jack);
    jack_client_close(jack->client);
    free(jack->ports);
    free(jack);
}

jack_client_t *stem_jack_handle(const struct stem_jack *jack)
{
    return jack->client;
}

jack_port_t *stem_jack_port(const struct stem_jack *jack, uint32_t port)
{
    return jack->ports[port];
}
