/* ruler_compare: holds one sound file of any recorder against the ruler.
 *
 *     ruler_compare FILE FIRST [FROM]
 *
 * Channel c of the file should hold 24-bit ruler port FIRST+c, from a JACK frame not before FROM
 * on. A recorder that is not exact is off by a step or two, and one that loses frames goes on with
 * later ones; the two are told apart:
 *
 *     frames   in the file
 *     good     with the ruler's value in every channel, give or take TOLERANCE steps
 *     silent   zeros in the first channel instead
 *     lost     left out between good frames
 *     wrong    anything else
 *     samples, exact     compared in good frames; and the same, bit by bit
 *
 * Silence at the ends is before the first connection and after the last; elsewhere it is a loss.
 * `start` is the JACK frame of the first good frame.
 */
#include "../support/ruler.h"

#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BLOCK_FRAMES = 4096,
    ALIKE = 8,     /* frames that must fit before a place counts as found */
    TOLERANCE = 2, /* steps of 2^-23 */
    BITS = 24,
    FURTHEST = 1 << 21, /* frames between two good ones */
    SEARCHES = 50,      /* failed ones after which the rest is wrong */
};

/* Where the first good frame may be: an hour and more of a server's life. */
#define LATEST_START (1u << 28)

struct comparison {
    SNDFILE *sound;
    int channels;
    uint32_t first_port;
    uint32_t from;
    int32_t *block; /* BLOCK_FRAMES + ALIKE frames, in steps */
    bool found;
    uint32_t expected; /* JACK frame of the next one */
    uint32_t start;
    int failed_searches;
    uint64_t silent_now; /* silent frames since the last good one */
    uint64_t frames, good, silent, lost, wrong, samples, exact;
};

static bool is_close(int32_t found, uint32_t frame, uint32_t port)
{
    return abs(found - ruler_integer(frame, port, BITS)) <= TOLERANCE;
}

static bool is_here(const struct comparison *c, const int32_t *at, int frames, uint32_t frame)
{
    for (int k = 0; k < frames; k++)
        if (!is_close(at[k * c->channels], frame + (uint32_t)k, c->first_port))
            return false;
    return true;
}

/* Looks for the place of these frames: anywhere at first, later ahead of the last good one. */
static bool search(struct comparison *c, const int32_t *at, int frames)
{
    uint32_t from = c->found ? c->expected : c->from;
    uint32_t most = c->found ? FURTHEST : LATEST_START;
    if (frames < ALIKE || c->failed_searches >= SEARCHES)
        return false;
    for (uint32_t k = 0; k < most; k++) {
        if (!is_here(c, at, ALIKE, from + k))
            continue;
        if (!c->found)
            c->start = from + k;
        else
            c->lost += k;
        c->found = true;
        c->expected = from + k;
        return true;
    }
    c->failed_searches++;
    return false;
}

/* Whether all channels are as they should be; counts the exact ones. */
static bool compare_frame(struct comparison *c, const int32_t *at)
{
    uint64_t exact = 0;
    for (int k = 0; k < c->channels; k++) {
        int32_t wanted = ruler_integer(c->expected, c->first_port + (uint32_t)k, BITS);
        if (abs(at[k] - wanted) > TOLERANCE)
            return false;
        exact += at[k] == wanted;
    }
    c->exact += exact;
    c->samples += (uint64_t)c->channels;
    return true;
}

static void judge(struct comparison *c, const int32_t *at, int frames)
{
    bool here = c->found && is_close(at[0], c->expected, c->first_port);
    if (!here && at[0] == 0) {
        c->silent_now++;
        c->expected++; /* silence in place of what was lost keeps the time */
        return;
    }
    here = here || search(c, at, frames);
    if (here && compare_frame(c, at)) {
        c->silent += c->good > 0 ? c->silent_now : 0;
        c->silent_now = 0;
        c->good++;
    } else {
        c->wrong++;
    }
    c->expected++;
}

static void compare(struct comparison *c)
{
    int kept = 0;
    for (;;) {
        int32_t *end = c->block + (size_t)kept * (size_t)c->channels;
        int got = (int)sf_readf_int(c->sound, end, BLOCK_FRAMES);
        for (int i = 0; i < got * c->channels; i++)
            end[i] >>= 32 - BITS;
        int there = kept + got;
        int judged = got > 0 ? there - ALIKE : there; /* the last ones wait for what follows */
        judged = judged > 0 ? judged : 0;
        for (int i = 0; i < judged; i++)
            judge(c, c->block + i * c->channels, there - i);
        c->frames += (uint64_t)judged;
        kept = there - judged;
        for (int i = 0; i < kept * c->channels; i++)
            c->block[i] = c->block[judged * c->channels + i];
        if (got == 0)
            return;
    }
}

int main(int argc, char **argv)
{
    struct comparison c = {0};
    SF_INFO info = {0};
    if (argc < 3) {
        fprintf(stderr, "Usage: ruler_compare FILE FIRST [FROM]\n");
        return 2;
    }
    c.sound = sf_open(argv[1], SFM_READ, &info);
    c.channels = info.channels;
    c.first_port = (uint32_t)atoi(argv[2]);
    c.from = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    c.block = calloc((BLOCK_FRAMES + ALIKE) * (size_t)info.channels, sizeof *c.block);
    if (!c.sound || !c.block) {
        fprintf(stderr, "ruler_compare: cannot read \"%s\"\n", argv[1]);
        return 1;
    }
    compare(&c);
    printf("frames %llu good %llu silent %llu lost %llu wrong %llu samples %llu exact %llu start "
           "%u\n",
        (unsigned long long)c.frames, (unsigned long long)c.good, (unsigned long long)c.silent,
        (unsigned long long)c.lost, (unsigned long long)c.wrong, (unsigned long long)c.samples,
        (unsigned long long)c.exact, c.start);
    sf_close(c.sound);
    free(c.block);
    return 0;
}
