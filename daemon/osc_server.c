#include "osc_server.h"

#include "log.h"
#include "osc_message.h"

#include <errno.h>
#include <lo/lo_lowlevel.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { DATAGRAM_BYTES = 65536, DATAGRAMS_PER_READ = 64, BUNDLE_DEPTH = 4, BUNDLE_HEADER = 16 };

struct stem_osc_server {
    int *sockets;
    struct stem_osc_address *addresses;
    size_t count;
    char *const *allow;
    size_t allow_count;
    unsigned char *datagram;
};

struct stem_osc_server *stem_osc_server_create(char *const *urls, size_t url_count,
    char *const *allow, size_t allow_count, struct stem_error *error)
{
    struct stem_osc_server *server = calloc(1, sizeof *server);
    if (!server)
        goto no_memory;
    server->sockets = calloc(url_count + 1, sizeof *server->sockets);
    server->addresses = calloc(url_count + 1, sizeof *server->addresses);
    server->datagram = malloc(DATAGRAM_BYTES);
    server->allow = allow;
    server->allow_count = allow_count;
    if (!server->sockets || !server->addresses || !server->datagram)
        goto no_memory;
    for (size_t k = 0; k < url_count; k++) {
        struct stem_osc_address *address = &server->addresses[k];
        if (stem_osc_address_parse(urls[k], address, error))
            goto fail;
        server->sockets[k] = stem_osc_address_bind(address, error);
        if (server->sockets[k] < 0)
            goto fail;
        server->count++;
    }
    return server;
no_memory:
    stem_error_set(error, "no memory for the OSC server");
fail:
    stem_osc_server_destroy(server);
    return NULL;
}

void stem_osc_server_destroy(struct stem_osc_server *server)
{
    if (!server)
        return;
    for (size_t k = 0; k < server->count; k++) {
        const struct sockaddr_un *local = (const void *)&server->addresses[k].address;
        if (local->sun_family == AF_UNIX && local->sun_path[0])
            unlink(local->sun_path);
        close(server->sockets[k]);
    }
    free(server->sockets);
    free(server->addresses);
    free(server->datagram);
    free(server);
}

size_t stem_osc_server_pollfds(
    const struct stem_osc_server *server, struct pollfd *pollfds, size_t room)
{
    size_t count = server->count < room ? server->count : room;
    for (size_t k = 0; k < count; k++)
        pollfds[k] = (struct pollfd){.fd = server->sockets[k], .events = POLLIN};
    return count;
}

/* Decoding */

struct delivery {
    stem_osc_handler *handler;
    void *data;
    struct stem_osc_peer from;
};

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           (uint32_t)bytes[3];
}

static void deliver_message(
    const struct delivery *delivery, unsigned char *bytes, size_t size, lo_timetag when)
{
    if (!stem_osc_message_valid(bytes, size))
        return;
    int status = 0;
    lo_message message = lo_message_deserialise(bytes, size, &status);
    if (!message) {
        stem_log(STEM_LOG_DEBUG, "OSC: a message could not be decoded (%d)", status);
        return;
    }
    const struct stem_osc_request request = {
        .path = (const char *)bytes, .message = message, .when = when, .from = delivery->from};
    delivery->handler(&request, delivery->data);
    lo_message_free(message);
}

/* A packet is a message or a bundle of packets. */
static void deliver_packet(
    const struct delivery *delivery, unsigned char *bytes, size_t size, lo_timetag when, int depth)
{
    if (size < 4 || size % 4 != 0)
        return;
    if (size < BUNDLE_HEADER || memcmp(bytes, "#bundle", 8) != 0) {
        deliver_message(delivery, bytes, size, when);
        return;
    }
    if (depth == BUNDLE_DEPTH)
        return;
    when = (lo_timetag){.sec = big_endian(bytes + 8), .frac = big_endian(bytes + 12)};
    for (size_t at = BUNDLE_HEADER; size - at >= 4;) {
        uint32_t element = big_endian(bytes + at);
        at += 4;
        if (element > size - at)
            return;
        deliver_packet(delivery, bytes + at, element, when, depth + 1);
        at += element;
    }
}

void stem_osc_server_read(
    struct stem_osc_server *server, int socket_fd, stem_osc_handler *handler, void *data)
{
    struct delivery delivery = {.handler = handler, .data = data};
    delivery.from.socket_fd = socket_fd;
    for (int k = 0; k < DATAGRAMS_PER_READ; k++) {
        struct stem_osc_address *from = &delivery.from.address;
        from->length = sizeof from->address;
        ssize_t size = recvfrom(socket_fd, server->datagram, DATAGRAM_BYTES, 0,
            (struct sockaddr *)&from->address, &from->length);
        if (size < 0)
            return;
        if (stem_osc_address_allowed(from, (const char *const *)server->allow, server->allow_count))
            deliver_packet(&delivery, server->datagram, (size_t)size, LO_TT_IMMEDIATE, 0);
    }
}

/* Answering */

void stem_osc_send(const struct stem_osc_peer *peer, const char *path, lo_message message)
{
    size_t size = 0;
    void *bytes = message ? lo_message_serialise(message, path, NULL, &size) : NULL;
    /* A UNIX client without an address of its own cannot be answered. */
    if (bytes && peer->address.length > sizeof(sa_family_t) &&
        sendto(peer->socket_fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL,
            (const struct sockaddr *)&peer->address.address, peer->address.length) < 0)
        stem_log(STEM_LOG_DEBUG, "OSC: %s could not be sent", path);
    free(bytes);
    if (message)
        lo_message_free(message);
}

void stem_osc_reply(const struct stem_osc_peer *peer, const char *path, const char *text)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "ss", path, text);
    stem_osc_send(peer, "/reply", message);
}

void stem_osc_error(const struct stem_osc_peer *peer, const char *path, int code, const char *text)
{
    lo_message message = lo_message_new();
    if (message)
        lo_message_add(message, "sis", path, code, text);
    stem_osc_send(peer, "/error", message);
}

int stem_osc_server_peer(const struct stem_osc_server *server,
    const struct stem_osc_address *address, struct stem_osc_peer *peer)
{
    for (size_t k = 0; k < server->count; k++) {
        if (server->addresses[k].address.ss_family != address->address.ss_family)
            continue;
        *peer = (struct stem_osc_peer){server->sockets[k], *address};
        return 0;
    }
    return -1;
}
