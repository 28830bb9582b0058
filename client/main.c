/* stemctl: controls stemd over OSC, and verifies takes. This file reads the command line. */
#include "stemctl.h"

#include "naming.h"
#include "osc_address.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_TIMEOUT = 256, OPTION_JSON, OPTION_TEMPO, OPTION_KEY };

static const struct command {
    const char *name;
    stemctl_run *run;
    int least_words;
    int most_words;
    const char *words;
    const char *help;
} COMMANDS[] = {
    {"start", run_start, 0, 1, "[TITLE]", "start a take; --tempo and --key belong to it"},
    {"stop", run_stop, 0, 0, "", "end the take and print its folder"},
    {"toggle", run_toggle, 0, 1, "[TITLE]", "start or stop, whichever is possible"},
    {"split", run_split, 0, 1, "[TITLE]", "end the take and start the next one without a gap"},
    {"mark", run_mark, 1, 1, "TEXT", "set a marker here"},
    {"mute", run_mute, 1, 2, "STEM [on|off]", "mute a stem, without a click"},
    {"unmute", run_unmute, 1, 1, "STEM", "open a stem again"},
    {"status", run_status, 0, 0, "", "how the recorder is doing"},
    {"stems", run_stems, 0, 0, "", "the stems, what is connected, their levels"},
    {"takes", run_takes, 0, 0, "", "the takes in the takes folder"},
    {"ping", run_ping, 0, 0, "", "ask whether the daemon answers"},
    {"version", run_version, 0, 0, "", "the daemon's version"},
    {"verify", run_verify, 1, 1, "FOLDER", "check a take: files, gaps, levels, null test"},
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

const char *argp_program_version = "stemctl " STEMD_VERSION;

static const struct argp_option OPTIONS[] = {
    {"url", 'u', "URL", 0,
        "Where stemd listens: udp://ADDRESS:PORT or unix:///PATH (default: $STEMCTL_URL, "
        "then " STEM_OSC_DEFAULT_URL ")",
        0},
    {"timeout", OPTION_TIMEOUT, "SECONDS", 0, "How long to wait for an answer (default: 5)", 0},
    {"json", OPTION_JSON, NULL, 0, "Print one JSON object", 0},
    {"tempo", OPTION_TEMPO, "BPM", 0, "start, split: beats per minute", 1},
    {"key", OPTION_KEY, "KEY", 0, "start, split: musical key, such as \"F# minor\"", 1},
    {0},
};

struct parsed {
    struct stemctl *ctl;
    const struct command *command;
};

static const struct command *find_command(const char *name)
{
    for (size_t k = 0; k < COMMAND_COUNT; k++)
        if (strcmp(COMMANDS[k].name, name) == 0)
            return &COMMANDS[k];
    return NULL;
}

static void unknown_command(struct argp_state *state, const char *name)
{
    const char *names[COMMAND_COUNT];
    for (size_t k = 0; k < COMMAND_COUNT; k++)
        names[k] = COMMANDS[k].name;
    const char *likely = stem_naming_suggest(name, names, COMMAND_COUNT);
    if (likely)
        argp_error(state, "unknown command \"%s\"; did you mean \"%s\"?", name, likely);
    else
        argp_error(state, "unknown command \"%s\"", name);
}

static void take_word(struct argp_state *state, struct parsed *parsed, const char *word)
{
    if (!parsed->command) {
        parsed->command = find_command(word);
        if (!parsed->command)
            unknown_command(state, word);
        return;
    }
    if (parsed->ctl->word_count == parsed->command->most_words) {
        argp_error(state, "%s: unexpected argument \"%s\"", parsed->command->name, word);
        return;
    }
    parsed->ctl->words[parsed->ctl->word_count++] = word;
}

static void check_words(struct argp_state *state, const struct parsed *parsed)
{
    if (!parsed->command)
        argp_error(state, "expected a command");
    else if (parsed->ctl->word_count < parsed->command->least_words)
        argp_error(state, "%s: expected %s", parsed->command->name, parsed->command->words);
}

static void take_timeout(struct argp_state *state, struct stemctl *ctl, const char *argument)
{
    char *rest;
    ctl->timeout_seconds = strtod(argument, &rest);
    if (*rest || rest == argument || !(ctl->timeout_seconds > 0))
        argp_error(state, "--timeout: expected a number of seconds, found \"%s\"", argument);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct parsed *parsed = state->input;
    switch (key) {
    case 'u':
        parsed->ctl->url = argument;
        return 0;
    case OPTION_TIMEOUT:
        take_timeout(state, parsed->ctl, argument);
        return 0;
    case OPTION_JSON:
        parsed->ctl->json = true;
        return 0;
    case OPTION_TEMPO:
        parsed->ctl->tempo = argument;
        return 0;
    case OPTION_KEY:
        parsed->ctl->key = argument;
        return 0;
    case ARGP_KEY_ARG:
        take_word(state, parsed, argument);
        return 0;
    case ARGP_KEY_END:
        check_words(state, parsed);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The list of commands, and the exit codes, for --help. */
static char *filter_help(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    char *help = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&help, &size);
    if (!out)
        return (char *)text;
    fputs("Commands:\n", out);
    for (size_t k = 0; k < COMMAND_COUNT; k++)
        fprintf(out, "  %-7s %-14s %s\n", COMMANDS[k].name, COMMANDS[k].words, COMMANDS[k].help);
    fputs("\nExit status: 0 done; 1 stemd refused, or the check failed; 2 wrong arguments; 3 no "
          "answer; 4 interrupted.\n",
        out);
    fclose(out);
    return help;
}

int main(int argc, char **argv)
{
    const struct argp parser = {OPTIONS, parse_option, "COMMAND [ARGUMENT…]",
        "Controls stemd, the stem recorder, and verifies takes.\v", NULL, filter_help, NULL};
    const char *url = getenv("STEMCTL_URL");
    struct stemctl ctl = {.url = url ? url : STEM_OSC_DEFAULT_URL, .timeout_seconds = 5};
    struct parsed parsed = {&ctl, NULL};
    setlocale(LC_CTYPE, "");
    argp_err_exit_status = STEMCTL_USAGE;
    argp_parse(&parser, argc, argv, 0, NULL, &parsed);
    enum stemctl_exit code = parsed.command->run(&ctl);
    osc_client_close(ctl.client);
    return (int)code;
}
