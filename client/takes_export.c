/* stemctl export FOLDER and stemctl sum FOLDER: files made of a take's files. */
#include "export.h"
#include "gain.h"
#include "take_sum.h"
#include "text.h"
#include "work.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = NAME_MAX + 64, TARGET_BYTES = PATH_MAX + NAME_BYTES };

/* Formats */

static const struct {
    const char *depth; /* as given */
    enum stem_encoding encoding;
} DEPTHS[] = {{"16", STEM_PCM16}, {"24", STEM_PCM24}, {"32", STEM_PCM32}, {"float", STEM_FLOAT},
    {"double", STEM_DOUBLE}};

enum { DEPTH_COUNT = sizeof DEPTHS / sizeof *DEPTHS };

static const char *depth_name(enum stem_encoding encoding)
{
    for (size_t k = 0; k < DEPTH_COUNT; k++)
        if (DEPTHS[k].encoding == encoding)
            return DEPTHS[k].depth;
    return "";
}

static enum stemctl_exit read_depth(
    const struct stemctl *ctl, bool *is_given, enum stem_encoding *encoding)
{
    *is_given = ctl->depth != NULL;
    for (size_t k = 0; ctl->depth && k < DEPTH_COUNT; k++)
        if (strcmp(ctl->depth, DEPTHS[k].depth) == 0) {
            *encoding = DEPTHS[k].encoding;
            return STEMCTL_OK;
        }
    return ctl->depth ? stemctl_fail(&ctl->output, STEMCTL_USAGE,
                            "--depth: expected 16, 24, 32, float or double")
                      : STEMCTL_OK;
}

/* The folder's path without the links on its way, and its own name. */
static enum stemctl_exit find_folder(
    const struct stemctl *ctl, char path[PATH_MAX], const char **name)
{
    struct stem_error error;
    if (!realpath(ctl->words[0], path)) {
        stem_error_set_errno(&error, errno, "cannot open the folder \"%s\"", ctl->words[0]);
        return stemctl_fail(&ctl->output, STEMCTL_REFUSED, error.text);
    }
    *name = strrchr(path, '/') + 1;
    return STEMCTL_OK;
}

/* Beside the value that scripts read. */
static void remark(const char *text)
{
    fputs("stemctl: ", stderr);
    stemctl_text_write(stderr, text);
    fputc('\n', stderr);
}

/* export */

static enum stemctl_exit read_params(const struct stemctl *ctl, struct stem_export_params *params)
{
    *params = (struct stem_export_params){.dither = ctl->dither, .zip = ctl->zip};
    if (!ctl->format || !stem_container_parse(ctl->format, &params->container))
        return stemctl_fail(
            &ctl->output, STEMCTL_USAGE, "export: expected --format wav, w64, caf, aiff or flac");
    return read_depth(ctl, &params->is_encoding_given, &params->encoding);
}

/* "NAME_flac-24"; the depth is told when it was given. */
static void make_name(
    const struct stem_export_params *params, const char *take, char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "%.*s_%s%s%s", NAME_MAX - 16, take,
        stem_container_name(params->container), params->is_encoding_given ? "-" : "",
        params->is_encoding_given ? depth_name(params->encoding) : "");
}

static json_t *remarks_json(const struct stem_finish_report *report)
{
    json_t *remarks = json_array();
    for (size_t k = 0; k < report->remark_count; k++)
        json_array_append_new(remarks, stemctl_json_text(report->remarks[k]));
    return remarks;
}

static void print_export(
    const struct stemctl *ctl, const char *target, const struct stem_export_report *report)
{
    const struct stem_take *take = &report->finish.take;
    char clips[96];
    if (ctl->output.json) {
        stemctl_print_json(json_pack("{s:o, s:s, s:s, s:b, s:I, s:o}", ctl->zip ? "file" : "folder",
            stemctl_json_text(target), "container", stem_container_name(take->container),
            "encoding", stem_encoding_name(take->encoding), "exact", report->exact, "clips",
            (json_int_t)report->clips, "remarks", remarks_json(&report->finish)));
        return;
    }
    if (!ctl->quiet)
        stemctl_print_value(&ctl->output, STEMCTL_GOOD,
            report->exact ? "exported, every sample as it was:" : "exported, samples rounded:",
            target);
    snprintf(clips, sizeof clips, "%llu samples were beyond full scale, and are clipped",
        (unsigned long long)report->clips);
    if (report->clips)
        remark(clips);
    for (size_t k = 0; !ctl->quiet && k < report->finish.remark_count; k++)
        remark(report->finish.remarks[k]);
}

enum stemctl_exit run_export(struct stemctl *ctl)
{
    struct stem_export_params params;
    struct stem_export_report report;
    struct stemctl_work work;
    struct stem_error error = {""};
    char path[PATH_MAX], name[NAME_BYTES], target[TARGET_BYTES];
    const char *take = "";
    enum stemctl_exit code = read_params(ctl, &params);
    if (code == STEMCTL_OK)
        code = find_folder(ctl, path, &take);
    if (code != STEMCTL_OK)
        return code;
    make_name(&params, take, name);
    int length = ctl->to ? (int)strlen(ctl->to) : (int)(take - path - 1);
    snprintf(target, sizeof target, "%.*s/%s%s", length, ctl->to ? ctl->to : path, name,
        ctl->zip ? ".zip" : "");
    stemctl_work_begin(&work, ctl, "exporting");
    int status =
        stem_export_take(path, target, name, &params, stemctl_work_step, &work, &report, &error);
    stemctl_work_end(&work);
    if (status)
        return stemctl_work_fail(&work, ctl, &error);
    print_export(ctl, target, &report);
    stem_export_report_finish(&report);
    return STEMCTL_OK;
}

/* sum */

/* The ending of --to tells the container; without --to it is WAV. */
static enum stemctl_exit read_container(const struct stemctl *ctl, enum stem_container *container)
{
    const char *dot = ctl->to ? strrchr(ctl->to, '.') : ".wav";
    if (dot && stem_container_parse(dot + 1, container))
        return STEMCTL_OK;
    return stemctl_fail(&ctl->output, STEMCTL_USAGE,
        "--to: expected a file's name that ends in .wav, .w64, .caf, .aiff or .flac");
}

static void print_sum(
    const struct stemctl *ctl, const char *target, const struct stem_take_sum_report *report)
{
    char text[96];
    if (ctl->output.json) {
        stemctl_print_json(json_pack("{s:o, s:I, s:i, s:s, s:s, s:o, s:I}", "file",
            stemctl_json_text(target), "frames", (json_int_t)report->frames, "channels",
            (int)report->channels, "container", stem_container_name(report->container), "encoding",
            stem_encoding_name(report->encoding), "peak_dbfs",
            stemctl_json_real(stem_gain_to_db(report->peak)), "clips", (json_int_t)report->clips));
        return;
    }
    if (!ctl->quiet)
        stemctl_print_value(&ctl->output, STEMCTL_GOOD, "sum of the stems:", target);
    snprintf(text, sizeof text,
        "%llu samples are clipped: the sum peaks at %+.1f dBFS; see --depth",
        (unsigned long long)report->clips, stem_gain_to_db(report->peak));
    if (report->clips)
        remark(text);
}

enum stemctl_exit run_sum(struct stemctl *ctl)
{
    struct stem_take_sum_params params = {0};
    struct stem_take_sum_report report;
    struct stemctl_work work;
    struct stem_error error = {""};
    char path[PATH_MAX], target[TARGET_BYTES];
    const char *take = "";
    enum stemctl_exit code = read_depth(ctl, &params.is_encoding_given, &params.encoding);
    if (code == STEMCTL_OK)
        code = read_container(ctl, &params.container);
    if (code == STEMCTL_OK)
        code = find_folder(ctl, path, &take);
    if (code != STEMCTL_OK)
        return code;
    if (ctl->to)
        snprintf(target, sizeof target, "%s", ctl->to);
    else
        snprintf(target, sizeof target, "%s_Sum.wav", path);
    params.target = target;
    stemctl_work_begin(&work, ctl, "adding");
    int status = stem_take_sum_write(path, &params, stemctl_work_progress, &work, &report, &error);
    stemctl_work_end(&work);
    if (status)
        return stemctl_work_fail(&work, ctl, &error);
    print_sum(ctl, target, &report);
    return STEMCTL_OK;
}
