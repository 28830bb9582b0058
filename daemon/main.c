/* stemd: records stems from JACK. This file reads the command line and the configuration, and hands
 * over to control. */
#include "config.h"
#include "control.h"
#include "log.h"
#include "open_files.h"

#include <argp.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whoever reads the log has so long to read the last lines. */
#define LOG_PATIENCE_SECONDS 2.0

enum { EXIT_USAGE = 2, MOST_URLS = 8 };
enum { OPTION_PRINT = 256, OPTION_SERVER, OPTION_CLIENT, OPTION_TAKES, OPTION_OSC };

struct options {
    const char *config;
    const char *check;
    bool print;
    const char *server;
    const char *client;
    const char *takes;
    char *urls[MOST_URLS];
    size_t url_count;
    bool verbose;
};

const char *argp_program_version = "stemd " STEMD_VERSION;

static const struct argp_option OPTIONS[] = {
    {"config", 'c', "FILE", 0,
        "Configuration file (default: $XDG_CONFIG_HOME/stemd/stemd.conf, then "
        "/etc/stemd/stemd.conf)",
        0},
    {"check", 'k', "FILE", 0, "Check a configuration file, print all its errors, and exit", 0},
    {"print-config", OPTION_PRINT, NULL, 0,
        "Print the effective configuration, with all defaults, and exit", 0},
    {"server", OPTION_SERVER, "NAME", 0, "JACK server to record from", 1},
    {"client", OPTION_CLIENT, "NAME", 0, "Name of the JACK client", 1},
    {"takes", OPTION_TAKES, "FOLDER", 0, "Folder for takes", 1},
    {"osc", OPTION_OSC, "URL", 0, "Listen there instead (may be given several times)", 1},
    {"verbose", 'v', NULL, 0, "Log more", 2},
    {0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'c':
        options->config = argument;
        return 0;
    case 'k':
        options->check = argument;
        return 0;
    case 'v':
        options->verbose = true;
        return 0;
    case OPTION_PRINT:
        options->print = true;
        return 0;
    case OPTION_SERVER:
        options->server = argument;
        return 0;
    case OPTION_CLIENT:
        options->client = argument;
        return 0;
    case OPTION_TAKES:
        options->takes = argument;
        return 0;
    case OPTION_OSC:
        if (options->url_count == MOST_URLS)
            argp_error(state, "--osc can be given at most %d times", MOST_URLS);
        options->urls[options->url_count++] = argument;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument \"%s\"", argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_messages(const char *word, const struct stem_config_messages *messages)
{
    for (size_t k = 0; k < messages->count; k++)
        fprintf(stderr, "stemd: %s%s\n", word, messages->texts[k]);
}

/* Loads a file and prints every message about it. */
static struct stem_config *load(const char *path)
{
    struct stem_config_messages errors = {0}, warnings = {0};
    struct stem_config *config = stem_config_load(path, &errors, &warnings);
    print_messages("", &errors);
    print_messages("warning: ", &warnings);
    stem_config_messages_finish(&errors);
    stem_config_messages_finish(&warnings);
    return config;
}

static int check(const char *path)
{
    struct stem_config *config = load(path);
    if (!config)
        return EXIT_FAILURE;
    printf("%s: %zu stems%s, no errors\n", path, config->stem_count,
        config->has_mix ? " and a mix" : "");
    stem_config_destroy(config);
    return EXIT_SUCCESS;
}

static bool replace(char **field, const char *value)
{
    char *copy = value ? strdup(value) : NULL;
    if (!value)
        return true;
    free(*field);
    *field = copy;
    return copy != NULL;
}

static bool replace_urls(struct stem_config *config, const struct options *options)
{
    if (options->url_count == 0)
        return true;
    for (size_t k = 0; k < config->osc_listen_count; k++)
        free(config->osc_listen[k]);
    free(config->osc_listen);
    config->osc_listen_count = 0;
    config->osc_listen = calloc(options->url_count, sizeof *config->osc_listen);
    for (size_t k = 0; config->osc_listen && k < options->url_count; k++)
        if (replace(&config->osc_listen[k], options->urls[k]))
            config->osc_listen_count++;
    return config->osc_listen_count == options->url_count;
}

/* A relative folder on the command line is relative to where we are. */
static bool replace_takes(struct stem_config *config, const char *takes)
{
    if (!takes || takes[0] == '/')
        return replace(&config->takes, takes);
    char *here = realpath(".", NULL), *whole = NULL;
    bool done =
        here && asprintf(&whole, "%s/%s", here, takes) >= 0 && replace(&config->takes, whole);
    free(here);
    free(whole);
    return done;
}

/* What the command line says goes before the file. */
static bool override(struct stem_config *config, const struct options *options)
{
    return replace(&config->server, options->server) && replace(&config->client, options->client) &&
           replace_takes(config, options->takes) && replace_urls(config, options);
}

static struct stem_config *load_effective(const struct options *options)
{
    char found[8300];
    if (!options->config && !stem_config_find(found, sizeof found)) {
        fprintf(stderr, "stemd: no configuration: give one with -c FILE, or make %s\n", found);
        return NULL;
    }
    struct stem_config *config = load(options->config ? options->config : found);
    if (config && !override(config, options)) {
        fprintf(stderr, "stemd: no memory\n");
        stem_config_destroy(config);
        return NULL;
    }
    return config;
}

/* Signals are taken from a descriptor by control; no thread may be interrupted by them. */
static void block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);  /* a terminal that goes away does not end a take */
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is a write error like others */
}

static int run(const struct stem_config *config)
{
    static struct stem_control control;
    struct stem_error error = {0};
    block_signals();
    stem_log_begin();
    stem_open_files_allow();
    bool whole = true;
    int status = stem_control_init(&control, config, &error);
    if (status == 0) {
        status = stem_control_run(&control, &error);
        whole = stem_control_finish(&control);
    }
    if (status)
        stem_log(STEM_LOG_ERROR, "%s", error.text);
    stem_log_end(LOG_PATIENCE_SECONDS);
    if (!whole)
        _exit(status ? EXIT_FAILURE : EXIT_SUCCESS); /* a thread is still inside JACK's library */
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const struct argp parser = {OPTIONS, parse_option, NULL,
        "Records stems from JACK, controlled over OSC.", NULL, NULL, NULL};
    struct options options = {0};
    argp_err_exit_status = EXIT_USAGE;
    setlocale(LC_CTYPE, "");
    argp_parse(&parser, argc, argv, 0, NULL, &options);
    stem_log_set_verbose(options.verbose);
    if (options.check)
        return check(options.check);
    struct stem_config *config = load_effective(&options);
    if (!config)
        return EXIT_FAILURE;
    int status = EXIT_SUCCESS;
    if (options.print)
        stem_config_print(config, stdout);
    else
        status = run(config);
    stem_config_destroy(config);
    return status;
}
