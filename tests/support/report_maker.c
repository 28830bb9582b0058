/* Makes a take of any length with its page, for the tests of the page in a browser:
 *
 *   report_maker FOLDER STEMS SECONDS [TITLE]
 *
 * The files are real. Up to a minute they hold tones, in longer takes silence, which costs no disk;
 * what the page is told of them (levels, waveforms, residual) is made up. A mix, gaps, xruns and
 * markers are always there; with an odd number of stems the null test fails.
 */
#include "report.h"
#include "stem_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RATE = 48000, BLOCK = 4800, LOUD_SECONDS = 60 };

static struct stem_error error;

static void need(bool fine)
{
    if (fine)
        return;
    fprintf(stderr, "report_maker: %s\n", error.text[0] ? error.text : "no memory");
    exit(1);
}

/* A tone that swells twice a second; each stem has its own pitch. */
static void write_tone(struct stem_file *file, unsigned number, uint64_t frames)
{
    static float block[BLOCK * 2];
    for (uint64_t done = 0; done < frames; done += BLOCK) {
        for (unsigned f = 0; f < BLOCK; f++) {
            double time = (double)(done + f) / RATE;
            double swell = fabs(sin(time * 3.14159265 * 2));
            block[2 * f] = block[2 * f + 1] =
                (float)(0.02 * swell * sin(time * 6.2831853 * 55 * (number + 2)));
        }
        need(stem_file_write(file, block, BLOCK, &error) == 0);
    }
}

static void write_file(const char *folder, const struct stem_take *take,
    const struct stem_take_stem *stem, unsigned number)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, stem->file);
    struct stem_file_params params = {.path = path,
        .container = take->container,
        .encoding = take->encoding,
        .rate_hz = RATE,
        .channels = stem->channels};
    struct stem_file *file = stem_file_create(&params, &error);
    need(file);
    if (take->frames > (uint64_t)RATE * LOUD_SECONDS)
        need(stem_file_write_silence(file, take->frames, &error) == 0);
    else
        write_tone(file, number, take->frames);
    need(stem_file_close(file, false, &error) == 0);
}

static void describe_levels(struct stem_take_stem *stem, unsigned number)
{
    bool silent = number == 2;
    double peak_db = -1.5 - 1.7 * number;
    stem->peak = silent ? 0 : pow(10, peak_db / 20);
    stem->clips = number == 1 ? 3 : 0;
    stem->levels = (struct stem_take_levels){.measured = true,
        .silent = silent,
        .true_peak_dbtp = silent ? -INFINITY : peak_db + 0.3,
        .integrated_lufs = silent ? -INFINITY : peak_db - 14.2,
        .short_term_lufs = silent ? -INFINITY : peak_db - 10.1,
        .momentary_lufs = silent ? -INFINITY : peak_db - 8,
        .range_lu = 5.5,
        .rms_dbfs = silent ? -INFINITY : peak_db - 16,
        .dc_offset = 1e-5};
}

static void make_take(struct stem_take *take, unsigned stems, double seconds, const char *title)
{
    char name[32], file[32];
    *take = (struct stem_take){.progress = STEM_TAKE_COMPLETE,
        .rate_hz = RATE,
        .frames = (uint64_t)(seconds * RATE) / BLOCK * BLOCK,
        .container = STEM_WAV,
        .encoding = STEM_PCM24,
        .tempo_bpm = 120,
        .has_mix = true};
    need(stem_take_set_string(&take->title, title) == 0 &&
         stem_take_set_string(&take->key, "F# minor") == 0 &&
         stem_take_set_string(&take->started, "2026-11-20T21:53:07+01:00") == 0 &&
         stem_take_set_string(&take->mix.name, "Mix") == 0 &&
         stem_take_set_string(&take->mix.file, "00_Mix.wav") == 0);
    take->mix.channels = 2;
    take->mix.frames = take->frames;
    for (unsigned s = 0; s < stems; s++) {
        snprintf(name, sizeof name, "Stem %u", s + 1);
        snprintf(file, sizeof file, "%02u_Stem-%u.wav", s + 1, s + 1);
        need(stem_take_add_stem(take, name, file, 2) == 0);
        take->stems[s].frames = take->frames;
        describe_levels(&take->stems[s], s);
    }
    describe_levels(&take->mix, 3);
}

static void add_events(struct stem_take *take)
{
    uint64_t quarter = take->frames / 4;
    need(stem_take_add_marker(take, quarter, "Verse") == 0 &&
         stem_take_add_marker(take, 2 * quarter, "Refrain: \"loud\" <b>") == 0 &&
         stem_take_add_gap(take, 3 * quarter, RATE / 10, 1) == 0 &&
         stem_take_add_xrun(take, 3 * quarter, 1234) == 0 &&
         stem_take_add_tempo(take, (struct stem_take_tempo){.bpm = 120,
                                       .beats_per_bar = 4,
                                       .beat_type = 4,
                                       .ticks_per_beat = 1920,
                                       .bar = 1,
                                       .beat = 1}) == 0);
}

/* Noise that rises and falls, so that a picture shows something. */
static void make_wave(struct stem_survey *survey, size_t file, double peak)
{
    struct stem_survey_column *columns = calloc(survey->columns, sizeof *columns);
    need(columns);
    for (size_t c = 0; c < survey->columns; c++) {
        double rise = fabs(sin((double)c * (file + 1) / 90)) * peak;
        columns[c].max = (float)(rise * (0.6 + 0.4 * rand() / RAND_MAX));
        columns[c].min = (float)(-rise * (0.6 + 0.4 * rand() / RAND_MAX));
        columns[c].rms = (float)(rise * 0.3);
    }
    survey->files[file].columns = columns;
}

static void make_residual(struct stem_survey *survey, bool passed)
{
    double level = passed ? 1e-7 : 1e-3;
    survey->residual_rms = calloc(survey->seconds + 1, sizeof(float));
    survey->residual_peak = calloc(survey->seconds + 1, sizeof(float));
    need(survey->residual_rms && survey->residual_peak);
    for (size_t s = 0; s < survey->seconds; s++) {
        survey->residual_rms[s] = (float)(level * (0.2 + 0.1 * rand() / RAND_MAX));
        survey->residual_peak[s] = (float)(level * (0.8 + 0.2 * rand() / RAND_MAX));
    }
    survey->residual = (struct stem_take_residual){.measured = true,
        .passed = passed,
        .peak = level,
        .rms = level / 4,
        .bound = 1e-6,
        .worst_rms = level / 3,
        .worst_frame = RATE};
    if (!passed)
        need(stem_take_set_string(&survey->residual.hint,
                 "it looks as if stem \"Stem 1\" stands 0.10 dB louder in the mix") == 0);
}

static void make_survey(struct stem_survey *survey, const struct stem_take *take)
{
    survey->file_count = take->stem_count + 1;
    survey->files = calloc(survey->file_count, sizeof *survey->files);
    survey->frames_per_column = (take->frames + STEM_SURVEY_COLUMNS - 1) / STEM_SURVEY_COLUMNS;
    survey->columns =
        (size_t)((take->frames + survey->frames_per_column - 1) / survey->frames_per_column);
    survey->seconds = (size_t)((take->frames + RATE - 1) / RATE);
    need(survey->files);
    for (size_t f = 0; f < survey->file_count; f++) {
        const struct stem_take_stem *file = f < take->stem_count ? &take->stems[f] : &take->mix;
        survey->files[f].levels = file->levels;
        survey->files[f].peak = file->peak;
        survey->files[f].frames = file->frames;
        make_wave(survey, f, file->peak);
    }
    make_residual(survey, take->stem_count % 2 == 0);
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: report_maker FOLDER STEMS SECONDS [TITLE]\n");
        return 2;
    }
    struct stem_take take;
    struct stem_survey survey = {0};
    make_take(&take, (unsigned)atoi(argv[2]), atof(argv[3]), argc > 4 ? argv[4] : "Night Train");
    add_events(&take);
    mkdir(argv[1], 0777);
    for (unsigned s = 0; s < take.stem_count; s++)
        write_file(argv[1], &take, &take.stems[s], s);
    write_file(argv[1], &take, &take.mix, 20);
    make_survey(&survey, &take);
    need(stem_report_write(argv[1], &take, &survey, &error) == 0);
    stem_survey_finish(&survey);
    stem_take_finish(&take);
    return 0;
}
