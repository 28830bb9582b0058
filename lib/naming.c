#include "naming.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Letters without their accents, for U+00C0 to U+017F; a space where there is none. */
static const char LATIN_1[] = "AAAAAAACEEEEIIIIDNOOOOO OUUUUYTsaaaaaaaceeeeiiiidnooooo ouuuuyty";
static const char LATIN_A[] = "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLl"
                              "LlLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

/* One UTF-8 character of two bytes, or 0. Others are not wanted here. */
static unsigned two_byte_character(const unsigned char *text)
{
    if (text[0] >= 0xC3 && text[0] <= 0xC5 && (text[1] & 0xC0) == 0x80)
        return (unsigned)(text[0] & 0x1F) << 6 | (text[1] & 0x3F);
    return 0;
}

/* Letters that stand for a character; "" for none. */
static const char *plain_letters(unsigned character, char letter[2])
{
    static const struct {
        unsigned character;
        const char *letters;
    } PAIRS[] = {{0xC4, "Ae"}, {0xD6, "Oe"}, {0xDC, "Ue"}, {0xE4, "ae"}, {0xF6, "oe"}, {0xFC, "ue"},
        {0xDF, "ss"}, {0xC6, "AE"}, {0xE6, "ae"}, {0x152, "OE"}, {0x153, "oe"}};
    for (size_t k = 0; k < sizeof PAIRS / sizeof *PAIRS; k++)
        if (PAIRS[k].character == character)
            return PAIRS[k].letters;
    letter[0] = character < 0x100 ? LATIN_1[character - 0xC0] : LATIN_A[character - 0x100];
    letter[1] = '\0';
    return letter[0] == ' ' ? "" : letter;
}

static bool is_safe(unsigned char c)
{
    return c < 0x80 && (isalnum(c) || c == '.' || c == '_' || c == '-');
}

void stem_naming_safe(const char *name, char *safe, size_t size)
{
    const unsigned char *in = (const unsigned char *)name;
    size_t length = 0;
    while (*in && length + 2 < size) {
        char letter[2];
        unsigned character = two_byte_character(in);
        const char *letters = character ? plain_letters(character, letter) : "";
        if (*letters) {
            while (*letters && length + 1 < size)
                safe[length++] = *letters++;
        } else {
            char c = is_safe(*in) ? (char)*in : '-';
            bool folded = c == '-' && length > 0 && safe[length - 1] == '-';
            bool leading = (c == '-' || c == '.') && length == 0;
            if (!folded && !leading)
                safe[length++] = c;
        }
        in += character ? 2 : 1;
    }
    while (length > 0 && (safe[length - 1] == '-' || safe[length - 1] == '.'))
        length--;
    safe[length] = '\0';
}

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Optimal string alignment (Damerau-Levenshtein without overlapping swaps): three rows of the usual
 * table suffice. */
unsigned stem_naming_distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    unsigned row[3][LONGEST + 1];
    size_t a_length = strnlen(a, LONGEST), b_length = strnlen(b, LONGEST);
    for (size_t j = 0; j <= b_length; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *now = row[i % 3], *before = row[(i - 1) % 3], *earlier = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            now[j] = smallest(before[j] + 1, now[j - 1] + 1, before[j - 1] + (x != y));
            bool swapped = i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                           y == tolower((unsigned char)a[i - 2]);
            if (swapped && earlier[j - 2] + 1 < now[j])
                now[j] = earlier[j - 2] + 1;
        }
    }
    return row[a_length % 3][b_length];
}

const char *stem_naming_suggest(const char *word, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    unsigned best_distance = 1 + (unsigned)strlen(word) / 3;
    for (size_t k = 0; k < count; k++) {
        unsigned distance = stem_naming_distance(word, candidates[k]);
        bool begins = strlen(word) >= 3 && strncasecmp(word, candidates[k], strlen(word)) == 0;
        if (begins)
            distance = 1;
        if (distance <= best_distance && (!best || distance < best_distance)) {
            best = candidates[k];
            best_distance = distance;
        }
    }
    return best;
}
