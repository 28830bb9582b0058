/* What verification says about a take once everything has been read. */
#include "gain.h"
#include "verify_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Peaks above this leave a mastering engineer too little room; delivery sheets ask for -3 to -6. */
#define HEADROOM_DBFS (-3.0)
/* Frames of the take as seconds. */
static double seconds(const struct verify_check *check, uint64_t frame)
{
    return (double)frame / check->report->take.rate_hz;
}

static void judge_progress(struct verify_check *check)
{
    const struct stem_take *take = &check->report->take;
    if (take->stem_count == 0)
        verify_problem(check, "the take has no stems");
    if (take->progress == STEM_TAKE_RECORDING)
        verify_remark(
            check, "the take is not finished: it is being recorded, or its recorder was killed");
    if (take->progress == STEM_TAKE_RECOVERED)
        verify_remark(check, "its recorder died; the take was completed afterwards%s%s",
            take->failure && take->failure[0] ? ": " : "", take->failure ? take->failure : "");
    if (take->progress == STEM_TAKE_FAILED)
        verify_problem(check, "the take ended by a fault: %s",
            take->failure && take->failure[0] ? take->failure : "the manifest does not say which");
}

/* Files of an unfinished take may end apart; for others each length is a problem of its own. */
static void judge_lengths(struct verify_check *check)
{
    uint64_t shortest = UINT64_MAX, longest = 0;
    for (size_t k = 0; k < check->reader.count; k++) {
        uint64_t frames = check->sources[k].in->info.frames;
        shortest = frames < shortest ? frames : shortest;
        longest = frames > longest ? frames : longest;
    }
    if (check->report->take.progress == STEM_TAKE_RECORDING && shortest < longest)
        verify_remark(check,
            "the files do not end together: the shortest has %llu frames, the "
            "longest %llu",
            (unsigned long long)shortest, (unsigned long long)longest);
}

static void judge_gaps(struct verify_check *check)
{
    const struct stem_take *take = &check->report->take;
    char reasons[64];
    for (size_t g = 0; g < take->gap_count; g++) {
        const struct stem_take_gap *gap = &take->gaps[g];
        unsigned long long frame = gap->frame, frames = gap->frames;
        stem_take_reason_words(gap->reasons, reasons, sizeof reasons);
        verify_remark(check, "gap of %llu frames at frame %llu (%.3f s): %s", frames, frame,
            seconds(check, gap->frame), reasons[0] ? reasons : "no reason given");
        if (gap->frame + gap->frames > take->frames)
            verify_problem(
                check, "the gap of %llu frames at frame %llu ends behind the take", frames, frame);
    }
}

static void judge_file(struct verify_check *check, const struct verify_source *source)
{
    const struct stem_verify_file *file = source->file;
    double peak_dbfs = stem_gain_to_db(file->peak);
    if (source->bad_count)
        verify_problem(check, "%s: %llu samples are infinite or not numbers, the first at %.3f s",
            file->file, (unsigned long long)source->bad_count, seconds(check, source->bad_frame));
    if (file->clips)
        verify_remark(
            check, "%s: %llu samples were clipped", file->file, (unsigned long long)file->clips);
    if (source->in->stem->muted)
        verify_remark(check, "%s: the stem was muted when the take started", file->file);
    if (file->silent)
        verify_remark(check, "%s: it is silent from beginning to end", file->file);
    else if (peak_dbfs > HEADROOM_DBFS)
        verify_remark(check, "%s: its peak of %.1f dBFS leaves less than 3 dB of headroom",
            file->file, peak_dbfs);
}

static void explain_residual(struct verify_check *check, const struct stem_null_result *result)
{
    unsigned long long clips = 0;
    for (size_t k = 0; k < check->reader.count; k++)
        clips += check->sources[k].in->stem->clips;
    char hint[96] = "";
    if (clips)
        snprintf(hint, sizeof hint, "; %llu samples were clipped, which may be the reason", clips);
    if (!isfinite(result->peak))
        verify_problem(check,
            "the stems do not add up to the mix: at %.3f s there are samples "
            "that are infinite or not numbers",
            seconds(check, result->peak_frame));
    else
        verify_problem(check,
            "the stems do not add up to the mix: the residual reaches %.1f dBFS at %.3f s, "
            "rounding explains up to %.1f dBFS%s",
            stem_gain_to_db(result->peak), seconds(check, result->peak_frame),
            stem_gain_to_db(result->bound), hint);
    if (!isfinite(result->peak))
        return;
    char *reason = survey_hint(&check->null, result);
    if (reason)
        verify_problem(check, "it looks as if %s", reason);
    else
        check->no_memory = true;
    free(reason);
}

static void judge_null_test(struct verify_check *check)
{
    struct stem_verify_report *report = check->report;
    struct stem_null_result result;
    if (!check->null_possible)
        return;
    survey_null_result(&check->null, &result);
    if (result.frames == 0 && report->take.frames > 0)
        return; /* nothing to compare: the lengths are a problem already */
    report->null_tested = true;
    report->residual_peak = result.peak;
    report->residual_rms = result.rms;
    report->residual_peak_frame = result.peak_frame;
    report->null_bound = result.bound;
    report->null_passed = result.passed;
    if (!result.passed)
        explain_residual(check, &result);
}

void verify_judge(struct verify_check *check)
{
    judge_progress(check);
    judge_lengths(check);
    judge_gaps(check);
    for (size_t k = 0; k < check->reader.count; k++)
        if (check->sources[k].in->reader)
            judge_file(check, &check->sources[k]);
    judge_null_test(check);
}
