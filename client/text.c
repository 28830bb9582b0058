#include "text.h"

#include <math.h>
#include <string.h>
#include <wchar.h>

/* Longest time worth telling, in seconds: a thousand years. */
#define LONGEST_SECONDS 3.2e10

/* U+202A to U+202E and U+2066 to U+2069 make the text behind them run the other way. */
static bool turns_direction(wchar_t character)
{
    return (character >= 0x202A && character <= 0x202E) ||
           (character >= 0x2066 && character <= 0x2069);
}

/* The bytes of the first character, and the columns it takes; -1 when it must not be shown. */
static size_t next_character(const char *text, mbstate_t *state, int *columns)
{
    wchar_t character;
    size_t bytes = mbrtowc(&character, text, strlen(text), state);
    if (bytes == (size_t)-1 || bytes == (size_t)-2 || bytes == 0) {
        *state = (mbstate_t){0};
        *columns = -1;
        return 1;
    }
    *columns = turns_direction(character) ? -1 : wcwidth(character);
    return bytes;
}

void stemctl_text_write(FILE *out, const char *text)
{
    mbstate_t state = {0};
    while (*text) {
        int columns;
        size_t bytes = next_character(text, &state, &columns);
        if (columns < 0)
            fputc('?', out);
        else
            fwrite(text, 1, bytes, out);
        text += bytes;
    }
}

int stemctl_text_columns(const char *text)
{
    mbstate_t state = {0};
    int sum = 0;
    while (*text) {
        int columns;
        text += next_character(text, &state, &columns);
        sum += columns < 0 ? 1 : columns;
    }
    return sum;
}

void stemctl_text_length(double seconds, char *text, size_t size)
{
    if (!(seconds >= 0 && seconds < LONGEST_SECONDS)) {
        snprintf(text, size, "-");
        return;
    }
    long long ms = llround(seconds * 1000);
    snprintf(text, size, "%lld:%02lld:%02lld.%03lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
        ms % 1000);
}

void stemctl_text_rough_length(double seconds, char *text, size_t size)
{
    if (!(seconds >= 0 && seconds < LONGEST_SECONDS)) {
        snprintf(text, size, "-");
        return;
    }
    long long minutes = (long long)(seconds / 60), hours = minutes / 60, days = hours / 24;
    if (days > 0)
        snprintf(text, size, "%lld d %lld h", days, hours % 24);
    else if (hours > 0)
        snprintf(text, size, "%lld h %lld min", hours, minutes % 60);
    else if (minutes > 0)
        snprintf(text, size, "%lld min", minutes);
    else
        snprintf(text, size, "%.0f s", floor(seconds));
}

void stemctl_text_bytes(double bytes, char *text, size_t size)
{
    static const char *const UNITS[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    for (; bytes >= 1000 && unit + 1 < sizeof UNITS / sizeof *UNITS; unit++)
        bytes /= 1000;
    snprintf(text, size, "%.*f %s", unit > 0, bytes, UNITS[unit]);
}

void stemctl_text_count(double count, const char *thing, char *text, size_t size)
{
    if (count == 0)
        snprintf(text, size, "no %ss", thing);
    else
        snprintf(text, size, "%.0f %s%s", count, thing, count == 1 ? "" : "s");
}

void stemctl_text_bar(double part, int columns, bool blocks, char *text, size_t size)
{
    const char *full = blocks ? "█" : "#", *empty = blocks ? "░" : "-";
    int width = blocks ? columns : columns - 2;
    int filled = part > 0 ? (int)lround(fmin(part, 1) * width) : 0;
    size_t used = 0;
    text[0] = '\0';
    if (!blocks)
        used += (size_t)snprintf(text, size, "[");
    for (int k = 0; k < width && used + 8 < size; k++)
        used += (size_t)snprintf(text + used, size - used, "%s", k < filled ? full : empty);
    if (!blocks)
        snprintf(text + used, size - used, "]");
}
