/* Reading and checking the templates of folder and file names. Private to config*.c. */
#ifndef STEMD_CONFIG_NAMES_H
#define STEMD_CONFIG_NAMES_H

#include "config_reader.h"

void config_default_names(struct config_reader *reader, struct stem_config *config);

/* The preset, and the templates over it. */
void config_read_names(struct group *top, struct stem_config *config);

/* Whether all files of a take get names of their own that fit. Of a configuration that is right
 * otherwise. */
void config_check_names(struct config_reader *reader, const struct stem_config *config);

#endif
