#include "killed_take.h"

#include "facts.h"
#include "ixml.h"
#include "recover.h"
#include "verify.h"

#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const struct shape SHAPES[SHAPES_COUNT] = {{STEM_WAV, STEM_PCM16}, {STEM_WAV, STEM_PCM24},
    {STEM_WAV, STEM_PCM32}, {STEM_WAV, STEM_FLOAT}, {STEM_WAV, STEM_DOUBLE}, {STEM_W64, STEM_PCM24},
    {STEM_W64, STEM_FLOAT}, {STEM_CAF, STEM_PCM16}, {STEM_CAF, STEM_PCM24}, {STEM_CAF, STEM_DOUBLE},
    {STEM_AIFF, STEM_PCM16}, {STEM_AIFF, STEM_PCM24}, {STEM_AIFF, STEM_FLOAT},
    {STEM_FLAC, STEM_PCM16}, {STEM_FLAC, STEM_PCM24}};

float expected(int stem, uint64_t frame, uint32_t channel)
{
    uint32_t mixed = ((uint32_t)frame * 8 + channel * 2 + (uint32_t)stem + 1) * 2654435761u;
    return (float)(1 + (mixed >> 16) % 19997) / 32768.0f;
}

uint32_t channels_of(int stem)
{
    return (uint32_t)stem + 1;
}

void file_path(const char *folder, int stem, enum stem_container container, char *path, size_t size)
{
    snprintf(path, size, "%s/%02d_Stem%d.%s", folder, stem + 1, stem + 1,
        stem_container_extension(container));
}

void write_pattern(struct stem_file *file, int stem, uint64_t from, uint64_t to)
{
    float block[512 * MOST_CHANNELS];
    while (from < to) {
        size_t frames = to - from < 512 ? (size_t)(to - from) : 512;
        for (size_t s = 0; s < frames * channels_of(stem); s++)
            block[s] = expected(stem, from + s / channels_of(stem), s % channels_of(stem));
        if (stem_file_write(file, block, frames, NULL))
            _exit(1);
        from += frames;
    }
}

bool without_ixml;

static char *make_ixml(const struct shape *shape, int stem, char *name, char *file)
{
    struct stem_take_stem entry = {.name = name, .file = file, .channels = channels_of(stem)};
    const struct stem_take take = {
        .rate_hz = RATE, .container = shape->container, .encoding = shape->encoding};
    return without_ixml ? NULL : stem_ixml_make(&take, &entry);
}

void write_manifest(const char *folder, const struct shape *shape, uint64_t frames,
    enum stem_take_progress progress)
{
    struct stem_take take = {
        .progress = progress,
        .rate_hz = RATE,
        .frames = frames,
        .start_frame = 123456,
        .time_reference = 123456,
        .container = shape->container,
        .encoding = shape->encoding,
        .tempo_bpm = 120,
    };
    struct stem_error error = {""};
    assert_int_equal(stem_take_set_string(&take.started, "2026-11-20T21:53:07.000+01:00"), 0);
    for (int s = 0; s < STEMS; s++) {
        char name[32], path[256];
        snprintf(name, sizeof name, "Stem%d", s + 1);
        file_path(folder, s, shape->container, path, sizeof path);
        assert_int_equal(
            stem_take_add_stem(&take, name, strrchr(path, '/') + 1, channels_of(s)), 0);
        take.stems[s].frames = frames;
    }
    stem_take_add_marker(&take, 10, "kept");
    if (stem_take_save(&take, folder, &error))
        fail_msg("%s", error.text);
    stem_take_finish(&take);
}

void record_and_die(const char *folder, const struct shape *shape)
{
    pid_t child = fork();
    if (child == 0) {
        for (int s = 0; s < STEMS; s++) {
            char name[32], path[256];
            snprintf(name, sizeof name, "Stem%d", s + 1);
            file_path(folder, s, shape->container, path, sizeof path);
            const struct stem_file_params params = {
                .path = path,
                .container = shape->container,
                .encoding = shape->encoding,
                .rate_hz = RATE,
                .channels = channels_of(s),
                .time_reference_frames = 123456,
                .description = name,
                .originated = "2026-11-20T21:53:07",
                .ixml = make_ixml(shape, s, name, strrchr(path, '/') + 1),
                .tempo_bpm = 120,
                .is_of_take = true,
            };
            struct stem_file *file = stem_file_create(&params, NULL);
            if (!file)
                _exit(1);
            write_pattern(file, s, 0, FLUSHED);
            stem_file_flush(file, NULL);
            write_pattern(file, s, FLUSHED, LONG);
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    write_manifest(folder, shape, KNOWN, STEM_TAKE_RECORDING);
}

off_t size_of(const char *path)
{
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    return there.st_size;
}

uint64_t count_pattern(const char *path, int stem, uint64_t frames)
{
    SF_INFO info = {0};
    SNDFILE *sound = sf_open(path, SFM_READ, &info);
    if (!sound)
        fail_msg("%s: %s", path, sf_strerror(NULL));
    assert_int_equal(info.frames, frames);
    assert_int_equal(info.channels, channels_of(stem));
    float *samples = calloc((size_t)frames * channels_of(stem) + 1, sizeof *samples);
    assert_int_equal(sf_readf_float(sound, samples, (sf_count_t)frames + 1), frames);
    sf_close(sound);
    uint64_t same = 0, frame;
    while (same < frames * channels_of(stem) &&
           samples[same] == expected(stem, same / channels_of(stem), same % channels_of(stem)))
        same++;
    frame = same / channels_of(stem);
    for (uint64_t s = frame * channels_of(stem); s < frames * channels_of(stem); s++)
        if (samples[s] != 0)
            fail_msg("%s: sample %llu of frame %llu is neither right nor silent", path,
                (unsigned long long)s, (unsigned long long)(s / channels_of(stem)));
    free(samples);
    return frame;
}

void check_verify(const char *folder)
{
    struct stem_verify_report report;
    struct stem_error error = {""};
    if (stem_verify_folder(folder, NULL, NULL, &report, &error))
        fail_msg("%s", error.text);
    if (report.problem_count)
        fail_msg("verify: %s", report.problems[0]);
    stem_verify_report_finish(&report);
}

uint64_t recover_and_check(const char *folder, const struct shape *shape, uint64_t *there)
{
    struct stem_recover_report report;
    struct stem_error error = {""};
    if (stem_recover_folder(folder, &report, &error))
        fail_msg("%s", error.text);
    assert_int_equal(report.outcome, STEM_RECOVER_COMPLETED);
    uint64_t frames = report.take.frames, shortest = UINT64_MAX, longest = 0;
    for (int s = 0; s < STEMS; s++) {
        char path[256];
        file_path(folder, s, shape->container, path, sizeof path);
        there[s] = count_pattern(path, s, frames);
        shortest = there[s] < shortest ? there[s] : shortest;
        longest = there[s] > longest ? there[s] : longest;
    }
    struct stem_take take = {0};
    assert_int_equal(stem_take_load(&take, folder, NULL), 0);
    assert_int_equal(take.progress, STEM_TAKE_RECOVERED);
    assert_int_equal(take.frames, frames);
    if (shortest < frames) {
        assert_int_equal(take.gap_count, 1);
        assert_int_equal(take.gaps[0].frame, shortest);
        assert_int_equal(take.gaps[0].frames, frames - shortest);
        assert_int_equal(take.gaps[0].reasons, STEM_GAP_RECOVERED);
    } else {
        assert_int_equal(take.gap_count, 0);
    }
    stem_take_finish(&take);
    stem_recover_report_finish(&report);
    check_verify(folder);
    return frames > longest ? frames : longest;
}
