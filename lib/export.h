/* Exporting a take: the same audio in another format, as a take of its own.
 *
 * Never resampled, normalised or shifted. Samples stay what they are as long as the new encoding
 * can hold them; after writing, every file is read again and compared. Fewer bits are only used
 * when they were asked for by name: then samples are rounded to nearest, or dithered on request
 * (TPDF of two steps peak to peak, the same in every run). The new folder is finished like any
 * take: manifest, markers, loudness, README.txt, report.html, SHA256SUMS.
 */
#ifndef STEM_EXPORT_H
#define STEM_EXPORT_H

#include "error.h"
#include "finish.h"
#include "format.h"

#include <stdbool.h>
#include <stdint.h>

struct stem_export_params {
    enum stem_container container;
    bool is_encoding_given; /* else the take's own is kept, or the export refused */
    enum stem_encoding encoding;
    bool dither;
    bool zip; /* the target is one ZIP file that holds the folder, and not a folder */
};

struct stem_export_report {
    struct stem_finish_report finish; /* the exported take, and what is worth knowing of it */
    bool exact;                       /* every sample is what it was */
    uint64_t clips;                   /* samples beyond the new encoding's full scale */
};

/* Exports the take in `folder` to `target`, a path that must be free; it appears when everything is
 * done, and not at all after a failure. `name` is that of the folder inside a ZIP file. Refuses a
 * take that is being recorded or worked on. 0, or -1 with `error`; the report owns nothing then.
 * Any one thread. */
int stem_export_take(const char *folder, const char *target, const char *name,
    const struct stem_export_params *params, stem_finish_progress *progress, void *data,
    struct stem_export_report *report, struct stem_error *error);

void stem_export_report_finish(struct stem_export_report *report);

/* Whether every sample of one encoding can be told in the other. */
bool stem_export_is_exact(enum stem_encoding from, enum stem_encoding to);

#endif
