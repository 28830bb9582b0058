/* wait_cycles: waits until a JACK server has begun some more cycles; exits with 1 when it does not.
 *
 *     wait_cycles --server NAME --cycles N
 *
 * What is asked of a server between two cycles, such as a connection, is heard from the next one
 * on.
 */
#include <argp.h>
#include <jack/jack.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { POLL_NS = 1000000, MOST_POLLS = 60000 };

struct wait {
    const char *server;
    unsigned cycles;
};

static int wait_for_cycles(jack_client_t *client, unsigned cycles)
{
    const struct timespec nap = {.tv_nsec = POLL_NS};
    jack_nframes_t seen = jack_last_frame_time(client);
    for (int k = 0; k < MOST_POLLS && cycles > 0; k++) {
        nanosleep(&nap, NULL);
        jack_nframes_t now = jack_last_frame_time(client);
        cycles -= now != seen;
        seen = now;
    }
    return cycles > 0;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct wait *wait = state->input;
    switch (key) {
    case 's':
        wait->server = argument;
        return 0;
    case 'c':
        wait->cycles = (unsigned)atoi(argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp_option OPTIONS[] = {
        {"server", 's', "NAME", 0, "JACK server", 0}, {"cycles", 'c', "N", 0, "How many", 0}, {0}};
    const struct argp parser = {OPTIONS, parse_option, NULL, NULL, NULL, NULL, NULL};
    struct wait wait = {.server = "default", .cycles = 1};
    argp_parse(&parser, argc, argv, 0, NULL, &wait);
    jack_client_t *client =
        jack_client_open("wait_cycles", JackNoStartServer | JackServerName, NULL, wait.server);
    if (!client)
        return 1;
    int status = wait_for_cycles(client, wait.cycles);
    jack_client_close(client);
    return status;
}
