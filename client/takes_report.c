/* stemctl report FOLDER: where a take's page is; made first when it is missing. */
#include "finish.h"
#include "report.h"
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static enum stemctl_exit make_page(struct stemctl *ctl, const char *folder)
{
    struct stem_finish_report report;
    struct stem_error error = {""};
    struct stemctl_work work;
    stemctl_work_begin(&work, ctl, "finishing");
    int status = stem_finish_folder(folder, false, stemctl_work_step, &work, &report, &error);
    stemctl_work_end(&work);
    if (status)
        return stemctl_work_fail(&work, ctl, &error);
    stem_finish_report_finish(&report);
    return STEMCTL_OK;
}

/* The desktop knows which browser; what that prints is not ours. */
static enum stemctl_exit open_page(const struct stemctl *ctl, const char *page)
{
    char *command[] = {(char[]){"xdg-open"}, strdup(page), NULL};
    struct stem_error error;
    posix_spawn_file_actions_t quiet;
    int status = 0;
    pid_t child;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    int problem = posix_spawnp(&child, command[0], &quiet, NULL, command, environ);
    posix_spawn_file_actions_destroy(&quiet);
    free(command[1]);
    if (problem == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
        WEXITSTATUS(status) == 0)
        return STEMCTL_OK;
    stem_error_set(&error, "xdg-open %s", problem ? strerror(problem) : "could not open the page");
    return stemctl_fail(&ctl->output, STEMCTL_REFUSED, error.text);
}

enum stemctl_exit run_report(struct stemctl *ctl)
{
    struct stem_error error;
    char folder[PATH_MAX], page[PATH_MAX + sizeof STEM_REPORT_FILE + 1];
    if (!realpath(ctl->words[0], folder)) {
        stem_error_set_errno(&error, errno, "cannot open the folder \"%s\"", ctl->words[0]);
        return stemctl_fail(&ctl->output, STEMCTL_REFUSED, error.text);
    }
    snprintf(page, sizeof page, "%s/%s", folder, STEM_REPORT_FILE);
    enum stemctl_exit code = access(page, R_OK) == 0 ? STEMCTL_OK : make_page(ctl, folder);
    if (code != STEMCTL_OK)
        return code;
    if (ctl->output.json)
        stemctl_print_json(json_pack("{s:o}", "file", stemctl_json_text(page)));
    else
        stemctl_print_value(&ctl->output, STEMCTL_GOOD, "page:", page);
    return ctl->open ? open_page(ctl, page) : STEMCTL_OK;
}
