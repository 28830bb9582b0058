/* README.txt: the take told to the person who receives the stems. */
#ifndef STEM_README_TXT_H
#define STEM_README_TXT_H

#include "error.h"
#include "take.h"

#define STEM_README_TXT "README.txt"

/* Writes FOLDER/README.txt: what the take is, its stems with their levels, gaps, markers, the null
 * test and what it means, how to import it. Levels that were not measured are left out. 0, or -1
 * with `error`. Any one thread. */
int stem_readme_txt_write(
    const char *folder, const struct stem_take *take, struct stem_error *error);

#endif
