/* The walk: what is reported, what is not, and what cannot be read. */
#include "check.h"

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
    ASSERT_MODEL(&f, ".gitignore", ".ignore", ".glossignore", "main.c", "keep.o",
                 "want.tmp", "src/gen/x.c", "src/.gitignore", "src/main.o", ".hidden",
                 "target/x.c", "rust/Cargo.toml", "rust/src/target/x.c", "a b/ü\n.c");
    assert_int_equal(f.n_files, 14);
    assert_int_equal(scan_counts(f.scan).unwatched, 0);
    assert_int_equal(scan_counts(f.scan).ignored, 6);

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

/* Runs in a child of its own, which may give up rights; its exit is the result. 77: not
 * possible here. */
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
    if (geteuid() != 0) {
        print_message("# skipped: only root can\n");
        return;
    }
    assert_int_equal(in_child(walk_as_nobody), 0);
}

static void
walk_mounted_twice(struct fixture *f)
{
    set_up(f);
    write_text(at(f, "a/x.c"), "");
    make_dir(at(f, "a/again"));
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
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
    if (r == 77) {
        print_message("# skipped: a folder cannot be mounted here\n");
        return;
    }
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
    scan_start(f.scan, true); // each walk says so
    wait_for(&f, "walked 0");
    assert_int_equal(count_lines(&f, 0, "problem  -2"), 2);
    write_text(at(&f, "a.c"), "");
    wait_for(&f, "file a.c");
    wait_for(&f, "walked 1");
    tear_down(&f);
}

static void
root_opens(struct fixture *f)
{
    set_up(f);
    write_text(at(f, "a.c"), "");
    REQUIRE(chown(f->root, 65534, 65534) == 0);
    REQUIRE(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
    REQUIRE(chmod(f->root, 0) == 0);
    open_scan(f);
    scan_start(f->scan, true);
    child_wait(f, "walked 0");
    REQUIRE(count_lines(f, 0, "problem  -13") == 1);
    REQUIRE(chmod(f->root, 0755) == 0);
    child_wait(f, "file a.c");
    REQUIRE(count_lines(f, 0, "rescan") == 1);
}

static void
test_unreadable_root(UNUSED void **state)
{
    if (geteuid() != 0) {
        print_message("# skipped: only root can\n");
        return;
    }
    assert_int_equal(in_child(root_opens), 0);
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
    arm(&f);
    while (map_count(f.model) != 3)
        run_once(&f, "three files");
    for (size_t i = 0; i < f.log.n; i++)
        assert_false(str_starts_with(str_of(f.log.v[i]), STR("problem")));
    tear_down(&f);
}
