/* Checked access to libconfig's settings, and the messages about them. Private to config*.c.
 *
 * Each reader takes a setting by name from a group, checks type and range, reports what is wrong
 * and leaves the value as it was, so that all errors are found in one go. What a reader asked for
 * counts as known; what nobody asked for is reported as unknown, with a suggestion. The place of a
 * setting ("stems[2].inputs[0].gain") comes from libconfig's tree; rules that span several settings
 * name a place, and the tree is asked for the line.
 */
#ifndef STEMD_CONFIG_READER_H
#define STEMD_CONFIG_READER_H

#include "config.h"

#include <libconfig.h>

enum { CONFIG_PLACE_BYTES = 96, CONFIG_MOST_KNOWN = 48 };

/* A file that is being read. */
struct config_reader {
    config_t file;
    const char *path; /* as the caller named it */
    char *folder;     /* where included files are; NULL: the current folder */
    struct stem_config_messages *errors;
    struct stem_config_messages *warnings;
    bool no_memory; /* something could not be kept: the configuration is not whole */
};

/* A group that is being read. */
struct group {
    struct config_reader *reader;
    const config_setting_t *setting;
    const char *known[CONFIG_MOST_KNOWN]; /* names asked for so far */
    size_t known_count;
};

/* Adds "FILE:LINE: " (or "FILE: " with line 0) and the text to a list. */
void config_message(struct stem_config_messages *messages, const char *file, unsigned line,
    const char *format, ...) STEM_PRINTF(4, 5);

/* Opens, scans and parses. False when there were errors. Close it in any case. */
bool config_reader_open(struct config_reader *reader, const char *path,
    struct stem_config_messages *errors, struct stem_config_messages *warnings);
void config_reader_close(struct config_reader *reader);

/* Copies of text and zeroed arrays that remember when there was no memory. An array of nothing is
 * an array of one, so that NULL always means no memory. */
char *config_reader_copy(struct config_reader *reader, const char *text);
void *config_reader_array(struct config_reader *reader, size_t count, size_t bytes);

/* Reports an error or a warning about a setting: "FILE:LINE: PLACE: text". */
void config_error(struct config_reader *reader, const config_setting_t *setting, const char *format,
    ...) STEM_PRINTF(3, 4);
void config_warning(struct config_reader *reader, const config_setting_t *setting,
    const char *format, ...) STEM_PRINTF(3, 4);
/* "FILE:LINE: PLACE: expected …, found …". */
void config_wrong(
    struct config_reader *reader, const config_setting_t *setting, const char *expected);

/* The same about a place; the line is that of the setting there or of the nearest group around. */
void config_error_at(struct config_reader *reader, const char *place, const char *format, ...)
    STEM_PRINTF(3, 4);
void config_warning_at(struct config_reader *reader, const char *place, const char *format, ...)
    STEM_PRINTF(3, 4);
void config_wrong_at(struct config_reader *reader, const char *place, const char *expected);
/* "FILE:LINE" of a place, for messages about two settings. */
void config_reader_where(
    const struct config_reader *reader, const char *place, char *where, size_t size);

/* The line a setting stands in. */
unsigned config_line(const struct config_reader *reader, const config_setting_t *setting);

/* The inner group `setting`. */
struct group group_enter(const struct group *outer, const config_setting_t *setting);

/* The setting of that name, or NULL. */
const config_setting_t *group_find(struct group *group, const char *name);
/* Readers leave `value` alone and return false when the setting is missing (no error) or wrong.
 * `unit` is appended to the range in messages: " (dB)". */
bool group_number(struct group *group, const char *name, double least, double most,
    const char *unit, double *value);
bool group_whole(
    struct group *group, const char *name, uint32_t least, uint32_t most, uint32_t *value);
bool group_flag(struct group *group, const char *name, bool *value);
/* Borrowed from libconfig; NULL when missing or wrong. */
const char *group_string(struct group *group, const char *name);
/* A copy of a name that JACK, OSC and file names can live with; NULL when missing or wrong. */
char *group_name(struct group *group, const char *name, size_t most_bytes);
/* The group of that name; false when missing or wrong. */
bool group_inner(struct group *group, const char *name, struct group *inner);
/* A list of groups; *count is 0 when missing or wrong. */
const config_setting_t *group_list(struct group *group, const char *name, size_t *count);
/* Element k of such a list; an element of another type is reported, and false returned. */
bool group_element(
    const struct group *group, const config_setting_t *list, size_t k, struct group *element);
/* A string or a list of strings; *count is 0 when missing or wrong. Take them with
 * config_string_element, which never returns NULL then. */
const config_setting_t *group_strings(struct group *group, const char *name, size_t *count);
const config_setting_t *config_string_element(const config_setting_t *strings, size_t k);

/* Reports every setting that no reader asked for. Call it last. */
void group_check_unknown(struct group *group);

#endif
