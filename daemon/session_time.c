/* From points in time to frames.
 *
 * Somebody gives a moment of the wall clock. It is brought to the server's clock, which may run at
 * another pace: the distance between the two is measured now and then while somebody waits, and
 * interpolated. The cycles' times then tell the frame, after the moment has passed; recorders on
 * one server find the same one.
 */
#include "session_parts.h"

#include <time.h>

enum { LOOKS = 256 };

/* Nanoseconds from the server's clock to the wall clock. Whatever comes between two readings makes
 * them further apart, as does a server's clock that tells whole microseconds: the least distance of
 * many is the truest. */
static int64_t distance_now(const struct stem_session *session, int64_t *wall_ns)
{
    int64_t least = INT64_MAX;
    for (int k = 0; k < LOOKS; k++) {
        struct timespec wall;
        int64_t server_ns = session->with.server_clock_ns();
        clock_gettime(CLOCK_REALTIME, &wall);
        *wall_ns = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec;
        least = *wall_ns - server_ns < least ? *wall_ns - server_ns : least;
    }
    return least;
}

static bool waits_for_time(const struct stem_session *session)
{
    return session->scheduled_count > 0 ||
           (session->state == STEM_STATE_ARMED && session->started_by.when_ns);
}

void session_look_at_clocks(struct stem_session *session)
{
    struct session_clocks *clocks = &session->clocks;
    if (!session->with.cycle_times || !session->with.server_clock_ns)
        return;
    if (!waits_for_time(session)) {
        clocks->is_known = false;
        return;
    }
    clocks->before = clocks->is_known ? clocks->now : (struct session_distance){0};
    clocks->now.distance_ns = distance_now(session, &clocks->now.wall_ns);
    if (!clocks->is_known)
        clocks->before = clocks->now;
    clocks->is_known = true;
}

/* The distance at a moment between the last two looks, or that of the nearer one. */
static int64_t distance_at(const struct session_clocks *clocks, int64_t when_ns)
{
    int64_t span = clocks->now.wall_ns - clocks->before.wall_ns;
    int64_t change = clocks->now.distance_ns - clocks->before.distance_ns;
    if (when_ns <= clocks->before.wall_ns || span <= 0)
        return clocks->before.distance_ns;
    double part = (double)(when_ns - clocks->before.wall_ns) / (double)span;
    return clocks->before.distance_ns + (int64_t)(part * (double)change);
}

/* Whether the cycles tell the frame of a moment, or never will; false while it may still come. */
static bool ask_cycles(
    const struct stem_session *session, const struct stem_command *command, uint64_t *frame)
{
    const struct session_clocks *clocks = &session->clocks;
    if (!clocks->is_known || clocks->now.wall_ns < command->when_ns)
        return false;
    int64_t server_ns = command->when_ns - distance_at(clocks, command->when_ns);
    return stem_cycle_times_find(session->with.cycle_times, server_ns, frame) !=
           STEM_CYCLE_TIME_AHEAD;
}

bool session_frame_of(const struct stem_session *session, const struct stem_command *command,
    uint64_t written, uint64_t *frame)
{
    *frame = command->frame;
    if (!command->when_ns || !session->with.cycle_times || !session->with.server_clock_ns)
        return written >= *frame;
    if (ask_cycles(session, command, frame))
        return written >= *frame;
    /* A server that stands, or runs away from the clock, keeps nobody waiting for ever. */
    return written >= command->frame + session->with.rate_hz;
}
