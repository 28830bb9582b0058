/* Checked access to the settings of a libconfig group, and the list of messages about them.
 *
 * Each reader takes a setting by name, checks type and range, reports what is wrong and goes on
 * with the default, so that all errors are found in one go. What a reader asked for counts as
 * known; what nobody asked for is reported as unknown, with a suggestion. Private to config*.c.
 */
#ifndef STEMD_CONFIG_READER_H
#define STEMD_CONFIG_READER_H

#include "config.h"

#include <libconfig.h>

/* A group that is being read. */
struct group {
    const config_setting_t *setting;
    const char *path; /* of the main file */
    char place[192];  /* "stems[2].inputs[0]", "" for the top */
    struct stem_config_messages *errors;
    const char *known[24]; /* names asked for so far */
    size_t known_count;
};

/* Adds "FILE:LINE: " and the text to a list. */
void config_message(struct stem_config_messages *messages, const char *file, unsigned line,
    const char *format, ...) STEM_PRINTF(4, 5);

/* Reports a wrong value: "FILE:LINE: PLACE.NAME: expected …, found …". */
void group_wrong(
    struct group *group, const char *name, const config_setting_t *setting, const char *expected);

/* The inner group `setting`, which stands at `place`. */
struct group group_enter(const struct group *outer, const config_setting_t *setting,
    const char *place_format, ...) STEM_PRINTF(3, 4);

/* Readers; all return the default when the setting is missing or wrong. */
const config_setting_t *group_find(struct group *group, const char *name);
double group_number(
    struct group *group, const char *name, double least, double most, double otherwise);
int group_whole(struct group *group, const char *name, int least, int most, int otherwise);
bool group_bool(struct group *group, const char *name, bool otherwise);
/* A copy, or NULL when missing, wrong, or without memory. */
char *group_string(struct group *group, const char *name);
/* A list or array of groups; *count is 0 when missing or wrong. */
const config_setting_t *group_list(struct group *group, const char *name, size_t *count);
/* A list, array or single string of strings, each copied. NULL and 0 when missing or wrong. */
char **group_strings(struct group *group, const char *name, size_t *count);

/* Reports every setting that no reader asked for. Call it last. */
void group_check_unknown(struct group *group);

unsigned setting_line(const config_setting_t *setting);
const char *setting_file(const struct group *group, const config_setting_t *setting);

#endif
