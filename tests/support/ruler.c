/* ruler: a JACK client whose output ports out_1 … play the ruler (ruler.h).
 *
 *     ruler --server NAME [--client NAME] --ports N --bits B [--log FILE]
 *
 * It prints "ready" when it plays and ends on SIGTERM. The log tells of its own late cycles: those
 * during which the frame clock moved on before its callback had finished. In JACK's asynchronous
 * mode clients behind it may then see the next cycle's time with this cycle's samples. The log
 * grows while it plays, some times a second, and is complete when it has ended.
 */
#include "ruler.h"

#include <argp.h>
#include <jack/jack.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOG_ENTRIES = 1 << 16 };

struct entry {
    uint32_t frame;
    uint32_t frames;
    uint32_t after; /* the frame clock when the callback ended */
};

struct ruler {
    const char *server;
    const char *client_name;
    const char *log;
    uint32_t port_count;
    int bits;
    jack_client_t *client;
    jack_port_t **ports;
    struct entry entries[LOG_ENTRIES]; /* written round and round */
    _Atomic uint32_t entry_count;      /* ever written */
    uint32_t logged;                   /* of them; main thread only */
};

static inline __attribute__((always_inline)) void fill(
    float *out, uint32_t frame, uint32_t frames, uint32_t port, int bits)
{
    for (uint32_t i = 0; i < frames; i++)
        out[i] = ruler_sample(frame + i, port, bits);
}

/* A source that needs much of the time would hide what the recorders need. */
#if defined(__x86_64__)
__attribute__((target("avx2"))) static void fill_by_eights(
    float *out, uint32_t frame, uint32_t frames, uint32_t port, int bits)
{
    fill(out, frame, frames, port, bits);
}
#endif

static void fill_port(float *out, uint32_t frame, uint32_t frames, uint32_t port, int bits)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        fill_by_eights(out, frame, frames, port, bits);
        return;
    }
#endif
    fill(out, frame, frames, port, bits);
}

static int on_process(jack_nframes_t frames, void *argument)
{
    struct ruler *ruler = argument;
    uint32_t frame = jack_last_frame_time(ruler->client);
    for (uint32_t p = 0; p < ruler->port_count; p++)
        fill_port(jack_port_get_buffer(ruler->ports[p], frames), frame, frames, p + 1, ruler->bits);
    uint32_t after = jack_last_frame_time(ruler->client);
    uint32_t count = atomic_load_explicit(&ruler->entry_count, memory_order_relaxed);
    if (after != frame) {
        ruler->entries[count % LOG_ENTRIES] = (struct entry){frame, frames, after};
        atomic_store_explicit(&ruler->entry_count, count + 1, memory_order_release);
    }
    return 0;
}

static int start(struct ruler *ruler)
{
    ruler->client = jack_client_open(
        ruler->client_name, JackNoStartServer | JackServerName, NULL, ruler->server);
    ruler->ports = calloc(ruler->port_count, sizeof *ruler->ports);
    if (!ruler->client || !ruler->ports)
        return -1;
    jack_set_process_callback(ruler->client, on_process, ruler);
    for (uint32_t p = 0; p < ruler->port_count; p++) {
        char name[32];
        snprintf(name, sizeof name, "out_%u", p + 1);
        ruler->ports[p] =
            jack_port_register(ruler->client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
        if (!ruler->ports[p])
            return -1;
    }
    return jack_activate(ruler->client);
}

/* The ports go one by one: when a client with some hundred ports is closed with them, JACK2 1.9.21
 * writes to it about each one while the client no longer listens, until both wait for ever. */
static void stop(struct ruler *ruler)
{
    jack_deactivate(ruler->client);
    for (uint32_t p = 0; p < ruler->port_count; p++)
        jack_port_unregister(ruler->client, ruler->ports[p]);
    jack_client_close(ruler->client);
}

static void write_log(struct ruler *ruler)
{
    uint32_t count = atomic_load_explicit(&ruler->entry_count, memory_order_acquire);
    FILE *out = ruler->log && ruler->logged != count ? fopen(ruler->log, "a") : NULL;
    if (!out)
        return;
    for (; ruler->logged != count; ruler->logged++) {
        const struct entry *entry = &ruler->entries[ruler->logged % LOG_ENTRIES];
        fprintf(out, "late %u %u %u\n", entry->frame, entry->frames, entry->after);
    }
    fclose(out);
}

/* Until a signal comes, the log is brought up to date. */
static void play(struct ruler *ruler, const sigset_t *signals)
{
    const struct timespec interval = {.tv_nsec = 200000000};
    while (sigtimedwait(signals, NULL, &interval) < 0)
        write_log(ruler);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct ruler *ruler = state->input;
    switch (key) {
    case 's':
        ruler->server = argument;
        return 0;
    case 'c':
        ruler->client_name = argument;
        return 0;
    case 'p':
        ruler->port_count = (uint32_t)atoi(argument);
        return 0;
    case 'b':
        ruler->bits = atoi(argument);
        return 0;
    case 'l':
        ruler->log = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp_option OPTIONS[] = {{"server", 's', "NAME", 0, "JACK server", 0},
        {"client", 'c', "NAME", 0, "JACK client", 0}, {"ports", 'p', "N", 0, "Output ports", 0},
        {"bits", 'b', "B", 0, "Bits of a sample, at most 24", 0},
        {"log", 'l', "FILE", 0, "Where to tell of late cycles", 0}, {0}};
    const struct argp parser = {OPTIONS, parse_option, NULL, NULL, NULL, NULL, NULL};
    static struct ruler ruler = {
        .server = "default", .client_name = "ruler", .port_count = 2, .bits = 24};
    sigset_t signals;
    argp_parse(&parser, argc, argv, 0, NULL, &ruler);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (start(&ruler)) {
        fprintf(stderr, "ruler: cannot play on JACK server \"%s\"\n", ruler.server);
        return 1;
    }
    if (ruler.log)
        remove(ruler.log);
    printf("ready\n");
    fflush(stdout);
    play(&ruler, &signals);
    stop(&ruler);
    write_log(&ruler);
    free(ruler.ports);
    return 0;
}
