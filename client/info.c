/* Commands that ask. */
#include "stemctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below this OSC means silence (see /stems). */
#define SILENCE_DBFS (-199.0)

static json_t *json_value(char type, lo_arg *value)
{
    switch (type) {
    case 'i':
        return json_integer(value->i);
    case 'h':
        return json_integer(value->h);
    case 'f':
        return json_real((double)value->f);
    case 'd':
        return json_real(value->d);
    case 's':
        return stemctl_json_text(&value->s);
    default:
        return json_null();
    }
}

/* The final answer says how many messages came before it: none may be missing. */
static enum stemctl_exit check_count(const struct stemctl *ctl, const struct osc_answer *answer)
{
    if (strtoul(answer->text, NULL, 10) == answer->data_messages)
        return STEMCTL_OK;
    stemctl_fail(ctl, STEMCTL_NO_ANSWER, "a part of the answer was lost on the way; try again");
    return STEMCTL_NO_ANSWER;
}

/* Collects "/status/<key> value" into an object. */
static void add_status(const char *path, lo_message message, void *data)
{
    json_t *object = data;
    if (lo_message_get_argc(message) == 1)
        json_object_set_new(object, strrchr(path, '/') + 1,
            json_value(lo_message_get_types(message)[0], lo_message_get_argv(message)[0]));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void print_line(const char *label, const char *text)
{
    printf("%-9s ", label);
    stemctl_print_text(text, 0);
    putchar('\n');
}

static void print_take(const json_t *status)
{
    char length[32], line[160];
    stemctl_format_time(number_of(status, "seconds"), length, sizeof length);
    print_line("take", text_of(status, "folder"));
    if (text_of(status, "title")[0])
        print_line("title", text_of(status, "title"));
    if (number_of(status, "tempo") > 0) {
        snprintf(line, sizeof line, "%g bpm", number_of(status, "tempo"));
        print_line("tempo", line);
    }
    if (text_of(status, "key")[0])
        print_line("key", text_of(status, "key"));
    print_line("length", length);
    snprintf(line, sizeof line, "%.0f gaps (%.0f frames), %.0f xruns, %.0f clipped samples",
        number_of(status, "gaps"), number_of(status, "gap_frames"), number_of(status, "xruns"),
        number_of(status, "clips"));
    print_line("health", line);
}

static void print_status(const json_t *status)
{
    char line[256], left[32];
    print_line("state", text_of(status, "state"));
    print_line("", text_of(status, "message"));
    if (text_of(status, "folder")[0])
        print_take(status);
    snprintf(line, sizeof line, "%.64s (%.16s), %.0f Hz, period %.0f", text_of(status, "server"),
        text_of(status, "jack"), number_of(status, "rate"), number_of(status, "period"));
    print_line("server", line);
    snprintf(line, sizeof line, "%.0f stems as %.32s", number_of(status, "stems"),
        text_of(status, "format"));
    print_line("format", line);
    snprintf(line, sizeof line, "%.1f %% of %.0f s used", 100 * number_of(status, "tape_used"),
        number_of(status, "tape_seconds"));
    print_line("tape", line);
    stemctl_format_time(number_of(status, "disk_seconds"), left, sizeof left);
    snprintf(line, sizeof line, "%.1f GB free, enough for %.*s",
        number_of(status, "disk_free_bytes") / 1e9, (int)strcspn(left, "."), left);
    print_line("disk", line);
}

enum stemctl_exit run_status(struct stemctl *ctl)
{
    json_t *status = json_object();
    struct osc_answer answer;
    enum stemctl_exit code = stemctl_ask(ctl, "/status", NULL, add_status, status, &answer);
    if (code == STEMCTL_OK)
        code = check_count(ctl, &answer);
    if (code == STEMCTL_OK && ctl->json)
        stemctl_print_json(json_incref(status));
    else if (code == STEMCTL_OK)
        print_status(status);
    json_decref(status);
    return code;
}

/* Rows: each data message becomes an object with the given keys. */
struct rows {
    json_t *array;
    const char *const *keys;
    int key_count;
};

static void add_row(const char *path, lo_message message, void *data)
{
    (void)path;
    struct rows *rows = data;
    json_t *row = json_object();
    const char *types = lo_message_get_types(message);
    for (int k = 0; k < lo_message_get_argc(message) && k < rows->key_count; k++)
        json_object_set_new(
            row, rows->keys[k], json_value(types[k], lo_message_get_argv(message)[k]));
    json_array_append_new(rows->array, row);
}

static int widest(const json_t *array, const char *key, int least)
{
    size_t index;
    json_t *row;
    json_array_foreach(array, index, row)
    {
        int columns = stemctl_columns(text_of(row, key));
        least = columns > least ? columns : least;
    }
    return least;
}

static void print_stems(const json_t *array)
{
    int width = widest(array, "name", 4);
    size_t index;
    json_t *row;
    printf(" #  %-*s  ch  connected  peak (1 s)\n", width, "stem");
    json_array_foreach(array, index, row)
    {
        double peak = number_of(row, "peak_dbfs");
        printf("%02.0f  ", number_of(row, "number"));
        stemctl_print_text(text_of(row, "name"), width);
        printf("  %2.0f  %4.0f of %-3.0f", number_of(row, "channels"), number_of(row, "connected"),
            number_of(row, "ports"));
        if (peak > SILENCE_DBFS)
            printf(" %6.1f dBFS", peak);
        else
            printf("     silent");
        printf("%s\n", number_of(row, "muted") != 0 ? "  muted" : "");
    }
}

static void print_takes(const json_t *array)
{
    int width = widest(array, "folder", 6);
    size_t index;
    json_t *row;
    char length[32];
    printf("%-*s  %13s  gaps  state\n", width, "folder", "length");
    json_array_foreach(array, index, row)
    {
        stemctl_format_time(number_of(row, "seconds"), length, sizeof length);
        stemctl_print_text(text_of(row, "folder"), width);
        printf("  %13s  %4.0f  ", length, number_of(row, "gaps"));
        stemctl_print_text(text_of(row, "state"), 0);
        putchar('\n');
    }
}

static enum stemctl_exit run_rows(struct stemctl *ctl, const char *path, const char *name,
    const char *const *keys, int key_count, void (*print)(const json_t *array))
{
    struct rows rows = {json_array(), keys, key_count};
    struct osc_answer answer;
    enum stemctl_exit code = stemctl_ask(ctl, path, NULL, add_row, &rows, &answer);
    if (code == STEMCTL_OK)
        code = check_count(ctl, &answer);
    if (code == STEMCTL_OK && ctl->json)
        stemctl_print_json(json_pack("{s:O}", name, rows.array));
    else if (code == STEMCTL_OK)
        print(rows.array);
    json_decref(rows.array);
    return code;
}

enum stemctl_exit run_stems(struct stemctl *ctl)
{
    static const char *const KEYS[] = {
        "number", "name", "channels", "ports", "connected", "muted", "peak_dbfs"};
    return run_rows(ctl, "/stems", "stems", KEYS, 7, print_stems);
}

enum stemctl_exit run_takes(struct stemctl *ctl)
{
    static const char *const KEYS[] = {"folder", "title", "seconds", "gaps", "state"};
    return run_rows(ctl, "/takes", "takes", KEYS, 5, print_takes);
}

static enum stemctl_exit run_simple(struct stemctl *ctl, const char *path, const char *label)
{
    struct osc_answer answer;
    enum stemctl_exit code = stemctl_ask(ctl, path, NULL, NULL, NULL, &answer);
    if (code == STEMCTL_OK && ctl->json)
        stemctl_print_json(json_pack("{s:o}", label, stemctl_json_text(answer.text)));
    else if (code == STEMCTL_OK)
        printf("%s\n", answer.text);
    return code;
}

enum stemctl_exit run_ping(struct stemctl *ctl)
{
    return run_simple(ctl, "/ping", "ping");
}

enum stemctl_exit run_version(struct stemctl *ctl)
{
    return run_simple(ctl, "/version", "version");
}
