/* What may stand in names and port names. Pure text; private to config*.c. */
#ifndef STEMD_CONFIG_TEXT_H
#define STEMD_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `text` is valid UTF-8 (RFC 3629) without control characters. */
bool config_text_clean(const char *text);

/* Whether `from` is a pattern: it begins with a slash. */
bool config_text_is_pattern(const char *from);

/* What is wrong with one entry of `from`: NULL, or what was expected instead, in `expected`. An
 * empty entry is right: that port is patched by hand. */
const char *config_text_check_source(const char *from, char *expected, size_t size);

#endif
