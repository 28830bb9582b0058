/* What is heard of an evening, held against itself and against what was asked. */
#include "random_evening.h"

#include <string.h>

static void hear_gap(const struct stem_event *event)
{
    const struct span gap = {
        evening.start + event->frame, event->frames, (event->reasons & STEM_GAP_OVERFLOW) != 0};
    for (size_t k = 0; k < evening.told_count && !gap.is_lost; k++) {
        const struct span *other = &evening.told[k];
        if (!other->is_lost && gap.frame < other->frame + other->frames &&
            other->frame < gap.frame + gap.frames)
            fail_msg("the gap at frame %llu was told twice", (unsigned long long)gap.frame);
    }
    assert_true(evening.told_count < MOST_SPANS);
    evening.told[evening.told_count++] = gap;
}

static void hear_start(const struct stem_event *event)
{
    if (evening.is_running)
        fail_msg("\"%s\" was begun within another take", event->text);
    evening.is_running = true;
    evening.start = event->frame;
}

static void note_ended(struct ended *list, size_t *count, const char *path, uint64_t end)
{
    assert_true(*count < MOST_ENDED);
    snprintf(list[*count].folder, PATH_BYTES, "%s", path);
    list[*count].end = end;
    list[(*count)++].ended_by = 0;
}

static void hear_end(uint64_t end)
{
    if (!evening.is_running)
        fail_msg("a take ended that was not begun");
    evening.is_running = false;
    evening.end = end;
}

/* A take ends at the frame asked for; but when it is asked for one that is written already, there.
 */
static void hear_asked_end(const struct asked *asked, uint64_t end)
{
    if (evening.end)
        evening.finished[evening.finished_count - 1].ended_by = (uint32_t)(asked - evening.asked);
    if (end < asked->frame || end > asked->given)
        fail_msg("a take ended at frame %llu, where %llu was asked for at %llu",
            (unsigned long long)end, (unsigned long long)asked->frame,
            (unsigned long long)asked->given);
}

static void hear_done(struct asked *asked, const char *text)
{
    asked->is_done = true;
    if (asked->type == STEM_COMMAND_START && evening.start != asked->frame)
        fail_msg("a take began at frame %llu instead of %llu", (unsigned long long)evening.start,
            (unsigned long long)asked->frame);
    if (asked->type == STEM_COMMAND_STOP)
        hear_asked_end(asked, evening.end);
    if (asked->type == STEM_COMMAND_SPLIT) {
        hear_asked_end(asked, evening.start);
        if (evening.end && evening.end != evening.start)
            fail_msg("%lld frames between two takes", (long long)(evening.start - evening.end));
    }
    if (asked->type == STEM_COMMAND_MARK)
        asked->told = strtoull(text, NULL, 10);
}

/* Only what makes no sense is refused, or what the disk does not allow. */
static void hear_refused(const struct asked *asked, const struct stem_event *event)
{
    const bool is_start = asked->type == STEM_COMMAND_START;
    const bool is_just = event->code == STEM_CODE_STATE ? is_start == evening.is_running
                                                        : evening.removals || evening.full_disks;
    if (!is_just)
        fail_msg("request %u was refused without a reason: %s", event->request, event->text);
}

static void hear_answer(const struct stem_event *event)
{
    assert_true(event->request < MOST_ASKED);
    struct asked *asked = &evening.asked[event->request];
    asked->answers++;
    if (event->kind == STEM_EVENT_DONE)
        hear_done(asked, event->text);
    else
        hear_refused(asked, event);
}

static void hear_event(const struct stem_event *event)
{
    const uint64_t end = evening.start + event->frames;
    if (evening.is_told && event->kind != STEM_EVENT_GAP)
        print_message("#   heard: %s\n", event->text);
    if (event->kind == STEM_EVENT_GAP)
        hear_gap(event);
    if (event->kind == STEM_EVENT_STARTED)
        hear_start(event);
    if (event->kind == STEM_EVENT_STARTED || event->kind == STEM_EVENT_CONTINUED)
        snprintf(evening.where, PATH_BYTES, "%s", event->text);
    if (event->kind == STEM_EVENT_CLOSED)
        note_ended(evening.closed, &evening.closed_count, event->text, 0);
    if (event->kind == STEM_EVENT_FINISHED) {
        note_ended(evening.finished, &evening.finished_count, event->text, end);
        hear_end(end);
    }
    if (event->kind == STEM_EVENT_BROKEN && strncmp(event->text, "no take", 7) != 0)
        hear_end(0);
    if (event->request)
        hear_answer(event);
}

void evening_listen(void)
{
    do {
        heard_count = 0;
        hear();
        for (size_t k = 0; k < heard_count; k++)
            hear_event(&heard[k]);
    } while (heard_count == MOST_EVENTS);
    heard_count = 0;
}
