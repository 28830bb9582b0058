#include "verify_report.h"

#include "gain.h"

static json_t *json_decibels(double linear)
{
    return stemctl_json_real(stem_gain_to_db(linear));
}

static json_t *json_file(const struct stem_verify_file *file)
{
    return json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:b}", "name", stemctl_json_text(file->name),
        "file", stemctl_json_text(file->file), "frames", (json_int_t)file->frames, "clips",
        (json_int_t)file->clips, "peak_dbfs", json_decibels(file->peak), "headroom_db",
        json_decibels(file->peak > 0 ? 1 / file->peak : 0), "silent", (int)file->silent);
}

static json_t *json_files(const struct stem_verify_report *report)
{
    json_t *array = json_array();
    for (size_t k = 0; k < report->file_count; k++)
        json_array_append_new(array, json_file(&report->files[k]));
    return array;
}

static json_t *json_reasons(uint32_t reasons)
{
    json_t *array = json_array();
    for (int bit = 0; bit < STEM_TAKE_REASONS; bit++)
        if (reasons >> bit & 1)
            json_array_append_new(array, json_string(STEM_TAKE_REASON[bit]));
    return array;
}

static json_t *json_gaps(const struct stem_take *take)
{
    json_t *array = json_array();
    for (size_t k = 0; k < take->gap_count; k++)
        json_array_append_new(array,
            json_pack("{s:I, s:I, s:o}", "frame", (json_int_t)take->gaps[k].frame, "frames",
                (json_int_t)take->gaps[k].frames, "reasons", json_reasons(take->gaps[k].reasons)));
    return array;
}

static json_t *json_xruns(const struct stem_take *take)
{
    json_t *array = json_array();
    for (size_t k = 0; k < take->xrun_count; k++)
        json_array_append_new(
            array, json_pack("{s:I, s:o}", "frame", (json_int_t)take->xruns[k].frame, "delay_us",
                       stemctl_json_real(take->xruns[k].delay_us)));
    return array;
}

static json_t *json_markers(const struct stem_take *take)
{
    json_t *array = json_array();
    for (size_t k = 0; k < take->marker_count; k++)
        json_array_append_new(
            array, json_pack("{s:I, s:o}", "frame", (json_int_t)take->markers[k].frame, "text",
                       stemctl_json_text(take->markers[k].text)));
    return array;
}

static json_t *json_texts(char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t k = 0; k < count; k++)
        json_array_append_new(array, stemctl_json_text(texts[k]));
    return array;
}

static json_t *json_null_test(const struct stem_verify_report *report)
{
    if (!report->null_tested)
        return json_null();
    return json_pack("{s:b, s:o, s:o, s:o, s:I}", "passed", (int)report->null_passed,
        "residual_peak_dbfs", json_decibels(report->residual_peak), "residual_rms_dbfs",
        json_decibels(report->residual_rms), "bound_dbfs", json_decibels(report->null_bound),
        "residual_peak_frame", (json_int_t)report->residual_peak_frame);
}

static json_t *json_take(const char *folder, const struct stem_take *take)
{
    return json_pack("{s:o, s:o, s:f, s:o, s:s, s:i, s:I, s:f, s:s, s:s, s:I, s:o, s:o, s:o}",
        "folder", stemctl_json_text(folder), "title",
        stemctl_json_text(take->title ? take->title : ""), "tempo", take->tempo_bpm, "key",
        stemctl_json_text(take->key ? take->key : ""), "state", STEM_TAKE_PROGRESS[take->progress],
        "rate_hz", (int)take->rate_hz, "frames", (json_int_t)take->frames, "seconds",
        take->rate_hz ? (double)take->frames / take->rate_hz : 0.0, "container",
        stem_container_name(take->container), "encoding", stem_encoding_name(take->encoding),
        "gap_frames", (json_int_t)stem_take_gap_frames(take), "gaps", json_gaps(take), "xruns",
        json_xruns(take), "markers", json_markers(take));
}

json_t *stemctl_report_json(const char *folder, const struct stem_verify_report *report)
{
    json_t *object = json_take(folder, &report->take);
    json_object_set_new(object, "passed", json_boolean(report->problem_count == 0));
    json_object_set_new(object, "files", json_files(report));
    json_object_set_new(object, "problems", json_texts(report->problems, report->problem_count));
    json_object_set_new(object, "remarks", json_texts(report->remarks, report->remark_count));
    json_object_set_new(object, "null_test", json_null_test(report));
    return object;
}
