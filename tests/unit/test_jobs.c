/* The queue of what is done after takes. A script stands for stemctl: as `recover` it tells of many
 * takes to finish, as `finish` it notes the folder, and ends when it may. */
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
        "for k in $(seq %d); do echo finish /old/$k >&3; done\n"
        "else echo $5 >>%s/noted; while [ ! -e %s/may_end ]; do sleep 0.01; done; fi\n",
        OLD_TAKES, folder, folder);
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

/* Until it finishes that folder. */
static void work_until(struct stem_jobs *jobs, const char *finishing)
{
    for (int k = 0; strcmp(figures_of(jobs).folder, finishing) != 0; k++) {
        struct pollfd fds[2];
        assert_true(k < 10000);
        poll(fds, (nfds_t)stem_jobs_pollfds(jobs, fds, 2), 100);
        stem_jobs_work(jobs);
    }
}

static void let_them_end(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s/may_end", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

/* What was finished: one old take, which was at work, the new ones in their order, an old one. */
static void check_noted(void)
{
    char path[256], line[64], expected[64];
    snprintf(path, sizeof path, "%s/noted", folder);
    FILE *noted = fopen(path, "r");
    assert_non_null(noted);
    for (int k = -1; k < NEW_TAKES; k++) {
        assert_non_null(fgets(line, sizeof line, noted));
        snprintf(expected, sizeof expected, k < 0 ? "/old/1\n" : "/new/%d\n", k);
        assert_string_equal(line, expected);
    }
    fclose(noted);
}

static void test_jobs_of_new_takes_go_before_many_old_ones(void **state)
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
    work_until(jobs, "/old/1");
    const size_t old = figures_of(jobs).count;
    assert_true(old > 100);
    for (int k = 0; k < NEW_TAKES; k++) {
        snprintf(take, sizeof take, "/new/%d", k);
        stem_jobs_finish(jobs, take, true);
    }
    assert_int_equal(figures_of(jobs).count, old + 2 * NEW_TAKES);
    let_them_end();
    work_until(jobs, "/old/2");
    check_noted();
    stem_jobs_destroy(jobs);
    stem_notify_destroy(notify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_jobs_of_new_takes_go_before_many_old_ones, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
