/* What the take should hold: its manifest; or, when that cannot be read, what the files say. See
 * recover_parts.h. */
#include "recover_parts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 4096, MOST_MANIFEST_BYTES = 64 << 20, FOLDER_DATE_LENGTH = 19 };

/* The manifest that was being written when the power went. */
#define NEXT_MANIFEST "." STEM_TAKE_MANIFEST ".new"

enum state {
    STATE_NONE,       /* there is no manifest */
    STATE_UNREADABLE, /* no JSON, or none of ours */
    STATE_NEWER,      /* of a version that we do not know */
    STATE_RECORDING,
    STATE_FINISHED,
};

/* Looks at a manifest without taking it in. */
static enum state look(const char *path)
{
    static const char *const FINISHED[] = {"complete", "failed", "recovered"};
    struct stat there;
    if (lstat(path, &there) != 0)
        return STATE_NONE;
    json_t *root = S_ISREG(there.st_mode) && there.st_size <= MOST_MANIFEST_BYTES
                       ? json_load_file(path, 0, NULL)
                       : NULL;
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
    json_decref(root);
    return state;
}

static int path_of(const char *folder, const char *name, char *path, size_t size)
{
    return snprintf(path, size, "%s/%s", folder, name) < (int)size ? 0 : -1;
}

bool stem_recover_wanted(const char *folder)
{
    char path[PATH_MAX], next[PATH_MAX];
    if (path_of(folder, STEM_TAKE_MANIFEST, path, sizeof path) ||
        path_of(folder, NEXT_MANIFEST, next, sizeof next))
        return false;
    enum state state = look(path);
    return state == STATE_RECORDING || state == STATE_UNREADABLE ||
           (state == STATE_NONE && look(next) == STATE_RECORDING);
}

/* Rebuilding */

/* The last part of a path, without slashes at its end. */
static void name_of_folder(const char *folder, char *name, size_t size)
{
    char *whole = realpath(folder, NULL);
    const char *last = whole ? strrchr(whole, '/') : NULL;
    snprintf(name, size, "%s", last ? last + 1 : folder);
    free(whole);
}

/* "2026-11-20_21-53-07", as take folders begin. */
static bool has_date(const char *name)
{
    static const char SHAPE[] = "dddd-dd-dd_dd-dd-dd";
    for (int k = 0; k < FOLDER_DATE_LENGTH; k++)
        if (SHAPE[k] == 'd' ? !isdigit((unsigned char)name[k]) : name[k] != SHAPE[k])
            return false;
    return name[FOLDER_DATE_LENGTH] == '\0' || name[FOLDER_DATE_LENGTH] == '_' ||
           name[FOLDER_DATE_LENGTH] == '-';
}

/* Title and start from "2026-11-20_21-53-07_Night-Train_120bpm". */
static int read_folder_name(struct stem_take *take, const char *name)
{
    char text[NAME_MAX + 1], *end;
    if (!has_date(name))
        return 0;
    snprintf(text, sizeof text, "%.10sT%.2s:%.2s:%.2s", name, name + 11, name + 14, name + 17);
    if (!take->started && stem_take_set_string(&take->started, text))
        return -1;
    if (name[FOLDER_DATE_LENGTH] != '_')
        return 0;
    snprintf(text, sizeof text, "%s", name + FOLDER_DATE_LENGTH + 1);
    char *tempo = strrchr(text, '_');
    tempo = tempo ? tempo + 1 : text;
    double bpm = strtod(tempo, &end);
    if (strcmp(end, "bpm") == 0 && bpm > 0 && bpm < 10000) {
        if (take->tempo_bpm == 0)
            take->tempo_bpm = bpm;
        if (tempo > text)
            tempo[-1] = '\0';
        else
            text[0] = '\0';
    }
    return stem_take_set_string(&take->title, text);
}

/* Names as a manifest can hold them. */
static bool is_text(const char *name)
{
    json_t *text = json_string(name); /* NULL unless it is UTF-8 */
    bool is_utf8 = text != NULL;
    json_decref(text);
    for (; *name; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7F)
            return false;
    return is_utf8;
}

/* "01_Drums.wav": number, name and container. */
static bool read_file_name(
    const char *file, unsigned *number, char *name, size_t size, enum stem_container *container)
{
    char *rest;
    const char *dot = strrchr(file, '.');
    if (!isdigit((unsigned char)file[0]) || !isdigit((unsigned char)file[1]) || !dot ||
        !is_text(file))
        return false;
    unsigned long value = strtoul(file, &rest, 10);
    if (*rest != '_' || dot <= rest || value > MOST_FILES)
        return false;
    *number = (unsigned)value;
    snprintf(name, size, "%.*s", (int)(dot - rest - 1), rest + 1);
    for (int k = STEM_WAV; k <= STEM_FLAC; k++)
        if (strcmp(dot + 1, stem_container_extension((enum stem_container)k)) == 0) {
            *container = (enum stem_container)k;
            return true;
        }
    return false;
}

/* What one file tells. False when its head cannot be read. */
static bool read_file(
    const char *path, enum stem_container container, struct recover_header *header)
{
    unsigned char *bytes = malloc(RECOVER_HEADER_BYTES);
    struct stat there;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool is_read = bytes && fd >= 0 && fstat(fd, &there) == 0 && S_ISREG(there.st_mode);
    if (is_read && container == STEM_FLAC) {
        struct recover_flac flac;
        is_read = recover_flac_scan(fd, NULL, 0, &flac);
        *header = (struct recover_header){
            .container = STEM_FLAC,
            .encoding = flac.bits == 16 ? STEM_PCM16 : STEM_PCM24,
            .rate_hz = flac.rate_hz,
            .channels = flac.channels,
        };
        recover_flac_finish(&flac);
    } else if (is_read) {
        ssize_t got = pread(fd, bytes, RECOVER_HEADER_BYTES, 0);
        is_read = got > 0 && recover_header_parse(bytes, (size_t)got, header) &&
                  header->container == container;
    }
    if (fd >= 0)
        close(fd);
    free(bytes);
    return is_read;
}

/* The first file sets the take's form. */
static int add_file(struct stem_take *take, const char *file, unsigned number, const char *name,
    const struct recover_header *header)
{
    bool is_utf8 = false;
    json_t *text = json_string(header->description); /* NULL unless it is UTF-8 */
    is_utf8 = text && header->description[0];
    json_decref(text);
    name = is_utf8 ? header->description : name;
    if (take->rate_hz == 0) {
        take->container = header->container;
        take->encoding = header->encoding;
        take->rate_hz = header->rate_hz;
        if (header->time_reference < RECOVER_MOST_FRAMES)
            take->start_frame = take->time_reference = header->time_reference;
        take->tempo_bpm = header->tempo_bpm;
        if (header->originated[0] && stem_take_set_string(&take->started, header->originated))
            return -1;
    }
    if (number != 0)
        return stem_take_add_stem(take, name, file, header->channels);
    take->has_mix = true;
    take->mix.channels = header->channels;
    return stem_take_set_string(&take->mix.name, name) ||
                   stem_take_set_string(&take->mix.file, file)
               ? -1
               : 0;
}

static int add_from_folder(struct recover *recover, const char *file)
{
    struct stem_take *take = &recover->take;
    struct recover_header header;
    enum stem_container container;
    unsigned number;
    char name[NAME_MAX + 1], path[PATH_MAX];
    if (!read_file_name(file, &number, name, sizeof name, &container) ||
        path_of(recover->folder, file, path, sizeof path))
        return 0;
    if (!read_file(path, container, &header))
        return recover_remark(recover, "%s: its header cannot be read; it is left as it is", file);
    if ((take->rate_hz &&
            (header.container != take->container || header.encoding != take->encoding ||
                header.rate_hz != take->rate_hz)) ||
        (number == 0 && take->has_mix))
        return recover_remark(recover, "%s: it does not fit the other files", file);
    if (add_file(take, file, number, name, &header))
        return stem_error_set(recover->error, "no memory to recover \"%s\"", recover->folder);
    return 0;
}

static int read_folder(struct recover *recover)
{
    struct dirent **names = NULL;
    int count = scandir(recover->folder, &names, NULL, alphasort), status = 0;
    if (count < 0)
        return stem_error_set_errno(recover->error, errno, "cannot read \"%s\"", recover->folder);
    for (int k = 0; k < count; k++) {
        if (status == 0 && k < MOST_FILES)
            status = add_from_folder(recover, names[k]->d_name);
        free(names[k]);
    }
    free(names);
    return status;
}

/* Keeps the damaged manifest under another name: somebody may still read something in it. */
static void keep_damaged(const struct recover *recover, const char *path)
{
    char kept[PATH_MAX];
    struct stat there;
    if (lstat(path, &there) == 0 && S_ISREG(there.st_mode) && there.st_size > 0 &&
        path_of(recover->folder, STEM_TAKE_MANIFEST ".damaged", kept, sizeof kept) == 0 &&
        lstat(kept, &there) != 0 && link(path, kept) != 0)
        errno = 0; /* some file systems have no links; the take matters more */
}

static int rebuild(struct recover *recover, const char *path)
{
    struct stem_take *take = &recover->take;
    char name[NAME_MAX + 1];
    name_of_folder(recover->folder, name, sizeof name);
    take->progress = STEM_TAKE_RECORDING;
    take->part = 1;
    if (read_folder(recover))
        return -1;
    if (take->rate_hz == 0)
        return 1;
    if (read_folder_name(take, name) ||
        stem_take_set_string(&take->recorder, "stemd " STEMD_VERSION) ||
        stem_take_set_string(&take->failure, "the manifest was lost and made anew from the files: "
                                             "gaps, markers, clipped samples and "
                                             "what was muted before are not known"))
        return stem_error_set(recover->error, "no memory to recover \"%s\"", recover->folder);
    keep_damaged(recover, path);
    recover->report->rebuilt = true;
    return recover_remark(
        recover, "the manifest could not be read; it was made anew from the files");
}

/* The one that was about to replace a lost or damaged manifest. 0 when it serves. */
static int load_next(struct recover *recover, const char *path)
{
    char next[PATH_MAX];
    if (path_of(recover->folder, NEXT_MANIFEST, next, sizeof next) || look(next) != STATE_RECORDING)
        return -1;
    keep_damaged(recover, path);
    if (rename(next, path) != 0 || stem_take_load(&recover->take, recover->folder, NULL))
        return -1;
    return recover_remark(recover, "the manifest was damaged; a newer copy of it was used");
}

int recover_manifest(struct recover *recover)
{
    char path[PATH_MAX], name[NAME_MAX + 1];
    if (path_of(recover->folder, STEM_TAKE_MANIFEST, path, sizeof path))
        return stem_error_set(recover->error, "the path \"%s\" is too long", recover->folder);
    enum state state = look(path);
    name_of_folder(recover->folder, name, sizeof name);
    recover->is_finished = state == STATE_FINISHED;
    switch (state) {
    case STATE_NEWER:
    case STATE_FINISHED:
        return stem_take_load(&recover->take, recover->folder, recover->error);
    case STATE_RECORDING:
        if (stem_take_load(&recover->take, recover->folder, NULL) == 0)
            return 0;
        return load_next(recover, path) == 0 ? 0 : rebuild(recover, path);
    case STATE_UNREADABLE:
        return load_next(recover, path) == 0 ? 0 : rebuild(recover, path);
    case STATE_NONE:
        break;
    }
    if (load_next(recover, path) == 0)
        return 0;
    return has_date(name) ? rebuild(recover, path) : 1;
}
