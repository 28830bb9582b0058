#include "config_text.h"

#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 sequence that a lead byte announces; 0 when it cannot lead. */
static unsigned sequence_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2) /* a continuation byte, or an overlong form */
        return 0;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
}

/* Decodes one character and returns its length, or 0 when the bytes are not UTF-8. */
static unsigned decode(const unsigned char *text, uint32_t *character)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned length = sequence_length(text[0]);
    if (length <= 1) {
        *character = text[0];
        return length;
    }
    *character = text[0] & (0x7Fu >> length);
    for (unsigned k = 1; k < length; k++) {
        if ((text[k] & 0xC0) != 0x80) /* also stops at the terminating zero */
            return 0;
        *character = *character << 6 | (text[k] & 0x3F);
    }
    bool surrogate = *character >= 0xD800 && *character <= 0xDFFF;
    return *character < LEAST[length] || *character > 0x10FFFF || surrogate ? 0 : length;
}

bool config_text_clean(const char *text)
{
    const unsigned char *next = (const unsigned char *)text;
    while (*next) {
        uint32_t character;
        unsigned length = decode(next, &character);
        if (length == 0 || character < 0x20 || (character >= 0x7F && character < 0xA0))
            return false;
        next += length;
    }
    return true;
}

bool config_text_is_pattern(const char *from)
{
    return from[0] == '/';
}

/* regcomp's status for a pattern behind a prefix. */
static int compile(const char *prefix, const char *pattern, size_t length)
{
    regex_t compiled;
    char *text = NULL;
    if (asprintf(&text, "%s%.*s", prefix, (int)length, pattern) < 0)
        return REG_ESPACE;
    int status = regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB);
    if (status == 0)
        regfree(&compiled);
    free(text);
    return status;
}

/* The pattern is matched as "^(" pattern ")$", so its own parentheses must be in pairs. regcomp
 * takes a closing one too many as an ordinary character; it would close ours. */
static int pattern_status(const char *pattern, size_t length)
{
    int status = compile("", pattern, length);
    return status == 0 && compile("(", pattern, length) == 0 ? REG_ERPAREN : status;
}

static const char *check_pattern(const char *from, char *expected, size_t size)
{
    size_t length = strlen(from);
    if (length < 2 || from[length - 1] != '/')
        return "a pattern that ends with a slash too: \"/…/\"";
    if (length == 2)
        return "a pattern between the slashes";
    char reason[160];
    int status = pattern_status(from + 1, length - 2);
    if (status == 0)
        return NULL;
    regerror(status, NULL, reason, sizeof reason);
    snprintf(
        expected, size, "a POSIX extended regular expression between the slashes (%s)", reason);
    return expected;
}

const char *config_text_check_source(const char *from, char *expected, size_t size)
{
    if (!config_text_clean(from))
        return "a port name in UTF-8 without control characters";
    if (!from[0])
        return NULL;
    if (config_text_is_pattern(from))
        return check_pattern(from, expected, size);
    if (!strchr(from, ':'))
        return "a port name such as \"client:port\", or a pattern between slashes";
    return NULL;
}
