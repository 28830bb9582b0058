/* The iXML chunk of a take's files: what the take is called, when it was made, which files belong
 * together, and what each channel holds, for people and programs that get a file without its
 * folder.
 *
 * The chunk stands before the audio, so its size is fixed when the file is created. It depends on
 * the number of channels alone; blanks fill it up. A title that came during the take is therefore
 * put in afterwards, in place.
 */
#ifndef STEM_IXML_H
#define STEM_IXML_H

#include "error.h"
#include "take.h"

#include <stddef.h>
#include <stdint.h>

/* What every chunk of ours begins with. */
#define STEM_IXML_BEGIN "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<BWFXML>\n"

/* Bytes of the chunk's text. */
size_t stem_ixml_bytes(uint32_t channels);

/* The text for one of the take's files: stem_ixml_bytes of UTF-8, then a zero byte. Names that are
 * too long are cut. The caller frees it. NULL without memory. Any thread that may allocate. */
char *stem_ixml_make(const struct stem_take *take, const struct stem_take_stem *stem);

/* Renews the chunk of a finished WAV, AIFF or CAF file in place. A file without one, or with one
 * that is not ours, is left as it is; so is one that says the same already. 0, or -1 with `error`.
 * Any one thread. */
int stem_ixml_renew(const char *path, const struct stem_take *take,
    const struct stem_take_stem *stem, struct stem_error *error);

#endif
