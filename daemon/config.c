/* Reading the configuration file into plain data. See config.h; the syntax is libconfig's.
 *
 *     config_source   looks at the text for what libconfig gets wrong
 *     config_reader   libconfig's tree, places and messages;  config_values: checked values
 *     config.c        settings at the top and of OSC;         config_stems: inputs, returns, stems
 *     config_names    templates of folder and file names
 *     config_rules    what spans several settings
 */
#include "config_names.h"
#include "config_reader.h"
#include "config_rules.h"
#include "config_stems.h"
#include "config_text.h"
#include "osc_address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* JACK2 allows 63 bytes and makes a second client of the same name "stemd-01". */
enum { MOST_CLIENT_BYTES = 60, MOST_SERVER_BYTES = 100 };

/* Takes `value` over in place of a default; NULL leaves that. */
static void replace(char **field, char *value)
{
    if (!value)
        return;
    free(*field);
    *field = value;
}

static void read_jack_names(struct group *top, struct stem_config *config)
{
    replace(&config->client, group_name(top, "client", MOST_CLIENT_BYTES));
    replace(&config->server, group_name(top, "server", MOST_SERVER_BYTES));
}

/* Files */

/* "~" and "~/…" are the home folder; NULL when that is not known, or without memory. */
static char *expand_home(struct config_reader *reader, const char *path)
{
    const char *home = getenv("HOME");
    char *whole = NULL;
    if (path[0] != '~' || (path[1] && path[1] != '/'))
        return config_reader_copy(reader, path);
    if (!home || home[0] != '/')
        return NULL;
    if (asprintf(&whole, "%s%s", strcmp(home, "/") == 0 ? "" : home, path + 1) < 0) {
        reader->no_memory = true;
        return NULL;
    }
    return whole;
}

/* A folder; NULL when it is missing or wrong. */
static char *read_folder(struct group *top, const char *name)
{
    const char *value = group_string(top, name);
    if (!value)
        return NULL;
    const config_setting_t *setting = config_setting_get_member(top->setting, name);
    char *folder = expand_home(top->reader, value);
    if (!folder && !top->reader->no_memory)
        config_wrong(
            top->reader, setting, "an absolute path, since HOME does not name the home folder");
    else if (folder && (folder[0] != '/' || !config_text_clean(folder)))
        config_wrong(top->reader, setting, "an absolute path in UTF-8, or one that begins with ~/");
    for (size_t length = folder ? strlen(folder) : 0; length > 1 && folder[length - 1] == '/';
         length--)
        folder[length - 1] = '\0';
    return folder;
}

static void read_folders(struct group *top, struct stem_config *config)
{
    replace(&config->takes, read_folder(top, "takes"));
    replace(&config->spare, read_folder(top, "spare"));
    replace(&config->mirror, read_folder(top, "mirror"));
    if (config->spare && config->takes && strcmp(config->spare, config->takes) == 0)
        config_wrong_at(top->reader, "spare", "another folder than \"takes\"");
    if (config->mirror && config->takes &&
        (strcmp(config->mirror, config->takes) == 0 ||
            (config->spare && strcmp(config->mirror, config->spare) == 0)))
        config_wrong_at(top->reader, "mirror", "another folder than \"takes\" and \"spare\"");
}

/* The encodings that a container can hold. */
static void list_encodings(enum stem_container container, char *text, size_t size)
{
    static const enum stem_encoding ALL[] = {
        STEM_PCM16, STEM_PCM24, STEM_PCM32, STEM_FLOAT, STEM_DOUBLE};
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = 0; k < sizeof ALL / sizeof *ALL; k++)
        if (stem_format_valid(container, ALL[k], 1) && used < size)
            used += (size_t)snprintf(
                text + used, size - used, "%s%s", used ? ", " : "", stem_encoding_name(ALL[k]));
}

static void read_format(struct group *top, struct stem_config *config)
{
    char expected[192], names[96];
    const char *container = group_string(top, "format"), *encoding = group_string(top, "encoding");
    bool right = true;
    if (container && !stem_container_parse(container, &config->container)) {
        snprintf(expected, sizeof expected, "one of %s", stem_container_names());
        config_wrong_at(top->reader, "format", expected);
        right = false;
    }
    if (encoding && !stem_encoding_parse(encoding, &config->encoding)) {
        snprintf(expected, sizeof expected, "one of %s", stem_encoding_names());
        config_wrong_at(top->reader, "encoding", expected);
        right = false;
    }
    if (!right || stem_format_valid(config->container, config->encoding, 1))
        return;
    list_encodings(config->container, names, sizeof names);
    config_error_at(top->reader, encoding ? "encoding" : "format",
        "expected one of %s with the format %s, found %s", names,
        stem_container_name(config->container), stem_encoding_name(config->encoding));
}

/* Numbers */

static void read_pan_law(struct group *top, struct stem_config *config)
{
    static const struct {
        double db;
        enum stem_pan_law law;
    } LAWS[] = {{0, STEM_PAN_0DB}, {-3, STEM_PAN_3DB}, {-4.5, STEM_PAN_45DB}, {-6, STEM_PAN_6DB}};
    double db = 0;
    if (!group_number(top, "pan_law", -6, 0, " (dB in the centre)", &db))
        return;
    for (size_t k = 0; k < sizeof LAWS / sizeof *LAWS; k++)
        if (LAWS[k].db == db) {
            config->pan_law = LAWS[k].law;
            return;
        }
    config_wrong_at(top->reader, "pan_law", "0, -3, -4.5 or -6 (dB in the centre)");
}

static void read_numbers(struct group *top, struct stem_config *config)
{
    group_number(top, "tape", 1, 3600, " (seconds)", &config->tape_seconds);
    bool given = group_number(top, "preroll", 0, 3600, " (seconds)", &config->preroll_seconds);
    group_number(top, "sync", 0, 3600, " (seconds)", &config->sync_seconds);
    group_number(top, "headroom", -120, 0, " (dB)", &config->headroom_db);
    group_number(top, "server_wait", 0, 86400, " (seconds)", &config->server_wait_seconds);
    group_number(top, "disk_warning", 0, 86400, " (seconds)", &config->disk_warning_seconds);
    read_pan_law(top, config);
    if (given && config->preroll_seconds >= config->tape_seconds) {
        char expected[96];
        snprintf(expected, sizeof expected, "less than the %.15g seconds of the tape",
            config->tape_seconds);
        config_wrong_at(top->reader, "preroll", expected);
    }
}

/* Text that ends up in a command line or is compared: nothing that could hide in it. */
static char *read_text(struct group *top, const char *name)
{
    const char *value = group_string(top, name);
    if (!value || !*value)
        return NULL;
    if (!config_text_clean(value)) {
        config_wrong_at(top->reader, name, "text in UTF-8 without control characters");
        return NULL;
    }
    return config_reader_copy(top->reader, value);
}

static void read_end(struct group *top, struct stem_config *config)
{
    group_flag(top, "recover", &config->recover);
    group_flag(top, "finish", &config->finish);
    replace(&config->hook, read_text(top, "hook"));
    replace(&config->stop_lock, read_text(top, "stop_lock"));
}

static void read_levels(struct group *top, struct stem_config *config)
{
    struct group group;
    if (group_inner(top, "threshold", &group)) {
        group_number(&group, "level", -120, 0, " (dBFS)", &config->threshold.level_dbfs);
        group_number(&group, "hold", 0.1, 3600, " (seconds)", &config->threshold.hold_seconds);
        group_check_unknown(&group);
    }
    if (group_inner(top, "tail", &group)) {
        group_number(&group, "level", -140, 0, " (dBFS)", &config->tail.level_dbfs);
        group_number(&group, "most", 0, 60, " (seconds)", &config->tail.most_seconds);
        group_check_unknown(&group);
    }
}

/* OSC */

static void free_strings(char **strings, size_t count)
{
    for (size_t k = 0; k < count; k++)
        free(strings[k]);
    free(strings);
}

/* Copies strings over what is there. */
static void set_strings(struct config_reader *reader, char ***strings, size_t *count,
    const config_setting_t *from, size_t from_count)
{
    free_strings(*strings, *count);
    *count = 0;
    *strings = config_reader_array(reader, from_count, sizeof **strings);
    for (size_t k = 0; *strings && k < from_count; k++) {
        const config_setting_t *setting = config_string_element(from, k);
        (*strings)[k] = config_reader_copy(reader, config_setting_get_string(setting));
        *count += (*strings)[k] != NULL;
    }
}

/* The family of a socket address in the text, or AF_UNSPEC after reporting what is wrong. */
static int check_url(struct config_reader *reader, const config_setting_t *setting)
{
    struct stem_osc_address address;
    struct stem_error error;
    const char *url = config_setting_get_string(setting);
    if (config_text_clean(url) && stem_osc_address_parse(url, &address, &error) == 0)
        return address.address.ss_family;
    config_wrong(
        reader, setting, "\"udp://ADDRESS:PORT\" with a numeric address, or \"unix:///PATH\"");
    return AF_UNSPEC;
}

static void read_listen(struct group *osc, struct stem_config *config)
{
    size_t count;
    const config_setting_t *setting = group_strings(osc, "listen", &count);
    if (!setting)
        return;
    if (count == 0)
        config_wrong(osc->reader, setting, "at least one address to listen at");
    for (size_t k = 0; k < count; k++)
        check_url(osc->reader, config_string_element(setting, k));
    set_strings(osc->reader, &config->osc_listen, &config->osc_listen_count, setting, count);
}

static void read_allow(struct group *osc, struct stem_config *config)
{
    size_t count;
    const config_setting_t *setting = group_strings(osc, "allow", &count);
    if (!setting)
        return;
    for (size_t k = 0; k < count; k++) {
        const config_setting_t *block = config_string_element(setting, k);
        if (!stem_osc_block_valid(config_setting_get_string(block)))
            config_wrong(osc->reader, block,
                "an address or a block of them such as \"127.0.0.0/8\" or \"::1/128\"");
    }
    set_strings(osc->reader, &config->osc_allow, &config->osc_allow_count, setting, count);
}

/* Whether a listening socket can send to addresses of that family. */
static bool can_reach(const struct stem_config *config, int family)
{
    struct stem_osc_address address;
    bool any_wrong = false;
    for (size_t k = 0; k < config->osc_listen_count; k++) {
        if (stem_osc_address_parse(config->osc_listen[k], &address, NULL))
            any_wrong = true; /* reported already; it may be the one */
        else if (address.address.ss_family == family)
            return true;
    }
    return any_wrong;
}

/* Notifications are sent from the sockets that listen. */
static void read_notify(struct group *osc, struct stem_config *config)
{
    size_t count;
    const config_setting_t *setting = group_strings(osc, "notify", &count);
    if (!setting)
        return;
    for (size_t k = 0; k < count; k++) {
        const config_setting_t *url = config_string_element(setting, k);
        int family = check_url(osc->reader, url);
        if (family != AF_UNSPEC && !can_reach(config, family))
            config_wrong(osc->reader, url,
                "an address of the same kind (IPv4, IPv6 or unix) as one in \"listen\"");
    }
    set_strings(osc->reader, &config->osc_notify, &config->osc_notify_count, setting, count);
}

static void read_osc(struct group *top, struct stem_config *config)
{
    struct group osc;
    if (!group_inner(top, "osc", &osc))
        return;
    read_listen(&osc, config);
    read_allow(&osc, config);
    read_notify(&osc, config);
    group_check_unknown(&osc);
}

/* The whole */

static void add_string(
    struct config_reader *reader, char **strings, size_t *count, const char *value)
{
    if (strings && (strings[*count] = config_reader_copy(reader, value)))
        ++*count;
}

static void set_defaults(struct config_reader *reader, struct stem_config *config)
{
    config->path = config_reader_copy(reader, reader->path);
    config->client = config_reader_copy(reader, "stemd");
    config->server = config_reader_copy(reader, "default");
    config->takes = config_reader_copy(reader, "/srv/takes");
    config_default_names(reader, config);
    config->container = STEM_WAV;
    config->encoding = STEM_PCM24;
    config->tape_seconds = 20;
    config->sync_seconds = 5;
    config->headroom_db = -3;
    config->server_wait_seconds = 60;
    config->disk_warning_seconds = 600;
    config->recover = config->finish = true;
    config->stop_lock = config_reader_copy(reader, "off");
    config->threshold = (struct stem_config_threshold){.level_dbfs = -50, .hold_seconds = 10};
    config->tail = (struct stem_config_tail){.level_dbfs = -60};
    config->pan_law = STEM_PAN_0DB;
    config->osc_listen = config_reader_array(reader, 1, sizeof *config->osc_listen);
    add_string(reader, config->osc_listen, &config->osc_listen_count, STEM_OSC_DEFAULT_URL);
    config->osc_allow = config_reader_array(reader, 2, sizeof *config->osc_allow);
    add_string(reader, config->osc_allow, &config->osc_allow_count, "127.0.0.0/8");
    add_string(reader, config->osc_allow, &config->osc_allow_count, "::1/128");
    config->osc_notify = config_reader_array(reader, 0, sizeof *config->osc_notify);
}

static void read_all(struct config_reader *reader, struct stem_config *config)
{
    struct group top = {.reader = reader, .setting = config_root_setting(&reader->file)};
    set_defaults(reader, config);
    read_jack_names(&top, config);
    read_folders(&top, config);
    config_read_names(&top, config);
    read_format(&top, config);
    group_flag(&top, "multitrack", &config->multitrack);
    read_numbers(&top, config);
    read_levels(&top, config);
    read_end(&top, config);
    read_osc(&top, config);
    config_read_returns(&top, config);
    config_read_stems(&top, config);
    config_read_mix(&top, config);
    group_check_unknown(&top);
    config_check_rules(reader, config);
    if (reader->no_memory)
        config_message(reader->errors, reader->path, 0, "no memory for the configuration");
}

struct stem_config *stem_config_load(
    const char *path, struct stem_config_messages *errors, struct stem_config_messages *warnings)
{
    struct config_reader reader;
    size_t errors_before = errors->count;
    struct stem_config *config = calloc(1, sizeof *config);
    if (!config)
        config_message(errors, path, 0, "no memory for the configuration");
    bool opened = config_reader_open(&reader, path, errors, warnings);
    if (config && opened)
        read_all(&reader, config);
    config_reader_close(&reader);
    if (config && opened && errors->count == errors_before && !reader.no_memory)
        return config;
    stem_config_destroy(config);
    return NULL;
}
