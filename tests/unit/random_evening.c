#include "random_evening.h"

#include "session_parts.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct evening evening;

static struct {
    uint64_t chance;
    int64_t clock_ns;
    uint64_t away; /* frames since the session worked */
} now_playing;

/* What the evening has instead of the machine's clock and disk */

int clock_gettime(clockid_t clock, struct timespec *time)
{
    const int64_t second = 1000000000;
    (void)clock;
    *time = (struct timespec){.tv_sec = (time_t)(1000000 + now_playing.clock_ns / second),
        .tv_nsec = (long)(now_playing.clock_ns % second)};
    return 0;
}

int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

/* Chance */

static uint32_t dice(uint32_t sides)
{
    now_playing.chance = now_playing.chance * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(now_playing.chance >> 33) % sides;
}

/* Time goes by */

static void be_away(uint32_t periods)
{
    for (uint32_t k = 0; k < periods; k++) {
        if (is_shared) /* with a mirror that has no trouble at all */
            stem_tape_hold(studio->tape, STEM_TAPE_MIRROR, now());
        studio_cycle(studio, PERIOD);
        now_playing.clock_ns += (int64_t)PERIOD * 1000000000 / STUDIO_RATE;
    }
    now_playing.away += (uint64_t)periods * PERIOD;
}

static void attend(void)
{
    if (now_playing.away > evening.longest_away)
        evening.longest_away = now_playing.away;
    now_playing.away = 0;
    do { /* the queue of events has room for all of a round, but not for all of the rest */
        evening_listen();
    } while (stem_session_work(session));
    evening_listen();
}

/* The session keeps up, or comes at the end only. */
static void go_on(uint32_t periods)
{
    const bool is_late = dice(4) == 0;
    if (is_late && periods)
        be_away(periods - 1);
    for (uint32_t k = is_late && periods ? periods - 1 : 0; k < periods; k++) {
        be_away(1);
        attend();
    }
}

/* Steps */

/* JACK's clock, which goes on while the tape is full; the two begin at 0 together. */
static uint64_t present(void)
{
    return studio->clock;
}

/* A tape that was full takes what comes as soon as the session has written all that is on it, which
 * it does when nothing has come for a while. Commands given before that would wait. */
static void catch_up(void)
{
    for (int periods = 0; now() != present(); periods++) {
        if (periods > 2 * STUDIO_RATE / PERIOD)
            fail_msg("the tape stays full");
        attend();
        be_away(1);
    }
}

static void ask(enum stem_command_type type, uint32_t frames_ago)
{
    char text[16];
    assert_true(request + 1 < MOST_ASKED);
    catch_up();
    const uint64_t frame = present() - frames_ago;
    evening.asked[request + 1] = (struct asked){.type = type, .frame = frame, .given = present()};
    snprintf(text, sizeof text, "%u", request + 1);
    give(type, frame, type == STEM_COMMAND_MARK ? text : "");
}

static void start(void)
{
    ask(STEM_COMMAND_START, 0);
    go_on(1);
}

static void stop(void)
{
    ask(STEM_COMMAND_STOP, dice(100));
    go_on(1);
}

static void split(void)
{
    ask(STEM_COMMAND_SPLIT, dice(100));
    go_on(dice(2));
}

static void mark(void)
{
    ask(STEM_COMMAND_MARK, dice(300));
    go_on(dice(2));
}

static void skip_cycles(void)
{
    const uint32_t frames = 1 + dice(3000);
    assert_true(evening.skip_count < MOST_SPANS);
    evening.skips[evening.skip_count++] = (struct span){.frame = present(), .frames = frames};
    studio_skip(studio, frames);
    now_playing.away += frames;
    go_on(1 + dice(3));
}

static void remove_folder(void)
{
    evening.removals++;
    scratch_remove(evening.where);
}

/* A file of the running take; false when its folder is somewhere else. */
static bool choose_file(char path[2 * PATH_BYTES])
{
    struct stem_take take = {0};
    if (stem_take_load(&take, evening.where, NULL))
        return false;
    const struct stem_take_stem *file = stem_take_file(&take, dice(STUDIO_TRACKS));
    snprintf(path, 2 * PATH_BYTES, "%s/%s", evening.where, file->file);
    stem_take_finish(&take);
    return access(path, F_OK) == 0;
}

static void remove_file(void)
{
    char path[2 * PATH_BYTES];
    if (!choose_file(path))
        return;
    evening.removals++;
    assert_int_equal(unlink(path), 0);
}

static void move(const char *from, const char *to_folder)
{
    static unsigned number;
    char to[PATH_BYTES];
    snprintf(to, sizeof to, "%s/moved%u", to_folder, number++);
    assert_int_equal(rename(from, to), 0);
}

static void move_folder(void)
{
    if (access(evening.where, F_OK) == 0)
        move(evening.where, takes);
}

static void move_file(void)
{
    char path[2 * PATH_BYTES];
    if (choose_file(path))
        move(path, folder);
}

static void look(void)
{
    session_mind_folder(session);
    evening_listen();
}

/* So late that the tape does not have all of the take any more. */
static void look_late(void)
{
    be_away(dice(1600));
    look();
}

static void limit_files(rlim_t bytes)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = bytes, .rlim_max = RLIM_INFINITY});
}

static void fill_disk(void)
{
    evening.full_disks++;
    limit_files(300000 + dice(1500000));
}

void evening_clear_disk(void)
{
    limit_files(RLIM_INFINITY);
}

/* No audio, but time: whatever is done once in a while is due. */
static void stand_still(void)
{
    now_playing.clock_ns += (int64_t)dice(3000) * 1000000;
    attend();
}

static void go_on_long(void)
{
    go_on(dice(1200));
}

static void go_on_shortly(void)
{
    go_on(dice(150));
}

static const struct step {
    const char *name;
    void (*take)(void);
    bool needs_take;
    uint32_t weight;
} STEPS[] = {
    {"start", start, false, 5},
    {"stop", stop, false, 2},
    {"split", split, false, 2},
    {"mark", mark, false, 3},
    {"skip cycles", skip_cycles, false, 2},
    {"remove the folder", remove_folder, true, 2},
    {"remove a file", remove_file, true, 2},
    {"move the folder", move_folder, true, 2},
    {"move a file", move_file, true, 2},
    {"look", look, true, 3},
    {"look late", look_late, true, 2},
    {"fill the disk", fill_disk, false, 1},
    {"clear the disk", evening_clear_disk, false, 2},
    {"stand still", stand_still, false, 1},
    {"go on for long", go_on_long, false, 2},
    {"go on", go_on_shortly, false, 3},
};
enum { STEP_COUNT = sizeof STEPS / sizeof *STEPS };

static void take_step(void)
{
    uint32_t weights = 0;
    for (size_t k = 0; k < STEP_COUNT; k++)
        weights += STEPS[k].weight;
    uint32_t point = dice(weights);
    const struct step *step = STEPS;
    for (; point >= step->weight; step++)
        point -= step->weight;
    if (step->needs_take && !session->recording)
        return;
    if (evening.is_told)
        print_message("# frame %llu: %s\n", (unsigned long long)present(), step->name);
    step->take();
}

/* The whole evening */

static void open_evening(void)
{
    static const enum stem_container CONTAINERS[] = {
        STEM_WAV, STEM_FLAC, STEM_W64, STEM_CAF, STEM_AIFF};
    studio->config.container = CONTAINERS[dice(sizeof CONTAINERS / sizeof *CONTAINERS)];
    if (dice(2))
        snprintf(spare, sizeof spare, "%s/spare", folder);
    is_shared = dice(3) > 0;
    stem_session_destroy(session);
    open_session();
    signal(SIGXFSZ, SIG_IGN);
    if (evening.is_told)
        print_message("# %s, %s spare folder, %s mirror\n",
            stem_container_name(studio->config.container), spare[0] ? "a" : "no",
            is_shared ? "a" : "no");
}

static void close_evening(void)
{
    evening_clear_disk();
    ask(dice(2) ? STEM_COMMAND_STOP : STEM_COMMAND_QUIT, 0);
    go_on(2);
}

void evening_play(unsigned long seed, bool is_told)
{
    evening = (struct evening){.seed = seed, .is_told = is_told};
    memset(&now_playing, 0, sizeof now_playing);
    now_playing.chance = seed;
    dice(2); /* seeds that are close have first numbers that are */
    dice(2);
    open_evening();
    be_away(2);
    for (uint32_t steps = 20 + dice(40); steps > 0; steps--)
        take_step();
    close_evening();
}
