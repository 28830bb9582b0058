/* What the writer tells control: answers, beginnings and ends of takes, gaps. */
#include "control_parts.h"

#include "log.h"
#include "take.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void answer(struct stem_control *control, const struct stem_event *event)
{
    struct stem_pending *pending = control_pending(control, event->request);
    if (!pending || event->request == 0)
        return;
    if (event->kind == STEM_EVENT_DONE)
        stem_osc_reply(&pending->peer, pending->path, event->text);
    else
        stem_osc_error(&pending->peer, pending->path, event->code, event->text);
    pending->request = 0;
}

static double seconds_of(const struct stem_control *control, uint64_t frames)
{
    struct stem_engine_figures figures;
    stem_engine_figures(control->engine, &figures);
    return figures.rate_hz ? (double)frames / figures.rate_hz : 0;
}

static void take_started(struct stem_control *control, const struct stem_event *event)
{
    snprintf(control->folder, sizeof control->folder, "%.*s", PATH_MAX - 1, event->text);
    stem_log(STEM_LOG_INFO, "recording \"%s\" from frame %llu", event->text,
        (unsigned long long)event->frame);
    stem_notify_state(control->notify, "recording", event->text);
    control_watch_take(control);
}

static void take_ended(struct stem_control *control, const struct stem_event *event)
{
    snprintf(control->folder, sizeof control->folder, "%.*s", PATH_MAX - 1, event->text);
    stem_log(
        STEM_LOG_INFO, "finished \"%s\": %.3f s", event->text, seconds_of(control, event->frames));
    stem_notify_state(control->notify, "idle", event->text);
}

static void report_gap(struct stem_control *control, const struct stem_event *event)
{
    char reasons[64];
    stem_take_reason_words(event->reasons, reasons, sizeof reasons);
    stem_log(STEM_LOG_WARNING, "gap of %llu frames at %.3f s of the take: %s",
        (unsigned long long)event->frames, seconds_of(control, event->frame), reasons);
    stem_notify_gap(control->notify, event->frame, event->frames, reasons);
}

static void handle_event(struct stem_control *control, const struct stem_event *event)
{
    switch (event->kind) {
    case STEM_EVENT_DONE:
    case STEM_EVENT_FAILED:
        answer(control, event);
        break;
    case STEM_EVENT_ARMED:
        stem_log(
            STEM_LOG_INFO, event->text[0] ? "waiting for %s" : "no longer waiting%s", event->text);
        stem_notify_state(control->notify, event->text[0] ? "armed" : "idle", event->text);
        break;
    case STEM_EVENT_STARTED:
        take_started(control, event);
        break;
    case STEM_EVENT_FINISHED:
        take_ended(control, event);
        break;
    case STEM_EVENT_BROKEN:
        stem_log(STEM_LOG_ERROR, "%s", event->text);
        stem_notify_state(control->notify, "idle", control->folder);
        stem_notify_warning(control->notify, event->text);
        break;
    case STEM_EVENT_CLOSED:
        stem_jobs_finish(control->jobs, event->text);
        break;
    case STEM_EVENT_GAP:
        report_gap(control, event);
        break;
    case STEM_EVENT_WARNING:
        stem_log(STEM_LOG_WARNING, "%s", event->text);
        stem_notify_warning(control->notify, event->text);
        break;
    case STEM_EVENT_QUIT:
        control->done = control->done || control->quitting;
        break;
    }
}

void control_take_events(struct stem_control *control)
{
    uint64_t count;
    struct stem_event event;
    if (read(control->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        stem_log(STEM_LOG_WARNING, "eventfd: %s", strerror(errno));
    while (stem_engine_receive(control->engine, &event))
        handle_event(control, &event);
}
