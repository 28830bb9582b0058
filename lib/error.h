/* Error texts for people.
 *
 * Functions return a checked status (0 or false/true); those whose failure a person reads also fill
 * a `struct stem_error` with one clear sentence that names what is wrong and where.
 */
#ifndef STEM_ERROR_H
#define STEM_ERROR_H

#define STEM_PRINTF(text, first) __attribute__((format(printf, text, first)))

enum { STEM_ERROR_BYTES = 1024 };

/* One sentence without a final full stop or newline; empty when nothing went wrong. */
struct stem_error {
    char text[STEM_ERROR_BYTES];
};

/* Formats the sentence. `error` may be NULL (the caller does not care). Any thread but the process
 * thread. Always returns -1, so that `return stem_error_set(...)` reads well. */
int stem_error_set(struct stem_error *error, const char *format, ...) STEM_PRINTF(2, 3);

/* Like stem_error_set, and appends ": " and the text of `errnum` (an errno value). */
int stem_error_set_errno(struct stem_error *error, int errnum, const char *format, ...)
    STEM_PRINTF(3, 4);

#endif
