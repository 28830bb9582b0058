#include "verify_report.h"

#include "gain.h"
#include "text.h"

#include <stdio.h>

/* Peaks above this leave less room than delivery sheets ask for. */
#define HOT_DBFS (-3.0)

/* More sentences of a kind than this hide the verdict; --json has them all. */
enum { MOST_SENTENCES = 20, LINE_BYTES = 512 };

static void print_head(
    const struct stemctl_output *output, const char *folder, const struct stem_take *take)
{
    char line[LINE_BYTES], length[STEMCTL_NUMBER_BYTES], markers[STEMCTL_NUMBER_BYTES];
    stemctl_text_length(
        take->rate_hz ? (double)take->frames / take->rate_hz : 0, length, sizeof length);
    stemctl_text_count((double)take->marker_count, "marker", markers, sizeof markers);
    stemctl_print_line(output, "take", STEMCTL_STRONG, folder);
    if (take->title && *take->title)
        stemctl_print_line(output, "title", STEMCTL_PLAIN, take->title);
    snprintf(line, sizeof line, "%g bpm", take->tempo_bpm);
    if (take->tempo_bpm > 0)
        stemctl_print_line(output, "tempo", STEMCTL_PLAIN, line);
    if (take->key && *take->key)
        stemctl_print_line(output, "key", STEMCTL_PLAIN, take->key);
    snprintf(line, sizeof line, "%s, %llu frames at %u Hz, %s", length,
        (unsigned long long)take->frames, take->rate_hz, markers);
    stemctl_print_line(output, "length", STEMCTL_PLAIN, line);
    snprintf(line, sizeof line, "%s %s", stem_container_name(take->container),
        stem_encoding_name(take->encoding));
    stemctl_print_line(output, "format", STEMCTL_PLAIN, line);
}

static void print_health(const struct stemctl_output *output, const struct stem_take *take)
{
    char gaps[STEMCTL_NUMBER_BYTES], xruns[STEMCTL_NUMBER_BYTES], lost[64] = "", line[LINE_BYTES];
    double frames = (double)stem_take_gap_frames(take);
    stemctl_text_count((double)take->gap_count, "gap", gaps, sizeof gaps);
    stemctl_text_count((double)take->xrun_count, "xrun", xruns, sizeof xruns);
    if (take->gap_count)
        snprintf(lost, sizeof lost, " (%.0f frames, %.1f ms)", frames,
            take->rate_hz ? 1000 * frames / take->rate_hz : 0);
    snprintf(line, sizeof line, "%s%s, %s", gaps, lost, xruns);
    stemctl_print_line(output, "health",
        take->gap_count || take->xrun_count ? STEMCTL_WARNING : STEMCTL_GOOD, line);
}

static void add_peak(struct stemctl_table *table, const struct stem_verify_file *file)
{
    double peak = stem_gain_to_db(file->peak);
    enum stemctl_style style = peak > HOT_DBFS ? STEMCTL_WARNING : STEMCTL_PLAIN;
    if (file->silent) {
        stemctl_table_add(table, STEMCTL_FAINT, file->frames ? "silent" : "-");
        stemctl_table_add(table, STEMCTL_PLAIN, "%s", "");
    } else {
        stemctl_table_add(table, style, "%.1f dBFS", peak);
        stemctl_table_add(table, style, "%.1f dB", peak == 0 ? 0.0 : -peak);
    }
}

static void print_files(
    const struct stemctl_output *output, const struct stem_verify_report *report)
{
    static const struct stemctl_column COLUMNS[] = {
        {"file", false}, {"length", true}, {"peak", true}, {"headroom", true}, {"clips", true}};
    const struct stem_take *take = &report->take;
    struct stemctl_table *table = stemctl_table_create(COLUMNS, 5);
    for (size_t k = 0; k < report->file_count; k++) {
        const struct stem_verify_file *file = &report->files[k];
        char length[STEMCTL_NUMBER_BYTES];
        stemctl_text_length(
            take->rate_hz ? (double)file->frames / take->rate_hz : 0, length, sizeof length);
        stemctl_table_add(table, STEMCTL_STRONG, "%s", file->file);
        stemctl_table_add(
            table, file->frames == take->frames ? STEMCTL_PLAIN : STEMCTL_BAD, "%s", length);
        add_peak(table, file);
        stemctl_table_add(table, file->clips ? STEMCTL_WARNING : STEMCTL_PLAIN, "%llu",
            (unsigned long long)file->clips);
    }
    putchar('\n');
    stemctl_table_print(table, stdout, output->colours);
    putchar('\n');
    stemctl_table_destroy(table);
}

/* All sentences, or the first and the last ones. */
static void print_sentences(const struct stemctl_output *output, enum stemctl_style style,
    const char *label, char *const *texts, size_t count)
{
    const int columns = 11;
    for (size_t k = 0; k < count; k++) {
        if (count > MOST_SENTENCES && k == MOST_SENTENCES / 2) {
            size_t hidden = count - MOST_SENTENCES;
            printf("%*s... %zu more, --json has them all ...\n", columns, "", hidden);
            k += hidden;
        }
        stemctl_print(output, style, label);
        printf("%*s", columns - stemctl_text_columns(label), "");
        stemctl_print(output, STEMCTL_PLAIN, texts[k]);
        putchar('\n');
    }
}

static void format_level(double linear, char *text, size_t size)
{
    if (linear > 0)
        snprintf(text, size, "%.1f dBFS", stem_gain_to_db(linear));
    else
        snprintf(text, size, "exactly 0");
}

static void print_residual(
    const struct stemctl_output *output, const struct stem_verify_report *report)
{
    char peak[STEMCTL_NUMBER_BYTES], rms[STEMCTL_NUMBER_BYTES], bound[STEMCTL_NUMBER_BYTES];
    char line[LINE_BYTES];
    format_level(report->residual_peak, peak, sizeof peak);
    format_level(report->residual_rms, rms, sizeof rms);
    format_level(report->null_bound, bound, sizeof bound);
    snprintf(
        line, sizeof line, "peak %s, RMS %s; the encoding explains up to %s", peak, rms, bound);
    stemctl_print_line(output, "residual", STEMCTL_PLAIN, line);
}

static void print_verdict(const struct stemctl_output *output, enum stemctl_style style,
    const char *label, const char *verdict, const char *reason)
{
    stemctl_print(output, STEMCTL_FAINT, label);
    putchar(' ');
    stemctl_print(output, style, verdict);
    stemctl_print(output, STEMCTL_PLAIN, reason);
    putchar('\n');
}

static void print_null_test(
    const struct stemctl_output *output, const struct stem_verify_report *report)
{
    static const char LABEL[] = "null test:";
    if (report->null_tested)
        print_residual(output, report);
    if (!report->null_tested)
        print_verdict(output, STEMCTL_WARNING, LABEL, "not done",
            report->take.has_mix ? ": the files do not allow it" : ": no mix recorded");
    else if (report->null_passed)
        print_verdict(output, STEMCTL_GOOD, LABEL, "passed", ": the stems add up to the mix");
    else
        print_verdict(output, STEMCTL_BAD, LABEL, "failed", ": the stems do not add up to the mix");
}

void stemctl_report_print(const struct stemctl_output *output, const char *folder,
    const struct stem_verify_report *report)
{
    print_head(output, folder, &report->take);
    print_health(output, &report->take);
    print_files(output, report);
    print_sentences(output, STEMCTL_WARNING, "remark:", report->remarks, report->remark_count);
    print_sentences(output, STEMCTL_BAD, "PROBLEM:", report->problems, report->problem_count);
    print_null_test(output, report);
    if (report->problem_count == 0)
        print_verdict(output, STEMCTL_GOOD, "verify:   ", "the take is right", "");
    else
        print_verdict(output, STEMCTL_BAD, "verify:   ", "the take is NOT right", "");
}
