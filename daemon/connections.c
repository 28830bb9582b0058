#include "connections.h"

#include "log.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const char *name; /* exact name, or NULL for a pattern; borrowed */
    regex_t pattern;
};

/* What is refused that often is told. */
enum { TOLD_REFUSALS = 3 };

struct stem_connections {
    const struct stem_layout *layout;
    struct source *sources; /* one per port */
    uint32_t compiled;      /* how many sources were made */
    char **known;           /* output ports seen at the last update, sorted */
    size_t known_count;
    unsigned made;           /* connections of the update under way */
    unsigned rounds_refused; /* updates in a row in which something was refused */
};

static int compile(struct source *source, const char *from, struct stem_error *error)
{
    size_t length = strlen(from);
    if (length < 2 || from[0] != '/' || from[length - 1] != '/') {
        source->name = from;
        return 0;
    }
    char *text = malloc(length + 5);
    if (!text)
        return stem_error_set(error, "no memory for pattern %s", from);
    text[0] = '\0';
    strcat(text, "^(");
    strncat(text, from + 1, length - 2);
    strcat(text, ")$");
    int status = regcomp(&source->pattern, text, REG_EXTENDED | REG_NOSUB);
    if (status) {
        char reason[128];
        regerror(status, &source->pattern, reason, sizeof reason);
        stem_error_set(error, "pattern %s: %s", from, reason);
    }
    free(text);
    return status ? -1 : 0;
}

struct stem_connections *stem_connections_create(
    const struct stem_layout *layout, struct stem_error *error)
{
    struct stem_connections *connections = calloc(1, sizeof *connections);
    if (!connections) {
        stem_error_set(error, "no memory for the connections");
        return NULL;
    }
    connections->layout = layout;
    connections->sources = calloc(layout->port_count + 1, sizeof *connections->sources);
    for (uint32_t p = 0; connections->sources && p < layout->port_count; p++) {
        if (compile(&connections->sources[p], layout->ports[p].from, error))
            break;
        connections->compiled++;
    }
    if (connections->compiled == layout->port_count)
        return connections;
    stem_connections_destroy(connections);
    return NULL;
}

void stem_connections_forget(struct stem_connections *connections)
{
    for (size_t k = 0; k < connections->known_count; k++)
        free(connections->known[k]);
    free(connections->known);
    connections->known = NULL;
    connections->known_count = 0;
}

void stem_connections_destroy(struct stem_connections *connections)
{
    if (!connections)
        return;
    stem_connections_forget(connections);
    for (uint32_t p = 0; p < connections->compiled; p++)
        if (!connections->sources[p].name)
            regfree(&connections->sources[p].pattern);
    free(connections->sources);
    free(connections);
}

static bool matches(const struct source *source, const char *name)
{
    if (source->name)
        return strcmp(source->name, name) == 0;
    return regexec(&source->pattern, name, 0, NULL, 0) == 0;
}

/* Connects one output to all inputs that want it. False when that was refused; it may be possible
 * soon: the ports of a client that is not active yet can be seen, but not connected. */
static bool connect_port(
    struct stem_connections *connections, struct stem_jack *jack, const char *output)
{
    bool done = true;
    for (uint32_t p = 0; p < connections->layout->port_count; p++) {
        if (!matches(&connections->sources[p], output))
            continue;
        const char *input = jack_port_name(stem_jack_port(jack, p));
        int status = jack_connect(stem_jack_handle(jack), output, input);
        if (status == 0)
            connections->made++;
        if (status == 0 || status == EEXIST)
            continue;
        done = false;
        if (connections->rounds_refused == TOLD_REFUSALS)
            stem_log(STEM_LOG_WARNING, "cannot connect \"%s\" to \"%s\"", output, input);
    }
    return done;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_known(const struct stem_connections *connections, const char *output)
{
    return connections->known && bsearch(&output, connections->known, connections->known_count,
                                     sizeof *connections->known, compare_names);
}

void stem_connections_renew(struct stem_connections *connections, const char *port)
{
    char **found = connections->known ? bsearch(&port, connections->known, connections->known_count,
                                            sizeof *connections->known, compare_names)
                                      : NULL;
    if (!found)
        return;
    free(*found);
    connections->known_count--;
    memmove(found, found + 1,
        (size_t)(connections->known + connections->known_count - found) * sizeof *found);
}

/* Copies and sorts the names that are not empty; without memory everything is tried again. */
static void remember(struct stem_connections *connections, const char **names, size_t count)
{
    stem_connections_forget(connections);
    connections->known = calloc(count ? count : 1, sizeof *connections->known);
    for (size_t k = 0; connections->known && k < count; k++) {
        char *copy = names[k][0] ? strdup(names[k]) : NULL;
        if (copy)
            connections->known[connections->known_count++] = copy;
    }
    if (connections->known)
        qsort(connections->known, connections->known_count, sizeof *connections->known,
            compare_names);
}

bool stem_connections_update(
    struct stem_connections *connections, struct stem_jack *jack, unsigned *made)
{
    const char **outputs =
        jack_get_ports(stem_jack_handle(jack), NULL, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput);
    size_t count = 0;
    bool done = true;
    connections->made = 0;
    for (; outputs && outputs[count]; count++)
        if (!is_known(connections, outputs[count]) &&
            !connect_port(connections, jack, outputs[count])) {
            outputs[count] = ""; /* no port has that name: it will be tried again */
            done = false;
        }
    remember(connections, outputs, count);
    jack_free(outputs);
    connections->rounds_refused = done ? 0 : connections->rounds_refused + 1;
    *made = connections->made;
    return done;
}
