/* Names of folders, files, ports and OSC addresses. Pure text, any thread. */
#ifndef STEM_NAMING_H
#define STEM_NAMING_H

#include <stddef.h>

enum { STEM_NAME_BYTES = 128 };

/* Makes a name safe for every file system and DAW: only [A-Za-z0-9._-]. Latin accents lose their
 * accent (é → e, ä → ae, ß → ss), anything else becomes one '-', runs of '-' are folded, leading
 * and trailing '-' and '.' are cut, the length is bounded by `size`. Invalid UTF-8 is treated byte
 * by byte as "anything else". May come out empty. */
void stem_naming_safe(const char *name, char *safe, size_t size);

/* Number of edits (insert, delete, replace, swap of neighbours) between two words, without regard
 * to case; used to suggest what a misspelt setting or stem was meant to be. */
unsigned stem_naming_distance(const char *a, const char *b);

/* The candidate nearest to `word`, or NULL when none is near enough to be a likely typo. */
const char *stem_naming_suggest(const char *word, const char *const *candidates, size_t count);

#endif
