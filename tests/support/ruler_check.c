/* ruler_check: holds a take against the ruler, sample by sample.
 *
 *     ruler_check FOLDER MAP [--bits B] [--log FILE]
 *     ruler_check --consecutive A B
 *
 * MAP is a text file with lines "file.wav CHANNEL PORT [PORT …]": the ports whose sum the channel
 * must hold, exactly. Frames outside the listed gaps must hold the ruler's value for their absolute
 * frame, frames inside must be zero. A block that carries the samples of one late cycle of the
 * ruler (as its log says) is counted as excused: no client behind the ruler can tell. The second
 * form checks that take B starts where take A ends.
 */
#include "ruler.h"
#include "take.h"

#include <argp.h>
#include <limits.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8192, MOST_PORTS = 64, MOST_LATE = 65536, SHOWN = 5, FURTHEST_SHIFT = 20000 };

struct late {
    uint32_t frame;
    uint32_t frames;
    uint32_t after;
};

struct checker {
    const char *words[2];
    int word_count;
    int bits;
    const char *log;
    bool consecutive;
    struct stem_take take;
    struct late late[MOST_LATE];
    size_t late_count;
    unsigned long long checked;
    unsigned long long excused;
    unsigned long long wrong;
};

/* One channel of a file and the ports it sums. */
struct channel {
    char file[256];
    int index; /* from 0 */
    uint32_t ports[MOST_PORTS];
    int port_count;
};

static double expected(const struct checker *checker, const struct channel *channel, uint32_t frame)
{
    int32_t sum = 0;
    for (int p = 0; p < channel->port_count; p++)
        sum += ruler_integer(frame, channel->ports[p], checker->bits);
    return sum * 0x1p-23;
}

static bool in_gap(const struct stem_take *take, uint64_t frame)
{
    size_t low = 0, high = take->gap_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (take->gaps[middle].frame + take->gaps[middle].frames <= frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low < take->gap_count && take->gaps[low].frame <= frame;
}

/* Whether this frame may carry the samples of a late cycle: then the value tells. */
static bool is_excused(
    const struct checker *checker, const struct channel *channel, uint32_t frame, double value)
{
    for (size_t k = 0; k < checker->late_count; k++) {
        const struct late *late = &checker->late[k];
        uint32_t shift = late->after - late->frame;
        uint32_t into = frame - shift - late->frame;
        if (into < late->frames && value == expected(checker, channel, frame - shift))
            return true;
    }
    return false;
}

static void show(
    const struct checker *checker, const struct channel *channel, uint64_t frame, double value)
{
    uint32_t absolute = (uint32_t)(checker->take.start_frame + frame);
    double wanted = in_gap(&checker->take, frame) ? 0 : expected(checker, channel, absolute);
    printf("%s channel %d frame %llu (JACK frame %u): expected %.9g, found %.9g", channel->file,
        channel->index + 1, (unsigned long long)frame, absolute, wanted, value);
    for (int shift = -FURTHEST_SHIFT; shift <= FURTHEST_SHIFT && value != 0; shift++)
        if (shift && value == expected(checker, channel, absolute + (uint32_t)shift)) {
            printf(" (that of %d frames %s)", abs(shift), shift < 0 ? "before" : "after");
            break;
        }
    printf("\n");
}

static void check_sample(
    struct checker *checker, const struct channel *channel, uint64_t frame, double value)
{
    uint32_t absolute = (uint32_t)(checker->take.start_frame + frame);
    bool gap = in_gap(&checker->take, frame);
    double wanted = gap ? 0 : expected(checker, channel, absolute);
    checker->checked++;
    if (value == wanted)
        return;
    if (!gap && is_excused(checker, channel, absolute, value)) {
        checker->excused++;
        return;
    }
    if (checker->wrong++ < SHOWN)
        show(checker, channel, frame, value);
}

static void check_channel(struct checker *checker, const struct channel *channel)
{
    char path[PATH_MAX + 300];
    SF_INFO info = {0};
    snprintf(path, sizeof path, "%s/%s", checker->words[0], channel->file);
    SNDFILE *sound = sf_open(path, SFM_READ, &info);
    double *block = calloc((size_t)BLOCK * (size_t)(sound ? info.channels : 1), sizeof *block);
    if (!sound || !block || channel->index >= info.channels ||
        (uint64_t)info.frames != checker->take.frames) {
        printf("%s: unreadable, or not %llu frames long\n", path,
            (unsigned long long)checker->take.frames);
        checker->wrong++;
    } else {
        sf_count_t got;
        uint64_t frame = 0;
        while ((got = sf_readf_double(sound, block, BLOCK)) > 0)
            for (sf_count_t i = 0; i < got; i++, frame++)
                check_sample(checker, channel, frame, block[i * info.channels + channel->index]);
        if (frame != checker->take.frames) {
            printf("%s: it ends at frame %llu\n", path, (unsigned long long)frame);
            checker->wrong++;
        }
    }
    free(block);
    if (sound)
        sf_close(sound);
}

static bool parse_line(char *line, struct channel *channel)
{
    char *word = strtok(line, " \t\n");
    if (!word)
        return false;
    snprintf(channel->file, sizeof channel->file, "%s", word);
    word = strtok(NULL, " \t\n");
    channel->index = word ? atoi(word) - 1 : -1;
    channel->port_count = 0;
    while ((word = strtok(NULL, " \t\n")) && channel->port_count < MOST_PORTS)
        channel->ports[channel->port_count++] = (uint32_t)atoi(word);
    return channel->index >= 0 && channel->port_count > 0;
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

static int check_take(struct checker *checker)
{
    char line[1024];
    FILE *map = fopen(checker->words[1], "r");
    if (!map || load(&checker->take, checker->words[0])) {
        fprintf(stderr, "ruler_check: cannot read the map or the manifest\n");
        return 1;
    }
    read_log(checker);
    struct channel channel;
    while (fgets(line, sizeof line, map))
        if (parse_line(line, &channel))
            check_channel(checker, &channel);
    fclose(map);
    printf("frames %llu samples %llu excused %llu wrong %llu gaps %zu gap_frames %llu\n",
        (unsigned long long)checker->take.frames, checker->checked, checker->excused,
        checker->wrong, checker->take.gap_count,
        (unsigned long long)stem_take_gap_frames(&checker->take));
    stem_take_finish(&checker->take);
    return checker->wrong || checker->checked == 0;
}

static int check_consecutive(const struct checker *checker)
{
    struct stem_take a = {0}, b = {0};
    if (load(&a, checker->words[0]) || load(&b, checker->words[1]))
        return 1;
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
        {"consecutive", 'c', NULL, 0, "Check that take B starts where take A ends", 0}, {0}};
    const struct argp parser = {OPTIONS, parse_option, "FOLDER MAP", NULL, NULL, NULL, NULL};
    static struct checker checker = {.bits = 24};
    argp_parse(&parser, argc, argv, 0, NULL, &checker);
    return checker.consecutive ? check_consecutive(&checker) : check_take(&checker);
}
