#include "interrupt.h"

#include <sys/signalfd.h>
#include <unistd.h>

static void add_unless_ignored(sigset_t *set, int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        sigaddset(set, number);
}

void stemctl_interrupt_begin(struct stemctl_interrupt *interrupt)
{
    sigset_t set;
    sigemptyset(&set);
    add_unless_ignored(&set, SIGINT);
    add_unless_ignored(&set, SIGTERM);
    interrupt->happened = false;
    interrupt->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (interrupt->fd >= 0)
        sigprocmask(SIG_BLOCK, &set, &interrupt->before);
}

bool stemctl_interrupt_pending(struct stemctl_interrupt *interrupt)
{
    struct signalfd_siginfo info;
    if (interrupt->fd >= 0 && read(interrupt->fd, &info, sizeof info) == (ssize_t)sizeof info)
        interrupt->happened = true;
    return interrupt->happened;
}

void stemctl_interrupt_end(struct stemctl_interrupt *interrupt)
{
    if (interrupt->fd < 0)
        return;
    sigprocmask(SIG_SETMASK, &interrupt->before, NULL);
    close(interrupt->fd);
    interrupt->fd = -1;
}
