#include "readme_txt.h"

#include "ardour_session.h"
#include "gain.h"
#include "markers.h"
#include "midi_file.h"
#include "replace.h"
#include "rpp.h"
#include "sha256sums.h"
#include "tempo.h"

#include <math.h>
#include <string.h>

enum { LABEL_COLUMNS = 12, MOST_LINES = 50 };

static void put_label(FILE *out, const char *label)
{
    fprintf(out, "%-*s", LABEL_COLUMNS, label);
}

/* One line, whatever stands in the text. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++)
        putc((unsigned char)*text < ' ' ? ' ' : *text, out);
}

static void put_line(FILE *out, const char *label, const char *text)
{
    put_label(out, label);
    put_text(out, text);
    putc('\n', out);
}

/* "0:03:12.345", cut to milliseconds. */
static void put_time(FILE *out, const struct stem_take *take, uint64_t frame)
{
    uint64_t ms = (uint64_t)((double)frame / take->rate_hz * 1000);
    fprintf(out, "%u:%02u:%02u.%03u", (unsigned)(ms / 3600000), (unsigned)(ms / 60000 % 60),
        (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
}

/* The take */

static const char *encoding_words(enum stem_encoding encoding)
{
    static const char *const WORDS[] = {
        [STEM_PCM16] = "16 bit",
        [STEM_PCM24] = "24 bit",
        [STEM_PCM32] = "32 bit integer",
        [STEM_FLOAT] = "32 bit floating point",
        [STEM_DOUBLE] = "64 bit floating point",
    };
    return WORDS[encoding];
}

static void put_format(FILE *out, const struct stem_take *take)
{
    put_label(out, "Format");
    for (const char *name = stem_container_name(take->container); *name; name++)
        putc(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, out);
    fprintf(out, ", %u Hz, %s; as recorded: not resampled, dithered or normalised\n", take->rate_hz,
        encoding_words(take->encoding));
}

static void put_tempo(FILE *out, const struct stem_take *take)
{
    const bool has_map = take->tempo_count && stem_tempo_valid(&take->tempos[0]);
    double bpm = has_map ? take->tempos[0].bpm : take->tempo_bpm;
    if (!stem_tempo_known(take))
        return;
    put_label(out, "Tempo");
    fprintf(out, "%g bpm", bpm);
    if (has_map)
        fprintf(out, ", %g/%g, from bar %d beat %d", take->tempos[0].beats_per_bar,
            take->tempos[0].beat_type, take->tempos[0].bar, take->tempos[0].beat);
    if (take->tempo_count > 1)
        fprintf(out, "; it changes, see " STEM_MIDI_FILE);
    putc('\n', out);
}

static void put_head(FILE *out, const struct stem_take *take)
{
    const char *title = take->title && take->title[0] ? take->title : "Stems";
    put_text(out, title);
    fputs("\n", out);
    for (size_t k = 0; k < strlen(title) && k < 72; k++)
        putc('=', out);
    fputs("\n\n", out);
    if (take->started)
        put_line(out, "Recorded", take->started);
    if (take->recorder)
        put_line(out, "By", take->recorder);
    put_label(out, "Length");
    put_time(out, take, take->frames);
    fprintf(out, " (%llu frames)\n", (unsigned long long)take->frames);
    put_format(out, take);
    if (take->container == STEM_WAV)
        fprintf(out, "%-*ssample %llu, the time reference (timestamp) in all files\n",
            LABEL_COLUMNS, "Starts at", (unsigned long long)take->time_reference);
    put_tempo(out, take);
    if (take->key && take->key[0])
        put_line(out, "Key", take->key);
    if (take->part > 1)
        fprintf(out, "%-*s%u, from frame %llu of the whole take\n", LABEL_COLUMNS, "Part",
            take->part, (unsigned long long)take->part_frame);
    if (take->progress == STEM_TAKE_FAILED)
        put_line(out, "Ended early", take->failure ? take->failure : "");
    if (take->progress == STEM_TAKE_RECOVERED)
        put_line(out, "Recovered", "the recorder was interrupted; this is what was on the disk");
    if (take->progress == STEM_TAKE_RECOVERED && take->failure)
        put_line(out, "", take->failure);
}

/* Stems */

static int widest_file(const struct stem_take *take)
{
    size_t width = take->has_mix ? strlen(take->mix.file) : 4;
    for (size_t k = 0; k < take->stem_count; k++)
        width = strlen(take->stems[k].file) > width ? strlen(take->stems[k].file) : width;
    for (size_t k = 0; k < take->extra_count; k++)
        width = strlen(take->extras[k].file) > width ? strlen(take->extras[k].file) : width;
    return width < 60 ? (int)width : 60;
}

static void put_level(FILE *out, double level)
{
    if (isfinite(level))
        fprintf(out, "  %8.1f", level);
    else
        fprintf(out, "  %8s", "-");
}

static const char *channel_words(uint32_t channels)
{
    return channels == 1 ? "mono" : channels == 2 ? "stereo" : NULL;
}

static void put_stem(FILE *out, const struct stem_take_stem *stem, int width)
{
    const double peak = stem_gain_to_db(stem->peak);
    fprintf(out, "%-*s  ", width, stem->file);
    if (channel_words(stem->channels))
        fprintf(out, "%-8s", channel_words(stem->channels));
    else
        fprintf(out, "%-3u ch  ", stem->channels);
    if (stem->levels.silent || !isfinite(peak)) {
        fputs("  silent from beginning to end\n", out);
        return;
    }
    put_level(out, peak);
    if (stem->levels.measured) {
        put_level(out, stem->levels.true_peak_dbtp);
        put_level(out, -stem->levels.true_peak_dbtp);
        put_level(out, stem->levels.integrated_lufs);
    }
    if (stem->clips)
        fprintf(out, "  %llu samples clipped", (unsigned long long)stem->clips);
    if (stem->muted)
        fputs("  muted at the start", out);
    putc('\n', out);
}

static void put_stems(FILE *out, const struct stem_take *take)
{
    int width = widest_file(take);
    fputs("\nStems\n-----\nAll files start on the same sample and have the same length.\n", out);
    if (take->has_mix)
        fprintf(out, "%s is the mix, for reference: do not add it to the stems.\n", take->mix.file);
    fprintf(out, "\n%-*s  %-8s  %8s  %8s  %8s  %8s\n", width, "file", "channels", "peak", "true pk",
        "headroom", "loudness");
    fprintf(out, "%-*s  %-8s  %8s  %8s  %8s  %8s\n", width, "", "", "dBFS", "dBTP", "dB", "LUFS");
    for (size_t k = 0; k < take->stem_count; k++)
        put_stem(out, &take->stems[k], width);
    if (take->has_mix)
        put_stem(out, &take->mix, width);
    if (take->extra_count)
        fputs("\nBeside the stems, not to be added to them:\n", out);
    for (size_t k = 0; k < take->extra_count; k++)
        put_stem(out, &take->extras[k], width);
}

/* What happened */

static void put_gaps(FILE *out, const struct stem_take *take)
{
    char reasons[64];
    fputs("\nGaps\n----\n", out);
    if (take->gap_count == 0) {
        fputs("None: every sample of the take is there.\n", out);
        return;
    }
    fprintf(out,
        "%llu frames (%.1f ms) were lost. They are silence of the same length in all files, "
        "so that everything behind stays in time.\n",
        (unsigned long long)stem_take_gap_frames(take),
        1000.0 * (double)stem_take_gap_frames(take) / take->rate_hz);
    for (size_t g = 0; g < take->gap_count && g < MOST_LINES; g++) {
        put_time(out, take, take->gaps[g].frame);
        stem_take_reason_words(take->gaps[g].reasons, reasons, sizeof reasons);
        fprintf(out, "  %llu frames, %s\n", (unsigned long long)take->gaps[g].frames, reasons);
    }
    if (take->gap_count > MOST_LINES)
        fprintf(out, "... and %zu more, see take.json\n", take->gap_count - MOST_LINES);
}

static void put_markers(FILE *out, const struct stem_take *take)
{
    if (take->marker_count == 0)
        return;
    fputs("\nMarkers\n-------\n", out);
    for (size_t m = 0; m < take->marker_count && m < MOST_LINES; m++) {
        put_time(out, take, take->markers[m].frame);
        fputs("  ", out);
        put_text(out, take->markers[m].text);
        putc('\n', out);
    }
    if (take->marker_count > MOST_LINES)
        fprintf(
            out, "... and %zu more, see " STEM_MARKERS_CSV "\n", take->marker_count - MOST_LINES);
}

static void put_null_test(FILE *out, const struct stem_take *take)
{
    const struct stem_take_residual *residual = &take->residual;
    fputs("\nNull test\n---------\n", out);
    if (!residual->measured) {
        fputs("Not done: there is no mix to compare with.\n", out);
        return;
    }
    if (residual->passed)
        fprintf(out, "Passed: with all faders at 0 dB the stems add up to the mix.\n");
    else
        fputs("Failed: the stems do not add up to the mix.\n", out);
    if (residual->peak > 0)
        fprintf(out,
            "What is left of mix minus stems peaks at %.1f dBFS (RMS %.1f dBFS); rounding "
            "explains up to %.1f dBFS.\n",
            stem_gain_to_db(residual->peak), stem_gain_to_db(residual->rms),
            stem_gain_to_db(residual->bound));
    else
        fputs("Mix minus stems is exactly zero, in every sample.\n", out);
    if (residual->passed)
        return;
    fputs("It is largest in the second from ", out);
    put_time(out, take, residual->worst_frame);
    fprintf(out, " on.\nLikely reason: %s.\n", residual->hint ? residual->hint : "unknown");
}

/* The folder */

static void put_files(FILE *out, const struct stem_take *take)
{
    fputs("\nFiles\n-----\n", out);
    if (take->marker_count)
        fputs(STEM_MARKERS_CSV "  markers as a table; " STEM_MARKERS_LABELS
                               " for Audacity (File, Import, Labels)\n",
            out);
    if (stem_tempo_known(take))
        fputs(STEM_MIDI_FILE "    tempo, meter and markers as a MIDI file, from the take's start\n",
            out);
    fputs(STEM_RPP_FILE "     project for Reaper\n" STEM_ARDOUR_FILE
                        "  session for Ardour 7 or later\n"
                        "report.html  waveforms, levels and players: open it in any browser\n"
                        "take.json    everything above for programs\n" STEM_SHA256SUMS
                        "   check the files with \"sha256sum -c SHA256SUMS\"\n",
        out);
}

static void put_import(FILE *out, const struct stem_take *take)
{
    fprintf(out,
        "\nImport\n------\nReaper: open " STEM_RPP_FILE ".\n"
        "Ardour: version 7 or later opens " STEM_ARDOUR_FILE " (it keeps its own files in this "
        "folder: copy the folder first if it shall stay as it is). Earlier ones: make a session of "
        "%u Hz; Session, Import; select all audio files of this folder; add new tracks, one a "
        "file, insert at \"session start\"%s.%s\n"
        "Others: import all audio files to the start of an empty session, one track each, at 0 "
        "dB.\n",
        take->rate_hz,
        take->container == STEM_WAV ? " (or at \"file timestamp\" to line up several takes)" : "",
        stem_tempo_known(take) ? " Import " STEM_MIDI_FILE " first, with its tempo map." : "");
}

static void put_readme(FILE *out, const void *data)
{
    const struct stem_take *take = data;
    put_head(out, take);
    put_stems(out, take);
    put_null_test(out, take);
    put_gaps(out, take);
    put_markers(out, take);
    put_files(out, take);
    put_import(out, take);
}

int stem_readme_txt_write(
    const char *folder, const struct stem_take *take, struct stem_error *error)
{
    return stem_replace_text(folder, STEM_README_TXT, put_readme, take, error);
}
