/* Texts for people: what is safe to show on a terminal, how wide it is, and numbers in a form that
 * is read at a glance. No state but the locale's character set; any thread.
 */
#ifndef STEMCTL_TEXT_H
#define STEMCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Room for every number that is formatted here. */
enum { STEMCTL_NUMBER_BYTES = 64 };

/* Writes text as it is, but for what a terminal would obey instead of show: control characters,
 * changes of writing direction and bytes that are no characters become '?'. */
void stemctl_text_write(FILE *out, const char *text);

/* Columns that stemctl_text_write takes on a terminal. */
int stemctl_text_columns(const char *text);

/* "0:03:12.345": hours, minutes, seconds, milliseconds. "-" when it is no length. */
void stemctl_text_length(double seconds, char *text, size_t size);

/* "3 d 4 h", "12 h 34 min", "9 min", "45 s": cut, not rounded, since it says what is left. */
void stemctl_text_rough_length(double seconds, char *text, size_t size);

/* "123.4 GB", in powers of ten as disks are sold. */
void stemctl_text_bytes(double bytes, char *text, size_t size);

/* "no gaps", "1 gap", "2 gaps". */
void stemctl_text_count(double count, const char *thing, char *text, size_t size);

/* "[####------]" for 0 to 1, as wide as said with its brackets. `blocks`: drawn with Unicode blocks
 * instead. */
void stemctl_text_bar(double part, int columns, bool blocks, char *text, size_t size);

#endif
