/* OSC over datagram sockets of our own: UDP and UNIX. liblo decodes, encodes and matches; the
 * sockets and the senders' addresses are ours. Control thread.
 *
 * Packets are untrusted: what cannot be decoded is dropped, bundles are unpacked to a small depth,
 * senders outside the allowed blocks get nothing at all.
 */
#ifndef STEMD_OSC_SERVER_H
#define STEMD_OSC_SERVER_H

#include "error.h"
#include "osc_address.h"

#include <lo/lo.h>
#include <poll.h>
#include <stddef.h>

struct stem_osc_server;

/* Whom to answer: the socket a request came in on, and its sender. May be copied and kept. */
struct stem_osc_peer {
    int socket_fd;
    struct stem_osc_address address;
};

/* One received message; valid during the call only. */
struct stem_osc_request {
    const char *path; /* may hold wildcards */
    lo_message message;
    lo_timetag when; /* of the enclosing bundle; LO_TT_IMMEDIATE outside of one */
    struct stem_osc_peer from;
};
typedef void stem_osc_handler(const struct stem_osc_request *request, void *data);

/* Opens one socket per URL. NULL and `error` when one cannot be bound. The strings in `allow` are
 * borrowed. */
struct stem_osc_server *stem_osc_server_create(char *const *urls, size_t url_count,
    char *const *allow, size_t allow_count, struct stem_error *error);

/* Closes the sockets and removes UNIX socket files. NULL is allowed. */
void stem_osc_server_destroy(struct stem_osc_server *server);

/* Fills one pollfd per socket; returns how many there are (at most `room`). */
size_t stem_osc_server_pollfds(
    const struct stem_osc_server *server, struct pollfd *pollfds, size_t room);

/* Reads what is there from one socket, a bounded number of datagrams, and calls the handler for
 * each message. */
void stem_osc_server_read(
    struct stem_osc_server *server, int socket_fd, stem_osc_handler *handler, void *data);

/* Sends a message and frees it. A receiver that is gone or slow loses it. */
void stem_osc_send(const struct stem_osc_peer *peer, const char *path, lo_message message);

/* /reply ,ss and /error ,sis as in Non Session Manager. */
void stem_osc_reply(const struct stem_osc_peer *peer, const char *path, const char *text);
void stem_osc_error(const struct stem_osc_peer *peer, const char *path, int code, const char *text);

/* A peer for an address that never asked (notifications): uses the first socket of its family.
 * 0, or -1 when there is none. */
int stem_osc_server_peer(const struct stem_osc_server *server,
    const struct stem_osc_address *address, struct stem_osc_peer *peer);

#endif
