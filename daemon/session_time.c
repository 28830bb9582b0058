/* From points in time to frames.
 *
 * Somebody gives a moment of the wall clock. Control looks at that and at the server's clock, which
 * may run at another pace, some times a second; once it has looked after the moment, that is known
 * on the server's clock, and JACK's own times of the cycle in which it lies tell the frame. No
 * clock is read here: the frame depends on what control and the process thread wrote down, and is
 * the same for writer and mirror, and for all recorders on one server.
 */
#include "session_parts.h"

/* Control hurries when it looks at the clocks; so much room is left for that. */
enum { HURRY_PER_SECOND = 1000 };
/* A server whose cycles do not come to a moment that has long passed has no time to tell. */
enum { HOPELESS_NS = 2000000000 };

enum answer {
    KNOWN,
    LATER,
    NEVER,
};

static bool has_times(const struct stem_session *session)
{
    return session->with.cycle_times && session->with.wall_times;
}

static bool has_long_passed(const struct stem_session *session, int64_t when_ns)
{
    struct stem_wall_look last;
    return stem_wall_times_last(session->with.wall_times, &last) &&
           last.wall_ns - HOPELESS_NS > when_ns;
}

/* What the clocks say of a command's moment. */
static enum answer ask_clocks(
    const struct stem_session *session, struct stem_command *command, uint64_t *frame)
{
    int64_t server_ns;
    switch (stem_wall_times_find(
        session->with.wall_times, command->when_ns, &command->wall_looks, &server_ns)) {
    case STEM_WALL_TIME_FOUND:
        break;
    case STEM_WALL_TIME_AHEAD:
        return LATER;
    case STEM_WALL_TIME_LOST:
        return NEVER;
    }
    switch (stem_cycle_times_find(session->with.cycle_times, server_ns, frame)) {
    case STEM_CYCLE_TIME_FOUND:
        return KNOWN;
    case STEM_CYCLE_TIME_AHEAD:
        return has_long_passed(session, command->when_ns) ? NEVER : LATER;
    case STEM_CYCLE_TIME_LOST:
        break;
    }
    return NEVER;
}

bool session_frame_of(const struct stem_session *session, struct stem_command *command,
    uint64_t written, uint64_t *frame)
{
    enum answer answer = NEVER;
    if (command->when_ns && has_times(session))
        answer = ask_clocks(session, command, frame);
    if (answer == LATER)
        return false;
    if (answer == NEVER)
        *frame = command->frame;
    return written >= *frame;
}

/* JACK's cycles are on the tape before their time is over, and control may be late. */
uint64_t session_time_limit(const struct stem_session *session, uint64_t limit)
{
    const struct stem_command *next = session->scheduled;
    struct stem_wall_look last;
    uint64_t frame, room = session->with.rate_hz / HURRY_PER_SECOND;
    if (session->scheduled_count == 0 || !next->when_ns || !has_times(session) ||
        !stem_wall_times_last(session->with.wall_times, &last))
        return limit;
    int64_t server_ns = last.server_ns + (next->when_ns - last.wall_ns);
    if (stem_cycle_times_find(session->with.cycle_times, server_ns, &frame) !=
            STEM_CYCLE_TIME_FOUND ||
        frame >= limit + room)
        return limit;
    return frame > room ? frame - room : 0;
}
