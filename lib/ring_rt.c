/* The two ends of a queue; both may be the process thread. */
#include "ring_parts.h"

#include <string.h>

bool stem_ring_push_rt(struct stem_ring *ring, const void *message) STEM_RT
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (head - tail > ring->mask)
        return false;
    memcpy(
        ring->messages + (head & ring->mask) * ring->message_bytes, message, ring->message_bytes);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

bool stem_ring_pop_rt(struct stem_ring *ring, void *message) STEM_RT
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    if (head == tail)
        return false;
    memcpy(
        message, ring->messages + (tail & ring->mask) * ring->message_bytes, ring->message_bytes);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}
