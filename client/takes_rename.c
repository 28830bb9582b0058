/* stemctl rename FOLDER TITLE. */
#include "finish.h"
#include "take_links.h"
#include "take_rename.h"
#include "work.h"

#include <limits.h>
#include <stdlib.h>

/* The page, README and sums tell the title and the files' names: they are made anew. */
static enum stemctl_exit finish_again(struct stemctl *ctl, const char *folder)
{
    struct stem_finish_report report;
    struct stem_error error = {""};
    struct stemctl_work work;
    stemctl_work_begin(&work, ctl, "finishing");
    int status = stem_finish_folder(folder, false, stemctl_work_step, &work, &report, &error);
    stemctl_work_end(&work);
    if (status) {
        struct stem_error told;
        stem_error_set(&told, "the take is \"%s\" now, but not finished: %s", folder, error.text);
        return stemctl_work_fail(&work, ctl, &told);
    }
    stem_finish_report_finish(&report);
    return STEMCTL_OK;
}

static enum stemctl_exit fail_links(
    struct stemctl *ctl, const char *folder, const struct stem_error *error)
{
    struct stem_error told;
    stem_error_set(&told, "the take is \"%s\" now, but another one still tells its old name: %s",
        folder, error->text);
    return stemctl_fail(&ctl->output, STEMCTL_REFUSED, told.text);
}

enum stemctl_exit run_rename(struct stemctl *ctl)
{
    struct stem_error error = {""};
    char folder[PATH_MAX], was[PATH_MAX];
    bool was_finished;
    if (!realpath(ctl->words[0], was))
        was[0] = '\0'; /* renaming tells why */
    if (stem_take_rename(
            ctl->words[0], ctl->words[1], folder, sizeof folder, &was_finished, &error))
        return stemctl_fail(&ctl->output, STEMCTL_REFUSED, error.text);
    /* before finishing, which may be interrupted: nobody else tells the others */
    bool is_told = stem_take_links_renew(was, folder, &error) == 0;
    enum stemctl_exit code = was_finished ? finish_again(ctl, folder) : STEMCTL_OK;
    if (code == STEMCTL_OK && !is_told)
        code = fail_links(ctl, folder, &error);
    if (code != STEMCTL_OK)
        return code;
    if (ctl->output.json)
        stemctl_print_json(json_pack("{s:o, s:o}", "folder", stemctl_json_text(folder), "title",
            stemctl_json_text(ctl->words[1])));
    else
        stemctl_print_value(&ctl->output, STEMCTL_GOOD, "renamed", folder);
    return STEMCTL_OK;
}
