#include "engine_parts.h"

#include "log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { OPEN_AGAIN_NS = 1000000000, CONNECT_AGAIN_NS = 200000000, MOST_FAILURES = 3 };

/* JACK may wait ten seconds for a client in freewheel; a stopped server may go on. What is silent
 * for longer is gone: PipeWire's JACK does not say so. */
#define SILENCE_SECONDS 12.0
#define FREEWHEEL_SILENCE_SECONDS 30.0
/* Control looks once a second, when nothing holds it up. */
#define WATCHED_SECONDS 3.0
/* Calls into JACK's library that take longer are told. */
#define SLOW_CALL_SECONDS 5.0
#define HOPELESS_CALL_SECONDS 60.0

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double seconds_since(int64_t then_ns)
{
    return (double)(now_ns() - then_ns) / 1e9;
}

static bool is_recording(const struct stem_engine *engine)
{
    return engine->rig && stem_writers_recording(stem_rig_writers(engine->rig));
}

/* It comes */

static void wake_writers(void *rig)
{
    stem_writers_wake(stem_rig_writers(rig));
}

/* The timeline goes on as many frames later as the clock says. Called by the keeper while the
 * process thread does not run. */
static void resume_timeline(void *argument)
{
    struct stem_engine *engine = argument;
    stem_rig_resume(engine->rig, engine->lost_end, seconds_since(engine->lost_ns));
}

/* At another rate nothing of the old rig can be used; its take is ended first, as asked. False
 * while that is under way. */
static bool leave_old_rate(struct stem_engine *engine, uint32_t rate)
{
    if (!engine->rig || stem_rig_rate_hz(engine->rig) == rate)
        return true;
    if (!engine->is_draining) {
        stem_log(STEM_LOG_WARNING, "the JACK server is back at %u Hz instead of %u Hz", rate,
            stem_rig_rate_hz(engine->rig));
        snprintf(engine->trouble, sizeof engine->trouble,
            "the JACK server is back at another rate, and the take is being ended");
        stem_rig_end_take(engine->rig, STEM_COMMAND_QUIT);
        engine->is_draining = true;
        return false;
    }
    if (!stem_writers_ended(stem_rig_writers(engine->rig)))
        return false;
    engine->is_draining = false;
    stem_rig_destroy(engine->rig);
    engine->rig = NULL;
    return true;
}

/* A client is open: makes what its rate needs, and lets it run. */
static int go_on_server(struct stem_engine *engine, struct stem_error *error)
{
    uint32_t rate = stem_jack_rate(stem_keeper_jack(engine->keeper));
    if (!leave_old_rate(engine, rate))
        return 0;
    if (!engine->rig)
        engine->rig = stem_rig_create(
            engine->config, engine->layout, engine->muted, engine->wake_fd, rate, error);
    if (!engine->rig)
        return -1;
    engine->shared = (struct stem_jack_shared){
        .wake_fd = engine->wake_fd,
        .names = engine->names,
        .xruns = {stem_rig_xruns(engine->rig, STEM_TAPE_WRITER),
            stem_rig_xruns(engine->rig, STEM_TAPE_MIRROR)},
        .process = stem_rig_process(engine->rig),
        .wake_writer = wake_writers,
        .writer = engine->rig,
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
    engine->cycled_ns = engine->watched_ns = now_ns();
    engine->cycled_end = stem_rig_end(engine->rig);
    engine->told_end = false;
    stem_log(STEM_LOG_INFO, "on JACK server \"%s\" at %u Hz with %u ports, %u of them connected",
        engine->config->server, stem_rig_rate_hz(engine->rig), engine->layout->port_count,
        stem_keeper_made(engine->keeper));
}

/* It is away */

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

/* A take does not wait for ever for a server that is lost. */
static void watch_lost_take(struct stem_engine *engine)
{
    double most = engine->config->server_wait_seconds;
    if (engine->is_on || !engine->lost_ns || engine->told_end || most == 0 ||
        !is_recording(engine) || seconds_since(engine->lost_ns) < most)
        return;
    engine->told_end = true;
    stem_log(STEM_LOG_WARNING, "the JACK server was gone for %.0f s: the take ends", most);
    stem_rig_end_take(engine->rig, STEM_COMMAND_STOP);
}

/* It is there */

static void lose_server(struct stem_engine *engine, const char *how, int64_t when_ns, uint64_t end)
{
    stem_log(STEM_LOG_ERROR, "the JACK server \"%s\" %s", engine->config->server, how);
    snprintf(engine->trouble, sizeof engine->trouble, "the JACK server \"%s\" %s",
        engine->config->server, how);
    engine->is_on = false;
    engine->lost_ns = when_ns;
    engine->lost_end = end;
    stem_keeper_close(engine->keeper, true);
}

/* A server that does not call us any more, without a word; unless we were stopped ourselves. */
static bool is_silent(struct stem_engine *engine)
{
    uint64_t cycles = stem_rig_cycles(engine->rig);
    bool watched = seconds_since(engine->watched_ns) < WATCHED_SECONDS;
    engine->watched_ns = now_ns();
    if (cycles != engine->cycles_seen || !watched) {
        engine->cycles_seen = cycles;
        engine->cycled_ns = now_ns();
        engine->cycled_end = stem_rig_end(engine->rig);
    }
    double most =
        atomic_load(&engine->shared.freewheel) ? FREEWHEEL_SILENCE_SECONDS : SILENCE_SECONDS;
    return seconds_since(engine->cycled_ns) > most;
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
        lose_server(engine, "is gone", now_ns(), stem_rig_end(engine->rig));
    else if (is_silent(engine))
        lose_server(engine, "has come to a stand", engine->cycled_ns, engine->cycled_end);
    else if (atomic_exchange(&engine->shared.ports_changed, false) ||
             (stem_keeper_refused(engine->keeper) && is_time_to_connect(engine)))
        stem_keeper_connect(engine->keeper);
}

/* Its library */

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
