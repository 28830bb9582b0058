#include "sha256sums.h"

#include "replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 1 << 18 };

struct work {
    int folder;
    const char *path;
    struct dirent **names;
    int count;
    uint64_t bytes, done; /* of all files */
    stem_sha256sums_progress *progress;
    void *data;
    unsigned char *piece;
    struct stem_error *error;
};

static int is_wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strcmp(entry->d_name, STEM_SHA256SUMS) != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_ordinary(const struct work *work, int k, uint64_t *bytes)
{
    struct stat file;
    if (fstatat(work->folder, work->names[k]->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(file.st_mode))
        return false;
    *bytes = (uint64_t)file.st_size;
    return true;
}

static int hash_pieces(struct work *work, int fd, const char *name, struct sha256_ctx *hash)
{
    ssize_t got;
    while ((got = read(fd, work->piece, PIECE_BYTES)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return stem_error_set_errno(
                work->error, errno, "cannot read \"%s/%s\"", work->path, name);
        sha256_update(hash, (size_t)got, work->piece);
        work->done += (uint64_t)got;
        double part = work->bytes ? (double)work->done / (double)work->bytes : 1;
        if (work->progress && !work->progress(part < 1 ? part : 1, work->data))
            return stem_error_set(work->error, "interrupted");
    }
    return 0;
}

static int hash_file(struct work *work, const char *name, unsigned char *digest)
{
    struct sha256_ctx hash;
    int fd = openat(work->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return stem_error_set_errno(work->error, errno, "cannot read \"%s/%s\"", work->path, name);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    sha256_init(&hash);
    int status = hash_pieces(work, fd, name, &hash);
    sha256_digest(&hash, SHA256_DIGEST_SIZE, digest);
    close(fd);
    return status;
}

/* sha256sum marks a line with a backslash in which characters are escaped. */
static void put_line(FILE *out, const unsigned char *digest, const char *name)
{
    if (strpbrk(name, "\\\n\r"))
        putc('\\', out);
    for (int k = 0; k < SHA256_DIGEST_SIZE; k++)
        fprintf(out, "%02x", digest[k]);
    fputs("  ", out);
    for (; *name; name++)
        if (*name == '\n' || *name == '\r')
            fputs(*name == '\n' ? "\\n" : "\\r", out);
        else
            fputs(*name == '\\' ? "\\\\" : (char[]){*name, '\0'}, out);
    putc('\n', out);
}

static int hash_all(struct work *work, FILE *out)
{
    unsigned char digest[SHA256_DIGEST_SIZE];
    uint64_t bytes;
    for (int k = 0; k < work->count; k++)
        if (is_ordinary(work, k, &bytes))
            work->bytes += bytes;
    for (int k = 0; k < work->count; k++) {
        const char *name = work->names[k]->d_name;
        if (!is_ordinary(work, k, &bytes))
            continue;
        if (hash_file(work, name, digest))
            return -1;
        put_line(out, digest, name);
    }
    return 0;
}

static int write_sums(struct work *work)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int status = -1;
    work->piece = malloc(PIECE_BYTES);
    if (!out || !work->piece)
        stem_error_set(work->error, "no memory for \"%s/%s\"", work->path, STEM_SHA256SUMS);
    else
        status = hash_all(work, out);
    if (out && fclose(out) != 0 && status == 0)
        status =
            stem_error_set(work->error, "no memory for \"%s/" STEM_SHA256SUMS "\"", work->path);
    if (status == 0)
        status = stem_replace_file(work->path, STEM_SHA256SUMS, text, size, work->error);
    free(text);
    free(work->piece);
    return status;
}

int stem_sha256sums_write(
    const char *folder, stem_sha256sums_progress *progress, void *data, struct stem_error *error)
{
    struct work work = {.path = folder, .progress = progress, .data = data, .error = error};
    work.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    work.count = work.folder < 0 ? -1 : scandir(folder, &work.names, is_wanted, by_bytes);
    int status = work.count < 0
                     ? stem_error_set_errno(error, errno, "cannot read the folder \"%s\"", folder)
                     : write_sums(&work);
    for (int k = 0; k < work.count; k++)
        free(work.names[k]);
    free(work.names);
    if (work.folder >= 0)
        close(work.folder);
    return status;
}

/* Opens the folder, and the list `sums` in it: NULL with errno when that cannot be read. */
static FILE *open_list(struct work *work, const char *sums)
{
    work->folder = open(work->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (work->folder < 0)
        return NULL;
    int fd = openat(work->folder, sums, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    FILE *list = fd < 0 ? NULL : fdopen(fd, "r");
    if (!list && fd >= 0)
        close(fd);
    return list;
}

static void close_list(const struct work *work, FILE *list)
{
    if (list)
        fclose(list);
    if (work->folder >= 0)
        close(work->folder);
}

/* Comparing */

/* The line that the list would have for a file with this digest. The caller frees it. */
static char *make_line(const unsigned char *digest, const char *name)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    put_line(out, digest, name);
    fclose(out);
    return text;
}

/* Whether two lines, one of them `length` long, are of one file: all but the digest is the same. */
static bool is_same_file(const char *line, const char *other, size_t length)
{
    enum { DIGITS = 2 * SHA256_DIGEST_SIZE };
    const size_t mark = line[0] == '\\' ? 1 : 0;
    return strlen(line) == length && memcmp(other, line, mark) == 0 &&
           strcmp(other + mark + DIGITS, line + mark + DIGITS) == 0;
}

static enum stem_sha256sums_verdict judge(FILE *list, const char *line)
{
    enum stem_sha256sums_verdict verdict = STEM_SHA256SUMS_UNKNOWN;
    char *there = NULL;
    size_t room = 0;
    ssize_t got;
    while (verdict == STEM_SHA256SUMS_UNKNOWN && (got = getline(&there, &room, list)) > 0)
        if (is_same_file(line, there, (size_t)got))
            verdict = strcmp(there, line) == 0 ? STEM_SHA256SUMS_SAME : STEM_SHA256SUMS_CHANGED;
    free(there);
    return verdict;
}

static int compare(
    struct work *work, FILE *list, const char *name, enum stem_sha256sums_verdict *verdict)
{
    unsigned char digest[SHA256_DIGEST_SIZE];
    struct stat file;
    if (fstatat(work->folder, name, &file, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(file.st_mode))
        return 0;
    work->bytes = (uint64_t)file.st_size;
    if (!(work->piece = malloc(PIECE_BYTES)))
        return stem_error_set(work->error, "no memory for \"%s/%s\"", work->path, name);
    int status = hash_file(work, name, digest);
    free(work->piece);
    char *line = status ? NULL : make_line(digest, name);
    if (status == 0 && !line)
        return stem_error_set(work->error, "no memory for \"%s/%s\"", work->path, name);
    if (line)
        *verdict = judge(list, line);
    free(line);
    return status;
}

int stem_sha256sums_compare(const char *folder, const char *sums, const char *name,
    stem_sha256sums_progress *progress, void *data, enum stem_sha256sums_verdict *verdict,
    struct stem_error *error)
{
    struct work work = {.path = folder, .progress = progress, .data = data, .error = error};
    *verdict = STEM_SHA256SUMS_UNKNOWN;
    FILE *list = open_list(&work, sums);
    int status = list ? compare(&work, list, name, verdict) : 0;
    close_list(&work, list);
    return status;
}

/* Renewing */

/* Copies the list, with `line` in the place of the former one of that file. */
static void copy_list(FILE *list, const char *line, FILE *out)
{
    char *there = NULL;
    size_t room = 0;
    ssize_t got;
    while ((got = getline(&there, &room, list)) > 0)
        fputs(is_same_file(line, there, (size_t)got) ? line : there, out);
    free(there);
}

static int renew(struct work *work, FILE *list, const char *name)
{
    unsigned char digest[SHA256_DIGEST_SIZE];
    char *text = NULL, *line;
    size_t size = 0;
    if (!(work->piece = malloc(PIECE_BYTES)))
        return stem_error_set(work->error, "no memory for \"%s/%s\"", work->path, name);
    int status = hash_file(work, name, digest);
    free(work->piece);
    if (status)
        return -1;
    line = make_line(digest, name);
    FILE *out = line ? open_memstream(&text, &size) : NULL;
    if (out)
        copy_list(list, line, out);
    if (!out || fclose(out) != 0)
        status = stem_error_set(work->error, "no memory for \"%s/%s\"", work->path, name);
    else
        status = stem_replace_file(work->path, STEM_SHA256SUMS, text, size, work->error);
    free(line);
    free(text);
    return status;
}

int stem_sha256sums_renew(const char *folder, const char *name, struct stem_error *error)
{
    struct work work = {.path = folder, .error = error};
    FILE *list = open_list(&work, STEM_SHA256SUMS);
    int status =
        list ? renew(&work, list, name)
             : stem_error_set_errno(error, errno, "cannot read \"%s/" STEM_SHA256SUMS "\"", folder);
    close_list(&work, list);
    return status;
}
