/* libconfig 1.5 has three habits that a daemon cannot live with, so its input is looked at first:
 *   - an included file that cannot be read, such as a folder, makes its scanner call exit();
 *   - a whole number beyond 32 bits is cut to its low bits without a word;
 *   - a string in an array is said to stand where the token after it stands.
 * The look is a small scanner that knows comments, strings, numbers and @include, no more.
 */
#include "config_source.h"

#include "config_reader.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* libconfig's own limit; deeper files are left to its error message. */
enum { MOST_INCLUDES = 10 };

enum state {
    CODE,
    STRING,
    COMMENT, /* between slash-star and star-slash */
};

struct scan {
    const char *path;
    const char *folder;
    struct stem_config_messages *errors;
    unsigned depth;
    unsigned line;
    enum state state;
    unsigned begin; /* line in which the string or comment began */
};

static void scan_file(struct scan *scan);

char *config_source_path(const char *folder, const char *name)
{
    char *path = NULL;
    if (!folder)
        return strdup(name);
    if (asprintf(&path, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name) < 0)
        return NULL;
    return path;
}

/* Why a file cannot be read, or NULL. */
static const char *unreadable(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return strerror(errno);
    if (S_ISDIR(status.st_mode))
        return "it is a folder";
    if (!S_ISREG(status.st_mode))
        return "it is not a regular file";
    return access(path, R_OK) == 0 ? NULL : strerror(errno);
}

/* The name between quotation marks, without its escapes. */
static char *included_name(const char *text)
{
    char *name = calloc(1, strlen(text) + 1);
    for (size_t length = 0; name && *text && *text != '"' && *text != '\n'; text++) {
        if (*text == '\\' && text[1])
            text++;
        name[length++] = *text;
    }
    return name;
}

static void scan_include(const struct scan *scan, const char *text)
{
    char *name = included_name(text);
    char *path = name ? config_source_path(scan->folder, name) : NULL;
    const char *reason = path ? unreadable(path) : strerror(ENOMEM);
    struct scan inner = {path, scan->folder, scan->errors, scan->depth + 1, 0, CODE, 0};
    if (name && name[0] == '/' && scan->folder) /* libconfig would look inside the folder */
        config_message(scan->errors, scan->path, scan->line,
            "cannot include \"%s\": the path must be relative to the folder %s", name,
            scan->folder);
    else if (reason)
        config_message(scan->errors, scan->path, scan->line, "cannot include \"%s\": %s",
            path ? path : "?", reason);
    else if (inner.depth < MOST_INCLUDES)
        scan_file(&inner);
    free(name);
    free(path);
}

/* libconfig takes @include at the beginning of a line only. */
static bool is_include(const char *line, const char **name)
{
    line += strspn(line, " \t");
    if (strncmp(line, "@include", 8) != 0)
        return false;
    size_t blank = strspn(line + 8, " \t");
    *name = line + 8 + blank + 1;
    return blank > 0 && (*name)[-1] == '"';
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '*' || c == '-';
}

/* Checks a number and returns what follows it. */
static const char *scan_number(const struct scan *scan, const char *text)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, hex ? 16 : 10);
    if (*end == '.' || *end == 'e' || *end == 'E') { /* floating point has room */
        strtod(text, &end);
        return end;
    }
    bool fits = errno == 0 && value >= INT_MIN && value <= INT_MAX;
    if (!fits && (*end != 'L' || errno))
        config_message(scan->errors, scan->path, scan->line,
            "expected a whole number from %d to %d, found %.*s", INT_MIN, INT_MAX,
            (int)(end - text), text);
    return end;
}

/* One step in code; returns what is left of the line. */
static const char *scan_code(struct scan *scan, const char *text)
{
    if (*text == '#' || strncmp(text, "//", 2) == 0)
        return text + strlen(text);
    if (strncmp(text, "/*", 2) == 0) {
        scan->state = COMMENT;
        scan->begin = scan->line;
        return text + 2;
    }
    if (*text == '"') {
        scan->state = STRING;
        scan->begin = scan->line;
        return text + 1;
    }
    bool sign = (*text == '-' || *text == '+') && isdigit((unsigned char)text[1]);
    if (sign || isdigit((unsigned char)*text))
        return scan_number(scan, text);
    if (isalpha((unsigned char)*text) || *text == '*')
        while (in_word(text[1]))
            text++;
    return text + 1;
}

static const char *scan_string(struct scan *scan, const char *text)
{
    if (*text == '"')
        scan->state = CODE;
    return text + (*text == '\\' && text[1] ? 2 : 1);
}

static const char *scan_comment(struct scan *scan, const char *text)
{
    const char *end = strstr(text, "*/");
    if (!end)
        return text + strlen(text);
    scan->state = CODE;
    return end + 2;
}

static void scan_line(struct scan *scan, const char *text)
{
    const char *name;
    if (scan->line == 1 && strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        config_message(scan->errors, scan->path, 1,
            "expected plain UTF-8, found a byte order mark at the start of the file");
    if (scan->state == CODE && is_include(text, &name)) {
        scan_include(scan, name);
        return;
    }
    while (*text)
        text = scan->state == CODE     ? scan_code(scan, text)
               : scan->state == STRING ? scan_string(scan, text)
                                       : scan_comment(scan, text);
}

static void scan_file(struct scan *scan)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(scan->path, "re");
    if (!file) {
        config_message(scan->errors, scan->path, 0, "cannot read it: %s", strerror(errno));
        return;
    }
    while (getline(&line, &size, file) >= 0) {
        scan->line++;
        scan_line(scan, line);
    }
    if (scan->state != CODE) /* libconfig would name the last line, and leak */
        config_message(scan->errors, scan->path, scan->begin,
            "expected the end of the %s that begins here, found the end of the file",
            scan->state == STRING ? "string" : "comment");
    if (ferror(file))
        config_message(scan->errors, scan->path, 0, "cannot read it: %s", strerror(errno));
    free(line);
    fclose(file);
}

bool config_source_check(const char *path, const char *folder, struct stem_config_messages *errors)
{
    size_t before = errors->count;
    const char *reason = unreadable(path);
    struct scan scan = {path, folder, errors, 0, 0, CODE, 0};
    if (reason)
        config_message(errors, path, 0, "cannot read the configuration: %s", reason);
    else
        scan_file(&scan);
    return errors->count == before;
}

/* The token after the string decides what libconfig reports: a bracket or comma that begins a line
 * follows a string further up. */
static bool may_hold_string(const char *line, bool last)
{
    if (last && strchr("]),", line[strspn(line, " \t")]))
        return false;
    return strchr(line, '"') != NULL;
}

unsigned config_source_string_line(const char *path, unsigned first, unsigned last)
{
    char *line = NULL;
    size_t size = 0;
    unsigned found = last;
    FILE *file = fopen(path, "re");
    for (unsigned number = 1; file && number <= last && getline(&line, &size, file) >= 0; number++)
        if (number >= first && may_hold_string(line, number == last))
            found = number;
    free(line);
    if (file)
        fclose(file);
    return found;
}
