/* Rules that span several settings: unique names, widths that fit, shares that add up. Private to
 * config*.c. */
#ifndef STEMD_CONFIG_RULES_H
#define STEMD_CONFIG_RULES_H

#include "config_reader.h"

/* Checks a configuration as far as it could be read: a name that is NULL or a width of 0 stands for
 * a setting whose error is reported already. */
void config_check_rules(struct config_reader *reader, const struct stem_config *config);

#endif
