/* The configuration as plain data: freeing it, and finding its file. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef STEMD_SYSCONFDIR
#define STEMD_SYSCONFDIR "/etc"
#endif

static void free_input(struct stem_config_input *input)
{
    for (uint32_t c = 0; input->from && c < input->channels; c++)
        free(input->from[c].from);
    free(input->from);
    free(input->name);
}

static void free_strings(char **strings, size_t count)
{
    for (size_t k = 0; k < count; k++)
        free(strings[k]);
    free(strings);
}

static void free_stem(struct stem_config_stem *stem)
{
    for (size_t i = 0; i < stem->input_count; i++)
        free_input(&stem->inputs[i]);
    for (size_t r = 0; r < stem->return_count; r++)
        free_input(&stem->returns[r].own);
    free(stem->inputs);
    free(stem->returns);
    free(stem->name);
}

void stem_config_destroy(struct stem_config *config)
{
    if (!config)
        return;
    for (size_t s = 0; s < config->stem_count; s++)
        free_stem(&config->stems[s]);
    for (size_t r = 0; r < config->return_count; r++)
        free_input(&config->returns[r]);
    free_input(&config->mix);
    free_strings(config->osc_listen, config->osc_listen_count);
    free_strings(config->osc_allow, config->osc_allow_count);
    free_strings(config->osc_notify, config->osc_notify_count);
    free(config->stems);
    free(config->returns);
    free(config->path);
    free(config->client);
    free(config->server);
    free(config->takes);
    free(config->spare);
    free(config->mirror);
    free(config->naming);
    free(config->folder_name);
    free(config->file_name);
    free(config->hook);
    free(config->stop_lock);
    free(config);
}

/* The file of the person who runs us; "" when there is no home. Relative paths in the environment
 * are ignored, as the XDG Base Directory Specification says. */
static void own_path(char *path, size_t size)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    path[0] = '\0';
    if (base && base[0] == '/')
        snprintf(path, size, "%s/stemd/stemd.conf", base);
    else if (home && home[0] == '/')
        snprintf(path, size, "%s/.config/stemd/stemd.conf", home);
}

bool stem_config_find(char *path, size_t size)
{
    static const char BUILT[] = STEMD_SYSCONFDIR "/stemd/stemd.conf",
                      ETC[] = "/etc/stemd/stemd.conf";
    char own[4096];
    own_path(own, sizeof own);
    const char *const places[] = {own, BUILT, strcmp(BUILT, ETC) == 0 ? "" : ETC};
    size_t used = 0;
    for (size_t k = 0; k < 3; k++)
        if (places[k][0] && access(places[k], F_OK) == 0) {
            snprintf(path, size, "%s", places[k]);
            return true;
        }
    for (size_t k = 0; k < 3; k++)
        if (places[k][0] && used < size)
            used +=
                (size_t)snprintf(path + used, size - used, "%s%s", used ? " or " : "", places[k]);
    return false;
}
