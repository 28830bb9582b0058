/* Makes the take folders of the corpus: make_seeds FOLDER. Takes as a killed recorder leaves them,
 * in all containers, packed as fuzz_unpack reads them. */
#include "fuzz.h"
#include "stem_file.h"
#include "take.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child that ends without closing the file. */
static void write_file(const char *path, enum stem_container container, enum stem_encoding encoding,
    uint32_t channels, size_t frames)
{
    pid_t child = fork();
    if (child != 0) {
        waitpid(child, NULL, 0);
        return;
    }
    const struct stem_file_params params = {
        .path = path,
        .container = container,
        .encoding = encoding,
        .rate_hz = 48000,
        .channels = channels,
        .time_reference_frames = 1234567,
        .description = "Stem",
        .originated = "2026-11-20T21:53:07",
        .tempo_bpm = 120,
    };
    struct stem_file *file = stem_file_create(&params, NULL);
    if (!file)
        fuzz_fail("cannot write");
    for (size_t f = 0; f < frames; f++) {
        float frame[2] = {(float)(f % 50 + 1) / 64, -(float)(f % 20 + 1) / 64};
        stem_file_write(file, frame, 1, NULL);
    }
    stem_file_flush(file, NULL);
    _exit(0);
}

static void write_manifest(
    const char *folder, enum stem_container container, enum stem_encoding encoding, bool has_mix)
{
    struct stem_take take = {.rate_hz = 48000,
        .frames = 40,
        .container = container,
        .encoding = encoding,
        .has_mix = has_mix,
        .tempo_bpm = 120,
        .part = 1};
    char a[16], b[16];
    snprintf(a, sizeof a, "01_A.%s", stem_container_extension(container));
    snprintf(b, sizeof b, "02_B.%s", stem_container_extension(container));
    stem_take_add_stem(&take, "A", a, 1);
    stem_take_add_stem(&take, "B", b, 2);
    take.mix.channels = 2;
    stem_take_set_string(&take.mix.name, "Mix");
    stem_take_set_string(&take.mix.file, "00_Mix.wav");
    stem_take_set_string(&take.started, "2026-11-20T21:53:07.000+01:00");
    stem_take_add_gap(&take, 10, 5, 1);
    stem_take_add_xrun(&take, 12, 80);
    stem_take_add_marker(&take, 20, "Refrain");
    stem_take_add_clock(&take, (struct stem_take_clock){0, 77});
    stem_take_save(&take, folder, NULL);
    stem_take_finish(&take);
}

static void pack(const char *folder, FILE *out)
{
    static uint8_t bytes[65535];
    for (int k = 0; k < FUZZ_NAMES; k++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, FUZZ_NAME[k]);
        FILE *in = fopen(path, "rb");
        if (!in)
            continue;
        size_t size = fread(bytes, 1, sizeof bytes, in);
        fclose(in);
        fputc(k, out);
        fputc((int)(size & 255), out);
        fputc((int)(size >> 8), out);
        fwrite(bytes, 1, size, out);
    }
}

int main(int argc, char **argv)
{
    static const enum stem_encoding ENCODINGS[] = {
        STEM_PCM24, STEM_FLOAT, STEM_PCM16, STEM_PCM32, STEM_PCM16};
    for (int k = STEM_WAV; argc == 2 && k <= STEM_FLAC; k++) {
        char path[PATH_MAX];
        const char *folder = fuzz_folder(),
                   *ending = stem_container_extension((enum stem_container)k);
        bool has_mix = k == STEM_WAV;
        write_manifest(folder, (enum stem_container)k, ENCODINGS[k], has_mix);
        snprintf(path, sizeof path, "%s/01_A.%s", folder, ending);
        write_file(path, (enum stem_container)k, ENCODINGS[k], 1, k == STEM_FLAC ? 9000 : 100);
        snprintf(path, sizeof path, "%s/02_B.%s", folder, ending);
        write_file(path, (enum stem_container)k, ENCODINGS[k], 2, k == STEM_FLAC ? 4100 : 90);
        snprintf(path, sizeof path, "%s/00_Mix.wav", folder);
        if (has_mix)
            write_file(path, STEM_WAV, ENCODINGS[k], 2, 95);
        snprintf(path, sizeof path, "%s/take_%s", argv[1], ending);
        FILE *out = fopen(path, "wb");
        if (!out)
            fuzz_fail("cannot write");
        pack(folder, out);
        fclose(out);
    }
    return argc != 2;
}
