#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_text(struct stem_error *error, const char *format, va_list arguments)
{
    if (error)
        vsnprintf(error->text, sizeof error->text, format, arguments);
}

int stem_error_set(struct stem_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_text(error, format, arguments);
    va_end(arguments);
    return -1;
}

int stem_error_set_errno(struct stem_error *error, int errnum, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_text(error, format, arguments);
    va_end(arguments);
    if (error) {
        size_t used = strlen(error->text);
        char reason[128];
        snprintf(error->text + used, sizeof error->text - used, ": %s",
            strerror_r(errnum, reason, sizeof reason));
    }
    return -1;
}
