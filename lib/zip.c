#include "zip.h"

#include "format.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 1 << 17 };

struct zip {
    const char *folder, *name, *path;
    struct archive *archive;
    struct dirent **files;
    int count;
    uint64_t bytes, done; /* of all files */
    stem_work_progress *progress;
    void *data;
    struct stem_error *error;
    char piece[PIECE_BYTES];
};

static int fail(struct zip *zip)
{
    return stem_error_set(
        zip->error, "cannot write \"%s\": %s", zip->path, archive_error_string(zip->archive));
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool is_audio(const char *file)
{
    const char *dot = strrchr(file, '.');
    enum stem_container container;
    return dot && stem_container_parse(dot + 1, &container); /* extensions are the names */
}

static int open_file(struct zip *zip, const char *file, struct stat *found)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", zip->folder, file);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, found) == 0)
        return fd;
    return stem_error_set_errno(zip->error, errno, "cannot read \"%s\"", path);
}

static int put_head(struct zip *zip, const char *file, const struct stat *found)
{
    char path[PATH_MAX];
    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        return stem_error_set(zip->error, "no memory for \"%s\"", zip->path);
    snprintf(path, sizeof path, "%s/%s", zip->name, file);
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, found->st_size);
    archive_entry_set_mtime(entry, found->st_mtim.tv_sec, 0);
    int status = archive_write_header(zip->archive, entry) == ARCHIVE_OK ? 0 : fail(zip);
    archive_entry_free(entry);
    return status;
}

static int put_bytes(struct zip *zip, int fd, const char *file)
{
    ssize_t got;
    while ((got = read(fd, zip->piece, sizeof zip->piece)) != 0) {
        if (got < 0)
            return stem_error_set_errno(
                zip->error, errno, "cannot read \"%s/%s\"", zip->folder, file);
        if (archive_write_data(zip->archive, zip->piece, (size_t)got) != got)
            return fail(zip);
        zip->done += (uint64_t)got;
        double part = zip->bytes ? (double)zip->done / (double)zip->bytes : 1;
        if (zip->progress && !zip->progress(part < 1 ? part : 1, zip->data))
            return stem_error_set(zip->error, "interrupted");
    }
    return 0;
}

static int put_file(struct zip *zip, const char *file)
{
    struct stat found;
    int fd = open_file(zip, file, &found), status = 0;
    if (fd < 0)
        return -1;
    if (S_ISREG(found.st_mode)) {
        if (is_audio(file))
            archive_write_zip_set_compression_store(zip->archive);
        else
            archive_write_zip_set_compression_deflate(zip->archive);
        status = put_head(zip, file, &found) || put_bytes(zip, fd, file) ? -1 : 0;
    }
    close(fd);
    return status;
}

static void count_bytes(struct zip *zip)
{
    for (int k = 0; k < zip->count; k++) {
        char path[PATH_MAX];
        struct stat found;
        snprintf(path, sizeof path, "%s/%s", zip->folder, zip->files[k]->d_name);
        if (stat(path, &found) == 0)
            zip->bytes += (uint64_t)found.st_size;
    }
}

static int put_all(struct zip *zip, int fd)
{
    archive_write_set_format_zip(zip->archive);
    if (archive_write_open_fd(zip->archive, fd) != ARCHIVE_OK)
        return fail(zip);
    count_bytes(zip);
    for (int k = 0; k < zip->count; k++)
        if (put_file(zip, zip->files[k]->d_name))
            return -1;
    if (archive_write_close(zip->archive) != ARCHIVE_OK)
        return fail(zip);
    if (fsync(fd) != 0)
        return stem_error_set_errno(zip->error, errno, "cannot write \"%s\"", zip->path);
    return 0;
}

static int write_zip(struct zip *zip)
{
    int fd = open(zip->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return stem_error_set_errno(zip->error, errno, "cannot make \"%s\"", zip->path);
    zip->archive = archive_write_new();
    int status =
        zip->archive ? put_all(zip, fd) : stem_error_set(zip->error, "no memory for a ZIP file");
    archive_write_free(zip->archive);
    close(fd);
    return status;
}

int stem_zip_write(const char *folder, const char *name, const char *path,
    stem_work_progress *progress, void *data, struct stem_error *error)
{
    struct zip *zip = calloc(1, sizeof *zip);
    if (!zip)
        return stem_error_set(error, "no memory for a ZIP file");
    zip->folder = folder;
    zip->name = name;
    zip->path = path;
    zip->progress = progress;
    zip->data = data;
    zip->error = error;
    zip->count = scandir(folder, &zip->files, is_visible, alphasort);
    int status = zip->count < 0 ? stem_error_set_errno(error, errno, "cannot read \"%s\"", folder)
                                : write_zip(zip);
    for (int k = 0; k < zip->count; k++)
        free(zip->files[k]);
    free(zip->files);
    free(zip);
    return status;
}
