#include "naming_template.h"

#include "naming.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_TEMPLATE_BYTES = 120, VALUE_BYTES = STEM_NAME_BYTES * 2 };

static const char SEPARATORS[] = "_-.";

enum placeholder { DATE, TIME, TITLE, TEMPO, KEY, TAKE, RATE, DEPTH, INDEX, STEM, PLACEHOLDERS };

static const char *const NAMES[PLACEHOLDERS] = {
    "date", "time", "title", "tempo", "key", "take", "rate", "depth", "index", "stem"};
static const int FOLDER_PLACEHOLDERS = INDEX; /* the others tell files apart */

static bool is_separator(char c)
{
    return c && strchr(SEPARATORS, c);
}

static bool is_plain(char c)
{
    return (unsigned char)c < 0x80 && isalnum((unsigned char)c);
}

/* The placeholder of that name; PLACEHOLDERS when there is none. */
static enum placeholder find(const char *name, size_t length)
{
    int p = 0;
    while (p < PLACEHOLDERS && (strlen(NAMES[p]) != length || memcmp(NAMES[p], name, length) != 0))
        p++;
    return (enum placeholder)p;
}

static bool has(const char *template, enum placeholder placeholder)
{
    for (const char *at = template; (at = strchr(at, '{')); at++)
        if (find(at + 1, strcspn(at + 1, "}")) == placeholder)
            return true;
    return false;
}

/* Checking */

static void say_unknown(const char *name, int length, bool of_file, char *problem, size_t size)
{
    char word[32];
    const size_t known = of_file ? PLACEHOLDERS : (size_t)FOLDER_PLACEHOLDERS;
    snprintf(word, sizeof word, "%.*s", length, name);
    const char *likely = stem_naming_suggest(word, NAMES, known);
    size_t used = (size_t)snprintf(problem, size, "unknown placeholder \"{%s}\"; ", word);
    if (likely) {
        snprintf(problem + used, size - used, "did you mean \"{%s}\"?", likely);
        return;
    }
    for (size_t p = 0; p < known && used < size; p++)
        used += (size_t)snprintf(problem + used, size - used, "%s{%s}",
            p == 0           ? "there are "
            : p + 1 == known ? " and "
                             : ", ",
            NAMES[p]);
}

/* Checks the placeholder at a '{'; returns its last character, or NULL when it is wrong. */
static const char *check_placeholder(const char *at, bool of_file, char *problem, size_t size)
{
    const char *end = strchr(at, '}');
    if (!end) {
        snprintf(problem, size, "expected a '}' behind \"%.20s\", found none", at);
        return NULL;
    }
    enum placeholder found = find(at + 1, (size_t)(end - at - 1));
    if (found == PLACEHOLDERS) {
        say_unknown(at + 1, (int)(end - at - 1), of_file, problem, size);
        return NULL;
    }
    if (!of_file && (int)found >= FOLDER_PLACEHOLDERS) {
        snprintf(problem, size,
            "expected what all files of a take have in common, found \"{%s}\", which is for "
            "\"file_name\"",
            NAMES[found]);
        return NULL;
    }
    return end;
}

bool stem_naming_template_check(const char *template, bool of_file, char *problem, size_t size)
{
    const size_t length = strlen(template);
    if (length == 0 || length > MOST_TEMPLATE_BYTES) {
        snprintf(problem, size, "expected 1 to %d bytes, found %zu", MOST_TEMPLATE_BYTES, length);
        return false;
    }
    if (is_separator(template[0]) || is_separator(template[length - 1])) {
        snprintf(problem, size,
            "expected a letter, a digit or a placeholder first and last, found \"%s\"", template);
        return false;
    }
    for (const char *at = template; *at; at++) {
        if (*at == '{') {
            at = check_placeholder(at, of_file, problem, size);
            if (!at)
                return false;
        } else if (!is_plain(*at) && !is_separator(*at)) {
            snprintf(problem, size,
                "expected letters, digits, '_', '-', '.' and placeholders such as {%s}, found "
                "\"%s\"",
                of_file ? "stem" : "title", at);
            return false;
        }
    }
    return true;
}

/* Making */

/* "F# minor" is "Fsharp-minor": the sign itself is not safe, and without it the key is another. */
static void put_key(const char *key, char *text, size_t size)
{
    static const char SHARP[] = "\xE2\x99\xAF", FLAT[] = "\xE2\x99\xAD";
    char spelt[STEM_NAME_BYTES];
    size_t length = 0;
    while (key && *key && length + sizeof "sharp" < sizeof spelt) {
        const bool is_sharp = *key == '#' || strncmp(key, SHARP, 3) == 0;
        const bool is_sign = is_sharp || strncmp(key, FLAT, 3) == 0;
        length += (size_t)snprintf(spelt + length, sizeof spelt - length, "%.*s", is_sharp ? 5 : 1,
            is_sharp  ? "sharp"
            : is_sign ? "b"
                      : key);
        key += is_sign && *key != '#' ? 3 : 1;
    }
    spelt[length] = '\0';
    stem_naming_safe(spelt, text, size);
}

static const char *depth(enum stem_encoding encoding)
{
    static const char *const BITS[] = {[STEM_PCM16] = "16",
        [STEM_PCM24] = "24",
        [STEM_PCM32] = "32",
        [STEM_FLOAT] = "32f",
        [STEM_DOUBLE] = "64f"};
    return BITS[encoding];
}

/* What is made of a template. */
struct name {
    const struct stem_naming_values *values;
    size_t most_title; /* bytes */
    bool dates_title;  /* an empty title becomes date and time */
    char *text;
    size_t size;
    size_t length; /* of the whole name, even where `size` is less */
};

static void put_title(const struct name *name, char *text, size_t size)
{
    text[0] = '\0';
    if (name->values->title)
        stem_naming_safe(name->values->title, text, name->most_title + 1);
    if (!text[0] && name->dates_title)
        strftime(text, size, "%Y-%m-%d_%H-%M-%S", name->values->when);
}

static void put_value(const struct name *name, enum placeholder placeholder, char text[VALUE_BYTES])
{
    const struct stem_naming_values *values = name->values;
    text[0] = '\0';
    switch (placeholder) {
    case DATE:
        strftime(text, VALUE_BYTES, "%Y-%m-%d", values->when);
        break;
    case TIME:
        strftime(text, VALUE_BYTES, "%H-%M-%S", values->when);
        break;
    case TITLE:
        put_title(name, text, VALUE_BYTES);
        break;
    case TEMPO:
        if (values->tempo_bpm > 0)
            snprintf(text, VALUE_BYTES, "%g", round(values->tempo_bpm * 1000) / 1000);
        break;
    case KEY:
        put_key(values->key, text, VALUE_BYTES);
        break;
    case TAKE:
        snprintf(text, VALUE_BYTES, "%02u", values->take);
        break;
    case RATE:
        snprintf(text, VALUE_BYTES, "%g", values->rate_hz / 1000.0);
        break;
    case DEPTH:
        snprintf(text, VALUE_BYTES, "%s", depth(values->encoding));
        break;
    case INDEX:
        snprintf(text, VALUE_BYTES, "%02u", values->index);
        break;
    case STEM:
        stem_naming_safe(values->stem, text, VALUE_BYTES);
        break;
    case PLACEHOLDERS:
        break;
    }
}

static void append(struct name *name, const char *text, size_t length)
{
    for (size_t k = 0; k < length; k++, name->length++)
        if (name->length + 1 < name->size)
            name->text[name->length] = text[k];
    name->text[name->length < name->size ? name->length : name->size - 1] = '\0';
}

/* Appends what stands up to the next separator, and returns where that is. False in `*is_wanted`:
 * all its placeholders are empty. */
static const char *append_part(struct name *name, const char *at, bool *is_wanted)
{
    bool has_value = false, has_placeholder = false;
    while (*at && !is_separator(*at)) {
        char value[VALUE_BYTES];
        if (*at != '{') {
            append(name, at++, 1);
            continue;
        }
        size_t length = strcspn(at + 1, "}");
        put_value(name, find(at + 1, length), value);
        append(name, value, strlen(value));
        has_placeholder = true;
        has_value = has_value || value[0];
        at += length + 2;
    }
    *is_wanted = has_value || !has_placeholder;
    return at;
}

static void append_template(struct name *name, const char *template)
{
    const size_t begin = name->length;
    for (const char *at = template; *at;) {
        const size_t before = name->length, separators = strspn(at, SEPARATORS);
        bool is_wanted;
        if (before > begin)
            append(name, at, separators);
        at = append_part(name, at + separators, &is_wanted);
        if (!is_wanted)
            name->length = before;
    }
    append(name, "", 0);
}

/* Appends the template after what is there, with as much of the title as there is room for before
 * another `more` bytes. */
static void append_fitting(struct name *name, const char *template, size_t more)
{
    const size_t begin = name->length;
    for (name->most_title = STEM_NAME_BYTES - 1;; name->most_title--) {
        name->length = begin;
        append_template(name, template);
        if (name->length + more <= STEM_NAMING_MOST_BYTES || name->most_title == 0)
            return;
    }
}

void stem_naming_folder(
    const char *template, const struct stem_naming_values *values, char text[STEM_NAMING_BYTES])
{
    char number[16] = "";
    const bool is_dated = has(template, DATE) || has(template, TIME);
    struct name name = {
        .values = values, .dates_title = !is_dated, .text = text, .size = STEM_NAMING_BYTES};
    if (values->take > 1 && !has(template, TAKE))
        snprintf(number, sizeof number, "-%u", values->take);
    append_fitting(&name, template, strlen(number));
    if (name.length == 0)
        append_template(&name, "{date}_{time}");
    append(&name, number, strlen(number));
}

void stem_naming_file(const char *template, const struct stem_naming_values *values,
    const char *prefix, const char *extension, char text[STEM_NAMING_BYTES])
{
    struct name name = {.values = values, .text = text, .size = STEM_NAMING_BYTES};
    const size_t begin = strlen(prefix);
    append(&name, prefix, begin);
    append_fitting(&name, template, 1 + strlen(extension));
    if (name.length == begin)
        append_template(&name, STEM_NAMING_FILE);
    append(&name, ".", 1);
    append(&name, extension, strlen(extension));
}
