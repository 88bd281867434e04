/* The contracts of src/config: which source wins, that every wrong value is one line naming place
 * and setting, what a workspace may not do, and where things lie. Each test has a home of its own
 * in a fresh folder, so that nothing of the user's is read or touched. */
#include <setjmp.h>

#include "base/base.h"

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/config.h"

#include "tests/lib/scratch.h"

static char *home; // of the running test

static const char *const xdg[] = {"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"};

static int
home_setup(UNUSED void **state)
{
    const struct config_setting *s;
    home = scratch_make("config");
    for (size_t i = 0; i < ARRAY_LEN(xdg); i++)
        unsetenv(xdg[i]);
    for (size_t i = 0; (s = config_setting_at(i)); i++) {
        if (s->env)
            unsetenv(s->env);
    }
    return setenv("HOME", home, 1);
}

static int
home_teardown(UNUSED void **state)
{
    int r = scratch_remove(home);
    free(steal(home));
    return r;
}

/* A file below home, with its folders. */
static void
write_file(const char *name, const char *text)
{
    AUTO(free) char *path = path_join(home, name);
    AUTO(free) char *dir = str_dup(path_dirname(str_of(path)));
    assert_int_equal(fs_mkdir_p(dir, 0700), 0);
    assert_int_equal(fs_write_atomic(path, str_of(text), 0600), 0);
}

#define USER_FILE ".config/gloss/config.json"

static struct config *
load(const struct config_flag *flags, size_t n)
{
    struct config *c = NULL;
    char *why = NULL;
    if (config_load(flags, n, &c, &why) != 0)
        fail_msg("%s", why);
    assert_null(why);
    return c;
}

/* Loading fails and says `expected`, in which %h stands for home. */
static void
assert_refused(const struct config_flag *flags, size_t n, const char *expected)
{
    struct config *c = NULL;
    char *why = NULL;
    assert_true(config_load(flags, n, &c, &why) < 0);
    assert_null(c);
    AUTO(buf_finish) struct buf b = {0};
    const char *mark = strstr(expected, "%h");
    if (mark)
        buf_printf(&b, "%.*s%s", (int)(mark - expected), expected, home);
    buf_add_cstr(&b, mark ? mark + 2 : expected);
    if (!strstr(why, b.p))
        fail_msg("\"%s\" does not say \"%s\"", why, b.p);
    assert_null(strchr(why, '\n'));
    free(why);
}

static void
assert_file_refused(const char *text, const char *expected)
{
    write_file(USER_FILE, text);
    assert_refused(NULL, 0, expected);
}

/* ---- sources ---- */

static void
test_defaults(UNUSED void **state)
{
    AUTO(config_destroy) struct config *c = load(NULL, 0);
    assert_int_equal(c->max_file_bytes, 2 * 1024 * 1024);
    assert_int_equal(c->n_ignore, 0);
    assert_int_equal(c->jobs, 0);
    assert_int_equal(c->hub_port, 0);
    assert_int_equal(c->idle_exit_s, 30);
    assert_int_equal(c->log_level, LOG_WARN);
    assert_int_equal(c->log_format, LOG_TEXT);
    assert_true(c->enrich_enabled);
    assert_int_equal(c->enrich_deadline_ms, 3000);
    assert_int_equal(c->enrich_files_window, 2);
    assert_int_equal(c->enrich_requests_window, 512);
    assert_int_equal(c->n_servers, 0);
    assert_null(c->db);
    assert_true(c->trusted);
    config_destroy(NULL);
}

static void
test_file(UNUSED void **state)
{
    write_file(USER_FILE,
               "{\"$schema\":\"x\",\"index\":{\"max_file_bytes\":4096,\"jobs\":3,"
               "\"ignore\":[\"*.gen.c\",\"/out, dir/\"]},\"hub\":{\"port\":8103},"
               "\"engine.idle_exit_s\":0,\"log\":{\"level\":\"debug\",\"format\":null},"
               "\"enrich\":{\"enabled\":false,\"deadline_ms\":10},"
               "\"db\":\"sqlite:/var/../x.db\",\"trusted\":false}");
    AUTO(config_destroy) struct config *c = load(NULL, 0);
    assert_int_equal(c->max_file_bytes, 4096);
    assert_int_equal(c->jobs, 3);
    assert_int_equal(c->n_ignore, 2);
    assert_string_equal(c->ignore[0].p, "*.gen.c");
    assert_string_equal(c->ignore[1].p, "/out, dir/");
    assert_int_equal(c->hub_port, 8103);
    assert_int_equal(c->idle_exit_s, 0);
    assert_int_equal(c->log_level, LOG_DEBUG);
    assert_int_equal(c->log_format, LOG_TEXT);
    assert_false(c->enrich_enabled);
    assert_int_equal(c->enrich_deadline_ms, 10);
    assert_string_equal(c->db, "sqlite:/x.db");
    assert_false(c->trusted);
}

static void
test_xdg_config_home(UNUSED void **state)
{
    AUTO(free) char *other = path_join(home, "other");
    write_file(USER_FILE, "{\"index\":{\"jobs\":1}}");
    write_file("other/gloss/config.json", "{\"index\":{\"jobs\":2}}");
    setenv("XDG_CONFIG_HOME", other, 1);
    AUTO(config_destroy) struct config *there = load(NULL, 0);
    assert_int_equal(there->jobs, 2);
    setenv("XDG_CONFIG_HOME", "other", 1); // relative: ignored
    AUTO(config_destroy) struct config *here = load(NULL, 0);
    assert_int_equal(here->jobs, 1);
}

static void
test_precedence(UNUSED void **state)
{
    struct config_flag flags[] = {{"jobs", "7"}, {"enrich.enabled", NULL}, {"jobs", "8"}};
    write_file(USER_FILE,
               "{\"index\":{\"jobs\":1,\"ignore\":[\"a\"]},\"hub\":{\"port\":1},"
               "\"enrich\":{\"enabled\":false},\"log\":{\"level\":\"info\"}}");
    setenv("GLOSS_INDEX_JOBS", "2", 1);
    setenv("GLOSS_HUB_PORT", "2", 1);
    setenv("GLOSS_INDEX_IGNORE", " b , ,c", 1);
    setenv("GLOSS_LOG_LEVEL", "", 1); // empty: not given
    setenv("GLOSS_TRUSTED", "no", 1);
    AUTO(config_destroy) struct config *c = load(flags, ARRAY_LEN(flags));
    assert_int_equal(c->jobs, 8);
    assert_int_equal(c->hub_port, 2);
    assert_int_equal(c->log_level, LOG_INFO);
    assert_int_equal(c->n_ignore, 2);
    assert_string_equal(c->ignore[0].p, "b");
    assert_string_equal(c->ignore[1].p, "c");
    assert_true(c->enrich_enabled);
    assert_false(c->trusted);
    setenv("GLOSS_INDEX_IGNORE", "[\"x,y\"]", 1);
    AUTO(config_destroy) struct config *json = load(NULL, 0);
    assert_int_equal(json->n_ignore, 1);
    assert_string_equal(json->ignore[0].p, "x,y");
}

/* ---- wrong values ---- */

static void
test_wrong_files(UNUSED void **state)
{
    assert_file_refused("{\"index\":{\"jobs\":257}}",
                        "%h/" USER_FILE
                        ": index.jobs: must be a whole number from 0 to 256");
    assert_file_refused("{\"index\":{\"jobs\":-1}}",
                        ": index.jobs: must be a whole number");
    assert_file_refused("{\"index\":{\"jobs\":1.5}}",
                        ": index.jobs: must be a whole number");
    assert_file_refused("{\"index\":{\"jobs\":\"3\"}}",
                        ": index.jobs: must be a whole number");
    assert_file_refused("{\"index\":{\"max_file_bytes\":1023}}", "from 1024 to 67108864");
    assert_file_refused("{\"index\":{\"nope\":1}}",
                        ": index.nope: there is no such setting");
    assert_file_refused("{\"jobs\":1}",
                        ": jobs: there is no such setting"); // a flag's name
    assert_file_refused("{\"index\":3}", ": index: must be an object");
    assert_file_refused("{\"enrich\":{\"enabled\":1}}",
                        ": enrich.enabled: must be true or false");
    assert_file_refused("{\"log\":{\"level\":\"loud\"}}",
                        ": log.level: must be one of error, warn, info, debug");
    assert_file_refused("{\"log\":{\"format\":1}}",
                        ": log.format: must be one of text, json");
    assert_file_refused("{\"index\":{\"ignore\":\"a\"}}",
                        ": index.ignore: must be a list");
    assert_file_refused("{\"index\":{\"ignore\":[1]}}", ": index.ignore: must be a list");
    assert_file_refused("{\"index\":{\"ignore\":[\"\"]}}",
                        ": index.ignore: a pattern must be");
    assert_file_refused("{\"index\":{\"ignore\":[\"a\\nb\"]}}",
                        ": index.ignore: a pattern must be");
    assert_file_refused("{\"index\":{\"ignore\":[\"a\\u0000b\"]}}",
                        ": index.ignore: a pattern");
    assert_file_refused("{\"db\":\"x.db\"}", ": db: must be an absolute path");
    assert_file_refused("{\"db\":\"sqlite:x.db\"}", ": db: must be an absolute path");
    assert_file_refused("{\"db\":\"mem:x\"}", ": db: nothing comes after \"mem:\"");
    assert_file_refused("{\"db\":\"rocksdb:x\"}",
                        ": db: must be an absolute path in a file");
    assert_file_refused("{\"db\":\"/a\\u0000b\"}", ": db: must not hold a NUL");
    assert_file_refused("{\"db\":1}", ": db: must be a string");
    assert_file_refused("[]", USER_FILE ": must be one JSON object");
    assert_file_refused("", USER_FILE ": line 1");
    assert_file_refused("{\n\"db\":}", USER_FILE ": line 2");
    assert_file_refused("{\"index\":{\"jobs\":1,\"jobs\":1}}", "duplicate");
}

static void
test_unreadable_files(UNUSED void **state)
{
    AUTO(free) char *path = path_join(home, USER_FILE);
    AUTO(buf_finish) struct buf large = {0};
    buf_add_cstr(&large, "{}");
    while (large.n <= CONFIG_FILE_BYTES_MAX)
        buf_add_cstr(&large, "          ");
    assert_file_refused(large.p, USER_FILE ": larger than 1048576 bytes");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(NULL, 0, USER_FILE ": not a regular file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("config.json", path), 0); // a ring
    assert_refused(NULL, 0, USER_FILE ": cannot be read: ");
}

static void
test_wrong_words(UNUSED void **state)
{
    struct config_flag flag = {"jobs", "many"};
    assert_refused(&flag, 1, "--jobs: must be a whole number from 0 to 256");
    flag = (struct config_flag){"jobs", NULL};
    assert_refused(&flag, 1, "--jobs: needs a value");
    flag = (struct config_flag){"jobs", "99999999999999999999999"};
    assert_refused(&flag, 1, "--jobs: must be a whole number");
    flag = (struct config_flag){"nope", "1"};
    assert_refused(&flag, 1, "--nope: there is no such setting");
    flag = (struct config_flag){"servers", "[]"};
    assert_refused(&flag, 1, "--servers: can be set in a file only");
    flag = (struct config_flag){"db", "postgres:h"};
    assert_refused(&flag, 1, "--db: after \"postgres:\" comes //USER@HOST/DATABASE");
    setenv("GLOSS_TRUSTED", "maybe", 1);
    assert_refused(NULL, 0, "GLOSS_TRUSTED: must be true or false");
    unsetenv("GLOSS_TRUSTED");
    setenv("GLOSS_INDEX_IGNORE", "[\"a\"", 1);
    assert_refused(NULL, 0, "GLOSS_INDEX_IGNORE: must be a JSON array or patterns");
    unsetenv("GLOSS_INDEX_IGNORE");
    AUTO(buf_finish) struct buf many = {0};
    for (int i = 0; i <= CONFIG_IGNORE_MAX; i++)
        buf_add_cstr(&many, "a,");
    flag = (struct config_flag){"index.ignore", many.p};
    assert_refused(&flag, 1, "--index.ignore: must be 1024 patterns at the most");
}

/* ---- servers ---- */

static void
test_servers(UNUSED void **state)
{
    write_file(
        USER_FILE,
        "{\"servers\":[{\"name\":\"my-ls\",\"command\":[\"/opt/my ls\",\"--stdio\"],"
        "\"languages\":[\"c\",\"cpp\"],\"root_markers\":[\".git\"],"
        "\"settings\":{\"a\":{\"b\":[1,\"é\"]}},\"initialization_options\":{}},"
        "{\"name\":\"clangd\",\"enabled\":false}]}");
    AUTO(config_destroy) struct config *c = load(NULL, 0);
    assert_int_equal(c->n_servers, 2);
    const struct config_server *s = &c->servers[0];
    assert_string_equal(s->name, "my-ls");
    assert_string_equal(s->command[0], "/opt/my ls");
    assert_string_equal(s->command[1], "--stdio");
    assert_null(s->command[2]);
    assert_string_equal(s->languages[1], "cpp");
    assert_null(s->languages[2]);
    assert_string_equal(s->root_markers[0], ".git");
    assert_null(s->root_markers[1]);
    assert_string_equal(s->settings, "{\"a\":{\"b\":[1,\"é\"]}}");
    assert_string_equal(s->initialization_options, "{}");
    assert_true(s->enabled);
    s = &c->servers[1];
    assert_string_equal(s->name, "clangd");
    assert_null(s->command);
    assert_null(s->languages);
    assert_null(s->settings);
    assert_false(s->enabled);
}

static void
test_wrong_servers(UNUSED void **state)
{
    assert_file_refused("{\"servers\":{}}", USER_FILE ": servers: must be a list of 64");
    assert_file_refused("{\"servers\":[1]}", USER_FILE ": servers[0]: must be an object");
    assert_file_refused("{\"servers\":[{}]}", ": servers[0].name: must be");
    assert_file_refused("{\"servers\":[{\"name\":\"a b\"}]}",
                        ": servers[0].name: must be");
    assert_file_refused("{\"servers\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
                        ": servers[1].name: two servers");
    assert_file_refused("{\"servers\":[{\"name\":\"a\",\"cmd\":[]}]}",
                        ": servers[0].cmd: there is no");
    assert_file_refused("{\"servers\":[{\"name\":\"a\",\"command\":[]}]}",
                        ".command: must be a list");
    assert_file_refused("{\"servers\":[{\"name\":\"a\",\"command\":\"ls\"}]}",
                        ".command: must be");
    assert_file_refused("{\"servers\":[{\"name\":\"a\",\"command\":[1]}]}",
                        ".command: each word");
    assert_file_refused("{\"servers\":[{\"name\":\"a\",\"command\":[\"\"]}]}",
                        ".command: each word");
    assert_file_refused("{\"servers\":[{\"name\":\"a\",\"command\":[\"x\\u0000y\"]}]}",
                        ".command: each word");
    assert_file_refused("{\"servers\":[{\"name\":\"a\",\"command\":[\"./evil\"]}]}",
                        ".command: the program must be an absolute path or a bare name");
    assert_file_refused("{\"servers\":[{\"name\":\"a\",\"command\":[\"bin/evil\"]}]}",
                        ".command: the program must be");
    assert_file_refused("{\"servers\":[{\"name\":\"a\",\"settings\":[]}]}",
                        ".settings: must be an");
    assert_file_refused("{\"servers\":[{\"name\":\"a\",\"enabled\":\"no\"}]}",
                        ".enabled: must be");
}

/* ---- a workspace's own file ---- */

static void
assert_workspace_refused(const struct config *base, const char *text,
                         const char *expected)
{
    AUTO(free) char *root = path_join(home, "ws");
    struct config *c = NULL;
    char *why = NULL;
    write_file("ws/.gloss.json", text);
    assert_true(config_for_workspace(base, root, &c, &why) < 0);
    assert_null(c);
    if (!strstr(why, expected) || !strstr(why, "ws/.gloss.json: "))
        fail_msg("\"%s\" does not say \"%s\"", why, expected);
    free(why);
}

static void
test_workspace(UNUSED void **state)
{
    write_file(USER_FILE, "{\"index\":{\"ignore\":[\"a\"],\"jobs\":5},"
                          "\"servers\":[{\"name\":\"x\",\"command\":[\"x\"]}]}");
    AUTO(config_destroy) struct config *base = load(NULL, 0);
    AUTO(free) char *root = path_join(home, "ws");
    struct config *c = base;
    char *why = NULL;
    assert_int_equal(config_for_workspace(base, root, &c, &why), 0);
    assert_null(c); // no such folder
    write_file("ws/x", "");
    c = base;
    assert_int_equal(config_for_workspace(base, root, &c, &why), 0);
    assert_null(c); // no such file

    write_file("ws/.gloss.json",
               "{\"index\":{\"ignore\":[\"b\",\"c\"],\"max_file_bytes\":9999}}");
    assert_int_equal(config_for_workspace(base, root, &c, &why), 0);
    assert_int_equal(c->max_file_bytes, 9999);
    assert_int_equal(c->n_ignore, 3);
    assert_string_equal(c->ignore[0].p, "a");
    assert_string_equal(c->ignore[2].p, "c");
    assert_int_equal(c->jobs, 5);
    assert_string_equal(c->servers[0].command[0], "x");
    config_destroy(c);
    assert_int_equal(base->n_ignore, 1);
    assert_int_equal(base->max_file_bytes, 2 * 1024 * 1024);
}

static void
test_workspace_refused(UNUSED void **state)
{
    static const char *const unsafe[] = {
        "{\"servers\":[{\"name\":\"x\",\"command\":[\"/bin/sh\"]}]}",
        "{\"servers\":null}",
        "{\"db\":\"/x\"}",
        "{\"trusted\":true}",
        "{\"enrich\":{\"enabled\":true}}",
        "{\"hub\":{\"port\":1}}",
        "{\"index\":{\"jobs\":200}}",
        "{\"log\":{\"level\":\"debug\"}}",
        "{\"engine\":{\"idle_exit_s\":0}}",
    };
    AUTO(config_destroy) struct config *base = load(NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(unsafe); i++)
        assert_workspace_refused(base, unsafe[i], "a workspace may not set this");
    assert_workspace_refused(base, "{\"index\":{\"max_file_bytes\":999999999}}",
                             "index.max_file_bytes: must be");
    assert_workspace_refused(base, "{", "line 1");
    AUTO(buf_finish) struct buf many = {0};
    buf_add_cstr(&many, "{\"index\":{\"ignore\":[\"a\"");
    for (int i = 0; i < CONFIG_IGNORE_MAX; i++)
        buf_add_cstr(&many, ",\"a\"");
    buf_add_cstr(&many, "]}}");
    assert_workspace_refused(base, many.p, "1024 patterns at the most");
}

/* ---- the table ---- */

/* What docs/CONFIG.md promises of every row. */
static void
test_table(UNUSED void **state)
{
    AUTO(config_destroy) struct config *c = load(NULL, 0);
    const struct config_setting *s, *before = NULL;
    for (size_t i = 0; (s = config_setting_at(i)); before = s, i++) {
        assert_true(!before || strcmp(before->name, s->name) < 0);
        assert_non_null(s->help);
        AUTO(buf_finish) struct buf env = {0}, shown = {0};
        buf_add_cstr(&env, "GLOSS_");
        for (const char *p = s->name; *p; p++)
            buf_add_char(&env,
                         *p == '.' ? '_' : (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p));
        if (s->env)
            assert_string_equal(s->env, env.p);
        config_setting_show(c, s, &shown);
        assert_true(str_eq(buf_str(&shown), str_of(s->fallback)));
        if (s->is_workspace_safe)
            assert_true(s->type == CONFIG_NUMBER || s->type == CONFIG_PATTERNS);
    }
    assert_int_equal(strcmp(before->name, "trusted"), 0);
}

static void
test_show(UNUSED void **state)
{
    static const char *const expected[][2] = {
        {"db", "sqlite:/x.db"}, {"index.ignore", "a,b"}, {"log.format", "json"},
        {"servers", "p,q"},     {"trusted", "false"},
    };
    write_file(
        USER_FILE,
        "{\"db\":\"/x.db\",\"index\":{\"ignore\":[\"a\",\"b\"]},\"log\":{\"format\":"
        "\"json\"},\"servers\":[{\"name\":\"p\"},{\"name\":\"q\"}],\"trusted\":false}");
    AUTO(config_destroy) struct config *c = load(NULL, 0);
    const struct config_setting *s;
    size_t found = 0;
    for (size_t i = 0; (s = config_setting_at(i)); i++) {
        for (size_t j = 0; j < ARRAY_LEN(expected); j++) {
            AUTO(buf_finish) struct buf shown = {0};
            if (strcmp(s->name, expected[j][0]) != 0)
                continue;
            config_setting_show(c, s, &shown);
            assert_string_equal(shown.p, expected[j][1]);
            found++;
        }
    }
    assert_int_equal(found, ARRAY_LEN(expected));
}

/* ---- places ---- */

static void
assert_at_home(char *path, const char *below)
{
    AUTO(free) char *given = path, *expected = path_join(home, below);
    assert_string_equal(given, expected);
}

static unsigned
mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void
test_places(UNUSED void **state)
{
    assert_at_home(config_file_path(), ".config/gloss/config.json");
    assert_at_home(config_state_dir(), ".local/state/gloss");
    AUTO(free) char *state_home = path_join(home, "state");
    setenv("XDG_STATE_HOME", state_home, 1);
    assert_at_home(config_state_dir(), "state/gloss");
    assert_false(fs_exists(state_home)); // asking makes nothing

    AUTO(free) char *index = config_index_path("/src/redis");
    AUTO(free) char *same = config_index_path("/src/redis");
    AUTO(free) char *other = config_index_path("/old/redis");
    AUTO(free) char *begin = path_join(home, "state/gloss/redis-");
    size_t n = strlen(begin);
    assert_string_equal(index, same);
    assert_string_not_equal(index, other);
    assert_memory_equal(index, begin, n);
    assert_memory_equal(other, begin, n);
    assert_int_equal(strspn(index + n, "0123456789abcdef"), 12);
    assert_string_equal(index + n + 12, "/index.db");

    AUTO(free) char *of_slash = config_index_path("/");
    assert_non_null(strstr(of_slash, "/gloss/root-"));
    AUTO(buf_finish) struct buf long_root = {0};
    buf_add_cstr(&long_root, "/xx");
    for (int i = 0; i < 84; i++)
        buf_add_cstr(&long_root, "€");
    AUTO(free) char *of_long = config_index_path(long_root.p);
    AUTO(free) char *dir = str_dup(path_dirname(str_of(of_long)));
    assert_int_equal(fs_mkdir_p(dir, 0700), 0); // a name the file system takes
    assert_int_equal(path_basename(str_of(dir)).n, 2 + 42 * 3 + 1 + 12);
}

static void
test_runtime_dir(UNUSED void **state)
{
    AUTO(free) char *run = path_join(home, "run"), *own = path_join(home, "run/gloss");
    AUTO(free) char *state_dir = path_join(home, ".local/state/gloss");
    assert_at_home(config_runtime_dir(), ".local/state/gloss");
    assert_int_equal(mode_of(state_dir), 0700);

    setenv("XDG_RUNTIME_DIR", run, 1); // not there: not ours to make
    assert_at_home(config_runtime_dir(), ".local/state/gloss");
    assert_false(fs_exists(run));

    assert_int_equal(mkdir(run, 0700), 0);
    assert_at_home(config_runtime_dir(), "run/gloss");
    assert_int_equal(mode_of(own), 0700);

    assert_int_equal(chmod(own, 0777), 0);
    assert_at_home(config_runtime_dir(), "run/gloss");
    assert_int_equal(mode_of(own), 0700);

    assert_int_equal(rmdir(own), 0); // somebody's link in its place
    assert_int_equal(symlink("/tmp", own), 0);
    assert_at_home(config_runtime_dir(), ".local/state/gloss");
    assert_int_equal(unlink(own), 0);
    write_file("run/gloss", "a file");
    assert_at_home(config_runtime_dir(), ".local/state/gloss");
}

/* ---- connection strings ---- */

static void
assert_url(const char *text, const char *expected)
{
    AUTO(free) char *url = NULL, *why = NULL;
    if (config_db_url(text, &url, &why) != 0)
        fail_msg("%s: %s", text, why);
    assert_string_equal(url, expected);
}

static void
assert_no_url(const char *text, int expected_r, const char *expected)
{
    AUTO(free) char *url = NULL, *why = NULL;
    assert_int_equal(config_db_url(text, &url, &why), expected_r);
    assert_null(url);
    if (!strstr(why, expected))
        fail_msg("\"%s\" does not say \"%s\"", why, expected);
}

static void
test_db_url(UNUSED void **state)
{
    assert_url("/a/b.db", "sqlite:/a/b.db");
    assert_url("sqlite:/a/./b//c.db", "sqlite:/a/b/c.db");
    assert_url("sqlite:///a.db", "sqlite:/a.db");
    assert_url("/a:b/c.db", "sqlite:/a:b/c.db");

    AUTO(free) char *expected = xasprintf("sqlite:%s/x.db", home);
    AUTO(free) char *colon = xasprintf("sqlite:%s/mem:x", home);
    assert_int_equal(chdir(home), 0);
    assert_url("x.db", expected);
    assert_url("sqlite:x.db", expected);
    assert_url("sub/../x.db", expected);
    assert_url("./mem:x", colon);
    assert_int_equal(chdir("/"), 0);

    assert_url("mem:", "mem:");
    assert_url("rocksdb:/a/./b//c", "rocksdb:/a/b/c");
    assert_url("postgres://u:p@h:5432/d?sslmode=require",
               "postgres://u:p@h:5432/d?sslmode=require");
    assert_url("postgresql:///d?host=/run/x", "postgresql:///d?host=/run/x");
    assert_no_url("mem:x", -EINVAL, "nothing comes after \"mem:\"");
    assert_no_url("rocksdb:", -EINVAL, "empty; use rocksdb:PATH");
    assert_no_url("postgres:d", -EINVAL,
                  "after \"postgres:\" comes //USER@HOST/DATABASE");
    assert_no_url("postgresql:/h", -EINVAL, "after \"postgresql:\" comes //");
    assert_no_url("mysql://h", -EINVAL, "\"mysql:\" is no kind of index");
    assert_no_url("", -EINVAL, "empty");
    assert_no_url("sqlite:", -EINVAL, "empty");
    AUTO(buf_finish) struct buf path = {0};
    while (path.n < PATH_BYTES_MAX)
        buf_add_cstr(&path, "/a");
    assert_no_url(path.p, -EINVAL, "longer than 4095 bytes");
}

static void
assert_index_url(const char *db, const char *expected)
{
    AUTO(free) char *url = config_index_url(db, "/src/redis");
    assert_string_equal(url, expected);
}

static void
test_index_url(UNUSED void **state)
{
    AUTO(free) char *path = config_index_path("/src/redis");
    AUTO(free) char *own = xasprintf("sqlite:%s", path);
    assert_index_url(NULL, own);
    assert_index_url("sqlite:/a.db", "sqlite:/a.db");
    assert_index_url("rocksdb:/a", "rocksdb:/a");
    assert_index_url("mem:", "mem:");
    assert_index_url("postgres://h/d?user=u", "postgres://h/d?user=u#/src/redis");
    assert_index_url("postgresql:///d", "postgresql:///d#/src/redis");
    assert_index_url("postgres://h/d#team", "postgres://h/d#team");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, home_setup, home_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),
        TEST(test_file),
        TEST(test_xdg_config_home),
        TEST(test_precedence),
        TEST(test_wrong_files),
        TEST(test_unreadable_files),
        TEST(test_wrong_words),
        TEST(test_servers),
        TEST(test_wrong_servers),
        TEST(test_workspace),
        TEST(test_workspace_refused),
        TEST(test_table),
        TEST(test_show),
        TEST(test_places),
        TEST(test_runtime_dir),
        TEST(test_db_url),
        TEST(test_index_url),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
