/* Recovery of a damaged folder completes it or leaves a sentence; and what is complete stays so. */
#include "audio_reader.h"
#include "fuzz.h"
#include "recover.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* The files of a recovered take are as long as its manifest says. */
static void check_length(
    const char *folder, const struct stem_take *take, const struct stem_take_stem *stem)
{
    char path[PATH_MAX];
    struct stat there;
    struct stem_audio_info info;
    snprintf(path, sizeof path, "%s/%s", folder, stem->file);
    if (lstat(path, &there) != 0)
        return; /* that was remarked */
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, NULL);
    if (!reader)
        return; /* libsndfile is pickier about what stands before the audio */
    if (info.frames != take->frames && take->container != STEM_FLAC)
        fuzz_fail("a recovered file has another length than its take");
    stem_audio_reader_close(reader);
}

static void check_take(const char *folder, const struct stem_take *take)
{
    uint64_t end = 0;
    for (size_t k = 0; k < take->stem_count; k++)
        check_length(folder, take, &take->stems[k]);
    for (size_t g = 0; g < take->gap_count; g++) {
        if (take->gaps[g].frame < end)
            fuzz_fail("gaps overlap");
        end = take->gaps[g].frame + take->gaps[g].frames;
        if (end > take->frames)
            fuzz_fail("a gap ends behind the take");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stem_recover_report report, again;
    struct stem_error error = {""};
    const char *folder = fuzz_folder();
    fuzz_unpack(data, size);
    bool is_wanted = stem_recover_wanted(folder);
    if (stem_recover_folder(folder, &report, &error)) {
        if (!error.text[0])
            fuzz_fail("recovery failed without a sentence");
        return 0;
    }
    if (report.outcome == STEM_RECOVER_COMPLETED) {
        check_take(folder, &report.take);
        if (stem_recover_folder(folder, &again, &error))
            fuzz_fail(error.text);
        if (again.outcome != STEM_RECOVER_FINISHED || stem_recover_wanted(folder))
            fuzz_fail("a recovered take is not finished");
        stem_recover_report_finish(&again);
    } else if (report.outcome == STEM_RECOVER_BUSY ||
               (is_wanted && report.outcome == STEM_RECOVER_FINISHED)) {
        fuzz_fail("an unfinished take was passed by");
    }
    stem_recover_report_finish(&report);
    return 0;
}
