#include "full_take.h"

#include "facts.h"

#include <math.h>

char *folder;

int set_up(void **state)
{
    (void)state;
    folder = scratch_make();
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static void fill_texts(struct stem_take *take)
{
    stem_take_set_string(&take->failure, "cannot write \"x\": No space left on device");
    stem_take_set_string(&take->title, "Nächtlicher \"Zug\" \\ 夜\ttab\nline");
    stem_take_set_string(&take->key, "F# minor");
    stem_take_set_string(&take->started, "2026-11-20T21:53:07.250+01:00");
    stem_take_set_string(&take->recorder, "stemd 9.9");
    stem_take_set_string(&take->previous, "2026-11-20_21-40-00_Opener");
    stem_take_set_string(&take->id, "0a1b2c");
    stem_take_set_string(&take->continued_from, "/first/disk/part-1");
    stem_take_set_string(&take->continued_in, "/other/disk/part-2");
    stem_take_set_string(&take->mirror, "/mirror/take");
    stem_take_set_string(&take->started_by, "bar");
    stem_take_set_string(&take->finished, "2026-11-20T22:53:07+01:00");
}

static void fill_stem(struct stem_take_stem *stem, uint32_t seed)
{
    stem->role = (enum stem_take_role)(seed % STEM_TAKE_ROLES);
    stem->inputs = 3 + seed;
    stem->frames = (UINT64_C(1) << 40) + seed;
    stem->clips = 17 + seed;
    stem->peak = 0.5 + seed / 16.0;
    stem->muted = seed % 2;
    stem->levels = (struct stem_take_levels){.measured = true,
        .silent = seed % 2 == 0,
        .true_peak_dbtp = -1.25,
        .integrated_lufs = -23.5,
        .short_term_lufs = -HUGE_VAL,
        .momentary_lufs = -18.75,
        .range_lu = 4.5,
        .rms_dbfs = -30.25,
        .dc_offset = 0.0078125};
}

static void fill_files(struct stem_take *take)
{
    stem_take_add_stem(take, "Drums", "01_Drums.wav", 2);
    stem_take_add_stem(take, "Bäss", "02_Baess.wav", 1);
    stem_take_add_stem(take, "Choir / all", "03_Choir-all.wav", 8);
    stem_take_add_extra(take, "Kick", "10_Kick.wav", 1);
    for (uint32_t s = 0; s < take->stem_count; s++)
        fill_stem(&take->stems[s], s);
    fill_stem(&take->extras[0], 5);
    take->has_mix = true;
    stem_take_set_string(&take->mix.name, "Mix");
    stem_take_set_string(&take->mix.file, "00_Mix.wav");
    take->mix.channels = 2;
    fill_stem(&take->mix, 3);
    take->residual = (struct stem_take_residual){.measured = true,
        .passed = true,
        .peak = 0.25,
        .rms = 0.125,
        .bound = 0.0625,
        .worst_frame = UINT64_C(1) << 33,
        .worst_rms = 0.5};
    stem_take_set_string(&take->residual.hint, "Kick is missing");
}

static void fill_lists(struct stem_take *take)
{
    stem_take_add_gap(take, 100, 64, STEM_GAP_SKIPPED);
    stem_take_add_gap(take, 1000, UINT64_C(1) << 34, STEM_GAP_OVERFLOW | STEM_GAP_CLOCK);
    stem_take_add_gap(take, UINT64_C(1) << 36, 1, STEM_GAP_SERVER);
    stem_take_add_xrun(take, 5000, 1234.5);
    stem_take_add_marker(take, 6000, "Chorus ♪");
    stem_take_add_marker(take, UINT64_C(1) << 40, "");
    stem_take_add_clock(take, (struct stem_take_clock){0, 4294967295u});
    stem_take_add_clock(take, (struct stem_take_clock){77, 3});
    stem_take_add_tempo(take, (struct stem_take_tempo){9, 98.5, 3, 4, 1920, 2147483647, 3, 959.5});
    stem_take_add_transport(take, (struct stem_take_transport){10, UINT64_C(1) << 33, true});
}

void fill(struct stem_take *take)
{
    *take = (struct stem_take){.progress = STEM_TAKE_FAILED,
        .tempo_bpm = 120.5,
        .part = 2,
        .part_frame = UINT64_C(3) << 33,
        .rate_hz = 96000,
        .start_frame = (UINT64_C(1) << 32) + 5,
        .time_reference = (UINT64_C(1) << 35) + 7,
        .frames = UINT64_C(1) << 41,
        .container = STEM_CAF,
        .encoding = STEM_DOUBLE};
    fill_texts(take);
    fill_files(take);
    fill_lists(take);
}

void save(const struct stem_take *take)
{
    struct stem_error error = {0};
    if (stem_take_save(take, folder, &error))
        fail_msg("%s", error.text);
}

void load(struct stem_take *take)
{
    struct stem_error error = {0};
    if (stem_take_load(take, folder, &error))
        fail_msg("%s", error.text);
}
