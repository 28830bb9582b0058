#include "scripted_session.h"

#include "audio_reader.h"

#include <dirent.h>
#include <string.h>

struct studio *studio;
struct stem_session *session;
struct stem_ring *xruns, *commands, *events;
char *folder;
char takes[128];
char spare[128];
bool is_shared;
struct stem_event heard[MOST_EVENTS];
size_t heard_count;
uint32_t request;
struct turn turns[4];
size_t turn_count;
struct stem_cycle_times *cycle_times;
struct stem_wall_times *wall_times;

void open_session(void)
{
    const struct stem_session_params params = {.config = &studio->config,
        .layout = studio->layout,
        .mix = studio->mix,
        .tape = studio->tape,
        .is_shared = is_shared,
        .facts = studio->facts,
        .xruns = xruns,
        .commands = commands,
        .events = events,
        .takes = takes,
        .spare = spare[0] ? spare : NULL,
        .cycle_times = cycle_times,
        .wall_times = wall_times,
        .rate_hz = STUDIO_RATE};
    session = stem_session_create(&params);
    assert_non_null(session);
}

int set_up(void **state)
{
    (void)state;
    folder = scratch_make();
    snprintf(takes, sizeof takes, "%s/takes", folder);
    spare[0] = '\0';
    is_shared = false;
    studio = studio_create(TAPE, FACTS);
    studio->config.takes = takes;
    studio->process.times = cycle_times = stem_cycle_times_create();
    wall_times = stem_wall_times_create();
    xruns = stem_ring_create(16, sizeof(struct stem_fact));
    commands = stem_ring_create(16, sizeof(struct stem_command));
    events = stem_ring_create(MOST_EVENTS, sizeof(struct stem_event));
    open_session();
    heard_count = turn_count = request = 0;
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    stem_session_destroy(session);
    stem_ring_destroy(events);
    stem_ring_destroy(commands);
    stem_ring_destroy(xruns);
    studio_destroy(studio);
    stem_wall_times_destroy(wall_times);
    stem_cycle_times_destroy(cycle_times);
    scratch_remove(folder);
    return 0;
}

/* Driving the session */

void hear(void)
{
    while (heard_count < MOST_EVENTS && stem_ring_pop_rt(events, &heard[heard_count]))
        heard_count++;
}

void forget(void)
{
    hear();
    heard_count = 0;
}

void work(void)
{
    int rounds = 0;
    while (stem_session_work(session))
        assert_true(++rounds < 10000);
    hear();
}

uint64_t now(void)
{
    return stem_tape_written(studio->tape);
}

uint32_t give(enum stem_command_type type, uint64_t frame, const char *text)
{
    struct stem_command command = {
        .type = type, .request = ++request, .frame = frame, .how.preroll_seconds = -1};
    snprintf(command.text, sizeof command.text, "%s", text);
    assert_true(stem_ring_push_rt(commands, &command));
    return request;
}

void pass(uint32_t periods)
{
    for (uint32_t k = 0; k < periods; k++) {
        studio_cycle(studio, PERIOD);
        work();
    }
}

struct stem_command start_by(enum stem_sync sync, uint64_t frame)
{
    return (struct stem_command){.type = STEM_COMMAND_START,
        .request = ++request,
        .frame = frame,
        .how = {.sync = sync, .preroll_seconds = -1}};
}

uint32_t send(const struct stem_command *command)
{
    assert_true(stem_ring_push_rt(commands, command));
    return command->request;
}

/* What was heard */

const struct stem_event *find(enum stem_event_kind kind, size_t number)
{
    for (size_t k = 0; k < heard_count; k++)
        if (heard[k].kind == kind && number-- == 0)
            return &heard[k];
    return NULL;
}

size_t count_of(enum stem_event_kind kind)
{
    size_t count = 0;
    for (size_t k = 0; k < heard_count; k++)
        count += heard[k].kind == kind;
    return count;
}

const struct stem_event *answer_to(uint32_t number)
{
    const struct stem_event *answer = NULL;
    for (size_t k = 0; k < heard_count; k++)
        if (heard[k].request == number) {
            assert_null(answer);
            answer = &heard[k];
        }
    return answer;
}

void check_done(uint32_t number)
{
    const struct stem_event *answer = answer_to(number);
    assert_non_null(answer);
    if (answer->kind != STEM_EVENT_DONE)
        fail_msg("request %u: %s", number, answer->text);
}

void check_failed(uint32_t number, enum stem_code code, const char *word)
{
    const struct stem_event *answer = answer_to(number);
    assert_non_null(answer);
    assert_int_equal(answer->kind, STEM_EVENT_FAILED);
    assert_int_equal(answer->code, code);
    if (!strstr(answer->text, word))
        fail_msg("\"%s\" does not say \"%s\"", answer->text, word);
}

enum stem_state current_state(void)
{
    return (enum stem_state)atomic_load(&stem_session_status(session)->state);
}

/* Looking at takes */

uint64_t read_file(const char *path, double **samples, uint32_t channels)
{
    struct stem_audio_info info;
    struct stem_error error = {0};
    struct stem_audio_reader *reader = stem_audio_reader_open(path, &info, &error);
    if (!reader)
        fail_msg("%s", error.text);
    assert_int_equal(info.channels, channels);
    assert_int_equal(info.rate_hz, STUDIO_RATE);
    *samples = calloc(info.frames * channels + 1, sizeof **samples);
    assert_int_equal(stem_audio_reader_read(reader, *samples, info.frames), info.frames);
    stem_audio_reader_close(reader);
    return info.frames;
}

static bool in_gap(const struct stem_take *take, uint64_t frame)
{
    for (size_t g = 0; g < take->gap_count; g++)
        if (frame >= take->gaps[g].frame && frame < take->gaps[g].frame + take->gaps[g].frames)
            return true;
    return false;
}

uint32_t clock_of(uint64_t frame)
{
    uint32_t clock = (uint32_t)frame;
    for (size_t k = 0; k < turn_count && turns[k].frame <= frame; k++)
        clock = turns[k].clock + (uint32_t)(frame - turns[k].frame);
    return clock;
}

static void check_file(const struct stem_take *take, const char *path, uint32_t track)
{
    double *samples;
    uint32_t channels = studio->layout->channels[track];
    assert_int_equal(read_file(path, &samples, channels), take->frames);
    for (uint64_t i = 0; i < take->frames; i++)
        for (uint32_t c = 0; c < channels; c++) {
            double wanted = in_gap(take, i) ? 0
                                            : (double)studio_sample(studio, track, c,
                                                  clock_of(take->start_frame + i));
            if (samples[i * channels + c] != wanted)
                fail_msg("%s: frame %llu of %llu, channel %u: %.9f instead of %.9f", path,
                    (unsigned long long)i, (unsigned long long)take->frames, c,
                    samples[i * channels + c], wanted);
        }
    free(samples);
}

void load_and_check(struct stem_take *take, const char *path)
{
    struct stem_error error = {0};
    char file[TEXT + 512];
    *take = (struct stem_take){0};
    if (stem_take_load(take, path, &error))
        fail_msg("%s", error.text);
    assert_int_equal(take->stem_count, STUDIO_MIX);
    assert_true(take->has_mix);
    for (uint32_t t = 0; t < STUDIO_TRACKS; t++) {
        const struct stem_take_stem *stem = t == STUDIO_MIX ? &take->mix : &take->stems[t];
        assert_int_equal(stem->frames, take->frames);
        snprintf(file, sizeof file, "%s/%s", path, stem->file);
        check_file(take, file, t);
    }
}

void check_take(size_t number, uint64_t start, uint64_t frames, struct stem_take *take)
{
    const struct stem_event *event = find(STEM_EVENT_FINISHED, number);
    assert_non_null(event);
    load_and_check(take, event->text);
    assert_int_equal(take->progress, STEM_TAKE_COMPLETE);
    assert_int_equal(take->start_frame, start);
    assert_int_equal(take->frames, frames);
    assert_int_equal(event->frames, frames);
}

void check_plain_take(size_t number, uint64_t start, uint64_t frames)
{
    struct stem_take take;
    check_take(number, start, frames, &take);
    assert_int_equal(take.gap_count, 0);
    stem_take_finish(&take);
}

void check_gaps(const struct stem_take *take, const uint64_t (*gaps)[3], size_t count)
{
    assert_int_equal(take->gap_count, count);
    for (size_t g = 0; g < count; g++) {
        assert_int_equal(take->gaps[g].frame, gaps[g][0]);
        assert_int_equal(take->gaps[g].frames, gaps[g][1]);
        assert_int_equal(take->gaps[g].reasons, gaps[g][2]);
    }
}

size_t folders_in_takes(void)
{
    size_t count = 0;
    DIR *listing = opendir(takes);
    for (struct dirent *entry; listing && (entry = readdir(listing));)
        count += entry->d_name[0] != '.';
    if (listing)
        closedir(listing);
    return count;
}
