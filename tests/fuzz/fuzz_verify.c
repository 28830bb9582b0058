/* Verification of a damaged folder ends with a report or a sentence. */
#include "fuzz.h"
#include "verify.h"

#include <fcntl.h>
#include <unistd.h>

/* In the folder's parent, so that a mirror may be ".". */
static int verify(const char *folder, struct stem_verify_report *report, struct stem_error *error)
{
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (here < 0 || chdir(folder) != 0 || chdir("..") != 0)
        fuzz_fail("cannot go into the folder");
    int status = stem_verify_folder(folder, NULL, NULL, report, error);
    if (fchdir(here) != 0)
        fuzz_fail("cannot go back");
    close(here);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stem_verify_report report;
    struct stem_error error = {""};
    const char *folder = fuzz_folder();
    fuzz_unpack(data, size);
    if (verify(folder, &report, &error)) {
        if (!error.text[0])
            fuzz_fail("verification failed without a sentence");
        return 0;
    }
    stem_verify_report_finish(&report);
    return 0;
}
