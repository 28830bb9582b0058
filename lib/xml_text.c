#include "xml_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the character at `text`; 0 when it is not UTF-8, or one that XML cannot hold. */
static size_t character(const unsigned char *text)
{
    static const unsigned LEAST[] = {0, ' ', 0x80, 0x800, 0x10000};
    size_t size = text[0] < 0x80   ? 1
                  : text[0] < 0xC0 ? 0
                  : text[0] < 0xE0 ? 2
                  : text[0] < 0xF0 ? 3
                  : text[0] < 0xF8 ? 4
                                   : 0;
    unsigned code = size == 1 ? text[0] : text[0] & (0x7Fu >> size);
    for (size_t k = 1; k < size; k++) {
        if ((text[k] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (text[k] & 0x3F);
    }
    bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    bool is_none = code == 0xFFFE || code == 0xFFFF || code == 0x7F || code > 0x10FFFF;
    return size == 0 || code < LEAST[size] || is_surrogate || is_none ? 0 : size;
}

static const char *escape(char byte)
{
    return byte == '&'   ? "&amp;"
           : byte == '<' ? "&lt;"
           : byte == '>' ? "&gt;"
           : byte == '"' ? "&quot;"
                         : NULL;
}

void stem_xml_put_some(FILE *out, const char *text, size_t most_bytes)
{
    while (*text) {
        size_t size = character((const unsigned char *)text);
        const char *bytes = size == 0 ? " " : escape(*text);
        size_t length = bytes ? strlen(bytes) : size;
        if (length > most_bytes)
            break;
        fwrite(bytes ? bytes : text, 1, length, out);
        most_bytes -= length;
        text += size ? size : 1;
    }
}

void stem_xml_put(FILE *out, const char *text)
{
    stem_xml_put_some(out, text, SIZE_MAX);
}

void stem_xml_put_attribute(FILE *out, const char *name, const char *text)
{
    fprintf(out, " %s=\"", name);
    stem_xml_put(out, text);
    putc('"', out);
}
