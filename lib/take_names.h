/* A file that gets another name has both until the manifest tells the new one. Who is killed in
 * that moment leaves one name too many, and a person who imports the folder gets that file twice.
 */
#ifndef STEM_TAKE_NAMES_H
#define STEM_TAKE_NAMES_H

#include "take.h"

/* Removes such names from the folder: those of the take's own files (hard links to them) that the
 * manifest does not tell. The files stay. Whoever calls holds the lock of take_lock.h. What cannot
 * be removed stays too. Any one thread. */
void stem_take_names_tidy(const char *folder, struct stem_take *take);

#endif
