/* Configurations written as text into a temporary folder, and the messages that loading them
 * leaves. */
#ifndef STEM_CONFIG_TEXTS_H
#define STEM_CONFIG_TEXTS_H

#include "config.h"
#include "unit.h"

#define INPUT "{ name = \"I\"; from = \"c:p\"; }"
#define STEMS "stems = ( { name = \"A\"; inputs = ( " INPUT " ); } );"
#define ONE_INPUT(settings) "stems = ( { name = \"A\"; inputs = (\n{ " settings " } ); } );"

struct fixture {
    char folder[64];
    char before[4096]; /* where we were */
    struct stem_config_messages errors;
    struct stem_config_messages warnings;
};

extern struct fixture fixture;

/* Of the whole program: a folder of its own, in which it works. */
int set_up_folder(void **state);
int tear_down_folder(void **state);

/* After each test. */
int forget_messages(void **state);

void write_bytes(const char *path, const char *bytes, size_t size);
void write_text(const char *path, const char *text);

/* NULL where there are errors; the messages are in the fixture. */
struct stem_config *load(const char *path);
struct stem_config *load_text(const char *text);

/* Loads what must be right. */
struct stem_config *must_load(const char *path);
struct stem_config *must_load_text(const char *text);

/* Messages are compared as lines of one text. */
void assert_messages(const struct stem_config_messages *messages, const char *expected);
void assert_errors(const char *path, const char *expected);

#endif
