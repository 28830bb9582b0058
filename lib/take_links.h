/* What other takes know of a take by its folder: the take that follows it after a split names it,
 * and so do the parts before and after it, when it had to go on in another folder. */
#ifndef STEM_TAKE_LINKS_H
#define STEM_TAKE_LINKS_H

#include "error.h"

/* After the take in `old_folder` has become `new_folder` (absolute paths in one folder): renews the
 * manifests beside it that tell of the old name, those of the parts before and after that the take
 * names itself, wherever they are, and their sums. Those of takes that are being
 * recorded or worked on stay. 0, or -1 with `error`, which names the first take that could not be
 * renewed; the others are all the same. Any one thread. */
int stem_take_links_renew(const char *old_folder, const char *new_folder, struct stem_error *error);

#endif
