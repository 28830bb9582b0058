/* Connections on a scripted patchbay: which outputs are connected where, and when again. The JACK
 * calls of the module are replaced by those below. */
#include "connections.h"
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { MOST_OUTPUTS = 16, MOST_MADE = 64, INPUTS = 4 };

static const char *outputs[MOST_OUTPUTS + 1]; /* as JACK lists them */
static char made[MOST_MADE][128];             /* "output > input", as asked for */
static size_t made_count;
static int answer; /* of jack_connect */

static struct stem_layout_port ports[INPUTS];
static struct stem_layout layout = {.ports = ports, .port_count = INPUTS};
static struct stem_connections *connections;

jack_client_t *stem_jack_handle(const struct stem_jack *jack)
{
    (void)jack;
    return NULL;
}

jack_port_t *stem_jack_port(const struct stem_jack *jack, uint32_t port)
{
    (void)jack;
    return (jack_port_t *)(uintptr_t)(port + 1);
}

const char *jack_port_name(const jack_port_t *port)
{
    return ports[(uintptr_t)port - 1].name;
}

int jack_connect(jack_client_t *client, const char *source, const char *destination)
{
    (void)client;
    assert_true(made_count < MOST_MADE);
    snprintf(made[made_count++], sizeof made[0], "%s > %s", source, destination);
    return answer;
}

const char **jack_get_ports(
    jack_client_t *client, const char *name_pattern, const char *type_pattern, unsigned long flags)
{
    (void)client;
    assert_null(name_pattern);
    assert_string_equal(type_pattern, JACK_DEFAULT_AUDIO_TYPE);
    assert_int_equal(flags, JackPortIsOutput);
    size_t count = 0;
    while (outputs[count])
        count++;
    const char **list = calloc(count + 1, sizeof *list);
    assert_non_null(list);
    memcpy(list, outputs, count * sizeof *list);
    return count ? list : (free(list), NULL); /* JACK says NULL for none */
}

void jack_free(void *memory)
{
    free(memory);
}

static void make(const char *a, const char *b, const char *c, const char *d)
{
    static char names[INPUTS][8] = {"in:1", "in:2", "in:3", "in:4"};
    const char *const from[INPUTS] = {a, b, c, d};
    struct stem_error error = {0};
    for (int p = 0; p < INPUTS; p++)
        ports[p] = (struct stem_layout_port){.name = names[p], .from = from[p]};
    connections = stem_connections_create(&layout, &error);
    if (!connections)
        fail_msg("%s", error.text);
}

static int set_up(void **state)
{
    (void)state;
    memset(outputs, 0, sizeof outputs);
    connections = NULL;
    made_count = 0;
    answer = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stem_connections_destroy(connections);
    return 0;
}

/* One update; `wanted` are the calls of jack_connect in order, NULL at the end. */
static void check_update(bool done, unsigned count, const char *const *wanted)
{
    unsigned number = 99;
    made_count = 0;
    assert_int_equal(stem_connections_update(connections, NULL, &number), done);
    assert_int_equal(number, count);
    for (size_t k = 0; wanted[k]; k++) {
        assert_true(k < made_count);
        assert_string_equal(made[k], wanted[k]);
    }
    for (size_t k = 0; k < made_count; k++)
        assert_non_null(wanted[k]);
}
#define CALLS(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const NOTHING[] = {NULL};

static void test_connections_exact_names(void **state)
{
    (void)state;
    make("c:out_1", "c:out_2", "", "c:out_1");
    outputs[0] = "c:out_1";
    outputs[1] = "c:out_10";
    outputs[2] = "c:out_2";
    outputs[3] = "C:out_2";
    check_update(true, 3, CALLS("c:out_1 > in:1", "c:out_1 > in:4", "c:out_2 > in:2"));
}

static void test_connections_without_outputs(void **state)
{
    (void)state;
    make("a:1", "", "", "");
    check_update(true, 0, NOTHING);
    outputs[0] = "a:1";
    check_update(true, 1, CALLS("a:1 > in:1"));
}

static void test_connections_patterns_match_whole_names(void **state)
{
    (void)state;
    make("/ardour:Drums.*out 1/", "/a|b/", "/synth:(l|r)_0[0-3]/", "");
    outputs[0] = "ardour:Drums/audio_out 1";
    outputs[1] = "ardour:Drums/audio_out 12";
    outputs[2] = "my ardour:Drums/audio_out 1";
    outputs[3] = "b";
    outputs[4] = "ab";
    outputs[5] = "synth:r_03";
    outputs[6] = "synth:l_04";
    check_update(
        true, 3, CALLS("ardour:Drums/audio_out 1 > in:1", "b > in:2", "synth:r_03 > in:3"));
}

/* A slash at one end only, or two in a row, is a name. */
static void test_connections_slashes_that_are_no_pattern(void **state)
{
    (void)state;
    make("/", "/half", "half/", "a.c");
    outputs[0] = "/";
    outputs[1] = "half";
    outputs[2] = "/half";
    outputs[3] = "half/";
    outputs[4] = "abc";
    check_update(true, 3, CALLS("/ > in:1", "/half > in:2", "half/ > in:3"));
}

static void test_connections_wrong_pattern_is_named(void **state)
{
    (void)state;
    struct stem_error error = {0};
    ports[0] = ports[1] = ports[2] = ports[3] = (struct stem_layout_port){.from = "/ok.*/"};
    ports[2].from = "/broken(/";
    connections = stem_connections_create(&layout, &error);
    assert_null(connections);
    assert_non_null(strstr(error.text, "pattern /broken(/: "));
}

/* A connection that somebody takes away by hand stays away. */
static void test_connections_each_output_is_tried_once(void **state)
{
    (void)state;
    make("a:1", "/b:.*/", "", "");
    outputs[0] = "b:2";
    outputs[1] = "a:1";
    check_update(true, 2, CALLS("b:2 > in:2", "a:1 > in:1"));
    check_update(true, 0, NOTHING);
    outputs[2] = "b:1"; /* a new one, wherever it stands in the list */
    check_update(true, 1, CALLS("b:1 > in:2"));
    check_update(true, 0, NOTHING);
}

static void test_connections_output_that_comes_back_is_tried_again(void **state)
{
    (void)state;
    make("a:1", "b:1", "", "");
    outputs[0] = "a:1";
    outputs[1] = "b:1";
    check_update(true, 2, CALLS("a:1 > in:1", "b:1 > in:2"));
    outputs[1] = NULL;
    check_update(true, 0, NOTHING);
    outputs[1] = "b:1";
    check_update(true, 1, CALLS("b:1 > in:2"));
    stem_connections_renew(connections, "a:1"); /* gone and back between two looks */
    stem_connections_renew(connections, "never:seen");
    check_update(true, 1, CALLS("a:1 > in:1"));
    check_update(true, 0, NOTHING);
}

static void test_connections_new_server_begins_anew(void **state)
{
    (void)state;
    make("a:1", "", "", "");
    outputs[0] = "a:1";
    check_update(true, 1, CALLS("a:1 > in:1"));
    stem_connections_forget(connections);
    check_update(true, 1, CALLS("a:1 > in:1"));
    stem_connections_forget(connections);
    stem_connections_renew(connections, "a:1"); /* nothing is known: no harm */
    stem_connections_forget(connections);
}

static void test_connections_that_are_there_already_are_fine(void **state)
{
    (void)state;
    make("a:1", "", "", "");
    outputs[0] = "a:1";
    answer = EEXIST;
    check_update(true, 0, CALLS("a:1 > in:1"));
    check_update(true, 0, NOTHING);
}

/* A client that is not active yet shows its ports and refuses: it is tried until it works. */
static void test_connections_refused_ones_are_tried_again(void **state)
{
    (void)state;
    make("a:1", "b:1", "", "");
    outputs[0] = "a:1";
    answer = -1;
    for (int round = 0; round < 6; round++)
        check_update(false, 0, CALLS("a:1 > in:1"));
    answer = 0;
    outputs[1] = "b:1";
    check_update(true, 2, CALLS("a:1 > in:1", "b:1 > in:2"));
    check_update(true, 0, NOTHING);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_connections_exact_names),
        TEST(test_connections_without_outputs),
        TEST(test_connections_patterns_match_whole_names),
        TEST(test_connections_slashes_that_are_no_pattern),
        TEST(test_connections_wrong_pattern_is_named),
        TEST(test_connections_each_output_is_tried_once),
        TEST(test_connections_output_that_comes_back_is_tried_again),
        TEST(test_connections_new_server_begins_anew),
        TEST(test_connections_that_are_there_already_are_fine),
        TEST(test_connections_refused_ones_are_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
