/* The number of files that may be open. */
#ifndef STEM_OPEN_FILES_H
#define STEM_OPEN_FILES_H

/* Raises it as far as the system allows: a take has hundreds of files, all open at once. Any
 * thread. */
void stem_open_files_allow(void);

#endif
