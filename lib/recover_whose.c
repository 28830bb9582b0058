/* Whose a file is that has no header any more: of the take, whose header a power cut damaged, or
 * somebody's that only has the name, and then it is not ours to overwrite. See recover_parts.h. */
#include "recover_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool recover_is_left_of_header(int fd, const unsigned char *made, size_t size)
{
    unsigned char *old = malloc(size);
    size_t same = 0, other = 0, got = old ? recover_read_head(fd, old, size) : 0;
    for (size_t k = 0; k < got; k++) {
        same += old[k] && old[k] == made[k];
        other += old[k] && old[k] != made[k];
    }
    bool is_left = old && same >= other;
    free(old);
    return is_left;
}

/* Whether the file says of itself that its audio is compressed, as no header of ours begins. */
static bool is_compressed(int fd)
{
    char head[8] = "";
    recover_read_head(fd, (unsigned char *)head, sizeof head);
    return memcmp(head, "fLaC", 4) == 0 || memcmp(head, "OggS", 4) == 0 ||
           memcmp(head, "ID3", 3) == 0 || memcmp(head + 4, "ftyp", 4) == 0;
}

bool recover_has_length(
    const struct recover *recover, int fd, const struct recover_header *header, uint64_t file_bytes)
{
    enum { TOLERANCE = 16 }; /* a sixteenth: the disk had not the same of every file */
    uint32_t frame_bytes = header->channels * (uint32_t)stem_encoding_bytes(header->encoding);
    uint64_t longest = recover->known, frames = file_bytes / frame_bytes;
    for (size_t k = 0; k < recover->count; k++) {
        const struct recover_file *sibling = &recover->files[k];
        if (!sibling->missing && !sibling->header_lost && sibling->frames > longest)
            longest = sibling->frames;
    }
    uint64_t apart = frames > longest ? frames - longest : longest - frames;
    return longest > 0 && apart <= longest / TOLERANCE && !is_compressed(fd);
}
