#include "table.h"

#include "text.h"

#include <stdarg.h>
#include <stdlib.h>

struct cell {
    char *text; /* NULL: there was no memory for it */
    enum stemctl_style style;
};

struct stemctl_table {
    const struct stemctl_column *columns;
    size_t column_count;
    struct cell *cells; /* row by row */
    size_t cell_count;
    size_t room;
};

const char *stemctl_style_begin(enum stemctl_style style, bool colours)
{
    static const char *const ESCAPES[] = {
        [STEMCTL_PLAIN] = "\033[0m",
        [STEMCTL_STRONG] = "\033[1m",
        [STEMCTL_FAINT] = "\033[2m",
        [STEMCTL_GOOD] = "\033[32m",
        [STEMCTL_WARNING] = "\033[33m",
        [STEMCTL_BAD] = "\033[1;31m",
    };
    return colours ? ESCAPES[style] : "";
}

struct stemctl_table *stemctl_table_create(const struct stemctl_column *columns, size_t count)
{
    struct stemctl_table *table = calloc(1, sizeof *table);
    if (table)
        *table = (struct stemctl_table){.columns = columns, .column_count = count};
    return table;
}

void stemctl_table_destroy(struct stemctl_table *table)
{
    if (!table)
        return;
    for (size_t k = 0; k < table->cell_count; k++)
        free(table->cells[k].text);
    free(table->cells);
    free(table);
}

static bool make_room(struct stemctl_table *table)
{
    if (table->cell_count < table->room)
        return true;
    size_t room = table->room ? 2 * table->room : 64;
    struct cell *cells = realloc(table->cells, room * sizeof *cells);
    if (!cells)
        return false;
    table->cells = cells;
    table->room = room;
    return true;
}

void stemctl_table_add(
    struct stemctl_table *table, enum stemctl_style style, const char *format, ...)
{
    if (!table || !make_room(table))
        return;
    struct cell *cell = &table->cells[table->cell_count++];
    cell->style = style;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&cell->text, format, arguments) < 0)
        cell->text = NULL;
    va_end(arguments);
}

static const char *text_of(const struct cell *cell)
{
    return cell->text ? cell->text : "";
}

static int width_of(const struct stemctl_table *table, size_t column)
{
    int widest = stemctl_text_columns(table->columns[column].title);
    for (size_t k = column; k < table->cell_count; k += table->column_count) {
        int width = stemctl_text_columns(text_of(&table->cells[k]));
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void print_styled(FILE *out, const char *text, enum stemctl_style style, bool colours)
{
    bool styled = style != STEMCTL_PLAIN && *text;
    fputs(stemctl_style_begin(style, colours && styled), out);
    stemctl_text_write(out, text);
    fputs(stemctl_style_begin(STEMCTL_PLAIN, colours && styled), out);
}

/* Spaces are written only in front of something: `owed` collects them. */
static void print_cell(
    FILE *out, const struct cell *cell, int width, bool right, bool colours, int *owed)
{
    const char *text = text_of(cell);
    int pad = width - stemctl_text_columns(text);
    if (right)
        *owed += pad;
    if (*text) {
        fprintf(out, "%*s", *owed, "");
        *owed = 0;
        print_styled(out, text, cell->style, colours);
    }
    if (!right)
        *owed += pad;
}

/* One row of cells, or the titles when `cells` is NULL. */
static void print_row(const struct stemctl_table *table, const struct cell *cells,
    const int *widths, FILE *out, bool colours)
{
    enum { BETWEEN = 2 };
    int owed = 0;
    for (size_t c = 0; c < table->column_count; c++) {
        const struct stemctl_column *column = &table->columns[c];
        const struct cell title = {(char *)column->title, STEMCTL_FAINT};
        print_cell(out, cells ? &cells[c] : &title, widths[c], column->right, colours, &owed);
        owed += BETWEEN;
    }
    fputc('\n', out);
}

void stemctl_table_print(const struct stemctl_table *table, FILE *out, bool colours)
{
    int *widths = table ? calloc(table->column_count + 1, sizeof *widths) : NULL;
    if (!widths)
        return;
    for (size_t c = 0; c < table->column_count; c++)
        widths[c] = width_of(table, c);
    print_row(table, NULL, widths, out, colours);
    size_t rows = table->cell_count / table->column_count;
    for (size_t r = 0; r < rows; r++)
        print_row(table, &table->cells[r * table->column_count], widths, out, colours);
    free(widths);
}
