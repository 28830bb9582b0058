/* The inside of the explorer. explore.c goes from state to state; turn.c finds out what a thread
 * does next; memory.c knows what it may read; seen.c remembers states; tell.c prints the way to a
 * failure. */
#ifndef MODEL_EXPLORE_PARTS_H
#define MODEL_EXPLORE_PARTS_H

#include "explore.h"

#include <assert.h>

enum { MOST_ANSWERS = 64, MOST_VALUES = 256 };

/* A value that a place has had, or has. */
struct value {
    _Alignas(uint64_t) uint32_t value;
    uint32_t zero;              /* no bytes are left without a value */
    uint8_t view[MODEL_PLACES]; /* what a thread that acquires it may not read before */
};

enum status { AWAKE, ASLEEP, DONE };

static_assert(sizeof(struct value) % sizeof(uint64_t) == 0, "states are hashed by words");

/* All numbers of values count from the oldest one that somebody may still read. Unused bytes are
 * zero, so that equal states have equal bytes. */
struct state {
    uint8_t count[MODEL_PLACES]; /* values of each place */
    uint8_t view[MODEL_THREADS][MODEL_PLACES];
    uint8_t consistent[MODEL_PLACES]; /* the last sequentially consistent store */
    uint8_t status[MODEL_THREADS];
    uint8_t has_missed[MODEL_THREADS]; /* in this turn, a newer value than it read */
    uint8_t answer_count[MODEL_THREADS];
    uint32_t answers[MODEL_THREADS][MOST_ANSWERS];
    uint32_t ghosts[MODEL_GHOSTS];
    unsigned char local[MODEL_THREADS][MODEL_LOCAL_BYTES];
    uint32_t value_count;
    struct value values[MOST_VALUES]; /* of all places, one after the other */
};

/* What a thread wants to do. */
enum kind { LOAD, STORE, FENCE, PUT, TAKE, CHOOSE, GHOST, LOOK, END, FAIL };

struct operation {
    enum kind kind;
    int place; /* -1: none */
    int order;
    int number;     /* of a ghost */
    uint32_t value; /* or number of options, or result of the turn */
    int reads;      /* place that counts reads; -1: none */
    char failure[MODEL_KIND_BYTES];
    char text[MODEL_TEXT_BYTES];
};

/* One step of an interleaving, for those who want to see it. */
struct step {
    int thread;
    enum kind kind;
    int place;
    uint32_t value;
    bool is_old; /* not the last value */
};

extern const struct model *explored; /* what is explored now */

/* Ends the program: the model itself is wrong. */
_Noreturn void explore_trouble(const char *text);
static inline bool explore_uses(int thread, int place)
{
    return explored->places[place].users >> thread & 1;
}
/* Bytes of a state that count; whole words. */
size_t explore_state_bytes(const struct state *state);

/* What a thread does next. */
struct operation turn_next(struct state *state, int thread);
/* Keeps what a thread knows at the end of its turn. */
void turn_keep(struct state *state, int thread);
/* Lets the model look at a change. */
void turn_after_change(struct state *state, int place);
/* Lets the model look at the end; false, and the failure, when something is wrong. */
bool turn_ends_well(struct state *state, struct operation *failure);

void memory_begin(struct state *state);
uint32_t memory_last(struct state *state, int place);
void memory_store(struct state *state, int thread, const struct operation *op);
/* Numbers of the values that a load may be answered with: from `*from` to before `*to`. */
void memory_range(
    struct state *state, int thread, const struct operation *op, unsigned *from, unsigned *to);
uint32_t memory_load(struct state *state, int thread, const struct operation *op, unsigned number);
/* Plain memory. NULL, or what is wrong. */
const char *memory_put(struct state *state, int thread, const struct operation *op);
const char *memory_take(struct state *state, int thread, const struct operation *op);
/* A thread is done: it reads nothing any more. */
void memory_leave(struct state *state, int thread);
/* Something changed: who sleeps wakes up; who is in the middle of a turn may have missed it. */
void memory_tell_others(struct state *state, int thread);

/* Whether a state was not seen before; it is from now on. */
bool seen_is_new(const struct state *state);
void seen_forget_all(void);

void tell_step(const struct step *step);

#endif
