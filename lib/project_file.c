#include "project_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DIGITS = 16,
    WORD_BYTES = sizeof STEM_PROJECT_SEAL - 1 - DIGITS,
    HEAD_BYTES = 256,      /* the seal is in here */
    MOST_BYTES = 64 << 20, /* nothing of ours is larger */
};

/* The seal's digits in a text that ends with a zero byte, or NULL. */
static char *find_digits(char *text)
{
    char head[HEAD_BYTES + 1];
    strncpy(head, text, HEAD_BYTES);
    head[HEAD_BYTES] = '\0';
    for (const char *at = head; (at = strstr(at, "stemd ")); at++)
        if (strspn(at + WORD_BYTES, "0123456789abcdef") >= DIGITS)
            return text + (at - head) + WORD_BYTES;
    return NULL;
}

/* The digest of a text whose digits are zeros. */
static void digest(const char *text, size_t size, char digits[DIGITS + 1])
{
    unsigned char bytes[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, size, (const uint8_t *)text);
    sha256_digest(&hash, sizeof bytes, bytes);
    for (int k = 0; k < DIGITS / 2; k++)
        snprintf(digits + 2 * k, 3, "%02x", bytes[k]);
}

static bool is_sealed(char *text, size_t size)
{
    char stated[DIGITS + 1] = "", real[DIGITS + 1];
    char *digits = find_digits(text);
    if (!digits)
        return false;
    memcpy(stated, digits, DIGITS);
    memset(digits, '0', DIGITS);
    digest(text, size, real);
    return strcmp(stated, real) == 0;
}

/* The file's bytes and a zero byte; NULL when it cannot be read or is too large. */
static char *read_all(int fd, size_t *size)
{
    struct stat there;
    if (fstat(fd, &there) != 0 || !S_ISREG(there.st_mode) || there.st_size > MOST_BYTES)
        return NULL;
    char *text = calloc(1, (size_t)there.st_size + 1);
    *size = 0;
    while (text && *size < (size_t)there.st_size) {
        ssize_t got = read(fd, text + *size, (size_t)there.st_size - *size);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR) {
            free(text);
            return NULL;
        }
        *size += got > 0 ? (size_t)got : 0;
    }
    return text;
}

/* Empty, or with zero bytes inside: what a power cut may leave of a file, and nobody saves. */
static bool is_remnant(const char *text, size_t size)
{
    return size == 0 || strlen(text) < size;
}

bool stem_project_is_theirs(const char *folder, const char *name)
{
    char path[PATH_MAX];
    size_t size;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return false;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno != ENOENT;
    char *text = read_all(fd, &size);
    bool is_ours = text && (is_remnant(text, size) || is_sealed(text, size));
    free(text);
    close(fd);
    return !is_ours;
}

static int seal(char *text, size_t size)
{
    char real[DIGITS + 1];
    char *digits = find_digits(text);
    if (!digits)
        return -1;
    digest(text, size, real);
    memcpy(digits, real, DIGITS);
    return 0;
}

enum stem_project_result stem_project_write(const char *folder, const char *name,
    stem_replace_put *put, const void *data, bool wait, struct stem_error *error)
{
    char *text = NULL;
    size_t size = 0;
    if (stem_project_is_theirs(folder, name))
        return STEM_PROJECT_KEPT;
    FILE *out = open_memstream(&text, &size);
    if (out)
        put(out, data);
    int status = -1;
    if (!out || fclose(out) != 0 || seal(text, size))
        stem_error_set(error, "no memory for \"%s/%s\"", folder, name);
    else if (wait)
        status = stem_replace_file(folder, name, text, size, error);
    else
        status = stem_replace_soon(folder, name, text, size, error);
    free(text);
    return status ? STEM_PROJECT_FAILED : STEM_PROJECT_WRITTEN;
}

enum stem_project_result stem_project_remove(
    const char *folder, const char *name, struct stem_error *error)
{
    if (stem_project_is_theirs(folder, name))
        return STEM_PROJECT_KEPT;
    return stem_replace_remove(folder, name, error) ? STEM_PROJECT_FAILED : STEM_PROJECT_WRITTEN;
}
