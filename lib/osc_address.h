/* Where OSC comes from and goes to: the text form of socket addresses, shared by daemon and client.
 *
 * "udp://127.0.0.1:7770", "udp://[::1]:7770", "unix:///run/stemd/osc". Datagram sockets only.
 */
#ifndef STEM_OSC_ADDRESS_H
#define STEM_OSC_ADDRESS_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Where stemd listens and stemctl asks unless told otherwise. */
#define STEM_OSC_DEFAULT_URL "udp://127.0.0.1:7770"

struct stem_osc_address {
    struct sockaddr_storage address;
    socklen_t length;
};

/* Parses a URL; numeric IP addresses and "localhost" only (no name service is asked). 0, or -1 with
 * `error` that says what was expected. */
int stem_osc_address_parse(
    const char *url, struct stem_osc_address *address, struct stem_error *error);

/* Text form of an address, for messages ("unix:(unnamed)" for a client without one). */
void stem_osc_address_format(const struct stem_osc_address *address, char *text, size_t size);

/* A bound, non-blocking, close-on-exec datagram socket. A stale UNIX socket file (nobody answers
 * there) is replaced, a live one is an error. -1 with `error` on failure. Control thread. */
int stem_osc_address_bind(const struct stem_osc_address *address, struct stem_error *error);

/* A datagram socket connected to the address, with an address of its own for the replies (UNIX:
 * bound to an automatic abstract name). -1 with `error`. */
int stem_osc_address_connect(const struct stem_osc_address *address, struct stem_error *error);

/* Whether `address` lies in one of the CIDR blocks ("127.0.0.0/8", "::1/128", "10.0.0.7"). UNIX
 * addresses always do: the file's permissions guard them. */
bool stem_osc_address_allowed(
    const struct stem_osc_address *address, const char *const *blocks, size_t count);

/* Checks the syntax of a CIDR block. */
bool stem_osc_block_valid(const char *block);

#endif
