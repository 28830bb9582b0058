#include "config_reader.h"

#include "naming.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_message(
    struct stem_config_messages *messages, const char *file, unsigned line, const char *format, ...)
{
    char text[STEM_ERROR_BYTES], *message;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int length = line ? asprintf(&message, "%s:%u: %s", file, line, text)
                      : asprintf(&message, "%s: %s", file, text);
    char **texts = realloc(messages->texts, (messages->count + 1) * sizeof *texts);
    if (texts)
        messages->texts = texts;
    if (length < 0 || !texts) {
        fprintf(stderr, "%s\n", text); /* no memory even for the message: it is still seen */
        return;
    }
    messages->texts[messages->count++] = message;
}

void stem_config_messages_finish(struct stem_config_messages *messages)
{
    for (size_t k = 0; k < messages->count; k++)
        free(messages->texts[k]);
    free(messages->texts);
    *messages = (struct stem_config_messages){0};
}

unsigned setting_line(const config_setting_t *setting)
{
    return config_setting_source_line(setting);
}

const char *setting_file(const struct group *group, const config_setting_t *setting)
{
    const char *file = config_setting_source_file(setting);
    return file ? file : group->path;
}

/* What stands there, in the words of the file. */
static void describe(const config_setting_t *setting, char *text, size_t size)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        snprintf(text, size, "%lld", config_setting_get_int64(setting));
        break;
    case CONFIG_TYPE_FLOAT:
        snprintf(text, size, "%g", config_setting_get_float(setting));
        break;
    case CONFIG_TYPE_STRING:
        snprintf(text, size, "\"%.200s\"", config_setting_get_string(setting));
        break;
    case CONFIG_TYPE_BOOL:
        snprintf(text, size, "%s", config_setting_get_bool(setting) ? "true" : "false");
        break;
    case CONFIG_TYPE_GROUP:
        snprintf(text, size, "a group { … }");
        break;
    default:
        snprintf(text, size, "a list");
    }
}

void group_wrong(
    struct group *group, const char *name, const config_setting_t *setting, const char *expected)
{
    char found[256];
    describe(setting, found, sizeof found);
    config_message(group->errors, setting_file(group, setting), setting_line(setting),
        "%s%s%s: expected %s, found %s", group->place, group->place[0] ? "." : "", name, expected,
        found);
}

struct group group_enter(
    const struct group *outer, const config_setting_t *setting, const char *place_format, ...)
{
    struct group group = {.setting = setting, .path = outer->path, .errors = outer->errors};
    char place[64];
    va_list arguments;
    va_start(arguments, place_format);
    vsnprintf(place, sizeof place, place_format, arguments);
    va_end(arguments);
    snprintf(group.place, sizeof group.place, "%.120s%s%s", outer->place,
        outer->place[0] ? "." : "", place);
    return group;
}

const config_setting_t *group_find(struct group *group, const char *name)
{
    if (group->known_count < sizeof group->known / sizeof *group->known)
        group->known[group->known_count++] = name;
    return config_setting_get_member(group->setting, name);
}

static bool number_of(const config_setting_t *setting, double *value)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        *value = (double)config_setting_get_int64(setting);
        return true;
    case CONFIG_TYPE_FLOAT:
        *value = config_setting_get_float(setting);
        return true;
    default:
        return false;
    }
}

double group_number(
    struct group *group, const char *name, double least, double most, double otherwise)
{
    const config_setting_t *setting = group_find(group, name);
    double value;
    if (!setting)
        return otherwise;
    if (number_of(setting, &value) && value >= least && value <= most)
        return value;
    char expected[96];
    snprintf(expected, sizeof expected, "a number from %g to %g", least, most);
    group_wrong(group, name, setting, expected);
    return otherwise;
}

int group_whole(struct group *group, const char *name, int least, int most, int otherwise)
{
    const config_setting_t *setting = group_find(group, name);
    if (!setting)
        return otherwise;
    long long value = config_setting_get_int64(setting);
    if (config_setting_type(setting) == CONFIG_TYPE_INT && value >= least && value <= most)
        return (int)value;
    char expected[96];
    snprintf(expected, sizeof expected, "a whole number from %d to %d", least, most);
    group_wrong(group, name, setting, expected);
    return otherwise;
}

bool group_bool(struct group *group, const char *name, bool otherwise)
{
    const config_setting_t *setting = group_find(group, name);
    if (!setting)
        return otherwise;
    if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
        return config_setting_get_bool(setting);
    group_wrong(group, name, setting, "true or false");
    return otherwise;
}

char *group_string(struct group *group, const char *name)
{
    const config_setting_t *setting = group_find(group, name);
    if (!setting)
        return NULL;
    const char *value = config_setting_get_string(setting);
    if (value)
        return strdup(value);
    group_wrong(group, name, setting, "a string");
    return NULL;
}

static bool is_sequence(const config_setting_t *setting)
{
    return config_setting_is_list(setting) || config_setting_is_array(setting);
}

const config_setting_t *group_list(struct group *group, const char *name, size_t *count)
{
    const config_setting_t *setting = group_find(group, name);
    *count = 0;
    if (!setting)
        return NULL;
    if (!is_sequence(setting)) {
        group_wrong(group, name, setting, "a list of groups: ( { … }, { … } )");
        return NULL;
    }
    for (int k = 0; k < config_setting_length(setting); k++)
        if (!config_setting_is_group(config_setting_get_elem(setting, (unsigned)k))) {
            group_wrong(group, name, config_setting_get_elem(setting, (unsigned)k),
                "a group { … } for each element");
            return NULL;
        }
    *count = (size_t)config_setting_length(setting);
    return setting;
}

char **group_strings(struct group *group, const char *name, size_t *count)
{
    const config_setting_t *setting = group_find(group, name);
    *count = 0;
    if (!setting)
        return NULL;
    bool single = config_setting_get_string(setting) != NULL;
    size_t length = single ? 1 : (size_t)config_setting_length(setting);
    bool right = single || is_sequence(setting);
    for (size_t k = 0; right && !single && k < length; k++)
        right = config_setting_get_string_elem(setting, (int)k) != NULL;
    if (!right) {
        group_wrong(group, name, setting, "a string or a list of strings");
        return NULL;
    }
    char **strings = calloc(length + 1, sizeof *strings);
    for (size_t k = 0; strings && k < length; k++) {
        const char *value = single ? config_setting_get_string(setting)
                                   : config_setting_get_string_elem(setting, (int)k);
        strings[*count] = strdup(value);
        if (strings[*count])
            ++*count;
    }
    return strings;
}

void group_check_unknown(struct group *group)
{
    for (int k = 0; k < config_setting_length(group->setting); k++) {
        const config_setting_t *setting = config_setting_get_elem(group->setting, (unsigned)k);
        const char *name = config_setting_name(setting);
        bool known = false;
        for (size_t n = 0; n < group->known_count; n++)
            known = known || strcmp(group->known[n], name) == 0;
        if (known)
            continue;
        const char *likely = stem_naming_suggest(name, group->known, group->known_count);
        config_message(group->errors, setting_file(group, setting), setting_line(setting),
            "%s%sunknown setting \"%s\"%s%s%s", group->place, group->place[0] ? ": " : "", name,
            likely ? "; did you mean \"" : "", likely ? likely : "", likely ? "\"?" : "");
    }
}
