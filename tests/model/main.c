/* tape_model [--more CYCLES] [--states MOST] [--expect KIND] [SCENARIO...]
 *
 * Explores all scenarios, or the named ones, and tells in TAP; --more makes each longer. With
 * --expect there must be one in which something of that kind is wrong, and no other kind: then a
 * fault was planted (faults.py). Exit code 0 when all is as it should be. */
#include "tape_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct scenario *scenario;

/* Columns: cycles, frames of a cycle at most, of the tape, slots of a queue. */
#define SIZES(c, b, t, s) .cycles = (c), .block = (b), .capacity = (t), .slots = (s)

/* clang-format off */
static const struct scenario SCENARIOS[] = {
    {"writer", SIZES(4, 1, 2, 2), .takes = 2, .preroll = 2},
    {"gaps", SIZES(3, 2, 3, 2), .skips = true, .takes = 1, .preroll = 2},
    {"first", SIZES(3, 2, 3, 2), .first_frame = 3, .takes = 1, .preroll = 4},
    {"whole", SIZES(4, 2, 3, 2), .skips = true, .whole = true, .lag = 1},
    {"spare", SIZES(4, 2, 3, 2), .whole = true, .spare = true},
    {"freewheel", SIZES(5, 2, 3, 2), .freewheel = true, .whole = true, .lag = 1},
    {"mirror", SIZES(4, 1, 2, 2), .mirror = true, .whole = true},
    {"mirror-skips", SIZES(3, 1, 2, 2), .mirror = true, .skips = true, .whole = true},
    {"mirror-freewheel", SIZES(4, 1, 2, 2), .mirror = true, .freewheel = true, .whole = true},
    {"mirror-stops", SIZES(4, 1, 2, 2), .mirror = true, .whole = true, .stops = true},
    {"mirror-takes", SIZES(3, 1, 2, 2), .mirror = true, .takes = 1},
    {"mirror-again", SIZES(3, 1, 2, 2), .mirror = true, .whole = true, .stops = true, .takes = 1, .preroll = 2},
    {"meter", SIZES(4, 2, 3, 4), .meter = true, .skips = true},
};
/* clang-format on */
enum { SCENARIO_COUNT = sizeof SCENARIOS / sizeof *SCENARIOS };

/* The threads of a scenario, as they are at its beginning */
static struct producer producer;
static struct reader readers[HOLDERS];
static int looks;

static void add_thread(struct model *model, enum thread number, const char *name,
    enum model_result (*turn)(void *local), const void *initial, size_t bytes)
{
    model->threads[number] =
        (struct model_thread){.name = name, .turn = turn, .initial = initial, .bytes = bytes};
}

static void add_reader(struct model *model, int h, const char *name)
{
    readers[h] = (struct reader){.holder = (uint8_t)h,
        .takes = scenario->takes,
        .is_recording = scenario->whole,
        .has_spare = scenario->spare,
        .next = scenario->whole ? scenario->first_frame : 0};
    if (scenario->whole)
        model->places[HELD + h].initial = scenario->first_frame;
    producer.process.facts[h] = queue_of(h);
    add_thread(model, WRITER + (enum thread)h, name, read_tape, &readers[h], sizeof readers[h]);
}

static void add_meter(struct model *model)
{
    looks = 2;
    producer.process.facts[STEM_TAPE_WRITER] = queue_of(STEM_TAPE_WRITER); /* nobody reads it */
    add_thread(model, METER, "meter", look, &looks, sizeof looks);
}

static void explore(unsigned long long most, struct model_outcome *outcome)
{
    struct model model = {.after_change = check_change, .at_end = check_end};
    make_tape();
    assign_places(&model);
    producer = (struct producer){
        .clock = scenario->first_frame, .cycles = scenario->cycles, .process = {.tape = &the_tape}};
    if (scenario->meter)
        add_meter(&model);
    else
        add_reader(&model, STEM_TAPE_WRITER, "writer");
    if (scenario->mirror)
        add_reader(&model, STEM_TAPE_MIRROR, "mirror");
    add_thread(&model, PROCESS, "process", produce, &producer, sizeof producer);
    model_explore(&model, most, outcome);
}

struct options {
    int more;
    unsigned long long most;
    const char *expected; /* "": nothing is wrong */
};

/* Explores one scenario; returns whether it is as it should be. */
static bool run(const struct scenario *as_given, const struct options *options, int number)
{
    struct scenario one = *as_given;
    struct model_outcome outcome;
    one.cycles += options->more;
    scenario = &one;
    explore(options->most, &outcome);
    bool good = strcmp(outcome.kind, options->expected) == 0 &&
                outcome.failed == (options->expected[0] != '\0');
    printf("%sok %d - %s # %s, %llu states, %llu steps, %llu ends, at most %d steps long\n",
        good ? "" : "not ", number, one.name, outcome.kind[0] ? outcome.kind : "right",
        outcome.states, outcome.steps, outcome.ends, outcome.longest);
    fflush(stdout);
    return good;
}

static bool is_named(const char *name, char **names, int count)
{
    for (int k = 0; k < count; k++)
        if (strcmp(names[k], name) == 0)
            return true;
    return count == 0;
}

/* Takes options off the words; returns how many words they were. */
static int parse(int argc, char **argv, struct options *options)
{
    int k = 1;
    for (; k + 1 < argc && strncmp(argv[k], "--", 2) == 0; k += 2) {
        if (strcmp(argv[k], "--more") == 0)
            options->more = atoi(argv[k + 1]);
        else if (strcmp(argv[k], "--states") == 0)
            options->most = strtoull(argv[k + 1], NULL, 10);
        else if (strcmp(argv[k], "--expect") == 0)
            options->expected = argv[k + 1];
        else
            break;
    }
    return k;
}

int main(int argc, char **argv)
{
    struct options options = {.most = 200000000, .expected = ""};
    int words = parse(argc, argv, &options), ran = 0;
    bool good = true;
    for (int s = 0; s < SCENARIO_COUNT; s++)
        if (is_named(SCENARIOS[s].name, argv + words, argc - words))
            good = run(&SCENARIOS[s], &options, ++ran) && good;
    printf("1..%d\n", ran);
    return good && ran == (argc > words ? argc - words : SCENARIO_COUNT) ? 0 : 1;
}
