/* What the daemon tells, shown to people. The JSON is what info.c collected: members that are
 * missing or of another type count as empty or 0.
 */
#ifndef STEMCTL_SHOW_H
#define STEMCTL_SHOW_H

#include "output.h"

#include <jansson.h>

/* A block of lines; `url` is where the daemon was asked. */
void stemctl_show_status(
    const struct stemctl_output *output, const char *url, const json_t *status);

/* A table with one row per stem. */
void stemctl_show_stems(const struct stemctl_output *output, const json_t *stems);

/* A table with one row per take. */
void stemctl_show_takes(const struct stemctl_output *output, const json_t *takes);

#endif
