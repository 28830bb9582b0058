#include "writers.h"

unsigned stem_writers_count(const struct stem_config *config)
{
    return config->mirror ? STEM_TAPE_HOLDERS : 1;
}

void stem_writers_destroy(struct stem_writers *writers)
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        stem_writer_destroy(writers->of[h]);
    *writers = (struct stem_writers){0};
}

bool stem_writers_send(struct stem_writers *writers, const struct stem_command *command)
{
    bool sent = true;
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        if (writers->of[h])
            sent = stem_writer_send(writers->of[h], command) && sent;
    return sent;
}

bool stem_writers_receive(struct stem_writers *writers, struct stem_event *event, bool *is_mirror)
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++) {
        *is_mirror = h == STEM_TAPE_MIRROR;
        if (writers->of[h] && stem_writer_receive(writers->of[h], event))
            return true;
    }
    return false;
}

void stem_writers_wake(struct stem_writers *writers)
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        if (writers->of[h])
            stem_writer_wake(writers->of[h]);
}

/* Whether a writer has a take open. */
static bool is_open(const struct stem_writer *writer)
{
    int state = writer
                    ? atomic_load_explicit(&stem_writer_status(writer)->state, memory_order_relaxed)
                    : (int)STEM_STATE_IDLE;
    return state == STEM_STATE_RECORDING || state == STEM_STATE_STOPPING;
}

bool stem_writers_recording(const struct stem_writers *writers)
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        if (is_open(writers->of[h]))
            return true;
    return false;
}

bool stem_writers_ended(const struct stem_writers *writers)
{
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        if (writers->of[h] && !atomic_load(&stem_writer_status(writers->of[h])->ended))
            return false;
    return true;
}

const struct stem_session_status *stem_writers_status(const struct stem_writers *writers)
{
    const struct stem_writer *writer = writers->of[STEM_TAPE_WRITER];
    const struct stem_writer *mirror = writers->of[STEM_TAPE_MIRROR];
    return stem_writer_status(!is_open(writer) && is_open(mirror) ? mirror : writer);
}

const struct stem_session_status *stem_writers_status_of(
    const struct stem_writers *writers, enum stem_tape_holder holder)
{
    return writers->of[holder] ? stem_writer_status(writers->of[holder]) : NULL;
}
