#include "config_reader.h"

#include "config_source.h"
#include "config_text.h"
#include "naming.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Messages */

static void add_message(struct stem_config_messages *messages, char *message)
{
    char **texts = message ? realloc(messages->texts, (messages->count + 1) * sizeof *texts) : NULL;
    if (!texts) { /* no memory even for the message: it is still seen */
        fprintf(stderr, "%s\n", message ? message : "no memory");
        free(message);
        return;
    }
    messages->texts = texts;
    messages->texts[messages->count++] = message;
}

/* "FILE:LINE: PLACE: text"; line 0 and an empty place are left out. */
static void add_text(struct stem_config_messages *messages, const char *file, unsigned line,
    const char *place, const char *format, va_list arguments)
{
    char text[STEM_ERROR_BYTES], number[16] = "", *message;
    vsnprintf(text, sizeof text, format, arguments);
    if (line)
        snprintf(number, sizeof number, ":%u", line);
    int length =
        asprintf(&message, "%s%s: %s%s%s", file, number, place, place[0] ? ": " : "", text);
    add_message(messages, length < 0 ? NULL : message);
}

void config_message(
    struct stem_config_messages *messages, const char *file, unsigned line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_text(messages, file, line, "", format, arguments);
    va_end(arguments);
}

void stem_config_messages_finish(struct stem_config_messages *messages)
{
    for (size_t k = 0; k < messages->count; k++)
        free(messages->texts[k]);
    free(messages->texts);
    *messages = (struct stem_config_messages){0};
}

/* Opening */

/* libconfig says no more than "syntax error", at the first token that it could not place. */
static void report_syntax(struct config_reader *reader)
{
    const char *file = config_error_file(&reader->file);
    bool included = file && strcmp(file, reader->path) != 0;
    char *path = included ? config_source_path(reader->folder, file) : NULL;
    const char *text = config_error_text(&reader->file);
    bool vague = strcmp(text, "syntax error") == 0;
    config_message(reader->errors, path ? path : reader->path,
        (unsigned)config_error_line(&reader->file), "%s%s", text,
        vague ? " here, or just before" : "");
    free(path);
}

bool config_reader_open(struct config_reader *reader, const char *path,
    struct stem_config_messages *errors, struct stem_config_messages *warnings)
{
    *reader = (struct config_reader){.path = path, .errors = errors, .warnings = warnings};
    config_init(&reader->file);
    const char *slash = strrchr(path, '/');
    if (slash) /* included files are looked for beside the file, wherever we are */
        reader->folder = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    if (slash && !reader->folder) {
        config_message(errors, path, 0, "no memory");
        return false;
    }
    if (!config_source_check(path, reader->folder, errors))
        return false;
    if (reader->folder)
        config_set_include_dir(&reader->file, reader->folder);
    if (config_read_file(&reader->file, path))
        return true;
    report_syntax(reader);
    return false;
}

void config_reader_close(struct config_reader *reader)
{
    config_destroy(&reader->file);
    free(reader->folder);
}

char *config_reader_copy(struct config_reader *reader, const char *text)
{
    char *copy = strdup(text);
    reader->no_memory = reader->no_memory || !copy;
    return copy;
}

void *config_reader_array(struct config_reader *reader, size_t count, size_t bytes)
{
    void *array = calloc(count ? count : 1, bytes);
    reader->no_memory = reader->no_memory || !array;
    return array;
}

/* Where a setting stands */

/* Appends what leads from the parent to the setting; returns the length so far. */
static size_t write_place(const config_setting_t *setting, char *place, size_t size)
{
    if (config_setting_is_root(setting)) {
        place[0] = '\0';
        return 0;
    }
    size_t used = write_place(config_setting_parent(setting), place, size);
    const char *name = config_setting_name(setting);
    int more = name ? snprintf(place + used, size - used, "%s%s", used ? "." : "", name)
                    : snprintf(place + used, size - used, "[%d]", config_setting_index(setting));
    size_t length = used + (more < 0 ? 0 : (size_t)more);
    return length < size ? length : size - 1;
}

/* The file a setting stands in; the caller frees it. NULL: the main file, or no memory. */
static char *included_file(const struct config_reader *reader, const config_setting_t *setting)
{
    const char *file = config_setting_source_file(setting);
    if (!file || strcmp(file, reader->path) == 0)
        return NULL;
    return config_source_path(reader->folder, file);
}

static bool is_string_element(const config_setting_t *setting)
{
    return !config_setting_name(setting) && config_setting_type(setting) == CONFIG_TYPE_STRING;
}

unsigned config_line(const struct config_reader *reader, const config_setting_t *setting)
{
    unsigned line = config_setting_source_line(setting);
    if (config_setting_is_root(setting))
        return 1;
    if (!is_string_element(setting))
        return line;
    char *file = included_file(reader, setting);
    unsigned first = config_setting_source_line(config_setting_parent(setting));
    line = config_source_string_line(file ? file : reader->path, first, line);
    free(file);
    return line;
}

/* The setting at a place such as "stems[2].inputs[0].pan", or the innermost one around it. */
static const config_setting_t *lookup(const struct config_reader *reader, const char *place)
{
    char path[2 * CONFIG_PLACE_BYTES];
    size_t length = 0;
    for (; *place && length < sizeof path - 2; place++) { /* libconfig wants "stems.[2]" */
        if (*place == '[')
            path[length++] = '.';
        path[length++] = *place;
    }
    path[length] = '\0';
    while (path[0]) {
        const config_setting_t *setting = config_lookup(&reader->file, path);
        if (setting)
            return setting;
        char *dot = strrchr(path, '.');
        *(dot ? dot : path) = '\0';
    }
    return config_root_setting(&reader->file);
}

static void report(struct config_reader *reader, struct stem_config_messages *messages,
    const config_setting_t *setting, const char *place, const char *format, va_list arguments)
{
    char *file = included_file(reader, setting);
    add_text(messages, file ? file : reader->path, config_line(reader, setting), place, format,
        arguments);
    free(file);
}

void config_error(
    struct config_reader *reader, const config_setting_t *setting, const char *format, ...)
{
    char place[CONFIG_PLACE_BYTES];
    va_list arguments;
    write_place(setting, place, sizeof place);
    va_start(arguments, format);
    report(reader, reader->errors, setting, place, format, arguments);
    va_end(arguments);
}

void config_warning(
    struct config_reader *reader, const config_setting_t *setting, const char *format, ...)
{
    char place[CONFIG_PLACE_BYTES];
    va_list arguments;
    write_place(setting, place, sizeof place);
    va_start(arguments, format);
    report(reader, reader->warnings, setting, place, format, arguments);
    va_end(arguments);
}

void config_error_at(struct config_reader *reader, const char *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(reader, reader->errors, lookup(reader, place), place, format, arguments);
    va_end(arguments);
}

void config_warning_at(struct config_reader *reader, const char *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(reader, reader->warnings, lookup(reader, place), place, format, arguments);
    va_end(arguments);
}

void config_reader_where(
    const struct config_reader *reader, const char *place, char *where, size_t size)
{
    const config_setting_t *setting = lookup(reader, place);
    char *file = included_file(reader, setting);
    snprintf(where, size, "%s:%u", file ? file : reader->path, config_line(reader, setting));
    free(file);
}

/* What was found */

/* Quotes text for a message: one line, bounded, with bytes that are no text as \xHH. */
static void quote(const char *value, char *text, size_t size)
{
    bool clean = config_text_clean(value);
    size_t used = (size_t)snprintf(text, size, "the string \"");
    for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
        bool is_inside = clean && (*c & 0xC0) == 0x80;
        if (used + 16 >= size && !is_inside) /* full; a character is not cut in two */
            break;
        bool plain = clean || (*c >= 0x20 && *c < 0x7F);
        used += (size_t)snprintf(text + used, size - used, plain ? "%c" : "\\x%02x", *c);
    }
    snprintf(text + used, size - used, "\"");
}

static void describe(const config_setting_t *setting, char *text, size_t size)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        snprintf(text, size, "%lld", config_setting_get_int64(setting));
        break;
    case CONFIG_TYPE_FLOAT:
        snprintf(text, size, "%.15g", config_setting_get_float(setting));
        break;
    case CONFIG_TYPE_STRING:
        quote(config_setting_get_string(setting), text, size);
        break;
    case CONFIG_TYPE_BOOL:
        snprintf(text, size, "%s", config_setting_get_bool(setting) ? "true" : "false");
        break;
    case CONFIG_TYPE_GROUP:
        snprintf(text, size, "a group");
        break;
    case CONFIG_TYPE_ARRAY:
        snprintf(text, size, "%s", config_setting_length(setting) ? "an array" : "an empty array");
        break;
    default:
        snprintf(text, size, "%s", config_setting_length(setting) ? "a list" : "an empty list");
    }
}

void config_wrong(
    struct config_reader *reader, const config_setting_t *setting, const char *expected)
{
    char found[400];
    describe(setting, found, sizeof found);
    config_error(reader, setting, "expected %s, found %s", expected, found);
}

void config_wrong_at(struct config_reader *reader, const char *place, const char *expected)
{
    config_wrong(reader, lookup(reader, place), expected);
}

void group_check_unknown(struct group *group)
{
    for (int k = 0; k < config_setting_length(group->setting); k++) {
        const config_setting_t *setting = config_setting_get_elem(group->setting, (unsigned)k);
        const char *name = config_setting_name(setting);
        char place[CONFIG_PLACE_BYTES];
        bool known = false;
        for (size_t n = 0; n < group->known_count; n++)
            known = known || strcmp(group->known[n], name) == 0;
        if (known)
            continue;
        const char *likely = stem_naming_suggest(name, group->known, group->known_count);
        char *file = included_file(group->reader, setting);
        write_place(group->setting, place, sizeof place);
        config_message(group->reader->errors, file ? file : group->reader->path,
            config_line(group->reader, setting), "%s%sunknown setting \"%s\"%s%s%s", place,
            place[0] ? ": " : "", name, likely ? "; did you mean \"" : "", likely ? likely : "",
            likely ? "\"?" : "");
        free(file);
    }
}
