/* Templates for the names of take folders and their files, such as
 * "{date}_{time}_{title}_{tempo}bpm". Pure text, any thread.
 *
 *     {date} {time}   when the take started, local time: 2026-11-20, 21-53-07
 *     {title} {key}   as given, made safe (see naming.h); sharps of a key become "sharp"
 *     {tempo}         beats per minute: 120, 120.5
 *     {rate} {depth}  kHz: 48, 44.1; bits of a sample: 24, and 32f, 64f for floating point
 *     {take}          number among the takes whose names are alike but for it: 01, 02, …
 *     {index} {stem}  number and name of a file's stem: 01, Drums; 00 is the mix. In files only
 *
 * Between placeholders stand letters, digits and the separators '_', '-' and '.'. What stands
 * between two separators is left out, with the separator before it, when all its placeholders are
 * empty: without a tempo, "bpm" goes too. So names are never doubled in their separators, and as a
 * template begins and ends with a letter, a digit or a placeholder, they never begin with a dot.
 */
#ifndef STEM_NAMING_TEMPLATE_H
#define STEM_NAMING_TEMPLATE_H

#include "format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define STEM_NAMING_FOLDER "{date}_{time}_{title}_{tempo}bpm"
#define STEM_NAMING_FILE "{index}_{stem}"

/* As mix and mastering houses ask for: Night-Train_120bpm_Am_48k24, with files such as
 * Night-Train_Drums_120bpm_24-48.wav. */
#define STEM_NAMING_DELIVERY_FOLDER "{title}_{tempo}bpm_{key}_{rate}k{depth}"
#define STEM_NAMING_DELIVERY_FILE "{title}_{stem}_{tempo}bpm_{depth}-{rate}"

/* The longest name that is made; file systems take 255 bytes, and others append to names. */
enum { STEM_NAMING_MOST_BYTES = 240, STEM_NAMING_BYTES = STEM_NAMING_MOST_BYTES + 16 };

/* What the placeholders stand for. */
struct stem_naming_values {
    const struct tm *when;
    const char *title; /* NULL or "": none */
    const char *key;   /* NULL or "": none */
    double tempo_bpm;  /* 0: unknown */
    uint32_t rate_hz;
    enum stem_encoding encoding;
    unsigned take;    /* from 1 */
    unsigned index;   /* of the stem */
    const char *stem; /* its name */
};

/* Whether a template is right; `of_file`: for files, which know {index} and {stem}. Otherwise
 * `problem` receives a sentence for the person who wrote it. */
bool stem_naming_template_check(const char *template, bool of_file, char *problem, size_t size);

/* The name of a take folder. Without {take} in the template, takes beyond the first end in "-2",
 * "-3" …. A take without a title is called by date and time in the title's place, where the
 * template has neither. Too long a title is cut. */
void stem_naming_folder(
    const char *template, const struct stem_naming_values *values, char name[STEM_NAMING_BYTES]);

/* The name of a file: `prefix` (such as "in_", or ""), the template, '.' and `extension`. Too long
 * a title is cut. Index and stem, when nothing is left of the template. */
void stem_naming_file(const char *template, const struct stem_naming_values *values,
    const char *prefix, const char *extension, char name[STEM_NAMING_BYTES]);

#endif
