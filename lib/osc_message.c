#include "osc_message.h"

#include <stdint.h>
#include <string.h>

/* What is left to look at. */
struct rest {
    const unsigned char *bytes;
    size_t size;
};

static bool skip(struct rest *rest, size_t size)
{
    if (size > rest->size)
        return false;
    rest->bytes += size;
    rest->size -= size;
    return true;
}

static size_t padded(size_t size)
{
    return (size + 3) / 4 * 4;
}

static bool skip_string(struct rest *rest)
{
    const unsigned char *end = memchr(rest->bytes, '\0', rest->size);
    return end && skip(rest, padded((size_t)(end - rest->bytes) + 1));
}

static bool skip_blob(struct rest *rest)
{
    const unsigned char *b = rest->bytes;
    if (!skip(rest, 4))
        return false;
    uint32_t size = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return size <= rest->size && skip(rest, padded(size));
}

static bool skip_argument(struct rest *rest, char type)
{
    switch (type) {
    case 'i':
    case 'f':
    case 'c':
    case 'm':
        return skip(rest, 4);
    case 'h':
    case 'd':
    case 't':
        return skip(rest, 8);
    case 's':
    case 'S':
        return skip_string(rest);
    case 'b':
        return skip_blob(rest);
    case 'T':
    case 'F':
    case 'N':
    case 'I':
        return true;
    default:
        return false;
    }
}

bool stem_osc_message_valid(const void *bytes, size_t size)
{
    struct rest rest = {bytes, size};
    if (size % 4 != 0 || size < 4 || rest.bytes[0] != '/' || !skip_string(&rest))
        return false;
    const char *types = (const char *)rest.bytes;
    if (rest.size == 0 || types[0] != ',' || !skip_string(&rest))
        return false;
    while (*++types)
        if (!skip_argument(&rest, *types))
            return false;
    return rest.size == 0;
}
