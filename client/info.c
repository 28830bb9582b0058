/* Commands that ask. What the daemon tells is collected as JSON first: --json prints it as it is,
 * people get a block or a table made from it.
 */
#include "stemctl.h"

#include "show.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Data messages become members of an object, or objects with `keys` in an array. */
struct collection {
    json_t *json;
    const char *const *keys;
    int key_count;
};

/* A float has about seven digits; more would show how it is stored. */
static double float_value(float value)
{
    char text[STEMCTL_NUMBER_BYTES];
    snprintf(text, sizeof text, "%.7g", (double)value);
    return strtod(text, NULL);
}

static json_t *json_value(char type, const lo_arg *value)
{
    switch (type) {
    case 'i':
        return json_integer(osc_int(value));
    case 'h':
        return json_integer(osc_long(value));
    case 'f':
        return stemctl_json_real(float_value(osc_float(value)));
    case 'd':
        return stemctl_json_real(osc_double(value));
    case 's':
        return stemctl_json_text(osc_text(value));
    default:
        return json_null();
    }
}

/* "/status/<key> value". */
static void add_member(const char *path, lo_message message, void *data)
{
    struct collection *collection = data;
    if (lo_message_get_argc(message) == 1)
        json_object_set_new(collection->json, strrchr(path, '/') + 1,
            json_value(lo_message_get_types(message)[0], lo_message_get_argv(message)[0]));
}

static void add_row(const char *path, lo_message message, void *data)
{
    (void)path;
    struct collection *collection = data;
    json_t *row = json_object();
    const char *types = lo_message_get_types(message);
    for (int k = 0; k < lo_message_get_argc(message) && k < collection->key_count; k++)
        json_object_set_new(
            row, collection->keys[k], json_value(types[k], lo_message_get_argv(message)[k]));
    json_t *muted = json_object_get(row, "muted");
    if (muted) /* OSC knows it as a number, since buttons do */
        json_object_set_new(row, "muted", json_boolean(json_number_value(muted) != 0));
    json_array_append_new(collection->json, row);
}

static void forget(void *data)
{
    struct collection *collection = data;
    json_object_clear(collection->json);
    json_array_clear(collection->json);
}

enum stemctl_exit run_status(struct stemctl *ctl)
{
    struct collection collection = {.json = json_object()};
    enum stemctl_exit code = stemctl_ask_list(ctl, "/status", add_member, forget, &collection);
    if (code == STEMCTL_OK && ctl->output.json)
        stemctl_print_json(json_incref(collection.json));
    else if (code == STEMCTL_OK)
        stemctl_show_status(&ctl->output, ctl->url, collection.json);
    json_decref(collection.json);
    return code;
}

static enum stemctl_exit run_rows(struct stemctl *ctl, const char *path, const char *name,
    const char *const *keys, int key_count,
    void (*print)(const struct stemctl_output *output, const json_t *array))
{
    struct collection rows = {json_array(), keys, key_count};
    enum stemctl_exit code = stemctl_ask_list(ctl, path, add_row, forget, &rows);
    if (code == STEMCTL_OK && ctl->output.json)
        stemctl_print_json(json_pack("{s:O}", name, rows.json));
    else if (code == STEMCTL_OK)
        print(&ctl->output, rows.json);
    json_decref(rows.json);
    return code;
}

enum stemctl_exit run_stems(struct stemctl *ctl)
{
    static const char *const KEYS[] = {
        "number", "name", "channels", "ports", "connected", "muted", "peak_dbfs"};
    return run_rows(ctl, "/stems", "stems", KEYS, 7, stemctl_show_stems);
}

enum stemctl_exit run_takes(struct stemctl *ctl)
{
    static const char *const KEYS[] = {"folder", "title", "seconds", "gaps", "state"};
    return run_rows(ctl, "/takes", "takes", KEYS, 5, stemctl_show_takes);
}

/* ping and version */

static enum stemctl_exit run_simple(struct stemctl *ctl, const char *path, const char *label)
{
    struct osc_answer answer;
    enum stemctl_exit code = stemctl_ask(ctl, path, NULL, NULL, NULL, &answer);
    if (code == STEMCTL_OK && ctl->output.json) {
        stemctl_print_json(json_pack("{s:o}", label, stemctl_json_text(answer.text)));
    } else if (code == STEMCTL_OK) {
        stemctl_print(&ctl->output, STEMCTL_PLAIN, answer.text);
        putchar('\n');
    }
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
