/* Evenings of a session at random (random_evening.h): whatever happened, every frame, gap, marker,
 * border and answer is what it should be.
 *
 * STEMD_RANDOM=FROM-TO plays the evenings with these seeds instead of the few of every test run;
 * that of a single one tells its steps.
 */
#include "random_evening.h"
#include "session_parts.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVENINGS = 24, MOST_PARTS = 500 };

/* Those of long runs that found something: a tape full for ever, a border with frames missing. */
static const unsigned long FOUND[] = {115, 1234};
enum { FOUND_COUNT = sizeof FOUND / sizeof *FOUND };

/* A folder that is there in the end: a take, or a part of one. */
struct part {
    struct stem_take take;
    char folder[PATH_BYTES];
};
static struct part parts[MOST_PARTS];
static size_t part_count;
static unsigned marks_found[MOST_ASKED];

/* Session and answers */

static void judge_session(void)
{
    assert_int_equal(session->state, STEM_STATE_IDLE);
    assert_null(session->recording);
    assert_false(evening.is_running);
    assert_true(stem_tape_held(studio->tape, STEM_TAPE_WRITER) == STEM_TAPE_NOTHING_HELD);
}

static void judge_answers(void)
{
    for (uint32_t number = 1; number <= request; number++) {
        const struct asked *asked = &evening.asked[number];
        if (asked->answers != 1 && asked->type != STEM_COMMAND_QUIT)
            fail_msg(
                "request %u (type %d) has %u answers", number, (int)asked->type, asked->answers);
        if (asked->is_done && asked->type == STEM_COMMAND_MARK && !marks_found[number] &&
            !evening.removals)
            fail_msg("marker %u is in no take", number);
    }
}

/* Lengths and ends */

static const struct ended *find_finished(const struct part *part)
{
    for (size_t k = 0; k < evening.finished_count; k++)
        if (strcmp(evening.finished[k].folder, part->folder) == 0)
            return &evening.finished[k];
    return NULL;
}

static size_t count_ended(
    const struct ended *list, size_t count, const struct part *part, uint64_t end)
{
    size_t found = 0;
    for (size_t k = 0; k < count; k++)
        found += strcmp(list[k].folder, part->folder) == 0 && list[k].end == end;
    return found;
}

static void judge_end(const struct part *part)
{
    const struct stem_take *take = &part->take;
    const uint64_t end = take->start_frame + take->frames;
    const bool may_fail = evening.removals || evening.full_disks;
    if (take->progress != STEM_TAKE_COMPLETE && !(take->progress == STEM_TAKE_FAILED && may_fail))
        fail_msg("%s is left as \"%s\"", part->folder, STEM_TAKE_PROGRESS[take->progress]);
    if (count_ended(evening.closed, evening.closed_count, part, 0) != 1)
        fail_msg("%s was not told of once as closed", part->folder);
    if (take->progress == STEM_TAKE_COMPLETE && !take->continued_in &&
        count_ended(evening.finished, evening.finished_count, part, end) != 1)
        fail_msg("%s was not told of once as finished at frame %llu", part->folder,
            (unsigned long long)end);
}

static const struct part *part_before(const struct part *part)
{
    for (size_t k = 0; k < part_count; k++)
        if (parts[k].take.part + 1 == part->take.part &&
            strcmp(parts[k].take.id, part->take.id) == 0)
            return &parts[k];
    return NULL;
}

static void judge_border(const struct part *part)
{
    const struct stem_take *take = &part->take;
    const struct part *before = part_before(part);
    if (take->part == 1 ? take->part_frame != 0 : !before && !evening.removals)
        fail_msg("what is before %s is missing", part->folder);
    if (!before)
        return;
    if (!before->take.continued_in)
        fail_msg("%s does not tell that it goes on in %s", before->folder, part->folder);
    if (take->part_frame != before->take.part_frame + before->take.frames ||
        take->start_frame != before->take.start_frame + before->take.frames)
        fail_msg("%s does not begin where %s ends", part->folder, before->folder);
    if (!take->continued_from || strcmp(take->continued_from, before->folder) != 0)
        fail_msg("%s does not tell that it goes on from %s", part->folder, before->folder);
}

/* Gaps */

/* The first frame from `frame` on that no gap was told to have. */
static uint64_t told_until(uint64_t frame)
{
    for (size_t k = 0; k < evening.told_count; k++) {
        const struct span *told = &evening.told[k];
        if (frame >= told->frame && frame < told->frame + told->frames) {
            frame = told->frame + told->frames;
            k = (size_t)-1; /* from the first one again */
        }
    }
    return frame;
}

static bool was_skipped(uint64_t frame, uint64_t frames)
{
    for (size_t k = 0; k < evening.skip_count; k++) {
        const struct span *skip = &evening.skips[k];
        if (frame >= skip->frame && frame + frames <= skip->frame + skip->frames)
            return true;
    }
    return false;
}

/* Nothing is missing but what was skipped, or lost by a session that was away for too long. */
static void judge_gap(const struct part *part, size_t k)
{
    const struct stem_take_gap *gap = &part->take.gaps[k];
    const uint64_t frame = part->take.start_frame + gap->frame;
    if (gap->frame + gap->frames > part->take.frames ||
        (k > 0 && gap->frame < gap[-1].frame + gap[-1].frames))
        fail_msg("%s: gap %zu lies behind the end, or in the one before", part->folder, k);
    if (told_until(frame) < frame + gap->frames)
        fail_msg("%s: gap %zu at frame %llu was not told", part->folder, k,
            (unsigned long long)gap->frame);
    if (gap->reasons & STEM_GAP_OVERFLOW ? evening.longest_away < ROOM
                                         : !was_skipped(frame, gap->frames))
        fail_msg("%s: there was no reason for gap %zu at frame %llu", part->folder, k,
            (unsigned long long)gap->frame);
}

/* Markers */

/* Each is once there, and on its frame: behind the end only when it was meant for a frame there. */
static void judge_marker(const struct part *part, size_t k)
{
    const struct stem_take *take = &part->take;
    const struct stem_take_marker *marker = &take->markers[k];
    const unsigned long number = strtoul(marker->text, NULL, 10);
    assert_in_range(number, 1, request);
    const struct asked *asked = &evening.asked[number];
    const uint64_t wanted = asked->frame > take->start_frame ? asked->frame - take->start_frame : 0;
    if (marks_found[number]++ || !asked->is_done)
        fail_msg("%s: marker %lu is there twice, or was refused", part->folder, number);
    if (marker->frame != wanted || asked->told != take->part_frame + wanted)
        fail_msg("%s: marker %lu is at frame %llu instead of %llu", part->folder, number,
            (unsigned long long)marker->frame, (unsigned long long)wanted);
    if (k > 0 && marker->frame < marker[-1].frame)
        fail_msg("%s: marker %lu comes after one for a later frame", part->folder, number);
    const struct ended *finished = find_finished(part);
    if (take->continued_in && marker->frame >= take->frames)
        fail_msg("%s: marker %lu belongs to the next part", part->folder, number);
    if (finished && finished->ended_by && finished->ended_by < number &&
        asked->frame >= finished->end)
        fail_msg("%s: marker %lu belongs to the next take", part->folder, number);
}

/* Frames */

static bool is_in_gap(const struct stem_take *take, uint64_t frame, size_t *gap)
{
    while (*gap < take->gap_count && frame >= take->gaps[*gap].frame + take->gaps[*gap].frames)
        ++*gap;
    return *gap < take->gap_count && frame >= take->gaps[*gap].frame;
}

static void judge_samples(const struct part *part, uint32_t track, const double *samples)
{
    const uint32_t channels = studio->layout->channels[track];
    size_t gap = 0;
    for (uint64_t i = 0; i < part->take.frames; i++) {
        const bool is_silent = is_in_gap(&part->take, i, &gap);
        const uint32_t clock = clock_of(part->take.start_frame + i);
        for (uint32_t c = 0; c < channels; c++) {
            double wanted = is_silent ? 0 : (double)studio_sample(studio, track, c, clock);
            if (*samples++ != wanted)
                fail_msg("%s, track %u, frame %llu: %.9f instead of %.9f", part->folder, track,
                    (unsigned long long)i, samples[-1], wanted);
        }
    }
}

static void judge_file(struct part *part, uint32_t track)
{
    const struct stem_take_stem *file = stem_take_file(&part->take, track);
    char path[2 * PATH_BYTES];
    double *samples;
    snprintf(path, sizeof path, "%s/%s", part->folder, file->file);
    if (access(path, F_OK) != 0) {
        if (!evening.removals)
            fail_msg("%s is not there", path);
        return;
    }
    const uint64_t frames = read_file(path, &samples, studio->layout->channels[track]);
    if (frames != part->take.frames || file->frames != frames)
        fail_msg("%s has %llu frames instead of %llu", path, (unsigned long long)frames,
            (unsigned long long)part->take.frames);
    judge_samples(part, track, samples);
    free(samples);
}

/* Folders */

static void judge_names(const char *path)
{
    DIR *listing = opendir(path);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing));)
        if (entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0)
            fail_msg("%s was left in %s", entry->d_name, path);
    closedir(listing);
}

static void find_parts(const char *place)
{
    DIR *listing = opendir(place);
    struct stem_error error = {0};
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        struct part *part = &parts[part_count];
        if (entry->d_name[0] == '.')
            continue;
        assert_true(++part_count < MOST_PARTS);
        *part = (struct part){0};
        snprintf(part->folder, PATH_BYTES, "%s/%.120s", place, entry->d_name);
        if (stem_take_load(&part->take, part->folder, &error))
            fail_msg("%s", error.text);
        judge_names(part->folder);
    }
    if (listing)
        closedir(listing);
}

static void judge_part(struct part *part)
{
    judge_end(part);
    judge_border(part);
    for (size_t k = 0; k < part->take.gap_count; k++)
        judge_gap(part, k);
    for (size_t k = 0; k < part->take.marker_count; k++)
        judge_marker(part, k);
    for (uint32_t track = 0; track < STUDIO_TRACKS; track++)
        judge_file(part, track);
}

/* Evenings */

static bool is_alone; /* of all evenings */

static void play_and_judge(void **state)
{
    part_count = 0;
    memset(marks_found, 0, sizeof marks_found);
    evening_play(*(unsigned long *)*state, is_alone);
    judge_session();
    find_parts(takes);
    if (spare[0])
        find_parts(spare);
    for (size_t k = 0; k < part_count; k++)
        judge_part(&parts[k]);
    judge_answers();
    for (size_t k = 0; k < part_count; k++)
        stem_take_finish(&parts[k].take);
    part_count = 0;
    evening.is_judged = true;
}

static int go_home(void **state)
{
    evening_clear_disk();
    if (!evening.is_judged)
        print_error("again, with its steps: STEMD_RANDOM=%lu-%lu tests/unit/test_session_random\n",
            evening.seed, evening.seed);
    return tear_down(state);
}

/* The seeds to be played, which the caller frees. */
static unsigned long *choose_seeds(size_t *count)
{
    unsigned long from = 0, to = EVENINGS - 1;
    const char *range = getenv("STEMD_RANDOM");
    if (range && (sscanf(range, "%lu-%lu", &from, &to) != 2 || from > to)) {
        print_error("STEMD_RANDOM is \"%s\" and not FROM-TO\n", range);
        exit(2);
    }
    unsigned long *seeds = calloc(to - from + 1 + FOUND_COUNT, sizeof *seeds);
    *count = 0;
    for (unsigned long seed = from; seeds && seed <= to; seed++)
        seeds[(*count)++] = seed;
    for (size_t k = 0; seeds && k < FOUND_COUNT && !range; k++)
        seeds[(*count)++] = FOUND[k];
    return seeds;
}

/* Each evening is a test of its own, so that one that fails is named and the others follow. */
int main(void)
{
    size_t count;
    unsigned long *seeds = choose_seeds(&count);
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    char(*names)[48] = calloc(count, sizeof *names);
    if (!seeds || !tests || !names)
        return 2;
    is_alone = count == 1;
    for (size_t k = 0; k < count; k++) {
        snprintf(names[k], sizeof names[k], "test_session_random_evening_%lu", seeds[k]);
        tests[k] = (struct CMUnitTest){names[k], play_and_judge, set_up, go_home, &seeds[k]};
    }
    int failed = _cmocka_run_group_tests("evenings", tests, count, NULL, NULL);
    free(names);
    free(tests);
    free(seeds);
    return failed;
}
