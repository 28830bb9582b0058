#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Constant once other threads run. */
static bool verbose;

void stem_log_set_verbose(bool on)
{
    verbose = on;
}

void stem_log(enum stem_log_level level, const char *format, ...)
{
    static const int PRIORITY[] = {3, 4, 6, 7}; /* sd-daemon(3) */
    static const char *const WORD[] = {"error: ", "warning: ", "", ""};
    if (level == STEM_LOG_DEBUG && !verbose)
        return;
    char line[STEM_ERROR_BYTES + 512];
    int used = getenv("JOURNAL_STREAM")
                   ? snprintf(line, sizeof line, "<%d>%s", PRIORITY[level], WORD[level])
                   : snprintf(line, sizeof line, "stemd: %s", WORD[level]);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", line);
}
