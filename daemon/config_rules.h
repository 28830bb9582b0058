/* Rules that span several settings: unique names, widths that fit, shares that add up. Private to
 * config*.c. */
#ifndef STEMD_CONFIG_RULES_H
#define STEMD_CONFIG_RULES_H

#include "config.h"

/* Checks a configuration whose single settings are right. */
void config_check_rules(const struct stem_config *config, struct stem_config_messages *errors,
    struct stem_config_messages *warnings);

#endif
