/* Log lines on standard error; under systemd with the journal's priority in front. */
#ifndef STEMD_LOG_H
#define STEMD_LOG_H

#include "error.h"

#include <stdbool.h>

enum stem_log_level { STEM_LOG_ERROR, STEM_LOG_WARNING, STEM_LOG_INFO, STEM_LOG_DEBUG };

/* Shows debug lines too. Before other threads start. */
void stem_log_set_verbose(bool verbose);

/* From now on lines are written by a thread, and whoever logs never waits for the log's reader.
 * Once; after signals were blocked. Without the thread they are written at once, as before. */
void stem_log_begin(void);

/* Gives the thread so long to write what is left, and ends it. */
void stem_log_end(double patience_seconds);

/* Writes one line. Any thread but the process thread. */
void stem_log(enum stem_log_level level, const char *format, ...) STEM_PRINTF(2, 3);

#endif
