#include "session_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t session_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void session_publish(_Atomic uint64_t *figure, uint64_t value)
{
    atomic_store_explicit(figure, value, memory_order_relaxed);
}

/* Events */

void session_send(struct stem_session *session, const struct stem_event *event)
{
    /* Control always drains its queue; should it hang, an answer that nobody reads may be lost, but
     * audio is not. */
    stem_ring_push_rt(session->with.events, event);
}

void session_send_text(struct stem_session *session, enum stem_event_kind kind, uint32_t request,
    int code, const char *format, ...)
{
    struct stem_event event = {.kind = kind, .request = request, .code = code};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(event.text, sizeof event.text, format, arguments);
    va_end(arguments);
    session_send(session, &event);
}

void session_answer(struct stem_session *session, uint32_t request, const char *text)
{
    if (request)
        session_send_text(session, STEM_EVENT_DONE, request, 0, "%s", text);
}

void session_refuse(
    struct stem_session *session, uint32_t request, enum stem_code code, const char *text)
{
    if (request)
        session_send_text(session, STEM_EVENT_FAILED, request, code, "%s", text);
}

/* Rounds */

/* What is before the tape's oldest frame and before the take's next one matters no more. */
static void forget(struct stem_session *session)
{
    uint64_t oldest = stem_tape_oldest(session->with.tape);
    if (session->recording && session->next < oldest)
        oldest = session->next;
    if (!session->recording)
        stem_gap_list_forget(&session->gaps, oldest);
    stem_fact_log_forget(&session->facts, oldest);
}

bool stem_session_work(struct stem_session *session)
{
    atomic_store_explicit(&session->status.busy_since_ns, session_now_ns(), memory_order_relaxed);
    uint64_t written = stem_tape_written(session->with.tape);
    session_take_facts(session);
    session_take_commands(session, written);
    session_look_for_start(session, written);
    bool more = session_advance(session, written);
    forget(session);
    atomic_store_explicit(&session->status.state, (int)session->state, memory_order_relaxed);
    atomic_store_explicit(
        &session->status.sync, (int)session->started_by.how.sync, memory_order_relaxed);
    session_look_at_disk(session);
    session_publish(&session->status.turns, session->status.turns + 1);
    atomic_store_explicit(&session->status.busy_since_ns, 0, memory_order_relaxed);
    return more;
}

/* Life */

struct stem_session *stem_session_create(const struct stem_session_params *params)
{
    struct stem_session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->with = *params;
    session_publish(&session->status.disk_free_bytes, STEM_DISK_UNKNOWN);
    uint32_t tracks = stem_tape_tracks(params->tape);
    size_t channels = 0;
    for (uint32_t t = 0; t < tracks; t++)
        channels += stem_tape_channels(params->tape, t);
    session->spans = calloc(tracks + 1, sizeof *session->spans);
    if (params->is_shared)
        session->copies = calloc(channels * STEM_SESSION_CHUNK + 1, sizeof *session->copies);
    if (session->spans && (session->copies || !params->is_shared))
        return session;
    stem_session_destroy(session);
    return NULL;
}

void stem_session_destroy(struct stem_session *session)
{
    if (!session)
        return;
    if (session->recording) {
        session_take_facts(session);
        session_write_rest(session);
        stem_error_set(&session->failure, "the recorder was shut down");
        session_step(session, STEM_ON_FAULT, NULL);
    }
    stem_gap_list_finish(&session->gaps);
    stem_fact_log_finish(&session->facts);
    free(session->spans);
    free(session->copies);
    free(session);
}

bool stem_session_ended(const struct stem_session *session)
{
    return session->ended;
}

const struct stem_session_status *stem_session_status(const struct stem_session *session)
{
    return &session->status;
}
