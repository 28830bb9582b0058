/* What control looks after once a second. */
#include "control_parts.h"

#include "gain.h"
#include "log.h"
#include "osc_status.h"
#include "service.h"
#include "take_state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Level of silence in messages: OSC has no infinity that everybody can read. */
#define SILENCE_DBFS (-200.0)

static double level(double linear)
{
    return fmax(stem_gain_to_db(linear), SILENCE_DBFS);
}

static uint64_t figure(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static bool is_recording(const struct stem_session_status *status)
{
    int state =
        status ? atomic_load_explicit(&status->state, memory_order_relaxed) : (int)STEM_STATE_IDLE;
    return state == STEM_STATE_RECORDING || state == STEM_STATE_STOPPING;
}

/* Watchdog */

/* Alive is a writer that turns, and that gets frames into the files while JACK delivers them: a
 * loop that idles is not enough. */
static bool writes(struct stem_control *control, enum stem_tape_holder holder, bool delivered)
{
    const struct stem_session_status *status = stem_engine_status_of(control->engine, holder);
    uint64_t turns = figure(&status->turns), frames = figure(&status->frames);
    bool turned = turns != control->turns_seen[holder];
    bool wrote = frames != control->frames_seen[holder];
    control->turns_seen[holder] = turns;
    control->frames_seen[holder] = frames;
    return turned && (wrote || !delivered || !is_recording(status));
}

/* With a mirror one that lives is enough, or the other one's disk would end its take too; but while
 * a take runs, that is one that has it. */
static bool is_alive(struct stem_control *control, const struct stem_engine_figures *figures)
{
    bool delivered = figures->cycles != control->cycles_seen, any = false, alive = false;
    bool runs = is_recording(stem_engine_status(control->engine));
    control->cycles_seen = figures->cycles;
    for (unsigned h = 0; h < STEM_TAPE_HOLDERS; h++) {
        const struct stem_session_status *status = stem_engine_status_of(control->engine, h);
        if (!status)
            continue;
        any = true;
        alive = (writes(control, h, delivered) && (is_recording(status) || !runs)) || alive;
    }
    return alive || !any;
}

static void beat(struct stem_control *control, const struct stem_engine_figures *figures)
{
    char sentence[PATH_MAX + STEM_ERROR_BYTES];
    bool alive = is_alive(control, figures);
    stem_osc_status_sentence(control, sentence, sizeof sentence);
    stem_service_status(sentence, alive);
    if (alive)
        stem_service_alive();
}

/* Health */

static void watch_health(struct stem_control *control)
{
    struct stem_health_facts facts;
    char sentence[STEM_ERROR_BYTES];
    stem_osc_status_health(control, &facts);
    struct stem_health health = stem_health_of(&facts);
    bool is_news = stem_health_is_news(&health, &control->told_health);
    control->told_health = health;
    if (!is_news)
        return;
    stem_health_sentence(&facts, &health, sentence, sizeof sentence);
    stem_log(health.worst == STEM_GREEN ? STEM_LOG_INFO : STEM_LOG_WARNING, "health: %s%s%s",
        stem_grade_name(health.worst), sentence[0] ? ": " : "", sentence);
    stem_notify_health(control->notify, stem_grade_name(health.worst), sentence);
}

/* The disk's end is told well before, and again each time that half of the rest is gone. */
static void watch_disk(
    struct stem_control *control, const char *name, double seconds, double *told_seconds)
{
    if (seconds < 0 || seconds >= control->config->disk_warning_seconds || *told_seconds == 0 ||
        seconds > *told_seconds / 2)
        return;
    char text[128];
    *told_seconds = seconds;
    snprintf(text, sizeof text, "%s lasts %.0f s more at the rate of this take", name, seconds);
    stem_log(STEM_LOG_WARNING, "%s", text);
    stem_notify_warning(control->notify, text);
}

static void watch_disks(struct stem_control *control)
{
    struct stem_health_facts facts;
    stem_osc_status_health(control, &facts);
    if (!facts.is_recording)
        return;
    watch_disk(
        control, "the disk", facts.disk_seconds, &control->told_disk_seconds[STEM_TAPE_WRITER]);
    watch_disk(control, "the mirror's disk", facts.mirror_disk_seconds,
        &control->told_disk_seconds[STEM_TAPE_MIRROR]);
}

/* Meters */

static void watch_headroom(struct stem_control *control, uint32_t track, double peak_dbfs)
{
    char text[STEM_ERROR_BYTES];
    if (control->told_headroom[track] || peak_dbfs <= control->config->headroom_db)
        return;
    control->told_headroom[track] = true;
    snprintf(text, sizeof text, "%s peaks at %.1f dBFS: less than %g dB of headroom",
        control->layout->tracks[track].name, peak_dbfs, -control->config->headroom_db);
    stem_log(STEM_LOG_WARNING, "%s", text);
    stem_notify_warning(control->notify, text);
}

static void watch_levels(struct stem_control *control)
{
    bool wanted = stem_notify_wanted(control->notify, STEM_NOTIFY_METERS);
    bool recording = is_recording(stem_engine_status(control->engine));
    control->has_residual = stem_engine_residual(control->engine, 1.0, &control->residual);
    for (uint32_t t = 0; (wanted || recording) && t < control->layout->track_count; t++) {
        if (stem_layout_is_extra(control->layout, t))
            continue;
        double peak = level(stem_engine_peak(control->engine, t, 1.0));
        if (recording)
            watch_headroom(control, t, peak);
        if (wanted)
            stem_notify_meter(control->notify, control->layout->tracks[t].name, peak);
    }
    if (wanted && control->has_residual)
        stem_notify_residual(
            control->notify, level(control->residual.peak), level(control->residual.rms));
}

void control_watch_take(struct stem_control *control)
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        control->told_disk_seconds[h] = INFINITY;
    memset(
        control->told_headroom, 0, control->layout->track_count * sizeof *control->told_headroom);
}

void control_watch(struct stem_control *control)
{
    struct stem_engine_figures figures;
    stem_engine_figures(control->engine, &figures);
    beat(control, &figures);
    control_answer_late(control);
    watch_health(control);
    watch_disks(control);
    watch_levels(control);
}
