#include "config_stems.h"

#include "config_text.h"
#include "naming.h"

#include <stdlib.h>
#include <string.h>

/* File names are made from it; several of them make a port name. */
enum { MOST_NAME_BYTES = 100 };

/* A name that must be there. */
static char *read_name(struct group *group)
{
    if (!config_setting_get_member(group->setting, "name"))
        config_error(group->reader, group->setting, "expected a \"name\", found none");
    return group_name(group, "name", MOST_NAME_BYTES);
}

/* Inputs */

static void check_source(struct config_reader *reader, const config_setting_t *setting)
{
    char expected[256];
    const char *from = config_setting_get_string(setting);
    const char *wrong = config_text_check_source(from, expected, sizeof expected);
    if (wrong)
        config_wrong(reader, setting, wrong);
    else if (!config_text_is_pattern(from) && strstr(from, ".*"))
        config_warning(reader, setting,
            "\"%s\" is taken as the exact name of a port; a pattern stands between slashes", from);
}

/* Copies what the ports are connected from; `from` NULL: they are patched by hand. */
static void copy_sources(struct config_reader *reader, struct stem_config_input *input,
    const config_setting_t *from, unsigned line)
{
    input->from = config_reader_array(reader, input->channels, sizeof *input->from);
    for (uint32_t c = 0; input->from && c < input->channels; c++) {
        const config_setting_t *setting = from ? config_string_element(from, c) : NULL;
        const char *name = setting ? config_setting_get_string(setting) : "";
        input->from[c].from = config_reader_copy(reader, name);
        input->from[c].line = setting ? config_setting_source_line(from) : line;
        if (setting)
            check_source(reader, setting);
    }
}

/* How many ports `from` names; 0 when that is wrong. */
static uint32_t source_count(
    struct config_reader *reader, const config_setting_t *from, size_t count)
{
    if (from && count == 0)
        config_wrong(reader, from, "the name of one port per channel");
    if (count > CONFIG_MOST_CHANNELS)
        config_error(reader, from, "expected at most %d ports, one per channel, found %zu",
            CONFIG_MOST_CHANNELS, count);
    return count > CONFIG_MOST_CHANNELS ? 0 : (uint32_t)count;
}

/* The ports of an input: `from` has one entry per channel; without it `channels` tells. */
static void read_sources(
    struct group *group, struct stem_config_input *input, uint32_t default_channels)
{
    struct config_reader *reader = group->reader;
    size_t count;
    const config_setting_t *from = group_strings(group, "from", &count);
    bool has_from = config_setting_get_member(group->setting, "from") != NULL;
    const config_setting_t *width = config_setting_get_member(group->setting, "channels");
    uint32_t channels = width ? 0 : default_channels;
    group_whole(group, "channels", 1, CONFIG_MOST_CHANNELS, &channels);
    uint32_t named = source_count(reader, from, count);
    if (width && channels && named && channels != named)
        config_error(reader, width, "expected %u, as many as \"from\" names ports, found %u", named,
            channels);
    input->channels = has_from ? named : channels;
    copy_sources(reader, input, named ? from : NULL, input->line);
}

static void read_polarity(struct group *group, struct stem_config_input *input)
{
    const char *value = group_string(group, "polarity");
    if (!value)
        return;
    input->invert = strcmp(value, "inverted") == 0;
    if (!input->invert && strcmp(value, "normal") != 0)
        config_wrong(group->reader, config_setting_get_member(group->setting, "polarity"),
            "\"normal\" or \"inverted\"");
}

static void read_input(struct group *group, struct stem_config_input *input)
{
    input->line = config_line(group->reader, group->setting);
    input->name = read_name(group);
    read_sources(group, input, 1);
    group_number(group, "gain", -120, 40, " (dB)", &input->gain_db);
    read_polarity(group, input);
    input->has_pan = group_number(group, "pan", -1, 1, " (left to right)", &input->pan);
    group_whole(group, "channel", 1, CONFIG_MOST_CHANNELS, &input->channel);
}

void config_read_returns(struct group *top, struct stem_config *config)
{
    size_t count;
    const config_setting_t *list = group_list(top, "returns", &count);
    config->returns = config_reader_array(top->reader, count, sizeof *config->returns);
    for (size_t r = 0; config->returns && r < count; r++) {
        struct group group;
        config->return_count++;
        if (!group_element(top, list, r, &group))
            continue;
        read_input(&group, &config->returns[r]);
        group_check_unknown(&group);
    }
}

/* Returns of a stem */

/* The shared return of that name. One whose own name is wrong may be the one that is meant:
 * `*certain` is false then. */
static bool find_return(
    const struct stem_config *config, const char *name, size_t *index, bool *certain)
{
    *certain = true;
    for (size_t r = 0; r < config->return_count; r++) {
        if (!config->returns[r].name) {
            *certain = false;
        } else if (strcmp(config->returns[r].name, name) == 0) {
            *index = r;
            return true;
        }
    }
    return false;
}

static void report_no_return(
    struct group *group, const struct stem_config *config, const char *name)
{
    const config_setting_t *setting = config_setting_get_member(group->setting, "use");
    size_t count = config->return_count;
    const char **names = config_reader_array(group->reader, count, sizeof *names);
    for (size_t r = 0; names && r < count; r++)
        names[r] = config->returns[r].name;
    const char *likely = names ? stem_naming_suggest(name, names, count) : NULL;
    free(names);
    config_error(group->reader, setting,
        "expected the name of a shared return, found the string \"%s\"%s%s%s", name,
        likely       ? "; did you mean \""
        : count == 0 ? "; there are no shared returns"
                     : "",
        likely ? likely : "", likely ? "\"?" : "");
}

/* A shared return is described once, where it is defined. */
static void check_only_share(struct group *group)
{
    static const char *const OWN[] = {
        "name", "from", "channels", "gain", "polarity", "pan", "channel"};
    for (size_t k = 0; k < sizeof OWN / sizeof *OWN; k++) {
        const config_setting_t *setting = group_find(group, OWN[k]);
        if (setting)
            config_error(group->reader, setting,
                "expected only \"share\" beside \"use\", found \"%s\"; set it in the shared return",
                OWN[k]);
    }
    group_check_unknown(group);
}

static void read_use(
    struct group *group, const struct stem_config *config, struct stem_config_send *send)
{
    bool certain;
    const char *name = group_string(group, "use");
    send->is_shared = name && find_return(config, name, &send->shared, &certain);
    if (name && !send->is_shared && certain)
        report_no_return(group, config, name);
    check_only_share(group);
}

static void read_send(
    struct group *group, const struct stem_config *config, struct stem_config_send *send)
{
    send->line = config_line(group->reader, group->setting);
    group_number(group, "share", 0, 4, "", &send->share);
    if (group_find(group, "use")) {
        read_use(group, config, send);
    } else if (config_setting_get_member(group->setting, "name")) {
        read_input(group, &send->own);
        group_check_unknown(group);
    } else {
        config_error(group->reader, group->setting,
            "expected \"name\" (a return of its own) or \"use\" (a shared one), found neither");
    }
}

/* Stems */

static void read_stem_inputs(struct group *group, struct stem_config_stem *stem)
{
    size_t count;
    const config_setting_t *list = group_list(group, "inputs", &count);
    stem->inputs = config_reader_array(group->reader, count, sizeof *stem->inputs);
    for (size_t i = 0; stem->inputs && i < count; i++) {
        struct group input;
        stem->input_count++;
        if (!group_element(group, list, i, &input))
            continue;
        read_input(&input, &stem->inputs[i]);
        group_check_unknown(&input);
    }
}

static void read_stem_returns(
    struct group *group, const struct stem_config *config, struct stem_config_stem *stem)
{
    size_t count;
    const config_setting_t *list = group_list(group, "returns", &count);
    stem->returns = config_reader_array(group->reader, count, sizeof *stem->returns);
    for (size_t r = 0; stem->returns && r < count; r++) {
        struct group send;
        stem->returns[r].share = 1;
        stem->return_count++;
        if (group_element(group, list, r, &send))
            read_send(&send, config, &stem->returns[r]);
    }
}

static void read_wet(struct group *group, struct stem_config_stem *stem)
{
    const char *value = group_string(group, "wet");
    if (!value)
        return;
    if (strcmp(value, "own") == 0)
        stem->wet = STEM_WET_OWN;
    else if (strcmp(value, "both") == 0)
        stem->wet = STEM_WET_BOTH;
    else if (strcmp(value, "in") != 0)
        config_wrong(group->reader, config_setting_get_member(group->setting, "wet"),
            "\"in\", \"own\" or \"both\"");
}

static void read_stem(
    struct group *group, const struct stem_config *config, struct stem_config_stem *stem)
{
    const struct stem_config_messages *errors = group->reader->errors;
    stem->line = config_line(group->reader, group->setting);
    stem->name = read_name(group);
    stem->channels = config_setting_get_member(group->setting, "channels") ? 0 : 2;
    group_whole(group, "channels", 1, CONFIG_MOST_CHANNELS, &stem->channels);
    group_flag(group, "muted", &stem->muted);
    read_wet(group, stem);
    size_t before = errors->count;
    read_stem_inputs(group, stem);
    read_stem_returns(group, config, stem);
    if (stem->input_count + stem->return_count == 0 && errors->count == before)
        config_error(
            group->reader, group->setting, "expected at least one input or return, found none");
    group_check_unknown(group);
}

void config_read_stems(struct group *top, struct stem_config *config)
{
    size_t count;
    const config_setting_t *list = group_list(top, "stems", &count);
    bool missing = !config_setting_get_member(top->setting, "stems");
    if (missing || (list && count == 0))
        config_error_at(top->reader, "stems",
            "expected a list of 1 to %d stems, found %s; the least is stems = ( { name = "
            "\"Drums\"; inputs = ( { name = \"Kick\"; from = \"system:capture_1\"; } ); } );",
            CONFIG_MOST_STEMS, missing ? "nothing" : "an empty list");
    else if (count > CONFIG_MOST_STEMS)
        config_error(top->reader, list, "expected a list of 1 to %d stems, found %zu",
            CONFIG_MOST_STEMS, count);
    config->stems = config_reader_array(top->reader, count, sizeof *config->stems);
    for (size_t s = 0; config->stems && s < count && count <= CONFIG_MOST_STEMS; s++) {
        struct group group;
        config->stem_count++;
        if (group_element(top, list, s, &group))
            read_stem(&group, config, &config->stems[s]);
    }
}

void config_read_mix(struct group *top, struct stem_config *config)
{
    struct group mix;
    if (!group_inner(top, "mix", &mix))
        return;
    config->has_mix = true;
    config->mix.line = config_line(top->reader, mix.setting);
    config->mix.name = config_reader_copy(top->reader, "Mix");
    read_sources(&mix, &config->mix, 2);
    group_check_unknown(&mix);
}
