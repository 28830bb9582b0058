/* stemctl diff A B: how far two files, or two takes, are apart. */
#include "audio_diff.h"
#include "gain.h"
#include "take.h"
#include "text.h"
#include "work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096 + 256, LINE_BYTES = 256 };

struct diff {
    struct stemctl *ctl;
    struct stemctl_work work;
    json_t *files; /* one object for each pair */
    bool same;
    struct stem_error error;
};

static void say(char text[LINE_BYTES], const char *format, ...) STEM_PRINTF(2, 3);

static void say(char text[LINE_BYTES], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, LINE_BYTES, format, arguments);
    va_end(arguments);
}

/* In one sentence. */
static void judge(const struct stem_audio_diff *diff, char text[LINE_BYTES])
{
    double first = diff->a.rate_hz ? (double)diff->first / diff->a.rate_hz : 0;
    if (!diff->is_comparable)
        say(text, "cannot be compared: %u channels at %u Hz, and %u at %u", diff->a.channels,
            diff->a.rate_hz, diff->b.channels, diff->b.rate_hz);
    else if (stem_audio_diff_is_same(diff))
        say(text, "same");
    else if (diff->differing == 0)
        say(text, "lengths differ: %" PRIu64 " and %" PRIu64 " frames; what both have is the same",
            diff->a.frames, diff->b.frames);
    else
        say(text, "%" PRIu64 " frames differ, from %.6f s (frame %" PRIu64 ") on%s",
            diff->differing, first, diff->first,
            diff->a.frames == diff->b.frames ? "" : "; lengths differ too");
}

static json_t *diff_json(const char *name, const struct stem_audio_diff *diff)
{
    char text[LINE_BYTES];
    bool differs = diff->differing > 0;
    judge(diff, text);
    return json_pack("{s:o, s:b, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "name",
        stemctl_json_text(name), "same", stem_audio_diff_is_same(diff), "text", text, "frames_a",
        (json_int_t)diff->a.frames, "frames_b", (json_int_t)diff->b.frames, "compared",
        (json_int_t)diff->frames, "differing", (json_int_t)diff->differing, "first",
        differs ? json_integer((json_int_t)diff->first) : json_null(), "peak_dbfs",
        differs ? stemctl_json_real(stem_gain_to_db(diff->peak)) : json_null(), "rms_dbfs",
        differs ? stemctl_json_real(stem_gain_to_db(diff->rms)) : json_null());
}

/* Something that only one of the takes has. */
static void add_lonely(struct diff *diff, const char *name, const char *where)
{
    char text[LINE_BYTES];
    say(text, "only in %s", where);
    json_array_append_new(diff->files, json_pack("{s:o, s:b, s:o}", "name", stemctl_json_text(name),
                                           "same", 0, "text", stemctl_json_text(text)));
    diff->same = false;
}

static int add_pair(struct diff *diff, const char *name, const char *a, const char *b)
{
    struct stem_audio_diff result;
    if (stem_audio_diff_files(a, b, stemctl_work_progress, &diff->work, &result, &diff->error))
        return -1;
    diff->same = diff->same && stem_audio_diff_is_same(&result);
    json_array_append_new(diff->files, diff_json(name, &result));
    return 0;
}

/* Takes: files belong together that have the same name and role in the manifests. */

static struct stem_take_stem *partner(
    struct stem_take *take, const struct stem_take *of, const struct stem_take_stem *stem)
{
    bool is_mix = stem == &of->mix;
    struct stem_take_stem *other;
    if (is_mix)
        return take->has_mix ? &take->mix : NULL;
    for (size_t k = 0; (other = stem_take_file(take, k)); k++)
        if (other != &take->mix && strcmp(other->name, stem->name) == 0 &&
            other->role == stem->role)
            return other;
    return NULL;
}

static int compare_files(struct diff *diff, struct stem_take *a, struct stem_take *b)
{
    char a_path[PATH_BYTES], b_path[PATH_BYTES];
    struct stem_take_stem *one, *other;
    size_t count = 0;
    while (stem_take_file(a, count))
        count++;
    for (size_t k = 0; (one = stem_take_file(a, k)); k++) {
        diff->work.from = (double)k / (double)count;
        diff->work.to = (double)(k + 1) / (double)count;
        if (!(other = partner(b, a, one))) {
            add_lonely(diff, one->name, diff->ctl->words[0]);
            continue;
        }
        snprintf(a_path, sizeof a_path, "%s/%s", diff->ctl->words[0], one->file);
        snprintf(b_path, sizeof b_path, "%s/%s", diff->ctl->words[1], other->file);
        if (add_pair(diff, one->name, a_path, b_path))
            return -1;
    }
    for (size_t k = 0; (one = stem_take_file(b, k)); k++)
        if (!partner(a, b, one))
            add_lonely(diff, one->name, diff->ctl->words[1]);
    return 0;
}

static int compare_takes(struct diff *diff)
{
    struct stem_take a = {0}, b = {0};
    int status = -1;
    if (stem_take_load(&a, diff->ctl->words[0], &diff->error) == 0 &&
        stem_take_load(&b, diff->ctl->words[1], &diff->error) == 0)
        status = compare_files(diff, &a, &b);
    stem_take_finish(&a);
    stem_take_finish(&b);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 && S_ISDIR(there.st_mode);
}

static int compare(struct diff *diff)
{
    const char *a = diff->ctl->words[0], *b = diff->ctl->words[1];
    if (is_folder(a) != is_folder(b))
        return stem_error_set(&diff->error, "a file and a folder cannot be compared");
    return is_folder(a) ? compare_takes(diff) : add_pair(diff, a, a, b);
}

/* Answers */

static void add_row(struct stemctl_table *table, const json_t *file)
{
    bool same = json_is_true(json_object_get(file, "same"));
    const json_t *peak = json_object_get(file, "peak_dbfs"),
                 *rms = json_object_get(file, "rms_dbfs");
    stemctl_table_add(
        table, STEMCTL_STRONG, "%s", json_string_value(json_object_get(file, "name")));
    for (int k = 0; k < 2; k++)
        if (json_is_number(k ? rms : peak))
            stemctl_table_add(
                table, STEMCTL_WARNING, "%.1f dBFS", json_number_value(k ? rms : peak));
        else
            stemctl_table_add(table, STEMCTL_FAINT, "-");
    stemctl_table_add(table, same ? STEMCTL_GOOD : STEMCTL_BAD, "%s",
        json_string_value(json_object_get(file, "text")));
}

static void print_diff(const struct diff *diff)
{
    static const struct stemctl_column COLUMNS[] = {
        {"name", false}, {"peak", true}, {"RMS", true}, {"difference", false}};
    struct stemctl_table *table = stemctl_table_create(COLUMNS, 4);
    size_t index;
    json_t *file;
    json_array_foreach(diff->files, index, file) add_row(table, file);
    stemctl_table_print(table, stdout, diff->ctl->output.colours);
    stemctl_table_destroy(table);
}

enum stemctl_exit run_diff(struct stemctl *ctl)
{
    struct diff diff = {.ctl = ctl, .files = json_array(), .same = true};
    stemctl_work_begin(&diff.work, ctl, "comparing");
    int status = compare(&diff);
    stemctl_work_end(&diff.work);
    enum stemctl_exit code = diff.same ? STEMCTL_OK : STEMCTL_REFUSED;
    if (status)
        code = stemctl_work_fail(&diff.work, ctl, &diff.error);
    else if (ctl->output.json)
        stemctl_print_json(json_pack("{s:b, s:O}", "same", diff.same, "files", diff.files));
    else
        print_diff(&diff);
    json_decref(diff.files);
    return code;
}
