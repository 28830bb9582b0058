/* The real code, whose atomics and whose queue's copies are steps of the model; and around it what
 * it calls: JACK and the mixer. */
#include "tape_model.h"

#include "ring_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atomics.h"

struct stem_tape the_tape;
static struct tape_track the_track;
static float cells[MOST_CAPACITY]; /* only their addresses count */
static struct stem_ring *queues[HOLDERS];
static struct stem_process *the_process;
static uint32_t the_clock;

void make_tape(void)
{
    the_track = (struct tape_track){.channels = 1, .samples = cells};
    the_tape =
        (struct stem_tape){.capacity_frames = scenario->capacity, .tracks = 1, .track = &the_track};
    for (int h = 0; h < HOLDERS; h++) {
        stem_ring_destroy(queues[h]);
        queues[h] = stem_ring_create((size_t)scenario->slots, sizeof(struct stem_fact));
        if (!queues[h])
            abort();
    }
}

struct stem_ring *queue_of(int holder)
{
    return queues[holder];
}

void begin_cycle(struct stem_process *process, uint32_t clock)
{
    the_process = process;
    the_clock = clock;
}

static int holders_place(const volatile void *at)
{
    for (int h = 0; h < HOLDERS; h++) {
        if (at == &the_tape.held[h].frame)
            return HELD + h;
        if (the_process && at == &the_process->missed[h])
            return MISSED + h;
        if (at == &queues[h]->head)
            return HEAD + h;
        if (at == &queues[h]->tail)
            return TAIL + h;
    }
    return -1;
}

int place_of(const volatile void *at)
{
    if (at == &the_tape.writing_end)
        return WRITING_END;
    if (at == &the_tape.written)
        return WRITTEN;
    if (at == &the_tape.contiguous_from)
        return CONTIGUOUS_FROM;
    if (at == &the_tape.first)
        return FIRST;
    return holders_place(at);
}

/* A fact as a number, as far as the readers want it; clocks are of no interest. */
static uint32_t packed(const struct stem_fact *fact)
{
    if (fact->kind != STEM_FACT_GAP)
        return 0;
    return 1 | fact->reasons << 1 | (uint32_t)fact->frame << 8 | (uint32_t)fact->gap_frames << 16;
}

static struct stem_fact unpacked(uint32_t value)
{
    return (struct stem_fact){
        .kind = value & 1 ? STEM_FACT_GAP : STEM_FACT_CLOCK,
        .reasons = value >> 1 & 0x7F,
        .frame = value >> 8 & 0xFF,
        .gap_frames = value >> 16,
    };
}

static int slot_of(const void *at)
{
    for (int h = 0; h < HOLDERS; h++)
        for (int k = 0; k < SLOTS; k++)
            if (at == queues[h]->messages + (size_t)k * sizeof(struct stem_fact))
                return h * SLOTS + k;
    return -1;
}

/* In the place of memcpy. */
static void *copy(void *to, const void *from, size_t bytes)
{
    int into = slot_of(to), out_of = slot_of(from);
    if (into >= 0)
        model_put(SLOT + into, packed(from), SLOT_READS + into);
    else if (out_of >= 0)
        *(struct stem_fact *)to = unpacked(model_take(SLOT + out_of, SLOT_READS + out_of));
    else
        memcpy(to, from, bytes);
    return to;
}

#define memcpy copy
#include "process.c"
#include "ring_rt.c"
#include "tape.c"
#include "tape_rt.c"
#undef memcpy

int cell_of(uint32_t frame)
{
    struct stem_tape_span span = stem_tape_span_rt(&the_tape, 0, frame, 1);
    return (int)(span.samples[0] - cells);
}

/* What the real code calls */

jack_nframes_t jack_last_frame_time(const jack_client_t *client)
{
    (void)client;
    return the_clock;
}

void *jack_port_get_buffer(jack_port_t *port, jack_nframes_t frames)
{
    (void)port, (void)frames;
    return NULL;
}

jack_transport_state_t jack_transport_query(const jack_client_t *client, jack_position_t *position)
{
    (void)client;
    *position = (jack_position_t){0};
    return JackTransportStopped;
}

int jack_get_cycle_times(const jack_client_t *client, jack_nframes_t *frames, jack_time_t *usecs,
    jack_time_t *next_usecs, float *period_usecs)
{
    (void)client, (void)frames, (void)usecs, (void)next_usecs, (void)period_usecs;
    return -1;
}

void stem_mix_track_rt(struct stem_mix *mix, uint32_t track, const float *const *buffers,
    const struct stem_tape_span *out)
{
    (void)mix, (void)track, (void)buffers;
    uint32_t frame = the_clock;
    for (int part = 0; part < 2; part++)
        for (uint32_t i = 0; i < out->frames[part]; i++) {
            int cell = (int)(out->samples[part] + i - cells);
            model_put(CELL + cell, ++frame, scenario->mirror ? -1 : CELL_READS + cell);
        }
}

void stem_mix_settle_rt(void) {}
