/* What the commands that make takes share. */
#ifndef STEMCTL_RECORD_H
#define STEMCTL_RECORD_H

#include "stemctl.h"

struct stemctl_record {
    const char *path; /* OSC address */
    enum stemctl_style style;
    const char *label; /* on a terminal, in front of the folder */
};

/* Makes sure that the daemon is there, which is told soon, and lets the work itself take long. */
enum stemctl_exit stemctl_record_patiently(struct stemctl *ctl);

/* Asks for a take (the arguments are freed), and prints its folder or why there is none yet. */
enum stemctl_exit stemctl_record_ask(
    struct stemctl *ctl, const struct stemctl_record *how, lo_message arguments);

/* Arguments: one text, or none for NULL; one number. NULL without memory. */
lo_message stemctl_record_text(const char *text);
lo_message stemctl_record_number(double number);

#endif
