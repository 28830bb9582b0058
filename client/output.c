#include "output.h"

#include "text.h"

#include <errno.h>
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LABEL_COLUMNS = 9 };

void stemctl_output_look(struct stemctl_output *output)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool capable = term && *term && strcmp(term, "dumb") != 0;
    output->terminal = isatty(STDOUT_FILENO) && !output->json;
    output->colours = output->terminal && capable && !(no_color && *no_color);
    output->blocks = output->terminal && capable && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

enum stemctl_exit stemctl_fail(
    const struct stemctl_output *output, enum stemctl_exit code, const char *text)
{
    if (output->json) {
        stemctl_print_json(
            json_pack("{s:o, s:i}", "error", stemctl_json_text(text), "code", (int)code));
        return code;
    }
    fputs("stemctl: ", stderr);
    stemctl_text_write(stderr, text);
    fputc('\n', stderr);
    return code;
}

enum stemctl_exit stemctl_output_finish(enum stemctl_exit code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "stemctl: cannot write to standard output: %s\n", strerror(errno));
    return code == STEMCTL_OK ? STEMCTL_REFUSED : code;
}

void stemctl_print_json(json_t *object)
{
    if (object && json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0)
        putchar('\n');
    json_decref(object);
}

json_t *stemctl_json_text(const char *text)
{
    json_t *string = json_string(text);
    if (string)
        return string;
    char *plain = strdup(text);
    for (char *c = plain; c && *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    string = plain ? json_string(plain) : NULL;
    free(plain);
    return string ? string : json_null();
}

json_t *stemctl_json_real(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

void stemctl_print(const struct stemctl_output *output, enum stemctl_style style, const char *text)
{
    bool styled = output->colours && style != STEMCTL_PLAIN;
    fputs(stemctl_style_begin(style, styled), stdout);
    stemctl_text_write(stdout, text);
    fputs(stemctl_style_begin(STEMCTL_PLAIN, styled), stdout);
}

void stemctl_print_line(const struct stemctl_output *output, const char *label,
    enum stemctl_style style, const char *text)
{
    stemctl_print(output, STEMCTL_FAINT, label);
    printf("%*s", LABEL_COLUMNS + 2 - stemctl_text_columns(label), "");
    stemctl_print(output, style, text);
    putchar('\n');
}

void stemctl_print_value(const struct stemctl_output *output, enum stemctl_style style,
    const char *label, const char *value)
{
    if (output->terminal) {
        stemctl_print(output, style, label);
        putchar(' ');
    }
    stemctl_print(output, STEMCTL_PLAIN, value);
    putchar('\n');
}
