/* The configuration: what is read, and that what is printed reads back the same. The tests run
 * inside a temporary folder, so files have short names. */
#include "config_texts.h"

#include "config_text.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reading */

static void test_config_fills_in_the_defaults(void **state)
{
    (void)state;
    struct stem_config *config = must_load_text("\n" STEMS);
    assert_messages(&fixture.warnings, "");
    assert_string_equal(config->path, "t.conf");
    assert_string_equal(config->client, "stemd");
    assert_string_equal(config->server, "default");
    assert_string_equal(config->takes, "/srv/takes");
    assert_false(config->multitrack);
    assert_string_equal(config->naming, "standard");
    assert_string_equal(config->folder_name, "{date}_{time}_{title}_{tempo}bpm");
    assert_string_equal(config->file_name, "{index}_{stem}");
    assert_int_equal(config->container, STEM_WAV);
    assert_int_equal(config->encoding, STEM_PCM24);
    assert_true(config->tape_seconds == 20);
    assert_true(config->preroll_seconds == 0);
    assert_true(config->sync_seconds == 5);
    assert_true(config->headroom_db == -3);
    assert_int_equal(config->pan_law, STEM_PAN_0DB);
    assert_int_equal(config->osc_listen_count, 1);
    assert_string_equal(config->osc_listen[0], "udp://127.0.0.1:7770");
    assert_int_equal(config->osc_allow_count, 2);
    assert_string_equal(config->osc_allow[0], "127.0.0.0/8");
    assert_string_equal(config->osc_allow[1], "::1/128");
    assert_int_equal(config->osc_notify_count, 0);
    assert_int_equal(config->return_count, 0);
    assert_false(config->has_mix);
    assert_int_equal(config->stem_count, 1);
    const struct stem_config_stem *stem = &config->stems[0];
    assert_string_equal(stem->name, "A");
    assert_int_equal(stem->channels, 2);
    assert_false(stem->muted);
    assert_int_equal(stem->wet, STEM_WET_IN);
    assert_int_equal(stem->line, 2);
    assert_int_equal(stem->return_count, 0);
    const struct stem_config_input *input = &stem->inputs[0];
    assert_int_equal(input->channels, 1);
    assert_true(input->gain_db == 0);
    assert_false(input->invert);
    assert_false(input->has_pan);
    assert_int_equal(input->channel, 0);
    assert_string_equal(input->from[0].from, "c:p");
    assert_int_equal(input->from[0].line, 2);
    stem_config_destroy(config);
}

static const char EVERYTHING[] =
    "client = \"recorder\"; server = \"stage\"; takes = \"/srv/shows/\";\n"
    "format = \"flac\"; encoding = \"pcm16\"; naming = \"delivery\"; file_name = "
    "\"{stem}_{take}\";\n"
    "multitrack = true; tape = 30; preroll = 29.5; sync = 0; headroom = -6; pan_law = -4.5;\n"
    "osc: { listen = [ \"udp://0.0.0.0:7770\", \"unix:///run/stemd/osc\" ];\n"
    "  allow = ( \"10.0.0.0/8\" ); notify = \"udp://10.0.0.7:9000\"; };\n"
    "returns = ( { name = \"Plate\"; from = [ \"fx:l\", \"fx:r\" ]; gain = -1; } );\n"
    "stems = (\n"
    "  { name = \"Drums\"; muted = true; wet = \"own\";\n"
    "    inputs = ( { name = \"Kick\"; from = [ \"c:1\" ]; },\n"
    "      { name = \"Snare\"; from = \"/c:2|c:3/\"; pan = -0.25; gain = -3L;\n"
    "        polarity = \"inverted\"; },\n"
    "      { name = \"Side\"; from = \"c:4\"; channel = 2; polarity = \"normal\"; },\n"
    "      { name = \"Pair\"; from = [ \"\",\n"
    "         \"c:5\" ]; },\n"
    "      { name = \"Hand\"; channels = 2; } );\n"
    "    returns = ( { name = \"Room\"; channels = 2; share = 0.5; },\n"
    "      { use = \"Plate\"; share = 0.4; } ); },\n"
    "  { name = \"Voice\"; channels = 1; inputs = [ ];\n"
    "    returns = ( { name = \"Own\"; } ); },\n"
    "  { name = \"Keys\"; returns = ( { use = \"Plate\"; share = 0.6; } ); wet = \"both\"; }\n"
    ");\n"
    "mix = { from = ( \"c:l\", \"c:r\" ); };\n";

static void test_config_reads_every_setting_at_the_top(void **state)
{
    (void)state;
    struct stem_config *config = must_load_text(EVERYTHING);
    assert_messages(&fixture.warnings, "");
    assert_string_equal(config->client, "recorder");
    assert_string_equal(config->server, "stage");
    assert_string_equal(config->takes, "/srv/shows");
    assert_true(config->multitrack);
    assert_string_equal(config->naming, "delivery");
    assert_string_equal(config->folder_name, "{title}_{tempo}bpm_{key}_{rate}k{depth}");
    assert_string_equal(config->file_name, "{stem}_{take}");
    assert_int_equal(config->container, STEM_FLAC);
    assert_int_equal(config->encoding, STEM_PCM16);
    assert_true(config->tape_seconds == 30);
    assert_true(config->preroll_seconds == 29.5);
    assert_true(config->sync_seconds == 0);
    assert_true(config->headroom_db == -6);
    assert_int_equal(config->pan_law, STEM_PAN_45DB);
    assert_int_equal(config->osc_listen_count, 2);
    assert_string_equal(config->osc_listen[1], "unix:///run/stemd/osc");
    assert_int_equal(config->osc_allow_count, 1);
    assert_string_equal(config->osc_allow[0], "10.0.0.0/8");
    assert_int_equal(config->osc_notify_count, 1);
    assert_string_equal(config->osc_notify[0], "udp://10.0.0.7:9000");
    assert_true(config->has_mix);
    assert_int_equal(config->mix.channels, 2);
    assert_string_equal(config->mix.name, "Mix");
    assert_string_equal(config->mix.from[1].from, "c:r");
    stem_config_destroy(config);
}

static void test_config_reads_every_setting_of_a_stem(void **state)
{
    (void)state;
    struct stem_config *config = must_load_text(EVERYTHING);
    assert_int_equal(config->stem_count, 3);
    const struct stem_config_stem *drums = &config->stems[0];
    assert_true(drums->muted);
    assert_int_equal(drums->wet, STEM_WET_OWN);
    assert_int_equal(config->stems[1].wet, STEM_WET_IN);
    assert_int_equal(config->stems[2].wet, STEM_WET_BOTH);
    assert_int_equal(drums->line, 8);
    assert_int_equal(drums->input_count, 5);
    const struct stem_config_input *snare = &drums->inputs[1];
    assert_int_equal(snare->line, 10);
    assert_true(snare->has_pan);
    assert_true(snare->pan == -0.25);
    assert_true(snare->gain_db == -3);
    assert_true(snare->invert);
    assert_string_equal(snare->from[0].from, "/c:2|c:3/");
    assert_int_equal(drums->inputs[2].channel, 2);
    assert_false(drums->inputs[2].invert);
    assert_int_equal(drums->inputs[3].channels, 2);
    assert_string_equal(drums->inputs[3].from[0].from, "");
    assert_string_equal(drums->inputs[3].from[1].from, "c:5");
    assert_int_equal(drums->inputs[4].channels, 2);
    assert_string_equal(drums->inputs[4].from[1].from, "");
    assert_int_equal(drums->return_count, 2);
    assert_false(drums->returns[0].is_shared);
    assert_true(drums->returns[0].share == 0.5);
    assert_string_equal(drums->returns[0].own.name, "Room");
    assert_true(drums->returns[1].is_shared);
    assert_int_equal(drums->returns[1].shared, 0);
    assert_true(drums->returns[1].share == 0.4);
    assert_int_equal(config->stems[1].channels, 1);
    assert_int_equal(config->stems[1].input_count, 0);
    assert_int_equal(config->stems[1].returns[0].own.channels, 1);
    assert_true(config->stems[1].returns[0].share == 1);
    assert_int_equal(config->returns[0].channels, 2);
    assert_true(config->returns[0].gain_db == -1);
    stem_config_destroy(config);
}

static void test_config_accepts_the_ends_of_every_range(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "tape = 1; sync = 3600; headroom = -120; pan_law = 0; " STEMS,
        "tape = 3600.0; preroll = 3599.999; headroom = 0; pan_law = -6; " STEMS,
        "pan_law = -3.0; encoding = \"double\"; format = \"caf\"; " STEMS,
        "stems = ( { name = \"A\"; channels = 8; inputs = ( { name = \"a\"; channel = 8; gain = "
        "40; "
        "}, { name = \"b\"; channels = 8; gain = -120; } ); } );",
        "stems = ( { name = \"A\"; inputs = ( { name = \"a\"; pan = -1; }, { name = \"b\"; pan = "
        "1; "
        "} ); returns = ( { name = \"c\"; share = 0; }, { name = \"d\"; share = 4; } ); } );",
        "mix = { channels = 4; }; stems = ( { name = \"A\"; channels = 4; inputs = ( " INPUT
        " ); }, "
        "{ name = \"B\"; channels = 1; inputs = ( " INPUT " ); } );",
        "mix = { }; stems = ( { name = \"A\"; channels = 1; inputs = ( " INPUT " ); } );",
    };
    for (size_t k = 0; k < sizeof TEXTS / sizeof *TEXTS; k++) {
        print_message("# case %zu\n", k);
        stem_config_destroy(must_load_text(TEXTS[k]));
        assert_messages(&fixture.warnings, "");
    }
}

/* Files */

static void test_config_says_why_a_file_cannot_be_read(void **state)
{
    (void)state;
    assert_errors(
        "none.conf", "none.conf: cannot read the configuration: No such file or directory");
    assert_errors(".", ".: cannot read the configuration: it is a folder");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_errors("fifo", "fifo: cannot read the configuration: it is not a regular file");
    if (geteuid() == 0)
        return; /* root reads everything */
    write_text("secret.conf", STEMS);
    assert_int_equal(chmod("secret.conf", 0), 0);
    assert_errors("secret.conf", "secret.conf: cannot read the configuration: Permission denied");
}

static void test_config_includes_files_of_its_folder(void **state)
{
    (void)state;
    assert_int_equal(mkdir("inc", 0700), 0);
    assert_int_equal(mkdir("inc/more", 0700), 0);
    write_text("inc/main.conf", "tape = 7;\n@include \"more/stems.conf\"\npreroll = 1;\n");
    write_text("inc/more/stems.conf", "# stems\n" STEMS "\n@include \"more/mix.conf\"\n");
    write_text("inc/more/mix.conf", "mix = { };\n");
    struct stem_config *config = must_load("inc/main.conf");
    assert_true(config->tape_seconds == 7);
    assert_true(config->preroll_seconds == 1);
    assert_int_equal(config->stem_count, 1);
    assert_true(config->has_mix);
    stem_config_destroy(config);
}

static void test_config_names_the_included_file(void **state)
{
    (void)state;
    mkdir("bad", 0700);
    write_text("bad/a.conf", "\n\ntape = 0;\nlient = 1;\n");
    write_text("bad/main.conf", "@include \"a.conf\"\nsync = -1;\n@include \"b.conf\"\n");
    write_text("bad/b.conf", ONE_INPUT("name = \"I\"; channel = 3; from = [ \"c\"\n];"));
    assert_errors("bad/main.conf",
        "bad/a.conf:3: tape: expected a number from 1 to 3600 (seconds), found 0\n"
        "bad/main.conf:2: sync: expected a number from 0 to 3600 (seconds), found -1\n"
        "bad/b.conf:2: stems[0].inputs[0].from[0]: expected a port name such as \"client:port\", "
        "or "
        "a pattern between slashes, found the string \"c\"\n"
        "bad/a.conf:4: unknown setting \"lient\"; did you mean \"client\"?\n"
        "bad/b.conf:2: stems[0].inputs[0].channel: expected a channel of the stem, from 1 to 2, "
        "found 3");
    write_text("bad/a.conf", "tape = 1;\n\nsync == 0;\n");
    assert_errors("bad/main.conf", "bad/a.conf:3: syntax error here, or just before");
    write_text("a.conf", "sync = 9999999999;\n");
    write_text("t.conf", "@include \"a.conf\"\n");
    assert_errors("t.conf",
        "a.conf:1: expected a whole number from -2147483648 to 2147483647, found 9999999999");
}

static void test_config_refuses_wrong_includes(void **state)
{
    (void)state;
    mkdir("refuse", 0700);
    write_text("refuse/t.conf", "tape = 3;\n\t@include \"none.conf\"\n@include \".\"\n"
                                "@include \"/etc/passwd\"\n");
    assert_errors("refuse/t.conf",
        "refuse/t.conf:2: cannot include \"refuse/none.conf\": No such file or directory\n"
        "refuse/t.conf:3: cannot include \"refuse/.\": it is a folder\n"
        "refuse/t.conf:4: cannot include \"/etc/passwd\": the path must be relative to the folder "
        "refuse");
    write_text("refuse/t.conf", "/*\n@include \"none.conf\"\n*/ # \"\n@include \"t.conf\"\n");
    struct stem_config *config = load("refuse/t.conf"); /* it includes itself */
    assert_null(config);
    assert_int_equal(fixture.errors.count, 1);
    assert_non_null(strstr(fixture.errors.texts[0], "nest"));
}

static void test_config_expands_the_home_folder(void **state)
{
    (void)state;
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    setenv("HOME", "/home/ada", 1);
    struct stem_config *config = must_load_text("takes = \"~/takes\"; " STEMS);
    assert_string_equal(config->takes, "/home/ada/takes");
    stem_config_destroy(config);
    config = must_load_text("takes = \"~\"; " STEMS);
    assert_string_equal(config->takes, "/home/ada");
    stem_config_destroy(config);
    config = must_load_text("takes = \"/\"; " STEMS);
    assert_string_equal(config->takes, "/");
    stem_config_destroy(config);
    unsetenv("HOME");
    write_text("t.conf", "takes = \"~/takes\"; " STEMS);
    assert_errors("t.conf", "t.conf:1: takes: expected an absolute path, since HOME does not name "
                            "the home folder, found the string \"~/takes\"");
    if (home)
        setenv("HOME", home, 1);
    free(home);
}

static void test_config_find_prefers_the_own_file(void **state)
{
    (void)state;
    char path[8192], expected[256];
    assert_int_equal(mkdir("stemd", 0700), 0);
    setenv("XDG_CONFIG_HOME", fixture.folder, 1);
    snprintf(expected, sizeof expected, "%s/stemd/stemd.conf", fixture.folder);
    if (!stem_config_find(path, sizeof path)) { /* nothing is installed on this machine */
        assert_memory_equal(path, expected, strlen(expected));
        assert_non_null(strstr(path, " or /etc/stemd/stemd.conf"));
    }
    write_text("stemd/stemd.conf", STEMS);
    assert_true(stem_config_find(path, sizeof path));
    assert_string_equal(path, expected);
    setenv("XDG_CONFIG_HOME", "relative", 1);
    if (stem_config_find(path, sizeof path))
        assert_int_equal(path[0], '/');
    else
        assert_null(strstr(path, "relative"));
    unsetenv("XDG_CONFIG_HOME");
}

/* Printing */

static void assert_same_strings(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    assert_int_equal(a_count, b_count);
    for (size_t k = 0; k < a_count; k++)
        assert_string_equal(a[k], b[k]);
}

static void assert_same_input(const struct stem_config_input *a, const struct stem_config_input *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->channels, b->channels);
    for (uint32_t c = 0; c < a->channels; c++)
        assert_string_equal(a->from[c].from, b->from[c].from);
    assert_memory_equal(&a->gain_db, &b->gain_db, sizeof a->gain_db);
    assert_int_equal(a->invert, b->invert);
    assert_int_equal(a->has_pan, b->has_pan);
    assert_memory_equal(&a->pan, &b->pan, sizeof a->pan);
    assert_int_equal(a->channel, b->channel);
}

static void assert_same_stem(const struct stem_config_stem *a, const struct stem_config_stem *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->muted, b->muted);
    assert_int_equal(a->wet, b->wet);
    assert_int_equal(a->input_count, b->input_count);
    for (size_t i = 0; i < a->input_count; i++)
        assert_same_input(&a->inputs[i], &b->inputs[i]);
    assert_int_equal(a->return_count, b->return_count);
    for (size_t r = 0; r < a->return_count; r++) {
        assert_int_equal(a->returns[r].is_shared, b->returns[r].is_shared);
        assert_true(a->returns[r].share == b->returns[r].share);
        if (a->returns[r].is_shared)
            assert_int_equal(a->returns[r].shared, b->returns[r].shared);
        else
            assert_same_input(&a->returns[r].own, &b->returns[r].own);
    }
}

static void assert_same(const struct stem_config *a, const struct stem_config *b)
{
    assert_string_equal(a->client, b->client);
    assert_string_equal(a->server, b->server);
    assert_string_equal(a->takes, b->takes);
    assert_int_equal(a->multitrack, b->multitrack);
    assert_string_equal(a->naming, b->naming);
    assert_string_equal(a->folder_name, b->folder_name);
    assert_string_equal(a->file_name, b->file_name);
    assert_int_equal(a->container, b->container);
    assert_int_equal(a->encoding, b->encoding);
    assert_true(a->tape_seconds == b->tape_seconds);
    assert_true(a->preroll_seconds == b->preroll_seconds);
    assert_true(a->sync_seconds == b->sync_seconds);
    assert_true(a->headroom_db == b->headroom_db);
    assert_int_equal(a->pan_law, b->pan_law);
    assert_same_strings(a->osc_listen, a->osc_listen_count, b->osc_listen, b->osc_listen_count);
    assert_same_strings(a->osc_allow, a->osc_allow_count, b->osc_allow, b->osc_allow_count);
    assert_same_strings(a->osc_notify, a->osc_notify_count, b->osc_notify, b->osc_notify_count);
    assert_int_equal(a->return_count, b->return_count);
    for (size_t r = 0; r < a->return_count; r++)
        assert_same_input(&a->returns[r], &b->returns[r]);
    assert_int_equal(a->stem_count, b->stem_count);
    for (size_t s = 0; s < a->stem_count; s++)
        assert_same_stem(&a->stems[s], &b->stems[s]);
    assert_int_equal(a->has_mix, b->has_mix);
    if (a->has_mix)
        assert_same_input(&a->mix, &b->mix);
}

/* Prints, reads what was printed, and compares. Frees the configuration. */
static void check_round_trip(struct stem_config *config)
{
    FILE *out = fopen("printed.conf", "w");
    assert_non_null(out);
    stem_config_print(config, out);
    assert_int_equal(fclose(out), 0);
    struct stem_config *again = must_load("printed.conf");
    assert_same(config, again);
    stem_config_destroy(again);
    stem_config_destroy(config);
}

static void test_config_print_reads_back_the_same(void **state)
{
    (void)state;
    check_round_trip(must_load_text(STEMS));
    check_round_trip(must_load_text(EVERYTHING));
}

static void test_config_print_reads_back_nasty_values(void **state)
{
    (void)state;
    check_round_trip(must_load_text(
        "takes = \"/a \\\"b\\\" \\\\x41 \\\\\\\\ # /* \xC3\xA9\";\n"
        "client = \"@include \\\"x\\\"\"; tape = 3.0000000000000004; headroom = -1e-5;\n"
        "osc: { listen = \"unix:///run/\\\"x\\\\n\"; allow = [ ]; };\n"
        "returns = ( { name = \"\xF0\x9F\x8E\xB9 }; \\\\\"; from = \"/c:[[:alpha:]]+\\\\.(1|2) "
        "\\\"x\\\"/\"; } );\n"
        "stems = ( { name = \"D\\\"r\\\\u'm\xC3\xBC\"; inputs = (\n"
        "  { name = \"\\\\\"; from = \"c\\\\:\\\"p\\\\\\\"\"; gain = 0.1; pan = -0.0; },\n"
        "  { name = \"b\"; from = \"c:/x/\"; gain = -119.99999999999999; pan = 0.3333333333333333; "
        "},\n"
        "  { name = \"c\"; from = [ \"\", \"c:y\" ]; gain = 1e-300; polarity = \"inverted\"; } );\n"
        "  returns = ( { use = \"\xF0\x9F\x8E\xB9 }; \\\\\"; share = 0.1; } ); } );\n"));
}

static void test_config_print_keeps_odd_file_names_in_the_comment(void **state)
{
    (void)state;
    write_text("odd\nnope = 1;\n.conf", STEMS);
    check_round_trip(must_load("odd\nnope = 1;\n.conf"));
}

/* The files that are installed. */
static void check_example(const char *name, size_t stems, size_t ports, bool has_mix)
{
    char path[8192];
    const char *folder = getenv("STEMD_CONF_FOLDER");
    assert_non_null(folder); /* set by meson.build */
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct stem_config *config = must_load(path);
    assert_messages(&fixture.warnings, "");
    assert_int_equal(config->stem_count, stems);
    assert_int_equal(config->has_mix, has_mix);
    size_t inputs = 0;
    for (size_t s = 0; s < config->stem_count; s++)
        for (size_t i = 0; i < config->stems[s].input_count; i++)
            inputs += config->stems[s].inputs[i].channels;
    assert_int_equal(inputs, ports);
    check_round_trip(config);
}

static void test_config_reads_the_installed_files(void **state)
{
    (void)state;
    setenv("HOME", "/home/ada", 0);
    check_example("stemd.conf", 2, 2, false);
    check_example("live-console.conf", 8, 32, true);
    check_example("daw.conf", 5, 10, true);
}

/* Robustness */

static void test_config_survives_truncated_and_damaged_files(void **state)
{
    (void)state;
    size_t length = strlen(EVERYTHING);
    char text[sizeof EVERYTHING];
    uint32_t random = 1;
    for (size_t k = 0; k <= length; k += 3) {
        write_bytes("t.conf", EVERYTHING, k);
        stem_config_destroy(load("t.conf"));
        memcpy(text, EVERYTHING, length);
        for (int damage = 0; damage < 2; damage++) {
            random = random * 1664525u + 1013904223u;
            text[(random >> 8) % length] = (char)(random >> 24);
        }
        write_bytes("t.conf", text, length);
        struct stem_config *config = load("t.conf");
        assert_int_equal(config == NULL, fixture.errors.count > 0);
        stem_config_destroy(config);
    }
}

static void test_config_text_accepts_utf8_only(void **state)
{
    (void)state;
    static const char *const RIGHT[] = {"", "a", "\xC2\xA0", "\xDF\xBF", "\xE0\xA0\x80",
        "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};
    static const char *const WRONG[] = {"\t", "\x7F", "\xC2\x80", "\xC2\x9F", "\x80", "\xC1\x81",
        "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"};
    for (size_t k = 0; k < sizeof RIGHT / sizeof *RIGHT; k++) {
        print_message("# right %zu\n", k);
        assert_true(config_text_clean(RIGHT[k]));
    }
    for (size_t k = 0; k < sizeof WRONG / sizeof *WRONG; k++) {
        print_message("# wrong %zu\n", k);
        assert_false(config_text_clean(WRONG[k]));
    }
}

static void test_config_destroy_accepts_nothing(void **state)
{
    (void)state;
    stem_config_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_messages)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_config_fills_in_the_defaults),
        TEST(test_config_reads_every_setting_at_the_top),
        TEST(test_config_reads_every_setting_of_a_stem),
        TEST(test_config_accepts_the_ends_of_every_range),
        TEST(test_config_says_why_a_file_cannot_be_read),
        TEST(test_config_includes_files_of_its_folder),
        TEST(test_config_names_the_included_file),
        TEST(test_config_refuses_wrong_includes),
        TEST(test_config_expands_the_home_folder),
        TEST(test_config_find_prefers_the_own_file),
        TEST(test_config_print_reads_back_the_same),
        TEST(test_config_print_reads_back_nasty_values),
        TEST(test_config_print_keeps_odd_file_names_in_the_comment),
        TEST(test_config_reads_the_installed_files),
        TEST(test_config_survives_truncated_and_damaged_files),
        TEST(test_config_text_accepts_utf8_only),
        TEST(test_config_destroy_accepts_nothing),
    };
    return cmocka_run_group_tests(tests, set_up_folder, tear_down_folder);
}
