#include "osc_pattern.h"

#include <stddef.h>
#include <string.h>

/* All places of the address where the part of the pattern that has been read may end. Reading one
 * more element moves them all at once, so nothing is tried twice. */
struct places {
    const char *address;
    size_t length;
    bool at[STEM_OSC_PATTERN_MOST + 1];
};

static bool is_part(char character)
{
    return character && character != '/';
}

static void read_star(struct places *places)
{
    for (size_t k = 0; k < places->length; k++)
        if (places->at[k] && is_part(places->address[k]))
            places->at[k + 1] = true;
}

/* Whether a set, from behind its "[" (and "!") up to its "]", holds a character. */
static bool set_holds(const char *set, const char *end, char character)
{
    for (; set < end; set++) {
        if (set + 2 < end && set[1] == '-') {
            if (set[0] <= character && character <= set[2])
                return true;
            set += 2;
        } else if (*set == character) {
            return true;
        }
    }
    return false;
}

/* One character: any ("?"), this one, or one of the set up to `end`. */
static void read_one(struct places *places, const char *element, const char *end)
{
    bool is_set = *element == '[', is_any = *element == '?';
    bool is_not = is_set && element[1] == '!';
    const char *set = element + 1 + is_not;
    for (size_t k = places->length; k-- > 0;) {
        char character = places->address[k];
        bool fits = is_set   ? is_part(character) && set_holds(set, end, character) != is_not
                    : is_any ? is_part(character)
                             : character == *element;
        places->at[k + 1] = places->at[k] && fits;
    }
    places->at[0] = false;
}

/* The words between braces; `end` is the closing one. */
static void read_words(struct places *places, const char *word, const char *end)
{
    bool before[STEM_OSC_PATTERN_MOST + 1];
    memcpy(before, places->at, sizeof before);
    memset(places->at, 0, sizeof places->at);
    while (word <= end) {
        const char *comma = memchr(word, ',', (size_t)(end - word));
        size_t size = (size_t)((comma ? comma : end) - word);
        for (size_t k = 0; k + size <= places->length; k++)
            if (before[k] && memcmp(places->address + k, word, size) == 0)
                places->at[k + size] = true;
        word += size + 1;
    }
}

/* Reads one element; returns what follows it, NULL when it is not whole. */
static const char *read_element(struct places *places, const char *element)
{
    const char *end = element;
    if (*element == '[' || *element == '{') {
        end = strchr(element, *element == '[' ? ']' : '}');
        if (!end)
            return NULL;
    }
    if (*element == '*')
        read_star(places);
    else if (*element == '{')
        read_words(places, element + 1, end);
    else
        read_one(places, element, end);
    return end + 1;
}

bool stem_osc_pattern_match(const char *pattern, const char *address)
{
    struct places places = {.address = address, .length = strlen(address)};
    if (places.length > STEM_OSC_PATTERN_MOST ||
        strnlen(pattern, STEM_OSC_PATTERN_MOST + 1) > STEM_OSC_PATTERN_MOST)
        return false;
    places.at[0] = true;
    while (pattern && *pattern)
        pattern = read_element(&places, pattern);
    return pattern && places.at[places.length];
}
