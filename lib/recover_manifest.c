/* What the take should hold: its manifest, or the one that was about to replace it; or, when
 * neither can be read, what the files say (recover_rebuild.c). See recover_parts.h. */
#include "recover_parts.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_MANIFEST_BYTES = 64 << 20 };

/* The manifest that was being written when the power went. */
#define NEXT_MANIFEST "." STEM_TAKE_MANIFEST ".new"

enum state {
    STATE_NONE,       /* there is no manifest */
    STATE_UNREADABLE, /* no JSON, or none of ours */
    STATE_UNKNOWN,    /* it cannot be looked at: nothing says that it is not right */
    STATE_NEWER,      /* of a version that we do not know */
    STATE_RECORDING,
    STATE_FINISHED,
};

static enum state judge(const json_t *root)
{
    static const char *const FINISHED[] = {"complete", "failed", "recovered"};
    const char *kind = json_string_value(json_object_get(root, "kind"));
    const char *progress = json_string_value(json_object_get(root, "progress"));
    enum state state = STATE_UNREADABLE;
    if (kind && strcmp(kind, "stemd-take") == 0) {
        if (json_integer_value(json_object_get(root, "version")) > STEM_TAKE_VERSION)
            state = STATE_NEWER;
        else if (progress && strcmp(progress, "recording") == 0)
            state = STATE_RECORDING;
        for (size_t k = 0; k < 3 && progress; k++)
            if (strcmp(progress, FINISHED[k]) == 0 && state != STATE_NEWER)
                state = STATE_FINISHED;
    }
    return state;
}

/* Looks at a manifest without taking it in. errno tells why not. */
static enum state look(const char *path)
{
    struct stat there;
    json_error_t problem;
    if (lstat(path, &there) != 0)
        return STATE_NONE;
    if (!S_ISREG(there.st_mode) || there.st_size > MOST_MANIFEST_BYTES)
        return STATE_UNREADABLE;
    FILE *in = fopen(path, "re");
    if (!in)
        return STATE_UNKNOWN;
    json_t *root = json_loadf(in, 0, &problem);
    enum state state = judge(root);
    if (!root && json_error_code(&problem) == json_error_out_of_memory) {
        errno = ENOMEM;
        state = STATE_UNKNOWN;
    }
    json_decref(root);
    fclose(in);
    return state;
}

int recover_path(const char *folder, const char *name, char *path, size_t size)
{
    return snprintf(path, size, "%s/%s", folder, name) < (int)size ? 0 : -1;
}

bool stem_recover_wanted(const char *folder)
{
    char path[PATH_MAX], next[PATH_MAX];
    if (recover_path(folder, STEM_TAKE_MANIFEST, path, sizeof path) ||
        recover_path(folder, NEXT_MANIFEST, next, sizeof next))
        return false;
    enum state state = look(path);
    return state == STATE_RECORDING || state == STATE_UNREADABLE || state == STATE_UNKNOWN ||
           (state == STATE_NONE && look(next) == STATE_RECORDING);
}

/* The one that was about to replace a lost or damaged manifest. 0 when it serves. */
static int load_next(struct recover *recover, const char *path)
{
    char next[PATH_MAX];
    if (recover_path(recover->folder, NEXT_MANIFEST, next, sizeof next) ||
        look(next) != STATE_RECORDING || stem_take_load_file(&recover->take, next, NULL))
        return -1;
    recover_keep_damaged(recover, path);
    if (rename(next, path) != 0) {
        stem_take_finish(&recover->take);
        return -1;
    }
    return recover_remark(recover, "the manifest was lost or damaged; a newer copy of it was used");
}

int recover_manifest(struct recover *recover)
{
    char path[PATH_MAX];
    if (recover_path(recover->folder, STEM_TAKE_MANIFEST, path, sizeof path))
        return stem_error_set(recover->error, "the path \"%s\" is too long", recover->folder);
    enum state state = look(path);
    recover->is_finished = state == STATE_FINISHED;
    switch (state) {
    case STATE_UNKNOWN:
        return stem_error_set_errno(recover->error, errno, "cannot read \"%s\"", path);
    case STATE_NEWER:
    case STATE_FINISHED:
        return stem_take_load(&recover->take, recover->folder, recover->error);
    case STATE_RECORDING:
        if (stem_take_load(&recover->take, recover->folder, NULL) == 0)
            return 0;
        return load_next(recover, path) == 0 ? 0 : recover_rebuild(recover, path);
    case STATE_UNREADABLE:
        return load_next(recover, path) == 0 ? 0 : recover_rebuild(recover, path);
    case STATE_NONE:
        break;
    }
    if (load_next(recover, path) == 0)
        return 0;
    return recover_may_rebuild(recover->folder) ? recover_rebuild(recover, path) : 1;
}
