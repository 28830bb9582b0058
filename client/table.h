/* Aligned tables on a terminal. Cells are text of any origin: they are measured in columns, not
 * bytes, and shown with stemctl_text_write.
 */
#ifndef STEMCTL_TABLE_H
#define STEMCTL_TABLE_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum stemctl_style {
    STEMCTL_PLAIN,
    STEMCTL_STRONG, /* what to look at first */
    STEMCTL_FAINT,  /* labels and heads */
    STEMCTL_GOOD,
    STEMCTL_WARNING,
    STEMCTL_BAD,
};

/* The escape sequence that begins a style, STEMCTL_PLAIN's ends every other; "" without colours. */
const char *stemctl_style_begin(enum stemctl_style style, bool colours);

struct stemctl_column {
    const char *title;
    bool right; /* numbers */
};

struct stemctl_table;

/* NULL without memory; then the other functions do nothing. `columns` is borrowed. */
struct stemctl_table *stemctl_table_create(const struct stemctl_column *columns, size_t count);
void stemctl_table_destroy(struct stemctl_table *table);

/* Fills the next cell; rows follow each other. */
void stemctl_table_add(struct stemctl_table *table, enum stemctl_style style, const char *format,
    ...) STEM_PRINTF(3, 4);

/* Prints the titles and all rows. No line ends in spaces. */
void stemctl_table_print(const struct stemctl_table *table, FILE *out, bool colours);

#endif
