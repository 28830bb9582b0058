/* A request goes out as one datagram; what comes back is any number of data messages below the
 * request's own path, then one /reply or /error that names it. Everything else that arrives here is
 * a late answer or feedback, and ignored. liblo encodes and decodes; the socket is ours.
 */
#include "osc_client.h"

#include "interrupt.h"
#include "osc_address.h"
#include "osc_message.h"

#include <errno.h>
#include <lo/lo_lowlevel.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DATAGRAM_BYTES = 65536, RECEIVE_BYTES = 4 << 20 };

#define ADVICE "is it running? (systemctl status stemd, or give --url)"

struct osc_client {
    int fd;
    char *url;
    bool has_answered; /* somebody is there who understands us */
    lo_timetag when;   /* of the next request; zero: at once */
    unsigned char datagram[DATAGRAM_BYTES];
};

enum stemctl_exit osc_client_open(
    const char *url, struct osc_client **opened, struct stem_error *error)
{
    struct stem_osc_address address;
    struct stem_error reason;
    int room = RECEIVE_BYTES;
    *opened = NULL;
    if (stem_osc_address_parse(url, &address, error))
        return STEMCTL_USAGE;
    struct osc_client *client = calloc(1, sizeof *client);
    char *copy = strdup(url);
    if (!client || !copy) {
        stem_error_set(error, "no memory");
        goto fail;
    }
    client->fd = stem_osc_address_connect(&address, &reason);
    if (client->fd < 0) {
        stem_error_set(error, "no answer from stemd: %s; " ADVICE, reason.text);
        goto fail;
    }
    client->url = copy;
    setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room); /* what the system allows */
    *opened = client;
    return STEMCTL_OK;
fail:
    free(copy);
    free(client);
    return STEMCTL_NO_ANSWER;
}

void osc_client_close(struct osc_client *client)
{
    if (!client)
        return;
    close(client->fd);
    free(client->url);
    free(client);
}

void osc_client_set_time(struct osc_client *client, lo_timetag when)
{
    client->when = when;
}

bool osc_answer_incomplete(const struct osc_answer *answer)
{
    return strtoul(answer->text, NULL, 10) != answer->data_messages;
}

const char *osc_text(const lo_arg *argument)
{
    return (const char *)argument;
}

int32_t osc_int(const lo_arg *argument)
{
    int32_t value;
    memcpy(&value, argument, sizeof value);
    return value;
}

int64_t osc_long(const lo_arg *argument)
{
    int64_t value;
    memcpy(&value, argument, sizeof value);
    return value;
}

float osc_float(const lo_arg *argument)
{
    float value;
    memcpy(&value, argument, sizeof value);
    return value;
}

double osc_double(const lo_arg *argument)
{
    double value;
    memcpy(&value, argument, sizeof value);
    return value;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One request while it waits for its answer. */
struct question {
    struct osc_client *client;
    const char *path;
    double timeout_seconds;
    osc_data *on_data;
    void *data;
    struct osc_answer *answer;
    struct stem_error *error;
};

static enum stemctl_exit not_reached(const struct question *question, int reason)
{
    char text[128];
    if (reason == EMSGSIZE) {
        stem_error_set(question->error, "the text is too long to be sent in one datagram");
        return STEMCTL_USAGE;
    }
    stem_error_set(question->error, "no answer from stemd at %s: %s; " ADVICE,
        question->client->url, strerror_r(reason, text, sizeof text));
    return STEMCTL_NO_ANSWER;
}

static enum stemctl_exit timed_out(const struct question *question)
{
    const struct osc_client *client = question->client;
    if (question->answer->data_messages > 0)
        stem_error_set(question->error, "the answer of stemd at %s broke off for %g s; try again",
            client->url, question->timeout_seconds);
    else if (client->has_answered)
        stem_error_set(question->error,
            "stemd at %s is there, but did not finish %s within %g s; ask for its status, or wait "
            "longer with --timeout",
            client->url, question->path, question->timeout_seconds);
    else
        stem_error_set(question->error, "no answer from stemd at %s within %g s; " ADVICE,
            client->url, question->timeout_seconds);
    return STEMCTL_NO_ANSWER;
}

static enum stemctl_exit was_interrupted(const struct question *question)
{
    stem_error_set(question->error, "interrupted; stemd may still carry out %s", question->path);
    return STEMCTL_INTERRUPTED;
}

/* The datagram of a request, in a bundle when it is meant for a time. The caller frees it. */
static void *make_datagram(
    struct osc_client *client, const char *path, lo_message message, size_t *size)
{
    if (client->when.sec == 0)
        return lo_message_serialise(message, path, NULL, size);
    lo_bundle bundle = lo_bundle_new(client->when);
    void *bytes = NULL;
    if (bundle && lo_bundle_add_message(bundle, path, message) == 0)
        bytes = lo_bundle_serialise(bundle, NULL, size);
    if (bundle) {
        lo_message_incref(message); /* it stays; what the bundle keeps besides goes */
        lo_bundle_free_recursive(bundle);
    }
    client->when = (lo_timetag){0, 0};
    return bytes;
}

/* 0 or an errno value. The message is freed. */
static int send_request(struct osc_client *client, const char *path, lo_message arguments)
{
    size_t size = 0;
    lo_message message = arguments ? arguments : lo_message_new();
    void *bytes = message ? make_datagram(client, path, message, &size) : NULL;
    int problem = 0;
    if (!bytes)
        problem = ENOMEM;
    else if (send(client->fd, bytes, size, 0) < 0)
        problem = errno;
    free(bytes);
    if (message)
        lo_message_free(message);
    return problem;
}

/* Whether a message is the final answer to `path`; then `answer` is filled. */
static bool is_final(
    const char *path, const char *got, lo_message message, struct osc_answer *answer)
{
    lo_arg **arguments = lo_message_get_argv(message);
    const char *types = lo_message_get_types(message);
    bool reply = strcmp(got, "/reply") == 0 && strcmp(types, "ss") == 0;
    bool error = strcmp(got, "/error") == 0 && strcmp(types, "sis") == 0;
    if ((!reply && !error) || strcmp(osc_text(arguments[0]), path) != 0)
        return false;
    answer->code = error ? osc_int(arguments[1]) : 0;
    if (error && answer->code == 0)
        answer->code = -1;
    snprintf(answer->text, sizeof answer->text, "%s", osc_text(arguments[error ? 2 : 1]));
    return true;
}

static bool is_data(const char *path, const char *got)
{
    size_t length = strlen(path);
    return strncmp(path, got, length) == 0 && got[length] == '/';
}

enum receipt { NOTHING, DATA, FINAL };

static enum receipt take_message(
    const struct question *question, const char *got, lo_message message)
{
    if (is_final(question->path, got, message, question->answer))
        return FINAL;
    if (!is_data(question->path, got))
        return NOTHING;
    question->answer->data_messages++;
    if (question->on_data)
        question->on_data(got, message, question->data);
    return DATA;
}

/* Reads one datagram. `problem` is an errno value when the other side is gone. */
static enum receipt receive(const struct question *question, int *problem)
{
    struct osc_client *client = question->client;
    ssize_t size = recv(client->fd, client->datagram, sizeof client->datagram, MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN && errno != EINTR)
        *problem = errno;
    if (size < 0 || !stem_osc_message_valid(client->datagram, (size_t)size))
        return NOTHING;
    int status;
    lo_message message = lo_message_deserialise(client->datagram, (size_t)size, &status);
    if (!message)
        return NOTHING;
    enum receipt receipt = take_message(question, (const char *)client->datagram, message);
    lo_message_free(message);
    return receipt;
}

/* Sleeps until there is something to read, a signal, or the time is over. */
static void sleep_until(int fd, const struct stemctl_interrupt *interrupt, double until)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = interrupt->fd, .events = POLLIN}};
    double left = until - seconds_now();
    if (left > 0)
        poll(fds, 2, (int)ceil(left * 1000));
}

static enum stemctl_exit wait_for_answer(
    const struct question *question, struct stemctl_interrupt *interrupt)
{
    double until = seconds_now() + question->timeout_seconds;
    for (;;) {
        int problem = 0;
        sleep_until(question->client->fd, interrupt, until);
        if (stemctl_interrupt_pending(interrupt))
            return was_interrupted(question);
        enum receipt receipt = receive(question, &problem);
        if (receipt != NOTHING)
            question->client->has_answered = true;
        if (receipt == FINAL)
            return STEMCTL_OK;
        if (problem)
            return not_reached(question, problem);
        if (receipt == DATA)
            until = seconds_now() + question->timeout_seconds;
        else if (seconds_now() >= until)
            return timed_out(question);
    }
}

enum stemctl_exit osc_client_ask(struct osc_client *client, const char *path, lo_message arguments,
    double timeout_seconds, osc_data *on_data, void *data, struct osc_answer *answer,
    struct stem_error *error)
{
    const struct question question = {client, path, timeout_seconds, on_data, data, answer, error};
    struct stemctl_interrupt interrupt;
    *answer = (struct osc_answer){0};
    int problem = send_request(client, path, arguments);
    if (problem)
        return not_reached(&question, problem);
    stemctl_interrupt_begin(&interrupt);
    enum stemctl_exit code = wait_for_answer(&question, &interrupt);
    stemctl_interrupt_end(&interrupt);
    return code;
}
