/* What the writer tells control: answers, beginnings and ends of takes, gaps. */
#include "control_parts.h"

#include "log.h"
#include "take.h"
#include "take_state.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long the mirror's answer waits for the writer's. */
#define PATIENCE_NS INT64_C(2000000000)

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The work is done: a title that came with it is that of the take now. */
static void reply(struct stem_control *control, struct stem_pending *pending, const char *text)
{
    if (pending->title[0])
        memcpy(control->title, pending->title, sizeof pending->title);
    stem_osc_reply(&pending->peer, pending->path, text);
    pending->request = 0;
}

/* Keeps the first answer of two. */
static void keep(struct stem_pending *pending, const struct stem_event *event)
{
    pending->is_done = event->kind == STEM_EVENT_DONE;
    pending->code = event->code;
    pending->since_ns = now_ns();
    snprintf(pending->text, sizeof pending->text, "%.*s", STEM_ERROR_BYTES - 1, event->text);
}

/* The writer's answer counts; the mirror's only when the writer could not do it. */
static void answer(struct stem_control *control, const struct stem_event *event, bool is_mirror)
{
    struct stem_pending *pending = control_pending(control, event->request);
    if (!pending || event->request == 0)
        return;
    bool is_done = event->kind == STEM_EVENT_DONE;
    if (is_done && (!is_mirror || pending->code))
        reply(control, pending, event->text);
    else if (--pending->left > 0)
        keep(pending, event);
    else if (pending->is_done)
        reply(control, pending, pending->text);
    else {
        stem_osc_error(&pending->peer, pending->path, is_mirror ? pending->code : event->code,
            is_mirror ? pending->text : event->text);
        pending->request = 0;
    }
}

void control_answer_late(struct stem_control *control)
{
    for (int k = 0; k < STEM_REQUESTS; k++) {
        struct stem_pending *pending = &control->pending[k];
        if (pending->request && pending->is_done && now_ns() - pending->since_ns > PATIENCE_NS)
            reply(control, pending, pending->text);
    }
}

static double seconds_of(const struct stem_control *control, uint64_t frames)
{
    struct stem_engine_figures figures;
    stem_engine_figures(control->engine, &figures);
    return figures.rate_hz ? (double)frames / figures.rate_hz : 0;
}

static void take_started(struct stem_control *control, const struct stem_event *event)
{
    control->is_mirrors = false;
    snprintf(control->folder, sizeof control->folder, "%.*s", PATH_MAX - 1, event->text);
    stem_log(STEM_LOG_INFO, "recording \"%s\" from frame %llu", event->text,
        (unsigned long long)event->frame);
    stem_notify_state(control->notify, "recording", event->text);
    control_watch_take(control);
}

/* Another disk: what was said of the first one's room does not hold for it. */
static void take_continued(struct stem_control *control, const struct stem_event *event)
{
    snprintf(control->folder, sizeof control->folder, "%.*s", PATH_MAX - 1, event->text);
    stem_notify_state(control->notify, "recording", event->text);
    control->told_disk_seconds[STEM_TAPE_WRITER] = INFINITY;
}

static void take_ended(struct stem_control *control, const struct stem_event *event)
{
    snprintf(control->folder, sizeof control->folder, "%.*s", PATH_MAX - 1, event->text);
    stem_log(
        STEM_LOG_INFO, "finished \"%s\": %.3f s", event->text, seconds_of(control, event->frames));
    stem_notify_state(control->notify, "idle", event->text);
}

/* The take is the mirror's alone, as far as that has it. */
static void leave_to_mirror(struct stem_control *control)
{
    const struct stem_session_status *mirror =
        stem_engine_status_of(control->engine, STEM_TAPE_MIRROR);
    int state =
        mirror ? atomic_load_explicit(&mirror->state, memory_order_relaxed) : (int)STEM_STATE_IDLE;
    bool goes_on = state == STEM_STATE_RECORDING || state == STEM_STATE_STOPPING;
    control->is_mirrors = mirror != NULL;
    if (goes_on)
        memcpy(control->folder, control->mirror_folder, sizeof control->folder);
    stem_notify_state(control->notify, goes_on ? "recording" : "idle", control->folder);
}

static void report_gap(struct stem_control *control, const struct stem_event *event)
{
    char reasons[64];
    stem_take_reason_words(event->reasons, reasons, sizeof reasons);
    stem_log(STEM_LOG_WARNING, "gap of %llu frames at %.3f s of the take: %s",
        (unsigned long long)event->frames, seconds_of(control, event->frame), reasons);
    stem_notify_gap(control->notify, event->frame, event->frames, reasons);
}

static void mirror_started(struct stem_control *control, const struct stem_event *event)
{
    stem_log(STEM_LOG_INFO, "mirror: recording \"%s\"", event->text);
    snprintf(
        control->mirror_folder, sizeof control->mirror_folder, "%.*s", PATH_MAX - 1, event->text);
    if (!control->is_mirrors)
        return;
    memcpy(control->folder, control->mirror_folder, sizeof control->folder);
    stem_notify_state(control->notify, "recording", control->folder);
    control_watch_take(control);
}

static void mirror_ended(struct stem_control *control, const struct stem_event *event)
{
    if (event->kind == STEM_EVENT_FINISHED)
        stem_log(STEM_LOG_INFO, "mirror: finished \"%s\"", event->text);
    if (control->is_mirrors)
        stem_notify_state(control->notify, "idle", control->folder);
}

/* What both writers do the same is told of one of them. */
static void handle_mirror_event(struct stem_control *control, const struct stem_event *event)
{
    char text[STEM_EVENT_TEXT_BYTES + 16];
    snprintf(text, sizeof text, "mirror: %s", event->text);
    switch (event->kind) {
    case STEM_EVENT_BROKEN:
    case STEM_EVENT_WARNING:
        stem_log(STEM_LOG_WARNING, "%s", text);
        stem_notify_warning(control->notify, text);
        break;
    case STEM_EVENT_GAP:
        stem_log(STEM_LOG_WARNING, "mirror: gap of %llu frames at %.3f s of the take",
            (unsigned long long)event->frames, seconds_of(control, event->frame));
        break;
    case STEM_EVENT_STARTED:
        mirror_started(control, event);
        break;
    case STEM_EVENT_CONTINUED:
        snprintf(control->mirror_folder, sizeof control->mirror_folder, "%.*s", PATH_MAX - 1,
            event->text);
        if (control->is_mirrors)
            take_continued(control, event);
        break;
    default:
        break;
    }
    if (event->kind == STEM_EVENT_FINISHED || event->kind == STEM_EVENT_BROKEN)
        mirror_ended(control, event);
}

static void handle_common_event(
    struct stem_control *control, const struct stem_event *event, bool is_mirror)
{
    if (event->kind == STEM_EVENT_DONE || event->kind == STEM_EVENT_FAILED)
        answer(control, event, is_mirror);
    if (event->kind == STEM_EVENT_STARTED || event->kind == STEM_EVENT_BROKEN)
        control->has_failed[is_mirror] = event->kind == STEM_EVENT_BROKEN;
    if (event->kind == STEM_EVENT_CLOSED)
        stem_jobs_finish(control->jobs, event->text, !is_mirror);
    if (event->kind == STEM_EVENT_QUIT && control->quitting)
        control->done = ++control->ended >= stem_engine_writers(control->engine);
}

static void handle_event(struct stem_control *control, const struct stem_event *event)
{
    switch (event->kind) {
    case STEM_EVENT_DONE:
    case STEM_EVENT_FAILED:
    case STEM_EVENT_CLOSED:
    case STEM_EVENT_QUIT:
        break;
    case STEM_EVENT_ARMED:
        stem_log(
            STEM_LOG_INFO, event->text[0] ? "waiting for %s" : "no longer waiting%s", event->text);
        stem_notify_state(control->notify, event->text[0] ? "armed" : "idle", event->text);
        break;
    case STEM_EVENT_STARTED:
        take_started(control, event);
        break;
    case STEM_EVENT_CONTINUED:
        take_continued(control, event);
        break;
    case STEM_EVENT_FINISHED:
        take_ended(control, event);
        break;
    case STEM_EVENT_BROKEN:
        stem_log(STEM_LOG_ERROR, "%s", event->text);
        leave_to_mirror(control);
        stem_notify_warning(control->notify, event->text);
        break;
    case STEM_EVENT_GAP:
        report_gap(control, event);
        break;
    case STEM_EVENT_WARNING:
        stem_log(STEM_LOG_WARNING, "%s", event->text);
        stem_notify_warning(control->notify, event->text);
        break;
    }
}

void control_take_events(struct stem_control *control)
{
    uint64_t count;
    struct stem_event event;
    bool is_mirror;
    if (read(control->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        stem_log(STEM_LOG_WARNING, "eventfd: %s", strerror(errno));
    while (stem_engine_receive(control->engine, &event, &is_mirror)) {
        handle_common_event(control, &event, is_mirror);
        if (is_mirror)
            handle_mirror_event(control, &event);
        else
            handle_event(control, &event);
    }
}
