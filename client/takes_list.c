/* stemctl list [FOLDER]: the takes in a folder, without the daemon. */
#include "format.h"
#include "gain.h"
#include "stemctl.h"
#include "take.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096 + 256 };

static const char *null_test_word(const struct stem_take_residual *residual)
{
    return !residual->measured ? "-" : residual->passed ? "passed" : "failed";
}

static json_t *take_json(const char *folder, const struct stem_take *take)
{
    return json_pack("{s:o, s:o, s:f, s:i, s:s, s:o, s:o, s:f, s:o, s:i, s:s, s:s, s:i, s:b, s:s}",
        "folder", stemctl_json_text(folder), "title",
        stemctl_json_text(take->title ? take->title : ""), "seconds",
        take->rate_hz ? (double)take->frames / take->rate_hz : 0.0, "gaps", (int)take->gap_count,
        "state", STEM_TAKE_PROGRESS[take->progress], "started",
        take->started ? stemctl_json_text(take->started) : json_null(), "key",
        stemctl_json_text(take->key ? take->key : ""), "tempo", take->tempo_bpm, "previous",
        take->previous ? stemctl_json_text(take->previous) : json_null(), "rate_hz",
        (int)take->rate_hz, "container", stem_container_name(take->container), "encoding",
        stem_encoding_name(take->encoding), "stems", (int)take->stem_count, "finished",
        take->finished != NULL, "null_test", null_test_word(&take->residual));
}

/* What is no take is passed over; a take that cannot be read is told. */
static void add_take(json_t *takes, json_t *problems, const char *folder)
{
    struct stem_take take = {0};
    struct stem_error error = {""};
    struct stat there;
    char manifest[PATH_BYTES + 16];
    snprintf(manifest, sizeof manifest, "%s/%s", folder, STEM_TAKE_MANIFEST);
    if (lstat(manifest, &there) != 0)
        return;
    if (stem_take_load(&take, folder, &error))
        json_array_append_new(problems, stemctl_json_text(error.text));
    else
        json_array_append_new(takes, take_json(folder, &take));
    stem_take_finish(&take);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The folder is a take itself, or holds some. -1 and errno when it cannot be read. */
static int look(json_t *takes, json_t *problems, const char *folder)
{
    struct dirent **entries = NULL;
    add_take(takes, problems, folder);
    if (json_array_size(takes) + json_array_size(problems) > 0)
        return 0;
    int count = scandir(folder, &entries, is_visible, alphasort);
    for (int k = 0; k < count; k++) {
        char path[PATH_BYTES];
        if (snprintf(path, sizeof path, "%s/%s", folder, entries[k]->d_name) < (int)sizeof path)
            add_take(takes, problems, path);
        free(entries[k]);
    }
    free(entries);
    return count < 0 ? -1 : 0;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static enum stemctl_style word_style(const char *word)
{
    return strcmp(word, "complete") == 0 || strcmp(word, "passed") == 0 ? STEMCTL_GOOD
           : strcmp(word, "failed") == 0                                ? STEMCTL_BAD
           : strcmp(word, "-") == 0                                     ? STEMCTL_FAINT
                                                                        : STEMCTL_WARNING;
}

static void add_row(struct stemctl_table *table, const json_t *take)
{
    char length[STEMCTL_NUMBER_BYTES];
    double gaps = json_number_value(json_object_get(take, "gaps"));
    double rate = json_number_value(json_object_get(take, "rate_hz"));
    const char *state = text_of(take, "state"), *null_test = text_of(take, "null_test");
    stemctl_text_length(json_number_value(json_object_get(take, "seconds")), length, sizeof length);
    stemctl_table_add(table, STEMCTL_PLAIN, "%s", length);
    stemctl_table_add(table, gaps > 0 ? STEMCTL_WARNING : STEMCTL_PLAIN, "%.0f", gaps);
    stemctl_table_add(table, word_style(state), "%s", state);
    stemctl_table_add(table, word_style(null_test), "%s", null_test);
    stemctl_table_add(
        table, STEMCTL_PLAIN, "%.0f", json_number_value(json_object_get(take, "stems")));
    stemctl_table_add(table, STEMCTL_PLAIN, "%s %s %g kHz", text_of(take, "container"),
        text_of(take, "encoding"), rate / 1000);
    stemctl_table_add(table, STEMCTL_STRONG, "%s", text_of(take, "title"));
    stemctl_table_add(table, STEMCTL_PLAIN, "%s", text_of(take, "folder"));
}

static void print_takes(const struct stemctl_output *output, const json_t *takes)
{
    static const struct stemctl_column COLUMNS[] = {{"length", true}, {"gaps", true},
        {"state", false}, {"null test", false}, {"stems", true}, {"format", false},
        {"title", false}, {"folder", false}};
    struct stemctl_table *table = stemctl_table_create(COLUMNS, 8);
    size_t index;
    json_t *take;
    json_array_foreach(takes, index, take) add_row(table, take);
    if (json_array_size(takes) > 0)
        stemctl_table_print(table, stdout, output->colours);
    else if (output->terminal)
        puts("no takes here");
    stemctl_table_destroy(table);
}

static void print_all(const struct stemctl_output *output, json_t *takes, json_t *problems)
{
    size_t index;
    json_t *problem;
    if (output->json) {
        stemctl_print_json(json_pack("{s:O, s:O}", "takes", takes, "problems", problems));
        return;
    }
    print_takes(output, takes);
    json_array_foreach(problems, index, problem)
        stemctl_fail(output, STEMCTL_REFUSED, json_string_value(problem));
}

enum stemctl_exit run_list(struct stemctl *ctl)
{
    const char *folder = ctl->word_count ? ctl->words[0] : ".";
    json_t *takes = json_array(), *problems = json_array();
    struct stem_error error;
    enum stemctl_exit code = STEMCTL_OK;
    if (look(takes, problems, folder)) {
        stem_error_set_errno(&error, errno, "cannot read the folder \"%s\"", folder);
        code = stemctl_fail(&ctl->output, STEMCTL_REFUSED, error.text);
    } else {
        print_all(&ctl->output, takes, problems);
        if (json_array_size(problems) > 0)
            code = STEMCTL_REFUSED;
    }
    json_decref(takes);
    json_decref(problems);
    return code;
}
