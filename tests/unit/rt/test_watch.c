/* inotify through the loop. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/check.h"
#include "rt/watch.h"

/* Every change is a line "KIND dir-relative/name", so that a test compares one text. */
struct seen {
    struct watch *w;
    const char *root;
    struct buf text;
    const char *until; // has_it when the text ends with this
    bool has_it;
    bool closes, removes;
};

static void
see(void *ctx, enum watch_change change, const char *dir, const char *name, bool is_dir)
{
    static const char *const kinds[] = {"created", "moved in", "written", "deleted",
                                        "attrib",  "gone",     "overflow"};
    struct seen *s = ctx;
    if (s->removes)
        watch_remove(s->w, dir); // dir stays readable until we return
    buf_printf(&s->text, "%s", kinds[change]);
    if (dir)
        buf_printf(&s->text, " %s", dir + strlen(s->root));
    if (name)
        buf_printf(&s->text, "/%s%s", name, is_dir ? "/" : "");
    buf_add_char(&s->text, '\n');
    if (s->until)
        s->has_it = str_ends_with(buf_str(&s->text), str_of(s->until));
    if (s->closes)
        watch_close(steal(s->w));
}

static void
expect(struct loop *l, struct seen *s, const char *text)
{
    size_t n = strlen(text);
    const char *last = text + n - 1;
    while (last > text && last[-1] != '\n')
        last--;
    s->until = last;
    s->has_it = str_ends_with(buf_str(&s->text), str_of(last));
    run_until(l, &s->has_it);
    assert_string_equal(s->text.p, text);
    buf_reset(&s->text);
    s->has_it = false;
}

static void
touch(const char *dir, const char *name)
{
    AUTO(free) char *path = xasprintf("%s/%s", dir, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void
remove_file(const char *dir, const char *name)
{
    AUTO(free) char *path = xasprintf("%s/%s", dir, name);
    assert_int_equal(unlink(path), 0);
}

static void
seen_finish(struct seen *s)
{
    watch_close(steal(s->w));
    buf_finish(&s->text);
}

static void
test_watch_files(UNUSED void **state)
{
    OPEN_LOOP(l);
    AUTO(free) char *dir = scratch_make("rt");
    AUTO(free) char *a = xasprintf("%s/a", dir);
    AUTO(free) char *b = xasprintf("%s/b", dir);
    AUTO(free) char *sub = xasprintf("%s/sub", dir);
    struct seen s = {.root = dir};
    assert_int_equal(watch_open(&l, see, &s, &s.w), 0);
    assert_int_equal(watch_add(s.w, dir), 0);
    assert_int_equal(watch_add(s.w, dir), 0);
    assert_int_equal(watch_count(s.w), 1);
    touch(dir, "a");
    expect(&l, &s, "created /a\nwritten /a\n");
    assert_int_equal(chmod(a, 0640), 0);
    expect(&l, &s, "attrib /a\n");
    assert_int_equal(rename(a, b), 0);
    expect(&l, &s, "deleted /a\nmoved in /b\n");
    assert_int_equal(unlink(b), 0);
    expect(&l, &s, "deleted /b\n");
    assert_int_equal(mkdir(sub, 0700), 0);
    expect(&l, &s, "created /sub/\n");

    assert_int_equal(watch_add(s.w, sub), 0);
    assert_int_equal(watch_count(s.w), 2);
    touch(sub, "x");
    expect(&l, &s, "created /sub/x\nwritten /sub/x\n");
    remove_file(sub, "x");
    expect(&l, &s, "deleted /sub/x\n");
    watch_remove(s.w, sub);
    watch_remove(s.w, sub);
    assert_int_equal(watch_count(s.w), 1);
    touch(sub, "silent");
    remove_file(sub, "silent");
    touch(dir, "heard");
    expect(&l, &s, "created /heard\nwritten /heard\n");
    remove_file(dir, "heard");
    assert_int_equal(watch_add(s.w, "/nowhere/at/all"), -ENOENT);
    seen_finish(&s);
    watch_close(NULL);
    FINISH_LOOP(l);
    assert_int_equal(rmdir(sub), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void
test_watch_dir_gone(UNUSED void **state)
{
    OPEN_LOOP(l);
    AUTO(free) char *dir = scratch_make("rt");
    AUTO(free) char *sub = xasprintf("%s/sub", dir);
    struct seen s = {.root = dir};
    assert_int_equal(watch_open(&l, see, &s, &s.w), 0);
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(watch_add(s.w, sub), 0);
    assert_int_equal(rmdir(sub), 0);
    expect(&l, &s, "gone /sub\n");
    assert_int_equal(watch_count(s.w), 0);
    /* A new directory of the same name is watched anew. */
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(watch_add(s.w, sub), 0);
    touch(sub, "x");
    expect(&l, &s, "created /sub/x\nwritten /sub/x\n");
    remove_file(sub, "x");
    assert_int_equal(rmdir(sub), 0);
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(watch_add(s.w, sub), 0); // before the old one's end was read
    touch(sub, "y");
    expect(&l, &s, "created /sub/y\nwritten /sub/y\n");
    remove_file(sub, "y");
    seen_finish(&s);
    FINISH_LOOP(l);
    assert_int_equal(rmdir(sub), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void
test_watch_dir_renamed(UNUSED void **state)
{
    OPEN_LOOP(l);
    AUTO(free) char *dir = scratch_make("rt");
    AUTO(free) char *from = xasprintf("%s/from", dir);
    AUTO(free) char *to = xasprintf("%s/to", dir);
    struct seen s = {.root = dir};
    assert_int_equal(watch_open(&l, see, &s, &s.w), 0);
    assert_int_equal(mkdir(from, 0700), 0);
    assert_int_equal(watch_add(s.w, from), 0);
    assert_int_equal(rename(from, to), 0);
    expect(&l, &s, "gone /from\n");
    touch(to, "x"); // the watch is over
    assert_int_equal(watch_count(s.w), 0);

    /* Added under the new name before the move was read: that watch stays. */
    assert_int_equal(watch_add(s.w, to), 0);
    assert_int_equal(rename(to, from), 0);
    assert_int_equal(watch_add(s.w, from), 0);
    assert_int_equal(watch_count(s.w), 1);
    remove_file(from, "x");
    expect(&l, &s, "deleted /from/x\n");
    watch_remove(s.w, to); // long forgotten
    touch(from, "y");
    expect(&l, &s, "created /from/y\nwritten /from/y\n");
    remove_file(from, "y");
    seen_finish(&s);
    FINISH_LOOP(l);
    assert_int_equal(rmdir(from), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void
test_watch_change_inside(UNUSED void **state)
{
    OPEN_LOOP(l);
    AUTO(free) char *dir = scratch_make("rt");
    struct seen s = {.root = dir, .removes = true};
    assert_int_equal(watch_open(&l, see, &s, &s.w), 0);
    assert_int_equal(watch_add(s.w, dir), 0);
    touch(dir, "a"); // two events; the first removes the watch
    expect(&l, &s, "created /a\n");
    s.removes = false;
    s.closes = true;
    assert_int_equal(watch_add(s.w, dir), 0);
    touch(dir, "b");
    expect(&l, &s, "created /b\n");
    assert_null(s.w);
    seen_finish(&s);
    FINISH_LOOP(l);
    remove_file(dir, "a");
    remove_file(dir, "b");
    assert_int_equal(rmdir(dir), 0);
}

#define QUEUED_EVENTS_MAX 100000 // above, the burst would take too long

static long
queued_events_limit(void)
{
    char text[32] = "";
    int fd = open("/proc/sys/fs/inotify/max_queued_events", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        text[0] = '\0';
    if (fd >= 0)
        close(fd);
    return strtol(text, NULL, 10);
}

static void
test_watch_overflow(UNUSED void **state)
{
    long limit = queued_events_limit();
    if (limit <= 0 || limit > QUEUED_EVENTS_MAX) {
        print_message("# skipped: the queue of inotify is too long to fill here\n");
        return;
    }
    OPEN_LOOP(l);
    AUTO(free) char *dir = scratch_make("rt");
    struct seen s = {.root = dir};
    assert_int_equal(watch_open(&l, see, &s, &s.w), 0);
    assert_int_equal(watch_add(s.w, dir), 0);
    /* The loop does not run meanwhile. Two events a file, none equal to the one before. */
    for (long i = 0; i <= limit / 2; i++) {
        touch(dir, i % 2 ? "odd" : "even");
        remove_file(dir, i % 2 ? "odd" : "even");
    }
    s.until = "overflow\n";
    run_until(&l, &s.has_it);
    /* And it goes on after. */
    buf_reset(&s.text);
    touch(dir, "after");
    expect(&l, &s, "created /after\nwritten /after\n");
    remove_file(dir, "after");
    seen_finish(&s);
    FINISH_LOOP(l);
    assert_int_equal(rmdir(dir), 0);
}
