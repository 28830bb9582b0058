/* Makes the take folders of the corpus: make_seeds FOLDER. Takes as a killed recorder leaves them,
 * in all containers, packed as fuzz_unpack reads them. */
#include "cue.h"
#include "fuzz.h"
#include "ixml.h"
#include "recover_parts.h"
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
    const struct stem_take take = {.rate_hz = 48000, .container = container, .encoding = encoding};
    char name[] = "A", own[] = "01_A.wav";
    const struct stem_take_stem stem = {.name = name, .file = own, .channels = channels};
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
        .is_of_take = true,
        .ixml = channels == 1 ? stem_ixml_make(&take, &stem) : NULL,
    };
    struct stem_file *file = stem_file_create(&params, NULL);
    if (!file)
        fuzz_fail("cannot write");
    for (size_t f = 0; f < frames; f++) {
        float frame[2] = {(float)(f * f % 50 + 1) / 64, -(float)(f % 20 + 1) / 64};
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

static int write_take(const char *out_folder, const char *name, const char *folder)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", out_folder, name);
    FILE *out = fopen(path, "wb");
    if (!out)
        fuzz_fail("cannot write");
    pack(folder, out);
    return fclose(out);
}

/* As each container is left behind. */
static void make_plain(const char *out_folder, int k)
{
    static const enum stem_encoding ENCODINGS[] = {
        STEM_PCM24, STEM_FLOAT, STEM_PCM16, STEM_PCM32, STEM_PCM16};
    const char *folder = fuzz_folder(), *ending = stem_container_extension((enum stem_container)k);
    char path[PATH_MAX];
    bool has_mix = k == STEM_WAV;
    write_manifest(folder, (enum stem_container)k, ENCODINGS[k], has_mix);
    snprintf(path, sizeof path, "%s/01_A.%s", folder, ending);
    write_file(path, (enum stem_container)k, ENCODINGS[k], 1, k == STEM_FLAC ? 9000 : 100);
    snprintf(path, sizeof path, "%s/02_B.%s", folder, ending);
    write_file(path, (enum stem_container)k, ENCODINGS[k], 2, k == STEM_FLAC ? 4100 : 90);
    snprintf(path, sizeof path, "%s/00_Mix.wav", folder);
    if (has_mix)
        write_file(path, STEM_WAV, ENCODINGS[k], 2, 95);
    snprintf(path, sizeof path, "take_%s", ending);
    write_take(out_folder, path, folder);
}

/* What else a folder may hold: `change` makes it of a WAV take. */
typedef void change_take(const char *folder, struct stem_take *take);

static void make_special(const char *out_folder, const char *name, enum stem_encoding encoding,
    enum stem_container container, change_take *change)
{
    const char *folder = fuzz_folder();
    struct stem_take take = {0};
    write_manifest(folder, container, encoding, false);
    if (stem_take_load(&take, folder, NULL))
        fuzz_fail("cannot read");
    for (size_t k = 0; k < take.stem_count; k++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, take.stems[k].file);
        write_file(path, container, encoding, take.stems[k].channels,
            container == STEM_FLAC ? 13000 : 100 - 10 * k);
    }
    if (change)
        change(folder, &take);
    stem_take_finish(&take);
    write_take(out_folder, name, folder);
}

/* A single input beside the stems, in a later part of a take that has a mirror. */
static void add_kin(const char *folder, struct stem_take *take)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/in_01_Kick.wav", folder);
    write_file(path, STEM_WAV, STEM_PCM16, 1, 98);
    stem_take_add_extra(take, "Kick", "in_01_Kick.wav", 1);
    take->extras[0].role = STEM_TAKE_INPUT;
    take->part = 2;
    take->part_frame = 4800;
    stem_take_set_string(&take->id, "0123456789abcdef");
    stem_take_set_string(&take->mirror, ".");
    stem_take_set_string(&take->continued_from, ".");
    stem_take_set_string(&take->continued_in, "../elsewhere");
    stem_take_save(take, folder, NULL);
}

/* Chunks behind the audio, as a finished file has. */
static void add_markers(const char *folder, struct stem_take *take)
{
    struct stem_error error = {""};
    for (size_t k = 0; k < take->stem_count; k++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, take->stems[k].file);
        if (stem_cue_write(path, take, &error))
            fuzz_fail(error.text);
    }
}

/* Files beyond 4 GiB, by their headers. */
static void make_long(const char *folder, struct stem_take *take)
{
    for (size_t k = 0; k < take->stem_count; k++) {
        struct recover_header header;
        struct fuzz_bytes bytes;
        if (!fuzz_read(take->stems[k].file, &bytes) ||
            !recover_header_parse(bytes.data, bytes.size, &header) ||
            recover_header_complete(&header, bytes.data, UINT64_C(6) << 30, 1 << 30,
                (UINT64_C(6) << 30) + header.audio_at))
            fuzz_fail("cannot make RF64");
        fuzz_write(take->stems[k].file, bytes.data, bytes.size);
        free(bytes.data);
    }
    (void)folder;
}

/* Zeros where a block of the disk was lost. */
static void damage(const char *folder, struct stem_take *take)
{
    struct fuzz_bytes bytes;
    (void)folder;
    if (!fuzz_read(take->stems[0].file, &bytes))
        fuzz_fail("cannot read");
    memset(bytes.data + bytes.size / 2, 0, 64);
    fuzz_write(take->stems[0].file, bytes.data, bytes.size);
    free(bytes.data);
    if (!fuzz_read(take->stems[1].file, &bytes))
        fuzz_fail("cannot read");
    fuzz_write(take->stems[1].file, bytes.data, 0);
    free(bytes.data);
}

/* No manifest; one file is called as mix houses ask for, one leads elsewhere. */
static void lose_manifest(const char *folder, struct stem_take *take)
{
    char from[PATH_MAX], to[PATH_MAX];
    snprintf(from, sizeof from, "%s/%s", folder, take->stems[0].file);
    snprintf(to, sizeof to, "%s/Song_A_120bpm.wav", folder);
    if (rename(from, to) != 0)
        fuzz_fail("cannot rename");
    fuzz_write(STEM_TAKE_MANIFEST, (const uint8_t *)"", 0);
    fuzz_write("03_Link.wav", (const uint8_t *)"", 0);
}

static void finish(const char *folder, struct stem_take *take)
{
    take->progress = STEM_TAKE_COMPLETE;
    add_markers(folder, take);
    stem_take_save(take, folder, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 1;
    for (int k = STEM_WAV; k <= STEM_FLAC; k++)
        make_plain(argv[1], k);
    make_special(argv[1], "take_wav_double", STEM_DOUBLE, STEM_WAV, NULL);
    make_special(argv[1], "take_caf_double", STEM_DOUBLE, STEM_CAF, NULL);
    make_special(argv[1], "take_aiff_float", STEM_FLOAT, STEM_AIFF, NULL);
    make_special(argv[1], "take_w64_16", STEM_PCM16, STEM_W64, NULL);
    make_special(argv[1], "kin", STEM_PCM16, STEM_WAV, add_kin);
    make_special(argv[1], "markers", STEM_PCM24, STEM_WAV, add_markers);
    make_special(argv[1], "finished", STEM_PCM24, STEM_WAV, finish);
    make_special(argv[1], "rf64", STEM_PCM24, STEM_WAV, make_long);
    make_special(argv[1], "damaged_flac", STEM_PCM24, STEM_FLAC, damage);
    make_special(argv[1], "damaged_wav", STEM_PCM24, STEM_WAV, damage);
    make_special(argv[1], "named", STEM_PCM24, STEM_WAV, lose_manifest);
    return 0;
}
