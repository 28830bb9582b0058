/* graph_probe: a JACK client without ports that watches the graph, and may make it freewheel.
 *
 *     graph_probe --server NAME --seconds S                      watches
 *     graph_probe --server NAME --seconds S --freewheel FRAMES   runs the graph freely
 *
 * The first form prints what the graph lost meanwhile: cycles, frames of skipped cycles (jumps of
 * JACK's frame clock) and xruns as the server tells them. The second one leaves freewheel after
 * that many frames, or after S seconds, and prints how far the graph got in which time; it takes no
 * part in the graph, which then has no more to wait for than the source and the recorder.
 */
#include <argp.h>
#include <jack/jack.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { POLL_NS = 1000000 };

struct probe {
    const char *server;
    double seconds;
    uint64_t freewheel_frames;
    jack_client_t *client;

    /* process thread */
    bool started;
    jack_nframes_t expected;

    /* written by JACK's threads, read by main */
    _Atomic uint64_t cycles;
    _Atomic uint64_t skips;
    _Atomic uint64_t skipped_frames;
    _Atomic uint64_t xruns;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int on_process(jack_nframes_t frames, void *argument)
{
    struct probe *probe = argument;
    jack_nframes_t frame = jack_last_frame_time(probe->client);
    if (probe->started && frame != probe->expected) {
        atomic_fetch_add(&probe->skips, 1);
        atomic_fetch_add(&probe->skipped_frames, frame - probe->expected);
    }
    probe->started = true;
    probe->expected = frame + frames;
    atomic_fetch_add(&probe->cycles, 1);
    return 0;
}

static int on_xrun(void *argument)
{
    struct probe *probe = argument;
    atomic_fetch_add(&probe->xruns, 1);
    return 0;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
}

static void watch(struct probe *probe)
{
    int64_t from = now_ns(), until = from + (int64_t)(probe->seconds * 1e9);
    while (now_ns() < until)
        nap();
    printf("seconds %.3f cycles %llu skips %llu skipped_frames %llu xruns %llu\n",
        (double)(now_ns() - from) / 1e9, (unsigned long long)probe->cycles,
        (unsigned long long)probe->skips, (unsigned long long)probe->skipped_frames,
        (unsigned long long)probe->xruns);
}

/* The clock goes on by a period with each cycle; the switch itself may take some. */
static int run_freely(struct probe *probe)
{
    if (jack_set_freewheel(probe->client, 1))
        return -1;
    jack_nframes_t first = jack_last_frame_time(probe->client), done = 0;
    int64_t from = now_ns(), until = from + (int64_t)(probe->seconds * 1e9);
    while (now_ns() < until && done < probe->freewheel_frames) {
        nap();
        done = jack_last_frame_time(probe->client) - first;
    }
    printf("seconds %.3f frames %u rate %u\n", (double)(now_ns() - from) / 1e9, done,
        jack_get_sample_rate(probe->client));
    return jack_set_freewheel(probe->client, 0);
}

static int start(struct probe *probe)
{
    probe->client =
        jack_client_open("probe", JackNoStartServer | JackServerName, NULL, probe->server);
    if (!probe->client)
        return -1;
    if (probe->freewheel_frames)
        return 0;
    jack_set_process_callback(probe->client, on_process, probe);
    jack_set_xrun_callback(probe->client, on_xrun, probe);
    return jack_activate(probe->client);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct probe *probe = state->input;
    switch (key) {
    case 's':
        probe->server = argument;
        return 0;
    case 'n':
        probe->seconds = atof(argument);
        return 0;
    case 'f':
        probe->freewheel_frames = strtoull(argument, NULL, 10);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp_option OPTIONS[] = {{"server", 's', "NAME", 0, "JACK server", 0},
        {"seconds", 'n', "S", 0, "How long, or at most", 0},
        {"freewheel", 'f', "FRAMES", 0, "Freewheel that far", 0}, {0}};
    const struct argp parser = {OPTIONS, parse_option, NULL, NULL, NULL, NULL, NULL};
    static struct probe probe = {.server = "default", .seconds = 10};
    int status = 0;
    argp_parse(&parser, argc, argv, 0, NULL, &probe);
    if (start(&probe)) {
        fprintf(stderr, "graph_probe: cannot watch JACK server \"%s\"\n", probe.server);
        return 1;
    }
    if (probe.freewheel_frames)
        status = run_freely(&probe);
    else
        watch(&probe);
    jack_client_close(probe.client);
    return status ? 1 : 0;
}
