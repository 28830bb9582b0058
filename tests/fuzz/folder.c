#include "fuzz.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const FUZZ_NAME[FUZZ_NAMES] = {"take.json", ".take.json.new", "01_A.wav", "02_B.wav",
    "00_Mix.wav", "01_A.w64", "02_B.w64", "01_A.caf", "02_B.caf", "01_A.aiff", "02_B.aiff",
    "01_A.flac", "02_B.flac"};

static char scratch[64];
static char folder[128];

_Noreturn void fuzz_fail(const char *what)
{
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

static int remove_one(const char *path, const struct stat *there, int type, struct FTW *walk)
{
    (void)there, (void)type, (void)walk;
    return remove(path);
}

static void remove_scratch(void)
{
    nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_scratch(void)
{
    snprintf(scratch, sizeof scratch, "%s/stemd-fuzz.XXXXXX",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(scratch))
        fuzz_fail("no folder to work in");
    atexit(remove_scratch);
    snprintf(folder, sizeof folder, "%s/2026-11-20_21-53-07_Fuzz_120bpm", scratch);
}

const char *fuzz_folder(void)
{
    if (!scratch[0])
        make_scratch();
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (mkdir(folder, 0777) != 0)
        fuzz_fail("no folder to work in");
    return folder;
}

void fuzz_write(const char *name, const uint8_t *data, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(data, 1, size, out) != size || fclose(out) != 0)
        fuzz_fail("cannot write");
}

void fuzz_unpack(const uint8_t *data, size_t size)
{
    enum { HEAD = 3 };
    while (size >= HEAD) {
        size_t length = data[1] | (size_t)data[2] << 8;
        const char *name = FUZZ_NAME[data[0] % FUZZ_NAMES];
        length = length < size - HEAD ? length : size - HEAD;
        fuzz_write(name, data + HEAD, length);
        data += HEAD + length;
        size -= HEAD + length;
    }
}
