#include "config_texts.h"

#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* libconfig 1.5 forgets the last string when it stops at an error. The sanitizer asks for this. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

struct fixture fixture;

int set_up_folder(void **state)
{
    (void)state;
    strcpy(fixture.folder, "/tmp/stemd-test-config-XXXXXX");
    return !getcwd(fixture.before, sizeof fixture.before) || !mkdtemp(fixture.folder) ||
           chdir(fixture.folder);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

int tear_down_folder(void **state)
{
    (void)state;
    int status = chdir(fixture.before);
    return nftw(fixture.folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) || status;
}

int forget_messages(void **state)
{
    (void)state;
    stem_config_messages_finish(&fixture.errors);
    stem_config_messages_finish(&fixture.warnings);
    return 0;
}

void write_bytes(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

struct stem_config *load(const char *path)
{
    forget_messages(NULL);
    return stem_config_load(path, &fixture.errors, &fixture.warnings);
}

struct stem_config *load_text(const char *text)
{
    write_text("t.conf", text);
    return load("t.conf");
}

/* Messages joined with line ends; the caller frees them. */
static char *join(const struct stem_config_messages *messages)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (size_t k = 0; k < messages->count; k++)
        fprintf(out, "%s%s", k ? "\n" : "", messages->texts[k]);
    assert_int_equal(fclose(out), 0);
    return text;
}

void assert_messages(const struct stem_config_messages *messages, const char *expected)
{
    char *found = join(messages);
    assert_string_equal(found, expected);
    free(found);
}

void assert_errors(const char *path, const char *expected)
{
    struct stem_config *config = load(path);
    assert_messages(&fixture.errors, expected);
    assert_null(config);
}

struct stem_config *must_load(const char *path)
{
    struct stem_config *config = load(path);
    assert_messages(&fixture.errors, "");
    assert_non_null(config);
    return config;
}

struct stem_config *must_load_text(const char *text)
{
    write_text("t.conf", text);
    return must_load("t.conf");
}
