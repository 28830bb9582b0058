/* How stemctl answers: a sentence, a block or a table for people, one JSON object for programs. */
#ifndef STEMCTL_OUTPUT_H
#define STEMCTL_OUTPUT_H

#include "osc_client.h"
#include "table.h"

#include <jansson.h>
#include <stdbool.h>

/* What standard output can show. */
struct stemctl_output {
    bool json;
    bool terminal; /* somebody watches: decoration is welcome; else scripts read bare values */
    bool colours;  /* a terminal, and neither NO_COLOR nor TERM=dumb forbids them */
    bool blocks;   /* a terminal that shows Unicode */
};

/* Looks at standard output and the environment. Once, after setlocale. */
void stemctl_output_look(struct stemctl_output *output);

/* Tells of a failure: a sentence on standard error, or an object with --json. Returns `code`. */
enum stemctl_exit stemctl_fail(
    const struct stemctl_output *output, enum stemctl_exit code, const char *text);

/* Writes out what was printed. A full disk or a closed pipe is a failure. */
enum stemctl_exit stemctl_output_finish(enum stemctl_exit code);

/* Prints an object and frees it. */
void stemctl_print_json(json_t *object);

/* A JSON string of any bytes: what is not UTF-8 is replaced. */
json_t *stemctl_json_text(const char *text);

/* A JSON number; null for what JSON has no number for. */
json_t *stemctl_json_real(double number);

/* Prints text safely, in a style. */
void stemctl_print(const struct stemctl_output *output, enum stemctl_style style, const char *text);

/* A line "label   text" of a block. */
void stemctl_print_line(const struct stemctl_output *output, const char *label,
    enum stemctl_style style, const char *text);

/* A value on a line of its own: bare, so that scripts can use it, or on a terminal behind a label.
 */
void stemctl_print_value(const struct stemctl_output *output, enum stemctl_style style,
    const char *label, const char *value);

#endif
