/* The OSC server on real sockets: what is delivered, what is dropped, who is answered. */
#include "osc_server.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_HEARD = 256, MOST_BYTES = 65507, BUNDLE_DEPTH = 4 };

/* One message as the handler saw it. */
struct heard {
    char path[128];
    char types[16];
    int32_t first; /* argument, when it is a whole number */
    lo_timetag when;
    struct stem_osc_peer from;
};

static char *folder;
static char unix_url[128], unix_path[100];
static struct stem_osc_server *server;
static int udp, local; /* the server's sockets */
static int client;     /* a sender on 127.0.0.1 */
static struct sockaddr_in udp_address;
static struct heard heard[MOST_HEARD];
static size_t heard_count;

static void hear(const struct stem_osc_request *request, void *data)
{
    assert_ptr_equal(data, heard);
    assert_true(heard_count < MOST_HEARD);
    struct heard *one = &heard[heard_count++];
    snprintf(one->path, sizeof one->path, "%s", request->path);
    snprintf(one->types, sizeof one->types, "%s", lo_message_get_types(request->message));
    one->first = one->types[0] == 'i' ? lo_message_get_argv(request->message)[0]->i : 0;
    one->when = request->when;
    one->from = request->from;
}

static int sender_on(const char *ip)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    inet_pton(AF_INET, ip, &address.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static unsigned free_port(void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = sender_on("127.0.0.1");
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int set_up(void **state)
{
    (void)state;
    static char one[] = "127.0.0.1", block[] = "127.0.1.0/24";
    static char *allow[] = {one, block};
    char udp_url[64];
    struct stem_error error = {0};
    struct pollfd fds[4];
    folder = scratch_make();
    snprintf(unix_path, sizeof unix_path, "%s/osc", folder);
    snprintf(unix_url, sizeof unix_url, "unix://%s", unix_path);
    char *urls[] = {udp_url, unix_url};
    for (int tries = 0; tries < 20 && !server; tries++) { /* another may be quicker */
        snprintf(udp_url, sizeof udp_url, "udp://127.0.0.1:%u", free_port());
        server = stem_osc_server_create(urls, 2, allow, 2, &error);
    }
    if (!server)
        fail_msg("%s", error.text);
    assert_int_equal(stem_osc_server_pollfds(server, fds, 4), 2);
    udp = fds[0].fd;
    local = fds[1].fd;
    socklen_t length = sizeof udp_address;
    assert_int_equal(getsockname(udp, (struct sockaddr *)&udp_address, &length), 0);
    client = sender_on("127.0.0.1");
    heard_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stem_osc_server_destroy(server);
    server = NULL;
    close(client);
    scratch_remove(folder);
    return 0;
}

/* Datagrams on the loopback are there when sendto returns. */
static void send_from(int fd, const void *bytes, size_t size)
{
    assert_int_equal(
        sendto(fd, bytes, size, 0, (struct sockaddr *)&udp_address, sizeof udp_address), size);
}

static void read_all(void)
{
    stem_osc_server_read(server, udp, hear, heard);
}

static void deliver(const void *bytes, size_t size)
{
    send_from(client, bytes, size);
    read_all();
}

/* An OSC message with one whole number; returns its size. */
static size_t make_message(unsigned char *bytes, const char *path, int32_t number)
{
    lo_message message = lo_message_new();
    size_t size;
    lo_message_add_int32(message, number);
    lo_message_serialise(message, path, bytes, &size);
    lo_message_free(message);
    return size;
}

static void put_32(unsigned char *bytes, uint32_t value)
{
    for (int k = 0; k < 4; k++)
        bytes[k] = (unsigned char)(value >> (24 - 8 * k));
}

/* Puts a bundle's head before `size` bytes and makes them its only element; returns its size. */
static size_t wrap(unsigned char *bytes, size_t size, uint32_t seconds, uint32_t fraction)
{
    memmove(bytes + 20, bytes, size);
    memcpy(bytes, "#bundle", 8);
    put_32(bytes + 8, seconds);
    put_32(bytes + 12, fraction);
    put_32(bytes + 16, (uint32_t)size);
    return size + 20;
}

static void test_osc_server_delivers_a_message(void **state)
{
    (void)state;
    unsigned char bytes[64];
    deliver(bytes, make_message(bytes, "/record/start", 77));
    assert_int_equal(heard_count, 1);
    assert_string_equal(heard[0].path, "/record/start");
    assert_string_equal(heard[0].types, "i");
    assert_int_equal(heard[0].first, 77);
    assert_int_equal(heard[0].when.sec, 0);
    assert_int_equal(heard[0].when.frac, 1); /* at once */
    assert_int_equal(heard[0].from.socket_fd, udp);
}

static void test_osc_server_hands_on_a_bundles_time(void **state)
{
    (void)state;
    unsigned char bytes[128];
    size_t size = wrap(bytes, make_message(bytes, "/a", 5), 0x83AA7E80, 0x40000000);
    deliver(bytes, size);
    assert_int_equal(heard_count, 1);
    assert_int_equal(heard[0].first, 5);
    assert_int_equal(heard[0].when.sec, 0x83AA7E80);
    assert_int_equal(heard[0].when.frac, 0x40000000);
}

static void test_osc_server_delivers_all_elements_in_order(void **state)
{
    (void)state;
    unsigned char bytes[1024] = "#bundle";
    size_t at = 16;
    put_32(bytes + 8, 9);
    put_32(bytes + 12, 0);
    for (int k = 0; k < 20; k++) {
        size_t size = make_message(bytes + at + 4, "/n", k);
        put_32(bytes + at, (uint32_t)size);
        at += 4 + size;
    }
    deliver(bytes, at);
    assert_int_equal(heard_count, 20);
    for (int k = 0; k < 20; k++)
        assert_int_equal(heard[k].first, k);
}

static void test_osc_server_unpacks_nested_bundles_to_a_depth(void **state)
{
    (void)state;
    unsigned char bytes[1024];
    size_t size = make_message(bytes, "/deep", 1);
    for (uint32_t depth = 1; depth <= 20; depth++) {
        size = wrap(bytes, size, depth, 0);
        heard_count = 0;
        deliver(bytes, size);
        assert_int_equal(heard_count, depth <= BUNDLE_DEPTH ? 1 : 0);
        if (heard_count)
            assert_int_equal(heard[0].when.sec, 1); /* the innermost one's */
    }
}

static void test_osc_server_every_truncation_does_no_harm(void **state)
{
    (void)state;
    unsigned char bytes[256];
    size_t size = make_message(bytes, "/some/path", 42);
    size = wrap(bytes, size, 1, 2);
    for (size_t length = 0; length < size; length++)
        deliver(bytes, length);
    assert_int_equal(heard_count, 0);
    deliver(bytes, size);
    assert_int_equal(heard_count, 1);
}

static void test_osc_server_wrong_element_sizes_do_no_harm(void **state)
{
    (void)state;
    static const uint32_t SIZES[] = {
        0, 1, 2, 3, 5, 7, 19, 21, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF, 0xFFFFFFF0};
    unsigned char bytes[256];
    size_t inner = make_message(bytes, "/some/path", 42);
    size_t size = wrap(bytes, inner, 1, 2);
    for (size_t k = 0; k < sizeof SIZES / sizeof *SIZES; k++) {
        put_32(bytes + 16, SIZES[k]);
        deliver(bytes, size);
    }
    assert_int_equal(heard_count, 0);
}

static void test_osc_server_drops_what_is_no_osc(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } PACKETS[] = {{"", 0}, {"/", 1}, {"/abc", 4}, {"abcd\0\0\0\0,\0\0\0", 12}, {"/a\0\0", 3},
        {"/a\0\0,i\0\0", 8}, {"/a\0\0,s\0\0abcd", 12}, {"/a\0\0,b\0\0\x7F\xFF\xFF\xFF", 12},
        {"/a\0\0,b\0\0\xFF\xFF\xFF\xFF", 12}, {"/a\0\0,iii", 8}, {"#bundle\0", 8},
        {"#bundle\0\0\0\0\0\0\0\0", 15}, {"#bundle\0\0\0\0\0\0\0\0\1", 16},
        {"GET / HTTP/1.0\r\n", 16}, {"\0\0\0\0\0\0\0\0", 8}, {"/////////////////", 16}};
    for (size_t k = 0; k < sizeof PACKETS / sizeof *PACKETS; k++)
        deliver(PACKETS[k].bytes, PACKETS[k].size);
    assert_int_equal(heard_count, 0);
}

static void test_osc_server_survives_stray_bytes(void **state)
{
    (void)state;
    unsigned char valid[256], bytes[256];
    uint32_t seed = 8;
    lo_message message = lo_message_new();
    lo_blob blob = lo_blob_new(5, "bytes");
    lo_message_add(message, "isfbTF", 1, "text", 2.5f, blob);
    lo_blob_free(blob);
    size_t size = lo_message_length(message, "/stem/Drums/mute");
    assert_true(size + 20 <= sizeof valid);
    lo_message_serialise(message, "/stem/Drums/mute", valid, NULL);
    lo_message_free(message);
    size = wrap(valid, size, 1, 2);
    for (int round = 0; round < 20000; round++) {
        memcpy(bytes, valid, size);
        for (int k = 0; k <= round % 3; k++)
            bytes[(size_t)((unit_noise(&seed) + 1) / 2 * (float)(size - 1))] =
                (unsigned char)(unit_noise(&seed) * 128 + 128);
        heard_count = 0;
        deliver(bytes, size);
    }
}

static void test_osc_server_takes_the_largest_datagram(void **state)
{
    (void)state;
    unsigned char *bytes = malloc(MOST_BYTES + 1);
    lo_message message = lo_message_new();
    char *text = malloc(65000);
    memset(text, 'x', 64999);
    text[64999] = '\0';
    lo_message_add_string(message, text);
    size_t size = lo_message_length(message, "/marker");
    lo_message_serialise(message, "/marker", bytes, NULL);
    deliver(bytes, size);
    assert_int_equal(heard_count, 1);
    memset(bytes, '/', MOST_BYTES); /* a path without an end */
    deliver(bytes, MOST_BYTES - 3);
    deliver(bytes, MOST_BYTES);
    assert_int_equal(heard_count, 1);
    lo_message_free(message);
    free(text);
    free(bytes);
}

static void test_osc_server_hears_only_those_who_are_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        bool is_allowed;
    } SENDERS[] = {
        {"127.0.0.1", true}, {"127.0.0.2", false}, {"127.0.1.7", true}, {"127.0.2.1", false}};
    unsigned char bytes[64];
    size_t size = make_message(bytes, "/record/stop", 1);
    for (size_t k = 0; k < sizeof SENDERS / sizeof *SENDERS; k++) {
        int sender = sender_on(SENDERS[k].ip);
        heard_count = 0;
        send_from(sender, bytes, size);
        read_all();
        assert_int_equal(heard_count, SENDERS[k].is_allowed);
        close(sender);
    }
}

/* A flood cannot keep control from its other work. */
static void test_osc_server_reads_a_bounded_number_at_a_time(void **state)
{
    (void)state;
    unsigned char bytes[64];
    size_t size = make_message(bytes, "/ping", 1);
    for (int k = 0; k < 100; k++)
        send_from(client, bytes, size);
    read_all();
    assert_true(heard_count > 0 && heard_count < 100);
    read_all();
    assert_int_equal(heard_count, 100);
    read_all(); /* nothing there: does not wait */
    assert_int_equal(heard_count, 100);
}

/* What came back to the client. */
static lo_message receive(int fd, char path[64])
{
    unsigned char bytes[4096];
    int status;
    ssize_t size = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    assert_true(size > 0);
    snprintf(path, 64, "%.63s", (const char *)bytes);
    lo_message message = lo_message_deserialise(bytes, (size_t)size, &status);
    assert_non_null(message);
    return message;
}

static void test_osc_server_answers_the_sender(void **state)
{
    (void)state;
    unsigned char bytes[64];
    char path[64];
    int other = sender_on("127.0.0.1");
    deliver(bytes, make_message(bytes, "/a", 1));
    send_from(other, bytes, make_message(bytes, "/b", 1));
    read_all();
    stem_osc_reply(&heard[0].from, "/a", "done");
    stem_osc_error(&heard[1].from, "/b", -4, "not now");
    lo_message message = receive(client, path);
    assert_string_equal(path, "/reply");
    assert_string_equal(lo_message_get_types(message), "ss");
    assert_string_equal((const char *)lo_message_get_argv(message)[0], "/a");
    assert_string_equal((const char *)lo_message_get_argv(message)[1], "done");
    lo_message_free(message);
    message = receive(other, path);
    assert_string_equal(path, "/error");
    assert_string_equal(lo_message_get_types(message), "sis");
    assert_string_equal((const char *)lo_message_get_argv(message)[0], "/b");
    int32_t code;
    memcpy(&code, lo_message_get_argv(message)[1], sizeof code); /* at any alignment */
    assert_int_equal(code, -4);
    assert_string_equal((const char *)lo_message_get_argv(message)[2], "not now");
    lo_message_free(message);
    close(other);
}

static int unix_sender(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    if (name) {
        snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, name);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s", unix_path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void test_osc_server_answers_on_its_unix_socket(void **state)
{
    (void)state;
    unsigned char bytes[64];
    char path[64];
    int sender = unix_sender("me");
    size_t size = make_message(bytes, "/status", 3);
    assert_int_equal(send(sender, bytes, size, 0), size);
    stem_osc_server_read(server, local, hear, heard);
    assert_int_equal(heard_count, 1);
    stem_osc_reply(&heard[0].from, "/status", "ok");
    lo_message_free(receive(sender, path));
    assert_string_equal(path, "/reply");
    close(sender);
}

static void test_osc_server_sender_without_an_address_is_heard(void **state)
{
    (void)state;
    unsigned char bytes[64];
    int sender = unix_sender(NULL);
    size_t size = make_message(bytes, "/record/stop", 3);
    assert_int_equal(send(sender, bytes, size, 0), size);
    stem_osc_server_read(server, local, hear, heard);
    assert_int_equal(heard_count, 1);
    stem_osc_reply(&heard[0].from, "/record/stop", "nobody can get this");
    close(sender);
}

static void test_osc_server_a_receiver_that_is_gone_harms_nobody(void **state)
{
    (void)state;
    unsigned char bytes[64];
    int sender = unix_sender("gone");
    size_t size = make_message(bytes, "/ping", 3);
    assert_int_equal(send(sender, bytes, size, 0), size);
    stem_osc_server_read(server, local, hear, heard);
    close(sender);
    for (int k = 0; k < 1000; k++)
        stem_osc_reply(&heard[0].from, "/ping", "hello?");
    int slow = unix_sender("slow"); /* never reads: its queue is full soon */
    assert_int_equal(send(slow, bytes, size, 0), size);
    stem_osc_server_read(server, local, hear, heard);
    for (int k = 0; k < 10000; k++)
        stem_osc_reply(&heard[1].from, "/ping", "hello?");
    close(slow);
}

static void test_osc_server_knows_a_socket_for_each_family(void **state)
{
    (void)state;
    struct stem_osc_address address;
    struct stem_osc_peer peer;
    assert_int_equal(stem_osc_address_parse("udp://127.0.0.1:9999", &address, NULL), 0);
    assert_int_equal(stem_osc_server_peer(server, &address, &peer), 0);
    assert_int_equal(peer.socket_fd, udp);
    assert_int_equal(stem_osc_address_parse("unix:///tmp/x", &address, NULL), 0);
    assert_int_equal(stem_osc_server_peer(server, &address, &peer), 0);
    assert_int_equal(peer.socket_fd, local);
    assert_int_equal(stem_osc_address_parse("udp://[::1]:9999", &address, NULL), 0);
    assert_int_equal(stem_osc_server_peer(server, &address, &peer), -1);
}

static void test_osc_server_that_cannot_be_leaves_nothing(void **state)
{
    (void)state;
    struct stem_error error = {0};
    char first[160], second[] = "udp://192.0.2.1:7770", path[100];
    struct pollfd fds[1];
    snprintf(path, sizeof path, "%s/second", folder);
    snprintf(first, sizeof first, "unix://%s", path);
    char *urls[] = {first, second};
    assert_null(stem_osc_server_create(urls, 2, NULL, 0, &error));
    assert_non_null(strstr(error.text, "192.0.2.1"));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(stem_osc_server_pollfds(server, fds, 1), 1); /* no more than asked */
}

static void test_osc_server_destroyed_removes_its_socket(void **state)
{
    (void)state;
    assert_int_equal(access(unix_path, F_OK), 0);
    stem_osc_server_destroy(server);
    assert_int_equal(access(unix_path, F_OK), -1);
    server = NULL;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_osc_server_delivers_a_message),
        TEST(test_osc_server_hands_on_a_bundles_time),
        TEST(test_osc_server_delivers_all_elements_in_order),
        TEST(test_osc_server_unpacks_nested_bundles_to_a_depth),
        TEST(test_osc_server_every_truncation_does_no_harm),
        TEST(test_osc_server_wrong_element_sizes_do_no_harm),
        TEST(test_osc_server_drops_what_is_no_osc),
        TEST(test_osc_server_survives_stray_bytes),
        TEST(test_osc_server_takes_the_largest_datagram),
        TEST(test_osc_server_hears_only_those_who_are_allowed),
        TEST(test_osc_server_reads_a_bounded_number_at_a_time),
        TEST(test_osc_server_answers_the_sender),
        TEST(test_osc_server_answers_on_its_unix_socket),
        TEST(test_osc_server_sender_without_an_address_is_heard),
        TEST(test_osc_server_a_receiver_that_is_gone_harms_nobody),
        TEST(test_osc_server_knows_a_socket_for_each_family),
        TEST(test_osc_server_that_cannot_be_leaves_nothing),
        TEST(test_osc_server_destroyed_removes_its_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
