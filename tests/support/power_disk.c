/* power_disk: a disk whose power can be cut afterwards, at any moment; and that can break down.
 *
 *     power_disk FOLDER IMAGE LOG
 *
 * Mounts a file system (FUSE) on FOLDER with one file, "disk", that holds IMAGE; put a loop device
 * on it. What is written goes to IMAGE, and into LOG with the moment, as do flushes. Whoever plays
 * the log up to a moment onto a copy of the first image has what a disk holds whose power was cut
 * then: everything before the last flush, and of what came later any part.
 *
 * LOG is a row of records: moment (nanoseconds of the monotonic clock), offset and size, each 8
 * bytes as this machine has them, then the bytes. A flush has the offset -1 and no bytes.
 *
 * As long as there is a file IMAGE.broken, all writes and flushes fail with EIO.
 */
#define FUSE_USE_VERSION 31

#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char DISK[] = "/disk";

/* One thread serves: -s. */
static int image = -1;
static FILE *record;
static char broken[PATH_MAX]; /* the file that says so */

static bool is_broken(void)
{
    return access(broken, F_OK) == 0;
}

static int tell(int64_t offset, size_t size, const char *bytes)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t head[3] = {now.tv_sec * INT64_C(1000000000) + now.tv_nsec, offset, (int64_t)size};
    bool is_told = fwrite(head, sizeof head, 1, record) == 1 &&
                   fwrite(bytes, 1, size, record) == size && fflush(record) == 0;
    return is_told ? 0 : -EIO;
}

static int disk_getattr(const char *path, struct stat *there, struct fuse_file_info *info)
{
    (void)info;
    memset(there, 0, sizeof *there);
    if (strcmp(path, "/") == 0) {
        there->st_mode = S_IFDIR | 0755;
        there->st_nlink = 2;
        return 0;
    }
    if (strcmp(path, DISK) != 0)
        return -ENOENT;
    if (fstat(image, there) != 0)
        return -errno;
    there->st_mode = S_IFREG | 0600;
    return 0;
}

static int disk_readdir(const char *path, void *entries, fuse_fill_dir_t fill, off_t offset,
    struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
    (void)path, (void)offset, (void)info, (void)flags;
    fill(entries, DISK + 1, NULL, 0, 0);
    return 0;
}

static int disk_open(const char *path, struct fuse_file_info *info)
{
    (void)info;
    return strcmp(path, DISK) == 0 ? 0 : -ENOENT;
}

static int disk_read(
    const char *path, char *bytes, size_t size, off_t offset, struct fuse_file_info *info)
{
    (void)path, (void)info;
    ssize_t got = pread(image, bytes, size, offset);
    return got < 0 ? -errno : (int)got;
}

static int disk_write(
    const char *path, const char *bytes, size_t size, off_t offset, struct fuse_file_info *info)
{
    (void)path, (void)info;
    if (is_broken())
        return -EIO;
    ssize_t written = pwrite(image, bytes, size, offset);
    if (written < 0)
        return -errno;
    int status = tell(offset, (size_t)written, bytes);
    return status ? status : (int)written;
}

static int disk_fsync(const char *path, int only_data, struct fuse_file_info *info)
{
    (void)path, (void)only_data, (void)info;
    if (is_broken())
        return -EIO;
    return tell(-1, 0, "");
}

int main(int argc, char **argv)
{
    static const struct fuse_operations OPERATIONS = {
        .getattr = disk_getattr,
        .readdir = disk_readdir,
        .open = disk_open,
        .read = disk_read,
        .write = disk_write,
        .fsync = disk_fsync,
    };
    if (argc != 4) {
        fprintf(stderr, "Usage: power_disk FOLDER IMAGE LOG\n");
        return 2;
    }
    image = open(argv[2], O_RDWR | O_CLOEXEC);
    record = fopen(argv[3], "wbe");
    if (image < 0 || !record) {
        perror("power_disk");
        return 1;
    }
    snprintf(broken, sizeof broken, "%s.broken", argv[2]);
    char *words[] = {argv[0], "-f", "-s", argv[1], NULL};
    return fuse_main(4, words, &OPERATIONS, NULL);
}
