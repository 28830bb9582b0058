#include "control_parts.h"
#include "log.h"
#include "osc_commands.h"
#include "service.h"
#include "take_state.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { SOCKETS = 16, JOB_FDS = 2, TICK_MS = 1000 };
enum { KEPT_FOR_STOP = 8, KEPT_FOR_TAKES = 8 };

/* Requests */

struct stem_pending *control_pending(struct stem_control *control, uint32_t request)
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

static bool mirror_has_it_alone(const struct stem_control *control)
{
    const struct stem_session_status *one = stem_engine_status(control->engine);
    return one && one == stem_engine_status_of(control->engine, STEM_TAPE_MIRROR);
}

static bool names_take(const struct stem_command *command)
{
    return command->type == STEM_COMMAND_START || command->type == STEM_COMMAND_TOGGLE ||
           command->type == STEM_COMMAND_SPLIT;
}

/* However many other requests are under way, there is room for what ends a take, and for what
 * begins one. */
static int places_for(enum stem_command_type type)
{
    switch (type) {
    case STEM_COMMAND_STOP:
        return STEM_REQUESTS;
    case STEM_COMMAND_START:
    case STEM_COMMAND_TOGGLE:
    case STEM_COMMAND_SPLIT:
        return STEM_REQUESTS - KEPT_FOR_STOP;
    default:
        return STEM_REQUESTS - KEPT_FOR_STOP - KEPT_FOR_TAKES;
    }
}

static struct stem_pending *free_place(struct stem_control *control, enum stem_command_type type)
{
    for (int k = 0; k < places_for(type); k++)
        if (control->pending[k].request == 0)
            return &control->pending[k];
    return NULL;
}

void stem_control_ask(struct stem_control *control, const struct stem_osc_peer *peer,
    const char *path, struct stem_command *command)
{
    struct stem_pending *pending = free_place(control, command->type);
    if (!pending) {
        refuse_at_once(control, peer, path, STEM_CODE_BUSY);
        return;
    }
    /* One toggle would end the mirror's take and begin another one beside it. */
    if (command->type == STEM_COMMAND_TOGGLE && mirror_has_it_alone(control))
        command->type = STEM_COMMAND_STOP;
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
    snprintf(pending->title, sizeof pending->title, "%s", names_take(command) ? command->text : "");
    pending->left = stem_engine_writers(control->engine);
    pending->is_done = false;
    pending->code = 0;
    pending->peer = *peer;
    snprintf(pending->path, sizeof pending->path, "%s", path);
}

/* Set-up */

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

static int make_watch(struct stem_control *control, struct stem_error *error)
{
    control->jobs = stem_jobs_create(control->config, control->notify);
    control->told_headroom = calloc(control->layout->track_count, sizeof *control->told_headroom);
    if (control->jobs && control->told_headroom)
        return 0;
    return stem_error_set(error, "no memory for the watch over takes");
}

int stem_control_init(
    struct stem_control *control, const struct stem_config *config, struct stem_error *error)
{
    *control = (struct stem_control){
        .config = config, .wake_fd = -1, .signal_fd = -1, .places = {{-1, -1, -1}}};
    if (stem_places_take(&control->places, config, error) || open_signals(control, error))
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
    stem_places_raise_files(config, control->layout->track_count);
    control->notify =
        stem_notify_create(control->osc, config->osc_notify, config->osc_notify_count, error);
    control->engine = control->notify
                          ? stem_engine_create(config, control->layout, control->wake_fd, error)
                          : NULL;
    if (!control->engine || make_watch(control, error) || stem_engine_tend(control->engine, error))
        goto fail;
    stem_jobs_recover(control->jobs, config->takes);
    if (config->spare)
        stem_jobs_recover(control->jobs, config->spare);
    if (config->mirror)
        stem_jobs_recover(control->jobs, config->mirror);
    stem_service_ready(config->tape_seconds);
    return 0;
fail:
    stem_control_finish(control);
    return -1;
}

bool stem_control_finish(struct stem_control *control)
{
    stem_jobs_destroy(control->jobs);
    free(control->told_headroom);
    bool whole = !control->is_hurried && stem_engine_destroy(control->engine);
    stem_osc_server_destroy(control->osc); /* removes its socket files */
    if (!whole)
        return false; /* a thread may still use the rest, until the process ends */
    stem_places_leave(&control->places);
    stem_notify_destroy(control->notify);
    stem_layout_destroy(control->layout);
    if (control->wake_fd >= 0)
        close(control->wake_fd);
    if (control->signal_fd >= 0)
        close(control->signal_fd);
    *control = (struct stem_control){.wake_fd = -1, .signal_fd = -1, .places = {{-1, -1, -1}}};
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
    stem_service_stopping();
    control->is_hurried = control->quitting;
    if (control->quitting || stem_engine_send(control->engine, &quit))
        control->done = true;
    control->quitting = true;
}

static int turn(struct stem_control *control, struct stem_error *error)
{
    struct pollfd fds[SOCKETS + JOB_FDS + 2] = {
        {.fd = control->wake_fd, .events = POLLIN}, {.fd = control->signal_fd, .events = POLLIN}};
    size_t sockets = stem_osc_server_pollfds(control->osc, fds + 2, SOCKETS);
    size_t jobs = stem_jobs_pollfds(control->jobs, fds + 2 + sockets, JOB_FDS);
    if (poll(fds, sockets + jobs + 2, TICK_MS) < 0 && errno != EINTR)
        return stem_error_set_errno(error, errno, "poll");
    for (size_t k = 2; k < sockets + 2; k++)
        if (fds[k].revents)
            stem_osc_server_read(control->osc, fds[k].fd, stem_osc_commands_handle, control);
    if (fds[1].revents)
        handle_signals(control);
    stem_engine_look(control->engine);
    control_take_events(control);
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
        control_watch(control);
    stem_jobs_work(control->jobs);
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
