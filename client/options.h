/* The command line: `stemctl [OPTION…] COMMAND [OPTION…] [WORD…]`. */
#ifndef STEMCTL_OPTIONS_H
#define STEMCTL_OPTIONS_H

#include "stemctl.h"

#include <stddef.h>

/* Fills `ctl`, which holds the defaults. Returns the command to run; or NULL, and the exit `code`:
 * help or the version was printed, or what is wrong was told. */
const struct stemctl_command *stemctl_options_parse(int argc, char **argv,
    const struct stemctl_command *commands, size_t count, struct stemctl *ctl,
    enum stemctl_exit *code);

#endif
