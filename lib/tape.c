/* Making a tape, and the calls of those who read it. See tape.h for the protocol. */
#include "tape_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* One mapping for all tracks; each starts on a page of its own, so that no two share a line. */
static uint64_t lay_out_tracks(struct stem_tape *tape, const uint32_t *channels)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t offset = 0;
    for (uint32_t t = 0; t < tape->tracks; t++) {
        tape->track[t].channels = channels[t];
        tape->track[t].samples = tape->samples ? tape->samples + offset / sizeof(float) : NULL;
        uint64_t bytes = tape->capacity_frames * channels[t] * sizeof(float);
        offset += (bytes + page - 1) / page * page;
    }
    return offset;
}

static bool map_samples(struct stem_tape *tape, const uint32_t *channels, struct stem_error *error)
{
    tape->sample_bytes = lay_out_tracks(tape, channels);
    void *memory =
        mmap(NULL, tape->sample_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        stem_error_set_errno(error, errno, "cannot get %.0f MB of memory for the tape",
            (double)tape->sample_bytes / 1e6);
        return false;
    }
    /* Each block touches a place in every track: with large pages those are found without walking
     * the page table. Where there are none, small ones do. */
    madvise(memory, tape->sample_bytes, MADV_HUGEPAGE);
    memset(memory, 0, tape->sample_bytes);
    tape->samples = memory;
    lay_out_tracks(tape, channels);
    return true;
}

struct stem_tape *stem_tape_create(const uint32_t *channels, uint32_t tracks,
    uint64_t capacity_frames, bool lock, bool *locked, struct stem_error *error)
{
    struct stem_tape *tape = aligned_alloc(alignof(struct stem_tape), sizeof *tape);
    if (!tape) {
        stem_error_set(error, "no memory for the tape");
        return NULL;
    }
    *tape = (struct stem_tape){.capacity_frames = capacity_frames, .tracks = tracks};
    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)
        atomic_store(&tape->held[h].frame, STEM_TAPE_NOTHING_HELD);
    tape->track = calloc(tracks ? tracks : 1, sizeof *tape->track);
    if (!tape->track) {
        stem_error_set(error, "no memory for the tape's tracks");
        goto fail;
    }
    if (tracks && capacity_frames && !map_samples(tape, channels, error))
        goto fail;
    bool is_locked = lock && (!tape->samples || mlock(tape->samples, tape->sample_bytes) == 0);
    if (locked)
        *locked = is_locked;
    return tape;
fail:
    stem_tape_destroy(tape);
    return NULL;
}

void stem_tape_destroy(struct stem_tape *tape)
{
    if (!tape)
        return;
    if (tape->samples)
        munmap(tape->samples, tape->sample_bytes);
    free(tape->track);
    free(tape);
}

uint64_t stem_tape_bytes(const struct stem_tape *tape)
{
    return tape->sample_bytes;
}

uint64_t stem_tape_contiguous_from(const struct stem_tape *tape)
{
    return atomic_load_explicit(&tape->contiguous_from, memory_order_relaxed);
}

static uint64_t oldest_before(const struct stem_tape *tape, uint64_t end)
{
    uint64_t first = atomic_load_explicit(&tape->first, memory_order_relaxed);
    return end > first + tape->capacity_frames ? end - tape->capacity_frames : first;
}

uint64_t stem_tape_oldest(const struct stem_tape *tape)
{
    return oldest_before(tape, atomic_load(&tape->writing_end));
}

uint64_t stem_tape_kept_from(const struct stem_tape *tape)
{
    return oldest_before(tape, stem_tape_written(tape));
}

uint64_t stem_tape_hold(struct stem_tape *tape, enum stem_tape_holder holder, uint64_t frame)
{
    uint64_t before = atomic_load_explicit(&tape->held[holder].frame, memory_order_relaxed);
    /* Hold first, then look how far the producer has announced: it does it the other way round. */
    atomic_store(&tape->held[holder].frame, frame);
    /* What was held already is safe. The producer may have announced a block that it is not allowed
     * to write; to give way to that would be to allow it. */
    if (before <= frame)
        return frame;
    uint64_t oldest = stem_tape_oldest(tape);
    if (oldest <= frame)
        return frame;
    atomic_store(&tape->held[holder].frame, oldest);
    return oldest;
}

void stem_tape_release(struct stem_tape *tape, enum stem_tape_holder holder)
{
    atomic_store(&tape->held[holder].frame, STEM_TAPE_NOTHING_HELD);
}

bool stem_tape_intact(const struct stem_tape *tape, uint64_t frame)
{
    atomic_thread_fence(memory_order_acquire);
    return stem_tape_oldest(tape) <= frame;
}
