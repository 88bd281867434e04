/* scan: gitignore(5) held against git itself, the walk, and the watch held against the tree: after
 * whatever happened, what the events said is there must be what is there. */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "rt/timer.h"
#include "scan/scan.h"

#define DEADLINE_MS 30000
#define WORKERS 2

/* ---- files of a test ---- */

static char *scratch; // every test's root lies in it

PRINTF_LIKE(1, 2)
static const char *
fmt(const char *format, ...)
{
    static char space[8][PATH_BYTES_MAX];
    static unsigned next;
    char *at = space[next++ % ARRAY_LEN(space)];
    va_list ap;
    va_start(ap, format);
    vsnprintf(at, PATH_BYTES_MAX, format, ap);
    va_end(ap);
    return at;
}

static void
run(const char *command)
{
    int r = system(command);
    if (r != 0)
        fail_msg("%s: %d", command, r);
}

static void
make_dir(const char *path)
{
    assert_int_equal(fs_mkdir_p(path, 0755), 0);
}

static void
write_text(const char *path, const char *text)
{
    AUTO(free) char *dir = str_dup(path_dirname(str_of(path)));
    make_dir(dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* ---- a scan and what it said ---- */

struct fixture {
    struct loop loop;
    struct pool *pool;
    struct timer *deadline;
    struct scan *scan;
    struct config config;
    char *root;
    struct map *model; // path → walk that named it last, plus one
    VEC(char *) log;   // "file a.c", "removed a.c", "problem a -13", "walked 1", "rescan"
    size_t seen;       // lines that a wait went past
    uintptr_t walk;
    size_t n_files;
    size_t pause_every, n_until_pause;
    bool is_paused, is_late, is_closed, is_pool_closed, no_log;
    void (*on_file)(struct fixture *f, const char *path);
};

PRINTF_LIKE(2, 3)
static void
say(struct fixture *f, const char *format, ...)
{
    if (f->no_log)
        return;
    va_list ap;
    va_start(ap, format);
    *vec_push(&f->log) = xvasprintf(format, ap);
    va_end(ap);
}

static void
resume(void *ctx)
{
    struct fixture *f = ctx;
    f->is_paused = false;
    scan_resume(f->scan);
}

static void
on_file(void *ctx, struct str path, const struct fs_stat *stat)
{
    struct fixture *f = ctx;
    assert_false(f->is_paused);
    assert_false(f->is_closed);
    assert_true(S_ISREG(stat->mode));
    assert_int_equal(path.p[path.n], '\0');
    f->n_files++;
    say(f, "file %.*s", STR_ARG(path));
    map_put(f->model, path, (void *)(f->walk + 1));
    if (f->pause_every && --f->n_until_pause == 0) {
        f->n_until_pause = f->pause_every;
        f->is_paused = true;
        scan_pause(f->scan);
        loop_defer(&f->loop, resume, f);
    }
    if (f->on_file)
        f->on_file(f, path.p);
}

static bool
is_at_or_below(struct str path, struct str top)
{
    return str_starts_with(path, top) && (path.n == top.n || path.p[top.n] == '/');
}

static void
on_removed(void *ctx, struct str path)
{
    struct fixture *f = ctx;
    size_t iter = 0;
    struct str key;
    void *value;
    assert_false(f->is_closed);
    assert_true(path.n > 0);
    say(f, "removed %.*s", STR_ARG(path));
    while (map_next(f->model, &iter, &key, &value))
        if (is_at_or_below(key, path))
            map_remove(f->model, key);
}

static void
on_problem(void *ctx, struct str path, int r)
{
    say(ctx, "problem %.*s %d", STR_ARG(path), r);
}

static void
on_walked(void *ctx, bool is_complete)
{
    struct fixture *f = ctx;
    size_t iter = 0;
    struct str key;
    void *value;
    say(f, "walked %d", is_complete);
    while (is_complete && map_next(f->model, &iter, &key, &value))
        if ((uintptr_t)value != f->walk + 1)
            map_remove(f->model, key);
}

static void
on_rescan(void *ctx)
{
    struct fixture *f = ctx;
    f->walk++;
    say(f, "rescan");
}

static const struct scan_events events = {on_file, on_removed, on_problem, on_walked, on_rescan};

static void
on_deadline(void *ctx)
{
    ((struct fixture *)ctx)->is_late = true;
}

/* In the scratch folder: a new root, not yet walked. */
static void
set_up(struct fixture *f)
{
    static unsigned count;
    *f = (struct fixture){0};
    f->root = xasprintf("%s/root%u", scratch, count++);
    make_dir(f->root);
    assert_int_equal(loop_init(&f->loop), 0);
    f->pool = pool_create(&f->loop, WORKERS);
    f->deadline = timer_open(&f->loop, on_deadline, f);
    f->model = map_create();
}

static void
open_scan(struct fixture *f)
{
    f->scan = scan_open(&f->loop, f->pool, &f->config, f->root, &events, f);
}

static void
run_once(struct fixture *f, const char *what)
{
    uv_run(&f->loop.uv, UV_RUN_ONCE);
    if (!f->is_late)
        return;
    for (size_t i = 0; i < f->log.n && i < 200; i++)
        print_error("  %s%s\n", f->log.v[i], i < f->seen ? "" : "  <- not waited for");
    fail_msg("waited in vain for: %s", what);
}

static void
arm(struct fixture *f)
{
    f->is_late = false;
    timer_start(f->deadline, DEADLINE_MS, 0);
}

/* The next such line behind those seen. */
static void
wait_for(struct fixture *f, const char *line)
{
    arm(f);
    for (;;) {
        for (; f->seen < f->log.n; f->seen++) {
            if (strcmp(f->log.v[f->seen], line) == 0) {
                f->seen++;
                return;
            }
        }
        run_once(f, line);
    }
}

/* How often a line is in the log, from line `from` on. */
static size_t
count_lines(const struct fixture *f, size_t from, const char *line)
{
    size_t n = 0;
    for (size_t i = from; i < f->log.n; i++)
        n += strcmp(f->log.v[i], line) == 0;
    return n;
}

static const char *
at(const struct fixture *f, const char *path)
{
    return fmt("%s/%s", f->root, path);
}

/* A file made now is told after everything that happened before it. */
static void
wait_until_told(struct fixture *f)
{
    static unsigned count;
    AUTO(free) char *name = xasprintf("told-%u", count++);
    write_text(at(f, name), "x");
    wait_for(f, fmt("file %s", name));
    unlink(at(f, name));
    wait_for(f, fmt("removed %s", name));
}

static void
on_scan_closed(void *ctx)
{
    ((struct fixture *)ctx)->is_closed = true;
}

static void
on_pool_closed(void *ctx)
{
    ((struct fixture *)ctx)->is_pool_closed = true;
}

static void
close_scan(struct fixture *f)
{
    scan_close(f->scan, on_scan_closed, f);
    arm(f);
    while (!f->is_closed)
        run_once(f, "the end of the scan");
    f->scan = NULL;
}

static void
tear_down(struct fixture *f)
{
    if (f->scan)
        close_scan(f);
    pool_close(f->pool, on_pool_closed, f);
    arm(f);
    while (!f->is_pool_closed)
        run_once(f, "the end of the pool");
    timer_close(f->deadline);
    assert_int_equal(loop_finish(&f->loop), 0);
    for (size_t i = 0; i < f->log.n; i++)
        free(f->log.v[i]);
    vec_finish(&f->log);
    map_destroy(f->model);
    run(fmt("rm -rf '%s'", f->root));
    free(f->root);
}

static void
walk(struct fixture *f, bool with_watch)
{
    open_scan(f);
    scan_start(f->scan, with_watch);
    wait_for(f, "walked 1");
}

static bool
is_in_model(const struct fixture *f, const char *path)
{
    return map_get(f->model, str_of(path)) != NULL;
}

/* Every path of the list (ended by NULL) and nothing else is in the model. */
static void
assert_model(const struct fixture *f, const char *const *paths)
{
    size_t n = 0;
    for (; paths[n]; n++)
        if (!is_in_model(f, paths[n]))
            fail_msg("%s was not reported", paths[n]);
    size_t iter = 0;
    struct str key;
    void *value;
    while (map_next(f->model, &iter, &key, &value)) {
        bool is_expected = false;
        for (size_t i = 0; i < n; i++)
            is_expected |= str_eq_c(key, paths[i]);
        if (!is_expected)
            fail_msg("%.*s should not have been reported", STR_ARG(key));
    }
}
#define ASSERT_MODEL(f, ...) assert_model((f), (const char *const[]){__VA_ARGS__, NULL})

/* ---- patterns ---- */

static bool
is_ignored(const char *text, const char *path, bool is_dir)
{
    struct ignore *i = ignore_parse(NULL, STR_NONE, str_of(text));
    bool r = ignore_matches(i, str_of(path), is_dir);
    ignore_unref(i);
    return r;
}

static void
test_patterns(UNUSED void **state)
{
    static const struct {
        const char *text, *path;
        bool is_dir, is_ignored;
    } cases[] = {
        {"a", "a", false, true},
        {"a", "x/y/a", false, true},
        {"a", "ab", false, false},
        {"a", "a/b/c", false, true}, // what lies in it
        {"/a", "a", false, true},
        {"/a", "x/a", false, false},
        {"a/b", "a/b", false, true},
        {"a/b", "x/a/b", false, false},
        {"a/", "a", false, false},
        {"a/", "a", true, true},
        {"a/", "a/b", false, true},
        {"*.o", "x/y.o", false, true},
        {"*.o", ".o", false, true},
        {"*", "x/y", false, true},
        {"a/*", "a/b", false, true},
        {"a/*", "a/b/c", false, true},
        {"*/c", "a/b/c", false, false},
        {"**/c", "c", false, true},
        {"**/c", "a/b/c", false, true},
        {"a/**", "a", true, false},
        {"a/**", "a/b", false, true},
        {"a/**/c", "a/c", false, true},
        {"a/**/c", "a/b/b/c", false, true},
        {"a/**/c", "ab/c", false, false},
        {"x*a/b*c", "xaa/bcc", false, true},
        {"**/a/**/b*d", "x/a/a/y/bcd", false, true},
        {"?", "a", false, true},
        {"a?b", "a/b", false, false},
        {"[a-c]x", "bx", false, true},
        {"[!a-c]x", "bx", false, false},
        {"[^a-c]x", "dx", false, true},
        {"[]-]x", "-x", false, true},
        {"[a\\]]x", "]x", false, true},
        {"[[:digit:][:upper:]]", "7", false, true},
        {"[[:digit:][:upper:]]", "q", false, false},
        {"[[:nonsense:]]", "n", false, false},
        {"[a", "a", false, false},
        {"a[/]b", "a/b", false, false},
        {"\\*", "*", false, true},
        {"\\*", "a", false, false},
        {"a\\", "a", false, false},
        {"\\#a", "#a", false, true},
        {"#a", "#a", false, false},
        {"\\!a", "!a", false, true},
        {"a  ", "a", false, true},
        {"a\\ ", "a ", false, true},
        {"a\\  ", "a ", false, true},
        {"a\t", "a", false, false},
        {"a\r\nb\r\n", "a", false, true},
        {"\xef\xbb\xbf" "a", "a", false, true},
        {"\n\n/\n!\n", "a", false, false},
        {"*.c\n!a.c", "a.c", false, false},
        {"!a.c\n*.c", "a.c", false, true},
        {"d/\n!d/a", "d/a", false, true}, // not to be taken back
        {"d/*\n!d/a", "d/a", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (is_ignored(cases[i].text, cases[i].path, cases[i].is_dir) != cases[i].is_ignored)
            fail_msg("rules \"%s\" path \"%s\"", cases[i].text, cases[i].path);
}

static void
test_chain(UNUSED void **state)
{
    struct ignore *top = ignore_parse(NULL, STR_NONE, STR("*.log\n/gen\n"));
    struct ignore *deep = ignore_parse(ignore_ref(top), STR("src/net"), STR("!keep.log\n/gen\n"));
    assert_true(ignore_matches(deep, STR("src/net/x.log"), false));
    assert_false(ignore_matches(deep, STR("src/net/keep.log"), false));
    assert_true(ignore_matches(deep, STR("src/keep.log"), false)); // not below the nearer file
    assert_true(ignore_matches(deep, STR("src/net/gen"), true));
    assert_false(ignore_matches(deep, STR("src/gen"), true));
    assert_false(ignore_matches(deep, STR("src/netgen"), true));
    assert_false(ignore_matches(deep, STR("src/net"), true));
    assert_true(ignore_matches(top, STR("gen"), false));
    assert_false(ignore_matches(NULL, STR("gen"), false));
    ignore_unref(top);
    ignore_unref(deep);
}

/* Costs that grow with the square at most: fnmatch would not come back from these. */
static void
test_patterns_are_cheap(UNUSED void **state)
{
    struct buf pattern = {0}, path = {0};
    for (int i = 0; i < 200; i++)
        buf_add_cstr(&pattern, i % 2 ? "**/" : "*a*a*");
    buf_add_cstr(&pattern, "b");
    for (int i = 0; i < 3000; i++)
        buf_add_cstr(&path, i % 100 == 99 ? "/" : "a");
    buf_add_cstr(&path, "c");
    int64_t start = clock_mono_ms();
    assert_false(is_ignored(pattern.p, path.p, false));
    assert_true(clock_mono_ms() - start < 5000);
    buf_finish(&pattern);
    buf_finish(&path);
}

/* ---- patterns, as git has them ---- */

static uint64_t random_state = 88172645463325252ULL;

static unsigned
random_below(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 11) % n;
}

static const char *
pick(const char *const *from, size_t n)
{
    return from[random_below((unsigned)n)];
}

static void
random_pattern(struct buf *out)
{
    static const char *const parts[] = {
        "a",     "b",    "ab",      "foo",    "*",      "**",        "?",      "a*",
        "*b",    "f*o",  "*.c",     "[ab]",   "[!a]",   "[a-c]*",    "\\a",    "\\*",
        "a b",   "foo?", "[]a]b",   "[",      "a**",    "**b",       "***",    "[[:alpha:]]",
        "x.[ch]", "*o*", "a\\ ",    "\\",     "[^.]*",  "[[:punct:]]*", ".*",  "[b-]*",
        "[\\a-f]oo", "*[!b]", "a?b", "f**o",
    };
    if (random_below(4) == 0)
        buf_add_char(out, '!');
    if (random_below(4) == 0)
        buf_add_char(out, '/');
    unsigned n = 1 + random_below(3);
    for (unsigned i = 0; i < n; i++) {
        if (i)
            buf_add_char(out, '/');
        buf_add_cstr(out, pick(parts, ARRAY_LEN(parts)));
    }
    if (random_below(4) == 0)
        buf_add_char(out, '/');
    for (unsigned i = random_below(8) == 0 ? 2 : 0; i > 0; i--)
        buf_add_char(out, ' ');
    if (random_below(12) == 0)
        buf_add_char(out, '\r');
    buf_add_char(out, '\n');
}

struct git_path {
    const char *path;
    bool is_dir;
};

static const struct git_path git_paths[] = {
    {"a", true},           {"a/a", true},       {"a/a/b", true},     {"a/a/b/foo", false},
    {"a/a/b/x.c", false},  {"a/a/foo", false},  {"a/b", true},       {"a/b/a", false},
    {"a/b/b.c", false},    {"a/foo", true},     {"a/foo/foo", false}, {"a/foo/ab", false},
    {"a/x.c", false},      {"a/*", false},      {"a/.hid", false},   {"b", false},
    {"ab", true},          {"ab/b", true},      {"ab/b/foo", false}, {"ab/b/a b", false},
    {"ab/a ", false},      {"ab/]b", false},    {"ab/-", false},     {"foo", true},
    {"foo/a", true},       {"foo/a/b", true},   {"foo/a/b/ab", false}, {"foo/a/x.h", false},
    {"foo/foob", false},   {"foo/fxo", false},  {"x.c", false},      {"x.h", false},
    {"*", false},          {"a b", false},      {".hid", true},      {".hid/a", false},
    {".hid/b.c", false},   {"[", false},        {"\\", false},       {"fo", false},
    {"foox", true},        {"foox/b", false},   {"a#", false},       {"aXb", false},
};
static const char *const git_rule_dirs[] = {"", "a", "a/b", "foo", "ab"};

static void
test_patterns_against_git(UNUSED void **state)
{
    enum { ROUNDS = 250 };
    if (system("git --version >/dev/null 2>&1") != 0)
        skip();
    AUTO(free) char *root = xasprintf("%s/git", scratch);
    make_dir(root);
    run(fmt("git -C '%s' init -q", root));
    struct buf list = {0};
    for (size_t i = 0; i < ARRAY_LEN(git_paths); i++) {
        const char *path = fmt("%s/%s", root, git_paths[i].path);
        if (git_paths[i].is_dir)
            make_dir(path);
        else
            write_text(path, "");
        buf_add(&list, git_paths[i].path, strlen(git_paths[i].path) + 1);
    }
    AUTO(free) char *list_path = xasprintf("%s/git-paths", scratch);
    AUTO(free) char *answer_path = xasprintf("%s/git-answer", scratch);
    assert_int_equal(fs_write_atomic(list_path, buf_str(&list), 0644), 0);
    size_t n_ignored = 0, n_all = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct ignore *chain = NULL;
        struct buf rules[ARRAY_LEN(git_rule_dirs)] = {0};
        for (size_t d = 0; d < ARRAY_LEN(git_rule_dirs); d++) {
            unsigned n = d == 0 ? 1 + random_below(4) : random_below(3);
            for (unsigned i = 0; i < n; i++)
                random_pattern(&rules[d]);
            buf_add_cstr(&rules[d], "");
            write_text(fmt("%s/%s/.gitignore", root, git_rule_dirs[d]), rules[d].p ? rules[d].p : "");
            chain = ignore_parse(chain, str_of(git_rule_dirs[d]), buf_str(&rules[d]));
        }
        int r = system(fmt("git -C '%s' check-ignore --no-index -z --stdin <'%s' >'%s'", root,
                           list_path, answer_path));
        assert_true(WIFEXITED(r) && WEXITSTATUS(r) <= 1);
        struct buf answer = {0};
        assert_int_equal(fs_read_file(answer_path, 1 << 20, &answer, NULL), 0);
        struct map *ignored = map_create();
        struct str rest = buf_str(&answer), part;
        while (str_split(&rest, '\0', &part))
            map_put(ignored, part, ignored);
        for (size_t i = 0; i < ARRAY_LEN(git_paths); i++) {
            struct str path = str_of(git_paths[i].path);
            bool is_git = map_get(ignored, path) != NULL;
            bool is_ours = ignore_matches(chain, path, git_paths[i].is_dir);
            n_all++;
            n_ignored += is_git;
            if (is_git != is_ours) {
                for (size_t d = 0; d < ARRAY_LEN(git_rule_dirs); d++)
                    print_error("in \"%s\":\n%s", git_rule_dirs[d], rules[d].p ? rules[d].p : "");
                fail_msg("round %d, %s: git %d, we %d", round, git_paths[i].path, is_git, is_ours);
            }
        }
        map_destroy(ignored);
        buf_finish(&answer);
        for (size_t d = 0; d < ARRAY_LEN(git_rule_dirs); d++)
            buf_finish(&rules[d]);
        ignore_unref(chain);
    }
    buf_finish(&list);
    /* Both answers have to be common, or this proves little. */
    assert_in_range(n_ignored, n_all / 10, n_all - n_all / 10);
    run(fmt("rm -rf '%s'", root));
}

/* ---- the walk ---- */

static void
test_walk(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, ".gitignore"), "*.o\n/gen/\n!keep.o\n");
    write_text(at(&f, ".ignore"), "*.tmp\n");
    write_text(at(&f, ".glossignore"), "!want.tmp\n");
    write_text(at(&f, "main.c"), "int main;\n");
    write_text(at(&f, "main.o"), "");
    write_text(at(&f, "keep.o"), "");
    write_text(at(&f, "no.tmp"), "");
    write_text(at(&f, "want.tmp"), "");
    write_text(at(&f, "gen/x.c"), "");
    write_text(at(&f, "src/gen/x.c"), "");
    write_text(at(&f, "src/.gitignore"), "!main.o\n");
    write_text(at(&f, "src/main.o"), "");
    write_text(at(&f, ".hidden"), "");
    write_text(at(&f, ".git/HEAD"), "");
    write_text(at(&f, "sub/.git"), "gitdir: elsewhere\n");
    write_text(at(&f, "node_modules/m/index.js"), "");
    write_text(at(&f, "target/x.c"), "");
    write_text(at(&f, "rust/Cargo.toml"), "");
    write_text(at(&f, "rust/target/x.c"), "");
    write_text(at(&f, "rust/src/target/x.c"), "");
    write_text(at(&f, "secret/x.c"), "");
    write_text(at(&f, "a b/ü\n.c"), "");
    assert_int_equal(symlink("main.c", at(&f, "link.c")), 0);
    assert_int_equal(symlink("/etc/passwd", at(&f, "out.c")), 0);
    assert_int_equal(symlink("/etc", at(&f, "etc")), 0);
    assert_int_equal(symlink("nowhere", at(&f, "broken.c")), 0);
    assert_int_equal(mkfifo(at(&f, "fifo.c"), 0644), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket.c", f.root);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    const struct str patterns[] = {STR("/secret/"), STR("!*.c")};
    f.config.ignore = patterns;
    f.config.n_ignore = 1;
    walk(&f, false);
    ASSERT_MODEL(&f, ".gitignore", ".ignore", ".glossignore", "main.c", "keep.o", "want.tmp",
                 "src/gen/x.c", "src/.gitignore", "src/main.o", ".hidden", "target/x.c",
                 "rust/Cargo.toml", "rust/src/target/x.c", "a b/ü\n.c");
    assert_int_equal(f.n_files, 14);
    assert_int_equal(scan_unwatched(f.scan), 0);

    /* A second walk says it all again. */
    size_t before = f.n_files;
    f.walk++;
    unlink(at(&f, "main.c"));
    scan_start(f.scan, false);
    wait_for(&f, "walked 1");
    assert_int_equal(f.n_files, before + 13);
    assert_false(is_in_model(&f, "main.c"));
    tear_down(&f);
}

static void
test_rules_from_above(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    AUTO(free) char *top = f.root;
    AUTO(free) char *user = xasprintf("%s/config/git/ignore", scratch);
    f.root = xasprintf("%s/deep/er", top);
    write_text(user, "*.user\n");
    write_text(fmt("%s/.gitignore", top), "*.top\n/deep/er/exact\n/exact2\n");
    write_text(fmt("%s/deep/.gitignore", top), "!keep.top\n");
    write_text(fmt("%s/.git/info/exclude", top), "*.excluded\n");
    write_text(at(&f, "a.user"), "");
    write_text(at(&f, "a.top"), "");
    write_text(at(&f, "keep.top"), "");
    write_text(at(&f, "a.excluded"), "");
    write_text(at(&f, "exact/a"), "");
    write_text(at(&f, "exact2/a"), "");
    write_text(at(&f, "sub/a.top"), "");
    write_text(at(&f, "sub/exact"), "");
    walk(&f, false);
    ASSERT_MODEL(&f, "keep.top", "exact2/a", "sub/exact");
    tear_down(&f);

    /* A worktree: its .git is a file, and the excludes are the main repository's. */
    set_up(&f);
    write_text(fmt("%s/.git/worktrees/w/commondir", top), "../..\n");
    write_text(fmt("%s/.git/info/exclude", top), "*.excluded\n");
    write_text(at(&f, ".git"), fmt("gitdir: %s/.git/worktrees/w\n", top));
    write_text(at(&f, "a.excluded"), "");
    write_text(at(&f, "a.c"), "");
    walk(&f, false);
    ASSERT_MODEL(&f, "a.c");
    unlink(user);
    tear_down(&f);
    run(fmt("rm -rf '%s'", top));
}

static void
test_symlink_loop(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, "a/b/x.c"), "");
    assert_int_equal(symlink("..", at(&f, "a/b/up")), 0);
    assert_int_equal(symlink(f.root, at(&f, "a/self")), 0);
    assert_int_equal(symlink("loop", at(&f, "loop")), 0);
    walk(&f, true);
    ASSERT_MODEL(&f, "a/b/x.c");
    assert_int_equal(f.n_files, 1);
    tear_down(&f);
}

/* Runs in a child of its own, which may give up rights; its exit is the result. 77: not possible here. */
static int
in_child(void (*fn)(struct fixture *f))
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fixture f;
        fn(&f);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    run(fmt("rm -rf '%s'/root*", scratch));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define REQUIRE(condition)                                                               \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            print_error("%s:%d: %s\n", __FILE__, __LINE__, #condition);                  \
            _exit(1);                                                                    \
        }                                                                                \
    } while (0)

static void
child_wait(struct fixture *f, const char *line)
{
    arm(f);
    while (count_lines(f, f->seen, line) == 0) {
        uv_run(&f->loop.uv, UV_RUN_ONCE);
        REQUIRE(!f->is_late);
    }
    f->seen = f->log.n;
}

static void
walk_as_nobody(struct fixture *f)
{
    set_up(f);
    write_text(at(f, "open/a.c"), "");
    write_text(at(f, "shut/b.c"), "");
    write_text(at(f, "odd/.gitignore"), "*");
    write_text(at(f, "odd/c.c"), "");
    REQUIRE(chmod(at(f, "odd/.gitignore"), 0) == 0);
    REQUIRE(chown(at(f, "shut"), 65534, 65534) == 0);
    REQUIRE(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
    REQUIRE(chmod(at(f, "shut"), 0) == 0);
    open_scan(f);
    scan_start(f->scan, true);
    child_wait(f, "walked 0");
    REQUIRE(count_lines(f, 0, "problem shut -13") == 1);
    REQUIRE(count_lines(f, 0, "problem odd/.gitignore -13") == 1);
    REQUIRE(is_in_model(f, "open/a.c") && is_in_model(f, "odd/c.c"));
    REQUIRE(!is_in_model(f, "shut/b.c"));
    /* It opens: found without a walk. */
    REQUIRE(chmod(at(f, "shut"), 0755) == 0);
    child_wait(f, "file shut/b.c");
}

static void
test_unreadable(UNUSED void **state)
{
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(walk_as_nobody), 0);
}

static void
walk_mounted_twice(struct fixture *f)
{
    set_up(f);
    write_text(at(f, "a/x.c"), "");
    make_dir(at(f, "a/again"));
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(f->root, at(f, "a/again"), NULL, MS_BIND, NULL) != 0)
        _exit(77);
    open_scan(f);
    scan_start(f->scan, true);
    child_wait(f, "walked 1");
    REQUIRE(f->n_files == 1 && is_in_model(f, "a/x.c"));
    umount(at(f, "a/again"));
}

static void
test_mounted_twice(UNUSED void **state)
{
    int r = in_child(walk_mounted_twice);
    if (r == 77)
        skip();
    assert_int_equal(r, 0);
}

static void
test_missing_root(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    assert_int_equal(rmdir(f.root), 0);
    open_scan(&f);
    scan_start(f.scan, true);
    wait_for(&f, "walked 0");
    assert_int_equal(count_lines(&f, 0, "problem  -2"), 1);
    tear_down(&f);
}

static void
make_many(const struct fixture *f, unsigned n_dirs, unsigned n_files)
{
    for (unsigned d = 0; d < n_dirs; d++) {
        make_dir(at(f, fmt("d%u", d)));
        int dir = open(at(f, fmt("d%u", d)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (unsigned i = 0; i < n_files; i++) {
            int fd = openat(dir, fmt("f%u.c", i), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
            assert_true(fd >= 0);
            close(fd);
        }
        close(dir);
    }
}

static void
test_many_files(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    make_many(&f, 2, 3500); // several chunks each
    for (unsigned i = 0; i < 60; i++) {
        make_dir(at(&f, fmt("deep%u/a/b", i)));
        for (unsigned k = 0; k < 50; k++)
            write_text(at(&f, fmt("deep%u/a/b/f%u", i, k)), "");
    }
    f.pause_every = f.n_until_pause = 100;
    walk(&f, true);
    assert_int_equal(f.n_files, 10000);
    assert_int_equal(map_count(f.model), 10000); // each once
    tear_down(&f);
}

static void
cancel_at_10(struct fixture *f, UNUSED const char *path)
{
    if (f->n_files == 10)
        scan_cancel(f->scan);
}

static void
close_at_10(struct fixture *f, UNUSED const char *path)
{
    if (f->n_files == 10)
        scan_close(f->scan, on_scan_closed, f);
}

static void
test_cancel(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    make_many(&f, 20, 20);
    f.on_file = cancel_at_10;
    open_scan(&f);
    scan_start(f.scan, true);
    wait_for(&f, "walked 0");
    assert_int_equal(f.n_files, 10);
    assert_int_equal(f.log.n, f.seen);
    tear_down(&f);

    set_up(&f);
    make_many(&f, 20, 20);
    f.on_file = close_at_10;
    open_scan(&f);
    scan_start(f.scan, true);
    arm(&f);
    while (!f.is_closed)
        run_once(&f, "the end");
    f.scan = NULL;
    assert_int_equal(f.n_files, 10);
    assert_int_equal(f.log.n, 10); // no on_walked either
    tear_down(&f);

    /* Closed before and right after its start; and while paused. */
    set_up(&f);
    open_scan(&f);
    close_scan(&f);
    f.is_closed = false;
    open_scan(&f);
    scan_start(f.scan, true);
    close_scan(&f);
    f.is_closed = false;
    make_many(&f, 5, 5);
    open_scan(&f);
    scan_start(f.scan, true);
    scan_pause(f.scan);
    arm(&f);
    while (pool_pending(f.pool) > 0)
        run_once(&f, "the jobs");
    assert_int_equal(f.n_files, 0);
    tear_down(&f);
}

static void
remove_others(struct fixture *f, const char *path)
{
    if (f->n_files > 1)
        return;
    for (unsigned d = 0; d < 200; d++)
        if (!str_starts_with(str_of(path), str_of(fmt("d%u/", d))))
            run(fmt("rm -rf '%s/d%u'", f->root, d));
}

static void
test_vanishing(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    make_many(&f, 60, 3);
    f.on_file = remove_others;
    walk(&f, true);
    wait_until_told(&f);
    size_t n_dirs = 0;
    for (unsigned d = 0; d < 60; d++)
        n_dirs += fs_exists(at(&f, fmt("d%u", d)));
    assert_int_equal(n_dirs, 1);
    assert_int_equal(map_count(f.model), 3);
    for (size_t i = 0; i < f.log.n; i++)
        assert_false(str_starts_with(str_of(f.log.v[i]), STR("problem")));
    tear_down(&f);
}

/* ---- watching ---- */

static void
test_changes(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, "a.c"), "1");
    write_text(at(&f, "dir/b.c"), "1");
    write_text(at(&f, "dir/sub/c.c"), "1");
    write_text(at(&f, ".gitignore"), "*.o\n");
    walk(&f, true);

    write_text(at(&f, "a.c"), "22");
    wait_for(&f, "file a.c");
    write_text(at(&f, "dir/new.c"), "1");
    wait_for(&f, "file dir/new.c");
    unlink(at(&f, "dir/new.c"));
    wait_for(&f, "removed dir/new.c");
    rename(at(&f, "a.c"), at(&f, "dir/sub/a.c"));
    wait_for(&f, "file dir/sub/a.c");
    ASSERT_MODEL(&f, ".gitignore", "dir/b.c", "dir/sub/c.c", "dir/sub/a.c");

    /* Whole folders: moved inside, then changed under the new name; moved out; moved in. */
    rename(at(&f, "dir"), at(&f, "moved"));
    wait_for(&f, "removed dir");
    wait_until_told(&f);
    ASSERT_MODEL(&f, ".gitignore", "moved/b.c", "moved/sub/c.c", "moved/sub/a.c");
    write_text(at(&f, "moved/sub/c.c"), "333");
    wait_for(&f, "file moved/sub/c.c");
    AUTO(free) char *aside = xasprintf("%s/aside", scratch);
    rename(at(&f, "moved"), aside);
    wait_for(&f, "removed moved");
    ASSERT_MODEL(&f, ".gitignore");
    rename(aside, at(&f, "back"));
    wait_for(&f, "file back/sub/c.c");
    wait_until_told(&f);
    ASSERT_MODEL(&f, ".gitignore", "back/b.c", "back/sub/c.c", "back/sub/a.c");

    /* Deep folders made at once, and one that is replaced by another of its name. */
    write_text(at(&f, "x/y/z/deep.c"), "1");
    wait_for(&f, "file x/y/z/deep.c");
    run(fmt("rm -rf '%s/x' && mkdir -p '%s/x/q' && echo 1 >'%s/x/q/other.c'", f.root, f.root, f.root));
    wait_for(&f, "file x/q/other.c");
    write_text(at(&f, "x/q/more.c"), "1");
    wait_for(&f, "file x/q/more.c");
    ASSERT_MODEL(&f, ".gitignore", "back/b.c", "back/sub/c.c", "back/sub/a.c", "x/q/other.c",
                 "x/q/more.c");

    /* A file becomes a folder, a link, a pipe. */
    unlink(at(&f, "back/b.c"));
    write_text(at(&f, "back/b.c/in.c"), "");
    wait_for(&f, "file back/b.c/in.c");
    assert_false(is_in_model(&f, "back/b.c"));
    run(fmt("rm -rf '%s/back/b.c'", f.root));
    assert_int_equal(symlink("/etc/passwd", at(&f, "back/b.c")), 0);
    wait_for(&f, "removed back/b.c");
    unlink(at(&f, "x/q/more.c"));
    assert_int_equal(mkfifo(at(&f, "x/q/more.c"), 0644), 0);
    wait_for(&f, "removed x/q/more.c");

    /* What is ignored makes no noise. */
    size_t quiet = f.log.n;
    write_text(at(&f, "x/q/other.o"), "1");
    write_text(at(&f, ".git/config"), "1");
    write_text(at(&f, "node_modules/m.js"), "1");
    wait_until_told(&f);
    for (size_t i = quiet; i < f.log.n; i++)
        assert_non_null(strstr(f.log.v[i], "told-"));
    tear_down(&f);
}

static void
test_burst_is_one_change(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, "a.c"), "");
    walk(&f, true);
    for (int i = 0; i < 50; i++) {
        write_text(at(&f, "a.c"), "more and more");
        write_text(at(&f, "b.tmp"), "x");
        rename(at(&f, "b.tmp"), at(&f, "b.c"));
    }
    wait_until_told(&f);
    assert_int_equal(count_lines(&f, 0, "file a.c"), 2);
    assert_int_equal(count_lines(&f, 0, "file b.c"), 1);
    assert_int_equal(count_lines(&f, 0, "file b.tmp"), 0);
    tear_down(&f);
}

static void
test_changes_while_paused(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    make_many(&f, 3, 3);
    walk(&f, true);
    f.is_paused = true; // on_file asserts
    scan_pause(f.scan);
    write_text(at(&f, "d1/f1.c"), "x");
    unlink(at(&f, "d1/f2.c"));
    make_many(&f, 6, 3);
    arm(&f);
    timer_start(f.deadline, 60, 0);
    while (!f.is_late)
        uv_run(&f.loop.uv, UV_RUN_ONCE);
    unlink(at(&f, "d5/f0.c"));
    resume(&f);
    wait_until_told(&f);
    assert_int_equal(map_count(f.model), 17);
    assert_false(is_in_model(&f, "d5/f0.c"));
    tear_down(&f);
}

static void
test_changed_rules(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    run(fmt("mkdir -p '%s/.git/info'", f.root));
    write_text(at(&f, ".gitignore"), "*.o\n/out/\n");
    write_text(at(&f, "a.c"), "");
    write_text(at(&f, "a.o"), "");
    write_text(at(&f, "lib/b.c"), "");
    write_text(at(&f, "lib/b.o"), "");
    write_text(at(&f, "lib/gen/g.c"), "");
    write_text(at(&f, "out/o.c"), "");
    walk(&f, true);
    ASSERT_MODEL(&f, ".gitignore", "a.c", "lib/b.c", "lib/gen/g.c");

    size_t from = f.log.n;
    write_text(at(&f, ".gitignore"), "b.c\ngen/\n");
    wait_for(&f, "file .gitignore");
    wait_until_told(&f);
    ASSERT_MODEL(&f, ".gitignore", "a.c", "a.o", "lib/b.o", "out/o.c");
    assert_int_equal(count_lines(&f, from, "removed lib/gen"), 1);
    assert_int_equal(count_lines(&f, from, "file a.c"), 0); // no rule decides otherwise of it
    /* The new rules hold for what comes, also in the folder that is new. */
    write_text(at(&f, "out/b.c"), "");
    write_text(at(&f, "out/gen/x.c"), "");
    write_text(at(&f, "out/x.o"), "");
    wait_for(&f, "file out/x.o");
    wait_until_told(&f);
    ASSERT_MODEL(&f, ".gitignore", "a.c", "a.o", "lib/b.o", "out/o.c", "out/x.o");

    unlink(at(&f, ".gitignore"));
    wait_for(&f, "removed .gitignore");
    wait_until_told(&f);
    ASSERT_MODEL(&f, "a.c", "a.o", "lib/b.c", "lib/b.o", "lib/gen/g.c", "out/o.c", "out/x.o", "out/b.c",
                 "out/gen/x.c");

    write_text(at(&f, ".git/info/exclude"), "/lib\n/out\n*.o\n");
    wait_for(&f, "removed out");
    wait_until_told(&f);
    ASSERT_MODEL(&f, "a.c");
    write_text(at(&f, ".git/info/exclude"), "/lib\n");
    wait_for(&f, "file out/o.c");
    wait_until_told(&f);
    ASSERT_MODEL(&f, "a.c", "a.o", "out/o.c", "out/x.o", "out/b.c", "out/gen/x.c");

    write_text(at(&f, "out/target/t.c"), "");
    wait_for(&f, "file out/target/t.c");
    write_text(at(&f, "out/Cargo.toml"), "");
    wait_for(&f, "removed out/target");
    unlink(at(&f, "out/Cargo.toml"));
    wait_for(&f, "file out/target/t.c");
    tear_down(&f);
}

static void
run_for(struct fixture *f, uint64_t ms)
{
    f->is_late = false;
    timer_start(f->deadline, ms, 0);
    while (!f->is_late)
        uv_run(&f->loop.uv, UV_RUN_ONCE);
    f->is_late = false;
}

static void
test_git_lock(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, ".git/HEAD"), "");
    write_text(at(&f, "a.c"), "1");
    walk(&f, true);
    write_text(at(&f, ".git/index.lock"), "");
    write_text(at(&f, "a.c"), "22");
    size_t from = f.log.n;
    run_for(&f, 80); // long enough for a change that is not held back
    assert_int_equal(f.log.n, from);
    write_text(at(&f, "a.c"), "333");
    rename(at(&f, ".git/index.lock"), at(&f, ".git/index"));
    wait_for(&f, "file a.c");
    wait_until_told(&f);
    assert_int_equal(count_lines(&f, from, "file a.c"), 1);

    /* A lock that nobody takes away holds nothing for ever. */
    write_text(at(&f, ".git/index.lock"), "");
    write_text(at(&f, "a.c"), "4444");
    int64_t start = clock_mono_ms();
    wait_for(&f, "file a.c");
    assert_in_range(clock_mono_ms() - start, 1000, 10000);
    tear_down(&f);

    /* One that is there before us counts too. */
    set_up(&f);
    write_text(at(&f, ".git/index.lock"), "");
    walk(&f, true);
    write_text(at(&f, "b.c"), "1");
    run_for(&f, 80);
    assert_int_equal(count_lines(&f, 0, "file b.c"), 0);
    unlink(at(&f, ".git/index.lock"));
    wait_for(&f, "file b.c");
    tear_down(&f);
}

static void
test_recheck(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, ".gitignore"), "*.o\n/gen/\n");
    write_text(at(&f, "src/a.c"), "");
    write_text(at(&f, "src/a.o"), "");
    write_text(at(&f, "gen/deep/a.c"), "");
    open_scan(&f);
    scan_start(f.scan, false);
    scan_recheck(f.scan, STR("src/a.c")); // while the walk has not come there
    wait_for(&f, "walked 1");
    assert_true(is_in_model(&f, "src/a.c"));
    size_t from = f.seen = f.log.n;
    scan_recheck(f.scan, STR("src/a.c"));
    scan_recheck(f.scan, STR("src/none.c"));
    scan_recheck(f.scan, STR("src/a.o"));
    scan_recheck(f.scan, STR("gen/deep/a.c"));
    scan_recheck(f.scan, STR("none/deep/a.c"));
    scan_recheck(f.scan, STR(".git/config"));
    scan_recheck(f.scan, STR("../outside"));
    scan_recheck(f.scan, STR("/etc/passwd"));
    write_text(at(&f, "fresh/deep/b.c"), ""); // without a watch nobody knows that folder
    scan_recheck(f.scan, STR("fresh/deep/b.c"));
    wait_for(&f, "file fresh/deep/b.c");
    assert_int_equal(count_lines(&f, from, "file src/a.c"), 1);
    assert_int_equal(count_lines(&f, from, "removed src/none.c"), 1);
    assert_int_equal(count_lines(&f, from, "removed src/a.o"), 1);
    assert_int_equal(count_lines(&f, from, "removed gen/deep/a.c"), 1);
    assert_int_equal(count_lines(&f, from, "removed none/deep/a.c"), 1);
    assert_int_equal(count_lines(&f, from, "removed .git/config"), 1);
    assert_int_equal(f.log.n - from, 7);
    tear_down(&f);
}

/* ---- the model against the tree ---- */

static bool
is_tree_in_model(struct fixture *f, const char *dir, size_t *n)
{
    AUTO(free) char *command = xasprintf("cd '%s' && find . -type f >'%s/found'", dir, scratch);
    run(command);
    struct buf found = {0};
    assert_int_equal(fs_read_file(fmt("%s/found", scratch), 64 << 20, &found, NULL), 0);
    struct str rest = buf_str(&found), line;
    bool is_all = true;
    *n = 0;
    while (str_split(&rest, '\n', &line)) {
        is_all &= map_get(f->model, str_slice(line.p + 2, line.n - 2)) != NULL;
        (*n)++;
    }
    buf_finish(&found);
    return is_all;
}

static void
wait_for_truth(struct fixture *f)
{
    size_t n = 0;
    arm(f);
    while (!is_tree_in_model(f, f->root, &n) || map_count(f->model) != n)
        run_once(f, "the model to be the tree");
}

static void
random_change(struct fixture *f)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    char path[2][64];
    for (int i = 0; i < 2; i++) {
        size_t n = 0;
        unsigned depth = 1 + random_below(4);
        for (unsigned d = 0; d < depth; d++)
            n += (size_t)snprintf(path[i] + n, sizeof(path[i]) - n, "%s%s", d ? "/" : "",
                                  pick(names, ARRAY_LEN(names)));
    }
    const char *one = at(f, path[0]), *two = at(f, path[1]);
    switch (random_below(8)) {
    case 0:
    case 1: (void)!mkdir(one, 0755); break;
    case 2:
    case 3:
    case 4: {
        int fd = open(one, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd >= 0) {
            assert_int_equal(write(fd, "x", 1), 1);
            close(fd);
        }
        break;
    }
    case 5: (void)!unlink(one); break;
    case 6: (void)!rename(one, two); break;
    default:
        if (random_below(4) == 0)
            run(fmt("rm -rf '%s'", one));
        else
            (void)!rmdir(one);
    }
}

static void
stress(unsigned n_rounds, unsigned n_changes, size_t watch_limit)
{
    struct fixture f;
    set_up(&f);
    for (int i = 0; i < 100; i++)
        random_change(&f);
    open_scan(&f);
    scan_limit_watches(f.scan, watch_limit);
    scan_start(f.scan, true); // changes begin before it has walked
    for (unsigned round = 0; round < n_rounds; round++) {
        for (unsigned i = 0; i < n_changes; i++) {
            random_change(&f);
            if (random_below(6) == 0)
                uv_run(&f.loop.uv, UV_RUN_NOWAIT);
            if (random_below(60) == 0)
                run_for(&f, 12);
        }
        wait_for_truth(&f);
    }
    assert_int_equal(count_lines(&f, 0, "walked 1"), 1);
    tear_down(&f);
}

static void
test_random_changes(UNUSED void **state)
{
    stress(12, 400, SIZE_MAX);
}

static void
test_random_changes_unwatched(UNUSED void **state)
{
    stress(2, 300, 2);
}

static void
test_rename_storm(UNUSED void **state)
{
    struct buf text = {0};
    if (fs_read_file("/proc/sys/fs/inotify/max_queued_events", 64, &text, NULL) < 0)
        skip();
    unsigned n_queued = (unsigned)atoi(text.p);
    buf_finish(&text);
    if (n_queued > 100000)
        skip();
    struct fixture f;
    set_up(&f);
    make_many(&f, 4, 10);
    walk(&f, true);
    AUTO(free) char *one = xstrdup(at(&f, "d0"));
    AUTO(free) char *two = xstrdup(at(&f, "moved"));
    for (unsigned i = 0; i < n_queued / 2 + 100; i++) { // two events each: more than the queue holds
        assert_int_equal(rename(one, two), 0);
        assert_int_equal(rename(two, one), 0);
    }
    unlink(at(&f, "d3/f3.c"));
    write_text(at(&f, "d2/new.c"), "1");
    wait_for(&f, "rescan");
    wait_for(&f, "walked 1");
    wait_for_truth(&f);
    /* And it goes on as before. */
    write_text(at(&f, "d0/later.c"), "1");
    wait_for(&f, "file d0/later.c");
    tear_down(&f);
}

static void
test_unwatched(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, "a/x.c"), "1");
    write_text(at(&f, "b/y.c"), "1");
    write_text(at(&f, "b/z.o"), "1");
    write_text(at(&f, "c/z.c"), "1");
    open_scan(&f);
    scan_limit_watches(f.scan, 1); // the root
    scan_start(f.scan, true);
    wait_for(&f, "walked 1");
    assert_int_equal(scan_unwatched(f.scan), 3);
    size_t from = f.seen = f.log.n;
    write_text(at(&f, "b/y.c"), "22");
    write_text(at(&f, "b/sub/new.c"), "1");
    unlink(at(&f, "c/z.c"));
    wait_for(&f, "removed c/z.c");
    write_text(at(&f, "b/.gitignore"), "*.o\n");
    wait_for(&f, "removed b/z.o");
    ASSERT_MODEL(&f, "a/x.c", "b/y.c", "b/sub/new.c", "b/.gitignore");
    assert_int_equal(count_lines(&f, from, "file b/y.c"), 1);
    assert_int_equal(count_lines(&f, from, "file a/x.c"), 0);
    assert_int_equal(scan_unwatched(f.scan), 4);
    /* Watches were given back: each folder is watched again, and a change told at once. */
    scan_limit_watches(f.scan, 100);
    arm(&f);
    while (scan_unwatched(f.scan) > 0)
        run_once(&f, "watches");
    from = f.log.n;
    write_text(at(&f, "b/sub/new.c"), "22");
    wait_for(&f, "file b/sub/new.c");
    assert_int_equal(f.log.n, from + 1);
    tear_down(&f);
}

/* Not a figure to hold anybody to: printed for who looks, with a bound that only a fault breaks. */
static void
test_speed(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, ".gitignore"), "*.o\n*.a\n*.so\n/build/\n*~\n.*.swp\ntags\n*.d\n!keep.d\n");
    make_many(&f, 500, 100);
    f.no_log = true;
    open_scan(&f);
    arm(&f);
    int64_t start = clock_mono_ns();
    scan_start(f.scan, true);
    while (f.n_files < 50001)
        run_once(&f, "50,001 files");
    print_message("# 50,001 files in 501 folders walked and watched in %.0f ms\n",
                  (double)(clock_mono_ns() - start) / 1e6);
    tear_down(&f);
}

static int
set_up_all(UNUSED void **state)
{
    const char *tmp = getenv("TMPDIR");
    AUTO(free) char *template = xasprintf("%s/test-scan-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    if (!mkdtemp(template) || chmod(template, 0755) < 0 || fs_real_path(template, &scratch) < 0)
        return -1;
    /* The user's own settings have no say here. */
    setenv("XDG_CONFIG_HOME", fmt("%s/config", scratch), 1);
    setenv("HOME", scratch, 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    return 0;
}

static int
tear_down_all(UNUSED void **state)
{
    int r = system(fmt("rm -rf '%s'", scratch));
    free(scratch);
    return r;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_patterns_are_cheap),
        cmocka_unit_test(test_patterns_against_git),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_rules_from_above),
        cmocka_unit_test(test_symlink_loop),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_mounted_twice),
        cmocka_unit_test(test_missing_root),
        cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_vanishing),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_burst_is_one_change),
        cmocka_unit_test(test_changes_while_paused),
        cmocka_unit_test(test_changed_rules),
        cmocka_unit_test(test_git_lock),
        cmocka_unit_test(test_recheck),
        cmocka_unit_test(test_random_changes),
        cmocka_unit_test(test_random_changes_unwatched),
        cmocka_unit_test(test_rename_storm),
        cmocka_unit_test(test_unwatched),
        cmocka_unit_test(test_speed),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
