/* The queue of what is done after takes. A script stands for stemctl: as `recover` it tells of many
 * takes to finish, as `finish` it never comes to an end. */
#include "jobs.h"
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OLD_TAKES = 400, NEW_TAKES = 30 };

static char *folder;

static int set_up(void **state)
{
    (void)state;
    char path[256];
    folder = scratch_make();
    snprintf(path, sizeof path, "%s/stemctl", folder);
    FILE *script = fopen(path, "w");
    assert_non_null(script);
    fprintf(script,
        "#!/bin/sh\nif [ $1 = recover ]; then\n"
        "for k in $(seq %d); do echo finish /old/$k >&3; done\nelse sleep 1000; fi\n",
        OLD_TAKES);
    fclose(script);
    assert_int_equal(chmod(path, 0700), 0);
    snprintf(path, sizeof path, "%s:%s", folder, getenv("PATH"));
    setenv("PATH", path, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static struct stem_jobs_figures figures_of(const struct stem_jobs *jobs)
{
    struct stem_jobs_figures figures;
    stem_jobs_figures(jobs, &figures);
    return figures;
}

static void work_until_finishing(struct stem_jobs *jobs)
{
    for (int k = 0; strcmp(figures_of(jobs).folder, "/old/1") != 0; k++) {
        struct pollfd fds[2];
        assert_true(k < 10000);
        poll(fds, (nfds_t)stem_jobs_pollfds(jobs, fds, 2), 100);
        stem_jobs_work(jobs);
    }
}

static void test_jobs_have_room_for_new_takes_beside_many_old_ones(void **state)
{
    (void)state;
    struct stem_error error = {0};
    char hook[] = "true", take[32];
    const struct stem_config config = {.recover = true, .finish = true, .hook = hook};
    struct stem_notify *notify = stem_notify_create(NULL, NULL, 0, &error);
    struct stem_jobs *jobs = stem_jobs_create(&config, notify);
    assert_true(notify && jobs);
    stem_jobs_recover(jobs, folder);
    stem_jobs_work(jobs);
    work_until_finishing(jobs);
    const size_t old = figures_of(jobs).count;
    assert_true(old > 100);
    for (int k = 0; k < NEW_TAKES; k++) {
        snprintf(take, sizeof take, "/new/%d", k);
        stem_jobs_finish(jobs, take, true);
    }
    assert_int_equal(figures_of(jobs).count, old + 2 * NEW_TAKES);
    stem_jobs_destroy(jobs);
    stem_notify_destroy(notify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_jobs_have_room_for_new_takes_beside_many_old_ones, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
