/* What stemctl verify found, for people and for programs. */
#ifndef STEMCTL_VERIFY_REPORT_H
#define STEMCTL_VERIFY_REPORT_H

#include "output.h"
#include "verify.h"

/* Everything in the report; levels in dBFS, null for silence. */
json_t *stemctl_report_json(const char *folder, const struct stem_verify_report *report);

/* Tables and sentences; the verdicts come last. */
void stemctl_report_print(const struct stemctl_output *output, const char *folder,
    const struct stem_verify_report *report);

#endif
