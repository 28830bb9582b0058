/* A look at the text of the file before and after libconfig reads it. Private to config*.c. */
#ifndef STEMD_CONFIG_SOURCE_H
#define STEMD_CONFIG_SOURCE_H

#include "config.h"

#include <stdbool.h>

/* Checks that `path` and all that it includes can be read, and that its whole numbers fit. `folder`
 * is where included files are looked for; NULL: the current one. False when `errors` grew. */
bool config_source_check(const char *path, const char *folder, struct stem_config_messages *errors);

/* Where a string of an array that begins in line `first` stands, which libconfig places in line
 * `last`: the last line between them that can hold it. */
unsigned config_source_string_line(const char *path, unsigned first, unsigned last);

/* "FOLDER/NAME", or NAME when there is no folder; NULL without memory. The caller frees it. */
char *config_source_path(const char *folder, const char *name);

#endif
