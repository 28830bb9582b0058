/* Reading the configuration file into plain data. See config.h; the syntax is libconfig's. */
#include "config_reader.h"
#include "config_rules.h"
#include "naming.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_STEMS = 256, MOST_CHANNELS = 8 };

/* Names */

/* Characters that JACK, OSC and file names can live with. */
static bool is_name(const char *name)
{
    if (!name[0] || strlen(name) > 100)
        return false;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if (*c < 0x20 || *c == 0x7F || *c == ':' || *c == '/')
            return false;
    return true;
}

/* A copy of a name that must be there. Without one, "?" stands in, so that reading goes on. */
static char *read_name(struct group *group, const char *key)
{
    const config_setting_t *setting = config_setting_get_member(group->setting, key);
    char *name = group_string(group, key);
    if (name && is_name(name))
        return name;
    if (!setting)
        config_message(group->errors, setting_file(group, group->setting),
            setting_line(group->setting), "%s: expected a setting \"%s\"", group->place, key);
    else if (name)
        group_wrong(group, key, setting,
            "a name of 1 to 100 bytes without '/', ':' and control characters");
    free(name);
    return strdup("?");
}

/* Inputs and returns */

static void copy_sources(struct stem_config_input *input, char **from, size_t count, unsigned line)
{
    input->from = calloc(input->channels ? input->channels : 1, sizeof *input->from);
    for (size_t c = 0; input->from && c < input->channels; c++)
        input->from[c] = (struct stem_config_source){c < count ? from[c] : strdup(""), line};
    for (size_t c = input->from ? input->channels : 0; c < count; c++)
        free(from[c]);
    free(from);
}

/* The ports of an input: `from` has one entry per channel; without it `channels` tells. */
static void read_sources(
    struct group *group, struct stem_config_input *input, uint32_t default_channels)
{
    const config_setting_t *setting = config_setting_get_member(group->setting, "from");
    size_t count;
    char **from = group_strings(group, "from", &count);
    int channels = group_whole(group, "channels", 1, MOST_CHANNELS, 0);
    if (count > MOST_CHANNELS)
        group_wrong(group, "from", setting, "at most 8 ports, one per channel");
    else if (channels && count && (size_t)channels != count)
        config_message(group->errors, setting_file(group, setting), setting_line(setting),
            "%s.channels: expected %zu, as many as there are ports in \"from\", found %d",
            group->place, count, channels);
    input->channels = count && count <= MOST_CHANNELS ? (uint32_t)count
                      : channels                      ? (uint32_t)channels
                                                      : default_channels;
    copy_sources(input, from, count, setting ? setting_line(setting) : input->line);
}

static bool read_polarity(struct group *group)
{
    const config_setting_t *setting = group_find(group, "polarity");
    const char *value = setting ? config_setting_get_string(setting) : "normal";
    if (value && strcmp(value, "inverted") == 0)
        return true;
    if (!value || strcmp(value, "normal") != 0)
        group_wrong(group, "polarity", setting, "\"normal\" or \"inverted\"");
    return false;
}

/* All but the name: gain, polarity, pan, target channel, ports. */
static void read_input_settings(
    struct group *group, struct stem_config_input *input, uint32_t default_channels)
{
    input->line = setting_line(group->setting);
    input->gain_db = group_number(group, "gain", -120, 40, 0);
    input->invert = read_polarity(group);
    input->has_pan = config_setting_get_member(group->setting, "pan") != NULL;
    input->pan = group_number(group, "pan", -1, 1, 0);
    input->channel = (uint32_t)group_whole(group, "channel", 1, MOST_CHANNELS, 0);
    read_sources(group, input, default_channels);
    if (input->channel && input->channels != 1)
        config_message(group->errors, setting_file(group, group->setting), input->line,
            "%s.channel: only a mono input can be sent to one channel", group->place);
}

static void read_input(struct group *group, struct stem_config_input *input)
{
    input->name = read_name(group, "name");
    read_input_settings(group, input, 1);
    group_check_unknown(group);
}

static bool find_return(const struct stem_config *config, const char *name, size_t *index)
{
    for (size_t r = 0; r < config->return_count; r++)
        if (strcmp(config->returns[r].name, name) == 0) {
            *index = r;
            return true;
        }
    return false;
}

/* `use` names a shared return; what is not there gets a suggestion. */
static void read_shared(
    struct group *group, const struct stem_config *config, struct stem_config_send *send)
{
    const config_setting_t *setting = config_setting_get_member(group->setting, "use");
    char *name = group_string(group, "use");
    send->is_shared = name && find_return(config, name, &send->shared);
    if (name && !send->is_shared) {
        const char *names[64];
        size_t count = config->return_count < 64 ? config->return_count : 64;
        for (size_t r = 0; r < count; r++)
            names[r] = config->returns[r].name;
        const char *likely = stem_naming_suggest(name, names, count);
        config_message(group->errors, setting_file(group, setting), setting_line(setting),
            "%s.use: expected the name of a shared return, found \"%s\"%s%s%s", group->place, name,
            likely ? "; did you mean \"" : "", likely ? likely : "", likely ? "\"?" : "");
    }
    free(name);
}

static void read_send(
    struct group *group, const struct stem_config *config, struct stem_config_send *send)
{
    send->line = setting_line(group->setting);
    send->share = group_number(group, "share", 0, 4, 1);
    if (config_setting_get_member(group->setting, "use")) {
        read_shared(group, config, send);
        group_check_unknown(group);
    } else {
        read_input(group, &send->own);
    }
}

/* Stems */

static void read_stem_inputs(struct group *group, struct stem_config_stem *stem)
{
    const config_setting_t *list = group_list(group, "inputs", &stem->input_count);
    stem->inputs = calloc(stem->input_count + 1, sizeof *stem->inputs);
    for (size_t i = 0; stem->inputs && i < stem->input_count; i++) {
        struct group input =
            group_enter(group, config_setting_get_elem(list, (unsigned)i), "inputs[%zu]", i);
        read_input(&input, &stem->inputs[i]);
    }
}

static void read_stem_returns(
    struct group *group, const struct stem_config *config, struct stem_config_stem *stem)
{
    const config_setting_t *list = group_list(group, "returns", &stem->return_count);
    stem->returns = calloc(stem->return_count + 1, sizeof *stem->returns);
    size_t kept = 0;
    for (size_t r = 0; stem->returns && r < stem->return_count; r++) {
        struct stem_config_send *send = &stem->returns[kept];
        struct group inner =
            group_enter(group, config_setting_get_elem(list, (unsigned)r), "returns[%zu]", r);
        read_send(&inner, config, send);
        kept += send->is_shared || send->own.name; /* an unknown shared one is reported already */
    }
    stem->return_count = kept;
}

static void read_stem(
    struct group *group, const struct stem_config *config, struct stem_config_stem *stem)
{
    stem->line = setting_line(group->setting);
    stem->name = read_name(group, "name");
    stem->channels = (uint32_t)group_whole(group, "channels", 1, MOST_CHANNELS, 2);
    stem->muted = group_bool(group, "muted", false);
    read_stem_inputs(group, stem);
    read_stem_returns(group, config, stem);
    group_check_unknown(group);
}

static void read_stems(struct group *top, struct stem_config *config)
{
    size_t count;
    const config_setting_t *list = group_list(top, "stems", &count);
    if (count == 0 || count > MOST_STEMS) {
        config_message(top->errors, top->path, list ? setting_line(list) : 0,
            "stems: expected 1 to %d stems, found %zu; the least is stems = ( { name = \"Mix\"; "
            "inputs = ( { name = \"In\"; channels = 2; } ); } );",
            MOST_STEMS, count);
        return;
    }
    config->stems = calloc(count, sizeof *config->stems);
    for (size_t s = 0; config->stems && s < count; s++) {
        struct group stem =
            group_enter(top, config_setting_get_elem(list, (unsigned)s), "stems[%zu]", s);
        config->stem_count++;
        read_stem(&stem, config, &config->stems[s]);
    }
}

static void read_returns(struct group *top, struct stem_config *config)
{
    size_t count;
    const config_setting_t *list = group_list(top, "returns", &count);
    config->returns = calloc(count + 1, sizeof *config->returns);
    for (size_t r = 0; config->returns && r < count; r++) {
        struct group inner =
            group_enter(top, config_setting_get_elem(list, (unsigned)r), "returns[%zu]", r);
        read_input(&inner, &config->returns[r]);
        size_t same;
        if (find_return(config, config->returns[r].name, &same))
            config_message(top->errors, top->path, config->returns[r].line,
                "returns[%zu].name: there is another return \"%s\" (line %u)", r,
                config->returns[r].name, config->returns[same].line);
        config->return_count++;
    }
}

static void read_mix(struct group *top, struct stem_config *config)
{
    const config_setting_t *setting = group_find(top, "mix");
    if (!setting)
        return;
    if (!config_setting_is_group(setting)) {
        group_wrong(top, "mix", setting, "a group: { from = [ \"console:main_l\", … ]; }");
        return;
    }
    struct group mix = group_enter(top, setting, "mix");
    config->has_mix = true;
    config->mix.name = strdup("Mix");
    read_input_settings(&mix, &config->mix, 2);
    group_check_unknown(&mix);
}

/* The rest */

static char *string_or(struct group *group, const char *key, const char *otherwise)
{
    char *value = group_string(group, key);
    return value ? value : strdup(otherwise);
}

static void read_format(struct group *top, struct stem_config *config)
{
    char *container = string_or(top, "format", "wav"),
         *encoding = string_or(top, "encoding", "pcm24");
    char expected[128];
    if (container && !stem_container_parse(container, &config->container)) {
        snprintf(expected, sizeof expected, "one of %s", stem_container_names());
        group_wrong(top, "format", config_setting_get_member(top->setting, "format"), expected);
    }
    if (encoding && !stem_encoding_parse(encoding, &config->encoding)) {
        snprintf(expected, sizeof expected, "one of %s", stem_encoding_names());
        group_wrong(top, "encoding", config_setting_get_member(top->setting, "encoding"), expected);
    }
    if (!stem_format_valid(config->container, config->encoding, 1)) {
        const config_setting_t *setting = config_setting_get_member(top->setting, "encoding");
        config_message(top->errors, top->path, setting ? setting_line(setting) : 0,
            "encoding: expected pcm16 or pcm24 with format \"flac\", found \"%s\"", encoding);
    }
    free(container);
    free(encoding);
}

static void read_pan_law(struct group *top, struct stem_config *config)
{
    static const struct {
        double db;
        enum stem_pan_law law;
    } LAWS[] = {{0, STEM_PAN_0DB}, {-3, STEM_PAN_3DB}, {-4.5, STEM_PAN_45DB}, {-6, STEM_PAN_6DB}};
    const config_setting_t *setting = config_setting_get_member(top->setting, "pan_law");
    double db = group_number(top, "pan_law", -6, 0, 0);
    for (size_t k = 0; k < sizeof LAWS / sizeof *LAWS; k++)
        if (LAWS[k].db == db) {
            config->pan_law = LAWS[k].law;
            return;
        }
    group_wrong(top, "pan_law", setting, "0, -3, -4.5 or -6 (dB in the centre)");
}

/* An absolute path; "~/" is the home folder. */
static void read_takes(struct group *top, struct stem_config *config)
{
    const config_setting_t *setting = config_setting_get_member(top->setting, "takes");
    char *takes = string_or(top, "takes", "/srv/takes");
    const char *home = getenv("HOME");
    if (takes && strncmp(takes, "~/", 2) == 0 && home) {
        char *whole;
        if (asprintf(&whole, "%s%s", home, takes + 1) >= 0) {
            free(takes);
            takes = whole;
        }
    }
    for (size_t length = takes ? strlen(takes) : 0; length > 1 && takes[length - 1] == '/';
         length--)
        takes[length - 1] = '\0';
    config->takes = takes;
    if (takes && takes[0] != '/' && setting)
        group_wrong(top, "takes", setting, "an absolute path");
}

static void read_jack_names(struct group *top, struct stem_config *config)
{
    const config_setting_t *client = config_setting_get_member(top->setting, "client");
    const config_setting_t *server = config_setting_get_member(top->setting, "server");
    config->client = string_or(top, "client", "stemd");
    config->server = string_or(top, "server", "default");
    if (config->client && (!is_name(config->client) || strlen(config->client) > 32))
        group_wrong(top, "client", client, "a name of 1 to 32 bytes without ':' and '/'");
    if (config->server && !is_name(config->server))
        group_wrong(top, "server", server, "a JACK server's name");
}

static void read_times(struct group *top, struct stem_config *config)
{
    config->tape_seconds = group_number(top, "tape", 1, 3600, 20);
    config->preroll_seconds = group_number(top, "preroll", 0, 3600, 0);
    config->sync_seconds = group_number(top, "sync", 0, 3600, 5);
    config->headroom_db = group_number(top, "headroom", -60, 0, -3);
    const config_setting_t *preroll = config_setting_get_member(top->setting, "preroll");
    char expected[96];
    snprintf(expected, sizeof expected, "less than the tape's %g seconds", config->tape_seconds);
    if (preroll && config->preroll_seconds >= config->tape_seconds)
        group_wrong(top, "preroll", preroll, expected);
}

static char **one_string(const char *value, size_t *count)
{
    char **strings = calloc(2, sizeof *strings);
    if (strings)
        strings[0] = strdup(value);
    *count = strings && strings[0] ? 1 : 0;
    return strings;
}

static void read_osc(struct group *top, struct stem_config *config)
{
    const config_setting_t *setting = group_find(top, "osc");
    config->osc_line = setting ? setting_line(setting) : 0;
    if (setting && !config_setting_is_group(setting)) {
        group_wrong(top, "osc", setting, "a group: { listen = [ … ]; }");
    } else if (setting) {
        struct group osc = group_enter(top, setting, "osc");
        config->osc_listen = group_strings(&osc, "listen", &config->osc_listen_count);
        config->osc_allow = group_strings(&osc, "allow", &config->osc_allow_count);
        config->osc_notify = group_strings(&osc, "notify", &config->osc_notify_count);
        group_check_unknown(&osc);
    }
    if (!config->osc_listen)
        config->osc_listen = one_string("udp://127.0.0.1:7770", &config->osc_listen_count);
    if (!config->osc_allow)
        config->osc_allow = one_string("127.0.0.0/8", &config->osc_allow_count);
}

static void read_all(const config_t *file, struct stem_config *config,
    struct stem_config_messages *errors, struct stem_config_messages *warnings)
{
    struct group top = {
        .setting = config_root_setting(file), .path = config->path, .errors = errors};
    read_jack_names(&top, config);
    read_takes(&top, config);
    read_format(&top, config);
    read_times(&top, config);
    read_pan_law(&top, config);
    read_osc(&top, config);
    read_returns(&top, config);
    read_stems(&top, config);
    read_mix(&top, config);
    group_check_unknown(&top);
    if (errors->count == 0)
        config_check_rules(config, errors, warnings);
}

/* libconfig says "file I/O error" for everything; this says what is wrong. */
static bool can_be_read(const char *path, struct stem_config_messages *errors)
{
    struct stat file;
    if (stat(path, &file) != 0 || access(path, R_OK) != 0) {
        config_message(errors, path, 0, "cannot read the configuration: %s", strerror(errno));
        return false;
    }
    if (!S_ISREG(file.st_mode) && !S_ISFIFO(file.st_mode)) {
        config_message(errors, path, 0, "cannot read the configuration: it is not a file");
        return false;
    }
    return true;
}

static bool parse(config_t *file, const char *path, struct stem_config_messages *errors)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) {
        *slash = '\0'; /* @include paths are relative to the file that includes */
        config_set_include_dir(file, folder[0] ? folder : "/");
    }
    if (config_read_file(file, path))
        return true;
    const char *where = config_error_file(file);
    config_message(errors, where ? where : path, (unsigned)config_error_line(file), "%s",
        config_error_text(file));
    return false;
}

struct stem_config *stem_config_load(
    const char *path, struct stem_config_messages *errors, struct stem_config_messages *warnings)
{
    config_t file;
    struct stem_config *config = calloc(1, sizeof *config);
    config_init(&file);
    if (config && can_be_read(path, errors) && parse(&file, path, errors)) {
        config->path = strdup(path);
        read_all(&file, config, errors, warnings);
    }
    config_destroy(&file);
    if (config && errors->count == 0)
        return config;
    stem_config_destroy(config);
    return NULL;
}

/* Freeing */

static void free_input(struct stem_config_input *input)
{
    for (uint32_t c = 0; input->from && c < input->channels; c++)
        free(input->from[c].from);
    free(input->from);
    free(input->name);
}

static void free_strings(char **strings, size_t count)
{
    for (size_t k = 0; k < count; k++)
        free(strings[k]);
    free(strings);
}

static void free_stem(struct stem_config_stem *stem)
{
    for (size_t i = 0; stem->inputs && i < stem->input_count; i++)
        free_input(&stem->inputs[i]);
    for (size_t r = 0; stem->returns && r < stem->return_count; r++)
        free_input(&stem->returns[r].own);
    free(stem->inputs);
    free(stem->returns);
    free(stem->name);
}

void stem_config_destroy(struct stem_config *config)
{
    if (!config)
        return;
    for (size_t s = 0; s < config->stem_count; s++)
        free_stem(&config->stems[s]);
    for (size_t r = 0; r < config->return_count; r++)
        free_input(&config->returns[r]);
    free_input(&config->mix);
    free_strings(config->osc_listen, config->osc_listen_count);
    free_strings(config->osc_allow, config->osc_allow_count);
    free_strings(config->osc_notify, config->osc_notify_count);
    free(config->stems);
    free(config->returns);
    free(config->path);
    free(config->client);
    free(config->server);
    free(config->takes);
    free(config);
}

bool stem_config_find(char *path, size_t size)
{
    static const char SYSTEM[] = "/etc/stemd/stemd.conf";
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char own[4096] = "";
    if (base && base[0] == '/')
        snprintf(own, sizeof own, "%s/stemd/stemd.conf", base);
    else if (home && home[0] == '/')
        snprintf(own, sizeof own, "%s/.config/stemd/stemd.conf", home);
    if (own[0] && access(own, F_OK) == 0) {
        snprintf(path, size, "%s", own);
        return true;
    }
    snprintf(path, size, "%s", SYSTEM);
    if (access(SYSTEM, F_OK) == 0)
        return true;
    snprintf(path, size, "%s%s%s", own, own[0] ? " or " : "", SYSTEM);
    return false;
}
