/* graph_fuss: a JACK client that makes a fuss in the graph.
 *
 *     graph_fuss SERVER rename PORT NEW   renames anybody's port (the part behind the colon)
 *     graph_fuss SERVER flood ROUNDS PORT registers, connects, disconnects and unregisters ports,
 * that many times; also to and from PORT, an output of others
 */
#include <jack/jack.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 4 };

static int silence(jack_nframes_t frames, void *argument)
{
    jack_port_t **ports = argument;
    for (int k = 0; k < PAIRS; k++)
        memset(jack_port_get_buffer(ports[k], frames), 0, frames * sizeof(float));
    return 0;
}

static int rename_port(jack_client_t *client, const char *name, const char *new_name)
{
    jack_port_t *port = jack_port_by_name(client, name);
    return port ? jack_port_rename(client, port, new_name) : -1;
}

/* One round; false when the server does not go along any more. */
static bool fuss(jack_client_t *client, jack_port_t *const *outputs, const char *other)
{
    jack_port_t *input =
        jack_port_register(client, "brief", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    if (!input)
        return false;
    const char *to = jack_port_name(input);
    bool done = jack_connect(client, other, to) == 0;
    for (int k = 0; done && k < PAIRS; k++)
        done = jack_connect(client, jack_port_name(outputs[k]), to) == 0;
    for (int k = 0; done && k < PAIRS; k += 2)
        done = jack_disconnect(client, jack_port_name(outputs[k]), to) == 0;
    return jack_port_unregister(client, input) == 0 && done;
}

static int flood(jack_client_t *client, long rounds, const char *other)
{
    static jack_port_t *outputs[PAIRS];
    char name[16];
    for (int k = 0; k < PAIRS; k++) {
        snprintf(name, sizeof name, "out_%d", k + 1);
        outputs[k] = jack_port_register(client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
        if (!outputs[k])
            return -1;
    }
    if (jack_set_process_callback(client, silence, outputs) || jack_activate(client))
        return -1;
    long round = 0;
    while (round < rounds && fuss(client, outputs, other))
        round++;
    printf("%ld rounds\n", round);
    return round == rounds ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "Usage: graph_fuss SERVER rename PORT NEW | flood ROUNDS PORT\n");
        return 2;
    }
    jack_client_t *client =
        jack_client_open("fuss", JackNoStartServer | JackServerName, NULL, argv[1]);
    if (!client)
        return 1;
    int status = strcmp(argv[2], "rename") == 0 ? rename_port(client, argv[3], argv[4])
                                                : flood(client, atol(argv[3]), argv[4]);
    jack_client_close(client);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
