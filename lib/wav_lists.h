/* Lists of texts (`LIST` chunks: markers' labels, information) in WAV files, before libsndfile
 * reads them: where a text's length is damaged, libsndfile 1.2.0 may go round in circles for ever.
 * Its arithmetic has 32 bits, so a length beyond 2 GiB leads it back to where it was.
 */
#ifndef STEM_WAV_LISTS_H
#define STEM_WAV_LISTS_H

#include <stdbool.h>

/* Whether libsndfile comes to an end with the lists of the file, which is not read otherwise; true
 * for anything that is no WAV file. `fd` keeps its offset. Any thread. */
bool stem_wav_lists_end(int fd);

#endif
