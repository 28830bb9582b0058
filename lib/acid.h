/* The `acid` chunk, in which loop players and workstations look for a file's tempo.
 *
 * It stands before the audio and has one size. A tempo that is told, or told anew, during the take
 * is put in afterwards, in place; a file that was begun without one holds the place as a chunk that
 * readers pass over.
 */
#ifndef STEM_ACID_H
#define STEM_ACID_H

#include "error.h"
#include "format.h"

enum { STEM_ACID_BYTES = 24 };

/* The chunk's contents, after Sonic Foundry: flags u32, root note u16, two unknown fields, beats
 * u32, meter 2 x u16, tempo float32, all little endian. Only the tempo is told, never the loop
 * flag. */
void stem_acid_make(double tempo_bpm, unsigned char bytes[STEM_ACID_BYTES]);

/* The identifier of a chunk that holds the place: what the container's readers pass over. */
const char *stem_acid_place(enum stem_container container);

/* Renews the tempo of a finished WAV, AIFF or CAF file in place; 0: it is not known, and only the
 * place is held. A file without chunk or place of ours is left as it is; so is one that says the
 * same already. 0, or -1 with `error`. Any one thread. */
int stem_acid_renew(const char *path, double tempo_bpm, struct stem_error *error);

#endif
