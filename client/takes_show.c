/* stemctl show FOLDER: everything that is known of a take, from its manifest. */
#include "format.h"
#include "gain.h"
#include "stemctl.h"
#include "take.h"
#include "tempo.h"
#include "text.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = PATH_MAX + 64, MOST_ROWS = 20 };

static void line(const struct stemctl_output *output, const char *label, enum stemctl_style style,
    const char *format, ...) STEM_PRINTF(4, 5);

static void line(const struct stemctl_output *output, const char *label, enum stemctl_style style,
    const char *format, ...)
{
    char text[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    stemctl_print_line(output, label, style, text);
}

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

static double seconds_of(const struct stem_take *take, uint64_t frames)
{
    return take->rate_hz ? (double)frames / take->rate_hz : 0;
}

/* The take */

/* What to say of a folder with another part. */
static const char *unless_there(const char *folder)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, STEM_TAKE_MANIFEST);
    return access(path, F_OK) == 0 ? "" : ", which is not there";
}

static void print_music(const struct stemctl_output *output, const struct stem_take *take)
{
    struct stem_take_tempo only;
    const struct stem_tempo_map map = stem_tempo_of_take(take, &only);
    if (take->tempo_count)
        line(output, "tempo", STEMCTL_PLAIN, "%g bpm in %g/%g%s", map.entries[0].bpm,
            map.entries[0].beats_per_bar, map.entries[0].beat_type,
            map.count > 1 ? ", and changes" : "");
    else if (take->tempo_bpm > 0)
        line(output, "tempo", STEMCTL_PLAIN, "%g bpm", take->tempo_bpm);
    if (take->key && *take->key)
        line(output, "key", STEMCTL_PLAIN, "%s", take->key);
}

static void print_take(
    const struct stemctl_output *output, const char *folder, const struct stem_take *take)
{
    char length[STEMCTL_NUMBER_BYTES];
    bool is_good = take->progress == STEM_TAKE_COMPLETE;
    stemctl_text_length(seconds_of(take, take->frames), length, sizeof length);
    line(output, "take", STEMCTL_STRONG, "%s", folder);
    line(output, "title", STEMCTL_PLAIN, "%s", or_dash(take->title));
    line(output, "state", is_good ? STEMCTL_GOOD : STEMCTL_WARNING, "%s%s%s%s",
        STEM_TAKE_PROGRESS[take->progress], take->failure ? ": " : "",
        take->failure ? take->failure : "",
        take->finished ? ", finished" : ", not finished (stemctl finish)");
    line(output, "started", STEMCTL_PLAIN, "%s by %s, with %s", or_dash(take->started),
        or_dash(take->started_by), or_dash(take->recorder));
    line(output, "length", STEMCTL_STRONG, "%s (%" PRIu64 " frames)", length, take->frames);
    line(output, "format", STEMCTL_PLAIN, "%s %s, %g kHz", stem_container_name(take->container),
        stem_encoding_name(take->encoding), take->rate_hz / 1000.0);
    line(output, "place", STEMCTL_PLAIN, "time reference %" PRIu64 " (frame %" PRIu64 " of JACK's)",
        take->time_reference, take->start_frame);
    print_music(output, take);
    if (take->previous)
        line(output, "follows", STEMCTL_PLAIN, "%s", take->previous);
    if (take->part > 1)
        line(output, "part", STEMCTL_WARNING, "%u, from frame %" PRIu64, take->part,
            take->part_frame);
    if (take->continued_from)
        line(output, "goes on", STEMCTL_WARNING, "from %s%s", take->continued_from,
            unless_there(take->continued_from));
    if (take->continued_in)
        line(output, "goes on", STEMCTL_WARNING, "in %s%s", take->continued_in,
            unless_there(take->continued_in));
    if (take->mirror)
        line(output, "mirror", STEMCTL_PLAIN, "%s", take->mirror);
}

/* Files */

static void add_level(
    struct stemctl_table *table, const struct stem_take_stem *stem, double level, const char *unit)
{
    if (!stem->levels.measured)
        stemctl_table_add(table, STEMCTL_FAINT, "-");
    else if (!isfinite(level))
        stemctl_table_add(table, STEMCTL_FAINT, "silent");
    else
        stemctl_table_add(table, STEMCTL_PLAIN, "%.1f %s", level, unit);
}

static void add_file(
    struct stemctl_table *table, const struct stem_take_stem *stem, const char *role)
{
    double peak = stem_gain_to_db(stem->peak);
    stemctl_table_add(table, STEMCTL_PLAIN, "%s", stem->file);
    stemctl_table_add(table, STEMCTL_STRONG, "%s", stem->name);
    stemctl_table_add(table, STEMCTL_FAINT, "%s", role);
    stemctl_table_add(table, STEMCTL_PLAIN, "%u", stem->channels);
    if (stem->peak > 0)
        stemctl_table_add(table, peak > 0 ? STEMCTL_BAD : STEMCTL_PLAIN, "%.1f dBFS", peak);
    else
        stemctl_table_add(table, STEMCTL_FAINT, "silent");
    add_level(table, stem, stem->levels.true_peak_dbtp, "dBTP");
    add_level(table, stem, stem->levels.integrated_lufs, "LUFS");
    add_level(table, stem, stem->levels.rms_dbfs, "dBFS");
    stemctl_table_add(table, stem->clips ? STEMCTL_BAD : STEMCTL_PLAIN, "%" PRIu64, stem->clips);
    stemctl_table_add(table, STEMCTL_WARNING, "%s", stem->muted ? "muted at the start" : "");
}

static void print_files(const struct stemctl_output *output, const struct stem_take *take)
{
    static const struct stemctl_column COLUMNS[] = {{"file", false}, {"name", false},
        {"holds", false}, {"ch", true}, {"peak", true}, {"true peak", true}, {"loudness", true},
        {"RMS", true}, {"clips", true}, {"", false}};
    struct stemctl_table *table = stemctl_table_create(COLUMNS, 10);
    if (take->has_mix)
        add_file(table, &take->mix, "mix");
    for (size_t k = 0; k < take->stem_count; k++)
        add_file(table, &take->stems[k], STEM_TAKE_ROLE[take->stems[k].role]);
    for (size_t k = 0; k < take->extra_count; k++)
        add_file(table, &take->extras[k], "beside the sum");
    putchar('\n');
    stemctl_table_print(table, stdout, output->colours);
    putchar('\n');
    stemctl_table_destroy(table);
}

/* What happened */

/* Long lists are told by their number. */
static void tell_rest(const struct stemctl_output *output, size_t count)
{
    if (count > MOST_ROWS)
        line(output, "", STEMCTL_FAINT, "and %zu more (--json tells all)", count - MOST_ROWS);
}

static void print_gaps(const struct stemctl_output *output, const struct stem_take *take)
{
    char count[STEMCTL_NUMBER_BYTES], reasons[64], at[STEMCTL_NUMBER_BYTES];
    stemctl_text_count((double)take->gap_count, "gap", count, sizeof count);
    line(output, "gaps", take->gap_count ? STEMCTL_BAD : STEMCTL_GOOD, "%s, %" PRIu64 " frames",
        count, stem_take_gap_frames(take));
    for (size_t k = 0; k < take->gap_count && k < MOST_ROWS; k++) {
        stem_take_reason_words(take->gaps[k].reasons, reasons, sizeof reasons);
        stemctl_text_length(seconds_of(take, take->gaps[k].frame), at, sizeof at);
        line(output, "", STEMCTL_PLAIN, "%s  %" PRIu64 " frames  %s", at, take->gaps[k].frames,
            reasons);
    }
    tell_rest(output, take->gap_count);
    if (take->xrun_count)
        line(output, "xruns", STEMCTL_WARNING, "%zu", take->xrun_count);
}

static void print_markers(const struct stemctl_output *output, const struct stem_take *take)
{
    char at[STEMCTL_NUMBER_BYTES];
    for (size_t k = 0; k < take->marker_count && k < MOST_ROWS; k++) {
        stemctl_text_length(seconds_of(take, take->markers[k].frame), at, sizeof at);
        line(output, k ? "" : "markers", STEMCTL_PLAIN, "%s  %s", at, take->markers[k].text);
    }
    tell_rest(output, take->marker_count);
}

static void print_null_test(const struct stemctl_output *output, const struct stem_take *take)
{
    const struct stem_take_residual *residual = &take->residual;
    if (!residual->measured) {
        line(output, "null test", STEMCTL_FAINT, "%s",
            take->has_mix ? "not measured yet" : "no mix was recorded");
        return;
    }
    line(output, "null test", residual->passed ? STEMCTL_GOOD : STEMCTL_BAD,
        "%s: residual's peak %.1f dBFS, RMS %.1f dBFS; explained up to %.1f dBFS",
        residual->passed ? "passed" : "failed", stem_gain_to_db(residual->peak),
        stem_gain_to_db(residual->rms), stem_gain_to_db(residual->bound));
    if (residual->hint)
        line(output, "", STEMCTL_WARNING, "%s", residual->hint);
}

/* The manifest as it is, and where it was found. */
static enum stemctl_exit print_manifest(const struct stemctl *ctl, const char *folder)
{
    char path[4096];
    json_error_t problem;
    snprintf(path, sizeof path, "%s/%s", folder, STEM_TAKE_MANIFEST);
    json_t *manifest = json_load_file(path, 0, &problem);
    if (!manifest)
        return stemctl_fail(&ctl->output, STEMCTL_REFUSED, problem.text);
    json_t *object = json_pack("{s:o}", "folder", stemctl_json_text(folder));
    json_object_update(object, manifest);
    json_decref(manifest);
    stemctl_print_json(object);
    return STEMCTL_OK;
}

enum stemctl_exit run_show(struct stemctl *ctl)
{
    struct stem_take take = {0};
    struct stem_error error = {""};
    const char *folder = ctl->words[0];
    if (stem_take_load(&take, folder, &error))
        return stemctl_fail(&ctl->output, STEMCTL_REFUSED, error.text);
    enum stemctl_exit code = STEMCTL_OK;
    if (ctl->output.json) {
        code = print_manifest(ctl, folder);
    } else {
        print_take(&ctl->output, folder, &take);
        print_files(&ctl->output, &take);
        print_null_test(&ctl->output, &take);
        print_gaps(&ctl->output, &take);
        print_markers(&ctl->output, &take);
    }
    stem_take_finish(&take);
    return code;
}
