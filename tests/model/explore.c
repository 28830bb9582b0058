/* From state to state, depth first. See explore.h. */
#include "explore_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 4000, TROUBLE = 99 };

struct node {
    struct state state;
    struct operation next[MODEL_THREADS];
    struct step step; /* that led here */
};

const struct model *explored;
static struct model_outcome *outcome;
static unsigned long long most;
static struct node *nodes; /* the present interleaving */

void explore_trouble(const char *text)
{
    fprintf(stderr, "model: %s\n", text);
    exit(TROUBLE);
}

size_t explore_state_bytes(const struct state *state)
{
    return offsetof(struct state, values) + state->value_count * sizeof *state->values;
}

/* Steps */

/* Whether it is all the same to every other thread when it happens. */
static bool is_inner(int thread, const struct operation *op)
{
    switch (op->kind) {
    case LOAD:
        return explored->places[op->place].owner == thread;
    case STORE:
        return false;
    case PUT:
        return !explored->places[op->place].is_watched;
    case TAKE:
        return op->reads >= 0;
    default:
        return true;
    }
}

/* The ways in which a thread's next step may go: numbers from `*from` to before `*to`. */
static void option_range(
    struct state *state, int thread, const struct operation *op, unsigned *from, unsigned *to)
{
    *from = 0;
    *to = op->kind == CHOOSE ? op->value : 1;
    if (op->kind == LOAD || (op->kind == TAKE && op->reads < 0))
        memory_range(state, thread, op, from, to);
}

static void end_turn(struct state *state, int thread, enum model_result result)
{
    turn_keep(state, thread);
    if (result == MODEL_IDLE && !state->has_missed[thread])
        state->status[thread] = ASLEEP;
    state->has_missed[thread] = 0;
    if (result != MODEL_DONE)
        return;
    state->status[thread] = DONE;
    memset(state->local[thread], 0, sizeof state->local[thread]);
    memory_leave(state, thread);
}

static void answer(struct state *state, int thread, uint32_t value)
{
    if (state->answer_count[thread] == MOST_ANSWERS)
        explore_trouble("a turn is longer than there is room for");
    state->answers[thread][state->answer_count[thread]++] = value;
}

/* Reads in one of the ways it may go. NULL, or what is wrong. */
static const char *read_place(
    struct state *state, int thread, const struct operation *op, unsigned option, uint32_t *value)
{
    if (op->reads < 0) {
        *value = memory_load(state, thread, op, option);
        return NULL;
    }
    const char *wrong = memory_take(state, thread, op);
    *value = memory_last(state, op->place);
    return wrong;
}

/* Does a thread's next step in one of the ways it may go. NULL, or what is wrong. */
static const char *do_step(
    struct state *state, int thread, const struct operation *op, unsigned option, uint32_t *value)
{
    const char *wrong = NULL;
    *value = op->value;
    switch (op->kind) {
    case LOAD:
    case TAKE:
        wrong = read_place(state, thread, op, option, value);
        break;
    case STORE:
        memory_store(state, thread, op);
        turn_after_change(state, op->place);
        break;
    case PUT:
        wrong = memory_put(state, thread, op);
        break;
    case CHOOSE:
        *value = option;
        break;
    case GHOST:
        state->ghosts[op->number] = op->value;
        turn_after_change(state, op->place);
        break;
    case LOOK:
        *value = state->ghosts[op->number];
        break;
    case FENCE: /* to acquire what was loaded from plain places, which carry no view */
        break;
    case END:
        end_turn(state, thread, (enum model_result)op->value);
        return NULL;
    case FAIL:
        return op->text;
    }
    answer(state, thread, *value);
    return wrong;
}

/* Exploring */

static bool found(int depth, const char *kind, const char *text)
{
    outcome->failed = true;
    snprintf(outcome->kind, sizeof outcome->kind, "%s", kind);
    printf("# found (%s): %s\n# how it comes to it:\n", kind, text);
    for (int d = 1; d <= depth; d++)
        tell_step(&nodes[d].step);
    return false;
}

static bool explore(int depth);

/* Goes on from a state by one step. False when something was found. */
static bool go_on(int depth, int thread, unsigned option, bool is_old)
{
    struct node *node = &nodes[depth], *child = node + 1;
    const struct operation *op = &node->next[thread];
    uint32_t value;
    memcpy(&child->state, &node->state, explore_state_bytes(&node->state));
    memcpy(child->next, node->next, sizeof child->next);
    const char *wrong = do_step(&child->state, thread, op, option, &value);
    outcome->steps++;
    child->step = (struct step){thread, op->kind, op->place, value, is_old};
    if (wrong)
        return found(depth + 1, op->kind == FAIL ? op->failure : "torn", wrong);
    if (child->state.status[thread] != DONE)
        child->next[thread] = turn_next(&child->state, thread);
    return explore(depth + 1);
}

/* Follows every way in which one thread may go on. False when something was found. */
static bool follow(int depth, int thread)
{
    struct node *node = &nodes[depth];
    unsigned from, to;
    option_range(&node->state, thread, &node->next[thread], &from, &to);
    for (unsigned option = from; option < to; option++)
        if (!go_on(depth, thread, option, option + 1 < to))
            return false;
    return true;
}

/* Follows everybody who is awake. False when something was found. */
static bool follow_all(int depth)
{
    const struct node *node = &nodes[depth];
    if (!seen_is_new(&node->state))
        return true;
    if (++outcome->states > most) {
        snprintf(outcome->kind, sizeof outcome->kind, "many");
        return false;
    }
    for (int t = 0; t < MODEL_THREADS; t++)
        if (node->state.status[t] == AWAKE && !follow(depth, t))
            return false;
    return true;
}

/* Nobody can do anything any more. False when that should not be, or something else is wrong. */
static bool end(int depth)
{
    struct node *node = &nodes[depth];
    struct operation failure;
    for (int t = 0; t < MODEL_THREADS; t++)
        if (node->state.status[t] == ASLEEP)
            return found(depth, "stuck", "all wait for each other");
    outcome->ends++;
    return turn_ends_well(&node->state, &failure) || found(depth, failure.failure, failure.text);
}

static bool explore(int depth)
{
    const struct node *node = &nodes[depth];
    bool any_awake = false;
    if (depth + 2 >= MOST_DEPTH)
        explore_trouble("an interleaving is longer than there is room for");
    outcome->longest = depth > outcome->longest ? depth : outcome->longest;
    for (int t = 0; t < MODEL_THREADS; t++) {
        if (node->state.status[t] != AWAKE)
            continue;
        if (is_inner(t, &node->next[t]))
            return follow(depth, t);
        any_awake = true;
    }
    return any_awake ? follow_all(depth) : end(depth);
}

static void begin(struct node *node)
{
    struct state *state = &node->state;
    memory_begin(state);
    for (int t = 0; t < MODEL_THREADS; t++) {
        const struct model_thread *thread = &explored->threads[t];
        state->status[t] = thread->turn ? AWAKE : DONE;
        if (!thread->turn)
            continue;
        if (thread->bytes > MODEL_LOCAL_BYTES)
            explore_trouble("a thread knows more than there is room for");
        memcpy(state->local[t], thread->initial, thread->bytes);
        node->next[t] = turn_next(state, t);
    }
}

void model_explore(
    const struct model *model, unsigned long long most_states, struct model_outcome *result)
{
    explored = model;
    most = most_states;
    outcome = result;
    *outcome = (struct model_outcome){0};
    nodes = calloc(MOST_DEPTH, sizeof *nodes);
    if (!nodes)
        explore_trouble("no memory");
    begin(&nodes[0]);
    explore(0);
    free(nodes);
    seen_forget_all();
}
