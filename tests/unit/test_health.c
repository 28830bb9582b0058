/* Health: each part's grades, just before and at each threshold; the worst one; what is said. */
#include "unit.h"

#include "health.h"

#include <string.h>

/* A healthy take on a tape of ten seconds. */
static struct stem_health_facts healthy(void)
{
    return (struct stem_health_facts){
        .is_recording = true,
        .is_on_server = true,
        .has_answered = true,
        .tape_seconds = 10,
        .disk_seconds = 3600,
        .disk_warning = 600,
        .mirror_disk_seconds = -1,
    };
}

static void assert_sentence(const struct stem_health_facts *facts, const char *wanted)
{
    char text[256];
    struct stem_health health = stem_health_of(facts);
    stem_health_sentence(facts, &health, text, sizeof text);
    assert_string_equal(text, wanted);
}

static void test_health_is_green_when_nothing_is_wrong(void **state)
{
    (void)state;
    struct stem_health_facts facts = healthy();
    struct stem_health health = stem_health_of(&facts);
    assert_int_equal(health.worst, STEM_GREEN);
    assert_sentence(&facts, "");
    assert_string_equal(stem_grade_name(STEM_GREEN), "green");
    assert_string_equal(stem_grade_name(STEM_YELLOW), "yellow");
    assert_string_equal(stem_grade_name(STEM_RED), "red");
}

static void test_health_of_the_tape(void **state)
{
    (void)state;
    static const struct {
        double used, most;
        unsigned long long overflows;
        enum stem_grade grade;
    } CASES[] = {
        {0.24, 0.59, 0, STEM_GREEN},
        {0.25, 0.25, 0, STEM_YELLOW},
        {0.59, 0.59, 0, STEM_YELLOW},
        {0.60, 0.60, 0, STEM_RED},
        {0.00, 0.60, 0, STEM_YELLOW}, /* it was close in this take */
        {0.00, 0.00, 1, STEM_RED},
    };
    for (size_t k = 0; k < sizeof CASES / sizeof *CASES; k++) {
        struct stem_health_facts facts = healthy();
        facts.tape_used = CASES[k].used;
        facts.tape_most_used = CASES[k].most;
        facts.overflows = CASES[k].overflows;
        assert_int_equal(stem_health_of(&facts).tape, CASES[k].grade);
        assert_int_equal(stem_health_of(&facts).worst, CASES[k].grade);
    }
    struct stem_health_facts facts = healthy();
    facts.tape_used = 0.4;
    assert_sentence(&facts, "the disk does not keep up: the tape lasts 6 s more");
    facts.overflows = 480;
    assert_sentence(&facts, "480 frames were lost because the tape was full");
}

static void test_health_of_the_writer(void **state)
{
    (void)state;
    static const struct {
        double stalled, write, sync;
        bool recording;
        enum stem_grade grade;
    } CASES[] = {
        {0.9, 4.9, 4.9, true, STEM_GREEN},
        {1.0, 0.0, 0.0, true, STEM_YELLOW},
        {4.9, 0.0, 0.0, true, STEM_YELLOW},
        {5.0, 0.0, 0.0, true, STEM_RED}, /* half of the tape */
        {5.0, 0.0, 0.0, false, STEM_YELLOW},
        {0.0, 5.0, 0.0, true, STEM_YELLOW},
        {0.0, 0.0, 5.0, true, STEM_YELLOW},
    };
    for (size_t k = 0; k < sizeof CASES / sizeof *CASES; k++) {
        struct stem_health_facts facts = healthy();
        facts.stalled_seconds = CASES[k].stalled;
        facts.slowest_write = CASES[k].write;
        facts.slowest_sync = CASES[k].sync;
        facts.is_recording = CASES[k].recording;
        assert_int_equal(stem_health_of(&facts).writer, CASES[k].grade);
        assert_int_equal(stem_health_of(&facts).worst, CASES[k].grade);
    }
    struct stem_health_facts facts = healthy();
    facts.slowest_write = 6;
    facts.slowest_sync = 0.5;
    assert_sentence(&facts, "the disk is slow: a write took 6.0 s, a sync 0.5 s");
    facts.stalled_seconds = 2;
    facts.tape_used = 0.2;
    assert_sentence(&facts, "the disk has been stalled for 2 s; the tape lasts 8 s more");
}

static void test_health_of_the_disk(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        enum stem_grade grade;
    } CASES[] = {
        {600, STEM_GREEN}, {599, STEM_YELLOW}, {60, STEM_YELLOW}, {59, STEM_RED}, {0, STEM_RED},
        {-1, STEM_GREEN}, /* nobody has looked yet */
    };
    for (size_t k = 0; k < sizeof CASES / sizeof *CASES; k++) {
        struct stem_health_facts facts = healthy();
        facts.disk_seconds = CASES[k].seconds;
        assert_int_equal(stem_health_of(&facts).disk, CASES[k].grade);
        assert_int_equal(stem_health_of(&facts).worst, CASES[k].grade);
    }
    struct stem_health_facts facts = healthy();
    facts.disk_seconds = 0;
    assert_sentence(&facts, "the disk lasts 0 s more");
}

static void test_health_of_moved_files(void **state)
{
    (void)state;
    struct stem_health_facts facts = healthy();
    facts.was_moved = true;
    assert_int_equal(stem_health_of(&facts).disk, STEM_YELLOW);
    assert_sentence(&facts, "the take's files were moved while it ran");
    facts.disk_seconds = 100;
    assert_sentence(&facts, "the disk lasts 100 s more");
    facts.disk_seconds = 10;
    assert_sentence(&facts, "the disk lasts 10 s more");
    facts.was_removed = true;
    assert_int_equal(stem_health_of(&facts).disk, STEM_RED);
    assert_sentence(&facts, "the take's files were removed while it ran");
    facts = healthy();
    facts.mirror_was_moved = true;
    assert_int_equal(stem_health_of(&facts).mirror, STEM_YELLOW);
    assert_sentence(&facts, "the mirror's files were moved or removed while the take ran");
}

static void test_health_of_the_server(void **state)
{
    (void)state;
    static const struct {
        bool on, answered, recording;
        enum stem_grade grade;
        const char *sentence;
    } CASES[] = {
        {true, true, true, STEM_GREEN, ""},
        {true, false, true, STEM_YELLOW, "JACK does not answer"},
        {true, false, false, STEM_YELLOW, "JACK does not answer"},
        {false, true, false, STEM_YELLOW, "there is no JACK server"},
        {false, true, true, STEM_RED, "there is no JACK server"},
        {false, false, true, STEM_RED, "there is no JACK server"},
    };
    for (size_t k = 0; k < sizeof CASES / sizeof *CASES; k++) {
        struct stem_health_facts facts = healthy();
        facts.is_on_server = CASES[k].on;
        facts.has_answered = CASES[k].answered;
        facts.is_recording = CASES[k].recording;
        assert_int_equal(stem_health_of(&facts).server, CASES[k].grade);
        assert_int_equal(stem_health_of(&facts).worst, CASES[k].grade);
        assert_sentence(&facts, CASES[k].sentence);
    }
}

static void test_health_of_the_mirror(void **state)
{
    (void)state;
    static const struct {
        double stalled, disk;
        unsigned long long overflows;
        bool single;
        enum stem_grade grade;
        const char *sentence;
    } CASES[] = {
        {0.9, 600, 0, false, STEM_GREEN, ""},
        {0, -1, 0, true, STEM_YELLOW, "the take is in one of its two folders only"},
        {1, 600, 0, false, STEM_YELLOW, "the mirror's disk has been stalled for 1 s"},
        {0, 599, 0, false, STEM_YELLOW, "the mirror's disk lasts 599 s more"},
        {0, 0, 0, false, STEM_YELLOW, "the mirror's disk lasts 0 s more"},
        {0, 600, 9, false, STEM_YELLOW,
            "the mirror lost 9 frames, because its disk did not keep up"},
    };
    for (size_t k = 0; k < sizeof CASES / sizeof *CASES; k++) {
        struct stem_health_facts facts = healthy();
        facts.mirror_stalled_seconds = CASES[k].stalled;
        facts.mirror_disk_seconds = CASES[k].disk;
        facts.mirror_overflows = CASES[k].overflows;
        facts.is_single = CASES[k].single;
        assert_int_equal(stem_health_of(&facts).mirror, CASES[k].grade);
        assert_int_equal(stem_health_of(&facts).worst, CASES[k].grade);
        assert_sentence(&facts, CASES[k].sentence);
    }
}

/* What gets worse is told, though something else was as bad before; what gets better when all is.
 */
static void test_health_that_changes_is_news(void **state)
{
    (void)state;
    const struct stem_health green = {0}, disk = {.disk = STEM_YELLOW, .worst = STEM_YELLOW},
                             both = {.disk = STEM_YELLOW,
                                 .writer = STEM_YELLOW,
                                 .worst = STEM_YELLOW},
                             red = {.disk = STEM_YELLOW, .writer = STEM_RED, .worst = STEM_RED};
    assert_false(stem_health_is_news(&green, &green));
    assert_true(stem_health_is_news(&disk, &green));
    assert_true(stem_health_is_news(&both, &disk));
    assert_true(stem_health_is_news(&red, &both));
    assert_false(stem_health_is_news(&disk, &both));
    assert_true(stem_health_is_news(&both, &red));
    assert_true(stem_health_is_news(&green, &disk));
    for (int part = 0; part < 5; part++) {
        struct stem_health now = red, before = red;
        enum stem_grade *const PARTS[] = {
            &now.tape, &now.writer, &now.disk, &now.server, &now.mirror};
        enum stem_grade *const BEFORE[] = {
            &before.tape, &before.writer, &before.disk, &before.server, &before.mirror};
        *PARTS[part] = STEM_RED;
        *BEFORE[part] = STEM_YELLOW;
        assert_true(stem_health_is_news(&now, &before));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_is_green_when_nothing_is_wrong),
        cmocka_unit_test(test_health_of_the_tape),
        cmocka_unit_test(test_health_of_the_writer),
        cmocka_unit_test(test_health_of_the_disk),
        cmocka_unit_test(test_health_of_moved_files),
        cmocka_unit_test(test_health_of_the_server),
        cmocka_unit_test(test_health_of_the_mirror),
        cmocka_unit_test(test_health_that_changes_is_news),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
