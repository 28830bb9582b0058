/* Printing for people and for programs. */
#include "stemctl.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void stemctl_print_json(json_t *object)
{
    if (object && json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0)
        putchar('\n');
    json_decref(object);
}

void stemctl_fail(const struct stemctl *ctl, enum stemctl_exit code, const char *text)
{
    if (ctl->json)
        stemctl_print_json(
            json_pack("{s:o, s:i}", "error", stemctl_json_text(text), "code", (int)code));
    else
        fprintf(stderr, "stemctl: %s\n", text);
}

/* One character of a text; what is not printable becomes one column of '?'. */
static size_t next_character(const char *text, wchar_t *character, mbstate_t *state)
{
    size_t bytes = mbrtowc(character, text, strlen(text), state);
    if (bytes == (size_t)-1 || bytes == (size_t)-2 || bytes == 0) {
        *state = (mbstate_t){0};
        *character = L'?';
        return 1;
    }
    if (wcwidth(*character) < 0)
        *character = L'?';
    return bytes;
}

int stemctl_columns(const char *text)
{
    mbstate_t state = {0};
    int columns = 0;
    wchar_t character;
    while (*text) {
        text += next_character(text, &character, &state);
        columns += wcwidth(character);
    }
    return columns;
}

void stemctl_print_text(const char *text, int width)
{
    mbstate_t state = {0};
    int pad = abs(width) - stemctl_columns(text);
    if (width < 0 && pad > 0)
        printf("%*s", pad, "");
    while (*text) {
        wchar_t character;
        text += next_character(text, &character, &state);
        printf("%lc", (wint_t)character);
    }
    if (width > 0 && pad > 0)
        printf("%*s", pad, "");
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

void stemctl_format_time(double seconds, char *text, size_t size)
{
    long long ms = llround(seconds * 1000);
    snprintf(text, size, "%lld:%02lld:%02lld.%03lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
        ms % 1000);
}

enum stemctl_exit stemctl_ask(struct stemctl *ctl, const char *path, lo_message arguments,
    osc_data *on_data, void *data, struct osc_answer *answer)
{
    struct stem_error error;
    if (!ctl->client) {
        ctl->client = osc_client_open(ctl->url, &error);
        if (!ctl->client) {
            bool refused = strstr(error.text, "cannot reach") != NULL;
            enum stemctl_exit code = refused ? STEMCTL_NO_ANSWER : STEMCTL_USAGE;
            stemctl_fail(ctl, code, error.text);
            return code;
        }
    }
    enum stemctl_exit code = osc_client_ask(
        ctl->client, path, arguments, ctl->timeout_seconds, on_data, data, answer, &error);
    if (code != STEMCTL_OK) {
        stemctl_fail(ctl, code, error.text);
        return code;
    }
    if (answer->code == 0)
        return STEMCTL_OK;
    stemctl_fail(ctl, STEMCTL_REFUSED, answer->text);
    return STEMCTL_REFUSED;
}
