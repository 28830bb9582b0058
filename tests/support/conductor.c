/* conductor: a JACK client that leads the transport, tells bars and makes sound on demand.
 *
 *     conductor --server NAME [--map FILE] [--offset]
 *
 * With a map it is the timebase master. Each line of the map is a stretch of music that begins with
 * a new bar: "FRAME NUM DEN BEATS TYPE", in transport frames; its tempo is NUM/DEN beats per minute
 * in BEATS/TYPE. Positions are exact: parts of ticks are told (JackTickDouble), or with --offset
 * the beginning of the beat and how many frames ago it was (JackBBTFrameOffset).
 *
 * Commands on standard input, a line each:
 *
 *     start, stop, locate FRAME     the transport
 *     sound FRAMES                  sound on port "out" from the next cycle on, so many frames long
 *     where                         prints "where JACK_FRAME TRANSPORT_FRAME ROLLING"
 *     log                           prints what happened, then "end"
 *     time JACK_FRAME               prints "time USECS EVEN": when that frame was on the server's
 *                                   clock (-1: not known), and whether the cycles around it follow
 *                                   one another without a break
 *
 * The log: "roll JACK_FRAME TRANSPORT_FRAME" and "halt …" for the first frame of each state,
 * "sound JACK_FRAME TRANSPORT_FRAME" for the first frame of a sound.
 */
#include <argp.h>
#include <inttypes.h>
#include <jack/jack.h>
#include <jack/transport.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS = 4096, CYCLES = 65536, STRETCHES = 64, TICKS_PER_BEAT = 1920 };
#define LOUD 0.5f

struct event {
    const char *what;
    uint32_t frame;
    uint32_t transport_frame;
};

/* As JACK tells it. */
struct cycle {
    uint32_t frame;
    uint32_t frames;
    uint64_t began_us;
    uint64_t next_us;
};

struct stretch {
    int64_t frame;
    int64_t numerator;
    int64_t denominator;
    int32_t beats;
    int32_t type;
    int32_t first_bar;
};

struct conductor {
    const char *server;
    const char *map;
    bool offset;
    jack_client_t *client;
    jack_port_t *out;
    struct stretch stretches[STRETCHES];
    int stretch_count;
    uint32_t rate;

    /* process thread */
    bool was_rolling;
    uint32_t next; /* transport frame, while it rolls */
    uint32_t left; /* of the sound */
    struct event events[EVENTS];
    _Atomic uint32_t event_count;

    struct cycle cycles[CYCLES]; /* the first ones */
    _Atomic uint32_t cycle_count;

    _Atomic uint32_t sound; /* frames that are asked for */
};

static void note(struct conductor *conductor, const char *what, uint32_t frame, uint32_t there)
{
    uint32_t count = atomic_load_explicit(&conductor->event_count, memory_order_relaxed);
    if (count == EVENTS)
        return;
    conductor->events[count] = (struct event){what, frame, there};
    atomic_store_explicit(&conductor->event_count, count + 1, memory_order_release);
}

static void note_cycle(struct conductor *conductor, uint32_t frames)
{
    uint32_t count = atomic_load_explicit(&conductor->cycle_count, memory_order_relaxed);
    struct cycle *cycle = &conductor->cycles[count];
    float period_us;
    if (count == CYCLES || jack_get_cycle_times(conductor->client, &cycle->frame, &cycle->began_us,
                               &cycle->next_us, &period_us))
        return;
    cycle->frames = frames;
    atomic_store_explicit(&conductor->cycle_count, count + 1, memory_order_release);
}

static int on_process(jack_nframes_t frames, void *argument)
{
    struct conductor *conductor = argument;
    note_cycle(conductor, frames);
    jack_position_t position;
    uint32_t frame = jack_last_frame_time(conductor->client);
    bool rolls = jack_transport_query(conductor->client, &position) == JackTransportRolling;
    bool jumped = rolls && position.frame != conductor->next;
    if (rolls != conductor->was_rolling || jumped)
        note(conductor, rolls ? "roll" : "halt", frame, position.frame);
    conductor->was_rolling = rolls;
    conductor->next = position.frame + frames;
    uint32_t asked = atomic_exchange(&conductor->sound, 0);
    if (asked) {
        conductor->left = asked;
        note(conductor, "sound", frame, position.frame);
    }
    float *out = jack_port_get_buffer(conductor->out, frames);
    for (uint32_t i = 0; i < frames; i++)
        out[i] = i < conductor->left ? LOUD : 0;
    conductor->left -= conductor->left < frames ? conductor->left : frames;
    return 0;
}

static void on_timebase(jack_transport_state_t state, jack_nframes_t frames, jack_position_t *told,
    int is_new, void *argument)
{
    (void)state, (void)frames, (void)is_new;
    const struct conductor *conductor = argument;
    int at = 0;
    while (at + 1 < conductor->stretch_count && conductor->stretches[at + 1].frame <= told->frame)
        at++;
    const struct stretch *stretch = &conductor->stretches[at];
    /* beats since the stretch began are gone / per_beat, exactly */
    int64_t per_beat = 60 * (int64_t)conductor->rate * stretch->denominator;
    int64_t gone = ((int64_t)told->frame - stretch->frame) * stretch->numerator;
    int64_t beat = gone / per_beat, part = gone % per_beat;
    told->valid = JackPositionBBT;
    told->bar = (int32_t)(stretch->first_bar + beat / stretch->beats);
    told->beat = (int32_t)(1 + beat % stretch->beats);
    told->tick_double = (double)part * TICKS_PER_BEAT / (double)per_beat;
    told->tick = (int32_t)told->tick_double;
    if (conductor->offset) {
        told->valid |= JackBBTFrameOffset;
        told->bbt_offset = (jack_nframes_t)(part / stretch->numerator);
        told->tick = 0;
    } else {
        told->valid |= JackTickDouble;
    }
    told->bar_start_tick = 0;
    told->beats_per_bar = (float)stretch->beats;
    told->beat_type = (float)stretch->type;
    told->ticks_per_beat = TICKS_PER_BEAT;
    told->beats_per_minute = (double)stretch->numerator / (double)stretch->denominator;
}

/* A stretch that ends inside a bar makes it a short one; less than a frame is rounding. */
static void number_bars(struct conductor *conductor)
{
    conductor->stretches[0].first_bar = 1;
    for (int k = 1; k < conductor->stretch_count; k++) {
        const struct stretch *before = &conductor->stretches[k - 1];
        int64_t per_bar = 60 * (int64_t)conductor->rate * before->denominator * before->beats;
        int64_t gone = (conductor->stretches[k].frame - before->frame) * before->numerator;
        int64_t bars = gone / per_bar + (gone % per_bar >= before->numerator);
        conductor->stretches[k].first_bar = (int32_t)(before->first_bar + bars);
    }
}

static int read_map(struct conductor *conductor)
{
    FILE *in = fopen(conductor->map, "r");
    int *count = &conductor->stretch_count;
    while (in && *count < STRETCHES) {
        struct stretch *next = &conductor->stretches[*count];
        if (fscanf(in, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd32 " %" SCNd32, &next->frame,
                &next->numerator, &next->denominator, &next->beats, &next->type) != 5)
            break;
        ++*count;
    }
    if (in)
        fclose(in);
    if (*count == 0)
        return -1;
    number_bars(conductor);
    return 0;
}

static int start(struct conductor *conductor)
{
    conductor->client =
        jack_client_open("conductor", JackNoStartServer | JackServerName, NULL, conductor->server);
    if (!conductor->client)
        return -1;
    conductor->rate = jack_get_sample_rate(conductor->client);
    if (conductor->map && read_map(conductor))
        return -1;
    jack_set_process_callback(conductor->client, on_process, conductor);
    conductor->out =
        jack_port_register(conductor->client, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    if (!conductor->out || jack_activate(conductor->client))
        return -1;
    return conductor->map ? jack_set_timebase_callback(conductor->client, 0, on_timebase, conductor)
                          : 0;
}

static void print_log(const struct conductor *conductor)
{
    uint32_t count = atomic_load_explicit(&conductor->event_count, memory_order_acquire);
    for (uint32_t k = 0; k < count; k++)
        printf("%s %" PRIu32 " %" PRIu32 "\n", conductor->events[k].what,
            conductor->events[k].frame, conductor->events[k].transport_frame);
    puts("end");
}

static void print_place(const struct conductor *conductor)
{
    jack_position_t position;
    uint32_t frame = jack_frame_time(conductor->client);
    bool rolls = jack_transport_query(conductor->client, &position) == JackTransportRolling;
    printf("where %" PRIu32 " %" PRIu32 " %d\n", frame, position.frame, rolls);
}

static bool follows(const struct cycle *one, const struct cycle *next)
{
    return next->frame == one->frame + one->frames && next->began_us == one->next_us;
}

static void print_time(const struct conductor *conductor, uint32_t frame)
{
    uint32_t count = atomic_load_explicit(&conductor->cycle_count, memory_order_acquire);
    const struct cycle *cycle = conductor->cycles;
    double time_us = -1;
    bool is_even = false;
    for (uint32_t k = 0; k < count; k++, cycle++) {
        if (frame - cycle->frame >= cycle->frames)
            continue;
        time_us = (double)cycle->began_us + (double)(frame - cycle->frame) *
                                                (double)(cycle->next_us - cycle->began_us) /
                                                cycle->frames;
        is_even = k > 0 && k + 1 < count && follows(cycle - 1, cycle) && follows(cycle, cycle + 1);
        break;
    }
    printf("time %.3f %d\n", time_us, is_even);
}

static void obey(struct conductor *conductor, const char *line)
{
    uint32_t number;
    if (strcmp(line, "start\n") == 0)
        jack_transport_start(conductor->client);
    else if (strcmp(line, "stop\n") == 0)
        jack_transport_stop(conductor->client);
    else if (sscanf(line, "locate %" SCNu32, &number) == 1)
        jack_transport_locate(conductor->client, number);
    else if (sscanf(line, "sound %" SCNu32, &number) == 1)
        atomic_store(&conductor->sound, number);
    else if (strcmp(line, "where\n") == 0)
        print_place(conductor);
    else if (sscanf(line, "time %" SCNu32, &number) == 1)
        print_time(conductor, number);
    else if (strcmp(line, "log\n") == 0)
        print_log(conductor);
    fflush(stdout);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct conductor *conductor = state->input;
    switch (key) {
    case 's':
        conductor->server = argument;
        return 0;
    case 'm':
        conductor->map = argument;
        return 0;
    case 'o':
        conductor->offset = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* No more orders: a client that is just killed holds its server up for seconds. */
static void end(int signal)
{
    (void)signal;
    close(STDIN_FILENO);
}

/* Before JACK's threads begin, so that the signal comes to this one alone. */
static void block_end(int how)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(how, &signals, NULL);
}

int main(int argc, char **argv)
{
    static struct conductor conductor;
    static const struct argp_option OPTIONS[] = {
        {"server", 's', "NAME", 0, "JACK server", 0},
        {"map", 'm', "FILE", 0, "Tempo map to lead with", 0},
        {"offset", 'o', NULL, 0, "Tell beats and frames since", 0},
        {0},
    };
    const struct argp argp = {.options = OPTIONS, .parser = parse_option};
    char line[128];
    block_end(SIG_BLOCK);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = end}, NULL);
    if (argp_parse(&argp, argc, argv, 0, NULL, &conductor) || start(&conductor)) {
        fputs("conductor: cannot lead\n", stderr);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    block_end(SIG_UNBLOCK);
    while (fgets(line, sizeof line, stdin))
        obey(&conductor, line);
    jack_client_close(conductor.client);
    return 0;
}
