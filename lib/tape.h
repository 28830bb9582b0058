/* The tape: a circular, time-indexed buffer of every stem, addressed by absolute 64-bit frame.
 *
 * One producer (the process thread) writes blocks; any number of readers look at them, and up to
 * two of them hold: the writer, and a mirror's. A tape has `tracks` tracks (stems, and the mix
 * reference); each holds interleaved float samples of its own channel count. Frame F of a track
 * always lies at F mod capacity, so position is time and nothing can drift. A block is written for
 * all tracks or for none.
 *
 *     producer                              disk writer (the one who holds)
 *     reserve(frame, n)  false: drop it     begin = hold(frame)    nothing from begin on is lost
 *     span(track) … write                   written() … span(track) … read in place
 *     commit()                              hold(next)             … release()
 *
 * Holding: the producer never overwrites a frame at or after the held one that has been written.
 * When it would have to, reserve fails and the caller lists a gap. With nothing held the oldest
 * frames are overwritten. Of two holders the more advanced one counts, so that a stalled disk never
 * harms the other: the one that lags sees frames go, and must look with stem_tape_intact after it
 * has copied what it needs. Readers that do not hold (meters) look, then ask stem_tape_intact
 * whether what they saw was overwritten meanwhile.
 *
 * Memory order. `writing_end` (producer) and each `held` (its holder) form a Dekker pair and are
 * sequentially consistent: either the producer sees the new hold before it overwrites, or the
 * holder sees how far the producer has already reached and starts later. `written` is released
 * after the samples and acquired before they are read.
 */
#ifndef STEM_TAPE_H
#define STEM_TAPE_H

#include "error.h"
#include "rt.h"

#include <stdbool.h>
#include <stdint.h>

/* Value of the held frame when nothing is held. */
#define STEM_TAPE_NOTHING_HELD UINT64_MAX

struct stem_tape;

/* The readers that may hold. */
enum stem_tape_holder { STEM_TAPE_WRITER, STEM_TAPE_MIRROR };
enum { STEM_TAPE_HOLDERS = STEM_TAPE_MIRROR + 1 };

/* Up to two runs of interleaved samples (two when the range wraps); frames, not samples.
 * `frames[1]` is 0 when one run suffices. */
struct stem_tape_span {
    float *samples[2];
    uint32_t frames[2];
};

/* Creates a tape of `tracks` tracks, track t with channels[t] channels, each `capacity_frames`
 * long. All memory is touched. With `lock` it is also locked; when the system refuses that, the
 * tape is still made and `*locked` is false (`locked` may be NULL). Returns NULL and fills `error`
 * when there is no memory. Control thread. */
struct stem_tape *stem_tape_create(const uint32_t *channels, uint32_t tracks,
    uint64_t capacity_frames, bool lock, bool *locked, struct stem_error *error);

/* Frees the tape; NULL is allowed. No other thread may use it any more. */
void stem_tape_destroy(struct stem_tape *tape);

/* Size in frames, number of tracks, channels of a track. Constant; any thread. RT safe. */
uint64_t stem_tape_capacity(const struct stem_tape *tape) STEM_RT;
uint32_t stem_tape_tracks(const struct stem_tape *tape) STEM_RT;
uint32_t stem_tape_channels(const struct stem_tape *tape, uint32_t track) STEM_RT;
/* Bytes of sample memory. Any thread. */
uint64_t stem_tape_bytes(const struct stem_tape *tape);

/* Announces a block of `frames` frames from `frame` on. `frame` must not be smaller than the end of
 * the last committed block; frames left out in between are a gap that the caller lists. Returns
 * false when the block would overwrite held frames or is longer than the tape: nothing may be
 * written then. Producer only. RT safe. */
bool stem_tape_reserve_rt(struct stem_tape *tape, uint64_t frame, uint32_t frames) STEM_RT;

/* Whether a reserve of this block would succeed now. Producer only. RT safe. */
bool stem_tape_fits_rt(const struct stem_tape *tape, uint64_t frame, uint32_t frames) STEM_RT;

/* Whether the block would leave what any holder holds: for a producer that can wait. Producer only.
 * RT safe. */
bool stem_tape_fits_all_rt(const struct stem_tape *tape, uint64_t frame, uint32_t frames) STEM_RT;

/* Where `frames` frames of `track` from `frame` on live. For the producer: inside the reserved
 * block. For readers: inside [written - capacity, written). Any thread. RT safe. */
struct stem_tape_span stem_tape_span_rt(
    const struct stem_tape *tape, uint32_t track, uint64_t frame, uint32_t frames) STEM_RT;

/* Publishes the reserved block to all readers. `contiguous_from` is the frame after the last gap:
 * readers without a gap list must not look before it. Producer only. RT safe. */
void stem_tape_commit_rt(struct stem_tape *tape, uint64_t contiguous_from) STEM_RT;

/* End of the newest published block: every frame before it is on the tape, in a gap, or
 * overwritten. 0 before the first block. Any thread. RT safe. */
uint64_t stem_tape_written(const struct stem_tape *tape) STEM_RT;

/* First frame after the last gap (or after the very start). Any thread. */
uint64_t stem_tape_contiguous_from(const struct stem_tape *tape);

/* Oldest frame that a reader could still see whole now; never before the first one ever written.
 * Any thread. */
uint64_t stem_tape_oldest(const struct stem_tape *tape);

/* First frame that no published block has overwritten. A block that is announced may still be
 * refused: what it would overwrite is not lost yet, though stem_tape_intact says no. Any thread. */
uint64_t stem_tape_kept_from(const struct stem_tape *tape);

/* Holds everything from `frame` on. Returns the first frame that is really safe: `frame`, or a
 * later one when the producer had already overwritten it or began later. Call it again with later
 * frames while reading goes on. That holder only. */
uint64_t stem_tape_hold(struct stem_tape *tape, enum stem_tape_holder holder, uint64_t frame);

/* Holds nothing any more. That holder only. */
void stem_tape_release(struct stem_tape *tape, enum stem_tape_holder holder);

/* The held frame or STEM_TAPE_NOTHING_HELD. Any thread. */
uint64_t stem_tape_held(const struct stem_tape *tape, enum stem_tape_holder holder) STEM_RT;

/* True when no frame from `frame` on has been overwritten so far: what was read from there was
 * whole. Readers that do not hold; any thread. */
bool stem_tape_intact(const struct stem_tape *tape, uint64_t frame);

#endif
