#include "osc_status.h"

#include "gain.h"
#include "recording.h"
#include "take_state.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

/* Level of silence in messages: OSC and JSON have no infinity that everybody can read. */
#define SILENCE_DBFS (-200.0)
/* JACK calls that take longer are told. */
#define SLOW_CALL_SECONDS 5.0

static uint64_t figure(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static enum stem_state state_of(const struct stem_session_status *status)
{
    return status ? (enum stem_state)atomic_load_explicit(&status->state, memory_order_relaxed)
                  : STEM_STATE_IDLE;
}

void stem_osc_status_sentence(const struct stem_control *control, char *text, size_t size)
{
    const struct stem_session_status *status = stem_engine_status(control->engine);
    if (!stem_engine_running(control->engine))
        snprintf(text, size, "waiting: %s", stem_engine_trouble(control->engine));
    else if (state_of(status) == STEM_STATE_ARMED)
        snprintf(text, size, "waiting for the start of a take");
    else if (state_of(status) == STEM_STATE_IDLE)
        snprintf(text, size, "ready on JACK server \"%s\"", control->config->server);
    else if (figure(&status->gaps))
        snprintf(text, size, "recording \"%s\", with %llu gaps", control->folder,
            (unsigned long long)figure(&status->gaps));
    else
        snprintf(text, size, "recording \"%s\"", control->folder);
}

/* One value; `count` counts them for the final reply. */
struct answer {
    const struct stem_osc_peer *peer;
    unsigned count;
};

static void send_value(struct answer *answer, const char *key, lo_message message)
{
    char path[64];
    snprintf(path, sizeof path, "/status/%s", key);
    stem_osc_send(answer->peer, path, message);
    answer->count++;
}

static void send_string(struct answer *answer, const char *key, const char *value)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add_string(message, value);
    send_value(answer, key, message);
}

static void send_int(struct answer *answer, const char *key, int32_t value)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add_int32(message, value);
    send_value(answer, key, message);
}

static void send_long(struct answer *answer, const char *key, uint64_t value)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add_int64(message, (int64_t)value);
    send_value(answer, key, message);
}

static void send_double(struct answer *answer, const char *key, double value)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add_double(message, value);
    send_value(answer, key, message);
}

static void send_float(struct answer *answer, const char *key, float value)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add_float(message, value);
    send_value(answer, key, message);
}

/* Bytes per second that all files of a take grow by. */
static double data_rate(const struct stem_control *control, uint32_t rate_hz)
{
    double channels = 0;
    for (uint32_t t = 0; t < control->layout->track_count; t++)
        channels += control->layout->tracks[t].channels;
    return channels * rate_hz * stem_encoding_bytes(control->config->encoding);
}

static void send_state(struct answer *answer, const struct stem_control *control,
    const struct stem_session_status *status, const struct stem_engine_figures *figures)
{
    char sentence[PATH_MAX + STEM_ERROR_BYTES], format[32];
    stem_osc_status_sentence(control, sentence, sizeof sentence);
    snprintf(format, sizeof format, "%s %s", stem_container_name(control->config->container),
        stem_encoding_name(control->config->encoding));
    send_string(answer, "version", STEMD_VERSION);
    send_string(answer, "state", stem_state_name(state_of(status)));
    send_string(answer, "message", sentence);
    send_string(answer, "server", control->config->server);
    send_string(answer, "jack",
        !stem_engine_running(control->engine) ? "waiting"
        : figures->freewheel                  ? "freewheel"
                                              : "running");
    send_int(answer, "rate", (int32_t)figures->rate_hz);
    send_int(answer, "period", (int32_t)figures->period_frames);
    send_string(answer, "folder", control->folder);
    send_string(answer, "title", control->title);
    send_float(answer, "tempo", (float)control->tempo_bpm);
    send_string(answer, "key", control->key);
    send_string(answer, "format", format);
    send_int(answer, "stems", (int32_t)control->config->stem_count);
}

static void send_take(struct answer *answer, const struct stem_session_status *status,
    const struct stem_engine_figures *figures)
{
    static const struct stem_session_status NONE;
    if (!status)
        status = &NONE;
    uint64_t frames = figure(&status->frames);
    send_long(answer, "frames", frames);
    send_double(answer, "seconds", figures->rate_hz ? (double)frames / figures->rate_hz : 0);
    send_int(answer, "gaps", (int32_t)figure(&status->gaps));
    send_long(answer, "gap_frames", figure(&status->gap_frames));
    send_int(answer, "xruns", (int32_t)figure(&status->xruns));
    send_int(answer, "clips", (int32_t)figure(&status->clips));
}

static double seconds_since(int64_t ns)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ns ? (double)((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - ns) / 1e9 : 0;
}

static double stalled_seconds(const struct stem_session_status *status)
{
    return seconds_since(atomic_load_explicit(&status->busy_since_ns, memory_order_relaxed));
}

/* 0 when nobody has looked yet. */
static uint64_t free_bytes(const struct stem_session_status *status)
{
    uint64_t bytes = status ? figure(&status->disk_free_bytes) : STEM_DISK_UNKNOWN;
    return bytes == STEM_DISK_UNKNOWN ? 0 : bytes;
}

/* Negative when nobody has looked yet. */
static double disk_seconds(const struct stem_session_status *status, double bytes_per_second)
{
    if (bytes_per_second == 0 || figure(&status->disk_free_bytes) == STEM_DISK_UNKNOWN)
        return -1;
    return (double)figure(&status->disk_free_bytes) / bytes_per_second;
}

static enum stem_recording_place place_of(const struct stem_session_status *status)
{
    return (enum stem_recording_place)atomic_load_explicit(&status->place, memory_order_relaxed);
}

static void add_mirror(
    const struct stem_control *control, double bytes_per_second, struct stem_health_facts *facts)
{
    const struct stem_session_status *mirror =
        stem_engine_status_of(control->engine, STEM_TAPE_MIRROR);
    if (!mirror)
        return;
    facts->is_single = facts->is_recording && (control->has_failed[STEM_TAPE_WRITER] ||
                                                  control->has_failed[STEM_TAPE_MIRROR]);
    facts->mirror_was_moved = place_of(mirror) != STEM_RECORDING_KEPT;
    facts->mirror_stalled_seconds = stalled_seconds(mirror);
    facts->mirror_disk_seconds = disk_seconds(mirror, bytes_per_second);
    facts->mirror_overflows = figure(&mirror->overflow_frames);
}

void stem_osc_status_health(const struct stem_control *control, struct stem_health_facts *facts)
{
    const struct stem_session_status *status = stem_engine_status(control->engine);
    struct stem_engine_figures figures;
    stem_engine_figures(control->engine, &figures);
    *facts = (struct stem_health_facts){
        .is_on_server = stem_engine_running(control->engine),
        .has_answered = stem_engine_waits(control->engine) < SLOW_CALL_SECONDS,
        .tape_seconds = figures.tape_seconds,
        .tape_used = figures.tape_used,
        .disk_seconds = -1,
        .disk_warning = control->config->disk_warning_seconds,
        .mirror_disk_seconds = -1,
    };
    if (!status)
        return;
    enum stem_state state = state_of(status);
    double bytes_per_second = data_rate(control, figures.rate_hz);
    facts->is_recording = state == STEM_STATE_RECORDING || state == STEM_STATE_STOPPING;
    /* The tape is a little longer than it is said to be. */
    facts->tape_most_used = fmin(1,
        (double)figure(&status->tape_most_frames) / (figures.tape_seconds * figures.rate_hz + 1));
    facts->stalled_seconds = stalled_seconds(status);
    facts->slowest_write = (double)figure(&status->slowest_write_ns) / 1e9;
    facts->slowest_sync = (double)figure(&status->slowest_sync_ns) / 1e9;
    facts->overflows = figure(&status->overflow_frames);
    facts->was_moved = place_of(status) == STEM_RECORDING_MOVED;
    facts->was_removed = place_of(status) == STEM_RECORDING_LOST;
    facts->disk_seconds = disk_seconds(status, bytes_per_second);
    add_mirror(control, bytes_per_second, facts);
}

static void send_health(struct answer *answer, const struct stem_control *control)
{
    struct stem_health_facts facts;
    char sentence[STEM_ERROR_BYTES];
    stem_osc_status_health(control, &facts);
    struct stem_health health = stem_health_of(&facts);
    stem_health_sentence(&facts, &health, sentence, sizeof sentence);
    send_string(answer, "health", stem_grade_name(health.worst));
    send_string(answer, "health_message", sentence);
    send_string(answer, "health_tape", stem_grade_name(health.tape));
    send_string(answer, "health_writer", stem_grade_name(health.writer));
    send_string(answer, "health_disk", stem_grade_name(health.disk));
    send_string(answer, "health_server", stem_grade_name(health.server));
    if (control->config->mirror)
        send_string(answer, "health_mirror", stem_grade_name(health.mirror));
    send_double(answer, "tape_most_used", facts.tape_most_used);
    send_double(answer, "tape_left_seconds", facts.tape_seconds * (1 - facts.tape_used));
    send_double(answer, "stalled_seconds", facts.stalled_seconds);
    send_double(answer, "slowest_write_seconds", facts.slowest_write);
    send_double(answer, "slowest_sync_seconds", facts.slowest_sync);
}

static void send_mirror(struct answer *answer, const struct stem_control *control)
{
    const struct stem_session_status *status =
        stem_engine_status_of(control->engine, STEM_TAPE_MIRROR);
    if (!control->config->mirror)
        return;
    send_string(answer, "mirror", control->config->mirror);
    send_string(answer, "mirror_state", stem_state_name(state_of(status)));
    send_int(answer, "mirror_gaps", status ? (int32_t)figure(&status->gaps) : 0);
    send_double(answer, "mirror_stalled_seconds", status ? stalled_seconds(status) : 0);
    send_long(answer, "mirror_free_bytes", free_bytes(status));
}

/* A reference that is silent or missing has no residual worth telling. */
static void send_residual(struct answer *answer, const struct stem_control *control)
{
    if (!control->has_residual)
        return;
    double peak = stem_gain_to_db(control->residual.peak);
    double rms = stem_gain_to_db(control->residual.rms);
    send_float(answer, "residual_dbfs", (float)(peak > SILENCE_DBFS ? peak : SILENCE_DBFS));
    send_float(answer, "residual_rms_dbfs", (float)(rms > SILENCE_DBFS ? rms : SILENCE_DBFS));
}

static void send_jobs(struct answer *answer, const struct stem_control *control)
{
    struct stem_jobs_figures jobs;
    stem_jobs_figures(control->jobs, &jobs);
    send_int(answer, "finishing", (int32_t)jobs.count);
    send_string(answer, "finishing_folder", jobs.folder);
    send_string(answer, "finishing_step", jobs.step);
    send_float(answer, "finishing_percent", (float)jobs.percent);
}

static void send_room(struct answer *answer, const struct stem_control *control,
    const struct stem_session_status *status, const struct stem_engine_figures *figures)
{
    uint64_t bytes = free_bytes(status);
    double rate = data_rate(control, figures->rate_hz);
    send_double(answer, "tape_seconds", figures->tape_seconds);
    send_double(answer, "tape_used", figures->tape_used);
    send_long(answer, "disk_free_bytes", bytes);
    send_double(answer, "disk_seconds", rate > 0 ? (double)bytes / rate : 0);
}

void stem_osc_status_send(struct stem_control *control, const struct stem_osc_peer *peer)
{
    struct answer answer = {peer, 0};
    const struct stem_session_status *status = stem_engine_status(control->engine);
    struct stem_engine_figures figures;
    stem_engine_figures(control->engine, &figures);
    send_state(&answer, control, status, &figures);
    send_take(&answer, status, &figures);
    send_room(&answer, control, status, &figures);
    send_health(&answer, control);
    send_mirror(&answer, control);
    send_residual(&answer, control);
    send_jobs(&answer, control);
    char text[32];
    snprintf(text, sizeof text, "%u values", answer.count);
    stem_osc_reply(peer, "/status", text);
}

static void send_stem(
    const struct stem_control *control, const struct stem_osc_peer *peer, uint32_t track)
{
    const struct stem_layout *layout = control->layout;
    int ports = 0, connected = 0;
    for (uint32_t p = 0; p < layout->port_count; p++) {
        if (!stem_layout_feeds(layout, p, track))
            continue;
        ports++;
        connected += stem_engine_connected(control->engine, p) > 0;
    }
    double peak = stem_gain_to_db(stem_engine_peak(control->engine, track, 1.0));
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "isiiiiff", (int)layout->tracks[track].number,
            layout->tracks[track].name, (int)layout->tracks[track].channels, ports, connected,
            (int)stem_engine_muted(control->engine, track),
            peak > SILENCE_DBFS ? peak : SILENCE_DBFS, 0.0);
    stem_osc_send(peer, "/stems/stem", message);
}

void stem_osc_stems_send(struct stem_control *control, const struct stem_osc_peer *peer)
{
    const struct stem_layout *layout = control->layout;
    unsigned count = 0;
    for (uint32_t t = 0; t < layout->track_count; t++) {
        if (layout->tracks[t].role != STEM_TAKE_STEM)
            continue;
        send_stem(control, peer, t);
        count++;
    }
    char text[32];
    snprintf(text, sizeof text, "%u stems", count);
    stem_osc_reply(peer, "/stems", text);
}
