/* The inside of a queue, shared by its set-up (ring.c) and its real-time half (ring_rt.c). */
#ifndef STEM_RING_PARTS_H
#define STEM_RING_PARTS_H

#include "ring.h"

#include <stdalign.h>
#include <stdatomic.h>

/* `head` and `tail` count messages since the beginning and are never reduced; a slot is the count
 * modulo the number of slots. Each is released by its one writer after the copy and acquired by the
 * other side before its own copy. They stand on cache lines of their own. */
struct stem_ring {
    size_t mask; /* setup: slots - 1 */
    size_t message_bytes;
    alignas(64) atomic_size_t head; /* shared: written by the producer */
    alignas(64) atomic_size_t tail; /* shared: written by the consumer */
    alignas(64) unsigned char messages[];
};

#endif
