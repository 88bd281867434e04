/* What scanners send, on its way to the writer. Invariant: what waits is counted from the moment it was
 * taken until it came back, over all workspaces, so that no number of senders fills the memory; a
 * batch that was taken comes back once, also from an index that cannot be opened. */
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "workspace/internal.h"

struct ingest_job {
    struct list link; // of workspace.ingests, until the index is open
    struct workspace *w;
    struct ingest_batch *batch;
    size_t n_ops, n_bytes;
    bool is_urgent;
    workspace_ingest_fn fn;
    void *ctx;
};

/* ---- names ---- */

static bool
is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_name(struct str name)
{
    if (name.n == 0 || name.n > WORKSPACE_NAME_BYTES_MAX || !is_letter_or_digit(*name.p))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!is_letter_or_digit(name.p[i]) && !memchr("._-", name.p[i], 3))
            return false;
    return true;
}

static struct workspace *
find_open(const struct workspaces *all, struct str name)
{
    list_for_each (it, &all->all) {
        struct workspace *w = list_entry(it, struct workspace, link);
        if (w->name && str_eq_c(name, w->name))
            return w;
    }
    return NULL;
}

static bool
has_place(const struct workspaces *all)
{
    size_t n = 0;

    list_for_each (it, &all->all)
        n += list_entry(it, struct workspace, link)->name != NULL;
    return n < WORKSPACE_PUSHED_MAX && all->n_open < WORKSPACE_COUNT_MAX;
}

int
workspaces_acquire_pushed(struct workspaces *all, struct str name, bool may_create,
                          struct workspace **ret_workspace)
{
    struct workspace *w;
    int r = 0;

    ASSERT_LOOP();
    if (!is_name(name))
        return -EINVAL;
    if (all->is_closing)
        return -ESHUTDOWN;
    w = find_open(all, name);
    if (w && w->is_deleted)
        return -EBUSY;
    if (!w) {
        AUTO(free) char *text = str_dup(name);
        if (!may_create && !workspace_pushed_is_there(all, text))
            return -ENOENT;
        if (!has_place(all))
            return -EMFILE;
        r = workspace_create(all, xasprintf(WORKSPACE_PUSHED "%s", text), text, &w);
        if (r < 0)
            return r;
        list_add(&all->all, &w->link);
        all->n_open++;
    }
    *ret_workspace = w;
    return 0;
}

const char *
workspace_pushed_name(const struct workspace *w)
{
    return w->name;
}

/* ---- what waits ---- */

unsigned
workspaces_ingest_fill(const struct workspaces *all)
{
    size_t ops = all->ingested.waiting_lines * 100 / WORKSPACE_INGEST_OPS_MAX;
    size_t bytes = all->ingested.waiting_bytes * 100 / WORKSPACE_INGEST_BYTES_MAX;
    size_t jobs = all->n_ingests * 100 / WORKSPACE_INGEST_JOBS_MAX;

    return (unsigned)MAX(MAX(ops, bytes), jobs);
}

struct ingest_totals
workspaces_ingest_totals(const struct workspaces *all)
{
    return all->ingested;
}

/* Of a batch that was there as a whole nothing was looked at. */
static void
count_ended(struct ingest_totals *t, const struct ingest_batch *batch, int r)
{
    if (r < 0) {
        t->lost += batch->n;
        return;
    }
    t->batches++;
    for (size_t i = 0; i < batch->n; i++) {
        t->refused += batch->v[i].fault != NULL;
        t->again += !batch->v[i].fault && (batch->is_again || batch->v[i].is_again);
        t->stored += !batch->v[i].fault && !batch->is_again && !batch->v[i].is_again;
    }
}

static void
job_end(struct ingest_job *job, int r)
{
    struct workspaces *all = job->w->all;

    count_ended(&all->ingested, job->batch, r);
    all->ingested.waiting_lines -= job->n_ops;
    all->ingested.waiting_bytes -= job->n_bytes;
    all->n_ingests--;
    job->fn(job->ctx, r, job->batch);
    free(job);
}

static void
on_put(void *ctx, int r, struct event *event UNUSED)
{
    struct ingest_job *job = ctx;
    struct workspace *w = job->w;
    bool is_awaited = w->is_closing; // what is told may close it

    w->n_working--;
    job_end(job, r);
    if (is_awaited)
        workspace_part_closed(w);
}

static void
to_writer(struct ingest_job *job)
{
    job->w->n_working++;
    writer_put_entities(job->w->writer, job->batch, job->is_urgent, on_put, job);
}

int
workspace_put_entities(struct workspace *w, struct ingest_batch *batch, bool is_urgent,
                       workspace_ingest_fn fn, void *ctx)
{
    struct workspaces *all = w->all;
    struct ingest_job *job;

    ASSERT_LOOP();
    if (!w->name)
        return -EPERM;
    if (w->is_deleted)
        return -EBUSY;
    if (w->is_closing)
        return -ESHUTDOWN;
    if (w->why)
        return -EIO;
    if (w->following)
        return -EROFS;
    if (workspaces_ingest_fill(all) >= 100)
        return -EAGAIN;
    batch->source = arena_printf(&batch->arena, WORKSPACE_PUSHED "%s", w->name);
    job = xnew(struct ingest_job);
    list_init(&job->link);
    job->w = w;
    job->batch = batch;
    job->n_ops = batch->n;
    job->n_bytes = ingest_batch_bytes(batch);
    job->is_urgent = is_urgent;
    job->fn = fn;
    job->ctx = ctx;
    all->ingested.waiting_lines += job->n_ops;
    all->ingested.waiting_bytes += job->n_bytes;
    all->n_ingests++;
    if (w->is_open)
        to_writer(job);
    else
        list_add(&w->ingests, &job->link);
    return 0;
}

void
pushed_open(struct workspace *w)
{
    if (!w->name)
        return;
    w->is_known = w->has_walked = true; // there is nothing to look for
    if (w->info.is_new) {
        AUTO(free)
        char *data = xasprintf("{\"id\":\"%s\",\"name\":\"%s\"}", w->id, w->name);
        writer_put_event(w->writer, EVENT_LIBRARY_CREATED, str_of(w->name), str_of(data),
                         true, NULL, NULL);
    }
    list_for_each_safe (it, &w->ingests) {
        list_remove(it);
        to_writer(list_entry(it, struct ingest_job, link));
    }
}

void
pushed_drop(struct workspace *w, int r)
{
    while (!list_is_empty(&w->ingests)) {
        struct ingest_job *job = list_first(&w->ingests, struct ingest_job, link);
        list_remove(&job->link);
        job_end(job, r);
    }
}

/* ---- the end of one ---- */

static void
on_deletion_told(void *ctx, int r UNUSED, struct event *event UNUSED)
{
    struct workspace *w = ctx;

    if (!w->is_closing) // else the registry closes it
        workspace_close(w);
}

int
workspace_delete_pushed(struct workspace *w, void (*done)(void *ctx), void *ctx)
{
    AUTO(free) char *data = NULL;

    ASSERT_LOOP();
    if (!w->name)
        return -EPERM;
    if (!w->is_open || w->is_closing || w->is_deleted)
        return -EBUSY;
    if (!str_starts_with(str_of(w->url), STR("sqlite:")))
        return -ENOTSUP;
    w->is_deleted = true;
    w->on_deleted = done;
    w->deleted_ctx = ctx;
    data = xasprintf("{\"id\":\"%s\",\"name\":\"%s\"}", w->id, w->name);
    writer_put_event(w->writer, EVENT_LIBRARY_DELETED, str_of(w->name), str_of(data),
                     true, on_deletion_told, w);
    return 0;
}

/* All that SQLite and the store put beside it; then its folder, if there is nothing else in it. */
static void
remove_index(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".doubt", ".lock"};
    AUTO(free) char *dir = str_dup(path_dirname(str_of(path)));

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        AUTO(free) char *file = xasprintf("%s%s", path, ends[i]);
        unlink(file);
    }
    rmdir(dir);
}

bool
pushed_gone(struct workspace *w)
{
    if (!w->is_deleted)
        return false;
    remove_index(workspace_index_path(w));
    workspaces_forget(w->all, w);
    if (w->on_deleted)
        w->on_deleted(w->deleted_ctx);
    return true;
}
