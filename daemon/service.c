#include "service.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

/* Seconds beyond the tape that a watchdog must wait. */
enum { WATCHDOG_MARGIN = 30 };

void stem_service_ready(double tape_seconds)
{
    uint64_t set_us, least_us = (uint64_t)((tape_seconds + WATCHDOG_MARGIN) * 1e6);
    sd_notify(0, "READY=1");
    if (sd_watchdog_enabled(0, &set_us) > 0 && set_us < least_us)
        sd_notifyf(0, "WATCHDOG_USEC=%" PRIu64, least_us);
}

void stem_service_status(const char *text, bool alive)
{
    sd_notifyf(0, "STATUS=%s%s", text, alive ? "" : "; the disk writer is held up");
}

void stem_service_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void stem_service_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}
