/* Watching: each kind of change, one at a time. */
#include "check.h"

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
    wait_for(&f,
             "removed a.c"); // in this order, so that what is known of it can move too
    WAIT_FOR_MODEL(&f, ".gitignore", "dir/b.c", "dir/sub/c.c", "dir/sub/a.c");

    /* Whole folders: moved inside, then changed under the new name; moved out; moved in.
     */
    rename(at(&f, "dir"), at(&f, "moved"));
    wait_for(&f, "removed dir");
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, ".gitignore", "moved/b.c", "moved/sub/c.c", "moved/sub/a.c");
    write_text(at(&f, "moved/sub/c.c"), "333");
    wait_for(&f, "file moved/sub/c.c");
    AUTO(free) char *aside = xasprintf("%s/aside", scratch);
    rename(at(&f, "moved"), aside);
    wait_for(&f, "removed moved");
    WAIT_FOR_MODEL(&f, ".gitignore");
    rename(aside, at(&f, "back"));
    wait_for(&f, "file back/sub/c.c");
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, ".gitignore", "back/b.c", "back/sub/c.c", "back/sub/a.c");

    /* Deep folders made at once, and one that is replaced by another of its name. */
    write_text(at(&f, "x/y/z/deep.c"), "1");
    wait_for(&f, "file x/y/z/deep.c");
    run(fmt("rm -rf '%s/x' && mkdir -p '%s/x/q' && echo 1 >'%s/x/q/other.c'", f.root,
            f.root, f.root));
    wait_for(&f, "file x/q/other.c");
    write_text(at(&f, "x/q/more.c"), "1");
    wait_for(&f, "file x/q/more.c");
    WAIT_FOR_MODEL(&f, ".gitignore", "back/b.c", "back/sub/c.c", "back/sub/a.c",
                   "x/q/other.c", "x/q/more.c");

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
    wait_until_told(&f); // also what another worker looks at

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
    WAIT_FOR_MODEL(&f, "d0/f0.c", "d0/f1.c", "d0/f2.c", "d1/f0.c", "d1/f1.c", "d1/f2.c",
                   "d2/f0.c", "d2/f1.c", "d2/f2.c", "d3/f0.c", "d3/f1.c", "d3/f2.c",
                   "d4/f0.c", "d4/f1.c", "d4/f2.c", "d5/f1.c", "d5/f2.c");
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
    WAIT_FOR_MODEL(&f, ".gitignore", "a.c", "a.o", "lib/b.o", "out/o.c");
    assert_int_equal(count_lines(&f, from, "removed lib/gen"), 1);
    assert_int_equal(count_lines(&f, from, "file a.c"),
                     0); // no rule decides otherwise of it
    /* The new rules hold for what comes, also in the folder that is new. */
    write_text(at(&f, "out/b.c"), "");
    write_text(at(&f, "out/gen/x.c"), "");
    write_text(at(&f, "out/x.o"), "");
    wait_for(&f, "file out/x.o");
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, ".gitignore", "a.c", "a.o", "lib/b.o", "out/o.c", "out/x.o");

    unlink(at(&f, ".gitignore"));
    wait_for(&f, "removed .gitignore");
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, "a.c", "a.o", "lib/b.c", "lib/b.o", "lib/gen/g.c", "out/o.c",
                   "out/x.o", "out/b.c", "out/gen/x.c");

    write_text(at(&f, ".git/info/exclude"), "/lib\n/out\n*.o\n");
    wait_for(&f, "removed out");
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, "a.c");
    write_text(at(&f, ".git/info/exclude"), "/lib\n");
    wait_for(&f, "file out/o.c");
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, "a.c", "a.o", "out/o.c", "out/x.o", "out/b.c", "out/gen/x.c");

    write_text(at(&f, "out/target/t.c"), "");
    wait_for(&f, "file out/target/t.c");
    write_text(at(&f, "out/Cargo.toml"), "");
    wait_for(&f, "removed out/target");
    unlink(at(&f, "out/Cargo.toml"));
    wait_for(&f, "file out/target/t.c");
    tear_down(&f);
}

/* What decides lies outside of the tree: settings, what they include, the excludes, folders that
 * come later, and what a link leads to. */
static void
test_changed_rules_outside(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    unsetenv("GIT_CONFIG_GLOBAL");
    AUTO(free) char *config = xasprintf("%s/.gitconfig", scratch);
    AUTO(free) char *included = xasprintf("%s/later/included", scratch);
    AUTO(free) char *excludes = xasprintf("%s/one.rules", scratch);
    AUTO(free) char *usual = xasprintf("%s/config/git/ignore", scratch);
    run(fmt("git -C '%s' init -q && rm -rf '%s/config'", f.root, scratch));
    write_text(at(&f, "a.c"), "");
    write_text(at(&f, "b.c"), "");
    write_text(at(&f, "lib/c.c"), "");
    walk(&f, true);
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, "a.c", "b.c", "lib/c.c");

    write_text(usual, "a.c\n"); // none of its folders was there
    wait_for(&f, "removed a.c");
    write_text(usual, "b.c\n");
    wait_for(&f, "removed b.c");
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, "a.c", "lib/c.c");

    write_text(excludes, "/lib\n");
    write_text(config,
               fmt("[includeIf \"gitdir:%s/\"]\npath = later/included\n", f.root));
    wait_until_told(&f);
    write_text(included, "[core] excludesFile = ~/one.rules\n");
    wait_for(&f, "removed lib");
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, "a.c", "b.c");
    size_t from = f.log.n;
    write_text(config,
               fmt("[user]\nname=x\n[includeIf \"gitdir:%s/\"]\npath = later/included\n",
                   f.root));
    wait_until_told(&f);
    assert_int_equal(f.log.n, from + 2); // other settings, the same rules

    AUTO(free) char *target = xasprintf("%s/elsewhere/rules", scratch);
    write_text(target, "a.c\n");
    unlink(excludes);
    assert_int_equal(symlink(target, excludes), 0);
    wait_for(&f, "removed a.c");
    write_text(target, "lib/\n");
    wait_for(&f, "removed lib");
    run(fmt("mv '%s/later' '%s/gone'", scratch, scratch));
    wait_for(&f, "removed b.c"); // the usual file counts again
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, "a.c", "lib/c.c");
    run(fmt("rm -rf '%s/config' '%s' '%s/gone' '%s/elsewhere' '%s'", scratch, config,
            scratch, scratch, excludes));
    wait_for(&f, "file b.c");
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    tear_down(&f);
}

/* A root inside of a repository: its excludes and the files between count, also when they change. */
static void
test_changed_rules_above(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    AUTO(free) char *top = f.root;
    f.root = xasprintf("%s/deep/er", top);
    run(fmt("git -C '%s' init -q", top));
    write_text(at(&f, "a.c"), "");
    write_text(at(&f, "b.c"), "");
    write_text(at(&f, "c.c"), "");
    walk(&f, true);
    wait_until_told(&f);
    write_text(fmt("%s/.git/info/exclude", top), "a.c\n");
    wait_for(&f, "removed a.c");
    write_text(fmt("%s/deep/.gitignore", top), "b.c\n");
    wait_for(&f, "removed b.c");
    write_text(fmt("%s/.gitignore", top), "/deep/er/c.c\n");
    wait_for(&f, "removed c.c");
    unlink(fmt("%s/.git/info/exclude", top));
    wait_for(&f, "file a.c");
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, "a.c");
    tear_down(&f);
    run(fmt("rm -rf '%s'", top));
}

static void
change_many(const struct fixture *f, const char *text)
{
    for (unsigned i = 0; i < 40; i++)
        write_text(at(f, fmt("d0/f%u.c", i)), text);
}

static size_t
count_at_once(const struct fixture *f, size_t from)
{
    size_t n = 0;
    for (unsigned i = 0; i < 40; i++)
        n += count_lines(f, from, fmt("file d0/f%u.c", i));
    return n;
}

static void
test_git_lock(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, ".git/HEAD"), "");
    write_text(at(&f, "a.c"), "1");
    make_many(&f, 1, 40);
    walk(&f, true);

    /* A single save is no checkout. */
    write_text(at(&f, ".git/index.lock"), "");
    int64_t start = clock_mono_ms();
    write_text(at(&f, "a.c"), "22");
    wait_for(&f, "file a.c");
    assert_in_range(clock_mono_ms() - start, 0, 1000);
    rename(at(&f, ".git/index.lock"), at(&f, ".git/index"));
    wait_until_told(&f);

    /* Many at once wait for its end. */
    write_text(at(&f, ".git/index.lock"), "");
    change_many(&f, "22");
    write_text(at(&f, "a.c"), "333");
    size_t from = f.log.n;
    arm(&f);
    while (count_at_once(&f, from) == 0)
        run_once(&f, "the first few");
    run_for(&f, 80); // long enough for a change that is not held back
    assert_in_range(count_at_once(&f, from), 1, 8);
    change_many(&f, "333");
    rename(at(&f, ".git/index.lock"), at(&f, ".git/index"));
    wait_for(&f, "file a.c");
    wait_until_told(&f);
    for (unsigned i = 8; i < 40; i++)
        assert_int_equal(count_lines(&f, from, fmt("file d0/f%u.c", i)), 1);

    /* A lock that nobody takes away holds nothing for ever. */
    write_text(at(&f, ".git/index.lock"), "");
    change_many(&f, "4444");
    write_text(at(&f, "a.c"), "4444");
    start = clock_mono_ms();
    wait_for(&f, "file a.c");
    assert_in_range(clock_mono_ms() - start, 1000, 10000);
    tear_down(&f);

    /* One that is there before us counts too. */
    set_up(&f);
    write_text(at(&f, ".git/index.lock"), "");
    make_many(&f, 1, 40);
    walk(&f, true);
    change_many(&f, "22");
    write_text(at(&f, "b.c"), "1");
    run_for(&f, 80);
    assert_int_equal(count_lines(&f, 0, "file b.c"), 0);
    unlink(at(&f, ".git/index.lock"));
    wait_for(&f, "file b.c");
    tear_down(&f);
}

/* Deleted, moved away, replaced by another at once: what is there in the end is followed. */
static void
test_root_made_again(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, "a.c"), "1");
    write_text(at(&f, "sub/b.c"), "1");
    walk(&f, true);
    run(fmt("rm -rf '%s'", f.root));
    wait_for(&f, "problem  -2");
    write_text(at(&f, "sub/c.c"), "1");
    wait_for(&f, "walked 1");
    WAIT_FOR_MODEL(&f, "sub/c.c");
    write_text(at(&f, "sub/d.c"), "1");
    wait_for(&f, "file sub/d.c");

    AUTO(free) char *aside = xasprintf("%s-aside", f.root);
    assert_int_equal(rename(f.root, aside), 0);
    write_text(at(&f, "e.c"), "1");
    wait_for(&f, "rescan");
    wait_for(&f, "walked 1");
    WAIT_FOR_MODEL(&f, "e.c");
    write_text(fmt("%s/sub/nobody.c", aside), "1"); // the old one is nobody's now
    write_text(at(&f, "sub/b.c"), "1");
    wait_for(&f, "file sub/b.c");
    wait_until_told(&f);
    WAIT_FOR_MODEL(&f, "e.c", "sub/b.c");

    /* A repository from now on. */
    run(fmt("mkdir -p '%s/.git/info'", f.root));
    wait_until_told(&f);
    write_text(at(&f, ".git/info/exclude"), "e.c\n");
    wait_for(&f, "removed e.c");
    run(fmt("rm -rf '%s/.git'", f.root));
    wait_for(&f, "file e.c");
    run(fmt("rm -rf '%s'", aside));
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
    while (count_lines(&f, 0, "file src/a.c") < 2) // the walk's and that one's
        run_once(&f, "what was asked for during the walk");
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
