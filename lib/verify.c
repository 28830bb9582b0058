/* Verification leads through a take once, from its first to its last frame, with all its files open
 * at the same time: what is checked per file and the null test share the reading, and memory does
 * not depend on the take's length. Nothing in the folder is trusted; whatever is wrong with a file
 * becomes a sentence in the report. */
#include "verify.h"

#include "verify_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool add_text(char ***texts, size_t *count, const char *format, va_list arguments)
{
    char **grown = realloc(*texts, (*count + 1) * sizeof *grown);
    if (!grown)
        return false;
    *texts = grown;
    if (vasprintf(&grown[*count], format, arguments) < 0)
        return false;
    ++*count;
    return true;
}

void verify_problem(struct verify_check *check, const char *format, ...)
{
    struct stem_verify_report *report = check->report;
    va_list arguments;
    va_start(arguments, format);
    if (!add_text(&report->problems, &report->problem_count, format, arguments))
        check->no_memory = true;
    va_end(arguments);
}

void verify_remark(struct verify_check *check, const char *format, ...)
{
    struct stem_verify_report *report = check->report;
    va_list arguments;
    va_start(arguments, format);
    if (!add_text(&report->remarks, &report->remark_count, format, arguments))
        check->no_memory = true;
    va_end(arguments);
}

/* Says what does not fit; files that cannot be read are problems already. */
static bool can_null_test(struct verify_check *check)
{
    const struct stem_take_reader *reader = &check->reader;
    const size_t stems = reader->take->stem_count;
    if (stem_take_reader_can_null(reader))
        return true;
    if (!reader->take->has_mix || !reader->sources[stems].reader)
        return false;
    const struct stem_take_source *misfit = stem_take_reader_misfit(reader);
    if (misfit && misfit->reader)
        verify_problem(check,
            "the null test is not possible: \"%s\" has %u channels, neither 1 nor as many as the "
            "mix (%u)",
            misfit->stem->name, misfit->info.channels, reader->sources[stems].info.channels);
    return false;
}

static int open_null_test(struct verify_check *check, struct stem_error *error)
{
    check->null_possible = can_null_test(check);
    if (!check->null_possible || !survey_null_init(&check->null, &check->reader, &check->survey))
        return 0;
    return stem_error_set(error, "no memory for the null test");
}

static int read_all(struct verify_check *check, stem_verify_progress *progress, void *data,
    struct stem_error *error)
{
    uint64_t frames = stem_take_reader_longest(&check->reader), step = frames / 100 + 1;
    uint64_t next_told = 0;
    for (uint64_t from = 0; from < frames; from = check->reader.next) {
        if (progress && from >= next_told) {
            next_told = from + step;
            if (!progress((double)from / (double)frames, data))
                return stem_error_set(error, "interrupted");
        }
        if (!verify_read_block(check))
            break;
        if (check->null_possible) {
            stem_take_reader_blank_recovered(&check->reader);
            survey_null_add(&check->null);
        }
    }
    if (progress)
        progress(1.0, data);
    return 0;
}

static int run(struct verify_check *check, stem_verify_progress *progress, void *data,
    struct stem_error *error)
{
    if (stem_take_load(&check->report->take, check->folder, error) ||
        verify_open_files(check, error) || open_null_test(check, error) ||
        read_all(check, progress, data, error))
        return -1;
    verify_judge(check);
    verify_neighbours(check);
    verify_mirror(check);
    return check->no_memory ? stem_error_set(error, "no memory for the report") : 0;
}

int stem_verify_folder(const char *folder, stem_verify_progress *progress, void *data,
    struct stem_verify_report *report, struct stem_error *error)
{
    struct verify_check check = {.report = report, .folder = folder};
    *report = (struct stem_verify_report){0};
    int status = run(&check, progress, data, error);
    survey_null_finish(&check.null);
    stem_survey_finish(&check.survey);
    verify_close_files(&check);
    if (status)
        stem_verify_report_finish(report);
    return status;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t k = 0; k < count; k++)
        free(texts[k]);
    free(texts);
}

void stem_verify_report_finish(struct stem_verify_report *report)
{
    stem_take_finish(&report->take);
    for (size_t k = 0; report->files && k < report->file_count; k++) {
        free(report->files[k].name);
        free(report->files[k].file);
    }
    free(report->files);
    free_texts(report->problems, report->problem_count);
    free_texts(report->remarks, report->remark_count);
    *report = (struct stem_verify_report){0};
}
