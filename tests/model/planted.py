"""Faults for faults.py: where, what is replaced by what, and the scenario and kind of the failure."""

import collections

Fault = collections.namedtuple("Fault", "name file scenario kind old new")

PROCESS, TAPE, TAPE_RT = "daemon/process.c", "lib/tape.c", "lib/tape_rt.c"
RING, READER = "lib/ring_rt.c", "tests/model/reader.c"

RESERVE = """\
    atomic_store(&tape->writing_end, frame + frames);
    if (may_write(tape, frame + frames))
        return true;
    atomic_store(&tape->writing_end, before);
    return false;
"""
HOLD = "    atomic_store(&tape->held[holder].frame, frame);\n    /* What"
LATE_HOLD = """\
    if (stem_tape_oldest(tape) <= frame) {
        atomic_store(&tape->held[holder].frame, frame);
        return frame;
    }
"""
MIX = "        mix_block(process, frame, frames);\n"
COMMIT = "        stem_tape_commit_rt(process->tape, process->contiguous_from);\n"
CLOSE = "    if (process->in_gap && !close_gap(process, frame))\n        return false;\n"

FAULTS = [
    # The tape's producer
    Fault("look, then announce", TAPE_RT, "first", "torn", RESERVE, """\
    (void)before;
    if (!may_write(tape, frame + frames))
        return false;
    atomic_store(&tape->writing_end, frame + frames);
    return true;
"""),
    Fault("refuse nothing", TAPE_RT, "first", "torn", RESERVE, """\
    (void)before;
    atomic_store(&tape->writing_end, frame + frames);
    return true;
"""),
    Fault("a refused announcement is not taken back", TAPE_RT, "mirror-stops", "stuck",
          "    atomic_store(&tape->writing_end, before);", "    (void)before;"),
    Fault("announce, not sequentially consistent", TAPE_RT, "first", "torn",
          "atomic_store(&tape->writing_end, frame + frames);",
          "atomic_store_explicit(&tape->writing_end, frame + frames, memory_order_release);"),
    Fault("look at holds, not sequentially consistent", TAPE_RT, "first", "torn",
          "return atomic_load(&tape->held[holder].frame);",
          "return atomic_load_explicit(&tape->held[holder].frame, memory_order_acquire);"),
    Fault("publish without release", TAPE_RT, "freewheel", "torn",
          "atomic_store_explicit(&tape->written, end, memory_order_release);",
          "atomic_store_explicit(&tape->written, end, memory_order_relaxed);"),
    Fault("look at what is published without acquire", TAPE_RT, "freewheel", "torn",
          "return atomic_load_explicit(&tape->written, memory_order_acquire);",
          "return atomic_load_explicit(&tape->written, memory_order_relaxed);"),
    Fault("one frame too many", TAPE_RT, "whole", "unfair",
          "end <= first + tape->capacity_frames;", "end <= first + tape->capacity_frames + 1;"),
    Fault("one frame too few", TAPE_RT, "whole", "needless",
          "end <= first + tape->capacity_frames;", "end < first + tape->capacity_frames;"),
    Fault("a hold of nothing yet counts", TAPE_RT, "whole", "needless",
          "return first >= written || end", "return (written, end)"),
    Fault("a gap is held like audio", TAPE_RT, "whole", "needless",
          "held < gap_end ? gap_end : held;", "held < gap_end ? held : held;"),
    Fault("the last gap begins where it ends", TAPE_RT, "whole", "needless",
          "tape->gap_begin = atomic_load_explicit(&tape->written, memory_order_relaxed);",
          "tape->gap_begin = contiguous_from;"),
    Fault("a hold is asked for twice", TAPE_RT, "mirror-again", "unfair",
          "if (leaves_held_frames(tape, held, end))",
          "if (leaves_held_frames(tape, stem_tape_held(tape, (enum stem_tape_holder)h), end))"),
    Fault("freewheel waits for one only", TAPE_RT, "mirror-freewheel", "lost",
          "    for (int h = 0; h < STEM_TAPE_HOLDERS; h++)\n        if (!leaves",
          "    for (int h = 0; h < 1; h++)\n        if (!leaves"),
    Fault("the tape begins at 0", TAPE_RT, "first", "torn",
          "atomic_store_explicit(&tape->first, frame, memory_order_relaxed);",
          "atomic_store_explicit(&tape->first, 0, memory_order_relaxed);"),
    Fault("the end of a gap is not told to meters", TAPE_RT, "meter", "glance",
          "atomic_store_explicit(&tape->contiguous_from, contiguous_from, memory_order_relaxed);",
          ";"),
    # The tape's readers
    Fault("hold without a look", TAPE, "first", "torn",
          "    if (oldest <= frame)\n        return frame;\n",
          "    if (oldest <= frame || frame < UINT64_MAX)\n        return frame;\n"),
    Fault("look, then hold", TAPE, "first", "torn", HOLD, LATE_HOLD + HOLD),
    Fault("a hold stays at what is gone", TAPE, "first", "needless",
          "    atomic_store(&tape->held[holder].frame, oldest);\n", ""),
    Fault("hold, not sequentially consistent", TAPE, "first", "torn", HOLD, HOLD.replace(
        "atomic_store(&tape->held[holder].frame, frame)",
        "atomic_store_explicit(&tape->held[holder].frame, frame, memory_order_release)")),
    Fault("a hold that moves on gives way", TAPE, "first", "torn",
          "    if (before <= frame)\n        return frame;\n", "    (void)before;\n"),
    Fault("a hold that moves back does not look", TAPE, "spare", "torn",
          "    if (before <= frame)\n        return frame;\n",
          "    if (before != STEM_TAPE_NOTHING_HELD)\n        return frame;\n"),
    Fault("let go before all is read", TAPE, "first", "torn",
          "    atomic_store(&tape->held[holder].frame, STEM_TAPE_NOTHING_HELD);\n}",
          "    atomic_store_explicit(\n        &tape->held[holder].frame, STEM_TAPE_NOTHING_HELD, "
          "memory_order_relaxed);\n}"),
    Fault("all is intact", TAPE, "meter", "glance",
          "return stem_tape_oldest(tape) <= frame;", "return frame < UINT64_MAX;"),
    Fault("intact by what is published", TAPE, "meter", "glance",
          "return stem_tape_oldest(tape) <= frame;", "return stem_tape_kept_from(tape) <= frame;"),
    Fault("the oldest frame is one too old", TAPE, "meter", "glance",
          "? end - tape->capacity_frames : first;", "? end - tape->capacity_frames - 1 : first;"),
    Fault("give up what is announced", TAPE, "mirror-stops", "lost",
          "return oldest_before(tape, stem_tape_written(tape));", "return stem_tape_oldest(tape);"),
    # The queue of facts
    Fault("push without release", RING, "freewheel", "torn",
          "atomic_store_explicit(&ring->head, head + 1, memory_order_release);",
          "atomic_store_explicit(&ring->head, head + 1, memory_order_relaxed);"),
    Fault("push without acquire", RING, "gaps", "torn",
          "atomic_load_explicit(&ring->tail, memory_order_acquire);",
          "atomic_load_explicit(&ring->tail, memory_order_relaxed);"),
    Fault("pop without release", RING, "gaps", "torn",
          "atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);",
          "atomic_store_explicit(&ring->tail, tail + 1, memory_order_relaxed);"),
    Fault("pop without acquire", RING, "freewheel", "torn",
          "atomic_load_explicit(&ring->head, memory_order_acquire);",
          "atomic_load_explicit(&ring->head, memory_order_relaxed);"),
    Fault("one message too many", RING, "gaps", "torn",
          "if (head - tail > ring->mask)", "if (head - tail > ring->mask + 1)"),
    # The process callback
    Fault("publish, then write", PROCESS, "freewheel", "torn", MIX + COMMIT, COMMIT + MIX),
    Fault("a gap that nobody heard of", PROCESS, "gaps", "unlisted", CLOSE,
          CLOSE.replace("return false", "process->in_gap = false")),
    Fault("a gap is told again", PROCESS, "gaps", "twice",
          "    process->in_gap = false;\n    process->contiguous_from",
          "    tell(process, &fact, frame);\n    process->in_gap = false;\n    process->contiguous_from"),
    Fault("a dropped block makes no gap", PROCESS, "writer", "unlisted",
          "        open_gap(process, frame, STEM_GAP_OVERFLOW);\n", "        ;\n"),
    Fault("who missed a fact is not told", PROCESS, "mirror-skips", "unlisted",
          "            atomic_store_explicit(&process->missed[h], end, memory_order_release);\n",
          "            (void)end;\n"),
    Fault("write whatever the answer", PROCESS, "first", "torn",
          "    return stem_tape_reserve_rt(process->tape, frame, frames);",
          "    stem_tape_reserve_rt(process->tape, frame, frames);\n    return true;"),
    # The readers' order
    Fault("facts, then frames", READER, "gaps", "unlisted", """\
    uint32_t written = (uint32_t)stem_tape_written(&the_tape);
    take_facts(reader);""", """\
    take_facts(reader);
    uint32_t written = (uint32_t)stem_tape_written(&the_tape);"""),
    Fault("a mirror does not ask what it lost", READER, "mirror-skips", "stuck",
          "if (scenario->mirror && pass_lost(reader))", "if (false && pass_lost(reader))"),
]
