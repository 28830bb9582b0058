#include "rig.h"

#include "clock_pair.h"
#include "log.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum { FACTS = 1024 };
/* Between two looks at the clocks, at least. */
enum { LOOK_NS = 20000000 };

struct stem_rig {
    const struct stem_config *config;
    const struct stem_layout *layout;
    uint32_t rate_hz;
    bool tape_locked;
    struct stem_tape *tape;
    struct stem_mix *mix;
    struct stem_ring *facts[STEM_TAPE_HOLDERS];
    struct stem_ring *xruns[STEM_TAPE_HOLDERS];
    struct stem_process process;
    struct stem_wall_times *wall_times;
    int64_t looked_ns; /* when the clocks were last looked at */
    struct stem_writers writers;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Making it */

static int make_tape(struct stem_rig *rig, struct stem_error *error)
{
    const struct stem_layout *layout = rig->layout;
    double seconds = rig->config->tape_seconds;
    /* All of the seconds that were asked for may become pre-roll. */
    uint64_t frames = (uint64_t)((seconds + STEM_SESSION_ROOM_SECONDS) * rig->rate_hz);
    rig->tape = stem_tape_create(
        layout->channels, layout->track_count, frames, true, &rig->tape_locked, error);
    if (!rig->tape)
        return -1;
    double megabytes = (double)stem_tape_bytes(rig->tape) / 1e6;
    stem_log(STEM_LOG_INFO, "the tape holds %.0f s of %u tracks at %u Hz in %.0f MB", seconds,
        layout->track_count, rig->rate_hz, megabytes);
    if (!rig->tape_locked)
        stem_log(STEM_LOG_WARNING,
            "the tape's %.0f MB could not be locked in memory and may be swapped out: raise the "
            "memory-lock limit (LimitMEMLOCK= of the service, or memlock in limits.conf)",
            megabytes);
    return 0;
}

static int make_mix(struct stem_rig *rig, const bool *muted, struct stem_error *error)
{
    const struct stem_layout *layout = rig->layout;
    rig->mix = stem_mix_create(layout->channels, layout->track_count, layout->port_count,
        layout->routes, layout->route_count, rig->rate_hz, error);
    if (!rig->mix)
        return -1;
    for (uint32_t t = 0; t < layout->track_count; t++)
        stem_mix_begin_muted(rig->mix, t, muted[t]);
    return 0;
}

static int make_process(struct stem_rig *rig, struct stem_error *error)
{
    rig->process = (struct stem_process){
        .buffers = calloc(rig->layout->port_count + 1, sizeof *rig->process.buffers),
        .tape = rig->tape,
        .mix = rig->mix,
        .times = stem_cycle_times_create(),
    };
    rig->wall_times = stem_wall_times_create();
    bool whole = rig->process.buffers && rig->process.times && rig->wall_times;
    for (unsigned h = 0; h < stem_writers_count(rig->config); h++) {
        rig->xruns[h] = stem_ring_create(FACTS, sizeof(struct stem_fact));
        rig->facts[h] = stem_ring_create(FACTS, sizeof(struct stem_fact));
        rig->process.facts[h] = rig->facts[h];
        whole = whole && rig->xruns[h] && rig->facts[h];
    }
    return whole ? 0 : stem_error_set(error, "no memory for the process state");
}

static int make_writer(
    struct stem_rig *rig, enum stem_tape_holder holder, int wake_fd, struct stem_error *error)
{
    const struct stem_config *config = rig->config;
    bool is_mirror = holder == STEM_TAPE_MIRROR;
    const struct stem_session_params params = {
        .config = config,
        .layout = rig->layout,
        .mix = rig->mix,
        .tape = rig->tape,
        .holder = holder,
        .is_shared = config->mirror != NULL,
        .missed = &rig->process.missed[holder],
        .facts = rig->facts[holder],
        .xruns = rig->xruns[holder],
        .takes = is_mirror ? config->mirror : config->takes,
        .spare = is_mirror ? NULL : config->spare,
        .mirror = is_mirror ? config->takes : config->mirror,
        .cycle_times = rig->process.times,
        .wall_times = rig->wall_times,
        .rate_hz = rig->rate_hz,
    };
    rig->writers.of[holder] = stem_writer_create(&params, wake_fd, error);
    return rig->writers.of[holder] ? 0 : -1;
}

static int make_writers(struct stem_rig *rig, int wake_fd, struct stem_error *error)
{
    for (unsigned h = 0; h < stem_writers_count(rig->config); h++)
        if (make_writer(rig, (enum stem_tape_holder)h, wake_fd, error))
            return -1;
    return 0;
}

struct stem_rig *stem_rig_create(const struct stem_config *config, const struct stem_layout *layout,
    const bool *muted, int wake_fd, uint32_t rate_hz, struct stem_error *error)
{
    struct stem_rig *rig = calloc(1, sizeof *rig);
    if (!rig) {
        stem_error_set(error, "no memory for what the sample rate needs");
        return NULL;
    }
    rig->config = config;
    rig->layout = layout;
    rig->rate_hz = rate_hz;
    if (make_tape(rig, error) || make_mix(rig, muted, error) || make_process(rig, error) ||
        make_writers(rig, wake_fd, error)) {
        stem_rig_destroy(rig);
        return NULL;
    }
    return rig;
}

void stem_rig_destroy(struct stem_rig *rig)
{
    if (!rig)
        return;
    stem_writers_destroy(&rig->writers);
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++) {
        stem_ring_destroy(rig->xruns[h]);
        stem_ring_destroy(rig->facts[h]);
    }
    free(rig->process.buffers);
    stem_cycle_times_destroy(rig->process.times);
    stem_wall_times_destroy(rig->wall_times);
    stem_mix_destroy(rig->mix);
    stem_tape_destroy(rig->tape);
    free(rig);
}

/* For its client */

uint32_t stem_rig_rate_hz(const struct stem_rig *rig)
{
    return rig->rate_hz;
}

struct stem_process *stem_rig_process(struct stem_rig *rig)
{
    return &rig->process;
}

struct stem_ring *stem_rig_xruns(struct stem_rig *rig, enum stem_tape_holder holder)
{
    return rig->xruns[holder];
}

uint64_t stem_rig_cycles(const struct stem_rig *rig)
{
    return atomic_load_explicit(&rig->process.cycles, memory_order_relaxed);
}

uint64_t stem_rig_end(const struct stem_rig *rig)
{
    return atomic_load_explicit(&rig->process.end, memory_order_relaxed);
}

void stem_rig_resume(struct stem_rig *rig, uint64_t frame, double seconds)
{
    if (rig->process.started)
        stem_timeline_resume(&rig->process.timeline, frame + (uint64_t)(seconds * rig->rate_hz));
}

/* Commands */

uint64_t stem_rig_now(const struct stem_rig *rig)
{
    return stem_tape_written(rig->tape);
}

static void look_at_clocks(struct stem_rig *rig)
{
    struct stem_wall_look look;
    if (!stem_clock_pair_look(jack_get_time, &look))
        return; /* the wall clock was set just now: the next one tells how */
    stem_wall_times_note(rig->wall_times, &look);
    rig->looked_ns = now_ns();
}

void stem_rig_look(struct stem_rig *rig)
{
    if (now_ns() - rig->looked_ns >= LOOK_NS)
        look_at_clocks(rig);
}

bool stem_rig_send(struct stem_rig *rig, const struct stem_command *command)
{
    struct stem_command whole = *command;
    if (command->when_ns)
        look_at_clocks(rig);
    whole.wall_looks = stem_wall_times_count(rig->wall_times);
    clock_gettime(CLOCK_REALTIME, &whole.wall);
    whole.wall_frame = stem_rig_now(rig);
    if (getrandom(&whole.seed, sizeof whole.seed, GRND_NONBLOCK) != (ssize_t)sizeof whole.seed)
        whole.seed = (uint64_t)now_ns();
    return stem_writers_send(&rig->writers, &whole);
}

void stem_rig_end_take(struct stem_rig *rig, enum stem_command_type type)
{
    const struct stem_command command = {
        .type = type, .is_internal = true, .frame = stem_rig_now(rig)};
    stem_writers_send(&rig->writers, &command);
}

void stem_rig_set_mute(struct stem_rig *rig, uint32_t track, bool muted)
{
    stem_mix_set_mute(rig->mix, track, muted);
}

struct stem_writers *stem_rig_writers(struct stem_rig *rig)
{
    return &rig->writers;
}

/* Figures */

bool stem_rig_tape_locked(const struct stem_rig *rig)
{
    return rig->tape_locked;
}

double stem_rig_tape_used(const struct stem_rig *rig)
{
    uint64_t held = stem_tape_held(rig->tape, STEM_TAPE_WRITER),
             written = stem_tape_written(rig->tape);
    if (held == STEM_TAPE_NOTHING_HELD || held >= written)
        return 0;
    double used = (double)(written - held) / (double)stem_tape_capacity(rig->tape);
    return used < 1 ? used : 1;
}

bool stem_rig_residual(
    const struct stem_rig *rig, double seconds, struct stem_meters_residual *residual)
{
    return stem_meters_residual(
        rig->tape, rig->layout, (uint64_t)(seconds * rig->rate_hz), residual);
}

float stem_rig_peak(const struct stem_rig *rig, uint32_t track, double seconds)
{
    return stem_meters_peak(rig->tape, track, (uint64_t)(seconds * rig->rate_hz));
}
