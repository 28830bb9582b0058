/* Reading values of each type out of a group. See config_reader.h. */
#include "config_reader.h"
#include "config_text.h"

#include <stdio.h>
#include <string.h>

struct group group_enter(const struct group *outer, const config_setting_t *setting)
{
    return (struct group){.reader = outer->reader, .setting = setting};
}

const config_setting_t *group_find(struct group *group, const char *name)
{
    if (group->known_count < CONFIG_MOST_KNOWN)
        group->known[group->known_count++] = name;
    return config_setting_get_member(group->setting, name);
}

static bool is_whole(const config_setting_t *setting)
{
    int type = config_setting_type(setting);
    return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

bool group_number(struct group *group, const char *name, double least, double most,
    const char *unit, double *value)
{
    const config_setting_t *setting = group_find(group, name);
    if (!setting)
        return false;
    if (is_whole(setting) || config_setting_type(setting) == CONFIG_TYPE_FLOAT) {
        double found = is_whole(setting) ? (double)config_setting_get_int64(setting)
                                         : config_setting_get_float(setting);
        if (found >= least && found <= most) { /* false for what is not a number */
            *value = found;
            return true;
        }
    }
    char expected[128];
    snprintf(expected, sizeof expected, "a number from %.15g to %.15g%s", least, most, unit);
    config_wrong(group->reader, setting, expected);
    return false;
}

bool group_whole(
    struct group *group, const char *name, uint32_t least, uint32_t most, uint32_t *value)
{
    const config_setting_t *setting = group_find(group, name);
    if (!setting)
        return false;
    long long found = is_whole(setting) ? config_setting_get_int64(setting) : -1;
    if (found >= (long long)least && found <= (long long)most) {
        *value = (uint32_t)found;
        return true;
    }
    char expected[128];
    snprintf(expected, sizeof expected, "a whole number from %u to %u", least, most);
    config_wrong(group->reader, setting, expected);
    return false;
}

bool group_flag(struct group *group, const char *name, bool *value)
{
    const config_setting_t *setting = group_find(group, name);
    if (!setting)
        return false;
    if (config_setting_type(setting) == CONFIG_TYPE_BOOL) {
        *value = config_setting_get_bool(setting);
        return true;
    }
    config_wrong(group->reader, setting, "true or false");
    return false;
}

const char *group_string(struct group *group, const char *name)
{
    const config_setting_t *setting = group_find(group, name);
    if (!setting)
        return NULL;
    const char *value = config_setting_get_string(setting);
    if (!value)
        config_wrong(group->reader, setting, "a string");
    return value;
}

/* ':' separates client and port in JACK, '/' stem and input in our port names. */
char *group_name(struct group *group, const char *name, size_t most_bytes)
{
    const char *value = group_string(group, name);
    if (!value)
        return NULL;
    if (value[0] && strlen(value) <= most_bytes && config_text_clean(value) &&
        !strpbrk(value, ":/"))
        return config_reader_copy(group->reader, value);
    char expected[128];
    snprintf(expected, sizeof expected,
        "a name of 1 to %zu bytes of UTF-8 without ':', '/' and control characters", most_bytes);
    config_wrong(group->reader, config_setting_get_member(group->setting, name), expected);
    return NULL;
}

bool group_inner(struct group *group, const char *name, struct group *inner)
{
    const config_setting_t *setting = group_find(group, name);
    if (!setting)
        return false;
    *inner = group_enter(group, setting);
    if (config_setting_is_group(setting))
        return true;
    config_wrong(group->reader, setting, "a group: { … }");
    return false;
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
        config_wrong(group->reader, setting, "a list of groups: ( { … }, { … } )");
        return NULL;
    }
    *count = (size_t)config_setting_length(setting);
    return setting;
}

bool group_element(
    const struct group *group, const config_setting_t *list, size_t k, struct group *element)
{
    const config_setting_t *setting = config_setting_get_elem(list, (unsigned)k);
    *element = group_enter(group, setting);
    if (config_setting_is_group(setting))
        return true;
    config_wrong(group->reader, setting, "a group: { … }");
    return false;
}

const config_setting_t *group_strings(struct group *group, const char *name, size_t *count)
{
    const config_setting_t *setting = group_find(group, name);
    *count = 0;
    if (!setting)
        return NULL;
    bool single = config_setting_type(setting) == CONFIG_TYPE_STRING, right = true;
    if (!single && !is_sequence(setting)) {
        config_wrong(group->reader, setting, "a string or a list of strings");
        return NULL;
    }
    size_t length = single ? 1 : (size_t)config_setting_length(setting);
    for (size_t k = 0; k < length; k++) {
        const config_setting_t *element = config_string_element(setting, k);
        if (config_setting_type(element) == CONFIG_TYPE_STRING)
            continue;
        config_wrong(group->reader, element, "a string");
        right = false;
    }
    *count = right ? length : 0;
    return right ? setting : NULL;
}

const config_setting_t *config_string_element(const config_setting_t *strings, size_t k)
{
    return is_sequence(strings) ? config_setting_get_elem(strings, (unsigned)k) : strings;
}
