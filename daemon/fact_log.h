/* The facts that may still matter: those on the tape, and the last one of each kind before it.
 * Clock, transport and tempo; gaps have a list of their own (gap_list.h). Writer thread.
 */
#ifndef STEMD_FACT_LOG_H
#define STEMD_FACT_LOG_H

#include "facts.h"
#include "tempo.h"

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty log. */
struct stem_fact_log {
    struct stem_fact *facts; /* ascending */
    size_t count;
    size_t room;
};

/* Appends a fact whose frame is not before the last one's. 0, or -1 without memory. */
int stem_fact_log_add(struct stem_fact_log *log, const struct stem_fact *fact);

/* Forgets facts before `frame`, but for the last one of each kind. */
void stem_fact_log_forget(struct stem_fact_log *log, uint64_t frame);

/* The last fact of a kind at or before `frame`; NULL when there is none. */
const struct stem_fact *stem_fact_log_last(
    const struct stem_fact_log *log, enum stem_fact_kind kind, uint64_t frame);

void stem_fact_log_finish(struct stem_fact_log *log);

/* A tempo fact as an entry of a tempo map, at the fact's own frame. */
struct stem_take_tempo stem_fact_tempo(const struct stem_fact *fact);

/* The same fact as seen at a later frame: clocks, rolling transports and bars have moved on. */
struct stem_fact stem_fact_at(const struct stem_fact *fact, uint64_t frame, uint32_t rate_hz);

#endif
