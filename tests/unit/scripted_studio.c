#include "scripted_studio.h"

#include "unit.h"

static struct studio *studio_now;

/* The JACK calls of the process thread */

jack_nframes_t jack_last_frame_time(const jack_client_t *client)
{
    (void)client;
    return studio_now->clock;
}

int jack_get_cycle_times(const jack_client_t *client, jack_nframes_t *frame, jack_time_t *began_us,
    jack_time_t *next_us, float *period_us)
{
    (void)client;
    *frame = studio_now->clock;
    *began_us = studio_now->passed * 1000000 / STUDIO_RATE;
    *next_us = (studio_now->passed + studio_now->period) * 1000000 / STUDIO_RATE;
    *period_us = (float)(*next_us - *began_us);
    return 0;
}

static size_t index_of(const jack_port_t *port)
{
    return (size_t)((uintptr_t)port - 1);
}

/* 20 bits of a hash, as a number of 24-bit steps: a sum of a few of these is exact. */
static float port_sample(uint32_t port, uint32_t clock)
{
    uint32_t hash = (clock + port * 0x9E3779B9u) * 2654435761u;
    hash ^= hash >> 15;
    return (float)((int32_t)(hash & 0xFFFFF) - 0x80000) * 0x1p-23f;
}

void *jack_port_get_buffer(jack_port_t *port, jack_nframes_t frames)
{
    size_t index = index_of(port);
    assert_true(index < STUDIO_PORTS && frames <= STUDIO_MOST_PERIOD);
    if (index == 0 && studio_now->on_buffer)
        studio_now->on_buffer(studio_now);
    for (uint32_t i = 0; i < frames; i++)
        studio_now->levels[index][i] = port_sample((uint32_t)index, studio_now->clock + i);
    return studio_now->levels[index];
}

jack_transport_state_t jack_transport_query(const jack_client_t *client, jack_position_t *position)
{
    (void)client;
    *position = studio_now->position;
    return studio_now->transport;
}

/* The configuration */

static struct stem_config_source nowhere[2] = {{.from = (char[]){""}}, {.from = (char[]){""}}};

static struct stem_config_input drums_inputs[] = {
    {.name = (char[]){"Kick"}, .from = nowhere, .channels = 1},
    {.name = (char[]){"Overheads"}, .from = nowhere, .channels = 2},
};
static struct stem_config_input bass_inputs[] = {
    {.name = (char[]){"DI"}, .from = nowhere, .channels = 1, .invert = true},
};
static struct stem_config_stem stems[] = {
    {.name = (char[]){"Drums"}, .channels = 2, .inputs = drums_inputs, .input_count = 2},
    {.name = (char[]){"Bass"}, .channels = 1, .inputs = bass_inputs, .input_count = 1},
};

static struct stem_config configuration(void)
{
    static char client[] = "stemd", mix[] = "Mix";
    static char folder_name[] = STEM_NAMING_FOLDER, file_name[] = STEM_NAMING_FILE;
    return (struct stem_config){
        .client = client,
        .folder_name = folder_name,
        .file_name = file_name,
        .container = STEM_WAV,
        .encoding = STEM_PCM24,
        .stems = stems,
        .stem_count = 2,
        .has_mix = true,
        .mix = {.name = mix, .from = nowhere, .channels = 2},
    };
}

struct studio *studio_create(uint64_t tape_frames, size_t fact_slots)
{
    struct stem_error error = {0};
    struct studio *studio = calloc(1, sizeof *studio);
    assert_non_null(studio);
    studio->config = configuration();
    studio->layout = stem_layout_create(&studio->config);
    assert_non_null(studio->layout);
    const struct stem_layout *layout = studio->layout;
    assert_int_equal(layout->port_count, STUDIO_PORTS);
    assert_int_equal(layout->track_count, STUDIO_TRACKS);
    studio->tape =
        stem_tape_create(layout->channels, layout->track_count, tape_frames, false, NULL, &error);
    assert_non_null(studio->tape);
    studio->mix = stem_mix_create(layout->channels, layout->track_count, layout->port_count,
        layout->routes, layout->route_count, STUDIO_RATE, &error);
    assert_non_null(studio->mix);
    studio->facts = stem_ring_create(fact_slots, sizeof(struct stem_fact));
    assert_non_null(studio->facts);
    for (size_t p = 0; p < STUDIO_PORTS; p++)
        studio->ports[p] = (jack_port_t *)(uintptr_t)(p + 1);
    studio->process = (struct stem_process){.ports = studio->ports,
        .buffers = studio->buffers,
        .port_count = STUDIO_PORTS,
        .tape = studio->tape,
        .mix = studio->mix,
        .facts = {studio->facts}};
    studio_now = studio;
    return studio;
}

void studio_destroy(struct studio *studio)
{
    stem_ring_destroy(studio->facts);
    stem_mix_destroy(studio->mix);
    stem_tape_destroy(studio->tape);
    stem_layout_destroy(studio->layout);
    free(studio);
    studio_now = NULL;
}

void studio_skip(struct studio *studio, uint32_t frames)
{
    studio->clock += frames;
    studio->passed += frames;
    if (studio->transport == JackTransportRolling)
        studio->position.frame += frames;
}

void studio_cycle(struct studio *studio, uint32_t frames)
{
    studio->period = frames;
    stem_process_cycle_rt(&studio->process, frames);
    studio_skip(studio, frames);
}

void studio_run(struct studio *studio, uint32_t frames, uint32_t period)
{
    assert_int_equal(frames % period, 0);
    for (uint32_t done = 0; done < frames; done += period)
        studio_cycle(studio, period);
}

float studio_sample(const struct studio *studio, uint32_t track, uint32_t channel, uint32_t clock)
{
    float sum = 0;
    const struct stem_layout *layout = studio->layout;
    for (uint32_t r = 0; r < layout->route_count; r++) {
        const struct stem_mix_route *route = &layout->routes[r];
        if (route->track == track && route->channel == channel)
            sum += route->gain * port_sample(route->port, clock);
    }
    return sum;
}

static void check_track(
    const struct studio *studio, uint32_t track, uint64_t frame, uint32_t frames, uint32_t clock)
{
    struct stem_tape_span span = stem_tape_span_rt(studio->tape, track, frame, frames);
    uint32_t channels = studio->layout->channels[track];
    for (int part = 0; part < 2; part++)
        for (uint32_t i = 0; i < span.frames[part]; i++, clock++)
            for (uint32_t c = 0; c < channels; c++)
                if (span.samples[part][i * channels + c] != studio_sample(studio, track, c, clock))
                    fail_msg("track %u, channel %u, %u frames from the end of the stretch", track,
                        c, span.frames[part] - i);
}

void studio_check_tape(const struct studio *studio, uint64_t frame, uint32_t frames, uint32_t clock)
{
    for (uint32_t t = 0; t < STUDIO_TRACKS; t++)
        check_track(studio, t, frame, frames, clock);
}
