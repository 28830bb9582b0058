/* An evening of a session at random: takes start, split and end while cycles are skipped, folders
 * and files are moved and removed, files find no room, and the session comes late. A seed decides
 * what happens. What was asked, done and heard is noted here for whoever judges the evening.
 *
 * The program that links this has a clock of its own, which goes on with the audio, and a disk that
 * nobody waits for: an evening is the same on every machine, and takes as long as its work.
 */
#ifndef STEM_RANDOM_EVENING_H
#define STEM_RANDOM_EVENING_H

#include "scripted_session.h"

enum { MOST_ASKED = 80, MOST_SPANS = 1000, MOST_ENDED = 200, PATH_BYTES = 256 };

/* Timeline frames that were skipped, or told of as a gap. */
struct span {
    uint64_t frame;
    uint64_t frames;
    bool is_lost; /* they came, but were overwritten before they were written to files */
};

struct asked {
    enum stem_command_type type;
    uint64_t frame; /* the one it was meant for */
    uint64_t given; /* the present when it was given */
    unsigned answers;
    bool is_done;
    uint64_t told; /* a mark: the frame of the whole take that the answer names */
};

/* A folder that no more is written to. */
struct ended {
    char folder[PATH_BYTES];
    uint64_t end;      /* finished: the timeline frame after the take */
    uint32_t ended_by; /* finished: the request that asked for it, or 0 */
};

struct evening {
    unsigned long seed;
    bool is_judged;                 /* and nothing was wrong */
    struct asked asked[MOST_ASKED]; /* by request number */
    struct span skips[MOST_SPANS], told[MOST_SPANS];
    size_t skip_count, told_count;
    struct ended finished[MOST_ENDED], closed[MOST_ENDED];
    size_t finished_count, closed_count;
    unsigned removals;      /* of folders and files */
    unsigned full_disks;    /* how often files got little room */
    uint64_t longest_away;  /* frames that went by while the session did nothing */
    bool is_told;           /* the steps are printed */
    bool is_running;        /* a take, as far as one hears */
    char where[PATH_BYTES]; /* it is, as last heard */
    uint64_t start, end;    /* of the take heard of last; `end` 0: it runs, or was broken off */
};

extern struct evening evening;

/* Plays a whole evening on the session that set_up() made, in a form that suits the seed. All takes
 * have ended afterwards. Fails the test when what is heard contradicts itself or what was asked.
 * `is_told`: the steps are printed as they are taken. */
void evening_play(unsigned long seed, bool is_told);

/* Notes and judges what the session tells; part of the playing. */
void evening_listen(void);

/* Gives files room again; for the tear-down. */
void evening_clear_disk(void);

#endif
