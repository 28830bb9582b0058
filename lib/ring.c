#include "ring_parts.h"

#include <stdlib.h>
#include <string.h>

struct stem_ring *stem_ring_create(size_t slots, size_t message_bytes)
{
    size_t count = 1;
    while (count < slots)
        count *= 2;
    size_t bytes = sizeof(struct stem_ring) + count * message_bytes;
    struct stem_ring *ring = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!ring)
        return NULL;
    memset(ring, 0, bytes);
    ring->mask = count - 1;
    ring->message_bytes = message_bytes;
    return ring;
}

void stem_ring_destroy(struct stem_ring *ring)
{
    free(ring);
}
