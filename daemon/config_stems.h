/* Reading inputs, returns, stems and the mix. Private to config*.c.
 *
 * What is wrong is reported and stays NULL (names) or 0 (widths), so that the rules can tell it
 * from what is right. Indexes of elements are kept, wrong or not. */
#ifndef STEMD_CONFIG_STEMS_H
#define STEMD_CONFIG_STEMS_H

#include "config_reader.h"

enum { CONFIG_MOST_STEMS = 256, CONFIG_MOST_CHANNELS = 8 };

/* The shared returns; before the stems, which refer to them. */
void config_read_returns(struct group *top, struct stem_config *config);
void config_read_stems(struct group *top, struct stem_config *config);
void config_read_mix(struct group *top, struct stem_config *config);

#endif
