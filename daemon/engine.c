#include "engine.h"

#include "connections.h"
#include "jack_client.h"
#include "log.h"
#include "meters.h"
#include "process.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FACTS = 1024 };

struct stem_engine {
    const struct stem_config *config;
    const struct stem_layout *layout;
    int wake_fd;
    struct stem_connections *connections;
    bool *muted;
    char trouble[STEM_ERROR_BYTES];

    /* for one rate; all NULL before the first server */
    uint32_t rate_hz;
    bool tape_locked;
    struct stem_tape *tape;
    struct stem_mix *mix;
    struct stem_ring *facts;
    struct stem_ring *xruns;
    struct stem_process process;
    struct stem_writer *writer;

    /* for one server; NULL while there is none */
    struct stem_jack *jack;
    struct stem_jack_shared shared;
    int64_t lost_ns; /* monotonic time at which the last server went */
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
    engine->connections = stem_connections_create(layout, error);
    if (!engine->muted || !engine->connections) {
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
    stem_writer_destroy(engine->writer);
    free(engine->process.buffers);
    stem_ring_destroy(engine->xruns);
    stem_ring_destroy(engine->facts);
    stem_mix_destroy(engine->mix);
    stem_tape_destroy(engine->tape);
    engine->writer = NULL;
    engine->process = (struct stem_process){0};
    engine->xruns = engine->facts = NULL;
    engine->mix = NULL;
    engine->tape = NULL;
    engine->rate_hz = 0;
}

static int make_tape(struct stem_engine *engine, uint32_t rate, struct stem_error *error)
{
    const struct stem_layout *layout = engine->layout;
    uint64_t frames = (uint64_t)(engine->config->tape_seconds * rate);
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

static int make_process(struct stem_engine *engine, struct stem_error *error)
{
    engine->facts = stem_ring_create(FACTS, sizeof(struct stem_fact));
    engine->xruns = stem_ring_create(FACTS, sizeof(struct stem_fact));
    engine->process = (struct stem_process){
        .buffers = calloc(engine->layout->port_count + 1, sizeof *engine->process.buffers),
        .tape = engine->tape,
        .mix = engine->mix,
        .facts = engine->facts,
    };
    if (!engine->facts || !engine->xruns || !engine->process.buffers)
        return stem_error_set(error, "no memory for the process state");
    return 0;
}

static int make_writer(struct stem_engine *engine, uint32_t rate, struct stem_error *error)
{
    const struct stem_session_params params = {
        .config = engine->config,
        .layout = engine->layout,
        .mix = engine->mix,
        .tape = engine->tape,
        .facts = engine->facts,
        .xruns = engine->xruns,
        .takes = engine->config->takes,
        .spare = engine->config->spare,
        .rate_hz = rate,
    };
    engine->writer = stem_writer_create(&params, engine->wake_fd, error);
    return engine->writer ? 0 : -1;
}

static int build(struct stem_engine *engine, uint32_t rate, struct stem_error *error)
{
    if (make_tape(engine, rate, error) || make_mix(engine, rate, error) ||
        make_process(engine, error) || make_writer(engine, rate, error)) {
        take_down(engine);
        return -1;
    }
    engine->rate_hz = rate;
    return 0;
}

/* What belongs to one server */

static void wake_writer(void *writer)
{
    stem_writer_wake(writer);
}

/* Where the timeline goes on: as many frames later as the clock says. */
static void resume_timeline(struct stem_engine *engine)
{
    if (!engine->process.started)
        return;
    double seconds = (double)(now_ns() - engine->lost_ns) / 1e9;
    uint64_t away = (uint64_t)(seconds * engine->rate_hz);
    stem_timeline_resume(&engine->process.timeline, engine->process.timeline.next + away);
}

static int prepare(struct stem_engine *engine, uint32_t rate, struct stem_error *error)
{
    if (engine->tape && engine->rate_hz != rate) {
        stem_log(STEM_LOG_WARNING, "the JACK server is back at %u Hz instead of %u Hz", rate,
            engine->rate_hz);
        take_down(engine);
    }
    if (!engine->tape)
        return build(engine, rate, error);
    resume_timeline(engine);
    return 0;
}

static int connect_server(struct stem_engine *engine, struct stem_error *error)
{
    struct stem_error trouble = {0};
    engine->jack = stem_jack_open(engine->config->client, engine->config->server, &trouble);
    if (!engine->jack) {
        if (strcmp(engine->trouble, trouble.text) != 0)
            stem_log(STEM_LOG_INFO, "waiting: %s", trouble.text);
        memcpy(engine->trouble, trouble.text, sizeof engine->trouble);
        return 0;
    }
    if (prepare(engine, stem_jack_rate(engine->jack), error))
        return -1;
    engine->shared = (struct stem_jack_shared){
        .wake_fd = engine->wake_fd,
        .xruns = engine->xruns,
        .process = &engine->process,
        .wake_writer = wake_writer,
        .writer = engine->writer,
    };
    if (stem_jack_activate(engine->jack, engine->layout, &engine->shared, error))
        return -1;
    engine->trouble[0] = '\0';
    stem_connections_forget(engine->connections);
    unsigned made = stem_connections_update(engine->connections, engine->jack);
    stem_log(STEM_LOG_INFO, "on JACK server \"%s\" at %u Hz with %u ports, %u of them connected",
        engine->config->server, engine->rate_hz, engine->layout->port_count, made);
    return 0;
}

static void leave_server(struct stem_engine *engine)
{
    if (!engine->jack)
        return;
    stem_jack_close(engine->jack);
    engine->jack = NULL;
    engine->lost_ns = now_ns();
}

int stem_engine_tend(struct stem_engine *engine, struct stem_error *error)
{
    if (engine->jack && atomic_load(&engine->shared.server_gone)) {
        stem_log(STEM_LOG_ERROR, "the JACK server \"%s\" is gone", engine->config->server);
        leave_server(engine);
    }
    if (!engine->jack)
        return connect_server(engine, error);
    if (atomic_exchange(&engine->shared.ports_changed, false))
        stem_connections_update(engine->connections, engine->jack);
    return 0;
}

void stem_engine_destroy(struct stem_engine *engine)
{
    if (!engine)
        return;
    leave_server(engine);
    take_down(engine);
    stem_connections_destroy(engine->connections);
    free(engine->muted);
    free(engine);
}

bool stem_engine_running(const struct stem_engine *engine)
{
    return engine->jack != NULL;
}

const char *stem_engine_trouble(const struct stem_engine *engine)
{
    return engine->trouble;
}

/* Commands and events */

int stem_engine_send(struct stem_engine *engine, const struct stem_command *command)
{
    if (!engine->writer)
        return STEM_CODE_SERVER;
    return stem_writer_send(engine->writer, command) ? 0 : STEM_CODE_BUSY;
}

bool stem_engine_receive(struct stem_engine *engine, struct stem_event *event)
{
    return engine->writer && stem_writer_receive(engine->writer, event);
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
    uint64_t held = stem_tape_held(engine->tape), written = stem_tape_written(engine->tape);
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
    if (!engine->jack)
        return;
    figures->period_frames = atomic_load(&engine->shared.period_frames);
    figures->freewheel = atomic_load(&engine->shared.freewheel);
}

const struct stem_session_status *stem_engine_status(const struct stem_engine *engine)
{
    return engine->writer ? stem_writer_status(engine->writer) : NULL;
}

unsigned stem_engine_connected(const struct stem_engine *engine, uint32_t port)
{
    if (!engine->jack)
        return 0;
    return (unsigned)jack_port_connected(stem_jack_port(engine->jack, port));
}

float stem_engine_peak(const struct stem_engine *engine, uint32_t track, double seconds)
{
    return engine->tape
               ? stem_meters_peak(engine->tape, track, (uint64_t)(seconds * engine->rate_hz))
               : 0;
}
