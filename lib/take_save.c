/* Writing a manifest to its folder, atomically. See take.h. */
#include "replace.h"
#include "take_parts.h"

#include <stdlib.h>
#include <string.h>

int stem_take_save(const struct stem_take *take, const char *folder, struct stem_error *error)
{
    json_t *object = stem_take_to_json(take);
    char *bytes = object ? json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(object);
    if (!bytes)
        return stem_error_set(error, "no memory for \"%s/%s\"", folder, STEM_TAKE_MANIFEST);
    int status = stem_replace_file(folder, STEM_TAKE_MANIFEST, bytes, strlen(bytes), error);
    free(bytes);
    return status;
}
