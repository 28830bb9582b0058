/* Recovery knows where the chunk stands in every container. */
#include "acid.h"

#include "recover_parts.h"
#include "write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLAG_ONE_SHOT = 1, ID_BYTES = 4, TEMPO_BYTES = 4 };

void stem_acid_make(double tempo_bpm, unsigned char bytes[STEM_ACID_BYTES])
{
    float tempo = (float)tempo_bpm;
    uint32_t bits;
    memcpy(&bits, &tempo, sizeof bits);
    memset(bytes, 0, STEM_ACID_BYTES);
    bytes[0] = FLAG_ONE_SHOT;
    for (int k = 0; k < TEMPO_BYTES; k++)
        bytes[STEM_ACID_BYTES - TEMPO_BYTES + k] = (unsigned char)(bits >> 8 * k);
}

const char *stem_acid_place(enum stem_container container)
{
    return container == STEM_CAF ? "free" : "JUNK";
}

/* The chunk with its identifier, and whatever its size needs between them. */
struct chunk {
    uint32_t id_at;
    uint32_t data_at;
    char id[ID_BYTES];
    unsigned char data[STEM_ACID_BYTES];
};

/* Finds the chunk, if it is one of ours: all but the tempo is as we write it. */
static bool find(int fd, struct chunk *chunk, enum stem_container *container)
{
    unsigned char *head = malloc(RECOVER_HEADER_BYTES), ours[STEM_ACID_BYTES];
    struct recover_header header;
    ssize_t got = head ? pread(fd, head, RECOVER_HEADER_BYTES, 0) : -1;
    bool is_found =
        got > 0 && recover_header_parse(head, (size_t)got, &header) && header.acid_data_at;
    if (is_found) {
        *chunk = (struct chunk){.id_at = header.acid_id_at, .data_at = header.acid_data_at};
        memcpy(chunk->id, head + chunk->id_at, sizeof chunk->id);
        memcpy(chunk->data, head + chunk->data_at, sizeof chunk->data);
        *container = header.container;
        stem_acid_make(0, ours);
        is_found = memcmp(chunk->data, ours, STEM_ACID_BYTES - TEMPO_BYTES) == 0;
    }
    free(head);
    return is_found;
}

/* A crash between the two leaves a chunk without a tempo, or a place with one: readers pass over
 * both, and finishing again sets that right. */
static int renew(int fd, double tempo_bpm)
{
    struct chunk chunk;
    enum stem_container container;
    unsigned char data[STEM_ACID_BYTES];
    if (!find(fd, &chunk, &container))
        return 0;
    const char *id = tempo_bpm > 0 ? "acid" : stem_acid_place(container);
    stem_acid_make(tempo_bpm > 0 ? tempo_bpm : 0, data);
    if (memcmp(chunk.id, id, ID_BYTES) == 0 && memcmp(chunk.data, data, sizeof data) == 0)
        return 0;
    if (stem_write_all(fd, data, sizeof data, chunk.data_at) ||
        stem_write_all(fd, id, ID_BYTES, chunk.id_at))
        return -1;
    return fdatasync(fd);
}

int stem_acid_renew(const char *path, double tempo_bpm, struct stem_error *error)
{
    struct stat there;
    int status = 0, fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return stem_error_set_errno(error, errno, "cannot open \"%s\"", path);
    if (fstat(fd, &there) == 0 && S_ISREG(there.st_mode) && renew(fd, tempo_bpm))
        status = stem_error_set_errno(error, errno, "cannot write \"%s\"", path);
    close(fd);
    return status;
}
