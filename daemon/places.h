/* What the daemon needs from the system before it starts: folders that can be written and belong to
 * no other recorder, enough open files. Control thread.
 */
#ifndef STEMD_PLACES_H
#define STEMD_PLACES_H

#include "config.h"
#include "error.h"

/* Folders: takes, spare, mirror. */
enum { STEM_PLACES = 3 };

struct stem_places {
    int locks[STEM_PLACES]; /* -1: none */
};

/* Makes the folders that are missing and locks them for as long as the daemon lives, so that two
 * recorders never work in one. 0, or -1 with `error` that says what to do. */
int stem_places_take(
    struct stem_places *places, const struct stem_config *config, struct stem_error *error);

/* Gives the locks back. */
void stem_places_leave(struct stem_places *places);

/* Raises the limit of open files as far as it goes, and warns when takes of so many files need more
 * than that. */
void stem_places_raise_files(const struct stem_config *config, unsigned files);

#endif
