#pragma once
/* What the tests of scan share: a root of their own, a scan over it, and what it said. */
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

#include "tests/lib/scratch.h"

#ifndef DEADLINE_MS
#    define DEADLINE_MS 20000
#endif
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
    struct watch_budget budget;
    char *root;
    struct map *model; // path → walk that named it last, plus one
    VEC(char *) log;   // "file a.c", "removed a.c", "problem a -13", "walked 1", "rescan"
    size_t seen;       // lines that a wait went past
    uintptr_t walk;
    size_t n_files;
    size_t pause_every, n_until_pause;
    bool is_paused, is_late, is_closed, is_pool_closed, no_log, has_rules;
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

static void
on_settled(void *ctx)
{
    const struct fixture *f = ctx;
    assert_false(scan_is_busy(f->scan));
    assert_false(f->is_closed);
}

static const struct scan_events events = {on_file,   on_removed, on_problem,
                                          on_walked, on_rescan,  on_settled};

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

/* A file made now is told after everything that happened to files before it; not what is in folders still being read. */
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

/* What is still to happen until the model holds the paths of the list (ended by NULL) and no other; NULL: nothing. */
static const char *
what_is_missing(const struct fixture *f, const char *const *paths)
{
    size_t n = 0;
    for (; paths[n]; n++)
        if (!is_in_model(f, paths[n]))
            return fmt("%s in the model", paths[n]);
    size_t iter = 0;
    struct str key;
    void *value;
    while (map_next(f->model, &iter, &key, &value)) {
        bool is_expected = false;
        for (size_t i = 0; i < n; i++)
            is_expected |= str_eq_c(key, paths[i]);
        if (!is_expected)
            return fmt("%.*s out of the model", STR_ARG(key));
    }
    return NULL;
}

/* Every path of the list (ended by NULL) and nothing else is in the model: after a walk nothing of it is still to come. */
static void
assert_model(const struct fixture *f, const char *const *paths)
{
    const char *missing = what_is_missing(f, paths);
    if (missing)
        fail_msg("missing: %s", missing);
}
#define ASSERT_MODEL(f, ...) assert_model((f), (const char *const[]){__VA_ARGS__, NULL})

/* The same, once it is so: a line that was waited for says nothing of folders that are still being read. Lines until
 * then are seen. */
static void
wait_for_model(struct fixture *f, const char *const *paths)
{
    const char *missing;
    arm(f);
    while ((missing = what_is_missing(f, paths)))
        run_once(f, missing);
    f->seen = f->log.n;
}
#define WAIT_FOR_MODEL(f, ...)                                                           \
    wait_for_model((f), (const char *const[]){__VA_ARGS__, NULL})

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
run_for(struct fixture *f, uint64_t ms)
{
    f->is_late = false;
    timer_start(f->deadline, ms, 0);
    while (!f->is_late)
        uv_run(&f->loop.uv, UV_RUN_ONCE);
    f->is_late = false;
}

/* ---- chance, the same every day ---- */

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
