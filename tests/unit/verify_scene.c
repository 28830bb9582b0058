#include "verify_scene.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

const uint32_t CHANNELS[FILES] = {2, 1, 2, 2};
const char *const NAMES[FILES] = {"Drums", "Bass", "Keys", "Mix"};

float noise(struct scene *scene)
{
    scene->random = scene->random * 1664525u + 1013904223u;
    return (float)((double)scene->random * 0x1p-32 - 0.5) * 0.4f;
}

static void make_noise(struct scene *scene)
{
    for (int k = 0; k < MIX; k++)
        for (size_t s = 0; s < FRAMES * CHANNELS[k]; s++) {
            size_t frame = s / CHANNELS[k];
            bool in_gap = frame >= GAP && frame < GAP + GAP_FRAMES;
            scene->audio[k][s] = in_gap ? 0 : noise(scene);
        }
}

void make_mix(struct scene *scene)
{
    for (size_t i = 0; i < FRAMES; i++)
        for (size_t c = 0; c < 2; c++) {
            float sum = scene->audio[KEYS][2 * i + c];
            sum += scene->audio[DRUMS][2 * i + c];
            scene->audio[MIX][2 * i + c] = sum + scene->audio[BASS][i];
        }
}

int make_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    if (!scene)
        return -1;
    snprintf(scene->folder, sizeof scene->folder, "/tmp/stemd-verify-XXXXXX");
    if (!mkdtemp(scene->folder))
        return -1;
    scene->random = 1;
    make_noise(scene);
    make_mix(scene);
    *state = scene;
    return 0;
}

void path_of(const struct scene *scene, const char *file, char path[256])
{
    snprintf(path, 256, "%s/%s", scene->folder, file);
}

void empty_folder(const struct scene *scene)
{
    char path[512];
    DIR *folder = opendir(scene->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", scene->folder, entry->d_name);
        if (unlink(path) != 0)
            rmdir(path);
    }
    if (folder)
        closedir(folder);
}

int remove_scene(void **state)
{
    struct scene *scene = *state;
    stem_verify_report_finish(&scene->report);
    stem_take_finish(&scene->take);
    empty_folder(scene);
    int status = rmdir(scene->folder);
    free(scene);
    return status;
}

struct stem_take_stem *entry(struct scene *scene, int k)
{
    return k == MIX ? &scene->take.mix : &scene->take.stems[k];
}

void write_file(struct scene *scene, int k, struct stem_file_params params, size_t frames)
{
    char path[256];
    struct stem_error error = {""};
    struct stem_take_stem *stem = entry(scene, k);
    path_of(scene, stem->file, path);
    unlink(path);
    params.path = path;
    struct stem_file *file = stem_file_create(&params, &error);
    if (!file)
        fail_msg("%s", error.text);
    assert_int_equal(stem_file_write(file, scene->audio[k], frames, &error), 0);
    stem->clips = stem_file_clips(file);
    stem->peak = stem_file_peak(file);
    assert_int_equal(stem_file_close(file, false, &error), 0);
}

struct stem_file_params right_form(const struct scene *scene, int k)
{
    return (struct stem_file_params){.container = scene->take.container,
        .encoding = scene->take.encoding,
        .rate_hz = RATE,
        .channels = CHANNELS[k]};
}

void rewrite_file(struct scene *scene, int k)
{
    write_file(scene, k, right_form(scene, k), FRAMES);
}

void save_take(struct scene *scene)
{
    if (stem_take_save(&scene->take, scene->folder, &scene->error))
        fail_msg("%s", scene->error.text);
}

void write_take(struct scene *scene, enum stem_container container, enum stem_encoding encoding)
{
    struct stem_take *take = &scene->take;
    stem_take_finish(take);
    empty_folder(scene);
    take->progress = STEM_TAKE_COMPLETE;
    take->rate_hz = RATE;
    take->start_frame = 123456789;
    take->frames = FRAMES;
    take->container = container;
    take->encoding = encoding;
    take->has_mix = true;
    for (int k = 0; k < FILES; k++) {
        char file[32];
        snprintf(file, sizeof file, "%02d_%s.%s", (k + 1) % FILES, NAMES[k],
            stem_container_extension(container));
        if (k == MIX) {
            assert_int_equal(stem_take_set_string(&take->mix.name, NAMES[k]), 0);
            assert_int_equal(stem_take_set_string(&take->mix.file, file), 0);
            take->mix.channels = CHANNELS[k];
        } else {
            assert_int_equal(stem_take_add_stem(take, NAMES[k], file, CHANNELS[k]), 0);
        }
        entry(scene, k)->frames = FRAMES;
        entry(scene, k)->inputs = 1;
        rewrite_file(scene, k);
    }
    assert_int_equal(stem_take_add_gap(take, GAP, GAP_FRAMES, STEM_GAP_SKIPPED), 0);
    save_take(scene);
}

const struct stem_verify_report *verify(struct scene *scene)
{
    stem_verify_report_finish(&scene->report);
    if (stem_verify_folder(scene->folder, NULL, NULL, &scene->report, &scene->error))
        fail_msg("no report: %s", scene->error.text);
    return &scene->report;
}

const char *sentences(char *const *texts, size_t count)
{
    static char all[4096];
    size_t used = 0;
    all[0] = '\0';
    for (size_t k = 0; k < count && used < sizeof all; k++)
        used += (size_t)snprintf(all + used, sizeof all - used, "\n  %s", texts[k]);
    return all;
}

bool has_sentence(char *const *texts, size_t count, const char *part, const char *other)
{
    for (size_t k = 0; k < count; k++)
        if (strstr(texts[k], part) && strstr(texts[k], other))
            return true;
    return false;
}

void assert_problem(const struct stem_verify_report *report, const char *part, const char *other)
{
    if (!has_sentence(report->problems, report->problem_count, part, other))
        fail_msg("no problem with \"%s\" and \"%s\":%s", part, other,
            sentences(report->problems, report->problem_count));
}

void assert_remark(const struct stem_verify_report *report, const char *part, const char *other)
{
    if (!has_sentence(report->remarks, report->remark_count, part, other))
        fail_msg("no remark with \"%s\" and \"%s\":%s", part, other,
            sentences(report->remarks, report->remark_count));
}

void assert_problems(const struct stem_verify_report *report, size_t count)
{
    if (report->problem_count != count)
        fail_msg("%zu problems instead of %zu:%s", report->problem_count, count,
            sentences(report->problems, report->problem_count));
}

void assert_null_fails(const struct stem_verify_report *report)
{
    assert_true(report->null_tested);
    assert_false(report->null_passed);
    assert_problem(report, "do not add up to the mix", "");
}
