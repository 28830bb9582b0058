/* A configuration of any bytes is refused with sentences, or can be printed and read again. */
#include "config.h"
#include "fuzz.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static struct stem_config *load(const char *path)
{
    struct stem_config_messages errors = {0}, warnings = {0};
    struct stem_config *config = stem_config_load(path, &errors, &warnings);
    if (!config && errors.count == 0)
        fuzz_fail("a configuration was refused without a sentence");
    stem_config_messages_finish(&errors);
    stem_config_messages_finish(&warnings);
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/stemd.conf", fuzz_folder());
    fuzz_write("stemd.conf", data, size);
    struct stem_config *config = load(path);
    if (!config)
        return 0;
    FILE *out = fopen(path, "w");
    if (!out)
        fuzz_fail("cannot write");
    stem_config_print(config, out);
    fclose(out);
    stem_config_destroy(config);
    config = load(path);
    if (!config)
        fuzz_fail("a printed configuration is refused");
    stem_config_destroy(config);
    return 0;
}
