/* Weak memory: which values a place has, and which of them each thread may read. See explore.h. */
#include "explore_parts.h"

#include <stdatomic.h>
#include <string.h>

static bool counts_reads(int place)
{
    return explored->places[place].counts_reads;
}

static struct value *first_value(struct state *state, int place)
{
    struct value *value = state->values;
    for (int p = 0; p < place; p++)
        value += counts_reads(p) ? 0 : state->count[p];
    return value;
}

uint32_t memory_last(struct state *state, int place)
{
    return first_value(state, place)[state->count[place] - 1].value;
}

static void lower(uint8_t *number, unsigned by)
{
    *number = *number > by ? (uint8_t)(*number - by) : 0;
}

static void drop_values(struct state *state, int place, unsigned number)
{
    struct value *first = first_value(state, place);
    struct value *end = state->values + state->value_count;
    memmove(first, first + number, (size_t)(end - first - number) * sizeof *first);
    memset(end - number, 0, number * sizeof *first);
    state->value_count -= number;
}

/* Number of the oldest value that somebody may still read; when nobody is left, of the last. */
static unsigned oldest_wanted(const struct state *state, int place)
{
    unsigned oldest = state->count[place] - !counts_reads(place);
    for (int t = 0; t < MODEL_THREADS; t++)
        if (explore_uses(t, place) && state->status[t] != DONE && state->view[t][place] < oldest)
            oldest = state->view[t][place];
    return oldest;
}

/* Forgets what nobody may read any more, and counts from what remains. */
static void forget(struct state *state, int place)
{
    unsigned oldest = oldest_wanted(state, place);
    if (oldest == 0)
        return;
    if (!counts_reads(place))
        drop_values(state, place, oldest);
    lower(&state->count[place], oldest);
    lower(&state->consistent[place], oldest);
    for (int t = 0; t < MODEL_THREADS; t++)
        lower(&state->view[t][place], oldest);
    for (uint32_t v = 0; v < state->value_count; v++)
        lower(&state->values[v].view[place], oldest);
}

static void forget_all(struct state *state)
{
    for (int p = 0; p < explored->place_count; p++)
        forget(state, p);
}

/* A thread's view becomes at least this one. Views travel from the producer to all others and back:
 * what others do not use themselves, it knows already. */
static void join(struct state *state, int thread, const uint8_t *view)
{
    for (int p = 0; p < explored->place_count; p++)
        if (explore_uses(thread, p) && view[p] > state->view[thread][p])
            state->view[thread][p] = view[p];
    forget_all(state);
}

/* Appends a value; `view` goes with it (NULL: none). Returns its number. */
static uint8_t append(struct state *state, int place, uint32_t value, const uint8_t *view)
{
    if (state->value_count == MOST_VALUES || state->count[place] == UINT8_MAX)
        explore_trouble("more values than there is room for");
    uint8_t number = state->count[place]++;
    struct value *at = first_value(state, place) + number;
    struct value *end = state->values + state->value_count++;
    memmove(at + 1, at, (size_t)(end - at) * sizeof *at);
    *at = (struct value){.value = value};
    if (view)
        memcpy(at->view, view, sizeof at->view);
    at->view[place] = number;
    return number;
}

static bool is_release(int order)
{
    return order == memory_order_release || order == memory_order_seq_cst;
}

static bool is_acquire(int order)
{
    return order == memory_order_acquire || order == memory_order_seq_cst;
}

void memory_begin(struct state *state)
{
    for (int p = 0; p < explored->place_count; p++)
        if (!counts_reads(p))
            append(state, p, explored->places[p].initial, NULL);
}

void memory_tell_others(struct state *state, int thread)
{
    for (int t = 0; t < MODEL_THREADS; t++) {
        if (state->status[t] == ASLEEP)
            state->status[t] = AWAKE;
        if (t != thread && state->answer_count[t] > 0)
            state->has_missed[t] = 1;
    }
}

void memory_store(struct state *state, int thread, const struct operation *op)
{
    const uint8_t *view = is_release(op->order) ? state->view[thread] : NULL;
    uint8_t newest = append(state, op->place, op->value, view);
    state->view[thread][op->place] = newest;
    if (op->order == memory_order_seq_cst)
        state->consistent[op->place] = newest;
    forget(state, op->place);
    memory_tell_others(state, thread);
}

void memory_range(
    struct state *state, int thread, const struct operation *op, unsigned *from, unsigned *to)
{
    bool is_consistent = op->kind == LOAD && op->order == memory_order_seq_cst;
    *to = state->count[op->place];
    *from = state->view[thread][op->place];
    if (is_consistent && state->consistent[op->place] > *from)
        *from = state->consistent[op->place];
}

uint32_t memory_load(struct state *state, int thread, const struct operation *op, unsigned number)
{
    uint32_t value = first_value(state, op->place)[number].value;
    if (number + 1 < state->count[op->place])
        state->has_missed[thread] = 1;
    state->view[thread][op->place] = (uint8_t)number;
    forget(state, op->place);
    if (op->kind == LOAD && is_acquire(op->order)) {
        /* forget() may have counted anew: take the view as it is now */
        const struct value *same = first_value(state, op->place) + state->view[thread][op->place];
        join(state, thread, same->view);
    }
    return value;
}

static bool sees_last(const struct state *state, int thread, int place)
{
    return state->view[thread][place] + 1 == state->count[place];
}

static bool sees_all_reads(const struct state *state, int thread, int reads)
{
    return reads < 0 || state->view[thread][reads] == state->count[reads];
}

const char *memory_put(struct state *state, int thread, const struct operation *op)
{
    if (!sees_all_reads(state, thread, op->reads))
        return "it is written while it may still be read";
    state->view[thread][op->place] = append(state, op->place, op->value, NULL);
    forget(state, op->place);
    if (explored->places[op->place].is_watched)
        memory_tell_others(state, thread);
    return NULL;
}

const char *memory_take(struct state *state, int thread, const struct operation *op)
{
    if (!sees_last(state, thread, op->place))
        return "it is read while it may still be written";
    state->view[thread][op->reads] = ++state->count[op->reads];
    forget(state, op->reads);
    return NULL;
}

void memory_leave(struct state *state, int thread)
{
    memory_tell_others(state, thread);
    memset(state->view[thread], 0, sizeof state->view[thread]);
    forget_all(state);
}
