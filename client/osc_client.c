#include "osc_client.h"

#include "osc_address.h"

#include <errno.h>
#include <lo/lo_lowlevel.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DATAGRAM_BYTES = 65536, RECEIVE_BYTES = 4 << 20 };

struct osc_client {
    int fd;
    char *url;
    unsigned char datagram[DATAGRAM_BYTES];
};

struct osc_client *osc_client_open(const char *url, struct stem_error *error)
{
    struct stem_osc_address address;
    if (stem_osc_address_parse(url, &address, error))
        return NULL;
    struct osc_client *client = calloc(1, sizeof *client);
    if (!client) {
        stem_error_set(error, "no memory");
        return NULL;
    }
    client->url = strdup(url);
    client->fd = stem_osc_address_connect(&address, error);
    if (client->fd < 0 || !client->url) {
        osc_client_close(client);
        return NULL;
    }
    int room = RECEIVE_BYTES;
    setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return client;
}

void osc_client_close(struct osc_client *client)
{
    if (!client)
        return;
    if (client->fd >= 0)
        close(client->fd);
    free(client->url);
    free(client);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static enum stemctl_exit no_answer(
    const struct osc_client *client, double timeout, struct stem_error *error)
{
    stem_error_set(error,
        "no answer from stemd at %s within %g s; is it running? (try: systemctl status stemd, or "
        "give --url)",
        client->url, timeout);
    return STEMCTL_NO_ANSWER;
}

static bool send_request(struct osc_client *client, const char *path, lo_message arguments)
{
    size_t size = 0;
    lo_message message = arguments ? arguments : lo_message_new();
    void *bytes = message ? lo_message_serialise(message, path, NULL, &size) : NULL;
    bool sent = bytes && send(client->fd, bytes, size, 0) == (ssize_t)size;
    free(bytes);
    if (message)
        lo_message_free(message);
    return sent;
}

/* Whether a message is the final answer to `path`; then `answer` is filled. */
static bool is_final(
    const char *path, const char *got, lo_message message, struct osc_answer *answer)
{
    lo_arg **arguments = lo_message_get_argv(message);
    const char *types = lo_message_get_types(message);
    bool reply = strcmp(got, "/reply") == 0 && strcmp(types, "ss") == 0;
    bool error = strcmp(got, "/error") == 0 && strcmp(types, "sis") == 0;
    if ((!reply && !error) || strcmp(&arguments[0]->s, path) != 0)
        return false;
    answer->code = error ? arguments[1]->i : 0;
    snprintf(answer->text, sizeof answer->text, "%s", &arguments[error ? 2 : 1]->s);
    return true;
}

/* Data messages of a request live below its own path; anything else is a late answer or feedback.
 */
static bool is_data(const char *path, const char *got)
{
    size_t length = strlen(path);
    return strncmp(path, got, length) == 0 && got[length] == '/';
}

/* One datagram; true when it was the final answer. */
static bool receive(struct osc_client *client, const char *path, osc_data *on_data, void *data,
    struct osc_answer *answer)
{
    ssize_t size = recv(client->fd, client->datagram, sizeof client->datagram, MSG_DONTWAIT);
    if (size < 4 || !memchr(client->datagram, '\0', (size_t)size))
        return false;
    int status;
    lo_message message = lo_message_deserialise(client->datagram, (size_t)size, &status);
    if (!message)
        return false;
    const char *got = (const char *)client->datagram;
    bool final = is_final(path, got, message, answer);
    if (!final && is_data(path, got)) {
        answer->data_messages++;
        if (on_data)
            on_data(got, message, data);
    }
    lo_message_free(message);
    return final;
}

enum stemctl_exit osc_client_ask(struct osc_client *client, const char *path, lo_message arguments,
    double timeout_seconds, osc_data *on_data, void *data, struct osc_answer *answer,
    struct stem_error *error)
{
    *answer = (struct osc_answer){0};
    double until = seconds_now() + timeout_seconds;
    if (!send_request(client, path, arguments))
        return no_answer(client, timeout_seconds, error);
    for (;;) {
        double left = until - seconds_now();
        struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
        if (left <= 0)
            return no_answer(client, timeout_seconds, error);
        if (poll(&poll_fd, 1, (int)(left * 1000) + 1) < 0 && errno != EINTR)
            return no_answer(client, timeout_seconds, error);
        if (poll_fd.revents & POLLERR) /* nobody listens there */
            return no_answer(client, timeout_seconds, error);
        if (receive(client, path, on_data, data, answer))
            return STEMCTL_OK;
    }
}
