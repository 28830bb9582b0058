/* From the text of a configuration to ports, tracks and routes, and what they sum to. */
#include "layout.h"
#include "unit.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { FRAMES = 600, RATE = 48000, MOST_PORTS = 32 };

static char *folder;
static struct stem_config *config;
static struct stem_layout *layout;

static void build(const char *text)
{
    struct stem_config_messages errors = {0}, warnings = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/stemd.conf", folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    config = stem_config_load(path, &errors, &warnings);
    if (!config)
        fail_msg("%s", errors.texts[0]);
    stem_config_messages_finish(&errors);
    stem_config_messages_finish(&warnings);
    layout = stem_layout_create(config);
    assert_non_null(layout);
}

static int set_up(void **state)
{
    (void)state;
    folder = scratch_make();
    config = NULL;
    layout = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stem_layout_destroy(layout);
    stem_config_destroy(config);
    scratch_remove(folder);
    return 0;
}

/* A console with everything in it. */
static const char CONSOLE[] =
    "returns = ( { name = \"Plate\"; from = [ \"fx:l\", \"fx:r\" ]; gain = 6.0; },\n"
    "  { name = \"Slap\"; from = \"fx:m\"; } );\n"
    "stems = (\n"
    " { name = \"Drums\"; inputs = (\n"
    "     { name = \"Kick\"; from = \"c:1\"; },\n"
    "     { name = \"Snare\"; from = \"c:2\"; pan = -0.25; gain = -3.5; polarity = \"inverted\"; "
    "},\n"
    "     { name = \"Overheads\"; from = [ \"c:3\", \"c:4\" ]; gain = 2.0; } );\n"
    "   returns = ( { name = \"Room\"; from = [ \"fx:5\", \"fx:6\" ]; share = 0.5; },\n"
    "     { use = \"Plate\"; share = 0.4; } ); },\n"
    " { name = \"Bass\"; channels = 1; muted = true; inputs = ( { name = \"DI\"; from = \"c:5\"; } "
    ");\n"
    "   returns = ( { use = \"Slap\"; share = 0.25; } ); },\n"
    " { name = \"Choir\"; inputs = (\n"
    "     { name = \"Pair\"; from = [ \"c:6\", \"c:7\" ]; },\n"
    "     { name = \"Solo\"; from = \"c:8\"; channel = 2; } ); },\n"
    " { name = \"Vocals\"; inputs = ( { name = \"Lead\"; from = \"c:9\"; pan = 0.5; } );\n"
    "   returns = ( { use = \"Plate\"; share = 0.6; }, { use = \"Slap\"; share = 0.75; } ); }\n"
    ");\n"
    "mix = { from = [ \"c:ml\", \"c:mr\" ]; };\n";

static void test_layout_ports_in_the_order_of_the_configuration(void **state)
{
    (void)state;
    static const char *const PORTS[][4] = {/* name, for people, group, from */
        {"Drums/Kick", "Kick", "Drums", "c:1"}, {"Drums/Snare", "Snare", "Drums", "c:2"},
        {"Drums/Overheads-L", "Overheads L", "Drums", "c:3"},
        {"Drums/Overheads-R", "Overheads R", "Drums", "c:4"},
        {"Drums/Room-L", "Room L", "Drums", "fx:5"}, {"Drums/Room-R", "Room R", "Drums", "fx:6"},
        {"Bass/DI", "DI", "Bass", "c:5"}, {"Choir/Pair-L", "Pair L", "Choir", "c:6"},
        {"Choir/Pair-R", "Pair R", "Choir", "c:7"}, {"Choir/Solo", "Solo", "Choir", "c:8"},
        {"Vocals/Lead", "Lead", "Vocals", "c:9"}, {"Plate-L", "Plate L", "Plate", "fx:l"},
        {"Plate-R", "Plate R", "Plate", "fx:r"}, {"Slap", "Slap", "Slap", "fx:m"},
        {"Mix-L", "Mix L", "Mix", "c:ml"}, {"Mix-R", "Mix R", "Mix", "c:mr"}};
    build(CONSOLE);
    assert_int_equal(layout->port_count, sizeof PORTS / sizeof *PORTS);
    for (uint32_t p = 0; p < layout->port_count; p++) {
        assert_string_equal(layout->ports[p].name, PORTS[p][0]);
        assert_string_equal(layout->ports[p].pretty, PORTS[p][1]);
        assert_string_equal(layout->ports[p].group, PORTS[p][2]);
        assert_string_equal(layout->ports[p].from, PORTS[p][3]);
    }
    assert_int_equal(layout->ports[0].line, 5); /* where the configuration says so */
}

static void test_layout_tracks_are_stems_then_the_mix(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned number;
        uint32_t channels;
        uint32_t inputs;
        bool muted;
    } TRACKS[] = {{"Drums", 1, 2, 5, false}, {"Bass", 2, 1, 2, true}, {"Choir", 3, 2, 2, false},
        {"Vocals", 4, 2, 3, false}, {"Mix", 0, 2, 1, false}};
    build(CONSOLE);
    assert_true(layout->has_mix);
    assert_int_equal(layout->track_count, 5);
    for (uint32_t t = 0; t < 5; t++) {
        assert_string_equal(layout->tracks[t].name, TRACKS[t].name);
        assert_int_equal(layout->tracks[t].number, TRACKS[t].number);
        assert_int_equal(layout->tracks[t].channels, TRACKS[t].channels);
        assert_int_equal(layout->channels[t], TRACKS[t].channels);
        assert_int_equal(layout->tracks[t].inputs, TRACKS[t].inputs);
        assert_int_equal(layout->tracks[t].muted, TRACKS[t].muted);
    }
}

static void test_layout_knows_which_port_feeds_which_track(void **state)
{
    (void)state;
    build(CONSOLE);
    assert_true(stem_layout_feeds(layout, 0, 0));
    assert_false(stem_layout_feeds(layout, 0, 1));
    assert_true(stem_layout_feeds(layout, 11, 0)); /* a shared return */
    assert_true(stem_layout_feeds(layout, 11, 3));
    assert_false(stem_layout_feeds(layout, 11, 2));
    assert_true(stem_layout_feeds(layout, 15, 4));
}

static void test_layout_without_a_mix(void **state)
{
    (void)state;
    build("stems = ( { name = \"A\"; inputs = ( { name = \"I\"; channels = 1; } ); } );");
    assert_false(layout->has_mix);
    assert_int_equal(layout->track_count, 1);
    assert_string_equal(layout->ports[0].from, ""); /* patched by hand */
}

/* How often a port is in a channel, all routes together. */
static double factor(uint32_t port, uint32_t track, uint32_t channel)
{
    double sum = 0;
    for (uint32_t r = 0; r < layout->route_count; r++)
        if (layout->routes[r].port == port && layout->routes[r].track == track &&
            layout->routes[r].channel == channel)
            sum += (double)layout->routes[r].gain;
    return sum;
}

static double db(double value)
{
    return pow(10, value / 20);
}

/* {port, track, channel, factor}, worked out by hand; everything else is 0. */
struct cell {
    uint32_t port;
    uint32_t track;
    uint32_t channel;
    double factor;
};

static double cell_factor(
    const struct cell *cells, size_t count, uint32_t port, uint32_t track, uint32_t channel)
{
    for (size_t k = 0; k < count; k++)
        if (cells[k].port == port && cells[k].track == track && cells[k].channel == channel)
            return cells[k].factor;
    return 0;
}

static void check_factors(const struct cell *cells, size_t count)
{
    for (uint32_t p = 0; p < layout->port_count; p++)
        for (uint32_t t = 0; t < layout->track_count; t++)
            for (uint32_t c = 0; c < layout->channels[t]; c++) {
                double wanted = cell_factor(cells, count, p, t, c);
                if (fabs(factor(p, t, c) - wanted) > fabs(wanted) * FLT_EPSILON)
                    fail_msg("%s in %s, channel %u: %.9g instead of %.9g", layout->ports[p].name,
                        layout->tracks[t].name, c, factor(p, t, c), wanted);
            }
}

static size_t console_cells(struct cell cells[64])
{
    const struct cell list[] = {
        {0, 0, 0, 1}, {0, 0, 1, 1},                        /* Kick, untouched */
        {1, 0, 0, -db(-3.5)}, {1, 0, 1, -db(-3.5) * 0.75}, /* Snare */
        {2, 0, 0, db(2)}, {3, 0, 1, db(2)},                /* Overheads */
        {4, 0, 0, 0.5}, {5, 0, 1, 0.5},                    /* Room */
        {6, 1, 0, 1},                                      /* DI */
        {7, 2, 0, 1}, {8, 2, 1, 1},                        /* Pair */
        {9, 2, 1, 1},                                      /* Solo */
        {10, 3, 0, 0.5}, {10, 3, 1, 1},                    /* Lead */
        {11, 0, 0, 0.4 * db(6)}, {12, 0, 1, 0.4 * db(6)},  /* Plate, two shares */
        {11, 3, 0, 0.6 * db(6)}, {12, 3, 1, 0.6 * db(6)}, {13, 1, 0, 0.25}, {13, 3, 0, 0.75},
        {13, 3, 1, 0.75},             /* Slap */
        {14, 4, 0, 1}, {15, 4, 1, 1}, /* Mix */
    };
    memcpy(cells, list, sizeof list);
    return sizeof list / sizeof *list;
}

static void test_layout_gains_pans_polarities_and_shares(void **state)
{
    (void)state;
    struct cell cells[64];
    build(CONSOLE);
    check_factors(cells, console_cells(cells));
}

static void test_layout_every_pan_law(void **state)
{
    (void)state;
    static const struct {
        const char *setting;
        double exponent;
    } LAWS[] = {{"-3.0", 1}, {"-4.5", 1.5}, {"-6.0", 2}};
    for (size_t k = 0; k < sizeof LAWS / sizeof *LAWS; k++) {
        char text[400];
        double angle = (0.3 + 1) * atan(1);
        snprintf(text, sizeof text,
            "pan_law = %s; stems = ( { name = \"A\"; inputs = ( { name = \"P\"; channels = 1; "
            "pan = 0.3; gain = -6.0; }, { name = \"C\"; channels = 1; } ); } );",
            LAWS[k].setting);
        build(text);
        const struct cell cells[] = {{0, 0, 0, db(-6) * pow(cos(angle), LAWS[k].exponent)},
            {0, 0, 1, db(-6) * pow(sin(angle), LAWS[k].exponent)}, {1, 0, 0, 1}, {1, 0, 1, 1}};
        check_factors(cells, 4);
        stem_layout_destroy(layout);
        stem_config_destroy(config);
        layout = NULL;
        config = NULL;
    }
}

/* Shares add up to 1: what the stems hold of a shared return is all of it, once. */
static void test_layout_shares_add_up_to_the_return(void **state)
{
    (void)state;
    build(CONSOLE);
    for (uint32_t c = 0; c < 2; c++) {
        double sum = 0;
        for (uint32_t t = 0; t < 4; t++)
            sum += c < layout->channels[t] ? factor(11 + c, t, c) : 0;
        assert_true(fabs(sum - db(6)) < 1e-6);
    }
}

static float noise[MOST_PORTS][FRAMES];
static float out[FRAMES * STEM_MIX_MAX_CHANNELS];

static void mix_track(struct stem_mix *mix, uint32_t track)
{
    const float *ports[MOST_PORTS];
    for (uint32_t p = 0; p < layout->port_count; p++)
        ports[p] = noise[p];
    const struct stem_tape_span span = {
        {out, out + 100 * layout->channels[track]}, {100, FRAMES - 100}};
    stem_mix_track_rt(mix, track, ports, &span);
}

/* No sum is further from the exact one than single precision explains: each of n products and sums
 * is off by half a step of at most the sum of magnitudes. */
static void check_sums(const struct cell *cells, size_t count, uint32_t track)
{
    uint32_t channels = layout->channels[track];
    for (uint32_t i = 0; i < FRAMES; i++)
        for (uint32_t c = 0; c < channels; c++) {
            double exact = 0, magnitude = 0;
            uint32_t terms = 0;
            for (uint32_t p = 0; p < layout->port_count; p++) {
                double product = cell_factor(cells, count, p, track, c) * (double)noise[p][i];
                exact += product;
                magnitude += fabs(product);
                terms += product != 0;
            }
            if (fabs((double)out[i * channels + c] - exact) > (terms + 1) * FLT_EPSILON * magnitude)
                fail_msg("%s, channel %u: %.9g instead of %.9g", layout->tracks[track].name, c,
                    (double)out[i * channels + c], exact);
        }
}

static void test_layout_sums_match_double_precision(void **state)
{
    (void)state;
    struct cell cells[64];
    struct stem_error error = {0};
    uint32_t seed = 77;
    build(CONSOLE);
    size_t count = console_cells(cells);
    for (int p = 0; p < MOST_PORTS; p++)
        for (int i = 0; i < FRAMES; i++)
            noise[p][i] = unit_noise(&seed);
    struct stem_mix *mix = stem_mix_create(layout->channels, layout->track_count,
        layout->port_count, layout->routes, layout->route_count, RATE, &error);
    assert_non_null(mix);
    for (uint32_t t = 0; t < layout->track_count; t++) {
        mix_track(mix, t);
        check_sums(cells, count, t);
    }
    stem_mix_destroy(mix);
}

static void test_layout_every_width(void **state)
{
    (void)state;
    for (uint32_t width = 1; width <= STEM_MIX_MAX_CHANNELS; width++) {
        char text[400];
        snprintf(text, sizeof text,
            "stems = ( { name = \"A\"; channels = %u; inputs = ( { name = \"W\"; channels = %u; }, "
            "{ name = \"M\"; channels = 1; }, { name = \"Last\"; channels = 1; channel = %u; } ); "
            "} );",
            width, width, width);
        build(text);
        assert_int_equal(layout->port_count, width + 2);
        if (width > 2)
            assert_string_equal(layout->ports[width - 1].name + strlen("A/W-"),
                ((const char[]){(char)('0' + width), '\0'}));
        for (uint32_t c = 0; c < width; c++) {
            for (uint32_t p = 0; p < width; p++)
                assert_true(factor(p, 0, c) == (p == c));
            assert_true(factor(width, 0, c) == 1); /* mono, to all */
            assert_true(factor(width + 1, 0, c) == (c == width - 1));
        }
        stem_layout_destroy(layout);
        stem_config_destroy(config);
        layout = NULL;
        config = NULL;
    }
}

/* Where returns go, and inputs as they are */

/* Two stems that choose differently; "%s" are the choices of Drums, Bass and Vocals, then settings.
 */
static void build_wet(const char *drums, const char *bass, const char *vocals, const char *settings)
{
    char text[1600];
    snprintf(text, sizeof text,
        "returns = ( { name = \"Plate\"; channels = 2; gain = -6.0; },\n"
        "  { name = \"Slap\"; channels = 1; polarity = \"inverted\"; } );\n"
        "stems = (\n"
        " { name = \"Drums\"; wet = \"%s\"; inputs = ( { name = \"Kick\"; gain = -3.0; } );\n"
        "   returns = ( { name = \"Room\"; channels = 1; pan = -0.5; share = 0.5; },\n"
        "     { use = \"Plate\"; share = 0.4; }, { use = \"Slap\"; share = 0.25; } ); },\n"
        " { name = \"Bass\"; channels = 1; wet = \"%s\"; inputs = ( { name = \"DI\"; } );\n"
        "   returns = ( { use = \"Slap\"; share = 0.5; } ); },\n"
        " { name = \"Vocals\"; wet = \"%s\"; inputs = ( { name = \"Lead\"; channels = 2; } );\n"
        "   returns = ( { use = \"Plate\"; share = 0.6; }, { use = \"Slap\"; share = 0.25; } ); }\n"
        ");\nmix = { }; %s\n",
        drums, bass, vocals, settings);
    build(text);
}

struct wanted_track {
    const char *name;
    unsigned number;
    enum stem_take_role role;
    bool in_sum;
    uint32_t channels;
    uint32_t inputs;
    const char *file;
};

static void check_tracks(const struct wanted_track *tracks, uint32_t count)
{
    const struct stem_naming_values values = {.take = 1};
    assert_int_equal(layout->track_count, count);
    for (uint32_t t = 0; t < count; t++) {
        char file[STEM_NAMING_BYTES];
        stem_layout_file_name(layout, t, config, &values, file);
        assert_string_equal(layout->tracks[t].name, tracks[t].name);
        assert_string_equal(file, tracks[t].file);
        assert_int_equal(layout->tracks[t].number, tracks[t].number);
        assert_int_equal(layout->tracks[t].role, tracks[t].role);
        assert_int_equal(layout->tracks[t].in_sum, tracks[t].in_sum);
        assert_int_equal(layout->tracks[t].channels, tracks[t].channels);
        assert_int_equal(layout->channels[t], tracks[t].channels);
        assert_int_equal(layout->tracks[t].inputs, tracks[t].inputs);
        assert_int_equal(stem_layout_is_extra(layout, t), !tracks[t].in_sum && t != count - 1);
        assert_int_equal(stem_layout_is_mix(layout, t), t == count - 1);
    }
}

/* Ports: 0 Kick, 1 Room, 2 DI, 3 4 Lead, 5 6 Plate, 7 Slap, 8 9 Mix. */
static void test_layout_returns_of_their_own(void **state)
{
    (void)state;
    static const struct wanted_track TRACKS[] = {
        {"Drums", 1, STEM_TAKE_STEM, true, 2, 1, "01_Drums.wav"},
        {"Bass", 2, STEM_TAKE_STEM, true, 1, 1, "02_Bass.wav"},
        {"Vocals", 3, STEM_TAKE_STEM, true, 2, 3, "03_Vocals.wav"},
        {"Drums Room", 4, STEM_TAKE_RETURN, true, 2, 1, "04_Drums-Room.wav"},
        {"Plate", 5, STEM_TAKE_RETURN, true, 2, 1, "05_Plate.wav"},
        {"Slap", 6, STEM_TAKE_RETURN, true, 2, 1, "06_Slap.wav"},
        {"Mix", 0, STEM_TAKE_STEM, false, 2, 1, "00_Mix.wav"},
    };
    build_wet("own", "own", "in", "");
    check_tracks(TRACKS, sizeof TRACKS / sizeof *TRACKS);
    const struct cell cells[] = {{0, 0, 0, db(-3)}, {0, 0, 1, db(-3)}, {2, 1, 0, 1}, {3, 2, 0, 1},
        {4, 2, 1, 1}, {5, 2, 0, 0.6 * db(-6)}, {6, 2, 1, 0.6 * db(-6)}, {7, 2, 0, -0.25},
        {7, 2, 1, -0.25}, {1, 3, 0, 0.5}, {1, 3, 1, 0.25}, {5, 4, 0, 0.4 * db(-6)},
        {6, 4, 1, 0.4 * db(-6)}, {7, 5, 0, -0.75}, {7, 5, 1, -0.75}, {8, 6, 0, 1}, {9, 6, 1, 1}};
    check_factors(cells, sizeof cells / sizeof *cells);
}

static void test_layout_returns_beside_the_sum(void **state)
{
    (void)state;
    static const struct wanted_track TRACKS[] = {
        {"Drums", 1, STEM_TAKE_STEM, true, 2, 4, "01_Drums.wav"},
        {"Bass", 2, STEM_TAKE_STEM, true, 1, 2, "02_Bass.wav"},
        {"Vocals", 3, STEM_TAKE_STEM, true, 2, 1, "03_Vocals.wav"},
        {"Plate", 4, STEM_TAKE_RETURN, true, 2, 1, "04_Plate.wav"},
        {"Slap", 5, STEM_TAKE_RETURN, true, 2, 1, "05_Slap.wav"},
        {"Drums Room", 1, STEM_TAKE_RETURN, false, 2, 1, "fx_01_Drums-Room.wav"},
        {"Plate", 2, STEM_TAKE_RETURN, false, 2, 1, "fx_02_Plate.wav"},
        {"Slap", 3, STEM_TAKE_RETURN, false, 2, 1, "fx_03_Slap.wav"},
        {"Mix", 0, STEM_TAKE_STEM, false, 2, 1, "00_Mix.wav"},
    };
    build_wet("both", "in", "own", "");
    check_tracks(TRACKS, sizeof TRACKS / sizeof *TRACKS);
    assert_true(fabs(factor(5, 6, 0) - 0.4 * db(-6)) < 1e-7);
    assert_true(fabs(factor(7, 7, 1) + 0.25) < 1e-7);
    assert_true(fabs(factor(7, 4, 0) + 0.25) < 1e-7);
}

static void test_layout_inputs_as_they_arrive(void **state)
{
    (void)state;
    static const struct wanted_track TRACKS[] = {
        {"Drums", 1, STEM_TAKE_STEM, true, 2, 4, "01_Drums.wav"},
        {"Bass", 2, STEM_TAKE_STEM, true, 1, 2, "02_Bass.wav"},
        {"Vocals", 3, STEM_TAKE_STEM, true, 2, 3, "03_Vocals.wav"},
        {"Drums Kick", 1, STEM_TAKE_INPUT, false, 1, 1, "in_01_Drums-Kick.wav"},
        {"Drums Room", 2, STEM_TAKE_INPUT, false, 1, 1, "in_02_Drums-Room.wav"},
        {"Bass DI", 3, STEM_TAKE_INPUT, false, 1, 1, "in_03_Bass-DI.wav"},
        {"Vocals Lead", 4, STEM_TAKE_INPUT, false, 2, 1, "in_04_Vocals-Lead.wav"},
        {"Plate", 5, STEM_TAKE_INPUT, false, 2, 1, "in_05_Plate.wav"},
        {"Slap", 6, STEM_TAKE_INPUT, false, 1, 1, "in_06_Slap.wav"},
        {"Mix", 0, STEM_TAKE_STEM, false, 2, 1, "00_Mix.wav"},
    };
    build_wet("in", "in", "in", "multitrack = true;");
    check_tracks(TRACKS, sizeof TRACKS / sizeof *TRACKS);
    static const uint32_t FIRST[] = {0, 1, 2, 3, 5, 7};
    for (uint32_t k = 0; k < 6; k++) /* untouched by gain, pan, polarity and share */
        for (uint32_t c = 0; c < layout->channels[3 + k]; c++)
            assert_true(factor(FIRST[k] + c, 3 + k, c) == 1);
}

/* Whatever the stems choose, each port is in the sum as it is with all returns in the stems. A mono
 * track counts to both channels. */
static void test_layout_choices_leave_the_sum_alone(void **state)
{
    (void)state;
    static const char *const WET[] = {"in", "own", "both"};
    double wanted[MOST_PORTS][2];
    for (int choice = 0; choice < 27; choice++) {
        build_wet(WET[choice % 3], WET[choice / 3 % 3], WET[choice / 9], "multitrack = true;");
        for (uint32_t p = 0; p + 2 < layout->port_count; p++)
            for (uint32_t c = 0; c < 2; c++) {
                double sum = 0;
                for (uint32_t t = 0; t < layout->track_count; t++)
                    if (layout->tracks[t].in_sum)
                        sum += factor(p, t, layout->channels[t] == 1 ? 0 : c);
                if (choice == 0)
                    wanted[p][c] = sum;
                if (fabs(sum - wanted[p][c]) > 1e-6)
                    fail_msg("choice %d, %s: %.9g instead of %.9g", choice, layout->ports[p].name,
                        sum, wanted[p][c]);
            }
        stem_layout_destroy(layout);
        stem_config_destroy(config);
        layout = NULL;
        config = NULL;
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_layout_ports_in_the_order_of_the_configuration),
        TEST(test_layout_tracks_are_stems_then_the_mix),
        TEST(test_layout_knows_which_port_feeds_which_track),
        TEST(test_layout_without_a_mix),
        TEST(test_layout_gains_pans_polarities_and_shares),
        TEST(test_layout_every_pan_law),
        TEST(test_layout_shares_add_up_to_the_return),
        TEST(test_layout_sums_match_double_precision),
        TEST(test_layout_every_width),
        TEST(test_layout_returns_of_their_own),
        TEST(test_layout_returns_beside_the_sum),
        TEST(test_layout_inputs_as_they_arrive),
        TEST(test_layout_choices_leave_the_sum_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
