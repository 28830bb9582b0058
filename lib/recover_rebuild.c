/* A manifest that was lost, made anew from the files and the folder's name. See recover_parts.h.
 *
 * What a file is, its name tells, when it begins with a number, or its iXML chunk. Files that
 * neither tells are left alone, and that is said.
 */
#include "ixml.h"
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

enum { MOST_FILES = 4096, FOLDER_DATE_LENGTH = 19 };

/* The folder's name */

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

bool recover_may_rebuild(const char *folder)
{
    char name[NAME_MAX + 1];
    name_of_folder(folder, name, sizeof name);
    return has_date(name);
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

/* The files */

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

/* One audio file of the folder, as far as its name and its head tell. */
struct found {
    const char *file;
    enum stem_container container; /* by the name */
    enum stem_take_role role;      /* not a stem: it is beside the sum */
    bool has_number;
    unsigned number; /* 0: the mix */
    char name[NAME_MAX + 1];
    struct recover_header header;
};

static bool read_ending(struct found *found, const char *ending)
{
    for (int k = STEM_WAV; k <= STEM_FLAC; k++)
        if (strcmp(ending, stem_container_extension((enum stem_container)k)) == 0) {
            found->container = (enum stem_container)k;
            return true;
        }
    return false;
}

/* "in_01_Drums-Kick.wav": role, number if there is one, and name. False when it is no audio. */
static bool read_file_name(struct found *found, const char *file)
{
    char *rest;
    const char *name = file, *dot = strrchr(file, '.');
    *found = (struct found){.file = file};
    if (file[0] == '.' || !dot || !read_ending(found, dot + 1) || !is_text(file))
        return false;
    if (strncmp(name, "in_", 3) == 0)
        found->role = STEM_TAKE_INPUT;
    else if (strncmp(name, "fx_", 3) == 0)
        found->role = STEM_TAKE_RETURN;
    name += found->role ? 3 : 0;
    unsigned long number = strtoul(name, &rest, 10);
    if (isdigit((unsigned char)name[0]) && isdigit((unsigned char)name[1]) && *rest == '_' &&
        dot > rest && number <= MOST_FILES) {
        found->has_number = true;
        found->number = (unsigned)number;
        name = rest + 1;
    }
    snprintf(found->name, sizeof found->name, "%.*s", (int)(dot - name), name);
    return true;
}

/* The text of an element; false when there is none, or one that cannot stand as it is. */
static bool read_element(const char *ixml, const char *begin, char *text, size_t size)
{
    const char *at = strstr(ixml, begin);
    at = at ? at + strlen(begin) : "";
    size_t length = strcspn(at, "<&");
    if (length == 0 || length >= size || at[length] != '<')
        return false;
    snprintf(text, size, "%.*s", (int)length, at);
    return is_text(text);
}

/* The chunk is of ours: it tells what the file's name may not. */
static void read_ixml(struct found *found, const unsigned char *bytes)
{
    const struct recover_header *header = &found->header;
    char text[256];
    char *ixml = strndup((const char *)bytes + header->ixml_at, header->ixml_bytes);
    if (ixml && strncmp(ixml, STEM_IXML_BEGIN, strlen(STEM_IXML_BEGIN)) == 0 &&
        !found->has_number && read_element(ixml, "<FILE_SET_INDEX>", text, sizeof text)) {
        found->has_number = true;
        found->number = (unsigned)strtoul(text, NULL, 10);
        if (read_element(ixml, "<BWF_DESCRIPTION>", text, sizeof text))
            snprintf(found->name, sizeof found->name, "%s", text);
    }
    free(ixml);
}

static bool read_flac(int fd, struct recover_header *header)
{
    struct recover_flac flac;
    if (!recover_flac_scan(fd, NULL, 0, &flac))
        return false;
    *header = (struct recover_header){
        .container = STEM_FLAC,
        .encoding = flac.bits == 16 ? STEM_PCM16 : STEM_PCM24,
        .rate_hz = flac.rate_hz,
        .channels = flac.channels,
    };
    recover_flac_finish(&flac);
    return true;
}

/* What the file itself tells. False when its head cannot be read. */
static bool read_file(const char *path, struct found *found)
{
    unsigned char *bytes = malloc(RECOVER_HEADER_BYTES);
    struct stat there;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool is_read = bytes && fd >= 0 && fstat(fd, &there) == 0 && S_ISREG(there.st_mode);
    if (is_read && found->container == STEM_FLAC) {
        is_read = read_flac(fd, &found->header);
    } else if (is_read) {
        ssize_t got = pread(fd, bytes, RECOVER_HEADER_BYTES, 0);
        is_read = got > 0 && recover_header_parse(bytes, (size_t)got, &found->header) &&
                  found->header.container == found->container;
        if (is_read && found->header.ixml_at)
            read_ixml(found, bytes);
    }
    if (fd >= 0)
        close(fd);
    free(bytes);
    return is_read;
}

/* The first file sets the take's form. */
static int set_form(struct stem_take *take, const struct recover_header *header)
{
    take->container = header->container;
    take->encoding = header->encoding;
    take->rate_hz = header->rate_hz;
    if (header->time_reference < RECOVER_MOST_FRAMES)
        take->start_frame = take->time_reference = header->time_reference;
    take->tempo_bpm = header->tempo_bpm;
    return header->originated[0] ? stem_take_set_string(&take->started, header->originated) : 0;
}

static int add_file(struct stem_take *take, const struct found *found)
{
    const struct recover_header *header = &found->header;
    const bool has_description = header->description[0] && is_text(header->description);
    const char *name = has_description ? header->description : found->name;
    if (take->rate_hz == 0 && set_form(take, header))
        return -1;
    if (found->role) {
        if (stem_take_add_extra(take, name, found->file, header->channels))
            return -1;
        take->extras[take->extra_count - 1].role = found->role;
        return 0;
    }
    if (found->number != 0)
        return stem_take_add_stem(take, name, found->file, header->channels);
    take->has_mix = true;
    take->mix.channels = header->channels;
    return stem_take_set_string(&take->mix.name, name) ||
                   stem_take_set_string(&take->mix.file, found->file)
               ? -1
               : 0;
}

static bool fits(const struct stem_take *take, const struct found *found)
{
    const struct recover_header *header = &found->header;
    if (found->number == 0 && !found->role && take->has_mix)
        return false;
    return take->rate_hz == 0 ||
           (header->container == take->container && header->encoding == take->encoding &&
               header->rate_hz == take->rate_hz);
}

static int add_from_folder(struct recover *recover, const char *file, bool *has_audio)
{
    struct found found;
    char path[PATH_MAX];
    if (!read_file_name(&found, file) || recover_path(recover->folder, file, path, sizeof path))
        return 0;
    *has_audio = true;
    if (!read_file(path, &found))
        return recover_remark(recover, "%s: its header cannot be read; it is left as it is", file);
    if (!found.has_number)
        return recover_remark(recover, "%s: nothing tells what it is; it is left as it is", file);
    if (!fits(&recover->take, &found))
        return recover_remark(recover, "%s: it does not fit the other files", file);
    if (add_file(&recover->take, &found))
        return stem_error_set(recover->error, "no memory to recover \"%s\"", recover->folder);
    return 0;
}

static int read_folder(struct recover *recover, bool *has_audio)
{
    struct dirent **names = NULL;
    int count = scandir(recover->folder, &names, NULL, alphasort), status = 0;
    if (count < 0)
        return stem_error_set_errno(recover->error, errno, "cannot read \"%s\"", recover->folder);
    for (int k = 0; k < count; k++) {
        if (status == 0 && k < MOST_FILES)
            status = add_from_folder(recover, names[k]->d_name, has_audio);
        free(names[k]);
    }
    free(names);
    return status;
}

void recover_keep_damaged(const struct recover *recover, const char *path)
{
    char kept[PATH_MAX];
    struct stat there;
    if (lstat(path, &there) == 0 && S_ISREG(there.st_mode) && there.st_size > 0 &&
        recover_path(recover->folder, STEM_TAKE_MANIFEST ".damaged", kept, sizeof kept) == 0 &&
        lstat(kept, &there) != 0 && link(path, kept) != 0)
        errno = 0; /* some file systems have no links; the take matters more */
}

int recover_rebuild(struct recover *recover, const char *path)
{
    struct stem_take *take = &recover->take;
    char name[NAME_MAX + 1];
    bool has_audio = false;
    name_of_folder(recover->folder, name, sizeof name);
    take->progress = STEM_TAKE_RECORDING;
    take->part = 1;
    if (read_folder(recover, &has_audio))
        return -1;
    if (take->rate_hz == 0 && has_audio)
        return stem_error_set(recover->error,
            "cannot recover \"%s\": its manifest is lost, and nothing tells what its files are",
            recover->folder);
    if (take->rate_hz == 0)
        return 1;
    if (read_folder_name(take, name) ||
        stem_take_set_string(&take->recorder, "stemd " STEMD_VERSION) ||
        stem_take_set_string(&take->failure, "the manifest was lost and made anew from the files: "
                                             "gaps, markers, clipped samples and "
                                             "what was muted before are not known"))
        return stem_error_set(recover->error, "no memory to recover \"%s\"", recover->folder);
    recover_keep_damaged(recover, path);
    recover->report->rebuilt = true;
    return recover_remark(
        recover, "the manifest could not be read; it was made anew from the files");
}
