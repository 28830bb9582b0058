/* Whole takes from a scripted studio, written to real files: every sample of every stem is compared
 * with what JACK's ports gave for its frame. */
#include "session.h"

#include "audio_reader.h"
#include "facts.h"
#include "messages.h"
#include "scripted_studio.h"
#include "take.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TAPE = 200000,
    ROOM = TAPE / 8,
    FACTS = 256,
    PERIOD = 256,
    MOST_EVENTS = 512,
    TEXT = STEM_EVENT_TEXT_BYTES
};
#define BORDER (UINT64_C(1) << 32)

/* From a timeline frame on, JACK's clock differs: a restarted server. */
struct turn {
    uint64_t frame;
    uint32_t clock;
};

static struct studio *studio;
static struct stem_session *session;
static struct stem_ring *xruns, *commands, *events;
static char *folder;
static char takes[128];
static char spare[128];                      /* empty: none */
static struct stem_event heard[MOST_EVENTS]; /* all events since the last forget() */
static size_t heard_count;
static uint32_t request;
static struct turn turns[4];
static size_t turn_count;
static struct stem_cycle_times *cycle_times;
static struct stem_wall_times *wall_times;

static void open_session(void)
{
    const struct stem_session_params params = {.config = &studio->config,
        .layout = studio->layout,
        .mix = studio->mix,
        .tape = studio->tape,
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

static int set_up(void **state)
{
    (void)state;
    folder = scratch_make();
    snprintf(takes, sizeof takes, "%s/takes", folder);
    spare[0] = '\0';
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

static int tear_down(void **state)
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

static void hear(void)
{
    while (heard_count < MOST_EVENTS && stem_ring_pop_rt(events, &heard[heard_count]))
        heard_count++;
}

static void forget(void)
{
    hear();
    heard_count = 0;
}

/* Lets the session work until it has nothing to do. */
static void work(void)
{
    int rounds = 0;
    while (stem_session_work(session))
        assert_true(++rounds < 10000);
    hear();
}

static uint64_t now(void)
{
    return stem_tape_written(studio->tape);
}

/* Gives a command, not yet heard of by the session; returns its request number. */
static uint32_t give(enum stem_command_type type, uint64_t frame, const char *text)
{
    struct stem_command command = {
        .type = type, .request = ++request, .frame = frame, .how.preroll_seconds = -1};
    snprintf(command.text, sizeof command.text, "%s", text);
    assert_true(stem_ring_push_rt(commands, &command));
    return request;
}

/* Time goes by, with a session that keeps up. */
static void pass(uint32_t periods)
{
    for (uint32_t k = 0; k < periods; k++) {
        studio_cycle(studio, PERIOD);
        work();
    }
}

static const struct stem_event *find(enum stem_event_kind kind, size_t number)
{
    for (size_t k = 0; k < heard_count; k++)
        if (heard[k].kind == kind && number-- == 0)
            return &heard[k];
    return NULL;
}

static size_t count_of(enum stem_event_kind kind)
{
    size_t count = 0;
    for (size_t k = 0; k < heard_count; k++)
        count += heard[k].kind == kind;
    return count;
}

/* The only answer to a request, or NULL when there is none yet. */
static const struct stem_event *answer_to(uint32_t number)
{
    const struct stem_event *answer = NULL;
    for (size_t k = 0; k < heard_count; k++)
        if (heard[k].request == number) {
            assert_null(answer);
            answer = &heard[k];
        }
    return answer;
}

static void check_done(uint32_t number)
{
    const struct stem_event *answer = answer_to(number);
    assert_non_null(answer);
    if (answer->kind != STEM_EVENT_DONE)
        fail_msg("request %u: %s", number, answer->text);
}

static void check_failed(uint32_t number, enum stem_code code, const char *word)
{
    const struct stem_event *answer = answer_to(number);
    assert_non_null(answer);
    assert_int_equal(answer->kind, STEM_EVENT_FAILED);
    assert_int_equal(answer->code, code);
    if (!strstr(answer->text, word))
        fail_msg("\"%s\" does not say \"%s\"", answer->text, word);
}

static enum stem_state current_state(void)
{
    return (enum stem_state)atomic_load(&stem_session_status(session)->state);
}

/* Looking at takes */

/* Length of the file; the samples are left in `*samples`, which the caller frees. */
static uint64_t read_file(const char *path, double **samples, uint32_t channels)
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

static uint32_t clock_of(uint64_t frame)
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

/* Loads a take's manifest and compares all of its files with the ports. */
static void load_and_check(struct stem_take *take, const char *path)
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

/* The take that ended as number `number` since forget(): complete, exact, and these frames long. */
static void check_take(size_t number, uint64_t start, uint64_t frames, struct stem_take *take)
{
    const struct stem_event *event = find(STEM_EVENT_FINISHED, number);
    assert_non_null(event);
    load_and_check(take, event->text);
    assert_int_equal(take->progress, STEM_TAKE_COMPLETE);
    assert_int_equal(take->start_frame, start);
    assert_int_equal(take->frames, frames);
    assert_int_equal(event->frames, frames);
}

static void check_plain_take(size_t number, uint64_t start, uint64_t frames)
{
    struct stem_take take;
    check_take(number, start, frames, &take);
    assert_int_equal(take.gap_count, 0);
    stem_take_finish(&take);
}

/* Compares gaps with {frame, frames, reasons} triples. */
static void check_gaps(const struct stem_take *take, const uint64_t (*gaps)[3], size_t count)
{
    assert_int_equal(take->gap_count, count);
    for (size_t g = 0; g < count; g++) {
        assert_int_equal(take->gaps[g].frame, gaps[g][0]);
        assert_int_equal(take->gaps[g].frames, gaps[g][1]);
        assert_int_equal(take->gaps[g].reasons, gaps[g][2]);
    }
}

static size_t folders_in_takes(void)
{
    size_t count = 0;
    DIR *listing = opendir(takes);
    for (struct dirent *entry; listing && (entry = readdir(listing));)
        count += entry->d_name[0] != '.';
    if (listing)
        closedir(listing);
    return count;
}

/* Starting and stopping */

static void test_session_takes_exactly_the_frames_asked_for(void **state)
{
    (void)state;
    pass(10);
    uint64_t start = now() - 100, stop = start + 20000 + 7; /* no block begins or ends there */
    uint32_t first = give(STEM_COMMAND_START, start, "");
    work();
    check_done(first);
    assert_int_equal(current_state(), STEM_STATE_RECORDING);
    assert_int_equal(find(STEM_EVENT_STARTED, 0)->frame, start);
    uint32_t second = give(STEM_COMMAND_STOP, stop, "");
    pass(10);
    assert_int_equal(current_state(), STEM_STATE_STOPPING);
    assert_null(answer_to(second)); /* only when the work is done */
    pass(100);
    check_done(second);
    check_plain_take(0, start, stop - start);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
    assert_string_equal(answer_to(second)->text, find(STEM_EVENT_FINISHED, 0)->text);
}

static void test_session_writes_every_container(void **state)
{
    (void)state;
    for (int c = STEM_WAV; c <= STEM_FLAC; c++) {
        studio->config.container = (enum stem_container)c;
        pass(2);
        forget();
        uint64_t start = now() - 10;
        give(STEM_COMMAND_START, start, "");
        give(STEM_COMMAND_STOP, start + 5000, "");
        pass(40);
        check_plain_take(0, start, 5000);
    }
}

static void test_session_counts_on_past_32_bits(void **state)
{
    (void)state;
    studio->clock = (uint32_t)(BORDER - 10 * PERIOD + 30);
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(30);
    give(STEM_COMMAND_STOP, now(), "");
    pass(1);
    assert_true(start < BORDER && start + 30 * PERIOD > BORDER);
    check_plain_take(0, start, 30 * PERIOD);
}

static void test_session_stop_at_once_leaves_an_empty_take(void **state)
{
    (void)state;
    pass(3);
    give(STEM_COMMAND_START, now(), "");
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, now(), 0);
}

static void test_session_preroll_reaches_back(void **state)
{
    (void)state;
    studio->config.preroll_seconds = 0.1;
    pass(100);
    uint64_t asked = now();
    give(STEM_COMMAND_START, asked, "");
    give(STEM_COMMAND_STOP, asked + 1000, "");
    pass(10);
    check_plain_take(0, asked - 4800, 5800);
}

static void test_session_preroll_ends_where_the_tape_does(void **state)
{
    (void)state;
    studio->config.preroll_seconds = 1000;
    studio->clock = 12345;
    pass(4);
    give(STEM_COMMAND_START, now(), ""); /* nothing was ever before 12345 */
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, 12345, 4 * PERIOD);
    forget();
    pass(2 * TAPE / PERIOD); /* now it is overwritten */
    uint64_t end = now();
    give(STEM_COMMAND_START, end, "");
    give(STEM_COMMAND_STOP, end, "");
    work();
    check_plain_take(0, end - (TAPE - ROOM), TAPE - ROOM);
}

/* All that is on the tape becomes pre-roll, and the disk takes its time with it. */
static void test_session_preroll_leaves_room_for_what_comes(void **state)
{
    (void)state;
    studio->config.preroll_seconds = 1000;
    pass(2 * TAPE / PERIOD);
    uint64_t asked = now();
    give(STEM_COMMAND_START, asked, "");
    stem_session_work(session);
    studio_run(studio, ROOM / PERIOD * PERIOD, PERIOD); /* nobody writes */
    uint64_t end = now();
    work();
    give(STEM_COMMAND_STOP, end, "");
    work();
    check_plain_take(0, asked - (TAPE - ROOM), end - asked + TAPE - ROOM);
}

static void test_session_start_waits_for_the_first_frame(void **state)
{
    (void)state;
    uint32_t start = give(STEM_COMMAND_START, 0, "");
    work();
    assert_null(answer_to(start));
    assert_int_equal(folders_in_takes(), 0);
    studio->clock = 500;
    pass(2);
    check_done(start);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, 500, 2 * PERIOD);
}

static void test_session_toggle_starts_and_stops(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    uint32_t first = give(STEM_COMMAND_TOGGLE, start, "");
    pass(10);
    uint32_t second = give(STEM_COMMAND_TOGGLE, now(), "");
    work();
    check_done(first);
    check_done(second);
    check_plain_take(0, start, 10 * PERIOD);
}

static void test_session_refuses_what_is_not_possible(void **state)
{
    (void)state;
    pass(2);
    uint32_t stop = give(STEM_COMMAND_STOP, now(), "");
    uint32_t split = give(STEM_COMMAND_SPLIT, now(), "");
    uint32_t mark = give(STEM_COMMAND_MARK, now(), "verse");
    work();
    check_failed(stop, STEM_CODE_STATE, "nothing is being recorded");
    check_failed(split, STEM_CODE_STATE, "nothing is being recorded");
    check_failed(mark, STEM_CODE_STATE, "nothing is being recorded");
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(2);
    uint32_t again = give(STEM_COMMAND_START, now(), "");
    pass(2);
    check_failed(again, STEM_CODE_STATE, "already");
    give(STEM_COMMAND_STOP, now(), "");
    work();
    assert_int_equal(count_of(STEM_EVENT_STARTED), 1);
    check_plain_take(0, start, 4 * PERIOD);
}

/* Splitting */

static void test_session_split_loses_and_doubles_nothing(void **state)
{
    (void)state;
    enum { SONGS = 5 };
    pass(4);
    uint64_t border[SONGS + 1] = {now() - 3};
    give(STEM_COMMAND_START, border[0], "");
    for (int k = 1; k < SONGS; k++) {
        border[k] = now() + 1000 + (uint64_t)k;
        uint32_t split = give(STEM_COMMAND_SPLIT, border[k], "");
        pass(20);
        check_done(split);
    }
    border[SONGS] = now();
    give(STEM_COMMAND_STOP, border[SONGS], "");
    work();
    const char *previous = NULL;
    for (int k = 0; k < SONGS; k++) {
        struct stem_take take;
        check_take((size_t)k, border[k], border[k + 1] - border[k], &take);
        assert_int_equal(take.gap_count, 0);
        if (previous)
            assert_string_equal(take.previous, previous);
        else
            assert_null(take.previous);
        previous = strrchr(find(STEM_EVENT_FINISHED, (size_t)k)->text, '/') + 1;
        stem_take_finish(&take);
    }
    assert_int_equal(folders_in_takes(), SONGS);
}

static void test_session_splits_wait_for_one_another(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    uint32_t first = give(STEM_COMMAND_SPLIT, start + 1000, "");
    uint32_t second = give(STEM_COMMAND_SPLIT, start + 1500, "");
    uint32_t stop = give(STEM_COMMAND_STOP, start + 1777, "");
    work();
    assert_null(answer_to(first));
    pass(20);
    check_done(first);
    check_done(second);
    check_done(stop);
    check_plain_take(0, start, 1000);
    check_plain_take(1, start + 1000, 500);
    check_plain_take(2, start + 1500, 277);
}

static void test_session_start_waits_for_the_end_of_a_take(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    give(STEM_COMMAND_STOP, start + 3000, "");
    uint32_t again = give(STEM_COMMAND_START, start + 3100, "");
    pass(5);
    assert_null(answer_to(again));
    pass(20);
    check_done(again);
    give(STEM_COMMAND_STOP, start + 4000, "");
    pass(5);
    check_plain_take(0, start, 3000);
    assert_int_equal(find(STEM_EVENT_STARTED, 1)->frame, start + 3100);
}

/* Gaps */

/* Records from `start` to `stop` around one gap, then looks at what the take lists. */
static void check_one_gap(
    uint64_t gap, uint32_t frames, uint64_t start, uint64_t stop, const uint64_t wanted[3])
{
    struct stem_take take;
    forget();
    while (now() < gap)
        studio_cycle(studio, gap - now() < PERIOD ? (uint32_t)(gap - now()) : PERIOD);
    studio_skip(studio, frames);
    studio_run(studio, 10 * PERIOD, PERIOD);
    give(STEM_COMMAND_START, start, "");
    give(STEM_COMMAND_STOP, stop, "");
    work();
    check_take(0, start, stop - start, &take);
    check_gaps(&take, (const uint64_t(*)[3])wanted, wanted[1] ? 1 : 0);
    assert_int_equal(count_of(STEM_EVENT_GAP), wanted[1] ? 1 : 0);
    stem_take_finish(&take);
}

static void test_session_gap_at_every_place_of_a_take(void **state)
{
    (void)state;
    pass(2);
    const struct {
        int gap; /* all counted from 1000 frames after now */
        int start;
        int stop;
        int listed;
        int listed_frames;
    } PLACES[] = {
        {500, 0, 1500, 500, 100}, /* inside */
        {0, 0, 1000, 0, 100},     /* begins with the take */
        {-100, 0, 1000, 0, 0},    /* ends where the take begins */
        {-50, 0, 1000, 0, 50},    /* the take begins in it */
        {900, 0, 1000, 900, 100}, /* ends with the take */
        {1000, 0, 1000, 0, 0},    /* begins where the take ends */
        {950, 0, 1000, 950, 50},  /* the take ends in it */
        {-20, 0, 60, 0, 60},      /* nothing but gap */
        {-99, 0, 1000, 0, 1},     /* one frame of it */
        {999, 0, 1000, 999, 1},
    };
    for (size_t k = 0; k < sizeof PLACES / sizeof *PLACES; k++) {
        uint64_t from = now() + 1000;
        const uint64_t wanted[3] = {
            (uint64_t)PLACES[k].listed, (uint64_t)PLACES[k].listed_frames, STEM_GAP_SKIPPED};
        check_one_gap(from + (uint64_t)(int64_t)PLACES[k].gap, 100,
            from + (uint64_t)PLACES[k].start, from + (uint64_t)PLACES[k].stop, wanted);
    }
}

static void test_session_gap_across_a_split_is_in_both_takes(void **state)
{
    (void)state;
    struct stem_take take;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(2);
    studio_skip(studio, 1000);
    studio_cycle(studio, PERIOD);
    give(STEM_COMMAND_SPLIT, start + 2 * PERIOD + 300, "");
    work();
    pass(2);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, 2 * PERIOD + 300, &take);
    check_gaps(&take, (const uint64_t[][3]){{2 * PERIOD, 300, STEM_GAP_SKIPPED}}, 1);
    stem_take_finish(&take);
    check_take(1, start + 2 * PERIOD + 300, 700 + 3 * PERIOD, &take);
    check_gaps(&take, (const uint64_t[][3]){{0, 700, STEM_GAP_SKIPPED}}, 1);
    stem_take_finish(&take);
}

static void test_session_tells_of_a_gap_while_it_records(void **state)
{
    (void)state;
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    pass(3);
    studio_skip(studio, 321);
    pass(15); /* commands for the last twentieth of a second may still come */
    const struct stem_event *gap = find(STEM_EVENT_GAP, 0);
    assert_non_null(gap);
    assert_int_equal(gap->frame, 3 * PERIOD);
    assert_int_equal(gap->frames, 321);
    assert_int_equal(gap->reasons, STEM_GAP_SKIPPED);
    assert_int_equal(atomic_load(&stem_session_status(session)->gaps), 1);
    assert_int_equal(atomic_load(&stem_session_status(session)->gap_frames), 321);
    assert_true(atomic_load(&stem_session_status(session)->frames) >= 3 * PERIOD + 321);
}

/* Audio is written in bursts, but never left on the tape for longer than a quarter of a second. */
static void test_session_writes_in_bursts(void **state)
{
    (void)state;
    const uint64_t burst = STUDIO_RATE / 4;
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    for (uint64_t given = 0; given < 3 * burst; given += PERIOD) {
        uint64_t written = atomic_load(&stem_session_status(session)->frames);
        assert_true(given - written < burst + STUDIO_RATE / 20);
        pass(1);
    }
}

/* The disk stalls for longer than the tape lasts. How much the tape held at that moment is the
 * session's affair; what did not fit is one gap, and the rest is exact. */
static void test_session_stalled_disk_is_one_listed_gap(void **state)
{
    (void)state;
    enum { STALL = TAPE / PERIOD + 200 };
    struct stem_take take;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(10);
    uint64_t before = now();
    studio_run(studio, STALL * PERIOD, PERIOD); /* nobody writes */
    uint64_t kept = now() - before;
    assert_true(kept <= TAPE && kept > TAPE / 2);
    work(); /* it is back */
    pass(10);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, (20 + STALL) * PERIOD, &take);
    assert_int_equal(take.gap_count, 1);
    assert_int_equal(take.gaps[0].frame, before + kept - start);
    assert_int_equal(take.gaps[0].reasons, STEM_GAP_OVERFLOW);
    assert_true(take.gaps[0].frames >= STALL * PERIOD - kept);
    stem_take_finish(&take);
}

static void test_session_clock_that_goes_back_is_listed(void **state)
{
    (void)state;
    struct stem_take take;
    studio->clock = 70000;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(3);
    turns[turn_count++] = (struct turn){now(), 9};
    studio->clock = 9;
    pass(3);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, 6 * PERIOD, &take);
    check_gaps(&take, (const uint64_t[][3]){{3 * PERIOD, 0, STEM_GAP_CLOCK}}, 1);
    stem_take_finish(&take);
}

/* A flood of markers ends where the manifest would become a burden. */
static void test_session_markers_are_bounded(void **state)
{
    enum { MOST = 10000 };
    (void)state;
    struct stem_take take;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(3);
    for (int k = 0; k <= MOST; k++) {
        forget();
        uint32_t mark = give(STEM_COMMAND_MARK, now(), "x");
        work();
        if (k < MOST)
            check_done(mark);
        else
            check_failed(mark, STEM_CODE_BUSY, "too many markers");
    }
    forget();
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, 3 * PERIOD, &take);
    assert_int_equal(take.marker_count, MOST);
    stem_take_finish(&take);
}

/* Records across the loss of a server for that long. */
static void lose_server(uint32_t away_frames)
{
    struct stem_take take;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(3);
    uint64_t lost = now();
    for (int k = 0; k < 30; k++) { /* of that time, a little really goes by */
        usleep(50000);
        work();
    }
    stem_timeline_resume(&studio->process.timeline, lost + away_frames);
    turns[turn_count++] = (struct turn){lost + away_frames, 77};
    studio->clock = 77;
    pass(3);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, 6 * PERIOD + away_frames, &take);
    check_gaps(&take, (const uint64_t[][3]){{3 * PERIOD, away_frames, STEM_GAP_SERVER}}, 1);
    stem_take_finish(&take);
    const struct stem_event *gap = find(STEM_EVENT_GAP, 0); /* told once, as a whole */
    assert_non_null(gap);
    assert_int_equal(gap->frames, away_frames);
    assert_int_equal(atomic_load(&stem_session_status(session)->gaps), 1);
    assert_int_equal(atomic_load(&stem_session_status(session)->gap_frames), away_frames);
}

static void test_session_lost_server_is_one_gap(void **state)
{
    (void)state;
    lose_server(100000);
}

/* What was recorded before must not be in the way of what comes after. */
static void test_session_server_lost_for_longer_than_the_tape_is_one_gap(void **state)
{
    (void)state;
    lose_server(10 * TAPE + 77);
}

/* What the take tells */

static void test_session_manifest_tells_title_key_tempo(void **state)
{
    (void)state;
    struct stem_take take;
    const struct stem_command tempo = {.type = STEM_COMMAND_TEMPO, .number = 120.5};
    pass(2);
    give(STEM_COMMAND_START, now(), "First");
    pass(2);
    uint32_t title = give(STEM_COMMAND_TITLE, now(), "Night Train");
    uint32_t key = give(STEM_COMMAND_KEY, now(), "F# minor");
    assert_true(stem_ring_push_rt(commands, &tempo));
    pass(2);
    check_done(title);
    check_done(key);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    const struct stem_event *event = find(STEM_EVENT_FINISHED, 0);
    assert_non_null(event);
    assert_non_null(strstr(event->text, "_Night-Train_120.5bpm")); /* renamed at the end */
    load_and_check(&take, event->text);
    assert_string_equal(take.title, "Night Train");
    assert_string_equal(take.key, "F# minor");
    assert_true(take.tempo_bpm == 120.5);
    assert_int_equal(take.rate_hz, STUDIO_RATE);
    assert_int_equal(take.encoding, STEM_PCM24);
    stem_take_finish(&take);
}

static void use_templates(const char *folder_name, const char *file_name)
{
    static char texts[2][64];
    snprintf(texts[0], sizeof texts[0], "%s", folder_name);
    snprintf(texts[1], sizeof texts[1], "%s", file_name);
    studio->config.folder_name = texts[0];
    studio->config.file_name = texts[1];
}

/* Records a moment; `late` is a title that comes while it runs. Returns the folder's name. */
static const char *take_of(const char *title, const char *late, struct stem_take *take)
{
    forget();
    give(STEM_COMMAND_START, now(), title);
    pass(2);
    if (late)
        give(STEM_COMMAND_TITLE, now(), late);
    pass(2);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    const struct stem_event *event = find(STEM_EVENT_FINISHED, 0);
    assert_non_null(event);
    load_and_check(take, event->text);
    return strrchr(event->text, '/') + 1;
}

static void check_name(
    const char *title, const char *late, const char *folder_name, const char *file)
{
    struct stem_take take;
    assert_string_equal(take_of(title, late, &take), folder_name);
    assert_string_equal(take.stems[0].file, file);
    stem_take_finish(&take);
}

static size_t entries(const char *name)
{
    char path[PATH_MAX];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s", takes, name);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void test_session_takes_of_one_name_are_numbered(void **state)
{
    (void)state;
    use_templates("{title}", "{title}_{stem}");
    check_name("Song", NULL, "Song", "Song_Drums.wav");
    check_name("Song", NULL, "Song-2", "Song_Drums.wav");
    check_name("Song", NULL, "Song-3", "Song_Drums.wav");
    use_templates("{title}_take{take}", "{stem}_{take}");
    check_name("Song", NULL, "Song_take01", "Drums_01.wav");
    check_name("Song", NULL, "Song_take02", "Drums_02.wav");
}

static void test_session_names_follow_a_late_title(void **state)
{
    (void)state;
    use_templates("{title}", "{title}_{stem}");
    check_name("Song", "Night Train", "Night-Train", "Night-Train_Drums.wav");
    check_name("Other", "Night Train", "Night-Train-2", "Night-Train_Drums.wav");
    assert_int_equal(entries("Night-Train-2"), 6); /* three files once, manifest, projects */
    check_name("Night-Train", "Night", "Night", "Night_Drums.wav");
    check_name("Night", "Night", "Night-2", "Night_Drums.wav"); /* and stays that */
    use_templates("{title}_{take}", "{stem}_{take}");
    check_name("Song", "Night Train", "Night-Train_01", "Drums_01.wav");
    check_name("Song", "Night Train", "Night-Train_02", "Drums_02.wav");
}

static void test_session_takes_the_tempo_from_the_transport(void **state)
{
    (void)state;
    struct stem_take take;
    studio->position.valid = JackPositionBBT;
    studio->position.beats_per_minute = 98;
    studio->position.beats_per_bar = studio->position.beat_type = 4;
    studio->position.ticks_per_beat = 960;
    studio->position.bar = studio->position.beat = 1;
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    pass(2);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, 2 * PERIOD, 2 * PERIOD, &take);
    assert_true(take.tempo_bpm == 98);
    stem_take_finish(&take);
}

static void test_session_markers_and_xruns_count_from_the_start(void **state)
{
    (void)state;
    struct stem_take take;
    pass(20);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(20);
    uint32_t verse = give(STEM_COMMAND_MARK, start + 1234, "Verse");
    give(STEM_COMMAND_MARK, start - 10, "early");
    const struct stem_fact xrun = {
        .kind = STEM_FACT_XRUN, .frame = start + 2000, .xrun_us = 1500.5};
    assert_true(stem_ring_push_rt(xruns, &xrun));
    pass(1);
    assert_string_equal(answer_to(verse)->text, "1234");
    assert_int_equal(atomic_load(&stem_session_status(session)->xruns), 1);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_take(0, start, 21 * PERIOD, &take);
    assert_int_equal(take.marker_count, 2);
    assert_int_equal(take.xrun_count, 1);
    assert_int_equal(take.xruns[0].frame, 2000);
    assert_true(take.xruns[0].delay_us == 1500.5);
    for (size_t m = 0; m < 2; m++)
        assert_int_equal(
            take.markers[m].frame, strcmp(take.markers[m].text, "Verse") == 0 ? 1234 : 0);
    stem_take_finish(&take);
}

/* Starting and ending by itself */

static struct stem_command start_by(enum stem_sync sync, uint64_t frame)
{
    return (struct stem_command){.type = STEM_COMMAND_START,
        .request = ++request,
        .frame = frame,
        .how = {.sync = sync, .preroll_seconds = -1}};
}

static uint32_t send(const struct stem_command *command)
{
    assert_true(stem_ring_push_rt(commands, command));
    return command->request;
}

static void test_session_start_at_a_frame_to_come(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now() + 1000;
    struct stem_command command = start_by(STEM_SYNC_NOW, start);
    command.how.is_timed = true;
    send(&command);
    pass(2);
    assert_int_equal(current_state(), STEM_STATE_ARMED);
    pass(5);
    assert_int_equal(current_state(), STEM_STATE_RECORDING);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_done(command.request);
    check_plain_take(0, start, now() - start);
}

static void test_session_start_at_the_next_bar(void **state)
{
    (void)state;
    studio->position.valid = JackPositionBBT;
    studio->position.beats_per_minute = 120; /* 24000 frames a beat, 72000 a bar */
    studio->position.beats_per_bar = 3;
    studio->position.beat_type = 4;
    studio->position.ticks_per_beat = 960;
    studio->position.bar = studio->position.beat = 1;
    pass(2);
    uint64_t bar = now();
    studio->transport = JackTransportRolling;
    pass(10);
    struct stem_command command = start_by(STEM_SYNC_BAR, now());
    send(&command);
    pass(300);
    check_done(command.request);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, bar + 72000, now() - bar - 72000);
}

static void test_session_bars_without_a_master_are_refused(void **state)
{
    (void)state;
    pass(2);
    struct stem_command command = start_by(STEM_SYNC_BAR, now());
    send(&command);
    work();
    check_failed(command.request, STEM_CODE_STATE, "no timebase master");
}

static void test_session_follows_the_transport_again_and_again(void **state)
{
    (void)state;
    uint64_t from[3], to[3];
    pass(2);
    struct stem_command command = start_by(STEM_SYNC_TRANSPORT, now());
    send(&command);
    for (int k = 0; k < 3; k++) {
        pass(5);
        from[k] = now();
        studio->transport = JackTransportRolling;
        pass(10 + (uint32_t)k);
        to[k] = now();
        studio->transport = JackTransportStopped;
        pass(1);
    }
    pass(15);
    check_done(command.request);
    for (size_t k = 0; k < 3; k++)
        check_plain_take(k, from[k], to[k] - from[k]);
    uint32_t stop = give(STEM_COMMAND_STOP, now(), "");
    work();
    check_done(stop);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
}

static void test_session_take_of_a_set_length(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now() - 5;
    struct stem_command command = start_by(STEM_SYNC_NOW, start);
    command.how.length_frames = 1001;
    send(&command);
    pass(20);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    check_plain_take(0, start, 1001);
}

static void test_session_capture_takes_only_what_was(void **state)
{
    (void)state;
    pass(100);
    struct stem_command command = start_by(STEM_SYNC_NOW, now());
    uint64_t end = now();
    command.how.is_capture = true;
    command.how.preroll_seconds = 0.25;
    send(&command);
    pass(5);
    check_done(command.request);
    check_plain_take(0, end - STUDIO_RATE / 4, STUDIO_RATE / 4);
}

static void test_session_commands_for_later_hold_up_nobody(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    struct stem_command stop = {.type = STEM_COMMAND_STOP,
        .request = ++request,
        .frame = start + 5000,
        .how.is_timed = true};
    send(&stop);
    uint32_t mark = give(STEM_COMMAND_MARK, start + 10, "now");
    uint32_t split = give(STEM_COMMAND_SPLIT, start + 700, "");
    pass(5);
    check_done(mark);
    check_done(split);
    assert_null(answer_to(stop.request));
    pass(20);
    check_done(stop.request);
    check_plain_take(0, start, 700);
    check_plain_take(1, start + 700, 4300);
}

/* Moments of the wall clock */

/* The wall clock when the scripted clock was at frame 0. */
#define MIDNIGHT (INT64_C(1795532110) * 1000000000)

/* In the middle of a frame. */
static int64_t wall_of(uint64_t frame)
{
    return MIDNIGHT + (int64_t)((2 * frame + 1) * 500000000 / STUDIO_RATE);
}

/* Control looks at both clocks while a frame passes. */
static void look(uint64_t frame)
{
    const struct stem_wall_look look = {wall_of(frame), wall_of(frame) - MIDNIGHT};
    stem_wall_times_note(wall_times, &look);
}

/* Gives a command for the moment of a frame. What control takes for that frame is `off` by much. */
static uint32_t give_at(enum stem_command_type type, uint64_t frame, int64_t off)
{
    struct stem_command command = start_by(STEM_SYNC_NOW, frame + (uint64_t)off);
    command.type = type;
    command.how.is_timed = true;
    command.when_ns = wall_of(frame);
    look(now());
    command.wall_looks = stem_wall_times_count(wall_times);
    return send(&command);
}

/* Time goes by, with looks at the clocks. */
static void pass_with_looks(uint32_t periods)
{
    for (uint32_t k = 0; k < periods; k++) {
        pass(1);
        look(now());
        work();
    }
}

static void check_mark(uint32_t number, uint64_t frame)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)frame);
    check_done(number);
    assert_string_equal(answer_to(number)->text, text);
}

/* The clocks tell the frame, and not what control took it for. */
static void test_session_moments_are_exact(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now() + 1000;
    uint32_t started = give_at(STEM_COMMAND_START, start, -300);
    uint32_t stopped = give_at(STEM_COMMAND_STOP, start + 2001, -700);
    uint32_t marked = give_at(STEM_COMMAND_MARK, start + 1000, 900);
    pass_with_looks(9);
    check_done(started);
    check_mark(marked, 1000);
    assert_null(answer_to(stopped));
    pass_with_looks(5);
    check_done(stopped);
    check_plain_take(0, start, 2001);
}

/* What comes on the tape in one round is done in the order of time. */
static void test_session_moments_of_one_round_keep_their_order(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now() + 1000;
    uint32_t stopped = give_at(STEM_COMMAND_STOP, start + 300, 0);
    uint32_t second = give_at(STEM_COMMAND_MARK, start + 200, 0);
    uint32_t first = give_at(STEM_COMMAND_MARK, start, 0);
    give_at(STEM_COMMAND_START, start, 0);
    work();
    studio_run(studio, 8 * PERIOD, PERIOD);
    look(now());
    work();
    check_mark(first, 0);
    check_mark(second, 200);
    check_done(stopped);
    check_plain_take(0, start, 300);
}

/* A command that comes after its moment falls on it all the same. */
static void test_session_moment_that_is_past(void **state)
{
    (void)state;
    pass_with_looks(10);
    uint64_t start = now() - 700;
    give_at(STEM_COMMAND_START, start, 111);
    pass_with_looks(2);
    uint32_t marked = give_at(STEM_COMMAND_MARK, now() - 1000, 222);
    uint64_t end = now() - 100;
    uint32_t stopped = give_at(STEM_COMMAND_STOP, end, 333);
    pass_with_looks(1);
    check_mark(marked, end + 100 - 1000 - start);
    check_done(stopped);
    check_plain_take(0, start, end - start);
}

/* In a gap it is on the frame that would have been there. */
static void test_session_moment_in_a_gap(void **state)
{
    (void)state;
    pass_with_looks(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    uint32_t marked = give_at(STEM_COMMAND_MARK, start + 5 * PERIOD + 77, 0);
    uint32_t stopped = give_at(STEM_COMMAND_STOP, start + 12 * PERIOD, 0);
    pass_with_looks(4);
    studio_skip(studio, 4 * PERIOD);
    pass_with_looks(6);
    check_mark(marked, 5 * PERIOD + 77);
    check_done(stopped);
    struct stem_take take;
    check_take(0, start, 12 * PERIOD, &take);
    stem_take_finish(&take);
}

static void test_session_moments_across_the_border_of_32_bits(void **state)
{
    (void)state;
    studio->passed = BORDER - 1024;
    studio->clock = (uint32_t)studio->passed;
    pass_with_looks(2);
    give_at(STEM_COMMAND_START, BORDER - 200, 0);
    uint32_t marked = give_at(STEM_COMMAND_MARK, BORDER + 1, 0);
    uint32_t stopped = give_at(STEM_COMMAND_STOP, BORDER + 800, 0);
    pass_with_looks(8);
    check_mark(marked, 201);
    check_done(stopped);
    check_plain_take(0, BORDER - 200, 1000);
}

/* However much comes on the tape at once and however late control looks: nothing is written past
 * a moment that a command waits for. */
static void test_session_writes_no_further_than_a_moment(void **state)
{
    (void)state;
    pass_with_looks(2);
    uint64_t start = now(), end = start + 9000;
    give(STEM_COMMAND_START, start, "");
    uint32_t stopped = give_at(STEM_COMMAND_STOP, end, 0);
    for (int k = 0; k < 12; k++) {
        studio_cycle(studio, STUDIO_MOST_PERIOD);
        work();
    }
    assert_null(answer_to(stopped));
    look(now());
    work();
    check_done(stopped);
    check_plain_take(0, start, 9000);
}

/* The clock is put forward over a moment: what waits for it does not wait on. Put back, it waits
 * until the moment comes, however long the estimate has passed. */
static void test_session_moment_follows_the_wall_clock(void **state)
{
    (void)state;
    pass_with_looks(2);
    uint32_t started = give_at(STEM_COMMAND_START, now() + 1000000, 0);
    pass_with_looks(2);
    assert_int_equal(current_state(), STEM_STATE_ARMED);
    uint64_t before = now();
    pass(2);
    const struct stem_wall_look ahead = {wall_of(5000000), wall_of(now()) - MIDNIGHT};
    stem_wall_times_note(wall_times, &ahead);
    work();
    check_done(started);
    assert_in_range(stem_session_status(session)->start_frame, before, now());
    give(STEM_COMMAND_STOP, now(), "");
    work();
    forget();
    started = give_at(STEM_COMMAND_START, now() + 1000, 0);
    const struct stem_wall_look back = {wall_of(0), wall_of(now()) - MIDNIGHT};
    stem_wall_times_note(wall_times, &back);
    pass(4 * STUDIO_RATE / PERIOD);
    assert_int_equal(current_state(), STEM_STATE_ARMED);
}

/* A server that tells no times: the estimate has to do. */
static void test_session_moment_without_times(void **state)
{
    (void)state;
    studio->process.times = NULL;
    pass(2);
    uint64_t start = now() + 1000;
    uint32_t started = give_at(STEM_COMMAND_START, start, 7);
    pass_with_looks(6);
    check_done(started);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, start + 7, now() - start - 7);
}

/* Quitting */

static void test_session_quit_while_idle(void **state)
{
    (void)state;
    pass(2);
    give(STEM_COMMAND_QUIT, now(), "");
    work();
    assert_true(stem_session_ended(session));
    assert_non_null(find(STEM_EVENT_QUIT, 0));
    uint32_t late = give(STEM_COMMAND_START, now(), "");
    pass(2);
    assert_null(answer_to(late)); /* nothing is accepted any more */
    assert_int_equal(folders_in_takes(), 0);
}

static void test_session_quit_ends_the_take_first(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(5);
    studio_run(studio, 50 * PERIOD, PERIOD); /* a backlog on the tape */
    give(STEM_COMMAND_QUIT, now(), "");
    work();
    assert_true(stem_session_ended(session));
    check_plain_take(0, start, 55 * PERIOD);
    assert_true(find(STEM_EVENT_QUIT, 0) > find(STEM_EVENT_FINISHED, 0)); /* in this order */
}

static void test_session_quit_waits_for_a_take_that_is_ending(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    uint32_t stop = give(STEM_COMMAND_STOP, start + 1000, "");
    give(STEM_COMMAND_QUIT, now(), "");
    work();
    assert_false(stem_session_ended(session));
    pass(5);
    assert_true(stem_session_ended(session));
    check_done(stop);
    check_plain_take(0, start, 1000);
}

/* Killed without a word: what is written stays valid and says what happened. */
static void test_session_destroyed_in_a_take_leaves_it_failed(void **state)
{
    (void)state;
    struct stem_take take;
    char path[TEXT];
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    pass(5);
    snprintf(path, sizeof path, "%s", find(STEM_EVENT_STARTED, 0)->text);
    stem_session_destroy(session);
    load_and_check(&take, path);
    assert_int_equal(take.progress, STEM_TAKE_FAILED);
    assert_non_null(strstr(take.failure, "shut down"));
    assert_int_equal(take.frames, 5 * PERIOD);
    stem_take_finish(&take);
    open_session(); /* for the tear-down */
}

/* What a recorder leaves that is killed now: the manifest as it stands. */
static void test_session_manifest_tells_of_clock_and_gaps_at_once(void **state)
{
    (void)state;
    struct stem_take take = {0};
    struct stem_error error = {0};
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    work();
    char path[TEXT];
    snprintf(path, sizeof path, "%s", find(STEM_EVENT_STARTED, 0)->text);
    assert_int_equal(stem_take_load(&take, path, &error), 0);
    assert_int_equal(take.clock_count, 1);
    assert_int_equal(take.clocks[0].jack_frame, 2 * PERIOD);
    stem_take_finish(&take);
    pass(1);
    studio_skip(studio, 100);
    pass(1);
    stem_timeline_resume(&studio->process.timeline, now() + 7000);
    studio->clock = 123456; /* another server */
    pass(1);
    assert_int_equal(stem_take_load(&take, path, &error), 0);
    assert_true(take.gap_count >= 1);
    assert_int_equal(take.gaps[0].frame, PERIOD);
    assert_int_equal(take.gaps[0].frames, 100);
    for (int tries = 0; tries < 100 && take.gap_count < 2; tries++) {
        usleep(60000); /* not as often as that, and less often on a slow disk */
        pass(1);
        stem_take_finish(&take);
        assert_int_equal(stem_take_load(&take, path, &error), 0);
    }
    assert_int_equal(take.gap_count, 2);
    assert_int_equal(take.clock_count, 2);
    assert_int_equal(take.clocks[1].jack_frame, 123456);
    assert_int_equal(take.clocks[1].frame, take.gaps[1].frame + take.gaps[1].frames);
    stem_take_finish(&take);
}

/* Faults */

static void limit_files(rlim_t bytes)
{
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = bytes, .rlim_max = RLIM_INFINITY}), 0);
}

static void test_session_full_disk_ends_the_take_and_keeps_it(void **state)
{
    (void)state;
    struct stem_take take;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    work();
    limit_files(200001);
    pass(500);
    limit_files(RLIM_INFINITY);
    const struct stem_event *broken = find(STEM_EVENT_BROKEN, 0);
    assert_non_null(broken);
    assert_non_null(strstr(broken->text, strerror(EFBIG)));
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
    struct stem_error error = {0};
    char path[TEXT];
    snprintf(path, sizeof path, "%s", find(STEM_EVENT_STARTED, 0)->text);
    take = (struct stem_take){0};
    if (stem_take_load(&take, path, &error))
        fail_msg("%s", error.text);
    assert_int_equal(take.progress, STEM_TAKE_FAILED);
    assert_non_null(strstr(take.failure, strerror(EFBIG)));
    stem_take_finish(&take);
    forget(); /* it lives on */
    start = now();
    give(STEM_COMMAND_START, start, "");
    pass(10);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, start, 10 * PERIOD);
}

/* A disk that fills up under a take: every file is valid, and as long as the manifest says. */
static void check_full_disk(uint32_t tracks, rlim_t bytes)
{
    struct stem_take take = {0};
    struct stem_error error = {0};
    char path[TEXT + 512];
    pass(2);
    give(STEM_COMMAND_START, now(), "");
    work();
    limit_files(bytes);
    pass(500);
    limit_files(RLIM_INFINITY);
    const char *at = find(STEM_EVENT_STARTED, 0)->text;
    if (stem_take_load(&take, at, &error))
        fail_msg("%s", error.text);
    for (uint32_t t = 0; t < tracks; t++) {
        const struct stem_take_stem *stem = t == STUDIO_MIX ? &take.mix : &take.stems[t];
        double *samples;
        snprintf(path, sizeof path, "%s/%s", at, stem->file);
        uint64_t frames = read_file(path, &samples, stem->channels);
        assert_int_equal(frames, stem->frames);
        assert_int_equal(frames, take.frames); /* all end together */
        assert_true(frames > 10000);
        for (uint64_t i = 0; i < frames * stem->channels; i++)
            assert_true(
                samples[i] == (double)studio_sample(studio, t, (uint32_t)(i % stem->channels),
                                  clock_of(take.start_frame + i / stem->channels)));
        free(samples);
    }
    stem_take_finish(&take);
}

static void test_session_full_disk_leaves_valid_files(void **state)
{
    (void)state;
    check_full_disk(STUDIO_TRACKS, 200001);
}

/* A studio of the first stem alone. */
static void keep_one_stem(void)
{
    struct stem_error error;
    stem_session_destroy(session);
    stem_tape_destroy(studio->tape);
    stem_mix_destroy(studio->mix);
    stem_layout_destroy(studio->layout);
    studio->config.stem_count = 1;
    studio->config.has_mix = false;
    studio->layout = stem_layout_create(&studio->config);
    const struct stem_layout *layout = studio->layout;
    studio->tape = stem_tape_create(layout->channels, 1, TAPE, false, NULL, &error);
    studio->mix = stem_mix_create(layout->channels, 1, layout->port_count, layout->routes,
        layout->route_count, STUDIO_RATE, &error);
    assert_true(studio->tape && studio->mix);
    studio->process.tape = studio->tape;
    studio->process.mix = studio->mix;
    studio->process.port_count = layout->port_count;
    open_session();
}

/* The only file got a part of what was to be written when the disk was full. */
static void test_session_full_disk_leaves_one_valid_file(void **state)
{
    (void)state;
    keep_one_stem();
    check_full_disk(1, 240001);
}

/* The disk fails and the take goes on in the spare folder: two parts, and between them no frame is
 * lost or doubled, whatever the first one's files had gathered. A gap lies just before. */
static void test_session_full_disk_goes_on_in_the_spare_folder(void **state)
{
    (void)state;
    struct stem_take first, second;
    char path[TEXT];
    snprintf(spare, sizeof spare, "%s/spare", folder);
    stem_session_destroy(session);
    open_session();
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    work();
    snprintf(path, sizeof path, "%s", find(STEM_EVENT_STARTED, 0)->text);
    pass(20);
    limit_files(1300001); /* the spare folder's files find room for what comes after */
    while (count_of(STEM_EVENT_WARNING) == 0) {
        studio_skip(studio, 100);
        pass(37);
    }
    limit_files(RLIM_INFINITY);
    pass(10);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    assert_int_equal(count_of(STEM_EVENT_BROKEN), 0);
    const struct stem_event *finished = find(STEM_EVENT_FINISHED, 0);
    assert_non_null(finished);
    assert_non_null(strstr(finished->text, spare));
    load_and_check(&first, path);
    load_and_check(&second, finished->text);
    assert_int_equal(first.part, 1);
    assert_int_equal(second.part, 2);
    assert_string_equal(first.id, second.id);
    assert_string_equal(first.continued_in, finished->text);
    assert_int_equal(second.start_frame, start + first.frames);
    assert_int_equal(second.part_frame, first.frames);
    assert_int_equal(second.start_frame + second.frames, now());
    assert_true(first.gap_count > 0 && second.frames > 10 * PERIOD);
    stem_take_finish(&first);
    stem_take_finish(&second);
}

static void test_session_full_disk_while_stopping_answers(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    uint32_t stop = give(STEM_COMMAND_STOP, start + 10 * TAPE, "");
    work();
    limit_files(200001);
    pass(500);
    limit_files(RLIM_INFINITY);
    check_failed(stop, STEM_CODE_FILE, strerror(EFBIG));
}

static void test_session_full_disk_while_quitting_ends(void **state)
{
    (void)state;
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    give(STEM_COMMAND_QUIT, start + 10 * TAPE, "");
    work();
    limit_files(200001);
    pass(500);
    limit_files(RLIM_INFINITY);
    assert_true(stem_session_ended(session));
    assert_non_null(find(STEM_EVENT_QUIT, 0));
}

static void test_session_takes_folder_that_cannot_be(void **state)
{
    (void)state;
    int file = open(takes, O_CREAT | O_WRONLY | O_CLOEXEC, 0600); /* a file in its place */
    assert_true(file >= 0);
    close(file);
    pass(2);
    uint32_t start = give(STEM_COMMAND_START, now(), "");
    work();
    check_failed(start, STEM_CODE_FILE, takes);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
    assert_int_equal(unlink(takes), 0);
    uint64_t from = now();
    start = give(STEM_COMMAND_START, from, "");
    pass(4);
    check_done(start);
    give(STEM_COMMAND_STOP, now(), "");
    work();
    check_plain_take(0, from, 4 * PERIOD);
}

/* The takes folder goes away between two songs. */
static void test_session_split_that_cannot_begin_answers(void **state)
{
    (void)state;
    char away[TEXT];
    pass(2);
    uint64_t start = now();
    give(STEM_COMMAND_START, start, "");
    pass(4);
    snprintf(away, sizeof away, "%s/away", folder);
    assert_int_equal(rename(takes, away), 0);
    int file = open(takes, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    uint32_t split = give(STEM_COMMAND_SPLIT, now(), "");
    work();
    check_failed(split, STEM_CODE_FILE, takes);
    assert_int_equal(current_state(), STEM_STATE_IDLE);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
    assert_int_equal(unlink(takes), 0);
    assert_int_equal(rename(away, takes), 0);
}

/* Anything in any order: starts, stops, splits, skips, stalls, periods. Every take that ended must
 * be exact, and no command go unanswered. */
static void test_session_random_evening(void **state)
{
    (void)state;
    uint32_t seed = 2026, last_checked = 0;
    enum { ROUNDS = 1500 };
    pass(2);
    for (int round = 0; round < ROUNDS; round++) {
        float dice = (unit_noise(&seed) + 1) / 2;
        uint32_t period = 1 + (uint32_t)((unit_noise(&seed) + 1) * 400);
        if (dice < 0.03f)
            studio_skip(studio, 1 + (uint32_t)(dice * 100000));
        studio_cycle(studio, period);
        if (dice > 0.9f) {
            static const enum stem_command_type TYPES[] = {STEM_COMMAND_START, STEM_COMMAND_STOP,
                STEM_COMMAND_SPLIT, STEM_COMMAND_SPLIT, STEM_COMMAND_TOGGLE};
            give(TYPES[(int)(dice * 1000) % 5],
                now() + (uint32_t)(int)(unit_noise(&seed) * 200) % 300, "");
        }
        if (dice < 0.5f)
            work();
        for (size_t k = 0; round % 100 == 99 && k < heard_count; k++)
            if (heard[k].kind == STEM_EVENT_FINISHED) {
                struct stem_take take;
                load_and_check(&take, heard[k].text);
                assert_int_equal(take.progress, STEM_TAKE_COMPLETE);
                stem_take_finish(&take);
                scratch_remove(heard[k].text);
                heard[k].kind = STEM_EVENT_QUIT;
                last_checked++;
            }
        if (round % 100 == 99)
            heard_count = 0;
    }
    assert_true(last_checked > 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_session_takes_exactly_the_frames_asked_for),
        TEST(test_session_writes_every_container),
        TEST(test_session_counts_on_past_32_bits),
        TEST(test_session_stop_at_once_leaves_an_empty_take),
        TEST(test_session_preroll_reaches_back),
        TEST(test_session_preroll_ends_where_the_tape_does),
        TEST(test_session_preroll_leaves_room_for_what_comes),
        TEST(test_session_start_waits_for_the_first_frame),
        TEST(test_session_toggle_starts_and_stops),
        TEST(test_session_refuses_what_is_not_possible),
        TEST(test_session_split_loses_and_doubles_nothing),
        TEST(test_session_splits_wait_for_one_another),
        TEST(test_session_start_waits_for_the_end_of_a_take),
        TEST(test_session_gap_at_every_place_of_a_take),
        TEST(test_session_gap_across_a_split_is_in_both_takes),
        TEST(test_session_tells_of_a_gap_while_it_records),
        TEST(test_session_writes_in_bursts),
        TEST(test_session_stalled_disk_is_one_listed_gap),
        TEST(test_session_clock_that_goes_back_is_listed),
        TEST(test_session_lost_server_is_one_gap),
        TEST(test_session_server_lost_for_longer_than_the_tape_is_one_gap),
        TEST(test_session_markers_are_bounded),
        TEST(test_session_manifest_tells_title_key_tempo),
        TEST(test_session_takes_of_one_name_are_numbered),
        TEST(test_session_names_follow_a_late_title),
        TEST(test_session_takes_the_tempo_from_the_transport),
        TEST(test_session_markers_and_xruns_count_from_the_start),
        TEST(test_session_start_at_a_frame_to_come),
        TEST(test_session_start_at_the_next_bar),
        TEST(test_session_bars_without_a_master_are_refused),
        TEST(test_session_follows_the_transport_again_and_again),
        TEST(test_session_take_of_a_set_length),
        TEST(test_session_capture_takes_only_what_was),
        TEST(test_session_commands_for_later_hold_up_nobody),
        TEST(test_session_moments_are_exact),
        TEST(test_session_moments_of_one_round_keep_their_order),
        TEST(test_session_moment_that_is_past),
        TEST(test_session_moment_in_a_gap),
        TEST(test_session_moments_across_the_border_of_32_bits),
        TEST(test_session_writes_no_further_than_a_moment),
        TEST(test_session_moment_follows_the_wall_clock),
        TEST(test_session_moment_without_times),
        TEST(test_session_quit_while_idle),
        TEST(test_session_quit_ends_the_take_first),
        TEST(test_session_quit_waits_for_a_take_that_is_ending),
        TEST(test_session_destroyed_in_a_take_leaves_it_failed),
        TEST(test_session_manifest_tells_of_clock_and_gaps_at_once),
        TEST(test_session_full_disk_ends_the_take_and_keeps_it),
        TEST(test_session_full_disk_leaves_valid_files),
        TEST(test_session_full_disk_leaves_one_valid_file),
        TEST(test_session_full_disk_goes_on_in_the_spare_folder),
        TEST(test_session_full_disk_while_stopping_answers),
        TEST(test_session_full_disk_while_quitting_ends),
        TEST(test_session_takes_folder_that_cannot_be),
        TEST(test_session_split_that_cannot_begin_answers),
        TEST(test_session_random_evening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
