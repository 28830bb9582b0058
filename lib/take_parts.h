/* What the manifest's modules share: take_json.c makes the object that take_save.c writes. */
#ifndef STEM_TAKE_PARTS_H
#define STEM_TAKE_PARTS_H

#include "take.h"

#include <jansson.h>

/* The manifest as a JSON object; NULL when there is no memory. The caller drops the reference. */
json_t *stem_take_to_json(const struct stem_take *take);

#endif
