/* Makes the atomics of the code under test into operations of the model. To be included after
 * everything that needs real ones, and before that code. */
#ifndef MODEL_ATOMICS_H
#define MODEL_ATOMICS_H

#include "explore.h"

#include <stdatomic.h>

/* Which place an address is; -1: one that the model leaves alone. */
int place_of(const volatile void *at);

/* Places have 32 bits, which is enough for frames here; the largest value stands for itself. */
static uint64_t load_at(const volatile void *at, memory_order order)
{
    int place = place_of(at);
    uint32_t value = place >= 0 ? model_load(place, (int)order) : 0;
    return value == UINT32_MAX ? UINT64_MAX : value;
}

static void store_at(const volatile void *at, uint64_t value, memory_order order)
{
    int place = place_of(at);
    if (place >= 0)
        model_store(place, (uint32_t)value, (int)order);
}

#undef atomic_load
#undef atomic_store
#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_thread_fence
#define atomic_load(at) load_at((at), memory_order_seq_cst)
#define atomic_store(at, value) store_at((at), (value), memory_order_seq_cst)
#define atomic_load_explicit(at, order) load_at((at), (order))
#define atomic_store_explicit(at, value, order) store_at((at), (value), (order))
#define atomic_thread_fence(order) model_fence((int)(order))

#endif
