#include "config_rules.h"

#include "config_reader.h"
#include "layout.h"
#include "naming.h"
#include "osc_address.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <string.h>
#include <strings.h>

/* JACK2 as Debian builds it allows 2048 ports in a client; 2043 were measured. */
enum { MOST_PORTS = 2000, MOST_PORT_NAME = 220 };

static bool is_pattern(const char *from)
{
    size_t length = strlen(from);
    return length >= 2 && from[0] == '/' && from[length - 1] == '/';
}

static void check_pattern(
    const char *file, const struct stem_config_source *source, struct stem_config_messages *errors)
{
    char text[1024], reason[128];
    size_t length = strlen(source->from);
    regex_t pattern;
    if (length > sizeof text - 1) {
        config_message(errors, file, source->line, "from: the pattern is too long");
        return;
    }
    memcpy(text, source->from + 1, length - 2);
    text[length - 2] = '\0';
    int status = regcomp(&pattern, text, REG_EXTENDED | REG_NOSUB);
    if (status == 0) {
        regfree(&pattern);
        return;
    }
    regerror(status, &pattern, reason, sizeof reason);
    config_message(errors, file, source->line,
        "from: expected a POSIX extended regular expression between the slashes, found \"%s\" (%s)",
        source->from, reason);
}

static void check_source(const char *file, const struct stem_config_source *source,
    struct stem_config_messages *errors, struct stem_config_messages *warnings)
{
    if (is_pattern(source->from))
        check_pattern(file, source, errors);
    else if (source->from[0] && !strchr(source->from, ':'))
        config_message(errors, file, source->line,
            "from: expected a JACK port name such as \"console:out_1\", or a pattern between "
            "slashes, found \"%s\"",
            source->from);
    else if (strstr(source->from, ".*"))
        config_message(warnings, file, source->line,
            "from: \"%s\" is taken as an exact name; patterns stand between slashes", source->from);
}

static void check_sources(const struct stem_config *config, const struct stem_config_input *input,
    struct stem_config_messages *errors, struct stem_config_messages *warnings)
{
    for (uint32_t c = 0; c < input->channels; c++)
        check_source(config->path, &input->from[c], errors, warnings);
}

static void check_width(const struct stem_config *config, const struct stem_config_stem *stem,
    const struct stem_config_input *input, unsigned line, struct stem_config_messages *errors)
{
    if (input->channels != 1 && input->channels != stem->channels)
        config_message(errors, config->path, line,
            "\"%s\": expected 1 channel or as many as stem \"%s\" has (%u), found %u", input->name,
            stem->name, stem->channels, input->channels);
    if (input->channel > stem->channels)
        config_message(errors, config->path, line,
            "\"%s\": expected a channel from 1 to %u (the width of stem \"%s\"), found %u",
            input->name, stem->channels, stem->name, input->channel);
    if (input->has_pan && (input->channels != 1 || stem->channels != 2))
        config_message(errors, config->path, line,
            "\"%s\": pan is for a mono input in a stereo stem", input->name);
}

static void check_stem(const struct stem_config *config, const struct stem_config_stem *stem,
    struct stem_config_messages *errors, struct stem_config_messages *warnings)
{
    for (size_t i = 0; i < stem->input_count; i++) {
        check_width(config, stem, &stem->inputs[i], stem->inputs[i].line, errors);
        check_sources(config, &stem->inputs[i], errors, warnings);
    }
    for (size_t r = 0; r < stem->return_count; r++) {
        const struct stem_config_send *send = &stem->returns[r];
        const struct stem_config_input *input =
            send->is_shared ? &config->returns[send->shared] : &send->own;
        check_width(config, stem, input, send->line, errors);
        if (!send->is_shared)
            check_sources(config, input, errors, warnings);
    }
    if (stem->input_count + stem->return_count == 0)
        config_message(errors, config->path, stem->line,
            "stem \"%s\": expected at least one input or return", stem->name);
}

/* File names and OSC addresses are made from stem names. */
static void check_stem_names(const struct stem_config *config, struct stem_config_messages *errors)
{
    for (size_t a = 0; a < config->stem_count; a++) {
        char safe[STEM_NAME_BYTES], other[STEM_NAME_BYTES];
        const struct stem_config_stem *stem = &config->stems[a];
        stem_naming_safe(stem->name, safe, sizeof safe);
        if (!safe[0])
            config_message(errors, config->path, stem->line,
                "stems[%zu].name: expected a name with letters or digits, found \"%s\"", a,
                stem->name);
        for (size_t b = 0; b < a; b++) {
            stem_naming_safe(config->stems[b].name, other, sizeof other);
            if (safe[0] && strcasecmp(safe, other) == 0)
                config_message(errors, config->path, stem->line,
                    "stems[%zu].name: \"%s\" and \"%s\" (line %u) would get the same file name", a,
                    stem->name, config->stems[b].name, config->stems[b].line);
        }
    }
}

static void check_shares(const struct stem_config *config, struct stem_config_messages *warnings)
{
    for (size_t shared = 0; shared < config->return_count; shared++) {
        double sum = 0;
        unsigned users = 0;
        for (size_t s = 0; s < config->stem_count; s++)
            for (size_t r = 0; r < config->stems[s].return_count; r++) {
                const struct stem_config_send *send = &config->stems[s].returns[r];
                if (!send->is_shared || send->shared != shared)
                    continue;
                sum += send->share;
                users++;
            }
        const struct stem_config_input *input = &config->returns[shared];
        if (users == 0)
            config_message(warnings, config->path, input->line,
                "return \"%s\" is used by no stem: it will be missing from the stems", input->name);
        else if (fabs(sum - 1) > 1e-6)
            config_message(warnings, config->path, input->line,
                "the shares of return \"%s\" add up to %g instead of 1: the stems will not sum to "
                "the mix",
                input->name, sum);
    }
}

static void check_mix(const struct stem_config *config, struct stem_config_messages *errors,
    struct stem_config_messages *warnings)
{
    if (!config->has_mix)
        return;
    check_sources(config, &config->mix, errors, warnings);
    for (size_t s = 0; s < config->stem_count; s++)
        if (config->stems[s].channels != 1 && config->stems[s].channels != config->mix.channels)
            config_message(errors, config->path, config->stems[s].line,
                "stem \"%s\" has %u channels, but the mix has %u: with a mix reference a stem is "
                "mono or as wide as the mix",
                config->stems[s].name, config->stems[s].channels, config->mix.channels);
}

/* The names that JACK will see. */
static void check_ports(const struct stem_config *config, struct stem_config_messages *errors)
{
    struct stem_layout *layout = stem_layout_create(config);
    if (!layout)
        return; /* no memory: starting will say so */
    if (layout->port_count > MOST_PORTS)
        config_message(errors, config->path, 0, "expected at most %d ports altogether, found %u",
            MOST_PORTS, layout->port_count);
    for (uint32_t a = 0; a < layout->port_count && layout->port_count <= MOST_PORTS; a++) {
        if (strlen(layout->ports[a].name) > MOST_PORT_NAME)
            config_message(errors, config->path, layout->ports[a].line,
                "the port name \"%s\" is longer than %d bytes", layout->ports[a].name,
                MOST_PORT_NAME);
        for (uint32_t b = 0; b < a; b++)
            if (strcmp(layout->ports[a].name, layout->ports[b].name) == 0)
                config_message(errors, config->path, layout->ports[a].line,
                    "two ports would be called \"%s\" (the other one comes from line %u)",
                    layout->ports[a].name, layout->ports[b].line);
    }
    stem_layout_destroy(layout);
}

static void check_osc(const struct stem_config *config, struct stem_config_messages *errors)
{
    struct stem_osc_address address;
    struct stem_error error;
    for (size_t k = 0; k < config->osc_listen_count; k++)
        if (stem_osc_address_parse(config->osc_listen[k], &address, &error))
            config_message(
                errors, config->path, config->osc_line, "osc.listen[%zu]: %s", k, error.text);
    for (size_t k = 0; k < config->osc_notify_count; k++)
        if (stem_osc_address_parse(config->osc_notify[k], &address, &error))
            config_message(
                errors, config->path, config->osc_line, "osc.notify[%zu]: %s", k, error.text);
    for (size_t k = 0; k < config->osc_allow_count; k++)
        if (!stem_osc_block_valid(config->osc_allow[k]))
            config_message(errors, config->path, config->osc_line,
                "osc.allow[%zu]: expected an address block such as \"127.0.0.0/8\", found \"%s\"",
                k, config->osc_allow[k]);
}

void config_check_rules(const struct stem_config *config, struct stem_config_messages *errors,
    struct stem_config_messages *warnings)
{
    check_osc(config, errors);
    check_stem_names(config, errors);
    for (size_t s = 0; s < config->stem_count; s++)
        check_stem(config, &config->stems[s], errors, warnings);
    for (size_t r = 0; r < config->return_count; r++)
        check_sources(config, &config->returns[r], errors, warnings);
    check_mix(config, errors, warnings);
    check_shares(config, warnings);
    check_ports(config, errors);
}
