#include "progress.h"

#include "text.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR_COLUMNS = 40, LEAST_BAR_COLUMNS = 4 };

/* Guesses of the time left before this many seconds are wild. */
#define FIRST_GUESS_SECONDS 2.0

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int terminal_columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void clear_line(void)
{
    fprintf(stderr, "\r%*s\r", terminal_columns() - 1, "");
}

void stemctl_progress_begin(struct stemctl_progress *progress, const char *label)
{
    const char *term = getenv("TERM");
    *progress = (struct stemctl_progress){
        .label = label,
        .shown = isatty(STDERR_FILENO),
        .blocks = term && *term && strcmp(term, "dumb") != 0 &&
                  strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .started = seconds_now(),
    };
    stemctl_progress_show(progress, 0);
}

void stemctl_progress_show(const struct stemctl_progress *progress, double done)
{
    char bar[8 * BAR_COLUMNS], left[STEMCTL_NUMBER_BYTES + 8] = "";
    if (!progress->shown)
        return;
    double spent = seconds_now() - progress->started;
    if (spent > FIRST_GUESS_SECONDS && done > 0 && done < 1) {
        char time[STEMCTL_NUMBER_BYTES];
        stemctl_text_rough_length(spent / done - spent, time, sizeof time);
        snprintf(left, sizeof left, ", %s left", time);
    }
    int room = terminal_columns() - (int)strlen(progress->label) - 28;
    int columns = room < BAR_COLUMNS ? room : BAR_COLUMNS;
    if (columns < LEAST_BAR_COLUMNS)
        columns = LEAST_BAR_COLUMNS;
    stemctl_text_bar(done, columns, progress->blocks, bar, sizeof bar);
    fprintf(stderr, "\r%s %s %3.0f %%%-20s", progress->label, bar, done * 100, left);
    fflush(stderr);
}

void stemctl_progress_end(struct stemctl_progress *progress)
{
    if (progress->shown)
        clear_line();
    progress->shown = false;
}
