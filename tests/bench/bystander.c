/* bystander: a JACK client with connected input ports whose callback does nothing. What a graph
 * suffers with it is what any client of that size costs on this machine; a recorder causes what
 * goes beyond that.
 *
 *     bystander --server NAME PORT…          its inputs in_1 … get these ports' signals
 *
 * It ends on SIGINT or SIGTERM.
 */
#include <argp.h>
#include <jack/jack.h>
#include <signal.h>
#include <stdio.h>

struct bystander {
    const char *server;
    jack_client_t *client;
    char **sources;
    int count;
};

static int on_process(jack_nframes_t frames, void *argument)
{
    (void)frames, (void)argument;
    return 0;
}

static int listen_to(struct bystander *bystander, int k)
{
    char name[32];
    snprintf(name, sizeof name, "in_%d", k + 1);
    jack_port_t *port =
        jack_port_register(bystander->client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    return port ? jack_connect(bystander->client, bystander->sources[k], jack_port_name(port)) : -1;
}

static int start(struct bystander *bystander)
{
    bystander->client =
        jack_client_open("bystander", JackNoStartServer | JackServerName, NULL, bystander->server);
    if (!bystander->client)
        return -1;
    jack_set_process_callback(bystander->client, on_process, NULL);
    if (jack_activate(bystander->client))
        return -1;
    for (int k = 0; k < bystander->count; k++)
        if (listen_to(bystander, k))
            return -1;
    return 0;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct bystander *bystander = state->input;
    switch (key) {
    case 's':
        bystander->server = argument;
        return 0;
    case ARGP_KEY_ARGS:
        bystander->sources = state->argv + state->next;
        bystander->count = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp_option OPTIONS[] = {{"server", 's', "NAME", 0, "JACK server", 0}, {0}};
    const struct argp parser = {OPTIONS, parse_option, "PORT…", NULL, NULL, NULL, NULL};
    struct bystander bystander = {.server = "default"};
    sigset_t signals;
    int signal;
    argp_parse(&parser, argc, argv, 0, NULL, &bystander);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (start(&bystander)) {
        fprintf(stderr, "bystander: cannot listen on JACK server \"%s\"\n", bystander.server);
        return 1;
    }
    sigwait(&signals, &signal);
    /* The ports go one by one, as the ruler's do (tests/support/ruler.c). */
    jack_deactivate(bystander.client);
    for (int k = 0; k < bystander.count; k++) {
        char name[64];
        snprintf(name, sizeof name, "%s:in_%d", jack_get_client_name(bystander.client), k + 1);
        jack_port_unregister(bystander.client, jack_port_by_name(bystander.client, name));
    }
    jack_client_close(bystander.client);
    return 0;
}
