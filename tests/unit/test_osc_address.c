#include "osc_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A folder of our own for socket files. */
struct place {
    char folder[64];
    char path[96]; /* of the socket */
    char url[128];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (!place)
        return -1;
    snprintf(place->folder, sizeof place->folder, "/tmp/stemd-osc-XXXXXX");
    if (!mkdtemp(place->folder))
        return -1;
    snprintf(place->path, sizeof place->path, "%s/osc", place->folder);
    snprintf(place->url, sizeof place->url, "unix://%s", place->path);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    unlink(place->path);
    int status = rmdir(place->folder);
    free(place);
    return status;
}

static struct stem_osc_address parsed(const char *url)
{
    struct stem_osc_address address;
    struct stem_error error = {""};
    if (stem_osc_address_parse(url, &address, &error))
        fail_msg("%s was refused: %s", url, error.text);
    return address;
}

static void test_osc_address_formats_what_it_parsed(void **state)
{
    (void)state;
    static const char *const URLS[] = {"udp://127.0.0.1:7770", "udp://0.0.0.0:1",
        "udp://255.255.255.255:65535", "udp://[::1]:7770", "udp://[fe80::1:2]:9000", "udp://[::]:1",
        "unix:///run/stemd/osc", "unix:///with blank"};
    for (size_t k = 0; k < sizeof URLS / sizeof *URLS; k++) {
        char text[160];
        struct stem_osc_address address = parsed(URLS[k]);
        stem_osc_address_format(&address, text, sizeof text);
        assert_string_equal(text, URLS[k]);
    }
}

static void test_osc_address_knows_localhost_without_asking(void **state)
{
    (void)state;
    char text[64];
    struct stem_osc_address address = parsed("udp://localhost:7770");
    stem_osc_address_format(&address, text, sizeof text);
    assert_string_equal(text, STEM_OSC_DEFAULT_URL);
}

static void test_osc_address_puts_port_and_bytes_in_network_order(void **state)
{
    (void)state;
    struct stem_osc_address address = parsed("udp://10.1.2.3:513");
    const struct sockaddr_in *v4 = (const void *)&address.address;
    assert_int_equal(v4->sin_family, AF_INET);
    assert_memory_equal(&v4->sin_port, "\x02\x01", 2);
    assert_memory_equal(&v4->sin_addr, "\x0a\x01\x02\x03", 4);
    assert_int_equal(address.length, sizeof *v4);
}

static void test_osc_address_refuses_what_is_no_address(void **state)
{
    (void)state;
    static const char *const URLS[] = {"", "7770", "127.0.0.1:7770", "udp://", "udp://:7770",
        "udp://127.0.0.1", "udp://127.0.0.1:", "udp://127.0.0.1:0", "udp://127.0.0.1:65536",
        "udp://127.0.0.1:-1", "udp://127.0.0.1:+1", "udp://127.0.0.1: 1", "udp://127.0.0.1:7770x",
        "udp://127.0.0.1:99999999999999999999", "udp://127.0.0:7770", "udp://256.0.0.1:7770",
        "udp://example.org:7770", "udp://::1:7770", "udp://[::1]", "udp://[::1]7770",
        "udp://[::1:7770", "udp://[]:7770", "udp://[127.0.0.1]:7770", "udp://[::g]:7770",
        "tcp://127.0.0.1:7770", "osc.udp://127.0.0.1:7770", "unix://", "unix://run/osc",
        "unix:/run/osc", "UDP://127.0.0.1:7770"};
    for (size_t k = 0; k < sizeof URLS / sizeof *URLS; k++) {
        struct stem_osc_address address;
        struct stem_error error = {""};
        if (stem_osc_address_parse(URLS[k], &address, &error) == 0)
            fail_msg("\"%s\" was taken for an address", URLS[k]);
        assert_non_null(strstr(error.text, "udp://ADDRESS:PORT"));
        if (URLS[k][0] && !strstr(error.text, URLS[k]))
            fail_msg("the message \"%s\" does not name \"%s\"", error.text, URLS[k]);
    }
}

static void test_osc_address_refuses_a_host_longer_than_any(void **state)
{
    (void)state;
    struct stem_osc_address address;
    char url[300] = "udp://";
    memset(url + strlen(url), '1', 200);
    strcat(url, ":7770");
    assert_int_equal(stem_osc_address_parse(url, &address, NULL), -1);
}

static void test_osc_address_refuses_a_path_too_long_for_a_socket(void **state)
{
    (void)state;
    struct stem_osc_address address;
    const size_t room = sizeof((struct sockaddr_un *)0)->sun_path;
    char url[300] = "unix:///", text[300];
    memset(url + strlen(url), 'p', room - 2);
    assert_int_equal(stem_osc_address_parse(url, &address, NULL), 0);
    stem_osc_address_format(&address, text, sizeof text);
    assert_string_equal(text, url);
    strcat(url, "p");
    assert_int_equal(stem_osc_address_parse(url, &address, NULL), -1);
}

static void test_osc_address_formats_a_full_path_without_a_terminator(void **state)
{
    (void)state;
    struct stem_osc_address address;
    struct sockaddr_un *local = (void *)&address.address;
    char text[300];
    memset(&address, 'x', sizeof address); /* what stands behind must not show */
    local->sun_family = AF_UNIX;
    memset(local->sun_path, 'p', sizeof local->sun_path);
    address.length = sizeof *local;
    stem_osc_address_format(&address, text, sizeof text);
    assert_int_equal(strlen(text), strlen("unix://") + sizeof local->sun_path);
    assert_null(strchr(text + strlen("unix://"), 'x'));
}

static void test_osc_address_formats_clients_without_a_path(void **state)
{
    (void)state;
    struct stem_osc_address address = {.length = sizeof(sa_family_t)};
    struct sockaddr_un *local = (void *)&address.address;
    char text[64];
    local->sun_family = AF_UNIX;
    stem_osc_address_format(&address, text, sizeof text);
    assert_string_equal(text, "unix:(unnamed)");
    memcpy(local->sun_path,
        "\0"
        "00a1f",
        6);
    address.length = sizeof(sa_family_t) + 6;
    stem_osc_address_format(&address, text, sizeof text);
    assert_string_equal(text, "unix:@00a1f");
}

static void test_osc_address_cuts_text_that_does_not_fit(void **state)
{
    (void)state;
    struct stem_osc_address address = parsed("udp://127.0.0.1:7770");
    char text[8] = "#######";
    stem_osc_address_format(&address, text, 6);
    assert_string_equal(text, "udp:/");
    assert_int_equal(text[6], '#');
}

/* The address a bound socket really has. */
static struct stem_osc_address own_address(int fd)
{
    struct stem_osc_address address = {.length = sizeof address.address};
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address.address, &address.length), 0);
    return address;
}

/* A question and its answer between two sockets. */
static void assert_they_talk(int server, int client)
{
    char bytes[16];
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    assert_int_equal(send(client, "ping", 4, 0), 4);
    assert_int_equal(
        recvfrom(server, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length), 4);
    assert_memory_equal(bytes, "ping", 4);
    assert_int_equal(sendto(server, "pong", 4, 0, (struct sockaddr *)&from, length), 4);
    assert_int_equal(recv(client, bytes, sizeof bytes, 0), 4);
    assert_memory_equal(bytes, "pong", 4);
}

static int bound(const struct stem_osc_address *address)
{
    struct stem_error error = {""};
    int fd = stem_osc_address_bind(address, &error);
    if (fd < 0)
        fail_msg("bind: %s", error.text);
    return fd;
}

static int connected(const struct stem_osc_address *address)
{
    struct stem_error error = {""};
    int fd = stem_osc_address_connect(address, &error);
    if (fd < 0)
        fail_msg("connect: %s", error.text);
    return fd;
}

/* Any free port: the parser refuses port 0, which is right for people. */
static struct stem_osc_address any_port(void)
{
    struct stem_osc_address address = parsed("udp://127.0.0.1:1");
    ((struct sockaddr_in *)(void *)&address.address)->sin_port = 0;
    return address;
}

static void test_osc_address_talks_over_udp(void **state)
{
    (void)state;
    struct stem_osc_address wanted = any_port();
    int server = bound(&wanted);
    struct stem_osc_address address = own_address(server);
    int client = connected(&address);
    assert_they_talk(server, client);
    close(client);
    close(server);
}

static void test_osc_address_talks_over_a_unix_socket(void **state)
{
    const struct place *place = *state;
    struct stem_osc_address address = parsed(place->url);
    int server = bound(&address);
    int client = connected(&address);
    assert_they_talk(server, client);
    close(client);
    close(server);
}

static void test_osc_address_bound_sockets_neither_block_nor_leak(void **state)
{
    const struct place *place = *state;
    struct stem_osc_address address = parsed(place->url);
    char byte;
    int fd = bound(&address);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
    close(fd);
}

static void test_osc_address_says_that_a_port_is_taken(void **state)
{
    (void)state;
    struct stem_osc_address wanted = any_port();
    struct stem_error error = {""};
    char text[64];
    int server = bound(&wanted);
    struct stem_osc_address address = own_address(server);
    assert_int_equal(stem_osc_address_bind(&address, &error), -1);
    stem_osc_address_format(&address, text, sizeof text);
    assert_non_null(strstr(error.text, text));
    assert_non_null(strstr(error.text, "another stemd"));
    close(server);
}

static void test_osc_address_replaces_a_deserted_socket_file(void **state)
{
    const struct place *place = *state;
    struct stem_osc_address address = parsed(place->url);
    close(bound(&address));
    assert_int_equal(access(place->path, F_OK), 0);
    int server = bound(&address);
    int client = connected(&address);
    assert_they_talk(server, client);
    close(client);
    close(server);
}

static void test_osc_address_leaves_a_live_socket_alone(void **state)
{
    const struct place *place = *state;
    struct stem_osc_address address = parsed(place->url);
    struct stem_error error = {""};
    int server = bound(&address);
    assert_int_equal(stem_osc_address_bind(&address, &error), -1);
    assert_non_null(strstr(error.text, "another stemd"));
    int client = connected(&address);
    assert_they_talk(server, client);
    close(client);
    close(server);
}

static void test_osc_address_leaves_other_files_alone(void **state)
{
    const struct place *place = *state;
    struct stem_osc_address address = parsed(place->url);
    struct stem_error error = {""};
    struct stat file;
    int precious = open(place->path, O_WRONLY | O_CREAT, 0600);
    assert_true(precious >= 0);
    assert_int_equal(write(precious, "song", 4), 4);
    close(precious);
    assert_int_equal(stem_osc_address_bind(&address, &error), -1);
    assert_non_null(strstr(error.text, "no socket"));
    assert_int_equal(stat(place->path, &file), 0);
    assert_int_equal(file.st_size, 4);
}

static void test_osc_address_names_the_folder_that_is_missing(void **state)
{
    (void)state;
    struct stem_osc_address address = parsed("unix:///nowhere/at/all/osc");
    struct stem_error error = {""};
    assert_int_equal(stem_osc_address_bind(&address, &error), -1);
    assert_non_null(strstr(error.text, "unix:///nowhere/at/all/osc: No such file"));
    assert_int_equal(stem_osc_address_connect(&address, &error), -1);
    assert_non_null(strstr(error.text, "unix:///nowhere/at/all/osc: No such file"));
}

static void assert_allowed(const char *url, const char *block, bool expected)
{
    struct stem_osc_address address = parsed(url);
    if (stem_osc_address_allowed(&address, &block, 1) != expected)
        fail_msg("%s must %sbe allowed by %s", url, expected ? "" : "not ", block);
}

static void test_osc_address_allows_what_lies_in_a_block(void **state)
{
    (void)state;
    assert_allowed("udp://127.0.0.1:1", "127.0.0.0/8", true);
    assert_allowed("udp://127.255.255.255:1", "127.0.0.0/8", true);
    assert_allowed("udp://128.0.0.0:1", "127.0.0.0/8", false);
    assert_allowed("udp://10.0.0.7:1", "10.0.0.7", true);
    assert_allowed("udp://10.0.0.6:1", "10.0.0.7", false);
    assert_allowed("udp://192.168.7.255:1", "192.168.4.0/22", true);
    assert_allowed("udp://192.168.8.0:1", "192.168.4.0/22", false);
    assert_allowed("udp://10.0.0.127:1", "10.0.0.0/25", true);
    assert_allowed("udp://10.0.0.128:1", "10.0.0.0/25", false);
    assert_allowed("udp://10.0.0.2:1", "10.0.0.3/31", true);
    assert_allowed("udp://203.0.113.9:1", "0.0.0.0/0", true);
    assert_allowed("udp://[::1]:1", "::1/128", true);
    assert_allowed("udp://[::2]:1", "::1/128", false);
    assert_allowed("udp://[fe80::9]:1", "fe80::/10", true);
    assert_allowed("udp://[fec0::9]:1", "fe80::/10", false);
}

static void test_osc_address_blocks_are_for_their_own_family(void **state)
{
    (void)state;
    assert_allowed("udp://[::1]:1", "0.0.0.0/0", false);
    assert_allowed("udp://127.0.0.1:1", "::/0", false);
}

static void test_osc_address_allows_by_any_of_several_blocks(void **state)
{
    (void)state;
    const char *const blocks[] = {"127.0.0.0/8", "::1", "10.0.0.0/24"};
    struct stem_osc_address address = parsed("udp://10.0.0.99:1");
    assert_true(stem_osc_address_allowed(&address, blocks, 3));
    assert_false(stem_osc_address_allowed(&address, blocks, 2));
    assert_false(stem_osc_address_allowed(&address, blocks, 0));
}

static void test_osc_address_always_allows_unix_clients(void **state)
{
    (void)state;
    struct stem_osc_address named = parsed("unix:///run/x"), unnamed = {.length = 2};
    unnamed.address.ss_family = AF_UNIX;
    assert_true(stem_osc_address_allowed(&named, NULL, 0));
    assert_true(stem_osc_address_allowed(&unnamed, NULL, 0));
}

static void test_osc_address_checks_the_syntax_of_blocks(void **state)
{
    (void)state;
    static const char *const RIGHT[] = {"127.0.0.0/8", "0.0.0.0/0", "10.0.0.7", "10.0.0.7/32",
        "::1", "::/0", "fe80::/10", "::1/128"};
    static const char *const WRONG[] = {"", "/8", "127.0.0.0/", "127.0.0.0/33", "127.0.0/8",
        "::1/129", "127.0.0.0/-1", "127.0.0.0/ 8", "127.0.0.0/8x", "127.0.0.0/8/8", "localhost",
        "::g", "127.0.0.0/99999999999999999999",
        "1111111111111111111111111111111111111111111111111111111111111111111111111111"};
    for (size_t k = 0; k < sizeof RIGHT / sizeof *RIGHT; k++)
        if (!stem_osc_block_valid(RIGHT[k]))
            fail_msg("\"%s\" is a block", RIGHT[k]);
    for (size_t k = 0; k < sizeof WRONG / sizeof *WRONG; k++)
        if (stem_osc_block_valid(WRONG[k]))
            fail_msg("\"%s\" is no block", WRONG[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_osc_address_formats_what_it_parsed),
        cmocka_unit_test(test_osc_address_knows_localhost_without_asking),
        cmocka_unit_test(test_osc_address_puts_port_and_bytes_in_network_order),
        cmocka_unit_test(test_osc_address_refuses_what_is_no_address),
        cmocka_unit_test(test_osc_address_refuses_a_host_longer_than_any),
        cmocka_unit_test(test_osc_address_refuses_a_path_too_long_for_a_socket),
        cmocka_unit_test(test_osc_address_formats_a_full_path_without_a_terminator),
        cmocka_unit_test(test_osc_address_formats_clients_without_a_path),
        cmocka_unit_test(test_osc_address_cuts_text_that_does_not_fit),
        cmocka_unit_test(test_osc_address_talks_over_udp),
        cmocka_unit_test_setup_teardown(
            test_osc_address_talks_over_a_unix_socket, make_place, remove_place),
        cmocka_unit_test_setup_teardown(
            test_osc_address_bound_sockets_neither_block_nor_leak, make_place, remove_place),
        cmocka_unit_test(test_osc_address_says_that_a_port_is_taken),
        cmocka_unit_test_setup_teardown(
            test_osc_address_replaces_a_deserted_socket_file, make_place, remove_place),
        cmocka_unit_test_setup_teardown(
            test_osc_address_leaves_a_live_socket_alone, make_place, remove_place),
        cmocka_unit_test_setup_teardown(
            test_osc_address_leaves_other_files_alone, make_place, remove_place),
        cmocka_unit_test(test_osc_address_names_the_folder_that_is_missing),
        cmocka_unit_test(test_osc_address_allows_what_lies_in_a_block),
        cmocka_unit_test(test_osc_address_blocks_are_for_their_own_family),
        cmocka_unit_test(test_osc_address_allows_by_any_of_several_blocks),
        cmocka_unit_test(test_osc_address_always_allows_unix_clients),
        cmocka_unit_test(test_osc_address_checks_the_syntax_of_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
