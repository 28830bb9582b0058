/* Takes that are to be finished: the recorder notes it in their folder when it makes it, and the
 * finisher removes the note when it is done. So a take that nobody came to finish, because recorder
 * or finisher ended, is found again.
 */
#ifndef STEM_FINISH_WANTED_H
#define STEM_FINISH_WANTED_H

#include <stdbool.h>

/* Notes it. A folder that cannot hold the note can do without. Any thread that may wait for the
 * disk. */
void stem_finish_want(const char *folder);

/* Removes the note, if there is one. */
void stem_finish_wanted_done(const char *folder);

/* Receives the folder of a take. */
typedef void stem_finish_each(void *data, const char *folder);

/* Calls `each` for every take in the folder `takes` that has the note and is neither running nor
 * unfinished by its recorder, in the order of their names. A folder that cannot be read has none.
 */
void stem_finish_all_wanted(const char *takes, stem_finish_each *each, void *data);

#endif
