/* Writing the effective configuration, every default spelt out, so that reading it gives the same.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

/* A libconfig string. Control characters are in none of ours; UTF-8 stands for itself. */
static void print_string(FILE *out, const char *value)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
        if (*c == '"' || *c == '\\')
            fputc('\\', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

/* The shortest form that reads back as the same number, and as a floating-point one. */
static void print_number(FILE *out, double value)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    char *comma = strchr(text, ','); /* some languages write one; the file's does not */
    if (comma)
        *comma = '.';
    fprintf(out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void print_strings(FILE *out, char *const *strings, size_t count)
{
    fputs("[", out);
    for (size_t k = 0; k < count; k++) {
        fputs(k ? ", " : " ", out);
        print_string(out, strings[k]);
    }
    fputs(" ]", out);
}

static void print_setting(FILE *out, const char *name, double value)
{
    fprintf(out, "%s = ", name);
    print_number(out, value);
    fputs("; ", out);
}

/* Where the ports are connected from; `channels` when all are patched by hand. */
static void print_sources(FILE *out, const struct stem_config_input *input)
{
    bool patched = false;
    for (uint32_t c = 0; c < input->channels; c++)
        patched = patched || input->from[c].from[0];
    if (!patched) {
        fprintf(out, "channels = %u; ", input->channels);
        return;
    }
    fputs("from = [", out);
    for (uint32_t c = 0; c < input->channels; c++) {
        fputs(c ? ", " : " ", out);
        print_string(out, input->from[c].from);
    }
    fputs(" ]; ", out);
}

/* Everything inside an input's braces but its name. */
static void print_input_settings(FILE *out, const struct stem_config_input *input)
{
    print_sources(out, input);
    print_setting(out, "gain", input->gain_db);
    fprintf(out, "polarity = \"%s\"; ", input->invert ? "inverted" : "normal");
    if (input->has_pan)
        print_setting(out, "pan", input->pan);
    if (input->channel)
        fprintf(out, "channel = %u; ", input->channel);
}

static void print_input(
    FILE *out, const char *indent, const struct stem_config_input *input, bool last)
{
    fprintf(out, "%s{ name = ", indent);
    print_string(out, input->name);
    fputs("; ", out);
    print_input_settings(out, input);
    fprintf(out, "}%s\n", last ? "" : ",");
}

static void print_send(
    FILE *out, const struct stem_config *config, const struct stem_config_send *send, bool last)
{
    const struct stem_config_input *input =
        send->is_shared ? &config->returns[send->shared] : &send->own;
    fprintf(out, "        { %s = ", send->is_shared ? "use" : "name");
    print_string(out, input->name);
    fputs("; ", out);
    print_setting(out, "share", send->share);
    if (!send->is_shared)
        print_input_settings(out, input);
    fprintf(out, "}%s\n", last ? "" : ",");
}

static const char *const WET[] = {
    [STEM_WET_IN] = "in", [STEM_WET_OWN] = "own", [STEM_WET_BOTH] = "both"};

static void print_stem(
    FILE *out, const struct stem_config *config, const struct stem_config_stem *stem, bool last)
{
    fputs("    { name = ", out);
    print_string(out, stem->name);
    fprintf(out, "; channels = %u; muted = %s; wet = \"%s\";\n", stem->channels,
        stem->muted ? "true" : "false", WET[stem->wet]);
    fputs("      inputs = (\n", out);
    for (size_t i = 0; i < stem->input_count; i++)
        print_input(out, "        ", &stem->inputs[i], i + 1 == stem->input_count);
    fputs("      );\n      returns = (\n", out);
    for (size_t r = 0; r < stem->return_count; r++)
        print_send(out, config, &stem->returns[r], r + 1 == stem->return_count);
    fprintf(out, "      ); }%s\n", last ? "" : ",");
}

static void print_top(FILE *out, const struct stem_config *config)
{
    static const double PAN_LAW[] = {0, -3, -4.5, -6};
    const struct {
        const char *name;
        double value;
    } NUMBERS[] = {{"tape", config->tape_seconds}, {"preroll", config->preroll_seconds},
        {"sync", config->sync_seconds}, {"headroom", config->headroom_db},
        {"server_wait", config->server_wait_seconds},
        {"disk_warning", config->disk_warning_seconds}, {"pan_law", PAN_LAW[config->pan_law]}};
    const struct {
        const char *name;
        const char *value;
    } STRINGS[] = {{"client", config->client}, {"server", config->server}, {"takes", config->takes},
        {"format", stem_container_name(config->container)},
        {"encoding", stem_encoding_name(config->encoding)}, {"naming", config->naming},
        {"folder_name", config->folder_name}, {"file_name", config->file_name},
        {"spare", config->spare}, {"mirror", config->mirror}, {"hook", config->hook},
        {"stop_lock", config->stop_lock}};
    for (size_t k = 0; k < sizeof STRINGS / sizeof *STRINGS; k++) {
        if (!STRINGS[k].value)
            continue;
        fprintf(out, "%s = ", STRINGS[k].name);
        print_string(out, STRINGS[k].value);
        fputs(";\n", out);
    }
    fprintf(out, "multitrack = %s;\n", config->multitrack ? "true" : "false");
    for (size_t k = 0; k < sizeof NUMBERS / sizeof *NUMBERS; k++) {
        fprintf(out, "%s = ", NUMBERS[k].name);
        print_number(out, NUMBERS[k].value);
        fputs(";\n", out);
    }
}

static void print_levels(FILE *out, const struct stem_config *config)
{
    fprintf(out, "recover = %s;\nfinish = %s;\n", config->recover ? "true" : "false",
        config->finish ? "true" : "false");
    fputs("threshold: { ", out);
    print_setting(out, "level", config->threshold.level_dbfs);
    print_setting(out, "hold", config->threshold.hold_seconds);
    fputs("};\ntail: { ", out);
    print_setting(out, "level", config->tail.level_dbfs);
    print_setting(out, "most", config->tail.most_seconds);
    fputs("};\n", out);
}

static void print_osc(FILE *out, const struct stem_config *config)
{
    fputs("osc: {\n    listen = ", out);
    print_strings(out, config->osc_listen, config->osc_listen_count);
    fputs(";\n    allow = ", out);
    print_strings(out, config->osc_allow, config->osc_allow_count);
    fputs(";\n    notify = ", out);
    print_strings(out, config->osc_notify, config->osc_notify_count);
    fputs(";\n};\n", out);
}

void stem_config_print(const struct stem_config *config, FILE *out)
{
    fputs("# The effective configuration of ", out);
    for (const unsigned char *c = (const unsigned char *)config->path; *c; c++)
        fputc(*c < 0x20 ? '?' : *c, out); /* a line end would end the comment */
    fputc('\n', out);
    print_top(out, config);
    print_levels(out, config);
    print_osc(out, config);
    fputs("returns = (\n", out);
    for (size_t r = 0; r < config->return_count; r++)
        print_input(out, "    ", &config->returns[r], r + 1 == config->return_count);
    fputs(");\nstems = (\n", out);
    for (size_t s = 0; s < config->stem_count; s++)
        print_stem(out, config, &config->stems[s], s + 1 == config->stem_count);
    fputs(");\n", out);
    if (!config->has_mix)
        return;
    fputs("mix = { ", out);
    print_sources(out, &config->mix);
    fputs("};\n", out);
}
