/* Patterns: cases by hand, and what git itself answers to generated ones. */
#include "check.h"

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
        {"\xef\xbb\xbf"
         "a",
         "a", false, true},
        {"\n\n/\n!\n", "a", false, false},
        {"*.c\n!a.c", "a.c", false, false},
        {"!a.c\n*.c", "a.c", false, true},
        {"d/\n!d/a", "d/a", false, true}, // not to be taken back
        {"d/*\n!d/a", "d/a", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (is_ignored(cases[i].text, cases[i].path, cases[i].is_dir) !=
            cases[i].is_ignored)
            fail_msg("rules \"%s\" path \"%s\"", cases[i].text, cases[i].path);
}

static void
test_chain(UNUSED void **state)
{
    struct ignore *top = ignore_parse(NULL, STR_NONE, STR("*.log\n/gen\n"));
    struct ignore *deep =
        ignore_parse(ignore_ref(top), STR("src/net"), STR("!keep.log\n/gen\n"));
    assert_true(ignore_matches(deep, STR("src/net/x.log"), false));
    assert_false(ignore_matches(deep, STR("src/net/keep.log"), false));
    assert_true(
        ignore_matches(deep, STR("src/keep.log"), false)); // not below the nearer file
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

static void
random_pattern(struct buf *out)
{
    static const char *const parts[] = {
        "a",      "b",      "ab",        "foo",   "*",     "**",
        "?",      "a*",     "*b",        "f*o",   "*.c",   "[ab]",
        "[!a]",   "[a-c]*", "\\a",       "\\*",   "a b",   "foo?",
        "[]a]b",  "[",      "a**",       "**b",   "***",   "[[:alpha:]]",
        "x.[ch]", "*o*",    "a\\ ",      "\\",    "[^.]*", "[[:punct:]]*",
        ".*",     "[b-]*",  "[\\a-f]oo", "*[!b]", "a?b",   "f**o",
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
    {"a", true},          {"a/a", true},      {"a/a/b", true},       {"a/a/b/foo", false},
    {"a/a/b/x.c", false}, {"a/a/foo", false}, {"a/b", true},         {"a/b/a", false},
    {"a/b/b.c", false},   {"a/foo", true},    {"a/foo/foo", false},  {"a/foo/ab", false},
    {"a/x.c", false},     {"a/*", false},     {"a/.hid", false},     {"b", false},
    {"ab", true},         {"ab/b", true},     {"ab/b/foo", false},   {"ab/b/a b", false},
    {"ab/a ", false},     {"ab/]b", false},   {"ab/-", false},       {"foo", true},
    {"foo/a", true},      {"foo/a/b", true},  {"foo/a/b/ab", false}, {"foo/a/x.h", false},
    {"foo/foob", false},  {"foo/fxo", false}, {"x.c", false},        {"x.h", false},
    {"*", false},         {"a b", false},     {".hid", true},        {".hid/a", false},
    {".hid/b.c", false},  {"[", false},       {"\\", false},         {"fo", false},
    {"foox", true},       {"foox/b", false},  {"a#", false},         {"aXb", false},
};
static const char *const git_rule_dirs[] = {"", "a", "a/b", "foo", "ab"};

static void
test_patterns_against_git(UNUSED void **state)
{
    enum { ROUNDS = 250 };
    if (system("git --version >/dev/null 2>&1") != 0) {
        print_message("# skipped: git is missing\n");
        return;
    }
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
            write_text(fmt("%s/%s/.gitignore", root, git_rule_dirs[d]),
                       rules[d].p ? rules[d].p : "");
            chain = ignore_parse(chain, str_of(git_rule_dirs[d]), buf_str(&rules[d]));
        }
        int r = system(fmt("git -C '%s' check-ignore --no-index -z --stdin <'%s' >'%s'",
                           root, list_path, answer_path));
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
                    print_error("in \"%s\":\n%s", git_rule_dirs[d],
                                rules[d].p ? rules[d].p : "");
                fail_msg("round %d, %s: git %d, we %d", round, git_paths[i].path, is_git,
                         is_ours);
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

/* ---- the places rules come from, as git has them ---- */

static void
random_rules(struct buf *out)
{
    buf_reset(out);
    if (random_below(5) == 0)
        buf_add_cstr(out, "\xef\xbb\xbf");
    struct buf line = {0};
    bool is_crlf = random_below(4) == 0;
    for (unsigned i = random_below(4); i > 0; i--) {
        buf_reset(&line);
        random_pattern(&line);
        buf_add_str(out, str_slice(line.p, line.n - 1));
        if (i > 1 || random_below(3))
            buf_add_cstr(out, is_crlf ? "\r\n" : "\n");
        else if (is_crlf)
            buf_add_char(out, '\r'); // as the last byte of the file
    }
    buf_finish(&line);
    buf_add_cstr(out, "");
}

static const char *const config_files[] = {".gitconfig", "config/git/config", NULL};

/* A condition on where the repository is, in one of the ways that git reads; half of them hold. */
static const char *
random_condition(const struct fixture *f)
{
    AUTO(free) char *root_name = str_dup(path_basename(str_of(f->root)));
    switch (random_below(16)) {
    case 0: return fmt("gitdir:%s/.git", f->root);
    case 1: return fmt("gitdir:%s/", f->root);
    case 2: return fmt("gitdir:%s", f->root); // without the slash: this very folder
    case 3: return fmt("gitdir:%s/**", scratch);
    case 4: return "gitdir:~/";
    case 5: return "gitdir:~/other/";
    case 6: return fmt("gitdir:%s/", root_name);
    case 7: return fmt("gitdir:%s/.git", root_name);
    case 8: return "gitdir:.git";
    case 9: return fmt("gitdir:./%s/", root_name);
    case 10: return "gitdir:./**/.git";
    case 11: return "gitdir/i:~/**/.GIT";
    case 12: return "gitdir:~/**/.GIT";
    case 13: return fmt("gitdir:%s/*/.[g]it", scratch);
    case 14: return "gitdir:/nowhere/";
    default: return "onbranch:no-such-branch";
    }
}

static const char *random_setting(const struct fixture *f, const char *name);

/* Settings that take in another file, which is written; it lies beside the one that names it or not,
 * and may take in others. */
static const char *
random_include(const struct fixture *f, const char *name)
{
    static int depth;
    AUTO(free) char *file = xasprintf("included-%d", depth);
    if (depth < 3) {
        depth++;
        AUTO(free) char *inner = xstrdup(random_setting(f, name));
        depth--;
        write_text(fmt("%s/%s", scratch, file), inner);
        write_text(fmt("%s/config/git/%s", scratch, file), inner);
    }
    AUTO(free)
    char *path = random_below(3) == 0   ? xasprintf("%s/%s", scratch, file)
                 : random_below(2) == 0 ? xasprintf("~/%s", file)
                                        : xstrdup(file);
    if (random_below(4) == 0)
        return fmt("[include]\npath = %s\n", random_below(4) ? path : "no-such-file");
    AUTO(free) char *condition = xstrdup(random_condition(f));
    return random_below(2)
               ? fmt("[includeIf \"%s\"] path = %s\n[user]\nname = x\n", condition, path)
               : fmt("[user]\nname = x\n[INCLUDEIF \t\"%s\"]\n  x = y\n  Path = \"%s\"\n",
                     condition, path);
}

/* A line of settings that names a file, in one of the ways that git reads. */
static const char *
random_setting(const struct fixture *f, const char *name)
{
    switch (random_below(12)) {
    case 0: return fmt("[core]\n\texcludesFile = ~/%s\n", name);
    case 1: return fmt("[CORE] EXCLUDESFILE=\"~/%s\" ; so\n", name);
    case 2: return fmt("[core]\r\n  excludesfile = %s/%s   # so\r\n", scratch, name);
    case 3:
        return fmt("[user]\nname = x\n[core]\neditor = vi\nexcludesFile = ~/%s", name);
    case 4: return fmt("[core \"x\"]\nexcludesFile = ~/%s\n", name); // another section
    case 5: return fmt("# [x]\n[core]\nbare\nexcludesFile = ~\\\n/%s\n", name);
    case 6: return "[core]\nexcludesFile =\n"; // none at all
    case 7:
        return fmt("[color]\nui = \"a\\\"b\"\n[core]\nexcludesFile = ~/\"%s\"\n", name);
    default: return random_include(f, name);
    }
}

static void
write_all_sources(struct fixture *f, struct buf *text)
{
    static const char *const rule_files[] = {"one.rules", "two words.rules",
                                             "config/git/ignore"};
    for (size_t i = 0; i < ARRAY_LEN(rule_files); i++) {
        random_rules(text);
        write_text(fmt("%s/%s", scratch, rule_files[i]), text->p);
    }
    for (size_t i = 0; i < ARRAY_LEN(config_files); i++) {
        bool is_own = i == 2;
        AUTO(free)
        char *setting = xstrdup(
            random_below(2) ? random_setting(f, rule_files[random_below(2)]) : "");
        const char *path =
            is_own ? at(f, ".git/config") : fmt("%s/%s", scratch, config_files[i]);
        write_text(path, is_own ? fmt("[core]\nbare = false\n%s", setting) : setting);
    }
    random_rules(text);
    write_text(at(f, ".git/info/exclude"), text->p);
    for (size_t d = 0; d < ARRAY_LEN(git_rule_dirs); d++) {
        random_rules(text);
        write_text(at(f, fmt("%s/.gitignore", git_rule_dirs[d])), text->p);
    }
}

static void
show_all_sources(const struct fixture *f)
{
    (void)!system(fmt(
        "cd '%s' && head -50 .gitconfig included-* config/git/* *.rules '%s'/.git/config "
        "'%s'/.git/info/exclude '%s'/.gitignore '%s'/*/.gitignore "
        "'%s'/*/*/.gitignore | cat -A >&2",
        scratch, f->root, f->root, f->root, f->root, f->root));
}

/* One walk of the same tree by both; true when they agree. */
static void
compare_walk(struct fixture *f, const char *list_path, int round, size_t *n_ignored)
{
    AUTO(free) char *answer_path = xasprintf("%s/git-answer", scratch);
    AUTO(buf_finish) struct buf answer = {0};
    int r = system(fmt("git -C '%s' check-ignore --no-index -z --stdin <'%s' >'%s'",
                       f->root, list_path, answer_path));
    assert_true(WIFEXITED(r) && WEXITSTATUS(r) <= 1);
    assert_int_equal(fs_read_file(answer_path, 1 << 20, &answer, NULL), 0);
    struct map *ignored = map_create();
    struct str rest = buf_str(&answer), part;
    while (str_split(&rest, '\0', &part))
        map_put(ignored, part, ignored);
    f->walk++;
    walk(f, false);
    close_scan(f);
    f->is_closed = false;
    for (size_t i = 0; i < ARRAY_LEN(git_paths); i++) {
        const char *path = git_paths[i].path;
        bool is_git = map_get(ignored, str_of(path)) != NULL;
        *n_ignored += is_git && !git_paths[i].is_dir;
        if (git_paths[i].is_dir || is_git != is_in_model(f, path))
            continue;
        show_all_sources(f);
        fail_msg("round %d, %s: git %d", round, path, is_git);
    }
    map_destroy(ignored);
}

static void
test_sources_against_git(UNUSED void **state)
{
    enum { ROUNDS = 160 };
    if (system("git --version >/dev/null 2>&1") != 0) {
        print_message("# skipped: git is missing\n");
        return;
    }
    struct fixture f;
    struct buf list = {0}, text = {0};
    size_t n_ignored = 0, n_files = 0;
    set_up(&f);
    unsetenv("GIT_CONFIG_GLOBAL");
    run(fmt("git -C '%s' init -q", f.root));
    for (size_t i = 0; i < ARRAY_LEN(git_paths); i++) {
        if (git_paths[i].is_dir)
            make_dir(at(&f, git_paths[i].path));
        else
            write_text(at(&f, git_paths[i].path), "");
        buf_add(&list, git_paths[i].path, strlen(git_paths[i].path) + 1);
        n_files += !git_paths[i].is_dir;
    }
    AUTO(free) char *list_path = xasprintf("%s/git-paths", scratch);
    assert_int_equal(fs_write_atomic(list_path, buf_str(&list), 0644), 0);
    for (int round = 0; round < ROUNDS; round++) {
        write_all_sources(&f, &text);
        compare_walk(&f, list_path, round, &n_ignored);
    }
    assert_in_range(n_ignored, n_files * ROUNDS / 10, n_files * ROUNDS * 9 / 10);
    run(fmt("rm -rf '%s/config' '%s/.gitconfig' '%s'/included-*", scratch, scratch,
            scratch));
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    buf_finish(&list);
    buf_finish(&text);
    tear_down(&f);
}
