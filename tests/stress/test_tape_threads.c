/* The tape between real threads: a producer that skips now and then, the disk writer that holds and
 * stalls now and then, and a meter that looks without holding. Run it under ThreadSanitizer.
 *
 * Every sample encodes its frame and track. The writer must see each frame exactly once, in order,
 * whole, or inside a gap that the producer listed; nothing depends on how fast the threads are.
 */
#include "facts.h"
#include "ring.h"
#include "tape.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

enum { TRACKS = 3, CAPACITY = 5000, BLOCKS = 60000 };
static const uint32_t CHANNELS[TRACKS] = {2, 1, 2};

struct shared {
    struct stem_tape *tape;
    struct stem_ring *facts;
    uint64_t start;
    uint64_t end; /* first frame never written */
    atomic_bool done;
    uint64_t glances;
    uint64_t wrong_glances;
};

static float sample(uint64_t frame, uint32_t track)
{
    return (float)((frame * 13 + track) % 16777213);
}

static uint32_t next_random(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 16;
}

static void fill_all(struct stem_tape *tape, uint64_t frame, uint32_t frames)
{
    for (uint32_t t = 0; t < TRACKS; t++) {
        struct stem_tape_span span = stem_tape_span_rt(tape, t, frame, frames);
        uint64_t f = frame;
        for (int part = 0; part < 2; part++)
            for (uint32_t i = 0; i < span.frames[part]; i++, f++)
                for (uint32_t c = 0; c < CHANNELS[t]; c++)
                    span.samples[part][i * CHANNELS[t] + c] = sample(f, t);
    }
}

static void *produce(void *argument)
{
    struct shared *shared = argument;
    uint32_t random = 7;
    uint64_t frame = shared->start, gap_from = 0, contiguous = shared->start;
    bool in_gap = false;
    for (int blocks = 0; blocks < BLOCKS;) {
        uint32_t frames = 1 + next_random(&random) % 300;
        bool skip = next_random(&random) % 50 == 0;
        bool room = !skip && stem_tape_fits_rt(shared->tape, frame, frames);
        if (room && in_gap) {
            struct stem_fact gap = {
                .kind = STEM_FACT_GAP, .frame = gap_from, .gap_frames = frame - gap_from};
            room = stem_ring_push_rt(shared->facts, &gap);
            if (room) {
                contiguous = frame;
                in_gap = false;
            }
        }
        if (room && stem_tape_reserve_rt(shared->tape, frame, frames)) {
            fill_all(shared->tape, frame, frames);
            stem_tape_commit_rt(shared->tape, contiguous);
            blocks++;
        } else if (!in_gap) {
            in_gap = true;
            gap_from = frame;
        }
        if (!room)
            sched_yield();
        frame += frames;
        if (next_random(&random) % 8 == 0)
            sched_yield();
    }
    shared->end = frame;
    atomic_store(&shared->done, true);
    return NULL;
}

static bool look(const struct stem_tape *tape, uint64_t from, uint32_t frames)
{
    struct stem_tape_span span = stem_tape_span_rt(tape, 1, from, frames);
    for (int part = 0; part < 2; part++)
        for (uint32_t i = 0; i < span.frames[part]; i++, from++)
            if (span.samples[part][i] != sample(from, 1))
                return false;
    return true;
}

/* Looks at samples that may be overwritten under its eyes, then asks whether they were: a race on
 * purpose, as in the meters. */
__attribute__((no_sanitize("thread"))) static bool look_unheld(
    const struct stem_tape *tape, uint64_t from, uint32_t frames)
{
    struct stem_tape_span span = stem_tape_span_rt(tape, 1, from, frames);
    for (int part = 0; part < 2; part++)
        for (uint32_t i = 0; i < span.frames[part]; i++, from++)
            if (((const volatile float *)span.samples[part])[i] != sample(from, 1))
                return false;
    return true;
}

static void *glance(void *argument)
{
    struct shared *shared = argument;
    while (!atomic_load(&shared->done)) {
        uint64_t written = stem_tape_written(shared->tape);
        uint64_t from = stem_tape_contiguous_from(shared->tape);
        if (written < from + 100) {
            sched_yield();
            continue;
        }
        from = written - 100;
        bool right = look_unheld(shared->tape, from, 100);
        if (stem_tape_intact(shared->tape, from) &&
            from >= stem_tape_contiguous_from(shared->tape)) {
            shared->glances++;
            shared->wrong_glances += !right;
        }
        sched_yield();
    }
    return NULL;
}

/* Reads everything from `next` up to `written`, jumping over gaps; returns the frames read. */
static uint64_t read_up_to(
    struct shared *shared, uint64_t *next, uint64_t written, struct stem_fact *gap, bool *has_gap)
{
    uint64_t read = 0;
    while (*next < written) {
        if (!*has_gap)
            *has_gap = stem_ring_pop_rt(shared->facts, gap);
        uint64_t until = *has_gap && gap->frame < written ? gap->frame : written;
        assert_true(until >= *next);
        uint64_t run = until - *next;
        if (run > 400)
            run = 400;
        if (run > 0)
            assert_true(look(shared->tape, *next, (uint32_t)run));
        *next += run;
        read += run;
        if (*has_gap && *next == gap->frame) {
            *next += gap->gap_frames;
            *has_gap = false;
        }
        stem_tape_hold(shared->tape, STEM_TAPE_WRITER, *next);
    }
    return read;
}

static void test_tape_threads_lose_double_or_tear_nothing(void **state)
{
    (void)state;
    struct stem_error error;
    struct shared shared = {.start = (UINT64_C(1) << 32) - 100000};
    shared.tape = stem_tape_create(CHANNELS, TRACKS, CAPACITY, false, NULL, &error);
    shared.facts = stem_ring_create(64, sizeof(struct stem_fact));
    assert_non_null(shared.tape);
    assert_non_null(shared.facts);
    stem_tape_hold(shared.tape, STEM_TAPE_WRITER, shared.start);
    pthread_t producer, meter;
    assert_int_equal(pthread_create(&producer, NULL, produce, &shared), 0);
    assert_int_equal(pthread_create(&meter, NULL, glance, &shared), 0);
    uint64_t next = shared.start, read = 0;
    struct stem_fact gap;
    bool has_gap = false, done = false;
    uint32_t random = 3;
    while (!done) {
        done = atomic_load(&shared.done);
        read += read_up_to(&shared, &next, stem_tape_written(shared.tape), &gap, &has_gap);
        if (next_random(&random) % 1000 == 0)
            nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL); /* a stalled disk */
        sched_yield();
    }
    pthread_join(producer, NULL);
    pthread_join(meter, NULL);
    assert_int_equal(shared.wrong_glances, 0);
    assert_int_equal(next, shared.end);
    assert_true(read >= BLOCKS); /* every written block has at least one frame */
    stem_ring_destroy(shared.facts);
    stem_tape_destroy(shared.tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tape_threads_lose_double_or_tear_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
