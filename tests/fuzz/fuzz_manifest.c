/* A manifest of any bytes: what can be read can be written, and reads the same again. */
#include "fuzz.h"
#include "take.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stem_take take = {0}, again = {0};
    struct stem_error error = {""};
    const char *folder = fuzz_folder();
    fuzz_write(STEM_TAKE_MANIFEST, data, size);
    if (stem_take_load(&take, folder, &error)) {
        if (!error.text[0] || take.stems || take.gaps)
            fuzz_fail("a refused manifest leaves no sentence, or something behind");
        return 0;
    }
    if (stem_take_save(&take, folder, &error) || stem_take_load(&again, folder, &error))
        fuzz_fail(error.text);
    if (again.stem_count != take.stem_count || again.gap_count != take.gap_count ||
        again.marker_count != take.marker_count || again.frames != take.frames ||
        again.progress != take.progress || again.rate_hz != take.rate_hz)
        fuzz_fail("the manifest reads otherwise after it was written");
    stem_take_finish(&take);
    stem_take_finish(&again);
    return 0;
}
