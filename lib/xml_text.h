/* Text inside XML: escaped, and only what XML 1.0 can hold. Pure, any thread. */
#ifndef STEM_XML_TEXT_H
#define STEM_XML_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Writes `text` as the content of an element, or of an attribute between double quotes. Every byte
 * that is no UTF-8 and every character that XML cannot hold becomes a blank. Ends before the first
 * character that, with its escape, goes beyond `most_bytes`. */
void stem_xml_put_some(FILE *out, const char *text, size_t most_bytes);

/* stem_xml_put_some of all of it. */
void stem_xml_put(FILE *out, const char *text);

/* Writes ` NAME="TEXT"`. */
void stem_xml_put_attribute(FILE *out, const char *name, const char *text);

#endif
