#include "control.h"

#include "log.h"
#include "osc_commands.h"
#include "osc_status.h"
#include "take.h"
#include "take_state.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { SOCKETS = 16, TICK_MS = 1000 };

/* Requests */

static struct stem_pending *find_pending(struct stem_control *control, uint32_t request)
{
    for (int k = 0; k < STEM_REQUESTS; k++)
        if (control->pending[k].request == request)
            return &control->pending[k];
    return NULL;
}

static void refuse_at_once(const struct stem_control *control, const struct stem_osc_peer *peer,
    const char *path, int code)
{
    char text[STEM_ERROR_BYTES + 64] = "too many requests are under way";
    if (code == STEM_CODE_SERVER)
        snprintf(text, sizeof text, "%s", stem_engine_trouble(control->engine));
    stem_osc_error(peer, path, code, text);
}

/* A take cannot begin without a server; one that runs can be ended. */
static bool needs_server(const struct stem_control *control, const struct stem_command *command)
{
    const struct stem_session_status *status = stem_engine_status(control->engine);
    int state =
        status ? atomic_load_explicit(&status->state, memory_order_relaxed) : (int)STEM_STATE_IDLE;
    bool starts = command->type == STEM_COMMAND_START || command->type == STEM_COMMAND_TOGGLE;
    return starts && state == STEM_STATE_IDLE && !stem_engine_running(control->engine);
}

void stem_control_ask(struct stem_control *control, const struct stem_osc_peer *peer,
    const char *path, struct stem_command *command)
{
    struct stem_pending *pending = find_pending(control, 0);
    if (!pending) {
        refuse_at_once(control, peer, path, STEM_CODE_BUSY);
        return;
    }
    if (needs_server(control, command)) {
        refuse_at_once(control, peer, path, STEM_CODE_SERVER);
        return;
    }
    command->request = ++control->last_request ? control->last_request : ++control->last_request;
    int code = stem_engine_send(control->engine, command);
    if (code) {
        refuse_at_once(control, peer, path, code);
        return;
    }
    pending->request = command->request;
    pending->peer = *peer;
    snprintf(pending->path, sizeof pending->path, "%s", path);
}

/* Events of the writer */

static void answer(struct stem_control *control, const struct stem_event *event)
{
    struct stem_pending *pending = find_pending(control, event->request);
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

static void drain_events(struct stem_control *control)
{
    uint64_t count;
    struct stem_event event;
    if (read(control->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        stem_log(STEM_LOG_WARNING, "eventfd: %s", strerror(errno));
    while (stem_engine_receive(control->engine, &event))
        handle_event(control, &event);
}

/* Set-up */

/* A takes folder that cannot be written is better heard of now than at the show. */
static int check_takes(const char *takes, struct stem_error *error)
{
    if (access(takes, F_OK) == 0)
        return access(takes, W_OK | X_OK) == 0
                   ? 0
                   : stem_error_set_errno(
                         error, errno, "cannot write to the takes folder \"%s\"", takes);
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", takes);
    char *slash = strrchr(parent, '/');
    if (slash && slash != parent)
        *slash = '\0';
    if (access(parent, W_OK | X_OK) == 0)
        return 0;
    return stem_error_set_errno(
        error, errno, "the takes folder \"%s\" does not exist and cannot be made", takes);
}

static int open_signals(struct stem_control *control, struct stem_error *error)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    control->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    control->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (control->signal_fd < 0 || control->wake_fd < 0)
        return stem_error_set_errno(error, errno, "cannot watch for signals and events");
    return 0;
}

int stem_control_init(
    struct stem_control *control, const struct stem_config *config, struct stem_error *error)
{
    *control = (struct stem_control){.config = config, .wake_fd = -1, .signal_fd = -1};
    if (check_takes(config->takes, error) || open_signals(control, error))
        goto fail;
    control->layout = stem_layout_create(config);
    if (!control->layout) {
        stem_error_set(error, "no memory for the layout");
        goto fail;
    }
    control->osc = stem_osc_server_create(config->osc_listen, config->osc_listen_count,
        config->osc_allow, config->osc_allow_count, error);
    if (!control->osc)
        goto fail;
    control->notify =
        stem_notify_create(control->osc, config->osc_notify, config->osc_notify_count, error);
    control->engine = control->notify
                          ? stem_engine_create(config, control->layout, control->wake_fd, error)
                          : NULL;
    if (!control->engine || stem_engine_tend(control->engine, error))
        goto fail;
    stem_notify_ready(config->tape_seconds);
    return 0;
fail:
    stem_control_finish(control);
    return -1;
}

bool stem_control_finish(struct stem_control *control)
{
    bool whole = stem_engine_destroy(control->engine);
    stem_notify_destroy(control->notify);
    stem_osc_server_destroy(control->osc);
    stem_layout_destroy(control->layout);
    if (control->wake_fd >= 0)
        close(control->wake_fd);
    if (control->signal_fd >= 0)
        close(control->signal_fd);
    *control = (struct stem_control){.wake_fd = -1, .signal_fd = -1};
    return whole;
}

/* The loop */

/* The first signal ends a running take and then the daemon; a second one does not wait. */
static void handle_signals(struct stem_control *control)
{
    struct signalfd_siginfo signal;
    if (read(control->signal_fd, &signal, sizeof signal) != sizeof signal)
        return;
    const struct stem_command quit = {
        .type = STEM_COMMAND_QUIT, .frame = stem_engine_now(control->engine)};
    stem_notify_stopping();
    if (control->quitting || stem_engine_send(control->engine, &quit))
        control->done = true;
    control->quitting = true;
}

/* The watchdog is fed only while the writer turns too. */
static void beat(struct stem_control *control)
{
    const struct stem_session_status *status = stem_engine_status(control->engine);
    uint64_t turns = status ? atomic_load_explicit(&status->turns, memory_order_relaxed)
                            : control->turns_seen + 1;
    bool alive = turns != control->turns_seen;
    control->turns_seen = turns;
    char sentence[PATH_MAX + STEM_ERROR_BYTES];
    stem_osc_status_sentence(control, sentence, sizeof sentence);
    stem_notify_status(sentence, alive);
    if (alive)
        stem_notify_alive();
}

static int turn(struct stem_control *control, struct stem_error *error)
{
    struct pollfd fds[SOCKETS + 2] = {
        {.fd = control->wake_fd, .events = POLLIN}, {.fd = control->signal_fd, .events = POLLIN}};
    size_t sockets = stem_osc_server_pollfds(control->osc, fds + 2, SOCKETS);
    if (poll(fds, sockets + 2, TICK_MS) < 0 && errno != EINTR)
        return stem_error_set_errno(error, errno, "poll");
    for (size_t k = 2; k < sockets + 2; k++)
        if (fds[k].revents)
            stem_osc_server_read(control->osc, fds[k].fd, stem_osc_commands_handle, control);
    if (fds[1].revents)
        handle_signals(control);
    drain_events(control);
    return 0;
}

/* About once a second, and when JACK told of a change. */
static int tend(struct stem_control *control, time_t *tended, struct stem_error *error)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    bool due = now.tv_sec != *tended;
    *tended = now.tv_sec;
    if (due)
        beat(control);
    return stem_engine_tend(control->engine, error);
}

int stem_control_run(struct stem_control *control, struct stem_error *error)
{
    time_t tended = 0;
    while (!control->done)
        if (turn(control, error) || tend(control, &tended, error))
            return -1;
    return 0;
}
