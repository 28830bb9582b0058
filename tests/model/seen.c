/* States that were seen, by a hash of 128 bits: of a thousand million states two would have the
 * same one with a chance of 10^-21. */
#include "explore_parts.h"

#include <stdlib.h>
#include <string.h>

struct hash {
    uint64_t high, low;
};

static struct hash *seen; /* an open table; `high` is 0 where it is empty */
static size_t room, count;

static uint64_t mixed(uint64_t h)
{
    h ^= h >> 32;
    h *= UINT64_C(0xD6E8FEB86659FD93);
    h ^= h >> 29;
    return h;
}

/* Most of a state is zeros: those are passed over, and the place of what is not counts. */
static struct hash hash_of(const struct state *state)
{
    size_t bytes = explore_state_bytes(state);
    const unsigned char *at = (const unsigned char *)state;
    struct hash hash = {1, bytes};
    for (size_t k = 0; k < bytes; k += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at + k, sizeof word);
        if (word == 0)
            continue;
        hash.high = mixed(hash.high ^ word) + k;
        hash.low = (hash.low + word + k) * UINT64_C(0x9E3779B97F4A7C15);
        hash.low ^= hash.low >> 31;
    }
    hash.high |= 1;
    return hash;
}

static bool insert(struct hash hash)
{
    size_t at = hash.low & (room - 1);
    while (seen[at].high) {
        if (seen[at].high == hash.high && seen[at].low == hash.low)
            return false;
        at = (at + 1) & (room - 1);
    }
    seen[at] = hash;
    return true;
}

static void make_room(void)
{
    struct hash *old = seen;
    size_t old_room = room;
    room = old_room ? 2 * old_room : 1 << 16;
    seen = calloc(room, sizeof *seen);
    if (!seen)
        explore_trouble("no memory");
    for (size_t k = 0; k < old_room; k++)
        if (old[k].high)
            insert(old[k]);
    free(old);
}

bool seen_is_new(const struct state *state)
{
    if (2 * count >= room)
        make_room();
    bool is_new = insert(hash_of(state));
    count += is_new;
    return is_new;
}

void seen_forget_all(void)
{
    free(seen);
    seen = NULL;
    room = count = 0;
}
