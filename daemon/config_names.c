#include "config_names.h"

#include "layout.h"
#include "naming.h"
#include "naming_template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const struct {
    const char *name;
    const char *folder;
    const char *file;
} PRESETS[] = {
    {"standard", STEM_NAMING_FOLDER, STEM_NAMING_FILE},
    {"delivery", STEM_NAMING_DELIVERY_FOLDER, STEM_NAMING_DELIVERY_FILE},
};
enum { PRESET_COUNT = sizeof PRESETS / sizeof *PRESETS };

static void replace(struct config_reader *reader, char **field, const char *value)
{
    free(*field);
    *field = config_reader_copy(reader, value);
}

static void use_preset(struct config_reader *reader, struct stem_config *config, size_t preset)
{
    replace(reader, &config->naming, PRESETS[preset].name);
    replace(reader, &config->folder_name, PRESETS[preset].folder);
    replace(reader, &config->file_name, PRESETS[preset].file);
}

void config_default_names(struct config_reader *reader, struct stem_config *config)
{
    use_preset(reader, config, 0);
}

static void read_preset(struct group *top, struct stem_config *config)
{
    const char *name = group_string(top, "naming");
    const char *names[PRESET_COUNT];
    if (!name)
        return;
    for (size_t k = 0; k < PRESET_COUNT; k++) {
        names[k] = PRESETS[k].name;
        if (strcmp(name, names[k]) == 0) {
            use_preset(top->reader, config, k);
            return;
        }
    }
    const char *likely = stem_naming_suggest(name, names, PRESET_COUNT);
    config_error_at(top->reader, "naming",
        "expected \"standard\" or \"delivery\", found the string \"%s\"%s%s%s", name,
        likely ? "; did you mean \"" : "", likely ? likely : "", likely ? "\"?" : "");
}

/* A wrong template leaves the preset's. */
static void check_template(
    struct group *top, const char *name, const char *value, bool of_file, char **field)
{
    char problem[320];
    if (!value)
        return;
    if (stem_naming_template_check(value, of_file, problem, sizeof problem))
        replace(top->reader, field, value);
    else
        config_error_at(top->reader, name, "%s", problem);
}

void config_read_names(struct group *top, struct stem_config *config)
{
    read_preset(top, config);
    const char *folder = group_string(top, "folder_name");
    const char *file = group_string(top, "file_name");
    check_template(top, "folder_name", folder, false, &config->folder_name);
    check_template(top, "file_name", file, true, &config->file_name);
}

/* Where a wrong file name comes from: the template, or the preset that brought it. */
static const char *place_of_template(const struct config_reader *reader)
{
    return config_lookup(&reader->file, "file_name") ? "file_name" : "naming";
}

/* The names of a take's files, in order, at their longest but for the title, which is cut. */
static void make_names(const struct stem_config *config, const struct stem_layout *layout,
    char (*names)[STEM_NAMING_BYTES])
{
    static const struct tm SOME_DAY = {.tm_year = 126, .tm_mon = 10, .tm_mday = 20};
    const struct stem_naming_values values = {.when = &SOME_DAY,
        .title = "Title",
        .key = "C sharp minor",
        .tempo_bpm = 120.125,
        .rate_hz = 44100,
        .encoding = config->encoding,
        .take = 999};
    for (uint32_t t = 0; t < layout->track_count; t++)
        stem_layout_file_name(layout, t, config, &values, names[t]);
}

static void check_name(struct config_reader *reader, const struct stem_layout *layout, uint32_t t,
    char (*names)[STEM_NAMING_BYTES])
{
    const char *place = place_of_template(reader), *name = layout->tracks[t].name;
    if (strlen(names[t]) > STEM_NAMING_MOST_BYTES) {
        config_error_at(reader, place,
            "expected file names of at most %d bytes, found a longer one for \"%s\"",
            STEM_NAMING_MOST_BYTES, name);
        return;
    }
    for (uint32_t other = 0; other < t; other++)
        if (strcasecmp(names[t], names[other]) == 0) {
            config_error_at(reader, place,
                "expected a name of its own for every file, found \"%s\" for \"%s\" and for "
                "\"%s\"; {index} or {stem} tells them apart",
                names[t], layout->tracks[other].name, name);
            return;
        }
}

void config_check_names(struct config_reader *reader, const struct stem_config *config)
{
    struct stem_layout *layout = stem_layout_create(config);
    char(*names)[STEM_NAMING_BYTES] =
        config_reader_array(reader, layout ? layout->track_count : 0, sizeof *names);
    const size_t before = reader->errors->count;
    if (layout && names)
        make_names(config, layout, names);
    for (uint32_t t = 0; layout && names && t < layout->track_count; t++)
        if (reader->errors->count == before) /* one tells enough */
            check_name(reader, layout, t, names);
    reader->no_memory = reader->no_memory || !layout;
    free(names);
    stem_layout_destroy(layout);
}
