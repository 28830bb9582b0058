/* A typed queue between two threads: fixed-size messages, one producer, one consumer, no lock.
 *
 * Every queue of the daemon is one of these. Its owner names the producer and the consumer thread.
 * Only C11 atomics are used (jack_ringbuffer is not safe on ARM before JACK 1.9.22).
 */
#ifndef STEM_RING_H
#define STEM_RING_H

#include "rt.h"

#include <stdbool.h>
#include <stddef.h>

struct stem_ring;

/* Creates a queue of at least `slots` messages of `message_bytes` each (rounded up to a power of
 * two). Returns NULL when there is no memory. Any thread, before the queue is shared. */
struct stem_ring *stem_ring_create(size_t slots, size_t message_bytes);

/* Frees the queue; NULL is allowed. No other thread may use it any more. */
void stem_ring_destroy(struct stem_ring *ring);

/* Copies one message into the queue. Returns false, and changes nothing, when the queue is full.
 * Producer thread only. RT safe. */
bool stem_ring_push_rt(struct stem_ring *ring, const void *message) STEM_RT;

/* Copies the oldest message out of the queue. Returns false when it is empty. Consumer thread
 * only. RT safe. */
bool stem_ring_pop_rt(struct stem_ring *ring, void *message) STEM_RT;

#endif
