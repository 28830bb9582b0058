/* Runs the files of a corpus through a target, one after the other: replay FILE-OR-FOLDER… */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static size_t replayed;

static void replay_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0;
    if (!in || fseek(in, 0, SEEK_END) != 0)
        fuzz_fail("cannot read the corpus");
    size = (size_t)ftell(in);
    data = malloc(size + 1);
    rewind(in);
    if (!data || fread(data, 1, size, in) != size)
        fuzz_fail("cannot read the corpus");
    fclose(in);
    fprintf(stderr, "%s\n", path); /* the last one told is the culprit */
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
}

static void replay(const char *path)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0) {
        replay_file(path);
        return;
    }
    for (int k = 0; k < count; k++) {
        char file[PATH_MAX];
        snprintf(file, sizeof file, "%s/%s", path, names[k]->d_name);
        if (names[k]->d_name[0] != '.')
            replay_file(file);
        free(names[k]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    for (int k = 1; k < argc; k++)
        replay(argv[k]);
    printf("%zu inputs\n", replayed);
    return replayed == 0;
}
