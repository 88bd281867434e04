/* Whatever happens, what the events said is there must come to be what is there: random
 * changes while the scan runs, held against find(1) and git. */
#include "check.h"

/* ---- the model against the tree ---- */

/* What is there, a line each; the caller's. */
static struct buf
list_tree(const struct fixture *f)
{
    const char *list = f->has_rules
                           ? "git ls-files --others --exclude-standard | sed 's|^|./|'"
                           : "find . -type f";
    AUTO(free)
    char *command = xasprintf("cd '%s' && %s >'%s/found'", f->root, list, scratch);
    struct buf found = {0};
    run(command);
    assert_int_equal(fs_read_file(fmt("%s/found", scratch), 64 << 20, &found, NULL), 0);
    return found;
}

static bool
is_in_model_alone(const struct fixture *f, struct str found)
{
    size_t n = 0;
    struct str line;
    for (; str_split(&found, '\n', &line); n++)
        if (!map_get(f->model, str_slice(line.p + 2, line.n - 2)))
            return false;
    return map_count(f->model) == n;
}

static void
fail_with_difference(const struct fixture *f, struct str found)
{
    size_t iter = 0;
    struct str path, rest = found, line;
    void *value;
    for (size_t i = 0; i < f->log.n; i++)
        print_error("  %s\n", f->log.v[i]);
    struct fs_stat st;
    while (map_next(f->model, &iter, &path, &value))
        if (fs_lstat_file(fmt("%s/%.*s", f->root, STR_ARG(path)), &st) < 0 ||
            !S_ISREG(st.mode))
            print_error("reported, but not there: %.*s\n", STR_ARG(path));
    iter = 0;
    while (map_next(f->model, &iter, &path, &value))
        if (str_find(found, str_of(fmt("./%.*s\n", STR_ARG(path)))) < 0)
            print_error("reported, but ignored or not there: %.*s\n", STR_ARG(path));
    while (str_split(&rest, '\n', &line))
        if (!map_get(f->model, str_slice(line.p + 2, line.n - 2)))
            print_error("there, but not reported: %.*s\n", STR_ARG(line));
    fail_msg("waited in vain for the model to be the tree");
}

/* Nothing changes meanwhile: the tree is listed once. */
static void
wait_for_truth(struct fixture *f)
{
    AUTO(buf_finish) struct buf found = list_tree(f);
    arm(f);
    while (!is_in_model_alone(f, buf_str(&found))) {
        uv_run(&f->loop.uv, UV_RUN_ONCE);
        if (f->is_late)
            fail_with_difference(f, buf_str(&found));
    }
}

static void
random_change(struct fixture *f)
{
    static const char *const rules[] = {"a",   "b", "/c",   "b/",     "!a", "!d/",
                                        "a/b", "*", "/*/c", "**/d/a", "#"};
    int r = 0;
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
    if (f->has_rules && random_below(12) == 0) {
        const char *dir = random_below(2) ? f->root : one;
        int fd = open(fmt("%s/.gitignore", dir), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                      0644);
        if (fd < 0)
            return;
        const char *text =
            fmt("%s\n%s\n", pick(rules, ARRAY_LEN(rules)), pick(rules, ARRAY_LEN(rules)));
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
        say(f, "    did rules %s %s", dir, text);
        return;
    }
    unsigned what = random_below(8);
    switch (what) {
    case 0:
    case 1: r = mkdir(one, 0755); break;
    case 2:
    case 3:
    case 4: {
        int fd = r = open(one, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd >= 0) {
            assert_int_equal(write(fd, "x", 1), 1);
            close(fd);
        }
        break;
    }
    case 5: r = unlink(one); break;
    case 6: r = rename(one, two); break;
    default:
        if (random_below(4) == 0)
            run(fmt("rm -rf '%s'", one));
        else
            r = rmdir(one);
    }
    static const char *const did[] = {"mkdir", "mkdir",  "write",  "write",
                                      "write", "unlink", "rename", "rmdir"};
    if (r >= 0)
        say(f, "    did %s %s %s", did[what], path[0], what == 6 ? path[1] : "");
}

static void
stress(unsigned n_rounds, unsigned n_changes, size_t watch_limit, bool has_rules)
{
    struct fixture f;
    set_up(&f);
    f.has_rules = has_rules;
    if (has_rules)
        run(fmt("git -C '%s' init -q", f.root));
    for (int i = 0; i < 100; i++)
        random_change(&f);
    open_scan(&f);
    f.budget.n_max = watch_limit;
    scan_share_watches(f.scan, &f.budget);
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
    stress(12, 400, SIZE_MAX, false);
}

static void
test_random_rules(UNUSED void **state)
{
    if (system("git --version >/dev/null 2>&1") != 0) {
        print_message("# skipped: git is missing\n");
        return;
    }
    stress(15, 200, SIZE_MAX, true);
}

static void
test_random_rules_unwatched(UNUSED void **state)
{
    if (system("git --version >/dev/null 2>&1") != 0) {
        print_message("# skipped: git is missing\n");
        return;
    }
    stress(2, 200, 3, true);
}

static void
test_random_changes_unwatched(UNUSED void **state)
{
    stress(2, 300, 2, false);
}

static void
test_rename_storm(UNUSED void **state)
{
    struct buf text = {0};
    if (fs_read_file("/proc/sys/fs/inotify/max_queued_events", 64, &text, NULL) < 0) {
        print_message("# skipped: inotify has no limits here\n");
        return;
    }
    unsigned n_queued = (unsigned)atoi(text.p);
    buf_finish(&text);
    if (n_queued > 100000) {
        print_message("# skipped: the queue of inotify is too long to fill here\n");
        return;
    }
    struct fixture f;
    set_up(&f);
    make_many(&f, 4, 10);
    walk(&f, true);
    AUTO(free) char *one = xstrdup(at(&f, "d0"));
    AUTO(free) char *two = xstrdup(at(&f, "moved"));
    for (unsigned i = 0; i < n_queued / 2 + 100;
         i++) { // two events each: more than the queue holds
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
    f.budget.n_max = 1; // the root
    scan_share_watches(f.scan, &f.budget);
    scan_start(f.scan, true);
    wait_for(&f, "walked 1");
    assert_int_equal(scan_counts(f.scan).unwatched, 3);
    size_t from = f.seen = f.log.n;
    write_text(at(&f, "b/y.c"), "22");
    write_text(at(&f, "b/sub/new.c"), "1");
    unlink(at(&f, "c/z.c"));
    wait_for(&f, "removed c/z.c");
    write_text(at(&f, "b/.gitignore"), "*.o\n");
    wait_for(&f, "removed b/z.o");
    WAIT_FOR_MODEL(&f, "a/x.c", "b/y.c", "b/sub/new.c", "b/.gitignore");
    assert_int_equal(count_lines(&f, from, "file b/y.c"), 1);
    assert_int_equal(count_lines(&f, from, "file a/x.c"), 0);
    assert_int_equal(scan_counts(f.scan).unwatched, 4);
    /* Watches were given back: each folder is watched again, and a change told at once.
     */
    f.budget.n_max = 100;
    arm(&f);
    while (scan_counts(f.scan).unwatched > 0)
        run_once(&f, "watches");
    from = f.seen = f.log.n; // what was told of it before does not count
    write_text(at(&f, "b/sub/new.c"), "22");
    wait_for(&f, "file b/sub/new.c");
    assert_int_equal(f.log.n, from + 1);
    assert_int_equal(scan_counts(f.scan).watched, 5);
    assert_int_equal(f.budget.n_used, 5);
    /* Another scan that shares the budget gets what this one left, and gives it back. */
    f.budget.n_max = 7;
    struct fixture other;
    set_up(&other);
    make_many(&other, 5, 1);
    open_scan(&other);
    scan_share_watches(other.scan, &f.budget);
    scan_start(other.scan, true);
    wait_for(&other, "walked 1");
    assert_int_equal(scan_counts(other.scan).watched, 2);
    assert_int_equal(scan_counts(other.scan).unwatched, 4);
    tear_down(&other);
    assert_int_equal(f.budget.n_used, 5);
    tear_down(&f);
    assert_int_equal(f.budget.n_used, 0);
}

/* Not a figure to hold anybody to: printed for who looks, with a bound that only a fault
 * breaks. */
static void
test_speed(UNUSED void **state)
{
    struct fixture f;
    set_up(&f);
    write_text(at(&f, ".gitignore"),
               "*.o\n*.a\n*.so\n/build/\n*~\n.*.swp\ntags\n*.d\n!keep.d\n");
    make_many(&f, 100, 100);
    f.no_log = true;
    open_scan(&f);
    arm(&f);
    int64_t start = clock_mono_ns();
    scan_start(f.scan, true);
    while (f.n_files < 10001)
        run_once(&f, "10,001 files");
    print_message("# 10,001 files in 101 folders walked and watched in %.0f ms\n",
                  (double)(clock_mono_ns() - start) / 1e6);
    tear_down(&f);
}
