/* A session on the tape of a scripted studio, that writes real files: its set-up, the passing of
 * time, the events heard from it, and a look at its takes. One per test program.
 */
#ifndef STEM_SCRIPTED_SESSION_H
#define STEM_SCRIPTED_SESSION_H

#include "facts.h"
#include "messages.h"
#include "scripted_studio.h"
#include "session.h"
#include "take.h"
#include "unit.h"

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

extern struct studio *studio;
extern struct stem_session *session;
extern struct stem_ring *xruns, *commands, *events;
extern char *folder;
extern char takes[128];
extern char spare[128];                      /* empty: none */
extern bool is_shared;                       /* there may be a mirror that holds the tape too */
extern struct stem_event heard[MOST_EVENTS]; /* all events since the last forget() */
extern size_t heard_count;
extern uint32_t request;
extern struct turn turns[4];
extern size_t turn_count;
extern struct stem_cycle_times *cycle_times;
extern struct stem_wall_times *wall_times;

/* Opens a session on what is set up; set_up() does that too. */
void open_session(void);
int set_up(void **state);
int tear_down(void **state);

/* Driving the session */

void hear(void);
void forget(void);

/* Lets the session work until it has nothing to do. */
void work(void);
uint64_t now(void);

/* Time goes by, with a session that keeps up. */
void pass(uint32_t periods);

/* Gives a command, not yet heard of by the session; returns its request number. */
uint32_t give(enum stem_command_type type, uint64_t frame, const char *text);
uint32_t send(const struct stem_command *command);
struct stem_command start_by(enum stem_sync sync, uint64_t frame);

/* What was heard */

const struct stem_event *find(enum stem_event_kind kind, size_t number);
size_t count_of(enum stem_event_kind kind);

/* The only answer to a request, or NULL when there is none yet. */
const struct stem_event *answer_to(uint32_t number);
void check_done(uint32_t number);
void check_failed(uint32_t number, enum stem_code code, const char *word);
enum stem_state current_state(void);

/* Looking at takes */

/* Length of the file; the samples are left in `*samples`, which the caller frees. */
uint64_t read_file(const char *path, double **samples, uint32_t channels);

/* What the clock of JACK showed at a frame, turns included. */
uint32_t clock_of(uint64_t frame);

/* Loads a take's manifest and compares all of its files with the ports. */
void load_and_check(struct stem_take *take, const char *path);

/* The take that ended as number `number` since forget(): complete, exact, and these frames long. */
void check_take(size_t number, uint64_t start, uint64_t frames, struct stem_take *take);
void check_plain_take(size_t number, uint64_t start, uint64_t frames);

/* Compares gaps with {frame, frames, reasons} triples. */
void check_gaps(const struct stem_take *take, const uint64_t (*gaps)[3], size_t count);
size_t folders_in_takes(void);

#endif
