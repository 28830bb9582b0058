#include "health.h"

#include <stdio.h>

/* Parts of the tape. */
#define TAPE_YELLOW 0.25
#define TAPE_RED 0.6
/* Waiting for the disk: longer than any healthy disk takes; half of what the tape can bear. */
#define STALL_YELLOW_SECONDS 1.0
#define STALL_RED_PART 0.5
/* The disk: this much time is left for doing something. */
#define DISK_RED_SECONDS 60.0

const char *stem_grade_name(enum stem_grade grade)
{
    static const char *const NAMES[] = {"green", "yellow", "red"};
    return NAMES[grade];
}

static enum stem_grade grade_tape(const struct stem_health_facts *facts)
{
    if (facts->overflows > 0 || facts->tape_used >= TAPE_RED)
        return STEM_RED;
    return facts->tape_used >= TAPE_YELLOW || facts->tape_most_used >= TAPE_RED ? STEM_YELLOW
                                                                                : STEM_GREEN;
}

static enum stem_grade grade_writer(const struct stem_health_facts *facts)
{
    double most = STALL_RED_PART * facts->tape_seconds;
    if (facts->is_recording && facts->stalled_seconds >= most)
        return STEM_RED;
    if (facts->stalled_seconds >= STALL_YELLOW_SECONDS)
        return STEM_YELLOW;
    return facts->slowest_write >= most || facts->slowest_sync >= most ? STEM_YELLOW : STEM_GREEN;
}

static bool fills_up(const struct stem_health_facts *facts)
{
    return facts->disk_seconds >= 0 && facts->disk_seconds < facts->disk_warning;
}

static enum stem_grade grade_disk(const struct stem_health_facts *facts)
{
    bool is_known = facts->disk_seconds >= 0;
    if (facts->was_removed || (is_known && facts->disk_seconds < DISK_RED_SECONDS))
        return STEM_RED;
    return facts->was_moved || fills_up(facts) ? STEM_YELLOW : STEM_GREEN;
}

static enum stem_grade grade_server(const struct stem_health_facts *facts)
{
    if (facts->is_on_server && facts->has_answered)
        return STEM_GREEN;
    return facts->is_recording && !facts->is_on_server ? STEM_RED : STEM_YELLOW;
}

static bool mirror_fills_up(const struct stem_health_facts *facts)
{
    return facts->mirror_disk_seconds >= 0 && facts->mirror_disk_seconds < facts->disk_warning;
}

static enum stem_grade grade_mirror(const struct stem_health_facts *facts)
{
    bool lags =
        facts->mirror_stalled_seconds >= STALL_YELLOW_SECONDS || facts->mirror_overflows > 0;
    return facts->is_single || facts->mirror_was_moved || lags || mirror_fills_up(facts)
               ? STEM_YELLOW
               : STEM_GREEN;
}

static enum stem_grade worse(enum stem_grade a, enum stem_grade b)
{
    return a > b ? a : b;
}

struct stem_health stem_health_of(const struct stem_health_facts *facts)
{
    struct stem_health health = {
        .tape = grade_tape(facts),
        .writer = grade_writer(facts),
        .disk = grade_disk(facts),
        .server = grade_server(facts),
        .mirror = grade_mirror(facts),
    };
    health.worst = worse(worse(health.tape, health.writer), worse(health.disk, health.server));
    health.worst = worse(health.worst, health.mirror);
    return health;
}

bool stem_health_is_news(const struct stem_health *now, const struct stem_health *before)
{
    return now->worst != before->worst || now->tape > before->tape ||
           now->writer > before->writer || now->disk > before->disk ||
           now->server > before->server || now->mirror > before->mirror;
}

static void mirror_sentence(const struct stem_health_facts *facts, char *text, size_t size)
{
    if (facts->is_single)
        snprintf(text, size, "the take is in one of its two folders only");
    else if (facts->mirror_stalled_seconds >= STALL_YELLOW_SECONDS)
        snprintf(text, size, "the mirror's disk has been stalled for %.0f s",
            facts->mirror_stalled_seconds);
    else if (facts->mirror_overflows > 0)
        snprintf(text, size, "the mirror lost %llu frames, because its disk did not keep up",
            facts->mirror_overflows);
    else if (facts->mirror_was_moved)
        snprintf(text, size, "the mirror's files were moved or removed while the take ran");
    else
        snprintf(text, size, "the mirror's disk lasts %.0f s more", facts->mirror_disk_seconds);
}

void stem_health_sentence(const struct stem_health_facts *facts, const struct stem_health *health,
    char *text, size_t size)
{
    double left = facts->tape_seconds * (1 - facts->tape_used);
    text[0] = '\0';
    if (health->worst == STEM_GREEN)
        return;
    if (health->server == health->worst)
        snprintf(text, size, "%s",
            facts->is_on_server ? "JACK does not answer" : "there is no JACK server");
    else if (health->writer == health->worst && facts->stalled_seconds >= STALL_YELLOW_SECONDS)
        snprintf(text, size, "the disk has been stalled for %.0f s; the tape lasts %.0f s more",
            facts->stalled_seconds, left);
    else if (health->writer == health->worst)
        snprintf(text, size, "the disk is slow: a write took %.1f s, a sync %.1f s",
            facts->slowest_write, facts->slowest_sync);
    else if (health->tape == health->worst && facts->overflows > 0)
        snprintf(text, size, "%llu frames were lost because the tape was full", facts->overflows);
    else if (health->tape == health->worst)
        snprintf(text, size, "the disk does not keep up: the tape lasts %.0f s more", left);
    else if (health->disk == health->worst && facts->was_removed)
        snprintf(text, size, "the take's files were removed while it ran");
    else if (health->disk == health->worst && health->disk == STEM_YELLOW && !fills_up(facts))
        snprintf(text, size, "the take's files were moved while it ran");
    else if (health->disk == health->worst)
        snprintf(text, size, "the disk lasts %.0f s more", facts->disk_seconds);
    else
        mirror_sentence(facts, text, size);
}
