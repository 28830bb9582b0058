/* One conversation with a daemon: requests and their answers over a datagram socket. */
#ifndef STEMCTL_OSC_CLIENT_H
#define STEMCTL_OSC_CLIENT_H

#include "error.h"

#include <lo/lo.h>
#include <stdbool.h>
#include <stdint.h>

/* Exit codes of stemctl. */
enum stemctl_exit {
    STEMCTL_OK = 0,
    STEMCTL_REFUSED = 1,     /* the daemon answered with an error, or a check failed */
    STEMCTL_USAGE = 2,       /* wrong arguments */
    STEMCTL_NO_ANSWER = 3,   /* no daemon answered */
    STEMCTL_INTERRUPTED = 4, /* by SIGINT or SIGTERM */
};

struct osc_client;

/* Opens a socket to the daemon at `url`. STEMCTL_OK and `client`; or NULL, `error` and
 * STEMCTL_USAGE when the URL is wrong, STEMCTL_NO_ANSWER when nobody can be reached there. */
enum stemctl_exit osc_client_open(
    const char *url, struct osc_client **client, struct stem_error *error);

/* NULL is allowed. */
void osc_client_close(struct osc_client *client);

/* The next request is sent in a bundle with this time, and so carried out then. */
void osc_client_set_time(struct osc_client *client, lo_timetag when);

struct osc_answer {
    int code;                    /* of an /error; 0 for a /reply */
    char text[STEM_ERROR_BYTES]; /* its message */
    unsigned data_messages;      /* how many came before */
};

/* An argument's value. OSC aligns arguments to four bytes only, so they are not read through
 * lo_arg's members. */
const char *osc_text(const lo_arg *argument);
int32_t osc_int(const lo_arg *argument);
int64_t osc_long(const lo_arg *argument);
float osc_float(const lo_arg *argument);
double osc_double(const lo_arg *argument);

/* Called for each data message before the final answer. */
typedef void osc_data(const char *path, lo_message message, void *data);

/* Sends a request (NULL: no arguments; it is freed) and waits for its answer. The time-out counts
 * from the last sign of life: each data message begins it anew. `on_data` may be NULL. Returns
 * STEMCTL_OK (look at answer->code), or STEMCTL_NO_ANSWER or STEMCTL_INTERRUPTED with `error`. */
enum stemctl_exit osc_client_ask(struct osc_client *client, const char *path, lo_message arguments,
    double timeout_seconds, osc_data *on_data, void *data, struct osc_answer *answer,
    struct stem_error *error);

/* Whether the final answer's count says that a data message was lost on the way. */
bool osc_answer_incomplete(const struct osc_answer *answer);

#endif
