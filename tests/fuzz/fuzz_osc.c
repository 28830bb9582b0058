/* Datagrams of any bytes, through the real socket, decoder and command table, of a daemon that has
 * no JACK server. Its state goes on from one datagram to the next. */
#include "config.h"
#include "control.h"
#include "fuzz.h"
#include "osc_commands.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char CONFIG[] =
    "server = \"stemd-fuzz-none\"; takes = \"%s/takes\"; tape = 1.0;\n"
    "osc: { listen = [ \"unix://%s/osc\" ]; };\n"
    "stems = ( { name = \"Drums\"; inputs = ( { name = \"Kick\"; } ); },\n"
    "          { name = \"Lead Vocals\"; inputs = ( { name = \"Lead\"; } ); } );\n"
    "mix = { channels = 2; };\n";

static struct stem_control control;
static int client = -1;
static struct pollfd server;

/* The daemon's parts as stem_control_init makes them, but no look for a JACK server. */
static void make_daemon(void)
{
    char text[1024], path[PATH_MAX];
    const char *folder = fuzz_folder();
    struct stem_config_messages errors = {0}, warnings = {0};
    struct stem_error error = {"no memory"};
    int length = snprintf(text, sizeof text, CONFIG, folder, folder);
    fuzz_write("stemd.conf", (const uint8_t *)text, (size_t)length);
    snprintf(path, sizeof path, "%s/stemd.conf", folder);
    struct stem_config *config = stem_config_load(path, &errors, &warnings);
    if (!config)
        fuzz_fail(errors.count ? errors.texts[0] : "no configuration");
    stem_config_messages_finish(&errors);
    stem_config_messages_finish(&warnings);
    control = (struct stem_control){.config = config, .signal_fd = -1};
    control.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    control.layout = stem_layout_create(config);
    control.osc = stem_osc_server_create(config->osc_listen, config->osc_listen_count,
        config->osc_allow, config->osc_allow_count, &error);
    control.notify = control.osc ? stem_notify_create(control.osc, config->osc_notify,
                                       config->osc_notify_count, &error)
                                 : NULL;
    control.jobs = stem_jobs_create(config, control.notify);
    control.told_headroom = calloc(control.layout->track_count, sizeof *control.told_headroom);
    control.engine =
        control.notify ? stem_engine_create(config, control.layout, control.wake_fd, &error) : NULL;
    if (!control.engine || stem_osc_server_pollfds(control.osc, &server, 1) != 1)
        fuzz_fail(error.text);
}

static void connect_client(void)
{
    const int most = 1 << 17;
    struct sockaddr_un address = {.sun_family = AF_UNIX}, own = {.sun_family = AF_UNIX};
    client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(client, SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", control.config->osc_listen[0] + 7);
    if (bind(client, (struct sockaddr *)&own, sizeof own.sun_family) != 0 ||
        connect(client, (struct sockaddr *)&address, sizeof address) != 0)
        fuzz_fail("cannot talk to the daemon");
}

/* Ended as a daemon is, so that leaks show. */
static void end_daemon(void)
{
    struct stem_config *config = (struct stem_config *)control.config;
    close(client);
    stem_control_finish(&control);
    stem_config_destroy(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t answer[65536];
    if (client < 0) {
        make_daemon();
        connect_client();
        atexit(end_daemon);
    }
    if (send(client, data, size, 0) < 0)
        return 0; /* too long for a datagram */
    stem_osc_server_read(control.osc, server.fd, stem_osc_commands_handle, &control);
    while (recv(client, answer, sizeof answer, 0) > 0)
        continue;
    return 0;
}
