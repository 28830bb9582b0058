/* A small take of random noise, written with the recorder's own files, to be spoiled in one way and
 * verified: what was done to it must be found and named. Each test has a scene of its own.
 */
#ifndef STEM_VERIFY_SCENE_H
#define STEM_VERIFY_SCENE_H

#include "facts.h"
#include "stem_file.h"
#include "unit.h"
#include "verify.h"

/* Longer than two blocks and no multiple of one. */
enum { FRAMES = 10007, RATE = 48000, GAP = 5000, GAP_FRAMES = 300, MOST_SAMPLES = 2 * FRAMES };
enum { DRUMS, BASS, KEYS, MIX, FILES };

extern const uint32_t CHANNELS[FILES];
extern const char *const NAMES[FILES];

struct scene {
    char folder[64];
    struct stem_take take;
    float audio[FILES][MOST_SAMPLES + 2]; /* room for a frame too many */
    uint32_t random;
    struct stem_verify_report report;
    struct stem_error error;
};

int make_scene(void **state);
int remove_scene(void **state);

/* Noise between -0.2 and 0.2, the same in every run. */
float noise(struct scene *scene);

/* The mix in single precision, added up in another order than the bound may assume. */
void make_mix(struct scene *scene);

void path_of(const struct scene *scene, const char *file, char path[256]);

/* Removes everything that stands in the folder. */
void empty_folder(const struct scene *scene);
struct stem_take_stem *entry(struct scene *scene, int k);

/* Writes the whole take into the empty folder. */
void write_take(struct scene *scene, enum stem_container container, enum stem_encoding encoding);
void save_take(struct scene *scene);

/* Writes one file anew, as the scene says or in another form. */
void rewrite_file(struct scene *scene, int k);
void write_file(struct scene *scene, int k, struct stem_file_params params, size_t frames);
struct stem_file_params right_form(const struct scene *scene, int k);

const struct stem_verify_report *verify(struct scene *scene);

/* All sentences in one text, for messages; whether one of them has both parts. */
const char *sentences(char *const *texts, size_t count);
bool has_sentence(char *const *texts, size_t count, const char *part, const char *other);

/* One problem, or one remark, has both parts. */
void assert_problem(const struct stem_verify_report *report, const char *part, const char *other);
void assert_remark(const struct stem_verify_report *report, const char *part, const char *other);
void assert_problems(const struct stem_verify_report *report, size_t count);
void assert_null_fails(const struct stem_verify_report *report);

#endif
