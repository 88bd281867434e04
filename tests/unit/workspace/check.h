#pragma once
/* What the tests of a workspace share: a root of their own, a workspace over it, and what it said. */
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "lang/lang.h"
#include "workspace/internal.h"

#include "tests/lib/fake_ls.h"

#define DEADLINE_MS 60000

static char *scratch; // every test's root lies in it

/* ---- files of a test ---- */

struct seen {
    enum event_type type;
    int64_t seq;
    char *subject, *data;
};

struct fixture {
    struct loop loop;
    struct timer *deadline;
    struct config *config;
    char *root, *db_url;
    const char *db; // db_url or NULL
    struct workspaces *all;
    struct workspace *w;
    struct bus_subscription *subscription;
    VEC(struct seen) events;
    VEC(char *) answers; // what questions were answered: "f,g" names of rows, or "-2"
    size_t n_summaries;
    struct workspace_summary summary; // the last; without why
    char *why;
    bool is_late, is_closed, with_watch;
    void (*on_event)(struct fixture *f, const struct seen *event);
};

static char *
at(const struct fixture *f, const char *path)
{
    return path_join(f->root, path);
}

static void
put(const struct fixture *f, const char *path, const char *text)
{
    AUTO(free) char *file = at(f, path), *dir = str_dup(path_dirname(str_of(file)));
    int fd;

    assert_int_equal(fs_mkdir_p(dir, 0755), 0);
    fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void
cut(const struct fixture *f, const char *path)
{
    AUTO(free) char *file = at(f, path);

    scratch_remove(file);
    assert_false(fs_exists(file));
}

/* ---- a workspace and what it says ---- */

static void
on_event(void *ctx, struct event *event)
{
    struct fixture *f = ctx;
    struct seen seen = {event->type, event->seq, str_dup(event->subject),
                        str_dup(event->data)};

    *vec_push(&f->events) = seen;
    if (f->on_event)
        f->on_event(f, &seen);
}

static void
on_summary(void *ctx, const struct workspace_summary *summary)
{
    struct fixture *f = ctx;

    f->n_summaries++;
    f->summary = *summary;
    free(f->why);
    f->why = xstrdup(summary->why);
    assert_true((summary->r < 0) == (summary->why != NULL));
    f->summary.why = NULL;
}

static void
on_deadline(void *ctx)
{
    ((struct fixture *)ctx)->is_late = true;
}

static void
run_once(struct fixture *f, const char *what)
{
    uv_run(&f->loop.uv, UV_RUN_ONCE);
    if (f->w) { // whatever happens
        assert_true(f->w->credits <= WORKSPACE_CREDITS);
        assert_true(f->w->n_waiting <= map_count(f->w->jobs));
    }
    if (f->is_late)
        fail_msg("waited in vain for: %s", what);
}

#define WAIT(f, condition)                                                               \
    do {                                                                                 \
        timer_start((f)->deadline, DEADLINE_MS, 0);                                      \
        while (!(condition))                                                             \
            run_once((f), #condition);                                                   \
    } while (0)

static void
set_up(struct fixture *f)
{
    static unsigned count;

    *f = (struct fixture){0};
    f->root = xasprintf("%s/root%u", scratch, count);
    f->db_url = xasprintf("sqlite:%s/index%u.db", scratch, count++);
    f->db = f->db_url;
    assert_int_equal(fs_mkdir_p(f->root, 0755), 0);
    assert_int_equal(loop_init(&f->loop), 0);
    f->deadline = timer_open(&f->loop, on_deadline, f);
    assert_int_equal(config_load(NULL, 0, &f->config, NULL), 0);
    f->config->jobs = 2;
    f->config->enrich_enabled = false; // else with whatever server is installed here
}

static void
open_all(struct fixture *f)
{
    struct workspaces_options options = {.config = f->config,
                                         .guard_program = getenv("TEST_GUARD"),
                                         .db_url = f->db,
                                         .with_watch = f->with_watch};

    f->is_closed = false;
    f->all = workspaces_open(&f->loop, &options);
    assert_int_equal(workspaces_acquire(f->all, f->root, true, &f->w), 0);
    f->subscription = bus_subscribe(workspace_bus(f->w), on_event, f);
}

static void
on_closed(void *ctx)
{
    ((struct fixture *)ctx)->is_closed = true;
}

/* Somebody who does not know yet that it is closing. */
static void
poke(struct fixture *f)
{
    struct workspace *w = f->is_closed ? NULL : workspaces_at(f->all, 0);

    if (!w)
        return;
    assert_int_equal(workspace_state(w), WORKSPACE_CLOSING);
    assert_null(workspace_query(w));
    if (w->closing_parts > 0)
        return;
    workspace_pause(w); // nobody takes anything more
    workspace_reindex(w, STR("a.c"));
}

static void
close_all(struct fixture *f)
{
    bus_unsubscribe(steal(f->subscription));
    workspaces_close(f->all, on_closed, f);
    f->w = NULL;
    WAIT(f, (poke(f), f->is_closed));
    f->all = NULL;
}

static void
forget_events(struct fixture *f)
{
    for (size_t i = 0; i < f->events.n; i++) {
        free(f->events.v[i].subject);
        free(f->events.v[i].data);
    }
    f->events.n = 0;
}

static void
tear_down(struct fixture *f)
{
    if (f->all)
        close_all(f);
    timer_close(f->deadline);
    assert_int_equal(loop_finish(&f->loop), 0);
    forget_events(f);
    vec_finish(&f->events);
    for (size_t i = 0; i < f->answers.n; i++)
        free(f->answers.v[i]);
    vec_finish(&f->answers);
    config_destroy(f->config);
    scratch_remove(f->root);
    free(f->root);
    free(f->db_url);
    free(f->why);
}

static void
index_all(struct fixture *f, bool with_enrich)
{
    size_t n = f->n_summaries;

    workspace_index(f->w, with_enrich, on_summary, f);
    WAIT(f, f->n_summaries > n);
}

static void
index_ok(struct fixture *f)
{
    index_all(f, false);
    assert_int_equal(f->summary.r, 0);
}

static void
on_rows(void *ctx, struct query_result **result)
{
    struct fixture *f = ctx;
    struct buf names = {0};

    if ((*result)->r < 0)
        buf_printf(&names, "%d", (*result)->r);
    for (size_t i = 0; i < (*result)->n_rows; i++)
        buf_printf(&names, "%s%.*s", i ? "," : "", STR_ARG((*result)->rows[i].e.name));
    if ((*result)->r == 0 && (*result)->file.mtime_ns == 0)
        buf_add_cstr(&names, "*"); // a buffer's
    *vec_push(&f->answers) = buf_steal(&names);
}

/* What the index says of a file, as in `answers`. */
static const char *
indexed(struct fixture *f, const char *path)
{
    size_t n = f->answers.n;

    query_file(workspace_query(f->w), str_of(path), POOL_INTERACTIVE, on_rows, f);
    WAIT(f, f->answers.n > n);
    return f->answers.v[n];
}

static const char *
outlined(struct fixture *f, const char *path)
{
    size_t n = f->answers.n;

    workspace_outline(f->w, str_of(path), on_rows, f);
    WAIT(f, f->answers.n > n);
    return f->answers.v[n];
}

static size_t
count_events(const struct fixture *f, enum event_type type, const char *subject)
{
    size_t n = 0;

    for (size_t i = 0; i < f->events.n; i++)
        n += f->events.v[i].type == type &&
             (!subject || strcmp(f->events.v[i].subject, subject) == 0);
    return n;
}

/* How many a file's event says were added, updated, deleted: "1 0 2". */
static char *
delta(const struct seen *event)
{
    AUTO(json_decref_) json_t *data = NULL;

    assert_int_equal(codec_parse(str_of(event->data), &data, NULL), 0);
    return xasprintf("%zu %zu %zu", json_array_size(codec_array(data, "added")),
                     json_array_size(codec_array(data, "updated")),
                     json_array_size(codec_array(data, "deleted")));
}

static void
assert_delta(const struct fixture *f, const char *subject, const char *expected)
{
    const struct seen *last = NULL;
    AUTO(free) char *text = NULL;

    for (size_t i = 0; i < f->events.n; i++)
        if (f->events.v[i].seq > 0 && strcmp(f->events.v[i].subject, subject) == 0)
            last = &f->events.v[i];
    assert_non_null(last);
    text = delta(last);
    assert_string_equal(text, expected);
}

static void
assert_no_hole(const struct fixture *f)
{
    int64_t last = 0;

    for (size_t i = 0; i < f->events.n; i++) {
        if (f->events.v[i].seq == 0)
            continue;
        if (last)
            assert_int_equal(f->events.v[i].seq, last + 1);
        last = f->events.v[i].seq;
    }
}

static size_t
count_durable(const struct fixture *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->events.n; i++)
        n += f->events.v[i].seq > 0;
    return n;
}

static struct snapshot *
text_of(const char *text)
{
    return snapshot_create(xstrdup(text), strlen(text), 1);
}

static void
doc_open(struct fixture *f, const char *path, const char *text)
{
    AUTO(snapshot_unref) struct snapshot *s = text_of(text);

    workspace_doc_open(f->w, str_of(path), STR("c"), s);
}

static void
doc_change(struct fixture *f, const char *path, const char *text)
{
    AUTO(snapshot_unref) struct snapshot *s = text_of(text);

    workspace_doc_change(f->w, str_of(path), s);
}

static bool
is_quiet(const struct fixture *f)
{
    return workspace_state(f->w) == WORKSPACE_READY && map_count(f->w->jobs) == 0;
}

#define AB "int a(void) { return 1; }\nint b(void) { return 2; }\n"
#define AB2 "int a(void) { return 1; }\nint b(void) { return 22222; }\n"
