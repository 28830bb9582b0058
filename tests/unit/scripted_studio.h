/* A studio without JACK: the process callback runs on a scripted clock, transport and ports, into a
 * real tape. The program that links this replaces the JACK calls of the process thread.
 *
 * Each port's sample tells its port and JACK frame, in so few bits that sums and 24-bit files are
 * exact. The stems: "Drums" (stereo: Kick to both sides, Overheads), "Bass" (mono, inverted), and a
 * stereo mix.
 */
#ifndef STEM_SCRIPTED_STUDIO_H
#define STEM_SCRIPTED_STUDIO_H

#include "config.h"
#include "layout.h"
#include "process.h"

enum { STUDIO_RATE = 48000, STUDIO_PORTS = 6, STUDIO_TRACKS = 3, STUDIO_MOST_PERIOD = 8192 };
enum { STUDIO_DRUMS, STUDIO_BASS, STUDIO_MIX };

struct studio {
    struct stem_config config;
    struct stem_layout *layout;
    struct stem_tape *tape;
    struct stem_mix *mix;
    struct stem_ring *facts;
    struct stem_process process;
    jack_port_t *ports[STUDIO_PORTS];
    const float *buffers[STUDIO_PORTS];

    /* the script */
    uint32_t clock;  /* JACK's frame time of the next cycle */
    uint32_t period; /* of the running cycle */
    uint64_t passed; /* frames' time on the server's clock */
    jack_transport_state_t transport;
    jack_position_t position;                 /* its frame goes on by itself while rolling */
    void (*on_buffer)(struct studio *studio); /* called when the callback asks for its first port */
    float levels[STUDIO_PORTS][STUDIO_MOST_PERIOD];
};

/* There is one at a time. Fails the test when it cannot be made. */
struct studio *studio_create(uint64_t tape_frames, size_t fact_slots);
void studio_destroy(struct studio *studio);

/* Runs one cycle; the clock goes on by `frames`. */
void studio_cycle(struct studio *studio, uint32_t frames);

/* Runs cycles of `period` frames until `frames` frames (a multiple) have passed. */
void studio_run(struct studio *studio, uint32_t frames, uint32_t period);

/* JACK skips cycles. */
void studio_skip(struct studio *studio, uint32_t frames);

/* What must stand on the tape for a JACK frame. */
float studio_sample(const struct studio *studio, uint32_t track, uint32_t channel, uint32_t clock);

/* Compares `frames` frames of all tracks from `frame` on with what JACK's frame `clock` and the
 * following gave. */
void studio_check_tape(
    const struct studio *studio, uint64_t frame, uint32_t frames, uint32_t clock);

#endif
