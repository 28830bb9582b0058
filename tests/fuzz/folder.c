#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const FUZZ_NAME[FUZZ_NAMES] = {"take.json", ".take.json.new", "01_A.wav", "02_B.wav",
    "00_Mix.wav", "01_A.w64", "02_B.w64", "01_A.caf", "02_B.caf", "01_A.aiff", "02_B.aiff",
    "01_A.flac", "02_B.flac", "in_01_Kick.wav", "03_Link.wav", "Song_A_120bpm.wav"};

enum { LINK = 14 }; /* leads out of the folder, to a file that nobody may change */

static const uint8_t OUTSIDE[] = "RIFF\xFF\x01\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xBB\0\0"
                                 "\0\x77\x01\0\x02\0\x10\0data\x02\0\0\0 somebody else's audio";

static char scratch[64];
static char folder[128];
static char outside[128];

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

static void write_bytes(const char *path, const uint8_t *data, size_t size)
{
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(data, 1, size, out) != size || fclose(out) != 0)
        fuzz_fail("cannot write");
}

static void make_scratch(void)
{
    snprintf(scratch, sizeof scratch, "%s/stemd-fuzz.XXXXXX",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(scratch))
        fuzz_fail("no folder to work in");
    atexit(remove_scratch);
    snprintf(folder, sizeof folder, "%s/2026-11-20_21-53-07_Fuzz_120bpm", scratch);
    snprintf(outside, sizeof outside, "%s/outside.wav", scratch);
    write_bytes(outside, OUTSIDE, sizeof OUTSIDE);
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
    write_bytes(path, data, size);
}

static void make_link(const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (symlink("../outside.wav", path) != 0 && errno != EEXIST)
        fuzz_fail("cannot make a link");
}

bool fuzz_read(const char *name, struct fuzz_bytes *bytes)
{
    char path[PATH_MAX];
    struct stat there;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    *bytes = (struct fuzz_bytes){0};
    if (lstat(path, &there) != 0 || !S_ISREG(there.st_mode))
        return false;
    FILE *in = fopen(path, "rb");
    bytes->data = malloc((size_t)there.st_size + 1);
    bytes->size = (size_t)there.st_size;
    if (!in || !bytes->data || fread(bytes->data, 1, bytes->size, in) != bytes->size)
        fuzz_fail("cannot read");
    fclose(in);
    return true;
}

void fuzz_check_outside(void)
{
    uint8_t bytes[sizeof OUTSIDE + 1];
    int entries = 0;
    FILE *in = fopen(outside, "rb");
    if (!in || fread(bytes, 1, sizeof bytes, in) != sizeof OUTSIDE ||
        memcmp(bytes, OUTSIDE, sizeof OUTSIDE) != 0)
        fuzz_fail("a file outside the folder was changed");
    fclose(in);
    DIR *all = opendir(scratch);
    while (all && readdir(all))
        entries++;
    closedir(all);
    if (entries != 4) /* ".", "..", the folder, the file */
        fuzz_fail("something was made outside the folder");
}

void fuzz_unpack(const uint8_t *data, size_t size)
{
    enum { HEAD = 3 };
    while (size >= HEAD) {
        size_t length = data[1] | (size_t)data[2] << 8;
        const char *name = FUZZ_NAME[data[0] % FUZZ_NAMES];
        length = length < size - HEAD ? length : size - HEAD;
        if (name == FUZZ_NAME[LINK])
            make_link(name);
        else
            fuzz_write(name, data + HEAD, length);
        data += HEAD + length;
        size -= HEAD + length;
    }
}
