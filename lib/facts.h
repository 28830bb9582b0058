/* Facts: what the process callback noticed, each stamped with the frame it belongs to.
 *
 * Facts travel in a `struct stem_ring` from the process thread to the writer. A fact about frame F
 * is in the queue before the tape's written position passes F, so whoever sees a frame on the tape
 * can see every fact about it. Hardware xruns come from JACK's notification thread and travel in a
 * ring of their own.
 */
#ifndef STEM_FACTS_H
#define STEM_FACTS_H

#include <stdint.h>

enum { STEM_FACT_KINDS = 5 };
enum stem_fact_kind {
    STEM_FACT_GAP, /* `frames` frames from `frame` on were not delivered: silence on the timeline */
    STEM_FACT_XRUN,      /* the driver reported an xrun; the frame clock did not move */
    STEM_FACT_TRANSPORT, /* the transport started or stopped rolling, or was relocated */
    STEM_FACT_TEMPO,     /* tempo, meter or bar position changed (JackPositionBBT was valid) */
    STEM_FACT_CLOCK,     /* from `frame` on, JACK's 32-bit frame clock reads `jack_frame` */
};

/* Why frames are missing; a gap may have more than one reason. */
enum stem_gap_reason {
    STEM_GAP_SKIPPED = 1 << 0,   /* JACK did not call us for these frames */
    STEM_GAP_OVERFLOW = 1 << 1,  /* the tape was full: the disk stalled longer than the tape */
    STEM_GAP_SERVER = 1 << 2,    /* the JACK server was gone */
    STEM_GAP_CLOCK = 1 << 3,     /* the frame clock jumped backwards; the timeline goes on */
    STEM_GAP_RECOVERED = 1 << 4, /* the recorder died here: not every file has these frames */
};

struct stem_fact {
    enum stem_fact_kind kind;
    uint32_t reasons; /* STEM_FACT_GAP: bits of enum stem_gap_reason */
    uint64_t frame;   /* absolute JACK frame, extended to 64 bits */
    union {
        uint64_t gap_frames; /* STEM_FACT_GAP: length */
        double xrun_us;      /* STEM_FACT_XRUN: delay in microseconds */
        struct {
            uint64_t frame; /* transport frame that belongs to `frame` */
            uint32_t rolling;
        } transport;
        struct {
            double bpm; /* beats per minute as the timebase master gives it */
            double ticks_per_beat;
            double tick; /* at `frame`, from 0; the master's offset is taken out */
            float beats_per_bar;
            float beat_type;
            int32_t bar;  /* from 1 */
            int32_t beat; /* from 1 */
            uint32_t rolling;
        } tempo;
        uint32_t jack_frame; /* STEM_FACT_CLOCK */
    };
};

#endif
