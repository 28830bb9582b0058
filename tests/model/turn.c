/* Turns: a thread's function is called anew for each step, answered as before until it asks
 * something new, and left by a long jump. */
#include "explore_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The turn that is being called */
static struct state *now;
static int self;
static unsigned answered;
static struct operation asked;
static jmp_buf out;
static _Alignas(16) unsigned char work[MODEL_LOCAL_BYTES];

static bool stores(const struct operation *op)
{
    return op->kind == STORE || op->kind == PUT;
}

static uint32_t ask(const struct operation *op)
{
    if (op->place >= 0 && !explore_uses(self, op->place))
        explore_trouble("a thread touches what is not its own");
    if (stores(op) && explored->places[op->place].owner != self)
        explore_trouble("a thread stores what another one owns");
    if (answered < now->answer_count[self])
        return now->answers[self][answered++];
    asked = *op;
    longjmp(out, 1);
}

uint32_t model_load(int place, int order)
{
    return ask(&(struct operation){.kind = LOAD, .place = place, .order = order, .reads = -1});
}

void model_store(int place, uint32_t value, int order)
{
    ask(&(struct operation){
        .kind = STORE, .place = place, .value = value, .order = order, .reads = -1});
}

void model_fence(int order)
{
    ask(&(struct operation){.kind = FENCE, .place = -1, .order = order, .reads = -1});
}

void model_put(int place, uint32_t value, int reads)
{
    ask(&(struct operation){.kind = PUT, .place = place, .value = value, .reads = reads});
}

uint32_t model_take(int place, int reads)
{
    return ask(&(struct operation){.kind = TAKE, .place = place, .reads = reads});
}

unsigned model_choose(unsigned options)
{
    return ask(&(struct operation){.kind = CHOOSE, .place = -1, .value = options});
}

uint32_t model_ghost(int number)
{
    return ask(&(struct operation){.kind = LOOK, .place = -1, .number = number});
}

void model_set_ghost(int number, uint32_t value)
{
    ask(&(struct operation){.kind = GHOST, .place = -1, .number = number, .value = value});
}

_Noreturn void model_fail(const char *kind, const char *format, ...)
{
    va_list arguments;
    asked = (struct operation){.kind = FAIL, .place = -1};
    snprintf(asked.failure, sizeof asked.failure, "%s", kind);
    va_start(arguments, format);
    vsnprintf(asked.text, sizeof asked.text, format, arguments);
    va_end(arguments);
    longjmp(out, 1);
}

uint32_t model_ghost_now(int number)
{
    return now->ghosts[number];
}

void model_set_ghost_now(int number, uint32_t value)
{
    now->ghosts[number] = value;
}

uint32_t model_last(int place)
{
    return memory_last(now, place);
}

struct operation turn_next(struct state *state, int thread)
{
    now = state;
    self = thread;
    answered = 0;
    memcpy(work, state->local[thread], sizeof work);
    if (setjmp(out) == 0) {
        enum model_result result = explored->threads[thread].turn(work);
        asked = (struct operation){.kind = END, .place = -1, .value = result};
    }
    return asked;
}

void turn_keep(struct state *state, int thread)
{
    turn_next(state, thread); /* leaves the local in `work` */
    memcpy(state->local[thread], work, sizeof work);
    memset(state->answers[thread], 0, sizeof state->answers[thread]);
    state->answer_count[thread] = 0;
}

void turn_after_change(struct state *state, int place)
{
    now = state;
    explored->after_change(place);
}

bool turn_ends_well(struct state *state, struct operation *failure)
{
    now = state;
    if (setjmp(out) == 0) {
        explored->at_end();
        return true;
    }
    *failure = asked;
    return false;
}
