/* workspace: real trees, a real index. What is on the disk or in an editor must be what the index
 * holds once the workspace is quiet, and whatever is closed, whenever, leaves an empty loop. */
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

#include "../lib/fake_ls.h"
#include "workspace/test_trees.c"

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
remove_tree(const char *path)
{
    nftw(path, fake_ls_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
cut(const struct fixture *f, const char *path)
{
    AUTO(free) char *file = at(f, path);

    remove_tree(file);
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
    workspace_pause(w); // the writer takes nothing more
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
    remove_tree(f->root);
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

    query_file(workspace_query(f->w), str_of(path), on_rows, f);
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

/* ---- index runs ---- */

static void
test_first_and_second(void **state UNUSED)
{
    struct fixture f;
    int64_t seq;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "dir/b.py", "def p():\n    pass\n");
    put(&f, "notes.txt", "nothing");
    put(&f, ".gitignore", "ignored.c\n");
    put(&f, "ignored.c", "int i(void) { return 1; }\n");
    open_all(&f);
    assert_int_equal(workspace_state(f.w), WORKSPACE_OPENING);
    assert_string_equal(workspace_epoch(f.w), "");
    index_ok(&f);
    assert_int_equal(workspace_state(f.w), WORKSPACE_READY);
    assert_int_equal(f.summary.files, 2);
    assert_int_equal(f.summary.skipped, 2); // notes.txt, .gitignore
    assert_int_equal(f.summary.failed, 0);
    assert_int_equal(f.summary.unchanged, 0);
    assert_int_equal(f.summary.removed, 0);
    assert_int_equal(f.summary.counts.entities, 3);
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    assert_string_equal(indexed(&f, "ignored.c"), "-2");
    assert_string_equal(f.summary.info.epoch, workspace_epoch(f.w));
    assert_int_equal(count_events(&f, EVENT_INDEX_REBUILT, NULL), 1);
    assert_int_equal(count_events(&f, EVENT_FILE_COMPLETED, "a.c"), 1);
    assert_int_equal(count_events(&f, EVENT_FILE_PROCESSING, "a.c"), 1);
    assert_no_hole(&f);
    seq = f.summary.info.head;

    close_all(&f);
    forget_events(&f);
    open_all(&f);
    index_ok(&f);
    assert_int_equal(f.summary.files, 2);
    assert_int_equal(f.summary.unchanged, 2);
    assert_int_equal(f.summary.info.head, seq);
    assert_int_equal(f.events.n, 0);
    tear_down(&f);
}

static void
test_one_function_changed(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "other.c", "int o(void) { return 1; }\n");
    open_all(&f);
    index_ok(&f);
    forget_events(&f);
    put(&f, "a.c", AB2);
    index_ok(&f);
    assert_int_equal(count_durable(&f), 1);
    assert_delta(&f, "a.c", "0 1 0");
    assert_int_equal(f.summary.unchanged, 1);
    forget_events(&f);
    index_ok(&f);
    assert_int_equal(f.events.n, 0);
    tear_down(&f);
}

static void
test_removed(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "dir/b.c", AB);
    put(&f, "dir/sub/c.c", AB);
    put(&f, "dir.c", AB);
    open_all(&f);
    index_ok(&f);
    forget_events(&f);
    cut(&f, "a.c");
    cut(&f, "dir");
    index_ok(&f);
    assert_int_equal(f.summary.removed, 3);
    assert_int_equal(f.summary.files, 1);
    assert_int_equal(count_events(&f, EVENT_FILE_DELETED, NULL), 3);
    assert_delta(&f, "dir/sub/c.c", "0 0 2");
    assert_string_equal(indexed(&f, "dir/b.c"), "-2");
    assert_string_equal(indexed(&f, "dir.c"), "a,b");
    put(&f, "a.c", AB);
    index_ok(&f);
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    assert_no_hole(&f);
    tear_down(&f);
}

static void
unlink_it(struct fixture *f, const struct seen *event)
{
    if (event->type == EVENT_FILE_PROCESSING && strcmp(event->subject, "gone.c") == 0)
        cut(f, "gone.c");
}

static void
test_vanishes_while_read(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "gone.c", AB);
    put(&f, "a.c", AB);
    f.on_event = unlink_it;
    open_all(&f);
    index_ok(&f);
    assert_int_equal(f.summary.files, 1);
    assert_int_equal(f.summary.failed, 0);
    assert_string_equal(indexed(&f, "gone.c"), "-2");
    assert_null(known_find(f.w->known, STR("gone.c")));
    f.on_event = NULL;
    put(&f, "gone.c", AB);
    index_ok(&f);
    assert_string_equal(indexed(&f, "gone.c"), "a,b");
    f.on_event = unlink_it; // and once more, now that the index has it
    put(&f, "gone.c", AB2);
    index_ok(&f);
    assert_string_equal(indexed(&f, "gone.c"), "-2");
    tear_down(&f);
}

/* Each order of "it is gone" and "it is there" while one of them is on its way. */
static void
test_deleted_and_back(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    index_ok(&f);

    pipeline_touch(f.w, STR("a.c"), JOB_DELETE, false);
    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "a,b");

    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    pipeline_touch(f.w, STR("a.c"), JOB_DELETE, false);
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "-2");
    assert_null(known_find(f.w->known, STR("a.c")));

    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    WAIT(&f, is_quiet(&f));
    doc_open(&f, "a.c", AB); // says what the index has
    WAIT(&f, is_quiet(&f));
    pipeline_touch(f.w, STR("a.c"), JOB_DELETE, false);
    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "a,b*");

    /* It vanished, and is there again before the worker's word of it arrives. */
    workspace_doc_close(f.w, STR("a.c"));
    WAIT(&f, known_find(f.w->known, STR("a.c"))->mtime_ns != 0 && is_quiet(&f));
    cut(&f, "a.c");
    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    WAIT(&f, ({
        struct file_job *job = map_get(f.w->jobs, STR("a.c"));
        usleep(1000); // the worker is about to look: no harm if it has not
        job && job->state == JOB_WORKING;
    }));
    put(&f, "a.c", AB2);
    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    tear_down(&f);
}

static void
test_runs_join(void **state UNUSED)
{
    struct fixture f;
    size_t n;

    set_up(&f);
    for (size_t i = 0; i < 50; i++) {
        AUTO(free) char *path = xasprintf("d%zu/f%zu.c", i % 7, i);
        put(&f, path, AB);
    }
    open_all(&f);
    workspace_index(f.w, false, on_summary, &f); // before it is open
    workspace_index(f.w, true, on_summary, &f);
    WAIT(&f, f.w->is_walking);
    workspace_index(f.w, false, on_summary, &f); // while it walks
    WAIT(&f, f.n_summaries == 3);
    assert_int_equal(f.summary.r, 0);
    assert_int_equal(f.summary.files, 50);
    assert_int_equal(f.w->walk, 1);
    workspace_index(f.w, false, on_summary, &f); // two for one walk
    workspace_index(f.w, false, on_summary, &f);
    WAIT(&f, f.n_summaries == 5);
    assert_int_equal(f.w->walk, 2);
    assert_int_equal(f.summary.unchanged, 50);
    n = f.n_summaries;
    workspace_index(f.w, false, on_summary, &f);
    close_all(&f); // while closing: answered all the same
    assert_int_equal(f.n_summaries, n + 1);
    assert_int_equal(f.summary.r, -ESHUTDOWN);
    tear_down(&f);
}

static void
test_many_files(void **state UNUSED)
{
    struct fixture f;
    size_t n_files = WORKSPACE_CREDITS + 3 * WORKSPACE_SCAN_AHEAD, most_waiting = 0,
           least_credits = WORKSPACE_CREDITS;
    bool was_paused = false;

    set_up(&f);
    for (size_t i = 0; i < n_files; i++) {
        AUTO(free) char *path = xasprintf("d%zu/f%zu.c", i % 3, i);
        AUTO(free) char *text = xasprintf("int f%zu(void) { return %zu; }\n", i, i);
        put(&f, path, text);
    }
    open_all(&f);
    workspace_index(f.w, false, on_summary, &f);
    WAIT(&f, (most_waiting = MAX(most_waiting, f.w->n_waiting),
              least_credits = MIN(least_credits, f.w->credits),
              was_paused |= f.w->is_scan_paused, f.n_summaries > 0));
    assert_int_equal(f.summary.files, n_files);
    assert_int_equal(f.summary.counts.entities, n_files);
    assert_true(was_paused);
    assert_true(most_waiting <= WORKSPACE_SCAN_AHEAD + 1);
    assert_true(least_credits >= WORKSPACE_CREDITS_RESERVED);
    assert_int_equal(f.w->credits, WORKSPACE_CREDITS);
    assert_int_equal(f.w->held_bytes, 0);
    assert_int_equal(f.w->n_working, 0);
    assert_int_equal(f.w->walk_done, f.w->walk_files);
    assert_int_equal(count_durable(&f), n_files + 1);
    assert_no_hole(&f);
    tear_down(&f);
}

/* Files of nothing but definitions, whose batches are several times as large as they are. */
static void
test_large_batches_wait(void **state UNUSED)
{
    struct fixture f;
    AUTO(buf_finish) struct buf text = {0};
    size_t n_files = 12, n_macros = 12000, most_bytes = 0;
    bool was_held_back = false;

    set_up(&f);
    for (size_t i = 0; i < n_macros; i++)
        buf_printf(&text, "#define REGISTER_OF_A_DEVICE_%05zu 0x%zx\n", i, i);
    for (size_t i = 0; i < n_files; i++) {
        AUTO(free) char *path = xasprintf("f%zu.h", i);
        put(&f, path, text.p);
    }
    open_all(&f);
    workspace_index(f.w, false, on_summary, &f);
    WAIT(&f, (most_bytes = MAX(most_bytes, f.w->held_bytes),
              was_held_back |= f.w->n_waiting > 0, f.n_summaries > 0));
    assert_int_equal(f.summary.counts.entities, n_files * n_macros);
    assert_true(was_held_back); // although there are credits for all
    assert_true(most_bytes > WORKSPACE_HELD_BYTES_MAX / 2);
    assert_true(most_bytes <
                WORKSPACE_HELD_BYTES_MAX +
                    f.config->jobs * WORKSPACE_BATCH_BYTES_PER_TEXT * text.n);
    assert_int_equal(f.w->held_bytes, 0);
    tear_down(&f);
}

/* ---- documents ---- */

static void
test_overlay(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    index_ok(&f);
    forget_events(&f);

    doc_open(&f, "a.c", AB); // as on the disk: nothing to tell, nothing to store
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    workspace_doc_close(f.w, STR("a.c"));
    index_ok(&f);
    assert_int_equal(count_durable(&f), 0);

    doc_open(&f, "a.c", AB);
    doc_change(&f, "a.c", "int c(void) { return 3; }\n");
    assert_string_equal(outlined(&f, "a.c"), "c*"); // at once
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "c*");
    assert_delta(&f, "a.c", "1 0 2");
    put(&f, "a.c", AB2); // the disk does not count now
    index_ok(&f);
    assert_string_equal(indexed(&f, "a.c"), "c*");

    doc_open(&f, "a.c", "int d(void) { return 4; }\n"); // a second editor
    workspace_doc_close(f.w, STR("a.c"));
    WAIT(&f, is_quiet(&f));
    index_ok(&f);
    assert_string_equal(indexed(&f, "a.c"), "d*");
    workspace_doc_close(f.w, STR("a.c"));
    workspace_doc_close(f.w, STR("a.c")); // once too often
    WAIT(&f, count_events(&f, EVENT_FILE_COMPLETED, "a.c") == 3);
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    assert_string_equal(outlined(&f, "a.c"), "a,b");
    assert_string_equal(outlined(&f, "none.c"), "-2");
    doc_change(&f, "a.c", "int z;"); // not open: ignored
    assert_int_equal(map_count(f.w->jobs), 0);
    tear_down(&f);
}

/* A buffer that is nowhere on the disk, and one that was there. */
static void
test_overlay_without_file(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    index_ok(&f);
    doc_open(&f, "new.c", "int n(void) { return 1; }\n");
    doc_open(&f, "a.c", AB2);
    WAIT(&f, is_quiet(&f));
    cut(&f, "a.c");
    index_ok(&f); // the walk finds neither
    assert_string_equal(indexed(&f, "new.c"), "n*");
    assert_string_equal(indexed(&f, "a.c"), "a,b*");
    workspace_doc_close(f.w, STR("new.c"));
    workspace_doc_close(f.w, STR("a.c"));
    WAIT(&f, count_events(&f, EVENT_FILE_DELETED, NULL) == 2);
    assert_string_equal(indexed(&f, "new.c"), "-2");
    assert_string_equal(indexed(&f, "a.c"), "-2");
    tear_down(&f);
}

static void
test_overlay_after_restart(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "b.c", AB);
    open_all(&f);
    index_ok(&f);
    doc_open(&f, "a.c", "int c(void) { return 3; }\n");
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "c*");
    close_all(&f); // with the document open
    open_all(&f);
    doc_open(&f, "b.c", "int d(void) { return 3; }\n"); // before the index is open
    index_ok(&f);
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    assert_string_equal(indexed(&f, "b.c"), "d*");
    tear_down(&f);
}

/* ---- closing, at any moment ---- */

static void
test_close_anywhere(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    for (size_t i = 0; i < 40; i++) {
        AUTO(free) char *path = xasprintf("d%zu/f%zu.c", i % 7, i);
        put(&f, path, AB);
    }
    for (size_t n_rounds = 0; n_rounds < 40; n_rounds++) {
        AUTO(free) char *db = xasprintf("%s-%zu", f.db_url, n_rounds);
        size_t n_answers = f.answers.n, n_summaries = f.n_summaries;

        f.db = db;
        f.with_watch = n_rounds % 2;
        open_all(&f);
        workspace_index(f.w, n_rounds % 3 == 0, on_summary, &f);
        doc_open(&f, "d1/f1.c", AB2);
        for (size_t i = 0; i < n_rounds; i++)
            uv_run(&f.loop.uv, UV_RUN_NOWAIT);
        if (workspace_query(f.w)) {
            workspace_outline(f.w, STR("d1/f1.c"), on_rows, &f);
            query_file(workspace_query(f.w), STR("d1/f1.c"), on_rows, &f);
            n_answers += 2;
        }
        close_all(&f);
        assert_int_equal(f.n_summaries, n_summaries + 1);
        assert_int_equal(f.answers.n, n_answers);
    }
    tear_down(&f);
}

static bool
is_any_job(const struct fixture *f, enum file_job_state state)
{
    struct str path;
    size_t iter = 0;
    void *value;

    while (map_next(f->w->jobs, &iter, &path, &value))
        if (((struct file_job *)value)->state == state)
            return true;
    return false;
}

static void
test_close_at_each_stage(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    for (size_t i = 0; i < WORKSPACE_CREDITS + 100; i++) {
        AUTO(free) char *path = xasprintf("f%zu.c", i);
        put(&f, path, AB);
    }
    for (int stage = 0; stage < 6; stage++) {
        AUTO(free) char *db = xasprintf("%s-%d", f.db_url, stage);

        f.db = db;
        open_all(&f);
        switch (stage) {
        case 0: break;                         // opening
        case 1: WAIT(&f, f.w->is_open); break; // reading what is known
        case 2: WAIT(&f, f.w->is_walking); break;
        case 3:
            WAIT(&f, is_any_job(&f, JOB_WAITING) && is_any_job(&f, JOB_WORKING));
            break;
        case 4: WAIT(&f, is_any_job(&f, JOB_STORING)); break;
        case 5: WAIT(&f, is_quiet(&f)); break;
        }
        close_all(&f);
    }
    assert_int_equal(f.n_summaries, 0);
    tear_down(&f);
}

static void
test_close_without_any(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    open_all(&f);
    bus_unsubscribe(steal(f.subscription));
    workspaces_close(f.all, on_closed, &f);
    struct workspace *w;
    assert_int_equal(workspaces_acquire(f.all, f.root, true, &w), -ESHUTDOWN);
    f.w = NULL;
    WAIT(&f, f.is_closed);
    struct workspaces_options options = {.config = f.config};
    f.is_closed = false;
    f.all = workspaces_open(&f.loop, &options);
    workspaces_close(steal(f.all), on_closed, &f);
    WAIT(&f, f.is_closed);
    tear_down(&f);
}

/* ---- what can go wrong ---- */

static void
test_index_is_locked(void **state UNUSED)
{
    struct fixture f;
    struct store_writer *other = NULL;
    struct store_info info;

    set_up(&f);
    put(&f, "a.c", AB);
    assert_int_equal(store_writer_open(f.db_url, NULL, &other, &info, NULL), 0);
    open_all(&f);
    index_all(&f, false);
    assert_true(f.summary.r < 0);
    assert_non_null(strstr(f.why, "another"));
    assert_int_equal(workspace_state(f.w), WORKSPACE_FAILED);
    assert_non_null(strstr(workspace_why(f.w), "another"));
    assert_null(workspace_query(f.w));
    index_all(&f, true); // and again, now that it has failed
    assert_true(f.summary.r < 0);
    doc_open(&f, "a.c", AB2);
    workspace_reindex(f.w, STR("a.c"));
    workspace_pause(f.w);
    workspace_resume(f.w);
    workspace_doc_close(f.w, STR("a.c"));
    workspace_index(f.w, false, on_summary, &f);
    close_all(&f);
    assert_int_equal(f.n_summaries, 3);
    store_writer_close(other);
    open_all(&f);
    index_ok(&f);
    assert_int_equal(f.summary.files, 1);
    tear_down(&f);
}

/* Of an index that is not there yet, the first walk begins while it is made. */
static void
test_walk_before_open(void **state UNUSED)
{
    struct fixture f;
    size_t n_rebuilt = 0;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    assert_false(f.w->is_open);
    assert_true(f.w->is_walking);
    doc_open(&f, "b.c", AB2); // a buffer, too
    index_ok(&f);
    assert_int_equal(f.w->walk, 1);
    assert_int_equal(f.summary.files, 2);
    assert_true(list_is_empty(&f.w->early));
    for (size_t i = 0; i < f.events.n; i++) { // it is told of before all that it has
        n_rebuilt += f.events.v[i].type == EVENT_INDEX_REBUILT;
        assert_true(n_rebuilt == 1 || f.events.v[i].seq == 0);
    }
    assert_int_equal(n_rebuilt, 1);
    workspace_doc_close(f.w, STR("b.c"));
    close_all(&f);
    open_all(&f); // now it is there: what it has comes first
    assert_false(f.w->is_walking);
    index_ok(&f);
    assert_int_equal(f.summary.unchanged, 1);
    tear_down(&f);
}

/* What is kept back is not kept for ever. */
static void
test_does_not_open(void **state UNUSED)
{
    struct fixture f;
    AUTO(free) char *db = NULL;

    set_up(&f);
    for (size_t i = 0; i < 20; i++) {
        AUTO(free) char *path = xasprintf("d%zu/f.c", i);
        put(&f, path, AB);
    }
    put(&f, "file", "");
    f.db = db = xasprintf("sqlite:%s/file/index.db", f.root); // in no folder
    open_all(&f);
    assert_true(f.w->is_walking);
    doc_open(&f, "d1/f.c", AB2);
    index_all(&f, false);
    assert_true(f.summary.r < 0);
    assert_int_equal(workspace_state(f.w), WORKSPACE_FAILED);
    doc_change(&f, "d1/f.c", AB);
    close_all(&f);
    open_all(&f);
    close_all(&f); // before it is known that it does not open
    tear_down(&f);
}

/* Somebody else made the index between the look for it and its opening: as when the way to it leads
 * through a folder that is not there yet. */
static void
test_made_meanwhile(void **state UNUSED)
{
    struct fixture f;
    AUTO(free) char *db = NULL;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "gone.c", AB);
    open_all(&f);
    index_ok(&f);
    close_all(&f);
    cut(&f, "gone.c");
    put(&f, "b.c", AB2);
    f.db = db = xasprintf("sqlite:%s/way/../%s", scratch, strrchr(f.db_url, '/') + 1);
    open_all(&f);
    assert_true(f.w->is_walking);
    index_ok(&f);
    assert_int_equal(f.summary.files, 2);
    assert_string_equal(indexed(&f, "gone.c"), "-2");
    close_all(&f);
    tear_down(&f);
}

/* Nothing can be written to any file, as on a full disk. */
static void
fill_disk(struct rlimit *ret_was)
{
    struct rlimit none;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, ret_was), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = ret_was->rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
}

#define FEW_CREDITS (WORKSPACE_CREDITS_RESERVED + 2) // each that fails takes a while

static void
test_index_cannot_be_written(void **state UNUSED)
{
    struct fixture f;
    struct rlimit was;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    index_ok(&f);
    put(&f, "a.c", AB2);
    for (size_t i = 0; i < 400; i++) {
        AUTO(free) char *path = xasprintf("f%zu.c", i);
        put(&f, path, AB);
    }
    f.w->credits = FEW_CREDITS;
    fill_disk(&was);
    index_all(&f, false);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_true(f.summary.r < 0);
    assert_non_null(strstr(f.why, "cannot be written"));
    assert_int_equal(f.w->credits, FEW_CREDITS);
    /* What waited was not tried one by one, and is not forgotten either. */
    assert_true(writer_stats(f.w->writer).failed <= 8);
    assert_int_equal(f.w->n_not_stored, 401);
    assert_string_equal(indexed(&f, "f9.c"), "-2");
    forget_events(&f);
    f.w->credits = WORKSPACE_CREDITS;
    index_ok(&f); // there is room again
    assert_int_equal(f.summary.files, 401);
    assert_string_equal(indexed(&f, "f9.c"), "a,b");
    assert_delta(&f, "a.c", "0 1 0");
    tear_down(&f);
}

/* An engine that stays tries again by itself, buffers too. */
static void
test_written_later(void **state UNUSED)
{
    struct fixture f;
    struct rlimit was;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "gone.c", AB);
    f.with_watch = true;
    open_all(&f);
    index_ok(&f);
    put(&f, "a.c", "int c(void) { return 3; }\n"); // told soon
    cut(&f, "gone.c");
    fill_disk(&was);
    doc_open(&f, "new.c", "int n(void) { return 1; }\n");
    WAIT(&f, f.w->n_not_stored >= 3 && map_count(f.w->jobs) == 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_true(timer_is_armed(f.w->retry_timer));
    timer_start(f.w->retry_timer, 0, 0); // half a minute goes by
    WAIT(&f, f.w->walk == 2 && is_quiet(&f));
    assert_int_equal(f.w->n_not_stored, 0);
    assert_string_equal(indexed(&f, "a.c"), "c");
    assert_string_equal(indexed(&f, "new.c"), "n*");
    assert_string_equal(indexed(&f, "gone.c"), "-2");
    tear_down(&f);
}

static void
test_acquire(void **state UNUSED)
{
    struct fixture f;
    struct workspace *again = NULL;
    AUTO(free) char *link = NULL, *file = NULL, *dotted = NULL;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    link = xasprintf("%s-link", f.root);
    file = at(&f, "a.c");
    dotted = at(&f, "./.");
    assert_int_equal(symlink(f.root, link), 0);
    assert_int_equal(workspaces_acquire(f.all, dotted, false, &again), 0);
    assert_ptr_equal(again, f.w);
    assert_int_equal(workspaces_acquire(f.all, link, true, &again), 0);
    assert_ptr_equal(again, f.w);
    assert_ptr_equal(workspaces_at(f.all, 0), f.w);
    assert_null(workspaces_at(f.all, 1));
    assert_ptr_equal(workspaces_by_id(f.all, str_of(workspace_id(f.w))), f.w);
    assert_null(workspaces_by_id(f.all, STR("000000000000")));
    assert_int_equal(workspaces_acquire(f.all, file, true, &again), -ENOTDIR);
    assert_int_equal(workspaces_acquire(f.all, "/nowhere/at/all", true, &again), -ENOENT);
    assert_true(str_eq_c(workspace_relative(f.w, file), "a.c"));
    assert_null(workspace_relative(f.w, "/etc/passwd").p);
    unlink(link);
    tear_down(&f);
}

/* ---- listeners ---- */

struct told {
    struct workspace_listener *one, *two;
    size_t n_one, n_two;
};

static void
on_one(void *ctx)
{
    struct told *t = ctx;

    t->n_one++;
    workspace_unlisten(steal(t->two)); // the next in the list
}

static void
on_two(void *ctx)
{
    ((struct told *)ctx)->n_two++;
}

static void
test_listeners(void **state UNUSED)
{
    struct fixture f;
    struct told t = {0};

    set_up(&f);
    open_all(&f);
    t.one = workspace_listen(f.w, on_one, &t);
    t.two = workspace_listen(f.w, on_two, &t);
    WAIT(&f, t.n_one > 0 && is_quiet(&f));
    assert_int_equal(t.n_two, 0);
    workspace_unlisten(t.one);
    AUTO(buf_finish) struct buf json = {0};
    AUTO(json_decref_) json_t *status = NULL;
    workspaces_add_status(&json, f.all);
    assert_int_equal(codec_parse(buf_str(&json), &status, NULL), 0);
    assert_string_equal(
        json_string_value(json_object_get(
            json_array_get(codec_array(status, "workspaces"), 0), "state")),
        "ready");
    tear_down(&f);
}

/* ---- watching ---- */

static void
test_watching(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    f.with_watch = true;
    open_all(&f);
    index_ok(&f);
    assert_int_equal(count_events(&f, EVENT_PIPELINE_ONLINE, NULL), 1);
    forget_events(&f);
    put(&f, "a.c", AB2);
    WAIT(&f, count_events(&f, EVENT_FILE_COMPLETED, "a.c") > 0 && is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    put(&f, "dir/b.c", AB);
    put(&f, "dir/sub/c.c", AB);
    WAIT(&f, count_events(&f, EVENT_FILE_COMPLETED, "dir/b.c") > 0 &&
                 count_events(&f, EVENT_FILE_COMPLETED, "dir/sub/c.c") > 0);
    cut(&f, "dir");
    WAIT(&f, count_events(&f, EVENT_FILE_DELETED, "dir/b.c") == 1 &&
                 count_events(&f, EVENT_FILE_DELETED, "dir/sub/c.c") == 1);
    AUTO(free) char *from = at(&f, "a.c"), *to = at(&f, "renamed.c");
    assert_int_equal(rename(from, to), 0);
    WAIT(&f, count_events(&f, EVENT_FILE_DELETED, "a.c") == 1 &&
                 count_events(&f, EVENT_FILE_COMPLETED, "renamed.c") == 1);
    assert_string_equal(indexed(&f, "renamed.c"), "a,b");
    assert_string_equal(indexed(&f, "a.c"), "-2");
    assert_no_hole(&f);
    tear_down(&f);
}

/* Each file is stored at its new path before it is deleted at the old one, both once. */
static void
test_moved_folder(void **state UNUSED)
{
    enum { FILES = 1000 };
    struct fixture f;

    set_up(&f);
    for (int i = 0; i < FILES; i++) {
        AUTO(free) char *path = xasprintf("from/s%d/f%d.c", i % 10, i);
        put(&f, path, AB);
    }
    put(&f, "fro/a.c", AB); // its name begins alike
    put(&f, "from.c", AB);
    f.with_watch = true;
    open_all(&f);
    index_ok(&f);
    forget_events(&f);
    AUTO(free) char *from = at(&f, "from"), *to = at(&f, "to");
    assert_int_equal(rename(from, to), 0);
    WAIT(&f, f.events.n >= 2 * FILES && is_quiet(&f));
    size_t n_completed = 0, n_deleted = 0;
    for (size_t i = 0; i < f.events.n; i++) {
        const struct seen *e = &f.events.v[i];
        if (e->type == EVENT_FILE_COMPLETED) {
            assert_true(str_starts_with(str_of(e->subject), STR("to/")));
            assert_int_equal(n_deleted, 0);
            n_completed++;
        } else if (e->type == EVENT_FILE_DELETED) {
            assert_true(str_starts_with(str_of(e->subject), STR("from/")));
            n_deleted++;
        }
    }
    assert_int_equal(n_completed, FILES);
    assert_int_equal(n_deleted, FILES);
    assert_string_equal(indexed(&f, "from.c"), "a,b");
    assert_string_equal(indexed(&f, "fro/a.c"), "a,b");
    assert_string_equal(indexed(&f, "to/s1/f1.c"), "a,b");
    tear_down(&f);
}

static void
count_known(void *ctx, struct str path UNUSED, struct known_file *file UNUSED)
{
    ++*(size_t *)ctx;
}

static size_t
n_known_at(const struct known_files *k, const char *path)
{
    size_t n = 0;

    known_each_at(k, str_of(path), count_known, &n);
    return n;
}

static void
test_known_by_folder(void **state UNUSED)
{
    struct known_files *k = known_create();
    static const char *const paths[] = {"a",     "a/b",  "a/b/c/d", "a/b/c/e",
                                        "a/f/g", "ab/c", "z",       "x/y/z/u/v"};

    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
            struct known_file *file = known_add(k, str_of(paths[i]));
            assert_ptr_equal(known_find(k, str_of(paths[i])), file);
            assert_ptr_equal(known_add(k, str_of(paths[i])), file);
        }
        assert_int_equal(n_known_at(k, "a"), 5); // a file and a folder of one name
        assert_int_equal(n_known_at(k, "a/b"), 3);
        assert_int_equal(n_known_at(k, "a/b/c"), 2);
        assert_int_equal(n_known_at(k, "x"), 1);
        assert_int_equal(n_known_at(k, "x/y/z/u/v"), 1);
        assert_int_equal(n_known_at(k, "none/at/all"), 0);
        known_remove(k, STR("a/b/c/d"));
        known_remove(k, STR("a/b/c/none"));
        assert_int_equal(n_known_at(k, "a/b/c"), 1);
        known_remove(k, STR("x/y/z/u/v"));
        assert_int_equal(n_known_at(k, "x"), 0);
        for (size_t i = 0; i < ARRAY_LEN(paths); i++)
            known_remove(k, str_of(paths[i]));
        assert_int_equal(n_known_at(k, "a"), 0);
    }
    known_add(k, STR("left/behind"));
    known_destroy(k);
}

/* As many as a kernel has, and what each costs for as long as a workspace is open. */
static void
test_known_files_are_small(void **state UNUSED)
{
    struct known_files *k = known_create();
    size_t n = 40000, n_found = 0, iter = 0, before = mallinfo2().uordblks, n_bytes;
    struct known_file *file;
    struct str path;

    for (size_t i = 0; i < n; i++) {
        AUTO(free) char *one = xasprintf("a/folder/deep/below/d%zu/file%zu.c", i / 16, i);
        known_add(k, str_of(one));
    }
    n_bytes = mallinfo2().uordblks - before; // 0 where the heap is a sanitizer's
    assert_true(n_bytes / n <= 160);
    for (size_t i = 0; i < n; i += 2) {
        AUTO(free) char *one = xasprintf("a/folder/deep/below/d%zu/file%zu.c", i / 16, i);
        known_remove(k, str_of(one));
        known_remove(k, str_of(one));
        assert_null(known_find(k, str_of(one)));
    }
    while (known_next(k, &iter, &path, &file)) {
        AUTO(free)
        char *one = xasprintf("a/folder/deep/below/d%zu/file%zu.c",
                              (n_found * 2 + 1) / 16, n_found * 2 + 1);
        assert_true(str_eq_c(path, one)); // in the order they came
        assert_ptr_equal(known_find(k, path), file);
        n_found++;
    }
    assert_int_equal(n_found, n / 2);
    known_destroy(k);
}

/* ---- enrichment, with a server that does as it is told ---- */

struct enriched {
    struct fixture f;
    struct fake_ls server;
    const char *languages[2];
    struct config_server spec;
};

static void
set_up_enriched(struct enriched *e, const char *scenario)
{
    set_up(&e->f);
    fake_ls_init(&e->server, scenario);
    e->languages[0] = "c";
    e->languages[1] = NULL;
    e->spec = (struct config_server){.name = "fake",
                                     .command = e->server.command,
                                     .languages = e->languages,
                                     .enabled = true};
    e->f.config->servers = &e->spec;
    e->f.config->n_servers = 1;
    e->f.config->enrich_enabled = true;
    e->f.config->trusted = true;
    put(&e->f, "a.c", AB);
}

static void
tear_down_enriched(struct enriched *e)
{
    tear_down(&e->f);
    fake_ls_finish(&e->server);
}

static size_t
n_hovers(const struct enriched *e)
{
    return fake_ls_count(&e->server, "'method':'textDocument/hover'");
}

static void
test_enrich(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;
    size_t n;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(&e, "{'lives':[{}]}");
    open_all(f);
    index_ok(f);
    assert_int_equal(n_hovers(&e), 0);
    assert_int_equal(f->summary.counts.hovers[HOVER_UNKNOWN], 2);
    index_all(f, true);
    assert_int_equal(f->summary.r, 0);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    assert_int_equal(count_events(f, EVENT_ENTITY_ENRICHED, "a.c"), 1);
    n = n_hovers(&e);
    assert_int_equal(n, 2);
    assert_int_equal(n, 2);
    index_all(f, true); // nothing is missing
    assert_int_equal(n_hovers(&e), n);

    put(f, "a.c", AB2); // one is told of an earlier text now, both of an earlier content
    index_ok(f);
    assert_true(f->summary.counts.stale > 0);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    index_all(f, true);
    assert_int_equal(f->summary.counts.stale, 0);
    assert_true(n_hovers(&e) > n);
    tear_down_enriched(&e);
}

/* What the index knows outlives a server that says nothing any more. */
static void
test_unknown_does_not_replace_known(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(
        &e, "{'lives':[{},{'hover':[{'error':{'code':-32603,'message':'no'}}]}]}");
    open_all(f);
    index_all(f, true);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    close_all(f);
    put(f, "a.c", AB2);
    open_all(f);
    index_all(f, true);
    assert_int_equal(f->summary.r, 0);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    assert_int_equal(f->summary.counts.stale, 2);
    tear_down_enriched(&e);
}

/* A change that changes nothing takes the question back; it is asked again. */
static void
test_asked_again_after_cancel(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(&e, "{'lives':[{'hover':[{'times':2,'silent':true}]}]}");
    open_all(f);
    doc_open(f, "a.c", AB);
    workspace_index(f->w, true, on_summary, f);
    WAIT(f, n_hovers(&e) == 2);
    doc_change(f, "a.c", AB);
    WAIT(f, f->n_summaries == 1);
    assert_int_equal(f->summary.r, 0);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    assert_int_equal(f->w->n_asking_all, 0);
    assert_int_equal(f->w->hover_files_done, f->w->hover_files_total);
    tear_down_enriched(&e);
}

static void
test_not_asked(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;
    struct workspace *w;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(&e, "{'lives':[{}]}");
    open_all(f);
    f->w->is_trusted = false; // as if only a stranger had acquired it
    index_all(f, true);
    assert_int_equal(f->summary.counts.hovers[HOVER_UNKNOWN], 2);
    workspace_pause(f->w);
    assert_int_equal(workspaces_acquire(f->all, f->root, true, &w), 0);
    assert_int_equal(workspace_state(f->w), WORKSPACE_PAUSED);
    index_all(f, true);
    assert_int_equal(f->summary.counts.hovers[HOVER_UNKNOWN], 2);
    assert_int_equal(fake_ls_count(&e.server, "life"), 0); // no program was started
    workspace_resume(f->w);
    index_all(f, true);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    tear_down_enriched(&e);
}

/* Closing while hovers are asked for, looked up, or being stored. */
static void
test_close_while_enriching(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(&e, "{'lives':[{'hover':[{'delay_ms':20}]}]}");
    for (int stage = 0; stage < 4; stage++) {
        AUTO(free) char *db = xasprintf("%s-%d", f->db_url, stage);

        f->db = db;
        f->with_watch = stage % 2;
        open_all(f);
        workspace_index(f->w, true, on_summary, f);
        switch (stage) {
        case 0: WAIT(f, f->w->is_asking_store); break;
        case 1: WAIT(f, f->w->n_asking_all > 0); break;
        case 2: WAIT(f, f->w->enrich && enrich_waiting(f->w->enrich) > 0); break;
        case 3: WAIT(f, n_hovers(&e) > 0); break;
        }
        close_all(f);
        assert_int_equal(f->n_summaries, stage + 1);
    }
    tear_down_enriched(&e);
}

static int
set_up_all(void **state UNUSED)
{
    const char *tmp = getenv("TMPDIR");
    AUTO(free)
    char *template = path_join(tmp && tmp[0] ? tmp : "/tmp", "test-workspace-XXXXXX");
    AUTO(free) char *config = NULL, *states = NULL;

    if (!mkdtemp(template) || fs_real_path(template, &scratch) < 0)
        return -1;
    config = path_join(scratch, "config");
    states = path_join(scratch, "state");
    setenv("HOME", scratch, 1);
    setenv("XDG_CONFIG_HOME", config, 1);
    setenv("XDG_STATE_HOME", states, 1);
    return lang_init(NULL);
}

static int
tear_down_all(void **state UNUSED)
{
    lang_finish();
    remove_tree(scratch);
    free(scratch);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_and_second),
        cmocka_unit_test(test_one_function_changed),
        cmocka_unit_test(test_removed),
        cmocka_unit_test(test_vanishes_while_read),
        cmocka_unit_test(test_deleted_and_back),
        cmocka_unit_test(test_runs_join),
        cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_large_batches_wait),
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_overlay_without_file),
        cmocka_unit_test(test_overlay_after_restart),
        cmocka_unit_test(test_close_anywhere),
        cmocka_unit_test(test_close_at_each_stage),
        cmocka_unit_test(test_close_without_any),
        cmocka_unit_test(test_index_is_locked),
        cmocka_unit_test(test_walk_before_open),
        cmocka_unit_test(test_does_not_open),
        cmocka_unit_test(test_made_meanwhile),
        cmocka_unit_test(test_index_cannot_be_written),
        cmocka_unit_test(test_written_later),
        cmocka_unit_test(test_acquire),
        cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_watching),
        cmocka_unit_test(test_moved_folder),
        cmocka_unit_test(test_known_by_folder),
        cmocka_unit_test(test_known_files_are_small),
        cmocka_unit_test(test_edits),
        cmocka_unit_test(test_kept_trees_say_the_same),
        cmocka_unit_test(test_kept_trees_are_few),
        cmocka_unit_test(test_enrich),
        cmocka_unit_test(test_unknown_does_not_replace_known),
        cmocka_unit_test(test_asked_again_after_cancel),
        cmocka_unit_test(test_not_asked),
        cmocka_unit_test(test_close_while_enriching),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
