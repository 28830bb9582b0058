#include "engine_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* A call into JACK's library that is under way at the end may take this long. */
#define END_PATIENCE_SECONDS 10.0

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

bool stem_engine_destroy(struct stem_engine *engine)
{
    if (!engine)
        return true;
    if (!stem_keeper_destroy(engine->keeper, END_PATIENCE_SECONDS))
        return false;
    stem_rig_destroy(engine->rig);
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

double stem_engine_waits(const struct stem_engine *engine)
{
    return stem_keeper_waits(engine->keeper);
}

/* Commands and events */

/* JACK's library sets its clock up with the first client, and there is a rig only then. */
void stem_engine_look(struct stem_engine *engine)
{
    if (engine->rig)
        stem_rig_look(engine->rig);
}

int stem_engine_send(struct stem_engine *engine, const struct stem_command *command)
{
    if (!engine->rig || engine->is_draining)
        return STEM_CODE_SERVER;
    return stem_rig_send(engine->rig, command) ? 0 : STEM_CODE_BUSY;
}

bool stem_engine_receive(struct stem_engine *engine, struct stem_event *event, bool *is_mirror)
{
    return engine->rig && stem_writers_receive(stem_rig_writers(engine->rig), event, is_mirror);
}

unsigned stem_engine_writers(const struct stem_engine *engine)
{
    return stem_writers_count(engine->config);
}

uint64_t stem_engine_now(const struct stem_engine *engine)
{
    return engine->rig ? stem_rig_now(engine->rig) : 0;
}

void stem_engine_set_mute(struct stem_engine *engine, uint32_t track, bool muted)
{
    engine->muted[track] = muted;
    if (engine->rig)
        stem_rig_set_mute(engine->rig, track, muted);
}

bool stem_engine_muted(const struct stem_engine *engine, uint32_t track)
{
    return engine->muted[track];
}

/* Figures */

void stem_engine_figures(const struct stem_engine *engine, struct stem_engine_figures *figures)
{
    *figures = (struct stem_engine_figures){.tape_seconds = engine->config->tape_seconds};
    if (!engine->rig)
        return;
    figures->rate_hz = stem_rig_rate_hz(engine->rig);
    figures->tape_locked = stem_rig_tape_locked(engine->rig);
    figures->tape_used = stem_rig_tape_used(engine->rig);
    figures->cycles = stem_rig_cycles(engine->rig);
    if (!engine->is_on)
        return;
    figures->period_frames = atomic_load(&engine->shared.period_frames);
    figures->freewheel = atomic_load(&engine->shared.freewheel);
}

const struct stem_session_status *stem_engine_status(const struct stem_engine *engine)
{
    return engine->rig ? stem_writers_status(stem_rig_writers(engine->rig)) : NULL;
}

const struct stem_session_status *stem_engine_status_of(
    const struct stem_engine *engine, enum stem_tape_holder holder)
{
    return engine->rig ? stem_writers_status_of(stem_rig_writers(engine->rig), holder) : NULL;
}

unsigned stem_engine_connected(const struct stem_engine *engine, uint32_t port)
{
    if (!engine->is_on)
        return 0;
    return (unsigned)jack_port_connected(stem_jack_port(stem_keeper_jack(engine->keeper), port));
}

float stem_engine_peak(const struct stem_engine *engine, uint32_t track, double seconds)
{
    return engine->rig ? stem_rig_peak(engine->rig, track, seconds) : 0;
}

bool stem_engine_residual(
    const struct stem_engine *engine, double seconds, struct stem_meters_residual *residual)
{
    return engine->rig && stem_rig_residual(engine->rig, seconds, residual);
}
