/* The configuration: what is refused or warned of, and in which words. */
#include "config_texts.h"

#include <string.h>

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

#define TEST(name) cmocka_unit_test_teardown(name, forget_messages)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        TEST(test_config_names_wrong_choices_of_returns),
        TEST(test_config_names_wrong_templates),
        TEST(test_config_templates_fit_all_stems),
    };
    return cmocka_run_group_tests(tests, set_up_folder, tear_down_folder);
}
