/* OSC 1.0 address patterns. liblo's own matching tries every way to share an address among several
 * stars, which one packet can make to last for years; here the time is bounded by the product of
 * the two lengths.
 */
#ifndef STEM_OSC_PATTERN_H
#define STEM_OSC_PATTERN_H

#include <stdbool.h>

/* Longer addresses and patterns match nothing. */
enum { STEM_OSC_PATTERN_MOST = 512 };

/* Whether a pattern covers the whole address: "?" one character, "*" any number of them, "[a-z]"
 * and
 * "[!a-z]" one of a set, "{one,other}" one of some words; none of them a slash. A pattern with an
 * open bracket matches nothing. Any thread. */
bool stem_osc_pattern_match(const char *pattern, const char *address);

#endif
