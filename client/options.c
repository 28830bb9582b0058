/* Two parsers share the options: one reads up to the command's name, the other reads what follows
 * and has the command's own --help. argp prints nothing itself: what is wrong is kept as one
 * sentence, so that it can be told as JSON too.
 */
#include "options.h"

#include "naming.h"
#include "osc_address.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_TIMEOUT_SECONDS 86400.0

enum {
    OPTION_TEMPO = 256,
    OPTION_KEY,
    OPTION_AT,
    OPTION_PREROLL,
    OPTION_LENGTH,
    OPTION_PROGRESS_FD,
    OPTION_FORMAT,
    OPTION_DEPTH,
    OPTION_TO,
    OPTION_ZIP,
    OPTION_DITHER,
    OPTION_OPEN,
    OPTION_ACCEPT,
};

enum { MOST_DIGITS = 32 };

#define SHARED_OPTIONS                                                                             \
    {"url", 'u', "URL", 0,                                                                         \
        "Where stemd listens: udp://ADDRESS:PORT or unix:///PATH (default: $STEMCTL_URL, "         \
        "then " STEM_OSC_DEFAULT_URL ")",                                                          \
        1},                                                                                        \
        {"timeout", 't', "SECONDS", 0, "How long to wait for an answer (default: 5)", 1},          \
        {"json", 'j', NULL, 0, "Print one JSON object, also for errors", 1},                       \
        {"help", 'h', NULL, 0, "Print this help", 2},                                              \
        {"version", 'V', NULL, 0, "Print stemctl's own version", 2},                               \
    {                                                                                              \
        0                                                                                          \
    }

static const struct argp_option OPTIONS[] = {SHARED_OPTIONS};

static const struct argp_option START_OPTIONS[] = {
    {"at", OPTION_AT, "WHEN", 0,
        "now, bar (the next bar line), transport (whenever it rolls), threshold (whenever a stem "
        "gets loud), or a time: 21:30, 21:30:05.250, 2026-11-20T21:30:00+01:00, +90 (seconds)",
        0},
    {"preroll", OPTION_PREROLL, "SECONDS", 0, "Begin that much earlier, from the tape", 0},
    {"length", OPTION_LENGTH, "SECONDS", 0, "End the take by itself after that", 0},
    {"tempo", OPTION_TEMPO, "BPM", 0, "Beats per minute, for the folder's name and the files", 0},
    {"key", OPTION_KEY, "KEY", 0, "Musical key, such as \"F# minor\"", 0}, SHARED_OPTIONS};

static const struct argp_option FINISH_OPTIONS[] = {
    {"quiet", 'q', NULL, 0, "Print nothing but errors", 0},
    {"accept", OPTION_ACCEPT, NULL, 0,
        "Take audio files as they are, though they are not what SHA256SUMS says", 0},
    {"progress-fd", OPTION_PROGRESS_FD, "N", 0,
        "Write the progress to descriptor N: lines of a percentage and a word", 0},
    SHARED_OPTIONS};

static const struct argp_option RECOVER_OPTIONS[] = {
    {"progress-fd", OPTION_PROGRESS_FD, "N", 0,
        "Write to descriptor N a line for each take: a word, and what belongs to it", 0},
    SHARED_OPTIONS};

#define QUIET_OPTION                                                                               \
    {                                                                                              \
        "quiet", 'q', NULL, 0, "Print nothing but errors", 0                                       \
    }

static const struct argp_option EXPORT_OPTIONS[] = {
    {"format", OPTION_FORMAT, "FORMAT", 0, "wav, w64, caf, aiff or flac", 0},
    {"depth", OPTION_DEPTH, "DEPTH", 0,
        "16, 24, 32 (bits), float or double; without it, samples stay as they are", 0},
    {"dither", OPTION_DITHER, NULL, 0, "Dither where --depth takes bits away", 0},
    {"to", OPTION_TO, "DIR", 0, "Folder to make it in (default: beside the take)", 0},
    {"zip", OPTION_ZIP, NULL, 0, "Make one ZIP file instead of a folder", 0}, QUIET_OPTION,
    SHARED_OPTIONS};

static const struct argp_option SUM_OPTIONS[] = {
    {"depth", OPTION_DEPTH, "DEPTH", 0, "16, 24, 32 (bits), float or double (default: the take's)",
        0},
    {"to", OPTION_TO, "FILE", 0,
        "File to make; its ending tells the format (default: the take's path and _Sum.wav)", 0},
    QUIET_OPTION, SHARED_OPTIONS};

static const struct argp_option REPORT_OPTIONS[] = {
    {"open", OPTION_OPEN, NULL, 0, "Open the page in a browser", 0}, SHARED_OPTIONS};

static const struct argp_option *options_of(const struct stemctl_command *command)
{
    static const struct argp_option *const LISTS[] = {
        [STEMCTL_SHARED] = OPTIONS,
        [STEMCTL_START_OPTIONS] = START_OPTIONS,
        [STEMCTL_FINISH_OPTIONS] = FINISH_OPTIONS,
        [STEMCTL_RECOVER_OPTIONS] = RECOVER_OPTIONS,
        [STEMCTL_EXPORT_OPTIONS] = EXPORT_OPTIONS,
        [STEMCTL_SUM_OPTIONS] = SUM_OPTIONS,
        [STEMCTL_REPORT_OPTIONS] = REPORT_OPTIONS,
    };
    return command ? LISTS[command->options] : OPTIONS;
}

struct parsed {
    struct stemctl *ctl;
    const struct stemctl_command *commands;
    size_t command_count;
    const struct stemctl_command *command; /* NULL while its name has not been read */
    int command_index;                     /* in argv */
    bool help, version;
    struct stem_error error; /* the first thing that is wrong */
};

static error_t refuse(struct parsed *parsed, const char *format, ...) STEM_PRINTF(2, 3);

/* Keeps the first sentence. */
static error_t refuse(struct parsed *parsed, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!parsed->error.text[0])
        vsnprintf(parsed->error.text, sizeof parsed->error.text, format, arguments);
    va_end(arguments);
    return EINVAL;
}

/* Words */

static error_t take_command(struct argp_state *state, struct parsed *parsed, const char *name)
{
    const char **names = calloc(parsed->command_count + 1, sizeof *names);
    parsed->command_index = state->next - 1;
    state->next = state->argc; /* the rest is for the command's own parser */
    if (strcmp(name, "help") == 0)
        parsed->help = true;
    for (size_t k = 0; names && k < parsed->command_count; k++) {
        names[k] = parsed->commands[k].name;
        if (strcmp(names[k], name) == 0)
            parsed->command = &parsed->commands[k];
    }
    const char *likely = names ? stem_naming_suggest(name, names, parsed->command_count) : NULL;
    free(names);
    if (parsed->command || parsed->help)
        return 0;
    if (likely)
        return refuse(parsed, "unknown command \"%s\"; did you mean \"%s\"?", name, likely);
    return refuse(parsed, "unknown command \"%s\" (stemctl --help lists them)", name);
}

static error_t take_word(struct parsed *parsed, const char *word)
{
    const struct stemctl_command *command = parsed->command;
    struct stemctl *ctl = parsed->ctl;
    if (ctl->word_count == command->most_words)
        return refuse(parsed, "%s: unexpected \"%s\"%s", command->name, word,
            command->most_words ? "; a text of several words needs quotes" : "");
    ctl->words[ctl->word_count++] = word;
    return 0;
}

static void check_words(struct parsed *parsed)
{
    const struct stemctl_command *command = parsed->command;
    if (parsed->help || parsed->version)
        return;
    if (!command)
        refuse(parsed, "expected a command (stemctl --help lists them)");
    else if (parsed->ctl->word_count < command->least_words)
        refuse(parsed, "%s: expected %s", command->name, command->words);
}

/* Options */

static bool parse_number(const char *text, double *number)
{
    char *rest;
    *number = strtod(text, &rest);
    return *text && !*rest && isfinite(*number);
}

static error_t take_timeout(struct parsed *parsed, const char *argument)
{
    double seconds;
    if (!parse_number(argument, &seconds) || seconds <= 0 || seconds > LONGEST_TIMEOUT_SECONDS)
        return refuse(parsed, "--timeout: expected a number of seconds, found \"%s\"", argument);
    parsed->ctl->timeout_seconds = seconds;
    parsed->ctl->timeout_given = true;
    return 0;
}

static error_t take_tempo(struct parsed *parsed, const char *argument)
{
    double bpm;
    if (!parse_number(argument, &bpm))
        return refuse(
            parsed, "--tempo: expected a number of beats per minute, found \"%s\"", argument);
    parsed->ctl->tempo = argument;
    return 0;
}

/* Room on the tape, or a day, is what the daemon knows. */
static error_t take_seconds(
    struct parsed *parsed, const char *option, const char *argument, const char **field)
{
    double seconds;
    if (!parse_number(argument, &seconds) || seconds < 0 || strlen(argument) > MOST_DIGITS)
        return refuse(parsed, "%s: expected a number of seconds, found \"%s\"", option, argument);
    *field = argument;
    return 0;
}

static error_t take_progress_fd(struct parsed *parsed, const char *argument)
{
    double number;
    if (!parse_number(argument, &number) || number < 0 || number > 65535 ||
        fcntl((int)number, F_GETFL) < 0)
        return refuse(
            parsed, "--progress-fd: expected an open file descriptor, found \"%s\"", argument);
    parsed->ctl->progress_fd = (int)number;
    return 0;
}

/* What argp did not understand stands right before the next argument, or is the next one when it
 * stopped inside a group of letters. */
static error_t refuse_option(struct argp_state *state, struct parsed *parsed)
{
    const struct argp_option *options = state->root_argp->options;
    const char *word = state->next > 1 ? state->argv[state->next - 1] : "";
    const char *names[16] = {0};
    size_t count = 0;
    if (word[0] != '-' && state->next < state->argc)
        word = state->argv[state->next];
    for (; count < 16 && options[count].name; count++)
        names[count] = options[count].name;
    for (size_t k = 0; k < count; k++)
        if (options[k].arg && (word[1] == '-' ? strcmp(word + 2, names[k]) == 0
                                              : word[1] == options[k].key && !word[2]))
            return refuse(parsed, "%s: expected a value behind it", word);
    const char *likely =
        strncmp(word, "--", 2) == 0 ? stem_naming_suggest(word + 2, names, count) : NULL;
    if (likely)
        return refuse(parsed, "unknown option \"%s\"; did you mean \"--%s\"?", word, likely);
    return refuse(parsed, "unknown option \"%s\" (stemctl --help lists them)", word);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct parsed *parsed = state->input;
    switch (key) {
    case 'u':
        parsed->ctl->url = argument;
        return 0;
    case 't':
        return take_timeout(parsed, argument);
    case 'j':
        parsed->ctl->output.json = true;
        return 0;
    case 'h':
        parsed->help = true;
        return 0;
    case 'V':
        parsed->version = true;
        return 0;
    case OPTION_TEMPO:
        return take_tempo(parsed, argument);
    case OPTION_KEY:
        parsed->ctl->key = argument;
        return 0;
    case OPTION_AT:
        parsed->ctl->at = argument;
        return 0;
    case OPTION_PREROLL:
        return take_seconds(parsed, "--preroll", argument, &parsed->ctl->preroll);
    case OPTION_LENGTH:
        return take_seconds(parsed, "--length", argument, &parsed->ctl->length);
    case 'q':
        parsed->ctl->quiet = true;
        return 0;
    case OPTION_PROGRESS_FD:
        return take_progress_fd(parsed, argument);
    case OPTION_FORMAT:
        parsed->ctl->format = argument;
        return 0;
    case OPTION_DEPTH:
        parsed->ctl->depth = argument;
        return 0;
    case OPTION_TO:
        parsed->ctl->to = argument;
        return 0;
    case OPTION_ZIP:
        parsed->ctl->zip = true;
        return 0;
    case OPTION_DITHER:
        parsed->ctl->dither = true;
        return 0;
    case OPTION_ACCEPT:
        parsed->ctl->accept = true;
        return 0;
    case OPTION_OPEN:
        parsed->ctl->open = true;
        return 0;
    case ARGP_KEY_ARG:
        return parsed->command ? take_word(parsed, argument)
                               : take_command(state, parsed, argument);
    case ARGP_KEY_ERROR:
        return refuse_option(state, parsed);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Help */

static void list_commands(FILE *out, const struct parsed *parsed)
{
    fputs("Commands:\n", out);
    for (size_t k = 0; k < parsed->command_count; k++) {
        const struct stemctl_command *command = &parsed->commands[k];
        const char *words = command->words ? command->words : "";
        fprintf(out, "  %-7s  %-15s  %s\n", command->name, words, command->help);
    }
    fputs("\n\"stemctl COMMAND --help\" tells more about one.\n", out);
}

/* argp's text: what stands before and, after a vertical tab, behind the options. */
static char *help_text(const struct parsed *parsed)
{
    const struct stemctl_command *command = parsed->command;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    if (command)
        fprintf(out, "%c%s.\v%s\n", toupper(command->help[0]), command->help + 1, command->more);
    else
        fputs("Controls stemd, the stem recorder, and verifies takes.\v", out);
    if (!command)
        list_commands(out, parsed);
    fputs("\nExit status: 0 done; 1 stemd refused, or the check failed; 2 wrong arguments; 3 no "
          "answer; 4 interrupted.",
        out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static void print_help(const struct parsed *parsed)
{
    const struct stemctl_command *command = parsed->command;
    char name[32] = "stemctl", *text = help_text(parsed);
    const struct argp argp = {
        .options = options_of(command),
        .args_doc = command ? command->words : "COMMAND [ARGUMENT...]",
        .doc = text,
    };
    if (command)
        snprintf(name, sizeof name, "stemctl %s", command->name);
    setenv("ARGP_HELP_FMT", "no-dup-args-note", 0); /* the note says what everybody expects */
    argp_help(&argp, stdout, ARGP_HELP_STD_HELP, name);
    free(text);
}

/* Parsing */

/* Also where it stands behind what is wrong. */
static bool wants_json(int argc, char **argv)
{
    for (int k = 1; k < argc && strcmp(argv[k], "--") != 0; k++)
        if (strcmp(argv[k], "--json") == 0 || strcmp(argv[k], "-j") == 0)
            return true;
    return false;
}

static void parse_words(int argc, char **argv, struct parsed *parsed)
{
    const unsigned flags = ARGP_IN_ORDER | ARGP_NO_HELP | ARGP_NO_ERRS;
    const struct argp first = {.options = OPTIONS, .parser = parse_option};
    if (argp_parse(&first, argc, argv, flags, NULL, parsed) || !parsed->command)
        return;
    const struct argp second = {
        .options = options_of(parsed->command),
        .parser = parse_option,
    };
    int index = parsed->command_index;
    argp_parse(&second, argc - index, argv + index, flags, NULL, parsed);
}

const struct stemctl_command *stemctl_options_parse(int argc, char **argv,
    const struct stemctl_command *commands, size_t count, struct stemctl *ctl,
    enum stemctl_exit *code)
{
    struct parsed parsed = {.ctl = ctl, .commands = commands, .command_count = count};
    *code = STEMCTL_OK;
    parse_words(argc, argv, &parsed);
    if (!parsed.error.text[0])
        check_words(&parsed);
    ctl->output.json = ctl->output.json || wants_json(argc, argv);
    if (parsed.error.text[0])
        *code = stemctl_fail(&ctl->output, STEMCTL_USAGE, parsed.error.text);
    else if (parsed.help)
        print_help(&parsed);
    else if (parsed.version)
        puts("stemctl " STEMD_VERSION);
    else
        return parsed.command;
    return NULL;
}
