/* Work that falls into independent pieces, done by all processors that this process may use. For
 * computing beside the recorder, never inside it.
 */
#ifndef STEM_PARALLEL_H
#define STEM_PARALLEL_H

#include <stddef.h>

struct stem_parallel;

/* Does piece `k`. Called by any of the threads, for different pieces at the same time. */
typedef void stem_parallel_work(size_t k, void *data);

/* Threads for at most `pieces` pieces at a time. Never NULL for lack of threads: then the caller
 * does the work alone. NULL without memory. */
struct stem_parallel *stem_parallel_create(size_t pieces);

/* Ends and frees; NULL is allowed. */
void stem_parallel_destroy(struct stem_parallel *parallel);

/* Does pieces 0 … count - 1 and returns when all are done; the caller takes part. What the pieces
 * wrote is then visible to the caller. One caller at a time. */
void stem_parallel_run(
    struct stem_parallel *parallel, size_t count, stem_parallel_work *work, void *data);

#endif
