/* ruler_check: holds a take against the ruler, sample by sample.
 *
 *     ruler_check FOLDER MAP [--bits B] [--log FILE] [--late PERIOD]...
 *     ruler_check --consecutive A B
 *
 * MAP is a text file with lines "file.wav CHANNEL PORT [PORT …]": the ports whose sum the channel
 * must hold, exactly. Frames outside the listed gaps must hold the ruler's value for their JACK
 * frame, frames inside must be zero; inside a gap with the reason "recovered" either will do. The
 * second form checks that take B starts where take A ends.
 *
 * MAP may also say what a stretch of the take, from frame FROM up to TO, holds instead in a file,
 * or with "*" in all of them: !silent FILE FROM TO     nothing but silence: the stem is muted
 *     !absent FILE FROM TO     the ruler, any of its ports, or silence: it went and came back in
 * there !any FILE FROM TO        anything: a fade
 *
 * Late cycles. In JACK2's asynchronous mode (no -S) the server does not wait for a client that is
 * late. Such a client is told the frame of the next cycle and handed the samples of its own one, or
 * its buffers are written anew while it reads; no client can tell. So samples may be those of a
 * neighbouring period:
 *   - because the ruler itself was late, as its log says (--log);
 *   - because somebody behind it was late (--late PERIOD, several if it was changed): only by whole
 *     periods, few of them, and only near a gap, an xrun or a step of JACK's clock that the take
 *     lists.
 * Both are counted as excused; everything else is wrong. In synchronous mode none of this happens.
 *
 * Files are read block by block, however long they are, in steps of 2^-23 (16-bit files: in steps
 * of 2^-15, after rounding to nearest even).
 */
#include "pieces.h"
#include "ruler.h"

#include <argp.h>
#include <limits.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8192, MOST_PORTS = 64, MOST_LATE = 65536, SHOWN = 5, FURTHEST_SHIFT = 20000 };
enum { MOST_PERIODS = 8, MOST_STRETCHES = 1024 };

/* How far a late client may be off, and how far that may be from what the take lists, in periods.
 */
enum { NEAR_PERIODS = 8 };

/* Of a sample that is no whole number of steps. */
#define NO_STEP INT32_MIN

struct late {
    uint32_t frame;
    uint32_t frames;
    uint32_t after;
};

enum stretch_kind { SILENT, ABSENT, ANY, STRETCH_KINDS };
static const char *const STRETCH_WORDS[STRETCH_KINDS] = {"!silent", "!absent", "!any"};

struct stretch {
    enum stretch_kind kind;
    char file[256];
    uint64_t from;
    uint64_t to;
};

struct checker {
    const char *words[2];
    int word_count;
    int bits;
    const char *log;
    uint32_t periods[MOST_PERIODS]; /* --late */
    size_t period_count;
    bool consecutive;
    struct stem_take take;
    struct pieces pieces;
    struct late late[MOST_LATE];
    size_t late_count;
    struct stretch stretches[MOST_STRETCHES];
    size_t stretch_count;
    unsigned long long checked;
    unsigned long long excused;
    unsigned long long wrong;
    unsigned long long wrong_runs; /* runs of them in one channel */
};

/* One channel of a file and the ports it sums. */
struct channel {
    char file[256];
    int index; /* from 0 */
    uint32_t ports[MOST_PORTS];
    int port_count;
    uint64_t wrong_until; /* end of the last run of wrong frames */
};

/* What a file holds from a frame on. */
struct block {
    uint64_t frame;
    uint32_t frames;
    int32_t found[BLOCK]; /* one channel */
};

/* What must be there */

static int32_t rounded_to_16_bits(int32_t sum)
{
    long value = lrint(sum / 256.0);
    return value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : (int32_t)value;
}

/* As the encoding can hold it: integers saturate. */
static int32_t encoded(const struct stem_take *take, int32_t sum)
{
    switch (take->encoding) {
    case STEM_PCM16:
        return rounded_to_16_bits(sum);
    case STEM_PCM24:
    case STEM_PCM32:
        return sum > 0x7FFFFF ? 0x7FFFFF : sum < -0x800000 ? -0x800000 : sum;
    default:
        return sum;
    }
}

static void expect(const struct checker *checker, const struct channel *channel, uint32_t frame,
    uint32_t frames, int32_t *wanted)
{
    memset(wanted, 0, frames * sizeof *wanted);
    for (int p = 0; p < channel->port_count; p++) {
        uint32_t port = channel->ports[p];
        int bits = checker->bits;
        for (uint32_t i = 0; i < frames; i++)
            wanted[i] += ruler_integer(frame + i, port, bits);
    }
    for (uint32_t i = 0; i < frames; i++)
        wanted[i] = encoded(&checker->take, wanted[i]);
}

static int32_t expected(
    const struct checker *checker, const struct channel *channel, uint32_t frame)
{
    int32_t wanted;
    expect(checker, channel, frame, 1, &wanted);
    return wanted;
}

/* Judgement */

static bool is_excused_by_log(
    const struct checker *checker, const struct channel *channel, uint32_t jack, int32_t value)
{
    for (size_t k = 0; k < checker->late_count; k++) {
        const struct late *late = &checker->late[k];
        uint32_t shift = late->after - late->frame;
        uint32_t into = jack - shift - late->frame;
        if (into < late->frames && value == expected(checker, channel, jack - shift))
            return true;
    }
    return false;
}

static bool is_near(uint64_t a, uint64_t b, uint32_t period)
{
    uint64_t distance = a > b ? a - b : b - a;
    return distance <= (uint64_t)NEAR_PERIODS * period;
}

/* Whether the take lists that something was late around this frame. */
static bool is_near_trouble(const struct checker *checker, uint64_t frame, uint32_t period)
{
    const struct stem_take *take = &checker->take;
    for (size_t g = 0; g < take->gap_count; g++)
        if (is_near(take->gaps[g].frame, frame, period) ||
            is_near(take->gaps[g].frame + take->gaps[g].frames, frame, period))
            return true;
    for (size_t c = 0; c < take->clock_count; c++)
        if (take->clocks[c].frame > 0 && is_near(take->clocks[c].frame, frame, period))
            return true;
    for (size_t x = 0; x < take->xrun_count; x++)
        if (is_near(take->xruns[x].frame, frame, period))
            return true;
    return false;
}

/* Whether it is the sample of a period nearby. */
static bool is_late(const struct checker *checker, const struct channel *channel, uint64_t frame,
    uint32_t jack, int32_t value, uint32_t period)
{
    if (!is_near_trouble(checker, frame, period))
        return false;
    for (uint32_t shift = period; shift <= NEAR_PERIODS * period; shift += period)
        if (value == expected(checker, channel, jack - shift) ||
            value == expected(checker, channel, jack + shift))
            return true;
    return false;
}

static bool is_excused(const struct checker *checker, const struct channel *channel, uint64_t frame,
    uint32_t jack, int32_t value)
{
    if (is_excused_by_log(checker, channel, jack, value))
        return true;
    for (size_t p = 0; p < checker->period_count; p++)
        if (is_late(checker, channel, frame, jack, value, checker->periods[p]))
            return true;
    return false;
}

static void show(const struct checker *checker, const struct channel *channel, uint64_t frame,
    const struct piece *piece, int32_t value)
{
    uint32_t jack = piece_jack_frame(piece, frame);
    int32_t wanted = piece->is_gap ? 0 : expected(checker, channel, jack);
    printf("%s channel %d frame %llu (JACK frame %u%s): expected %d, found %d", channel->file,
        channel->index + 1, (unsigned long long)frame, jack, piece->is_gap ? ", in a gap" : "",
        wanted, value);
    if (value == 0)
        printf(" (silence)");
    for (int shift = -FURTHEST_SHIFT; shift <= FURTHEST_SHIFT && value != 0; shift++)
        if (shift && value == expected(checker, channel, jack + (uint32_t)shift)) {
            printf(" (that of %d frames %s)", abs(shift), shift < 0 ? "before" : "after");
            break;
        }
    for (uint32_t port = 1; port <= 2048 && value != 0; port++)
        if (value == encoded(&checker->take, ruler_integer(jack, port, checker->bits)))
            printf(" (that of port %u)", port);
    printf("\n");
}

static void judge(struct checker *checker, struct channel *channel, uint64_t frame,
    const struct piece *piece, int32_t value)
{
    uint32_t jack = piece_jack_frame(piece, frame);
    if (!piece->is_gap && is_excused(checker, channel, frame, jack, value)) {
        checker->excused++;
        return;
    }
    if (checker->wrong++ < SHOWN)
        show(checker, channel, frame, piece, value);
    if (frame != channel->wrong_until || frame == 0)
        checker->wrong_runs++;
    channel->wrong_until = frame + 1;
}

/* Whether it is what some of the channel's ports, or none, add up to. */
static bool is_part(
    const struct checker *checker, const struct channel *channel, uint32_t jack, int32_t value)
{
    enum { MOST_PARTS = 10 };
    int count = channel->port_count < MOST_PARTS ? channel->port_count : MOST_PARTS;
    for (unsigned parts = 0; parts < 1u << count; parts++) {
        int32_t sum = 0;
        for (int p = 0; p < count; p++)
            if (parts & 1u << p)
                sum += ruler_integer(jack, channel->ports[p], checker->bits);
        if (value == encoded(&checker->take, sum))
            return true;
    }
    return false;
}

/* Puts into `wanted` what a file is allowed to hold from `frame` on instead, where the map says so.
 */
static void allow_stretches(const struct checker *checker, const struct channel *channel,
    uint64_t frame, uint32_t jack, uint32_t frames, const int32_t *found, int32_t *wanted)
{
    for (size_t s = 0; s < checker->stretch_count; s++) {
        const struct stretch *stretch = &checker->stretches[s];
        if (strcmp(stretch->file, "*") != 0 && strcmp(stretch->file, channel->file) != 0)
            continue;
        uint64_t from = stretch->from > frame ? stretch->from : frame;
        uint64_t to = stretch->to < frame + frames ? stretch->to : frame + frames;
        for (uint64_t f = from; f < to; f++) {
            uint64_t i = f - frame;
            if (stretch->kind == SILENT)
                wanted[i] = 0;
            else if (wanted[i] != found[i] &&
                     (stretch->kind == ANY ||
                         is_part(checker, channel, jack + (uint32_t)i, found[i])))
                wanted[i] = found[i];
        }
    }
}

/* Checks `frames` frames of a block from `frame` on, which lie in one piece. */
static void check_part(struct checker *checker, struct channel *channel, const struct piece *piece,
    const struct block *block, uint64_t frame, uint32_t frames)
{
    static int32_t wanted[BLOCK]; /* one thread */
    const int32_t *found = block->found + (frame - block->frame);
    if (piece->is_gap) {
        memset(wanted, 0, frames * sizeof *wanted);
    } else {
        uint32_t jack = piece_jack_frame(piece, frame);
        expect(checker, channel, jack, frames, wanted);
        allow_stretches(checker, channel, frame, jack, frames, found, wanted);
    }
    if (memcmp(wanted, found, frames * sizeof *wanted) == 0)
        return;
    for (uint32_t i = 0; i < frames; i++)
        if (wanted[i] != found[i] && !(piece->may_be_silent && found[i] == 0))
            judge(checker, channel, frame + i, piece, found[i]);
}

static void check_block(struct checker *checker, struct channel *channel, const struct block *block)
{
    for (size_t k = 0; k < checker->pieces.count; k++) {
        const struct piece *piece = &checker->pieces.piece[k];
        uint64_t end = block->frame + block->frames;
        uint64_t from = piece->frame > block->frame ? piece->frame : block->frame;
        uint64_t to = piece->end < end ? piece->end : end;
        if (from < to)
            check_part(checker, channel, piece, block, from, (uint32_t)(to - from));
    }
}

/* Reading */

/* Samples of a file as steps; libsndfile gives integers left-justified. */
static sf_count_t read_steps(
    SNDFILE *sound, const struct stem_take *take, sf_count_t frames, int channels, int32_t *steps)
{
    static double values[BLOCK * 8];
    bool is_integer = take->encoding == STEM_PCM16 || take->encoding == STEM_PCM24 ||
                      take->encoding == STEM_PCM32;
    int shift = take->encoding == STEM_PCM16 ? 16 : 8;
    sf_count_t got =
        is_integer ? sf_readf_int(sound, steps, frames) : sf_readf_double(sound, values, frames);
    for (sf_count_t i = 0; i < got * channels; i++) {
        if (is_integer) {
            steps[i] = steps[i] & ((1 << shift) - 1) ? NO_STEP : steps[i] >> shift;
        } else {
            double scaled = values[i] * 0x1p23;
            steps[i] = scaled == rint(scaled) && fabs(scaled) < 0x1p31 ? (int32_t)scaled : NO_STEP;
        }
    }
    return got;
}

/* Reads a file and checks one of its channels. False when it is not as the manifest says. */
static bool read_channel(struct checker *checker, struct channel *channel)
{
    static int32_t steps[BLOCK * 8];
    static struct block block; /* one thread */
    char path[PATH_MAX + 300];
    SF_INFO info = {0};
    snprintf(path, sizeof path, "%s/%s", checker->words[0], channel->file);
    SNDFILE *sound = sf_open(path, SFM_READ, &info);
    bool right = sound && info.channels <= 8 && channel->index < info.channels &&
                 (uint64_t)info.frames == checker->take.frames &&
                 (uint32_t)info.samplerate == checker->take.rate_hz;
    block.frame = 0;
    while (right && block.frame < checker->take.frames) {
        sf_count_t got = read_steps(sound, &checker->take, BLOCK, info.channels, steps);
        right = got > 0 && block.frame + (uint64_t)got <= checker->take.frames;
        block.frames = right ? (uint32_t)got : 0;
        for (uint32_t i = 0; i < block.frames; i++)
            block.found[i] = steps[i * (uint32_t)info.channels + (uint32_t)channel->index];
        check_block(checker, channel, &block);
        block.frame += block.frames;
    }
    if (!right)
        printf("%s: unreadable, or not %llu frames long\n", path,
            (unsigned long long)checker->take.frames);
    if (sound)
        sf_close(sound);
    return right;
}

static void check_channel(struct checker *checker, struct channel *channel)
{
    if (read_channel(checker, channel))
        checker->checked += checker->take.frames;
    else
        checker->wrong++;
}

static bool parse_line(char *line, struct channel *channel)
{
    char *word = strtok(line, " \t\n");
    if (!word)
        return false;
    *channel = (struct channel){0};
    snprintf(channel->file, sizeof channel->file, "%s", word);
    word = strtok(NULL, " \t\n");
    channel->index = word ? atoi(word) - 1 : -1;
    while ((word = strtok(NULL, " \t\n")) && channel->port_count < MOST_PORTS)
        channel->ports[channel->port_count++] = (uint32_t)atoi(word);
    return channel->index >= 0 && channel->port_count > 0;
}

/* A line that is no channel: what a stretch of the take holds. */
static bool parse_stretch(const char *line, struct checker *checker)
{
    struct stretch *stretch = &checker->stretches[checker->stretch_count];
    unsigned long long from, to;
    char word[16];
    if (sscanf(line, "%15s %255s %llu %llu", word, stretch->file, &from, &to) != 4)
        return false;
    for (int kind = 0; kind < STRETCH_KINDS; kind++)
        if (strcmp(word, STRETCH_WORDS[kind]) == 0) {
            stretch->kind = (enum stretch_kind)kind;
            stretch->from = from;
            stretch->to = to;
            return true;
        }
    return false;
}

/* Stretches stand anywhere in the map; false when a line is not understood. */
static bool read_stretches(struct checker *checker, FILE *map)
{
    char line[1024];
    while (fgets(line, sizeof line, map)) {
        if (line[0] != '!')
            continue;
        if (checker->stretch_count == MOST_STRETCHES || !parse_stretch(line, checker)) {
            fprintf(stderr, "ruler_check: not understood, or too many of them: %s", line);
            return false;
        }
        checker->stretch_count++;
    }
    rewind(map);
    return true;
}

static void read_log(struct checker *checker)
{
    FILE *in = checker->log ? fopen(checker->log, "r") : NULL;
    struct late late;
    while (in && checker->late_count < MOST_LATE &&
           fscanf(in, "late %u %u %u\n", &late.frame, &late.frames, &late.after) == 3)
        checker->late[checker->late_count++] = late;
    if (in)
        fclose(in);
}

static int load(struct stem_take *take, const char *folder)
{
    struct stem_error error;
    if (stem_take_load(take, folder, &error) == 0)
        return 0;
    fprintf(stderr, "ruler_check: %s\n", error.text);
    return -1;
}

static void check_map(struct checker *checker, FILE *map)
{
    char line[1024];
    struct channel channel;
    while (fgets(line, sizeof line, map))
        if (line[0] != '!' && parse_line(line, &channel))
            check_channel(checker, &channel);
    if (checker->wrong_runs)
        printf("runs of wrong frames: %llu\n", checker->wrong_runs);
    printf("frames %llu samples %llu excused %llu wrong %llu gaps %zu gap_frames %llu\n",
        (unsigned long long)checker->take.frames, checker->checked, checker->excused,
        checker->wrong, checker->take.gap_count,
        (unsigned long long)stem_take_gap_frames(&checker->take));
}

static int check_take(struct checker *checker)
{
    FILE *map = fopen(checker->words[1], "r");
    if (!map) {
        fprintf(stderr, "ruler_check: cannot read \"%s\"\n", checker->words[1]);
        return 1;
    }
    if (load(&checker->take, checker->words[0]) == 0 &&
        pieces_cut(&checker->pieces, &checker->take) && read_stretches(checker, map)) {
        read_log(checker);
        check_map(checker, map);
    }
    fclose(map);
    free(checker->pieces.piece);
    stem_take_finish(&checker->take);
    return checker->wrong || checker->checked == 0;
}

static int check_consecutive(const struct checker *checker)
{
    struct stem_take a = {0}, b = {0};
    if (load(&a, checker->words[0]) || load(&b, checker->words[1])) {
        stem_take_finish(&a);
        return 1;
    }
    bool right = a.start_frame + a.frames == b.start_frame;
    printf("the first ends at %llu, the second starts at %llu\n",
        (unsigned long long)(a.start_frame + a.frames), (unsigned long long)b.start_frame);
    stem_take_finish(&a);
    stem_take_finish(&b);
    return !right;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct checker *checker = state->input;
    switch (key) {
    case 'b':
        checker->bits = atoi(argument);
        return 0;
    case 'l':
        checker->log = argument;
        return 0;
    case 'p':
        if (checker->period_count == MOST_PERIODS)
            argp_error(state, "too many periods");
        checker->periods[checker->period_count++] = (uint32_t)atoi(argument);
        return 0;
    case 'c':
        checker->consecutive = true;
        return 0;
    case ARGP_KEY_ARG:
        if (checker->word_count == 2)
            argp_error(state, "too many arguments");
        checker->words[checker->word_count++] = argument;
        return 0;
    case ARGP_KEY_END:
        if (checker->word_count != 2)
            argp_error(state, "expected two arguments");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp_option OPTIONS[] = {{"bits", 'b', "B", 0, "As for ruler", 0},
        {"log", 'l', "FILE", 0, "The ruler's log", 0},
        {"late", 'p', "PERIOD", 0, "Excuse late periods of that many frames", 0},
        {"consecutive", 'c', NULL, 0, "Check that take B starts where take A ends", 0}, {0}};
    const struct argp parser = {OPTIONS, parse_option, "FOLDER MAP", NULL, NULL, NULL, NULL};
    static struct checker checker = {.bits = 24};
    argp_parse(&parser, argc, argv, 0, NULL, &checker);
    return checker.consecutive ? check_consecutive(&checker) : check_take(&checker);
}
