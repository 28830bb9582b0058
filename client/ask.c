/* Asking the daemon, with its trouble told in one sentence. */
#include "stemctl.h"

/* Lists come as many datagrams, which a busy machine may lose. */
enum { ATTEMPTS = 3 };

enum stemctl_exit stemctl_ask(struct stemctl *ctl, const char *path, lo_message arguments,
    osc_data *on_data, void *data, struct osc_answer *answer)
{
    struct stem_error error;
    enum stemctl_exit code = STEMCTL_OK;
    if (!ctl->client)
        code = osc_client_open(ctl->url, &ctl->client, &error);
    if (code != STEMCTL_OK) {
        if (arguments)
            lo_message_free(arguments);
        return stemctl_fail(&ctl->output, code, error.text);
    }
    code = osc_client_ask(
        ctl->client, path, arguments, ctl->timeout_seconds, on_data, data, answer, &error);
    if (code != STEMCTL_OK)
        return stemctl_fail(&ctl->output, code, error.text);
    if (answer->code != 0)
        return stemctl_fail(&ctl->output, STEMCTL_REFUSED, answer->text);
    return STEMCTL_OK;
}

enum stemctl_exit stemctl_ask_list(struct stemctl *ctl, const char *path, osc_data *on_data,
    void (*forget)(void *data), void *data)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct osc_answer answer;
        forget(data);
        enum stemctl_exit code = stemctl_ask(ctl, path, NULL, on_data, data, &answer);
        if (code != STEMCTL_OK || !osc_answer_incomplete(&answer))
            return code;
    }
    return stemctl_fail(
        &ctl->output, STEMCTL_NO_ANSWER, "a part of the answer was lost on the way; try again");
}
