#include "config_rules.h"

#include "config_names.h"
#include "layout.h"
#include "naming.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* JACK2 as Debian builds it allows 2048 ports in a client; 2043 were measured. A full port name has
 * 255 bytes at most with older servers: client name, ':' and this. */
enum { MOST_PORTS = 2000, MOST_PORT_NAME = 190 };

#define SHARE_TOLERANCE 1e-6

/* One input, private return, shared return or the mix, in the order of the layout's ports. */
struct unit {
    const struct stem_config_input *input;
    const struct stem_config_stem *stem; /* NULL: a shared return or the mix */
    uint32_t first_port;
    char place[CONFIG_PLACE_BYTES];
};

struct rules {
    struct config_reader *reader;
    const struct stem_config *config;
    struct unit *units;
    size_t unit_count;
    uint32_t ports;
    bool sound; /* all names and widths are known: there is a layout */
};

/* Collecting */

static size_t count_units(const struct stem_config *config)
{
    size_t count = config->return_count + 1;
    for (size_t s = 0; s < config->stem_count; s++)
        count += config->stems[s].input_count + config->stems[s].return_count;
    return count;
}

static struct unit *add_unit(
    struct rules *rules, const struct stem_config_stem *stem, const struct stem_config_input *input)
{
    struct unit *unit = &rules->units[rules->unit_count++];
    unit->input = input;
    unit->stem = stem;
    unit->first_port = rules->ports;
    rules->ports += input->channels;
    rules->sound = rules->sound && input->name && input->channels;
    return unit;
}

static void add_stem(struct rules *rules, size_t s)
{
    const struct stem_config_stem *stem = &rules->config->stems[s];
    rules->sound = rules->sound && stem->name && stem->channels;
    for (size_t i = 0; i < stem->input_count; i++) {
        struct unit *unit = add_unit(rules, stem, &stem->inputs[i]);
        snprintf(unit->place, sizeof unit->place, "stems[%zu].inputs[%zu]", s, i);
    }
    for (size_t r = 0; r < stem->return_count; r++) {
        if (stem->returns[r].is_shared)
            continue;
        struct unit *unit = add_unit(rules, stem, &stem->returns[r].own);
        snprintf(unit->place, sizeof unit->place, "stems[%zu].returns[%zu]", s, r);
    }
}

static void collect(struct rules *rules)
{
    const struct stem_config *config = rules->config;
    rules->sound = !rules->reader->no_memory;
    for (size_t s = 0; s < config->stem_count; s++)
        add_stem(rules, s);
    for (size_t r = 0; r < config->return_count; r++) {
        struct unit *unit = add_unit(rules, NULL, &config->returns[r]);
        snprintf(unit->place, sizeof unit->place, "returns[%zu]", r);
    }
    if (config->has_mix) {
        struct unit *unit = add_unit(rules, NULL, &config->mix);
        snprintf(unit->place, sizeof unit->place, "mix");
    }
}

/* Stem names: file names and OSC addresses are made from them */

static void report_same_file(struct rules *rules, size_t s, size_t other)
{
    char place[CONFIG_PLACE_BYTES], there[CONFIG_PLACE_BYTES], where[1024];
    snprintf(place, sizeof place, "stems[%zu].name", s);
    snprintf(there, sizeof there, "stems[%zu].name", other);
    config_reader_where(rules->reader, there, where, sizeof where);
    config_error_at(rules->reader, place,
        "expected a name that gives a file name of its own, found \"%s\" beside \"%s\" (%s)",
        rules->config->stems[s].name, rules->config->stems[other].name, where);
}

static void check_stem_name(struct rules *rules, char (*safe)[STEM_NAME_BYTES], size_t s)
{
    char place[CONFIG_PLACE_BYTES];
    snprintf(place, sizeof place, "stems[%zu].name", s);
    if (!safe[s][0]) {
        config_wrong_at(rules->reader, place,
            "a name with a letter or digit from A to Z, 0 to 9 (file names are made from it)");
        return;
    }
    if (rules->config->has_mix && strcasecmp(safe[s], "Mix") == 0)
        config_wrong_at(
            rules->reader, place, "another name (the reference mix is recorded under this one)");
    for (size_t other = 0; other < s; other++)
        if (rules->config->stems[other].name && strcasecmp(safe[s], safe[other]) == 0) {
            report_same_file(rules, s, other);
            return;
        }
}

static void check_stem_names(struct rules *rules)
{
    size_t count = rules->config->stem_count;
    char(*safe)[STEM_NAME_BYTES] = config_reader_array(rules->reader, count, sizeof *safe);
    for (size_t s = 0; safe && s < count; s++) {
        if (!rules->config->stems[s].name)
            continue;
        stem_naming_safe(rules->config->stems[s].name, safe[s], sizeof safe[s]);
        check_stem_name(rules, safe, s);
    }
    free(safe);
}

/* Widths */

/* Where to report what does not fit: at settings of the input, or where a shared return is used. */
static void place_of(const char *place, bool shared, const char *name, char *at)
{
    snprintf(at, CONFIG_PLACE_BYTES, "%.80s.%s", place, shared ? "use" : name);
}

static void check_fit(struct config_reader *reader, const struct stem_config_stem *stem,
    const struct stem_config_input *input, const char *place, bool shared)
{
    char at[CONFIG_PLACE_BYTES];
    if (!input->channels || !stem->channels)
        return;
    place_of(place, shared, "from", at);
    if (input->channels != 1 && input->channels != stem->channels)
        config_error_at(reader, shared ? at : place,
            "expected 1 channel or as many as the stem has (%u), found %u", stem->channels,
            input->channels);
    place_of(place, shared, "channel", at);
    if (input->channel > stem->channels && input->channels == 1)
        config_error_at(reader, at, "expected a channel of the stem, from 1 to %u, found %u",
            stem->channels, input->channel);
    place_of(place, shared, "pan", at);
    if (input->has_pan && input->channels == 1 && stem->channels != 2)
        config_error_at(reader, at,
            "expected a pan only in a stereo stem, found a stem of %u channel%s", stem->channels,
            stem->channels == 1 ? "" : "s");
}

/* What is wrong with an input whatever the stem. */
static void check_unit(struct config_reader *reader, const struct unit *unit)
{
    const struct stem_config_input *input = unit->input;
    char at[CONFIG_PLACE_BYTES];
    place_of(unit->place, false, "channel", at);
    if (input->channel && input->channels > 1)
        config_error_at(reader, at, "expected a mono input, found %u channels", input->channels);
    if (input->channel && input->has_pan)
        config_error_at(reader, at, "expected \"channel\" or \"pan\", found both");
    place_of(unit->place, false, "pan", at);
    if (input->has_pan && input->channels > 1)
        config_error_at(reader, at, "expected a mono input, found %u channels", input->channels);
}

static void check_widths(struct rules *rules)
{
    for (size_t u = 0; u < rules->unit_count; u++) {
        const struct unit *unit = &rules->units[u];
        check_unit(rules->reader, unit);
        if (unit->stem)
            check_fit(rules->reader, unit->stem, unit->input, unit->place, false);
    }
}

static void check_mix(struct rules *rules)
{
    const struct stem_config *config = rules->config;
    uint32_t width = config->mix.channels;
    for (size_t s = 0; config->has_mix && width && s < config->stem_count; s++) {
        char place[CONFIG_PLACE_BYTES];
        uint32_t channels = config->stems[s].channels;
        if (channels <= 1 || channels == width)
            continue;
        snprintf(place, sizeof place, "stems[%zu].channels", s);
        config_error_at(rules->reader, place,
            "expected 1 channel or as many as the mix has (%u), found %u", width, channels);
    }
}

/* Shared returns */

static void check_use(struct rules *rules, size_t s, size_t r)
{
    const struct stem_config_stem *stem = &rules->config->stems[s];
    const struct stem_config_send *send = &stem->returns[r];
    char place[CONFIG_PLACE_BYTES], at[CONFIG_PLACE_BYTES];
    snprintf(place, sizeof place, "stems[%zu].returns[%zu]", s, r);
    check_fit(rules->reader, stem, &rules->config->returns[send->shared], place, true);
    for (size_t other = 0; other < r; other++)
        if (stem->returns[other].is_shared && stem->returns[other].shared == send->shared) {
            place_of(place, true, "use", at);
            config_wrong_at(rules->reader, at, "a shared return that the stem does not use yet");
            return;
        }
}

/* A stem whose returns are files of their own is made of inputs alone. */
static void check_wet(struct rules *rules, size_t s)
{
    const struct stem_config_stem *stem = &rules->config->stems[s];
    char place[CONFIG_PLACE_BYTES];
    snprintf(place, sizeof place, "stems[%zu].wet", s);
    if (stem->wet == STEM_WET_OWN && stem->input_count == 0 && stem->return_count)
        config_wrong_at(
            rules->reader, place, "\"in\" or \"both\" for a stem that is made of returns alone");
}

/* The part of a shared return that stems have in a file of its own is as wide as they are. */
static void check_part_widths(struct rules *rules, size_t s, const struct stem_config_send *send)
{
    const struct stem_config *config = rules->config;
    const struct stem_config_stem *stem = &config->stems[s];
    char place[CONFIG_PLACE_BYTES];
    for (size_t other = 0; other < s && stem->channels > 1; other++)
        for (size_t r = 0; r < config->stems[other].return_count; r++) {
            const struct stem_config_stem *with = &config->stems[other];
            if (!with->returns[r].is_shared || with->returns[r].shared != send->shared ||
                with->wet != stem->wet || with->channels <= 1 || with->channels == stem->channels)
                continue;
            snprintf(place, sizeof place, "stems[%zu].wet", s);
            config_error_at(rules->reader, place,
                "expected 1 channel or as many as the stem \"%s\" has (%u), found %u: their parts "
                "of \"%s\" become one file",
                with->name, with->channels, stem->channels, config->returns[send->shared].name);
            return;
        }
}

static void check_uses(struct rules *rules)
{
    for (size_t s = 0; s < rules->config->stem_count; s++) {
        const struct stem_config_stem *stem = &rules->config->stems[s];
        check_wet(rules, s);
        for (size_t r = 0; r < stem->return_count; r++) {
            if (!stem->returns[r].is_shared)
                continue;
            check_use(rules, s, r);
            if (stem->wet != STEM_WET_IN && rules->sound)
                check_part_widths(rules, s, &stem->returns[r]);
        }
    }
}

static double sum_of_shares(const struct stem_config *config, size_t shared, unsigned *users)
{
    double sum = 0;
    for (size_t s = 0; s < config->stem_count; s++)
        for (size_t r = 0; r < config->stems[s].return_count; r++) {
            const struct stem_config_send *send = &config->stems[s].returns[r];
            if (!send->is_shared || send->shared != shared)
                continue;
            sum += send->share;
            ++*users;
        }
    return sum;
}

static void check_shares(struct rules *rules)
{
    for (size_t shared = 0; shared < rules->config->return_count; shared++) {
        char place[CONFIG_PLACE_BYTES];
        unsigned users = 0;
        double sum = sum_of_shares(rules->config, shared, &users);
        const char *name = rules->config->returns[shared].name;
        snprintf(place, sizeof place, "returns[%zu]", shared);
        if (users == 0)
            config_warning_at(rules->reader, place,
                "no stem uses \"%s\": it will be missing from the stems", name);
        else if (fabs(sum - 1) > SHARE_TOLERANCE)
            config_warning_at(rules->reader, place,
                "the shares of \"%s\" add up to %.7g instead of 1: the stems will not add up to "
                "the mix",
                name, sum);
    }
}

/* Port names */

static bool share_a_port(
    const struct stem_layout *layout, const struct unit *a, const struct unit *b, const char **name)
{
    for (uint32_t p = 0; p < a->input->channels; p++)
        for (uint32_t q = 0; q < b->input->channels; q++) {
            *name = layout->ports[a->first_port + p].name;
            if (strcmp(*name, layout->ports[b->first_port + q].name) == 0)
                return true;
        }
    return false;
}

static void check_pair(struct rules *rules, const struct stem_layout *layout,
    const struct unit *unit, const struct unit *earlier)
{
    char where[1024], at[CONFIG_PLACE_BYTES];
    const char *port;
    bool same_name = strcmp(unit->input->name, earlier->input->name) == 0;
    if (!same_name && !share_a_port(layout, unit, earlier, &port))
        return;
    bool named = unit->input != &rules->config->mix;
    snprintf(at, sizeof at, "%.80s%s", unit->place, named ? ".name" : "");
    config_reader_where(rules->reader, earlier->place, where, sizeof where);
    if (same_name)
        config_error_at(rules->reader, at,
            "expected a name of its own, found \"%s\" as for %s (%s)", unit->input->name,
            earlier->place, where);
    else
        config_error_at(rules->reader, at,
            "expected port names of its own, found \"%s\" as for %s (%s)", port, earlier->place,
            where);
}

static void check_length(
    struct rules *rules, const struct stem_layout *layout, const struct unit *unit)
{
    char at[CONFIG_PLACE_BYTES];
    size_t length = strlen(layout->ports[unit->first_port].name);
    if (length <= MOST_PORT_NAME)
        return;
    place_of(unit->place, false, "name", at);
    config_error_at(rules->reader, at,
        "expected a port name of at most %d bytes, found %zu: \"%s\"", MOST_PORT_NAME, length,
        layout->ports[unit->first_port].name);
}

/* Ports of different stems cannot have the same name, since stems have names of their own and no
 * name contains a slash. */
static void check_port_names(struct rules *rules)
{
    struct stem_layout *layout = stem_layout_create(rules->config);
    if (!layout) {
        rules->reader->no_memory = true;
        return;
    }
    for (size_t u = 0; u < rules->unit_count; u++) {
        const struct unit *unit = &rules->units[u];
        check_length(rules, layout, unit);
        for (size_t e = 0; e < u; e++)
            if (rules->units[e].stem == unit->stem)
                check_pair(rules, layout, unit, &rules->units[e]);
    }
    stem_layout_destroy(layout);
}

void config_check_rules(struct config_reader *reader, const struct stem_config *config)
{
    size_t errors_before = reader->errors->count;
    struct rules rules = {.reader = reader, .config = config};
    rules.units = config_reader_array(reader, count_units(config), sizeof *rules.units);
    if (reader->no_memory) {
        free(rules.units);
        return;
    }
    collect(&rules);
    check_stem_names(&rules);
    check_widths(&rules);
    check_mix(&rules);
    check_uses(&rules);
    if (rules.ports > MOST_PORTS)
        config_error_at(reader, "stems", "expected at most %d ports altogether, found %u",
            MOST_PORTS, rules.ports);
    else if (rules.sound)
        check_port_names(&rules);
    if (rules.sound && reader->errors->count == errors_before)
        check_shares(&rules);
    if (rules.sound && reader->errors->count == errors_before)
        config_check_names(reader, config);
    free(rules.units);
}
