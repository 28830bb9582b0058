#include "osc_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char UDP[] = "udp://", UNIX[] = "unix://";

/* Splits "HOST:PORT" or "[HOST]:PORT"; the brackets are there exactly when HOST has colons. */
static bool split_host(const char *text, char *host, size_t size, unsigned *port)
{
    bool bracket = text[0] == '[';
    const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
    if (!end)
        return false;
    const char *begin = text + bracket;
    const char *colon = end + bracket;
    if (*colon != ':' || (size_t)(end - begin) >= size || end == begin)
        return false;
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    if (bracket != (strchr(host, ':') != NULL))
        return false;
    char *rest;
    unsigned long number = strtoul(colon + 1, &rest, 10);
    if (colon[1] < '0' || colon[1] > '9' || *rest || number == 0 || number > 65535)
        return false;
    *port = (unsigned)number;
    return true;
}

static bool set_ip(struct stem_osc_address *address, const char *host, unsigned port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->address;
    memset(&address->address, 0, sizeof address->address);
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        address->length = sizeof *v4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        address->length = sizeof *v6;
        return true;
    }
    return false;
}

static bool set_path(struct stem_osc_address *address, const char *path)
{
    struct sockaddr_un *local = (struct sockaddr_un *)&address->address;
    memset(&address->address, 0, sizeof address->address);
    if (path[0] != '/' || strlen(path) >= sizeof local->sun_path)
        return false;
    local->sun_family = AF_UNIX;
    memcpy(local->sun_path, path, strlen(path) + 1);
    address->length = sizeof *local;
    return true;
}

int stem_osc_address_parse(
    const char *url, struct stem_osc_address *address, struct stem_error *error)
{
    char host[64];
    unsigned port;
    if (strncmp(url, UDP, sizeof UDP - 1) == 0 &&
        split_host(url + sizeof UDP - 1, host, sizeof host, &port) && set_ip(address, host, port))
        return 0;
    if (strncmp(url, UNIX, sizeof UNIX - 1) == 0 && set_path(address, url + sizeof UNIX - 1))
        return 0;
    return stem_error_set(error,
        "expected \"udp://ADDRESS:PORT\" with a numeric address, or \"unix:///PATH\", found \"%s\"",
        url);
}

void stem_osc_address_format(const struct stem_osc_address *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr *any = (const struct sockaddr *)&address->address;
    const struct sockaddr_in *v4 = (const void *)any;
    const struct sockaddr_in6 *v6 = (const void *)any;
    const struct sockaddr_un *local = (const void *)any;
    if (any->sa_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(text, size, "udp://%s:%u", host, ntohs(v4->sin_port));
    } else if (any->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(text, size, "udp://[%s]:%u", host, ntohs(v6->sin6_port));
    } else if (address->length > sizeof(sa_family_t) && local->sun_path[0]) {
        snprintf(text, size, "unix://%.*s", (int)(address->length - sizeof(sa_family_t)),
            local->sun_path);
    } else if (address->length > sizeof(sa_family_t) + 1) {
        int length = (int)(address->length - sizeof(sa_family_t) - 1);
        snprintf(text, size, "unix:@%.*s", length, local->sun_path + 1);
    } else {
        snprintf(text, size, "unix:(unnamed)");
    }
}

static int open_socket(const struct stem_osc_address *address, int flags)
{
    return socket(address->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0);
}

/* Whether nobody listens any more at a UNIX socket's path. When in doubt somebody does. */
static bool is_deserted(const struct stem_osc_address *address)
{
    int probe = open_socket(address, SOCK_NONBLOCK);
    if (probe < 0)
        return false;
    int status = connect(probe, (const struct sockaddr *)&address->address, address->length);
    bool refused = status != 0 && errno == ECONNREFUSED;
    close(probe);
    return refused;
}

/* Whether a UNIX address names a file of another kind, which must stay. */
static bool is_other_file(const struct stem_osc_address *address)
{
    const struct sockaddr_un *local = (const void *)&address->address;
    struct stat file;
    return local->sun_family == AF_UNIX && lstat(local->sun_path, &file) == 0 &&
           !S_ISSOCK(file.st_mode);
}

/* Removes the socket file of a process that is gone. */
static void remove_stale(const struct stem_osc_address *address)
{
    const struct sockaddr_un *local = (const void *)&address->address;
    if (local->sun_family == AF_UNIX && !is_other_file(address) && is_deserted(address))
        unlink(local->sun_path);
}

int stem_osc_address_bind(const struct stem_osc_address *address, struct stem_error *error)
{
    enum { RECEIVE_BYTES = 1 << 20 };
    char text[128];
    int one = 1, room = RECEIVE_BYTES;
    stem_osc_address_format(address, text, sizeof text);
    int fd = open_socket(address, SOCK_NONBLOCK);
    if (fd < 0)
        return stem_error_set_errno(error, errno, "cannot open a socket for %s", text);
    if (address->address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room); /* as much as the system gives */
    remove_stale(address);
    if (bind(fd, (const struct sockaddr *)&address->address, address->length) == 0)
        return fd;
    int problem = errno;
    close(fd);
    if (problem == EADDRINUSE && is_other_file(address))
        return stem_error_set(
            error, "cannot listen on %s: a file of that name exists that is no socket", text);
    if (problem == EADDRINUSE)
        return stem_error_set(
            error, "cannot listen on %s: it is in use; is another stemd running?", text);
    return stem_error_set_errno(error, problem, "cannot listen on %s", text);
}

int stem_osc_address_connect(const struct stem_osc_address *address, struct stem_error *error)
{
    char text[128];
    stem_osc_address_format(address, text, sizeof text);
    int fd = open_socket(address, 0);
    if (fd < 0)
        return stem_error_set_errno(error, errno, "cannot open a socket for %s", text);
    /* binding to a family alone asks for an automatic name */
    const struct sockaddr nameless = {.sa_family = AF_UNIX};
    bool is_named = address->address.ss_family != AF_UNIX ||
                    bind(fd, &nameless, sizeof nameless.sa_family) == 0;
    if (is_named && connect(fd, (const struct sockaddr *)&address->address, address->length) == 0)
        return fd;
    int problem = errno;
    close(fd);
    return stem_error_set_errno(error, problem, "cannot reach %s", text);
}

/* A CIDR block as family, bytes and length in bits. */
struct block {
    int family;
    unsigned char bytes[16];
    unsigned bits;
};

static bool parse_block(const char *text, struct block *block)
{
    char host[64];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    if (length >= sizeof host)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    block->family = strchr(host, ':') ? AF_INET6 : AF_INET;
    unsigned all = block->family == AF_INET6 ? 128 : 32;
    if (inet_pton(block->family, host, block->bytes) != 1)
        return false;
    char *rest = "";
    unsigned long bits = slash ? strtoul(slash + 1, &rest, 10) : all;
    block->bits = (unsigned)bits;
    return bits <= all && *rest == '\0' && (!slash || (slash[1] >= '0' && slash[1] <= '9'));
}

bool stem_osc_block_valid(const char *block)
{
    struct block parsed;
    return parse_block(block, &parsed);
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    unsigned mask = 0xFFu << (8 - bits % 8) & 0xFF;
    return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

bool stem_osc_address_allowed(
    const struct stem_osc_address *address, const char *const *blocks, size_t count)
{
    const struct sockaddr *any = (const struct sockaddr *)&address->address;
    if (any->sa_family == AF_UNIX || address->length <= sizeof(sa_family_t))
        return true;
    const unsigned char *bytes =
        any->sa_family == AF_INET6
            ? (const void *)&((const struct sockaddr_in6 *)(const void *)any)->sin6_addr
            : (const void *)&((const struct sockaddr_in *)(const void *)any)->sin_addr;
    for (size_t k = 0; k < count; k++) {
        struct block block;
        if (parse_block(blocks[k], &block) && block.family == any->sa_family &&
            same_bits(bytes, block.bytes, block.bits))
            return true;
    }
    return false;
}
