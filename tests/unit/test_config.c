/* The configuration: what is read, what is refused and in which words, and that what is printed
 * reads back the same. The tests run inside a temporary folder, so files have short names. */
#include "config.h"
#include "config_text.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define INPUT "{ name = \"I\"; from = \"c:p\"; }"
#define STEMS "stems = ( { name = \"A\"; inputs = ( " INPUT " ); } );"

/* libconfig 1.5 forgets the last string when it stops at an error. The sanitizer asks for this. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

struct fixture {
    char folder[64];
    char before[4096]; /* where we were */
    struct stem_config_messages errors;
    struct stem_config_messages warnings;
};

static struct fixture fixture;

static int set_up_folder(void **state)
{
    (void)state;
    strcpy(fixture.folder, "/tmp/stemd-test-config-XXXXXX");
    return !getcwd(fixture.before, sizeof fixture.before) || !mkdtemp(fixture.folder) ||
           chdir(fixture.folder);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static int tear_down_folder(void **state)
{
    (void)state;
    int status = chdir(fixture.before);
    return nftw(fixture.folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) || status;
}

static int forget_messages(void **state)
{
    (void)state;
    stem_config_messages_finish(&fixture.errors);
    stem_config_messages_finish(&fixture.warnings);
    return 0;
}

static void write_bytes(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

static struct stem_config *load(const char *path)
{
    forget_messages(NULL);
    return stem_config_load(path, &fixture.errors, &fixture.warnings);
}

static struct stem_config *load_text(const char *text)
{
    write_text("t.conf", text);
    return load("t.conf");
}

/* Messages joined with line ends; the caller frees them. */
static char *join(const struct stem_config_messages *messages)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (size_t k = 0; k < messages->count; k++)
        fprintf(out, "%s%s", k ? "\n" : "", messages->texts[k]);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_messages(const struct stem_config_messages *messages, const char *expected)
{
    char *found = join(messages);
    assert_string_equal(found, expected);
    free(found);
}

static void assert_errors(const char *path, const char *expected)
{
    struct stem_config *config = load(path);
    assert_messages(&fixture.errors, expected);
    assert_null(config);
}

/* Loads what must be right. */
static struct stem_config *must_load(const char *path)
{
    struct stem_config *config = load(path);
    assert_messages(&fixture.errors, "");
    assert_non_null(config);
    return config;
}

static struct stem_config *must_load_text(const char *text)
{
    write_text("t.conf", text);
    return must_load("t.conf");
}

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

/* Errors */

struct wrong {
    const char *text;
    const char *errors;
};

static void check_wrong(const struct wrong *cases, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        print_message("# case %zu\n", k);
        write_text("t.conf", cases[k].text);
        assert_errors("t.conf", cases[k].errors);
    }
}

#define CHECK_WRONG(cases) check_wrong(cases, sizeof(cases) / sizeof *(cases))
#define ONE_INPUT(settings) "stems = ( { name = \"A\"; inputs = (\n{ " settings " } ); } );"
#define ONE_RETURN(settings) "stems = ( { name = \"A\"; returns = (\n{ " settings " } ); } );"
#define NAME_RULE                                                                                  \
    "expected a name of 1 to 100 bytes of UTF-8 without ':', '/' and control characters"

static void test_config_names_wrong_settings_at_the_top(void **state)
{
    (void)state;
    static const struct wrong CASES[] = {
        {"\nclient = 3; " STEMS, "t.conf:2: client: expected a string, found 3"},
        {"client = \"a:b\"; " STEMS,
            "t.conf:1: client: expected a name of 1 to 60 bytes of UTF-8 without ':', '/' and "
            "control characters, found the string \"a:b\""},
        {"server = \"\"; " STEMS, "t.conf:1: server: " NAME_RULE ", found the string \"\""},
        {"takes = \"takes\"; " STEMS,
            "t.conf:1: takes: expected an absolute path in UTF-8, or one that begins with ~/, "
            "found the string \"takes\""},
        {"format = \"mp3\"; encoding = \"pcm20\"; " STEMS,
            "t.conf:1: format: expected one of wav, w64, caf, aiff, flac, found the string "
            "\"mp3\"\n"
            "t.conf:1: encoding: expected one of pcm16, pcm24, pcm32, float, double, found the "
            "string \"pcm20\""},
        {"format = \"flac\";\nencoding = \"float\"; " STEMS,
            "t.conf:2: encoding: expected one of pcm16, pcm24 with the format flac, found float"},
        {"tape = 0.5; " STEMS,
            "t.conf:1: tape: expected a number from 1 to 3600 (seconds), found 0.5"},
        {"tape = true; " STEMS,
            "t.conf:1: tape: expected a number from 1 to 3600 (seconds), found true"},
        {"tape = 1e999; " STEMS,
            "t.conf:1: tape: expected a number from 1 to 3600 (seconds), found inf"},
        {"preroll = -1; " STEMS,
            "t.conf:1: preroll: expected a number from 0 to 3600 (seconds), found -1"},
        {"tape = 10; preroll = 10.0; " STEMS,
            "t.conf:1: preroll: expected less than the 10 seconds of the tape, found 10"},
        {"sync = 3601; " STEMS,
            "t.conf:1: sync: expected a number from 0 to 3600 (seconds), found 3601"},
        {"headroom = 1; " STEMS,
            "t.conf:1: headroom: expected a number from -120 to 0 (dB), found 1"},
        {"pan_law = -2; " STEMS,
            "t.conf:1: pan_law: expected 0, -3, -4.5 or -6 (dB in the centre), found -2"},
        {"pan_law = 3; " STEMS,
            "t.conf:1: pan_law: expected a number from -6 to 0 (dB in the centre), found 3"},
        {"clinet = \"x\"; " STEMS,
            "t.conf:1: unknown setting \"clinet\"; did you mean \"client\"?"},
        {STEMS "\nxyzzy = 1;", "t.conf:2: unknown setting \"xyzzy\""},
        {"sync = 5000000000; " STEMS,
            "t.conf:1: expected a whole number from -2147483648 to 2147483647, found 5000000000"},
        {"sync = 5 /* 5000000000\n5000000000 */; # 5000000000\n"
         "client = \"5000000000:\"; x5000000000 = 1; " STEMS,
            "t.conf:3: client: expected a name of 1 to 60 bytes of UTF-8 without ':', '/' and "
            "control characters, found the string \"5000000000:\"\n"
            "t.conf:3: unknown setting \"x5000000000\""},
    };
    CHECK_WRONG(CASES);
}

static void test_config_names_wrong_osc_settings(void **state)
{
    (void)state;
    static const struct wrong CASES[] = {
        {"osc = 3; " STEMS, "t.conf:1: osc: expected a group: { … }, found 3"},
        {"osc: { listen = [ ]; }; " STEMS,
            "t.conf:1: osc.listen: expected at least one address to listen at, found an empty "
            "array"},
        {"osc: { listen = 7770; }; " STEMS,
            "t.conf:1: osc.listen: expected a string or a list of strings, found 7770"},
        {"osc: { listen = ( \"udp://127.0.0.1:1\",\n 7770,\n {} ); }; " STEMS,
            "t.conf:2: osc.listen[1]: expected a string, found 7770\n"
            "t.conf:3: osc.listen[2]: expected a string, found a group"},
        {"osc: { listen = [ \"udp://127.0.0.1:1\",\n \"udp://stage:7770\"\n ]; allow = "
         "\"::1\";\n}; " STEMS,
            "t.conf:2: osc.listen[1]: expected \"udp://ADDRESS:PORT\" with a numeric address, or "
            "\"unix:///PATH\", found the string \"udp://stage:7770\""},
        {"osc: { allow = [ \"10.0.0.0/8\", \"10.0.0.0/33\" ]; }; " STEMS,
            "t.conf:1: osc.allow[1]: expected an address or a block of them such as "
            "\"127.0.0.0/8\" or \"::1/128\", found the string \"10.0.0.0/33\""},
        {"osc: { notify = \"tcp://10.0.0.1:7\"; }; " STEMS,
            "t.conf:1: osc.notify: expected \"udp://ADDRESS:PORT\" with a numeric address, or "
            "\"unix:///PATH\", found the string \"tcp://10.0.0.1:7\""},
        {"osc: { notify = [ \"udp://[::1]:7\" ]; }; " STEMS,
            "t.conf:1: osc.notify[0]: expected an address of the same kind (IPv4, IPv6 or unix) "
            "as one in \"listen\", found the string \"udp://[::1]:7\""},
        {"osc: {\n lisen = [ ]; }; " STEMS,
            "t.conf:2: osc: unknown setting \"lisen\"; did you mean \"listen\"?"},
    };
    CHECK_WRONG(CASES);
}

static void test_config_names_wrong_inputs(void **state)
{
    (void)state;
    static const struct wrong CASES[] = {
        {ONE_INPUT("from = \"c:p\";"),
            "t.conf:2: stems[0].inputs[0]: expected a \"name\", found none"},
        {ONE_INPUT("name = \"a/b\";"),
            "t.conf:2: stems[0].inputs[0].name: " NAME_RULE ", found the string \"a/b\""},
        {ONE_INPUT("name = \"a\\x01\xC3\xA9\\n\";"),
            "t.conf:2: stems[0].inputs[0].name: " NAME_RULE
            ", found the string \"a\\x01\\xc3\\xa9\\x0a\""},
        {ONE_INPUT("name = \"\xC3(\";"),
            "t.conf:2: stems[0].inputs[0].name: " NAME_RULE ", found the string \"\\xc3(\""},
        {ONE_INPUT("name = \"I\"; gain = \"loud\";"),
            "t.conf:2: stems[0].inputs[0].gain: expected a number from -120 to 40 (dB), found the "
            "string \"loud\""},
        {ONE_INPUT("name = \"I\"; gain = 40.5;"), "t.conf:2: stems[0].inputs[0].gain: expected a "
                                                  "number from -120 to 40 (dB), found 40.5"},
        {ONE_INPUT("name = \"I\"; gian = 3;"),
            "t.conf:2: stems[0].inputs[0]: unknown setting \"gian\"; did you mean \"gain\"?"},
        {ONE_INPUT("name = \"I\"; polarity = \"reverse\";"),
            "t.conf:2: stems[0].inputs[0].polarity: expected \"normal\" or \"inverted\", found the "
            "string \"reverse\""},
        {ONE_INPUT("name = \"I\"; polarity = true;"),
            "t.conf:2: stems[0].inputs[0].polarity: expected a string, found true"},
        {ONE_INPUT("name = \"I\"; pan = 2;"),
            "t.conf:2: stems[0].inputs[0].pan: expected a number from -1 to 1 (left to right), "
            "found 2"},
        {ONE_INPUT("name = \"I\"; channels = 2; pan = 0.5;"),
            "t.conf:2: stems[0].inputs[0].pan: expected a mono input, found 2 channels"},
        {ONE_INPUT("name = \"I\"; channels = 2; channel = 1;"),
            "t.conf:2: stems[0].inputs[0].channel: expected a mono input, found 2 channels"},
        {ONE_INPUT("name = \"I\"; channel = 1; pan = 0;"),
            "t.conf:2: stems[0].inputs[0].channel: expected \"channel\" or \"pan\", found both"},
        {ONE_INPUT("name = \"I\"; channel = 3;"),
            "t.conf:2: stems[0].inputs[0].channel: expected a channel of the stem, from 1 to 2, "
            "found 3"},
        {ONE_INPUT("name = \"I\"; channels = 3;"),
            "t.conf:2: stems[0].inputs[0]: expected 1 channel or as many as the stem has (2), "
            "found 3"},
        {ONE_INPUT("name = \"I\"; channels = 2.0;"),
            "t.conf:2: stems[0].inputs[0].channels: expected a whole number from 1 to 8, found 2"},
        {ONE_INPUT("name = \"I\"; channels = 0;"),
            "t.conf:2: stems[0].inputs[0].channels: expected a whole number from 1 to 8, found 0"},
        {ONE_INPUT("name = \"I\"; from = [ \"c:1\", \"c:2\" ]; channels = 1;"),
            "t.conf:2: stems[0].inputs[0].channels: expected 2, as many as \"from\" names ports, "
            "found 1"},
        {"stems = ( { name = \"A\"; channels = 1; inputs = ( { name = \"I\"; pan = 0.0; } ); } );",
            "t.conf:1: stems[0].inputs[0].pan: expected a pan only in a stereo stem, found a stem "
            "of 1 channel"},
        {"stems = ( { name = \"A\"; inputs = ( 3, " INPUT " ); } );",
            "t.conf:1: stems[0].inputs[0]: expected a group: { … }, found 3"},
        {"stems = ( { name = \"A\"; inputs = { }; } );",
            "t.conf:1: stems[0].inputs: expected a list of groups: ( { … }, { … } ), found a "
            "group"},
    };
    CHECK_WRONG(CASES);
}

static void test_config_names_wrong_port_names_and_patterns(void **state)
{
    (void)state;
    static const struct wrong CASES[] = {
        {ONE_INPUT("name = \"I\"; from = [ ];"),
            "t.conf:2: stems[0].inputs[0].from: expected the name of one port per channel, found "
            "an empty array"},
        {ONE_INPUT("name = \"I\"; from = 3;"),
            "t.conf:2: stems[0].inputs[0].from: expected a string or a list of strings, found 3"},
        {ONE_INPUT("name = \"I\"; from = \"console\";"),
            "t.conf:2: stems[0].inputs[0].from: expected a port name such as \"client:port\", or a "
            "pattern between slashes, found the string \"console\""},
        {ONE_INPUT("name = \"I\"; from = [ \"c:1\",\n\"/c:[x/\"\n];"),
            "t.conf:3: stems[0].inputs[0].from[1]: expected a POSIX extended regular expression "
            "between the slashes (Unmatched [, [^, [:, [., or [=), found the string \"/c:[x/\""},
        {ONE_INPUT("name = \"I\"; from = \"/c:1)|c:2/\";"),
            "t.conf:2: stems[0].inputs[0].from: expected a POSIX extended regular expression "
            "between the slashes (Unmatched ) or \\)), found the string \"/c:1)|c:2/\""},
        {ONE_INPUT("name = \"I\"; from = \"/c:1\";"),
            "t.conf:2: stems[0].inputs[0].from: expected a pattern that ends with a slash too: "
            "\"/…/\", found the string \"/c:1\""},
        {ONE_INPUT("name = \"I\"; from = \"//\";"),
            "t.conf:2: stems[0].inputs[0].from: expected a pattern between the slashes, found the "
            "string \"//\""},
        {ONE_INPUT("name = \"I\"; from = \"c:\\x07\";"),
            "t.conf:2: stems[0].inputs[0].from: expected a port name in UTF-8 without control "
            "characters, found the string \"c:\\x07\""},
        {"stems = ( { name = \"A\"; channels = 8; inputs = ( { name = \"I\"; from = [ \"\", \"\", "
         "\"\", \"\", \"\", \"\", \"\", \"\", \"\" ]; } ); } );",
            "t.conf:1: stems[0].inputs[0].from: expected at most 8 ports, one per channel, found "
            "9"},
    };
    CHECK_WRONG(CASES);
}

#define SHARED "returns = ( { name = \"Plate\"; from = [ \"fx:l\", \"fx:r\" ]; } );\n"

static void test_config_names_wrong_returns(void **state)
{
    (void)state;
    static const struct wrong CASES[] = {
        {ONE_RETURN("use = \"Plate\";"),
            "t.conf:2: stems[0].returns[0].use: expected the name of a shared return, found the "
            "string \"Plate\"; there are no shared returns"},
        {SHARED ONE_RETURN("use = \"Plat\";"),
            "t.conf:3: stems[0].returns[0].use: expected the name of a shared return, found the "
            "string \"Plat\"; did you mean \"Plate\"?"},
        {SHARED ONE_RETURN("use = \"Plate\"; share = 5;"),
            "t.conf:3: stems[0].returns[0].share: expected a number from 0 to 4, found 5"},
        {SHARED ONE_RETURN("use = \"Plate\"; gain = 5; chare = 1;"),
            "t.conf:3: stems[0].returns[0].gain: expected only \"share\" beside \"use\", found "
            "\"gain\"; set it in the shared return\n"
            "t.conf:3: stems[0].returns[0]: unknown setting \"chare\"; did you mean \"share\"?"},
        {SHARED ONE_RETURN("use = \"Plate\"; share = 0.5; },\n{ use = \"Plate\"; share = 0.5;"),
            "t.conf:4: stems[0].returns[1].use: expected a shared return that the stem does not "
            "use yet, found the string \"Plate\""},
        {ONE_RETURN("share = 0.5;"),
            "t.conf:2: stems[0].returns[0]: expected \"name\" (a return of its own) or \"use\" (a "
            "shared one), found neither"},
        {SHARED "stems = ( { name = \"A\"; channels = 4;\nreturns = ( { use = \"Plate\"; } ); } );",
            "t.conf:3: stems[0].returns[0].use: expected 1 channel or as many as the stem has (4), "
            "found 2"},
        {"returns = ( { name = \"P\"; pan = 0.1; } );\n"
         "stems = ( { name = \"A\"; channels = 4;\nreturns = ( { use = \"P\"; } ); } );",
            "t.conf:3: stems[0].returns[0].use: expected a pan only in a stereo stem, found a stem "
            "of 4 channels"},
        {"returns = ( { name = \"P\"; }, { name = \"P\"; channels = 2; } );\n"
         "stems = ( { name = \"A\"; returns = ( { use = \"P\"; } ); } );",
            "t.conf:1: returns[1].name: expected a name of its own, found \"P\" as for returns[0] "
            "(t.conf:1)"},
        /* a wrong name does not make the one that uses it wrong too */
        {"returns = ( { name = \"a:b\"; } );\n" ONE_RETURN("use = \"a:b\";"),
            "t.conf:1: returns[0].name: " NAME_RULE ", found the string \"a:b\""},
        {"returns = 5; " STEMS,
            "t.conf:1: returns: expected a list of groups: ( { … }, { … } ), found 5"},
    };
    CHECK_WRONG(CASES);
}

static void test_config_names_wrong_stems_and_mixes(void **state)
{
    (void)state;
    static const char LEAST[] = "; the least is stems = ( { name = \"Drums\"; inputs = ( { name = "
                                "\"Kick\"; from = \"system:capture_1\"; } ); } );";
    char nothing[512], empty[512];
    snprintf(nothing, sizeof nothing,
        "t.conf:1: stems: expected a list of 1 to 256 stems, found nothing%s", LEAST);
    snprintf(empty, sizeof empty,
        "t.conf:2: stems: expected a list of 1 to 256 stems, found an empty list%s", LEAST);
    const struct wrong CASES[] = {
        {"", nothing},
        {"\nstems = ( );", empty},
        {"stems = { };",
            "t.conf:1: stems: expected a list of groups: ( { … }, { … } ), found a group"},
        {"stems = ( { inputs = ( " INPUT " ); } );",
            "t.conf:1: stems[0]: expected a \"name\", found none"},
        {"stems = ( { name = \"A\"; } );",
            "t.conf:1: stems[0]: expected at least one input or return, found none"},
        {"stems = ( { name = \"A\"; inputs = ( ); } );",
            "t.conf:1: stems[0]: expected at least one input or return, found none"},
        {"stems = ( { name = \"A\"; channels = 9; inputs = ( " INPUT " ); } );",
            "t.conf:1: stems[0].channels: expected a whole number from 1 to 8, found 9"},
        {"stems = ( { name = \"A\"; muted = 1; inputs = ( " INPUT " ); } );",
            "t.conf:1: stems[0].muted: expected true or false, found 1"},
        {"stems = ( { name = \"A\"; input = ( " INPUT " ); } );",
            "t.conf:1: stems[0]: expected at least one input or return, found none\n"
            "t.conf:1: stems[0]: unknown setting \"input\"; did you mean \"inputs\"?"},
        {"stems = ( { name = \"\xE9\xBC\x93\"; inputs = ( " INPUT " ); } );",
            "t.conf:1: stems[0].name: expected a name with a letter or digit from A to Z, 0 to 9 "
            "(file names are made from it), found the string \"\xE9\xBC\x93\""},
        {"stems = ( { name = \"Lead Vox\"; inputs = ( " INPUT " ); },\n"
         "{ name = \"lead-vox\"; inputs = ( " INPUT " ); } );",
            "t.conf:2: stems[1].name: expected a name that gives a file name of its own, found "
            "\"lead-vox\" beside \"Lead Vox\" (t.conf:1)"},
        {"mix = { }; stems = ( { name = \"mix\"; inputs = ( " INPUT " ); } );",
            "t.conf:1: stems[0].name: expected another name (the reference mix is recorded under "
            "this one), found the string \"mix\""},
        {"mix = { };\nstems = ( { name = \"A\"; channels = 4; inputs = ( " INPUT " ); } );",
            "t.conf:2: stems[0].channels: expected 1 channel or as many as the mix has (2), found "
            "4"},
        {"mix = { from = \"c:m\"; }; " STEMS,
            "t.conf:1: stems[0].channels: expected 1 channel or as many as the mix has (1), found "
            "2"},
        {"mix = \"c:m\"; " STEMS,
            "t.conf:1: mix: expected a group: { … }, found the string \"c:m\""},
        {"mix = { gain = 1; }; " STEMS, "t.conf:1: mix: unknown setting \"gain\""},
    };
    CHECK_WRONG(CASES);
}

static void test_config_names_ports_that_collide(void **state)
{
    (void)state;
    static const struct wrong CASES[] = {
        {"stems = ( { name = \"A\"; inputs = ( " INPUT ",\n" INPUT " ); } );",
            "t.conf:2: stems[0].inputs[1].name: expected a name of its own, found \"I\" as for "
            "stems[0].inputs[0] (t.conf:1)"},
        {"stems = ( { name = \"A\"; inputs = ( { name = \"K\"; channels = 2; } );\n"
         "returns = ( { name = \"K-L\"; } ); } );",
            "t.conf:2: stems[0].returns[0].name: expected port names of its own, found \"A/K-L\" "
            "as "
            "for stems[0].inputs[0] (t.conf:1)"},
        {"returns = ( { name = \"Mix-R\"; } );\nmix = { };\n"
         "stems = ( { name = \"A\"; returns = ( { use = \"Mix-R\"; } ); } );",
            "t.conf:2: mix: expected port names of its own, found \"Mix-R\" as for returns[0] "
            "(t.conf:1)"},
    };
    CHECK_WRONG(CASES);
}

static void test_config_reports_all_errors_at_once(void **state)
{
    (void)state;
    write_text("t.conf",
        "tape = 0;\n"
        "osc: { listen = \"x\"; };\n"
        "returns = ( { name = \"\"; } );\n"
        "stems = (\n"
        "  { name = \"A\"; inputs = ( { name = \"I\"; gain = 99; from = \"c\"; },\n"
        "    { name = \"J\"; channels = 3; } ); },\n"
        "  { name = \"a\"; inputs = ( { name = \"I\"; } ); }\n"
        ");\n"
        "frmat = 1;\n");
    assert_errors("t.conf",
        "t.conf:1: tape: expected a number from 1 to 3600 (seconds), found 0\n"
        "t.conf:2: osc.listen: expected \"udp://ADDRESS:PORT\" with a numeric address, or "
        "\"unix:///PATH\", found the string \"x\"\n"
        "t.conf:3: returns[0].name: " NAME_RULE ", found the string \"\"\n"
        "t.conf:5: stems[0].inputs[0].from: expected a port name such as \"client:port\", or a "
        "pattern between slashes, found the string \"c\"\n"
        "t.conf:5: stems[0].inputs[0].gain: expected a number from -120 to 40 (dB), found 99\n"
        "t.conf:9: unknown setting \"frmat\"; did you mean \"format\"?\n"
        "t.conf:7: stems[1].name: expected a name that gives a file name of its own, found \"a\" "
        "beside \"A\" (t.conf:5)\n"
        "t.conf:6: stems[0].inputs[1]: expected 1 channel or as many as the stem has (2), found 3");
}

static void test_config_names_the_line_of_a_syntax_error(void **state)
{
    (void)state;
    static const struct wrong CASES[] = {
        {"tape = 3;\nsync = ;\n", "t.conf:2: syntax error here, or just before"},
        {"tape = 3;\ntape = 4;\n", "t.conf:2: duplicate setting name"},
        {"x = [ 1, \"a\" ];\n", "t.conf:1: mismatched element type in array"},
        {"tape = 3;\nclient = \"x;\n\\\"\n",
            "t.conf:2: expected the end of the string that begins here, found the end of the "
            "file"},
        {"/* **\n\" // ",
            "t.conf:1: expected the end of the comment that begins here, found the end of the "
            "file"},
        {"\xEF\xBB\xBFtape = 3;\n",
            "t.conf:1: expected plain UTF-8, found a byte order mark at the start of the file"},
    };
    CHECK_WRONG(CASES);
}

/* Many */

static char *many(size_t stems, size_t inputs, const char *input)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fputs("stems = (", out);
    for (size_t s = 0; s < stems; s++) {
        fprintf(out, "%s\n{ name = \"S%zu\"; inputs = (", s ? "," : "", s);
        for (size_t i = 0; i < inputs; i++)
            fprintf(out, "%s { name = \"I%zu\"; %s }", i ? "," : "", i, input);
        fputs("); }", out);
    }
    fputs(");\n", out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void check_many(size_t stems, size_t inputs, const char *input, const char *errors)
{
    char *text = many(stems, inputs, input);
    struct stem_config *config = load_text(text);
    assert_messages(&fixture.errors, errors);
    assert_int_equal(config == NULL, errors[0] != '\0');
    stem_config_destroy(config);
    free(text);
}

static void test_config_bounds_stems_and_ports(void **state)
{
    (void)state;
    check_many(256, 1, "", "");
    check_many(257, 1, "", "t.conf:1: stems: expected a list of 1 to 256 stems, found 257");
    check_many(250, 4, "channels = 2;", "");
    check_many(1, 2001, "", "t.conf:1: stems: expected at most 2000 ports altogether, found 2001");
}

static void check_long_names(size_t stem, size_t input, const char *errors)
{
    char text[1024];
    char names[2][256];
    memset(names, 'x', sizeof names);
    names[0][stem] = names[1][input] = '\0';
    snprintf(text, sizeof text, "stems = ( { name = \"%s\"; inputs = ( { name = \"%s\"; } ); } );",
        names[0], names[1]);
    struct stem_config *config = load_text(text);
    if (errors)
        assert_non_null(strstr(fixture.errors.texts[0], errors));
    else
        assert_messages(&fixture.errors, "");
    assert_int_equal(config == NULL, errors != NULL);
    stem_config_destroy(config);
}

static void test_config_bounds_names(void **state)
{
    (void)state;
    check_long_names(100, 89, NULL);
    check_long_names(100, 90,
        "t.conf:1: stems[0].inputs[0].name: expected a port name of at most 190 bytes, found 191");
    check_long_names(101, 1, "t.conf:1: stems[0].name: " NAME_RULE);
}

/* Warnings */

static void test_config_warns_of_what_is_probably_not_meant(void **state)
{
    (void)state;
    static const struct wrong CASES[] = {
        {"returns = ( { name = \"P\"; },\n{ name = \"Hall\"; } );\n"
         "stems = ( { name = \"A\"; returns = ( { use = \"P\"; share = 0.5; } ); },\n"
         "{ name = \"B\"; returns = ( { use = \"P\"; share = 0.4; } ); } );",
            "t.conf:1: returns[0]: the shares of \"P\" add up to 0.9 instead of 1: the stems will "
            "not add up to the mix\n"
            "t.conf:2: returns[1]: no stem uses \"Hall\": it will be missing from the stems"},
        {"returns = ( { name = \"P\"; } ); stems = ( { name = \"A\"; returns = ( { use = \"P\"; "
         "share "
         "= 1.000002; } ); } );",
            "t.conf:1: returns[0]: the shares of \"P\" add up to 1.000002 instead of 1: the stems "
            "will not add up to the mix"},
        {"returns = ( { name = \"P\"; } ); stems = ( { name = \"A\"; returns = ( { use = \"P\"; "
         "share "
         "= 1.0000005; } ); } );",
            ""},
        {"returns = ( { name = \"P\"; } ); stems = (\n"
         "{ name = \"A\"; returns = ( { use = \"P\"; share = 0.1; } ); },\n"
         "{ name = \"B\"; returns = ( { use = \"P\"; share = 0.2; } ); },\n"
         "{ name = \"C\"; returns = ( { use = \"P\"; share = 0.7; } ); } );",
            ""},
        {ONE_INPUT("name = \"I\"; from = [ \"/c:.*/\", \"c:.*\" ];"),
            "t.conf:2: stems[0].inputs[0].from[1]: \"c:.*\" is taken as the exact name of a port; "
            "a "
            "pattern stands between slashes"},
    };
    for (size_t k = 0; k < sizeof CASES / sizeof *CASES; k++) {
        print_message("# case %zu\n", k);
        stem_config_destroy(must_load_text(CASES[k].text));
        assert_messages(&fixture.warnings, CASES[k].errors);
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

/* Names */

#define TWO_STEMS                                                                                  \
    "stems = ( { name = \"A\"; inputs = ( " INPUT " ); }, { name = \"B\"; inputs = ( " INPUT       \
    " ); } ); mix = { };"

static void test_config_names_wrong_templates(void **state)
{
    (void)state;
    static const struct wrong CASES[] = {
        {"\nnaming = \"delivry\"; " STEMS,
            "t.conf:2: naming: expected \"standard\" or \"delivery\", found the string "
            "\"delivry\"; did you mean \"delivery\"?"},
        {"naming = 1; " STEMS, "t.conf:1: naming: expected a string, found 1"},
        {"\n\nfolder_name = \"{titel}\"; " STEMS,
            "t.conf:3: folder_name: unknown placeholder \"{titel}\"; did you mean \"{title}\"?"},
        {"folder_name = \"{title}_{stem}\"; " STEMS,
            "t.conf:1: folder_name: expected what all files of a take have in common, found "
            "\"{stem}\", which is for \"file_name\""},
        {"file_name = \"{index}/{stem}\"; folder_name = \"..\"; " STEMS,
            "t.conf:1: folder_name: expected a letter, a digit or a placeholder first and last, "
            "found \"..\"\n"
            "t.conf:1: file_name: expected letters, digits, '_', '-', '.' and placeholders such as "
            "{stem}, found \"/{stem}\""},
        {"\nfile_name = \"{title}\"; " TWO_STEMS,
            "t.conf:2: file_name: expected a name of its own for every file, found "
            "\"Title.wav\" for \"A\" and for \"B\"; {index} or {stem} tells them apart"},
    };
    CHECK_WRONG(CASES);
}

static void test_config_templates_fit_all_stems(void **state)
{
    (void)state;
    char text[600], name[101];
    stem_config_destroy(must_load_text("file_name = \"{stem}\"; " TWO_STEMS));
    stem_config_destroy(must_load_text("file_name = \"{index}\"; " TWO_STEMS));
    stem_config_destroy(must_load_text("naming = \"delivery\"; " TWO_STEMS));
    stem_config_destroy(must_load_text("file_name = \"Stem\"; " STEMS)); /* there is one */
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(text, sizeof text,
        "\nfile_name = \"{stem}.{stem}.{stem}\"; stems = ( { name = \"%s\"; inputs = ( " INPUT
        " ); } );",
        name);
    write_text("t.conf", text);
    assert_null(load("t.conf"));
    assert_int_equal(fixture.errors.count, 1);
    assert_non_null(strstr(fixture.errors.texts[0],
        "t.conf:2: file_name: expected file names of at most 240 bytes, found a longer one for "
        "\"xxx"));
}

/* Where returns go */

static void test_config_names_wrong_choices_of_returns(void **state)
{
    (void)state;
    static const struct wrong CASES[] = {
        {"stems = ( { name = \"A\";\nwet = \"on\"; inputs = ( " INPUT " ); } );",
            "t.conf:2: stems[0].wet: expected \"in\", \"own\" or \"both\", found the string "
            "\"on\""},
        {"stems = ( { name = \"A\";\nwet = true; inputs = ( " INPUT " ); } );",
            "t.conf:2: stems[0].wet: expected a string, found true"},
        {"stems = ( { name = \"A\";\nwet = \"own\"; returns = ( " INPUT " ); } );",
            "t.conf:2: stems[0].wet: expected \"in\" or \"both\" for a stem that is made of "
            "returns "
            "alone, found the string \"own\""},
        {"\nmultitrack = 1; " STEMS, "t.conf:2: multitrack: expected true or false, found 1"},
        {"returns = ( { name = \"R\"; } ); stems = (\n"
         "{ name = \"A\"; wet = \"own\"; inputs = ( " INPUT
         " ); returns = ( { use = \"R\"; share = "
         "0.5; } ); },\n"
         "{ name = \"B\"; channels = 1; wet = \"own\"; inputs = ( " INPUT
         " ); returns = ( { use = \"R\"; share = 0.25; } ); },\n"
         "{ name = \"C\"; channels = 4; wet = \"own\"; inputs = ( " INPUT
         " ); returns = ( { use = \"R\"; share = 0.25; } ); } );",
            "t.conf:4: stems[2].wet: expected 1 channel or as many as the stem \"A\" has (2), "
            "found "
            "4: their parts of \"R\" become one file"},
    };
    CHECK_WRONG(CASES);
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
        TEST(test_config_names_wrong_settings_at_the_top),
        TEST(test_config_names_wrong_osc_settings),
        TEST(test_config_names_wrong_inputs),
        TEST(test_config_names_wrong_port_names_and_patterns),
        TEST(test_config_names_wrong_returns),
        TEST(test_config_names_wrong_stems_and_mixes),
        TEST(test_config_names_ports_that_collide),
        TEST(test_config_reports_all_errors_at_once),
        TEST(test_config_names_the_line_of_a_syntax_error),
        TEST(test_config_bounds_stems_and_ports),
        TEST(test_config_bounds_names),
        TEST(test_config_warns_of_what_is_probably_not_meant),
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
        TEST(test_config_names_wrong_choices_of_returns),
        TEST(test_config_names_wrong_templates),
        TEST(test_config_templates_fit_all_stems),
        TEST(test_config_survives_truncated_and_damaged_files),
        TEST(test_config_text_accepts_utf8_only),
        TEST(test_config_destroy_accepts_nothing),
    };
    return cmocka_run_group_tests(tests, set_up_folder, tear_down_folder);
}
