#include "show.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

/* Below this OSC means silence (see /stems). */
#define SILENCE_DBFS (-199.0)
/* A second's peak that leaves too little room, and the lowest one that a meter shows. */
#define HOT_DBFS (-3.0)
#define METER_FLOOR_DBFS (-60.0)
/* Time on the disk that should make somebody act. */
#define SHORT_DISK_SECONDS 3600.0
#define FULL_DISK_SECONDS 600.0
/* A residual beyond this is no rounding: something is not patched as the mix is. */
#define LOUD_RESIDUAL_DBFS (-80.0)
/* Part of the tape in use from which the disk is too slow for comfort. */
#define BUSY_TAPE 0.5

enum { BAR_COLUMNS = 22, METER_COLUMNS = 20, LINE_BYTES = 320 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static enum stemctl_style state_style(const char *state)
{
    return strcmp(state, "recording") == 0 || strcmp(state, "failed") == 0 ? STEMCTL_BAD
           : strcmp(state, "idle") == 0 || strcmp(state, "complete") == 0  ? STEMCTL_GOOD
                                                                           : STEMCTL_WARNING;
}

static void print_state(const struct stemctl_output *output, const json_t *status)
{
    const char *state = text_of(status, "state"), *message = text_of(status, "message");
    const char *folder = text_of(status, "folder");
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "%s%s", output->blocks ? "● " : "", state);
    bool running = strcmp(text_of(status, "jack"), "waiting") != 0;
    stemctl_print_line(output, "state", running ? state_style(state) : STEMCTL_WARNING, line);
    /* What it says of a take is said below in more detail. */
    if (!running || !*folder || !strstr(message, folder))
        stemctl_print_line(output, "", running ? STEMCTL_PLAIN : STEMCTL_WARNING, message);
}

static enum stemctl_style grade_style(const char *grade)
{
    return strcmp(grade, "red") == 0      ? STEMCTL_BAD
           : strcmp(grade, "yellow") == 0 ? STEMCTL_WARNING
                                          : STEMCTL_GOOD;
}

/* The worst grade, which part it comes from, and what to know about it. */
static void print_grade(const struct stemctl_output *output, const json_t *status)
{
    static const char *const PARTS[] = {"tape", "writer", "disk", "server", "mirror"};
    char line[LINE_BYTES], key[32];
    const char *worst = text_of(status, "health"), *message = text_of(status, "health_message");
    int used = snprintf(line, sizeof line, "%s", worst);
    for (size_t k = 0; k < sizeof PARTS / sizeof *PARTS; k++) {
        snprintf(key, sizeof key, "health_%s", PARTS[k]);
        if (strcmp(worst, "green") != 0 && strcmp(text_of(status, key), worst) == 0 &&
            used < (int)sizeof line)
            used += snprintf(line + used, sizeof line - (size_t)used, " %s", PARTS[k]);
    }
    if (*message && used < (int)sizeof line)
        snprintf(line + used, sizeof line - (size_t)used, ": %s", message);
    if (*worst)
        stemctl_print_line(output, "health", grade_style(worst), line);
}

static void print_mirror(const struct stemctl_output *output, const json_t *status)
{
    char line[LINE_BYTES], gaps[STEMCTL_NUMBER_BYTES];
    double lost = number_of(status, "mirror_gaps");
    if (!*text_of(status, "mirror"))
        return;
    stemctl_text_count(lost, "gap", gaps, sizeof gaps);
    snprintf(line, sizeof line, "%s (%s, %s)", text_of(status, "mirror"),
        text_of(status, "mirror_state"), gaps);
    stemctl_print_line(output, "mirror", lost > 0 ? STEMCTL_WARNING : STEMCTL_PLAIN, line);
}

/* What the finisher is at, and what waits for it. */
static void print_jobs(const struct stemctl_output *output, const json_t *status)
{
    char line[LINE_BYTES];
    double count = number_of(status, "finishing");
    if (count == 0)
        return;
    snprintf(line, sizeof line, "%.0f to do; %s, %.0f %%: %s", count,
        text_of(status, "finishing_step"), number_of(status, "finishing_percent"),
        text_of(status, "finishing_folder"));
    stemctl_print_line(output, "finishing", STEMCTL_PLAIN, line);
}

/* How far the mix is from the sum of the stems, in the last second. */
static void print_residual(const struct stemctl_output *output, const json_t *status)
{
    char line[LINE_BYTES];
    double peak = number_of(status, "residual_dbfs");
    if (!json_object_get(status, "residual_dbfs"))
        return;
    if (peak > SILENCE_DBFS)
        snprintf(line, sizeof line, "%.1f dBFS, %.1f dBFS RMS (mix minus stems, last second)", peak,
            number_of(status, "residual_rms_dbfs"));
    else
        snprintf(line, sizeof line, "silent (mix minus stems, last second)");
    stemctl_print_line(
        output, "residual", peak > LOUD_RESIDUAL_DBFS ? STEMCTL_WARNING : STEMCTL_PLAIN, line);
}

static void print_health(const struct stemctl_output *output, const json_t *status)
{
    char gaps[STEMCTL_NUMBER_BYTES], frames[STEMCTL_NUMBER_BYTES + 4] = "", line[LINE_BYTES];
    char xruns[STEMCTL_NUMBER_BYTES], clips[STEMCTL_NUMBER_BYTES];
    bool has_gaps = number_of(status, "gaps") > 0, has_clips = number_of(status, "clips") > 0;
    stemctl_text_count(number_of(status, "gaps"), "gap", gaps, sizeof gaps);
    stemctl_text_count(number_of(status, "xruns"), "xrun", xruns, sizeof xruns);
    stemctl_text_count(number_of(status, "clips"), "clipped sample", clips, sizeof clips);
    if (has_gaps)
        snprintf(frames, sizeof frames, " (%.0f frames)", number_of(status, "gap_frames"));
    snprintf(line, sizeof line, "%s%s, %s, %s", gaps, frames, xruns, clips);
    stemctl_print_line(output, "losses",
        has_gaps                         ? STEMCTL_BAD
        : has_clips                      ? STEMCTL_WARNING
        : number_of(status, "xruns") > 0 ? STEMCTL_WARNING
                                         : STEMCTL_GOOD,
        line);
}

static void print_take(const struct stemctl_output *output, const json_t *status)
{
    char length[STEMCTL_NUMBER_BYTES], tempo[STEMCTL_NUMBER_BYTES];
    bool idle = strcmp(text_of(status, "state"), "idle") == 0;
    stemctl_print_line(
        output, idle ? "last take" : "take", STEMCTL_STRONG, text_of(status, "folder"));
    if (*text_of(status, "title"))
        stemctl_print_line(output, "title", STEMCTL_PLAIN, text_of(status, "title"));
    snprintf(tempo, sizeof tempo, "%g bpm", number_of(status, "tempo"));
    if (number_of(status, "tempo") > 0)
        stemctl_print_line(output, "tempo", STEMCTL_PLAIN, tempo);
    if (*text_of(status, "key"))
        stemctl_print_line(output, "key", STEMCTL_PLAIN, text_of(status, "key"));
    stemctl_text_length(number_of(status, "seconds"), length, sizeof length);
    stemctl_print_line(output, "length", STEMCTL_STRONG, length);
    print_health(output, status);
}

static void print_server(const struct stemctl_output *output, const json_t *status)
{
    char line[LINE_BYTES];
    const char *jack = text_of(status, "jack"), *server = text_of(status, "server");
    double rate = number_of(status, "rate"), period = number_of(status, "period");
    if (rate > 0 && strcmp(jack, "waiting") != 0)
        snprintf(line, sizeof line, "%s (%s), %.0f Hz, %.0f frames per period (%.1f ms)", server,
            jack, rate, period, 1000 * period / rate);
    else
        snprintf(line, sizeof line, "%s (%s)", server, jack);
    stemctl_print_line(output, "server", STEMCTL_PLAIN, line);
    double stems = number_of(status, "stems");
    snprintf(line, sizeof line, "%.0f %s as %s", stems, stems == 1 ? "stem" : "stems",
        text_of(status, "format"));
    stemctl_print_line(output, "format", STEMCTL_PLAIN, line);
}

static void print_tape(const struct stemctl_output *output, const json_t *status)
{
    char bar[4 * BAR_COLUMNS], line[LINE_BYTES];
    double used = number_of(status, "tape_used");
    stemctl_text_bar(used, BAR_COLUMNS, output->blocks, bar, sizeof bar);
    snprintf(line, sizeof line, "%s %.1f %% of %.0f s used", bar, 100 * used,
        number_of(status, "tape_seconds"));
    stemctl_print_line(output, "tape", used > BUSY_TAPE ? STEMCTL_BAD : STEMCTL_PLAIN, line);
}

static void print_disk(const struct stemctl_output *output, const json_t *status)
{
    char free_bytes[STEMCTL_NUMBER_BYTES], left[STEMCTL_NUMBER_BYTES], line[LINE_BYTES];
    double bytes = number_of(status, "disk_free_bytes");
    double seconds = number_of(status, "disk_seconds");
    bool known = seconds > 0 || (bytes == 0 && number_of(status, "rate") > 0);
    stemctl_text_bytes(bytes, free_bytes, sizeof free_bytes);
    stemctl_text_rough_length(seconds, left, sizeof left);
    if (known)
        snprintf(line, sizeof line, "%s free, enough for %s", free_bytes, left);
    else
        snprintf(line, sizeof line, "%s", bytes > 0 ? free_bytes : "not known yet");
    stemctl_print_line(output, "disk",
        !known || seconds > SHORT_DISK_SECONDS ? STEMCTL_PLAIN
        : seconds > FULL_DISK_SECONDS          ? STEMCTL_WARNING
                                               : STEMCTL_BAD,
        line);
}

void stemctl_show_status(const struct stemctl_output *output, const char *url, const json_t *status)
{
    char line[LINE_BYTES];
    print_state(output, status);
    if (*text_of(status, "folder"))
        print_take(output, status);
    print_grade(output, status);
    print_server(output, status);
    print_tape(output, status);
    print_disk(output, status);
    print_mirror(output, status);
    print_residual(output, status);
    print_jobs(output, status);
    snprintf(line, sizeof line, "%s at %s", text_of(status, "version"), url);
    stemctl_print_line(output, "stemd", STEMCTL_PLAIN, line);
}

static void add_level(
    struct stemctl_table *table, const struct stemctl_output *output, const json_t *row)
{
    char meter[4 * METER_COLUMNS] = "";
    double peak = number_of(row, "peak_dbfs");
    enum stemctl_style style = peak >= 0         ? STEMCTL_BAD
                               : peak > HOT_DBFS ? STEMCTL_WARNING
                                                 : STEMCTL_GOOD;
    if (peak > SILENCE_DBFS)
        stemctl_table_add(table, style, "%.1f dBFS", peak);
    else
        stemctl_table_add(table, STEMCTL_FAINT, "silent");
    if (output->terminal)
        stemctl_text_bar(
            1 - peak / METER_FLOOR_DBFS, METER_COLUMNS, output->blocks, meter, sizeof meter);
    stemctl_table_add(table, style, "%s", meter);
}

void stemctl_show_stems(const struct stemctl_output *output, const json_t *array)
{
    static const struct stemctl_column COLUMNS[] = {{"#", true}, {"stem", false}, {"ch", true},
        {"connected", true}, {"peak (1 s)", true}, {"", false}, {"", false}};
    struct stemctl_table *table = stemctl_table_create(COLUMNS, 7);
    size_t index;
    json_t *row;
    json_array_foreach(array, index, row)
    {
        double ports = number_of(row, "ports"), connected = number_of(row, "connected");
        stemctl_table_add(table, STEMCTL_FAINT, "%02.0f", number_of(row, "number"));
        stemctl_table_add(table, STEMCTL_STRONG, "%s", text_of(row, "name"));
        stemctl_table_add(table, STEMCTL_PLAIN, "%.0f", number_of(row, "channels"));
        stemctl_table_add(table, connected < ports ? STEMCTL_WARNING : STEMCTL_PLAIN,
            "%.0f of %.0f", connected, ports);
        add_level(table, output, row);
        stemctl_table_add(table, STEMCTL_WARNING, "%s",
            json_is_true(json_object_get(row, "muted")) ? "muted" : "");
    }
    stemctl_table_print(table, stdout, output->colours);
    stemctl_table_destroy(table);
}

void stemctl_show_takes(const struct stemctl_output *output, const json_t *array)
{
    static const struct stemctl_column COLUMNS[] = {
        {"length", true}, {"gaps", true}, {"state", false}, {"title", false}, {"folder", false}};
    struct stemctl_table *table = stemctl_table_create(COLUMNS, 5);
    size_t index;
    json_t *row;
    json_array_foreach(array, index, row)
    {
        char length[STEMCTL_NUMBER_BYTES];
        double gaps = number_of(row, "gaps");
        stemctl_text_length(number_of(row, "seconds"), length, sizeof length);
        stemctl_table_add(table, STEMCTL_PLAIN, "%s", length);
        stemctl_table_add(table, gaps > 0 ? STEMCTL_WARNING : STEMCTL_PLAIN, "%.0f", gaps);
        stemctl_table_add(table, state_style(text_of(row, "state")), "%s", text_of(row, "state"));
        stemctl_table_add(table, STEMCTL_STRONG, "%s", text_of(row, "title"));
        stemctl_table_add(table, STEMCTL_PLAIN, "%s", text_of(row, "folder"));
    }
    if (json_array_size(array) > 0)
        stemctl_table_print(table, stdout, output->colours);
    else if (output->terminal)
        puts("no takes yet");
    stemctl_table_destroy(table);
}
