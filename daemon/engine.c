#include "engine.h"

#include "clock_pair.h"
#include "connections.h"
#include "keeper.h"
#include "log.h"
#include "process.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { FACTS = 1024, OPEN_AGAIN_NS = 1000000000, CONNECT_AGAIN_NS = 200000000, MOST_FAILURES = 3 };
/* Between two looks at the clocks, at least. */
enum { LOOK_NS = 20000000 };

/* JACK may wait ten seconds for a client in freewheel; a stopped server may go on. What is silent
 * for longer is gone: PipeWire's JACK does not say so. */
#define SILENCE_SECONDS 12.0
#define FREEWHEEL_SILENCE_SECONDS 30.0
/* Calls into JACK's library that take longer are told. */
#define SLOW_CALL_SECONDS 5.0
#define HOPELESS_CALL_SECONDS 60.0
#define END_PATIENCE_SECONDS 10.0

struct stem_engine {
    const struct stem_config *config;
    const struct stem_layout *layout;
    int wake_fd;
    struct stem_connections *connections;
    bool *muted;
    struct stem_ring *names; /* struct stem_jack_port_name */
    char trouble[STEM_ERROR_BYTES];

    /* for one rate; all NULL before the first server */
    uint32_t rate_hz;
    bool tape_locked;
    struct stem_tape *tape;
    struct stem_mix *mix;
    struct stem_ring *facts[STEM_TAPE_HOLDERS];
    struct stem_ring *xruns[STEM_TAPE_HOLDERS];
    struct stem_process process;
    struct stem_wall_times *wall_times;
    int64_t looked_ns;                              /* when the clocks were last looked at */
    struct stem_writer *writers[STEM_TAPE_HOLDERS]; /* the second one is the mirror's, or NULL */

    /* for one server */
    struct stem_keeper *keeper;
    struct stem_jack_shared shared;
    bool is_on;          /* the client runs, as far as control knows */
    bool is_draining;    /* the server is back at another rate: the old take is being ended */
    bool told_slow_call; /* in the log */
    bool told_end;       /* the writer was told to end the take of a lost server */
    unsigned failures;   /* activations in a row that the server refused */
    uint64_t cycles_seen;
    int64_t cycled_ns;    /* when the number of cycles last went up */
    int64_t connected_ns; /* when refused connections were last tried again */
    int64_t asked_ns;     /* when the server was last looked for */
    int64_t lost_ns;      /* when the last server went; 0: there was none */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct stem_engine *stem_engine_create(const struct stem_config *config,
    const struct stem_layout *layout, int wake_fd, struct stem_error *error)
{
    struct stem_engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        stem_error_set(error, "no memory for the engine");
        return NULL;
    }
    engine->config = config;
    engine->layout = layout;
    engine->wake_fd = wake_fd;
    engine->muted = calloc(layout->track_count, sizeof *engine->muted);
    engine->names = stem_ring_create(STEM_JACK_NAMES, sizeof(struct stem_jack_port_name));
    engine->connections = stem_connections_create(layout, error);
    snprintf(
        engine->trouble, sizeof engine->trouble, "looking for JACK server \"%s\"", config->server);
    if (engine->muted && engine->names && engine->connections)
        engine->keeper = stem_keeper_create(
            config->client, config->server, layout, engine->connections, wake_fd, error);
    if (!engine->keeper) {
        stem_engine_destroy(engine);
        return NULL;
    }
    for (uint32_t t = 0; t < layout->track_count; t++)
        engine->muted[t] = layout->tracks[t].muted;
    return engine;
}

/* What belongs to one rate */

static void take_down(struct stem_engine *engine)
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++) {
        stem_writer_destroy(engine->writers[h]);
        stem_ring_destroy(engine->xruns[h]);
        stem_ring_destroy(engine->facts[h]);
        engine->writers[h] = NULL;
        engine->xruns[h] = engine->facts[h] = NULL;
    }
    free(engine->process.buffers);
    stem_cycle_times_destroy(engine->process.times);
    stem_wall_times_destroy(engine->wall_times);
    stem_mix_destroy(engine->mix);
    stem_tape_destroy(engine->tape);
    engine->process = (struct stem_process){0};
    engine->wall_times = NULL;
    engine->mix = NULL;
    engine->tape = NULL;
    engine->rate_hz = 0;
}

static int make_tape(struct stem_engine *engine, uint32_t rate, struct stem_error *error)
{
    const struct stem_layout *layout = engine->layout;
    /* All of the seconds that were asked for may become pre-roll. */
    uint64_t frames = (uint64_t)((engine->config->tape_seconds + STEM_SESSION_ROOM_SECONDS) * rate);
    engine->tape = stem_tape_create(
        layout->channels, layout->track_count, frames, true, &engine->tape_locked, error);
    if (!engine->tape)
        return -1;
    double megabytes = (double)stem_tape_bytes(engine->tape) / 1e6;
    stem_log(STEM_LOG_INFO, "the tape holds %.0f s of %u tracks at %u Hz in %.0f MB",
        engine->config->tape_seconds, layout->track_count, rate, megabytes);
    if (!engine->tape_locked)
        stem_log(STEM_LOG_WARNING,
            "the tape's %.0f MB could not be locked in memory and may be swapped out: raise the "
            "memory-lock limit (LimitMEMLOCK= of the service, or memlock in limits.conf)",
            megabytes);
    return 0;
}

static int make_mix(struct stem_engine *engine, uint32_t rate, struct stem_error *error)
{
    const struct stem_layout *layout = engine->layout;
    engine->mix = stem_mix_create(layout->channels, layout->track_count, layout->port_count,
        layout->routes, layout->route_count, rate, error);
    if (!engine->mix)
        return -1;
    for (uint32_t t = 0; t < layout->track_count; t++)
        stem_mix_begin_muted(engine->mix, t, engine->muted[t]);
    return 0;
}

static int writer_count(const struct stem_engine *engine)
{
    return engine->config->mirror ? STEM_TAPE_HOLDERS : 1;
}

static int make_process(struct stem_engine *engine, struct stem_error *error)
{
    engine->process = (struct stem_process){
        .buffers = calloc(engine->layout->port_count + 1, sizeof *engine->process.buffers),
        .tape = engine->tape,
        .mix = engine->mix,
        .times = stem_cycle_times_create(),
    };
    engine->wall_times = stem_wall_times_create();
    bool whole = engine->process.buffers && engine->process.times && engine->wall_times;
    for (int h = 0; h < writer_count(engine); h++) {
        engine->xruns[h] = stem_ring_create(FACTS, sizeof(struct stem_fact));
        engine->facts[h] = stem_ring_create(FACTS, sizeof(struct stem_fact));
        engine->process.facts[h] = engine->facts[h];
        whole = whole && engine->xruns[h] && engine->facts[h];
    }
    return whole ? 0 : stem_error_set(error, "no memory for the process state");
}

static int make_writer(
    struct stem_engine *engine, int holder, uint32_t rate, struct stem_error *error)
{
    const struct stem_config *config = engine->config;
    bool is_mirror = holder == STEM_TAPE_MIRROR;
    const struct stem_session_params params = {
        .config = config,
        .layout = engine->layout,
        .mix = engine->mix,
        .tape = engine->tape,
        .holder = (enum stem_tape_holder)holder,
        .is_shared = config->mirror != NULL,
        .missed = &engine->process.missed[holder],
        .facts = engine->facts[holder],
        .xruns = engine->xruns[holder],
        .takes = is_mirror ? config->mirror : config->takes,
        .spare = is_mirror ? NULL : config->spare,
        .mirror = is_mirror ? config->takes : config->mirror,
        .cycle_times = engine->process.times,
        .wall_times = engine->wall_times,
        .rate_hz = rate,
    };
    engine->writers[holder] = stem_writer_create(&params, engine->wake_fd, error);
    return engine->writers[holder] ? 0 : -1;
}

static int make_writers(struct stem_engine *engine, uint32_t rate, struct stem_error *error)
{
    for (int h = 0; h < writer_count(engine); h++)
        if (make_writer(engine, h, rate, error))
            return -1;
    return 0;
}

static int build(struct stem_engine *engine, uint32_t rate, struct stem_error *error)
{
    if (make_tape(engine, rate, error) || make_mix(engine, rate, error) ||
        make_process(engine, error) || make_writers(engine, rate, error)) {
        take_down(engine);
        return -1;
    }
    engine->rate_hz = rate;
    return 0;
}

/* What belongs to one server */

static void wake_writers(void *argument)
{
    struct stem_engine *engine = argument;
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        if (engine->writers[h])
            stem_writer_wake(engine->writers[h]);
}

/* Where the timeline goes on: as many frames later as the clock says. Called by the keeper while
 * the process thread does not run. */
static void resume_timeline(void *argument)
{
    struct stem_engine *engine = argument;
    if (!engine->process.started)
        return;
    double seconds = (double)(now_ns() - engine->lost_ns) / 1e9;
    uint64_t away = (uint64_t)(seconds * engine->rate_hz);
    stem_timeline_resume(&engine->process.timeline, engine->process.timeline.next + away);
}

/* Whether a writer has a take open. */
static bool is_open(const struct stem_writer *writer)
{
    int state = writer
                    ? atomic_load_explicit(&stem_writer_status(writer)->state, memory_order_relaxed)
                    : (int)STEM_STATE_IDLE;
    return state == STEM_STATE_RECORDING || state == STEM_STATE_STOPPING;
}

static bool is_recording(const struct stem_engine *engine)
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        if (is_open(engine->writers[h]))
            return true;
    return false;
}

/* Gives a command to all writers. False when one's queue is full. */
static bool tell_writers(struct stem_engine *engine, const struct stem_command *command)
{
    bool sent = true;
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        if (engine->writers[h])
            sent = stem_writer_send(engine->writers[h], command) && sent;
    return sent;
}

static void end_take(struct stem_engine *engine, enum stem_command_type type)
{
    const struct stem_command command = {
        .type = type, .is_internal = true, .frame = stem_engine_now(engine)};
    tell_writers(engine, &command);
}

static bool have_ended(const struct stem_engine *engine)
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        if (engine->writers[h] && !atomic_load(&stem_writer_status(engine->writers[h])->ended))
            return false;
    return true;
}

/* At another rate nothing of the old engine can be used; its take is ended first, as asked. False
 * while that is under way. */
static bool leave_old_rate(struct stem_engine *engine, uint32_t rate)
{
    if (!engine->tape || engine->rate_hz == rate)
        return true;
    if (!engine->is_draining) {
        stem_log(STEM_LOG_WARNING, "the JACK server is back at %u Hz instead of %u Hz", rate,
            engine->rate_hz);
        snprintf(engine->trouble, sizeof engine->trouble,
            "the JACK server is back at another rate, and the take is being ended");
        end_take(engine, STEM_COMMAND_QUIT);
        engine->is_draining = true;
        return false;
    }
    if (!have_ended(engine))
        return false;
    engine->is_draining = false;
    take_down(engine);
    return true;
}

/* A client is open: makes what its rate needs, and lets it run. */
static int go_on_server(struct stem_engine *engine, struct stem_error *error)
{
    uint32_t rate = stem_jack_rate(stem_keeper_jack(engine->keeper));
    if (!leave_old_rate(engine, rate))
        return 0;
    if (!engine->tape && build(engine, rate, error))
        return -1;
    engine->shared = (struct stem_jack_shared){
        .wake_fd = engine->wake_fd,
        .names = engine->names,
        .xruns = {engine->xruns[STEM_TAPE_WRITER], engine->xruns[STEM_TAPE_MIRROR]},
        .process = &engine->process,
        .wake_writer = wake_writers,
        .writer = engine,
        .before_activation = resume_timeline,
        .engine = engine,
    };
    stem_keeper_activate(engine->keeper, &engine->shared);
    return 0;
}

static void now_on_server(struct stem_engine *engine)
{
    engine->is_on = true;
    engine->failures = 0;
    engine->trouble[0] = '\0';
    engine->cycled_ns = now_ns();
    engine->told_end = false;
    stem_log(STEM_LOG_INFO, "on JACK server \"%s\" at %u Hz with %u ports, %u of them connected",
        engine->config->server, engine->rate_hz, engine->layout->port_count,
        stem_keeper_made(engine->keeper));
}

/* No client: says why, and looks for the server again. */
static void look_for_server(struct stem_engine *engine)
{
    const char *trouble = stem_keeper_trouble(engine->keeper);
    if (trouble[0] && strcmp(engine->trouble, trouble) != 0)
        stem_log(STEM_LOG_INFO, "waiting: %s", trouble);
    if (trouble[0])
        snprintf(engine->trouble, sizeof engine->trouble, "%s", trouble);
    if (engine->asked_ns && now_ns() - engine->asked_ns < OPEN_AGAIN_NS)
        return;
    engine->asked_ns = now_ns();
    stem_keeper_open(engine->keeper);
}

/* The server refused ports or activation. One that died meanwhile is waited for; a living one that
 * refuses again and again will go on to do so. */
static int after_refusal(struct stem_engine *engine, struct stem_error *error)
{
    bool gone = atomic_load(&engine->shared.server_gone);
    if (!gone && ++engine->failures == MOST_FAILURES)
        return stem_error_set(error, "%s", stem_keeper_trouble(engine->keeper));
    stem_keeper_close(engine->keeper, gone);
    return 0;
}

static void lose_server(struct stem_engine *engine, const char *how, int64_t when_ns)
{
    stem_log(STEM_LOG_ERROR, "the JACK server \"%s\" %s", engine->config->server, how);
    snprintf(engine->trouble, sizeof engine->trouble, "the JACK server \"%s\" %s",
        engine->config->server, how);
    engine->is_on = false;
    engine->lost_ns = when_ns;
    stem_keeper_close(engine->keeper, true);
}

/* A server that does not call us any more, without a word. */
static bool is_silent(struct stem_engine *engine)
{
    uint64_t cycles = atomic_load_explicit(&engine->process.cycles, memory_order_relaxed);
    int64_t now = now_ns();
    if (cycles != engine->cycles_seen) {
        engine->cycles_seen = cycles;
        engine->cycled_ns = now;
    }
    double most =
        atomic_load(&engine->shared.freewheel) ? FREEWHEEL_SILENCE_SECONDS : SILENCE_SECONDS;
    return (double)(now - engine->cycled_ns) / 1e9 > most;
}

/* What was refused is tried again some times a second. */
static bool is_time_to_connect(struct stem_engine *engine)
{
    if (now_ns() - engine->connected_ns < CONNECT_AGAIN_NS)
        return false;
    engine->connected_ns = now_ns();
    return true;
}

static void watch_server(struct stem_engine *engine)
{
    if (!engine->is_on)
        now_on_server(engine);
    if (atomic_load(&engine->shared.server_gone))
        lose_server(engine, "is gone", now_ns());
    else if (is_silent(engine))
        lose_server(engine, "has come to a stand", engine->cycled_ns);
    else if (atomic_exchange(&engine->shared.ports_changed, false) ||
             (stem_keeper_refused(engine->keeper) && is_time_to_connect(engine)))
        stem_keeper_connect(engine->keeper);
}

/* A take does not wait for ever for a server that is lost. */
static void watch_lost_take(struct stem_engine *engine)
{
    double most = engine->config->server_wait_seconds;
    if (engine->is_on || !engine->lost_ns || engine->told_end || most == 0 ||
        !is_recording(engine) || (double)(now_ns() - engine->lost_ns) / 1e9 < most)
        return;
    engine->told_end = true;
    stem_log(STEM_LOG_WARNING, "the JACK server was gone for %.0f s: the take ends", most);
    end_take(engine, STEM_COMMAND_STOP);
}

/* A call that does not return is told; one that never will can only be left with the process. */
static int watch_calls(struct stem_engine *engine, struct stem_error *error)
{
    double seconds = stem_keeper_waits(engine->keeper);
    if (seconds < SLOW_CALL_SECONDS) {
        engine->told_slow_call = false;
        return 0;
    }
    if (!engine->told_slow_call)
        stem_log(STEM_LOG_WARNING, "JACK server \"%s\" does not answer", engine->config->server);
    engine->told_slow_call = true;
    if (!engine->is_on)
        snprintf(engine->trouble, sizeof engine->trouble,
            "JACK server \"%s\" has not answered for %.0f s", engine->config->server, seconds);
    if (seconds < HOPELESS_CALL_SECONDS || is_recording(engine))
        return 0;
    return stem_error_set(error,
        "JACK's library has not returned for %.0f s: stemd ends, so that it can be started anew",
        seconds);
}

int stem_engine_tend(struct stem_engine *engine, struct stem_error *error)
{
    int status = 0;
    switch (stem_keeper_state(engine->keeper)) {
    case STEM_KEEPER_AWAY:
        look_for_server(engine);
        break;
    case STEM_KEEPER_OPEN:
        status = go_on_server(engine, error);
        break;
    case STEM_KEEPER_RUNNING:
        watch_server(engine);
        break;
    case STEM_KEEPER_FAILED:
        status = after_refusal(engine, error);
        break;
    case STEM_KEEPER_OPENING:
    case STEM_KEEPER_ACTIVATING:
    case STEM_KEEPER_CLOSING:
        break;
    }
    watch_lost_take(engine);
    return status ? status : watch_calls(engine, error);
}

bool stem_engine_destroy(struct stem_engine *engine)
{
    if (!engine)
        return true;
    if (!stem_keeper_destroy(engine->keeper, END_PATIENCE_SECONDS))
        return false;
    take_down(engine);
    stem_connections_destroy(engine->connections);
    stem_ring_destroy(engine->names);
    free(engine->muted);
    free(engine);
    return true;
}

bool stem_engine_running(const struct stem_engine *engine)
{
    return engine->is_on;
}

const char *stem_engine_trouble(const struct stem_engine *engine)
{
    return engine->trouble;
}

/* Commands and events */

static void look_at_clocks(struct stem_engine *engine)
{
    struct stem_wall_look look;
    if (!stem_clock_pair_look(jack_get_time, &look))
        return; /* the wall clock was set just now: the next one tells how */
    stem_wall_times_note(engine->wall_times, &look);
    engine->looked_ns = now_ns();
}

/* JACK's library sets its clock up with the first client, and there is a tape only then. */
void stem_engine_look(struct stem_engine *engine)
{
    if (engine->tape && now_ns() - engine->looked_ns >= LOOK_NS)
        look_at_clocks(engine);
}

int stem_engine_send(struct stem_engine *engine, const struct stem_command *command)
{
    if (!engine->writers[STEM_TAPE_WRITER] || engine->is_draining)
        return STEM_CODE_SERVER;
    struct stem_command whole = *command;
    if (command->when_ns)
        look_at_clocks(engine);
    whole.wall_looks = stem_wall_times_count(engine->wall_times);
    clock_gettime(CLOCK_REALTIME, &whole.wall);
    whole.wall_frame = stem_engine_now(engine);
    if (getrandom(&whole.seed, sizeof whole.seed, GRND_NONBLOCK) != (ssize_t)sizeof whole.seed)
        whole.seed = (uint64_t)now_ns();
    return tell_writers(engine, &whole) ? 0 : STEM_CODE_BUSY;
}

bool stem_engine_receive(struct stem_engine *engine, struct stem_event *event, bool *is_mirror)
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++) {
        *is_mirror = h == STEM_TAPE_MIRROR;
        if (engine->writers[h] && stem_writer_receive(engine->writers[h], event))
            return true;
    }
    return false;
}

unsigned stem_engine_writers(const struct stem_engine *engine)
{
    return (unsigned)writer_count(engine);
}

uint64_t stem_engine_now(const struct stem_engine *engine)
{
    return engine->tape ? stem_tape_written(engine->tape) : 0;
}

void stem_engine_set_mute(struct stem_engine *engine, uint32_t track, bool muted)
{
    engine->muted[track] = muted;
    if (engine->mix)
        stem_mix_set_mute(engine->mix, track, muted);
}

bool stem_engine_muted(const struct stem_engine *engine, uint32_t track)
{
    return engine->muted[track];
}

/* Figures */

static double tape_used(const struct stem_engine *engine)
{
    uint64_t held = stem_tape_held(engine->tape, STEM_TAPE_WRITER),
             written = stem_tape_written(engine->tape);
    if (held == STEM_TAPE_NOTHING_HELD || held >= written)
        return 0;
    double used = (double)(written - held) / (double)stem_tape_capacity(engine->tape);
    return used < 1 ? used : 1;
}

void stem_engine_figures(const struct stem_engine *engine, struct stem_engine_figures *figures)
{
    *figures = (struct stem_engine_figures){.tape_seconds = engine->config->tape_seconds};
    if (!engine->tape)
        return;
    figures->rate_hz = engine->rate_hz;
    figures->tape_locked = engine->tape_locked;
    figures->tape_used = tape_used(engine);
    figures->cycles = atomic_load_explicit(&engine->process.cycles, memory_order_relaxed);
    if (!engine->is_on)
        return;
    figures->period_frames = atomic_load(&engine->shared.period_frames);
    figures->freewheel = atomic_load(&engine->shared.freewheel);
}

/* The writer's, or the mirror's when only that one has a take open. */
const struct stem_session_status *stem_engine_status(const struct stem_engine *engine)
{
    struct stem_writer *writer = engine->writers[STEM_TAPE_WRITER];
    struct stem_writer *mirror = engine->writers[STEM_TAPE_MIRROR];
    if (writer && !is_open(writer) && is_open(mirror))
        writer = mirror;
    return writer ? stem_writer_status(writer) : NULL;
}

const struct stem_session_status *stem_engine_mirror_status(const struct stem_engine *engine)
{
    struct stem_writer *mirror = engine->writers[STEM_TAPE_MIRROR];
    return mirror ? stem_writer_status(mirror) : NULL;
}

unsigned stem_engine_connected(const struct stem_engine *engine, uint32_t port)
{
    if (!engine->is_on)
        return 0;
    return (unsigned)jack_port_connected(stem_jack_port(stem_keeper_jack(engine->keeper), port));
}

float stem_engine_peak(const struct stem_engine *engine, uint32_t track, double seconds)
{
    return engine->tape
               ? stem_meters_peak(engine->tape, track, (uint64_t)(seconds * engine->rate_hz))
               : 0;
}

bool stem_engine_residual(
    const struct stem_engine *engine, double seconds, struct stem_meters_residual *residual)
{
    return engine->tape && stem_meters_residual(engine->tape, engine->layout,
                               (uint64_t)(seconds * engine->rate_hz), residual);
}

double stem_engine_waits(const struct stem_engine *engine)
{
    return stem_keeper_waits(engine->keeper);
}
