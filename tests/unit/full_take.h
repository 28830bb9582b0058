/* A take in which no field is left at zero, and a scratch folder for its manifest. One per test
 * program. */
#ifndef STEM_FULL_TAKE_H
#define STEM_FULL_TAKE_H

#include "take.h"
#include "unit.h"

extern char *folder; /* empty for each test */

int set_up(void **state);
int tear_down(void **state);

/* stem_take_finish frees what is filled in. */
void fill(struct stem_take *take);

/* The manifest in `folder`: both must succeed. */
void save(const struct stem_take *take);
void load(struct stem_take *take);

#endif
