/* Writing the page. See report.h. */
#include "report.h"
#include "replace.h"
#include "report_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The title in the page's head is for bookmarks and search; the whole one is in the data. */
enum { TITLE_BYTES = 200 };

static void write_piece(FILE *out, int piece)
{
    fwrite(stem_report_page[piece].bytes, 1, stem_report_page[piece].size, out);
}

/* Writes valid UTF-8 as HTML text, cut between two characters when it is long. */
static void write_html(FILE *out, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (i >= TITLE_BYTES && (byte & 0xC0) != 0x80) {
            fputs("…", out);
            return;
        }
        if (byte < 0x20 || byte == 0x7F)
            fputc(' ', out);
        else if (strchr("<>&\"'", byte))
            fprintf(out, "&#%d;", byte);
        else
            fputc(byte, out);
    }
}

/* Writes JSON for a script element. All of it is ASCII. A "<" stands in strings only, and escaped
 * it can neither end the element nor open a comment. */
static void write_script(FILE *out, const char *json)
{
    for (; *json; json++)
        if (*json == '<')
            fputs("\\u003c", out);
        else
            fputc(*json, out);
}

/* The page as bytes, which the caller frees; NULL without memory. */
static char *compose(const json_t *data, size_t *size)
{
    char *page = NULL;
    char *json = json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
    FILE *out = json ? open_memstream(&page, size) : NULL;
    const char *title = json_string_value(json_object_get(json_object_get(data, "take"), "title"));
    if (out) {
        write_piece(out, 0);
        write_html(out, title && *title ? title : "Take");
        write_piece(out, 1);
        write_script(out, json);
        write_piece(out, 2);
        bool whole = !ferror(out);
        if (fclose(out) || !whole) {
            free(page);
            page = NULL;
        }
    }
    free(json);
    return page;
}

int stem_report_write(const char *folder, const struct stem_take *take,
    const struct stem_survey *survey, struct stem_error *error)
{
    size_t size;
    json_t *data = stem_report_data(take, survey);
    char *page = data ? compose(data, &size) : NULL;
    json_decref(data);
    if (!page)
        return stem_error_set(error, "no memory for \"%s/%s\"", folder, STEM_REPORT_FILE);
    int status = stem_replace_file(folder, STEM_REPORT_FILE, page, size, error);
    free(page);
    return status;
}
