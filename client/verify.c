/* stemctl verify FOLDER. */
#include "stemctl.h"

#include "gain.h"
#include "verify.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* A bar on a terminal, nothing elsewhere. */
static bool show_progress(double done, void *data)
{
    enum { WIDTH = 40 };
    static const char BAR[] = "########################################";
    (void)data;
    if (isatty(STDERR_FILENO)) {
        int filled = (int)(done * WIDTH);
        fprintf(stderr, "\r  [%-*.*s] %3.0f %%", WIDTH, filled, BAR, done * 100);
        if (done >= 1 || interrupted)
            fprintf(stderr, "\r%*s\r", WIDTH + 12, "");
        fflush(stderr);
    }
    return !interrupted;
}

static json_t *json_decibels(double linear)
{
    double db = stem_gain_to_db(linear);
    return isfinite(db) ? json_real(db) : json_null();
}

static json_t *json_files(const struct stem_verify_report *report)
{
    json_t *array = json_array();
    for (size_t k = 0; k < report->file_count; k++) {
        const struct stem_verify_file *file = &report->files[k];
        json_array_append_new(array,
            json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:b}", "name", stemctl_json_text(file->name),
                "file", stemctl_json_text(file->file), "frames", (json_int_t)file->frames, "clips",
                (json_int_t)file->clips, "peak_dbfs", json_decibels(file->peak), "headroom_db",
                json_decibels(file->peak > 0 ? 1 / file->peak : 0), "silent", file->silent));
    }
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
    return json_pack("{s:b, s:o, s:o, s:o, s:I}", "passed", report->null_passed,
        "residual_peak_dbfs", json_decibels(report->residual_peak), "residual_rms_dbfs",
        json_decibels(report->residual_rms), "bound_dbfs", json_decibels(report->null_bound),
        "residual_peak_frame", (json_int_t)report->residual_peak_frame);
}

static void print_report_json(
    const char *folder, const struct stem_verify_report *report, bool right)
{
    const struct stem_take *take = &report->take;
    stemctl_print_json(json_pack("{s:o, s:b, s:i, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "folder",
        stemctl_json_text(folder), "passed", right, "rate_hz", (int)take->rate_hz, "frames",
        (json_int_t)take->frames, "gaps", (json_int_t)take->gap_count, "gap_frames",
        (json_int_t)stem_take_gap_frames(take), "files", json_files(report), "problems",
        json_texts(report->problems, report->problem_count), "remarks",
        json_texts(report->remarks, report->remark_count), "null_test", json_null_test(report)));
}

static void print_file(const struct stem_verify_file *file, int width)
{
    double peak = stem_gain_to_db(file->peak);
    stemctl_print_text(file->file, width);
    if (file->silent)
        printf("  %11s  %11s", "silent", "");
    else
        printf("  %6.1f dBFS  %8.1f dB", peak, -peak);
    printf("  %8llu\n", (unsigned long long)file->clips);
}

static void print_texts(const char *label, char *const *texts, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        printf("%s ", label);
        stemctl_print_text(texts[k], 0);
        putchar('\n');
    }
}

static void print_null_test(const struct stem_verify_report *report)
{
    if (!report->null_tested) {
        printf("null test: not done: %s\n",
            report->take.has_mix ? "a file could not be read" : "the take has no mix reference");
        return;
    }
    char peak[32] = "exactly 0", rms[32] = "exactly 0";
    if (report->residual_peak > 0) {
        snprintf(peak, sizeof peak, "%.1f dBFS", stem_gain_to_db(report->residual_peak));
        snprintf(rms, sizeof rms, "%.1f dBFS", stem_gain_to_db(report->residual_rms));
    }
    printf("residual   peak %s, RMS %s, bound %.1f dBFS\n", peak, rms,
        stem_gain_to_db(report->null_bound));
    printf("null test: %s\n", report->null_passed ? "passed: the stems add up to the mix"
                                                  : "failed: the stems do not add up to the mix");
}

static void print_report(const char *folder, const struct stem_verify_report *report, bool right)
{
    const struct stem_take *take = &report->take;
    char length[32];
    int width = 4;
    for (size_t k = 0; k < report->file_count; k++) {
        int columns = stemctl_columns(report->files[k].file);
        width = columns > width ? columns : width;
    }
    stemctl_format_time((double)take->frames / take->rate_hz, length, sizeof length);
    stemctl_print_text(folder, 0);
    printf("\n%s, %llu frames at %u Hz, %s %s, %zu gaps, %zu markers\n\n", length,
        (unsigned long long)take->frames, take->rate_hz, stem_container_name(take->container),
        stem_encoding_name(take->encoding), take->gap_count, take->marker_count);
    printf("%-*s  %11s  %11s  %8s\n", width, "file", "peak", "headroom", "clipped");
    for (size_t k = 0; k < report->file_count; k++)
        print_file(&report->files[k], width);
    putchar('\n');
    print_texts("remark:  ", report->remarks, report->remark_count);
    print_texts("PROBLEM: ", report->problems, report->problem_count);
    print_null_test(report);
    printf("verify:    %s\n", right ? "the take is right" : "the take is NOT right");
}

enum stemctl_exit run_verify(struct stemctl *ctl)
{
    struct stem_verify_report report;
    struct stem_error error = {0};
    const struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    const char *folder = ctl->words[0];
    if (stem_verify_folder(folder, show_progress, NULL, &report, &error)) {
        enum stemctl_exit code = interrupted ? STEMCTL_INTERRUPTED : STEMCTL_REFUSED;
        stemctl_fail(ctl, code, error.text);
        return code;
    }
    bool right = report.problem_count == 0;
    if (ctl->json)
        print_report_json(folder, &report, right);
    else
        print_report(folder, &report, right);
    stem_verify_report_finish(&report);
    return right ? STEMCTL_OK : STEMCTL_REFUSED;
}
