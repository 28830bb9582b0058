/* Explores every interleaving of a few threads that share memory.
 *
 * A thread is a function that is called in turns, again and again, until it is done. Between turns
 * all it knows is its `local` bytes. In a turn it may do what follows below; each such operation is
 * one step, and after each step any other thread may go on. The functions under test are the real
 * ones: their atomics are made into operations by atomics.h.
 *
 * Nothing runs in parallel here. A state is what is in memory, the locals, and what each thread was
 * answered in its present turn; to go on from a state, a thread's turn is called anew and given the
 * same answers until it asks something new, where it is left by a long jump. So a state can be
 * copied, compared, and gone on from in every possible way. States seen before are not followed
 * again.
 *
 * Memory is weak, as C11 allows it and as ARM and POWER have it: a place holds all values that were
 * stored and that somebody may still read, and a thread has a view, the oldest value of each place
 * that it may read. A load is answered with each of the values that it may read, in turn. A release
 * store carries the storing thread's view, which an acquire load takes over. Sequentially
 * consistent operations are in the order of the interleaving: such a load sees the last such store,
 * or a later one.
 *
 * Not modelled: loads that see stores which come later in the interleaving. So no fault is found
 * here if the fence of stem_tape_intact is left out.
 *
 * Plain memory is checked for races with the same views: whoever reads or writes must have in its
 * view the last write, and whoever writes also all reads. Plain accesses are no steps of their own
 * (a race is one in any order); unless somebody looks at them with a race on purpose.
 */
#ifndef MODEL_EXPLORE_H
#define MODEL_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MODEL_THREADS = 4,
    MODEL_PLACES = 48,
    MODEL_LOCAL_BYTES = 384,
    MODEL_GHOSTS = 12,
    MODEL_KIND_BYTES = 16,
    MODEL_TEXT_BYTES = 160,
};

enum model_result {
    MODEL_WORKED,
    MODEL_IDLE, /* nothing to do until somebody stores something */
    MODEL_DONE,
};

struct model_thread {
    const char *name;
    enum model_result (*turn)(void *local); /* NULL: there is no such thread */
    const void *initial;
    size_t bytes; /* of the local */
};

struct model_place {
    const char *name;
    uint32_t initial;
    int owner;         /* the one thread that stores */
    unsigned users;    /* bit of each thread that loads or stores */
    bool is_watched;   /* plain memory that somebody looks at with a race: stores are steps */
    bool counts_reads; /* no memory: the reads of a plain place by one thread, its owner */
};

struct model {
    struct model_thread threads[MODEL_THREADS];
    struct model_place places[MODEL_PLACES];
    int place_count;
    /* Called after a store, and after a ghost was set (place -1); may look at and change ghosts. */
    void (*after_change)(int place);
    /* Called when all threads are done; model_fail when something is wrong. */
    void (*at_end)(void);
};

struct model_outcome {
    bool failed;
    char kind[MODEL_KIND_BYTES]; /* of the failure, one word */
    unsigned long long states, steps, ends;
    int longest; /* steps of an interleaving */
};

/* Explores; stops at the first failure, whose interleaving is printed, when more than `most_states`
 * were seen (then kind is "many"). */
void model_explore(
    const struct model *model, unsigned long long most_states, struct model_outcome *outcome);

/* Operations; in a turn only. Places are numbers; orders those of C11. */
uint32_t model_load(int place, int order);
void model_store(int place, uint32_t value, int order);
void model_fence(int order);
/* Plain memory. `reads` is the place that counts the reads of it, by the one thread that reads; -1:
 * whoever reads it looks with a race on purpose. */
void model_put(int place, uint32_t value, int reads);
uint32_t model_take(int place, int reads);
/* One of 0 … options - 1: each is followed. */
unsigned model_choose(unsigned options);
/* What the checks remember; seen by all at once, and no part of what is tested. */
uint32_t model_ghost(int number);
void model_set_ghost(int number, uint32_t value);
/* The same in after_change and at_end, and the last value that was stored. */
uint32_t model_ghost_now(int number);
void model_set_ghost_now(int number, uint32_t value);
uint32_t model_last(int place);
/* The thing under test is wrong. */
_Noreturn void model_fail(const char *kind, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
