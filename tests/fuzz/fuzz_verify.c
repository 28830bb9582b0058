/* Verification of a damaged folder ends with a report or a sentence. */
#include "fuzz.h"
#include "verify.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stem_verify_report report;
    struct stem_error error = {""};
    const char *folder = fuzz_folder();
    if (chdir(folder) != 0 || chdir("..") != 0) /* a mirror may be "." */
        fuzz_fail("cannot go into the folder");
    fuzz_unpack(data, size);
    if (stem_verify_folder(folder, NULL, NULL, &report, &error)) {
        if (!error.text[0])
            fuzz_fail("verification failed without a sentence");
        return 0;
    }
    stem_verify_report_finish(&report);
    return 0;
}
