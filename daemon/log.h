/* Log lines on standard error; under systemd with the journal's priority in front. */
#ifndef STEMD_LOG_H
#define STEMD_LOG_H

#include "error.h"

#include <stdbool.h>

enum stem_log_level { STEM_LOG_ERROR, STEM_LOG_WARNING, STEM_LOG_INFO, STEM_LOG_DEBUG };

/* Shows debug lines too. Before other threads start. */
void stem_log_set_verbose(bool verbose);

/* Writes one line. Any thread but the process thread. */
void stem_log(enum stem_log_level level, const char *format, ...) STEM_PRINTF(2, 3);

#endif
