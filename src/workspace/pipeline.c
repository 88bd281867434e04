/* The stages and their order, in one file:
 *
 *   scan ─▶ on_file ─▶ credit ─▶ [worker: index_file_work] ─▶ on_worked ─▶ writer ─▶ on_stored
 *
 * One job per path (pipeline.h, struct file_job). A job holds a credit from WORKING until its commit
 * mail, so at most WORKSPACE_CREDITS files are in memory and the writer's queue cannot be full; and it
 * holds the bytes of its batch, so that a few hundred files of nothing but definitions wait too. When
 * WORKSPACE_SCAN_AHEAD jobs wait, the walk pauses. What could not be stored counts as changed until it
 * is, so every walk tries it again. Of a new index nothing is known: its first walk begins while it is
 * made, and what is worked before it is open is kept back. Nothing here blocks. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "workspace/internal.h"

#define LOG_MODULE "pipeline"
#include "base/log.h"

static void submit_waiting(struct workspace *w);
static void store_now(struct workspace *w);
static void drop_waiting(struct workspace *w);

/* ---- what is known of each path ---- */

/* What could not be read is read again; what took too long takes as long as before. */
static bool
is_unchanged(const struct known_file *known, const struct fs_stat *st)
{
    return known && known->is_stored &&
           (known->state != FILE_FAILED || known->reason == FILE_REASON_TIMED_OUT) &&
           known->mtime_ns != 0 && known->mtime_ns != FILE_MTIME_OTHER_MAKER &&
           known->mtime_ns == st->mtime_ns && known->size_bytes == st->size_bytes &&
           known->inode == st->inode;
}

/* ---- jobs ---- */

/* Of what all jobs hold, this one's part is now that. */
static void
job_hold(struct file_job *job, size_t n_bytes)
{
    job->w->held_bytes += n_bytes - job->held_bytes;
    job->held_bytes = n_bytes;
}

/* Before it is made a batch's size is a guess by its file's. What is too large is not read. */
static size_t
guess_batch_bytes(const struct file_job *job)
{
    return job->size_bytes > job->max_file_bytes
               ? 0
               : job->size_bytes * WORKSPACE_BATCH_BYTES_PER_TEXT;
}

static void
file_job_destroy(struct file_job *job)
{
    struct workspace *w = job->w;

    job_hold(job, 0);
    map_remove(w->jobs, str_of(job->path));
    batch_destroy(job->batch);
    snapshot_unref(job->text);
    kept_tree_destroy(job->kept);
    free(job->absolute);
    free(job->path);
    free(job);
}

/* Of a job that waits. */
static void
leave_list(struct file_job *job)
{
    list_remove(&job->link);
    if (job->is_leaving)
        job->w->n_leaving--;
    else
        job->w->n_waiting--;
}

/* Deletions wait in a list of their own. */
static void
enter_list(struct file_job *job)
{
    struct workspace *w = job->w;

    job->is_leaving = job->kind == JOB_DELETE;
    if (job->is_leaving) {
        if (w->n_leaving++ == 0)
            w->leaving_since_ms = clock_mono_ms();
        list_add(&w->leaving, &job->link);
        return;
    }
    w->n_waiting++;
    if (job->is_urgent)
        list_add_first(&w->waiting, &job->link);
    else
        list_add(&w->waiting, &job->link);
}

static void
publish_processing(struct workspace *w, const struct file_job *job)
{
    AUTO(event_unref) struct event *e = NULL;

    if (job->kind != JOB_INDEX)
        return;
    e = event_create(EVENT_FILE_PROCESSING, 0, clock_wall_ms(), str_of(job->path),
                     STR("{}"));
    bus_publish(w->bus, e);
}

static void
walk_check(struct workspace *w)
{
    if (pipeline_is_idle(w)) {
        if (w->n_not_stored == 0)
            w->retry_ms = WORKSPACE_RETRY_MS;
        runs_check(w);
        asking_from_store(w);
        if (w->all->options.with_watch && w->query)
            query_warm(w->query);
    }
    if (w->is_scan_paused && w->n_waiting < WORKSPACE_SCAN_AHEAD / 2 && w->scan) {
        w->is_scan_paused = false;
        scan_resume(w->scan);
    }
    workspace_changed(w);
}

/* The job is through: start over if its path changed meanwhile, else forget it. */
static void
job_end(struct file_job *job)
{
    struct workspace *w = job->w;

    w->credits++;
    w->n_working--;
    if (w->is_closing) {
        file_job_destroy(job);
        workspace_part_closed(w);
        return;
    }
    w->walk_done++;
    if (job->is_again) {
        enum file_job_kind kind = job->again_kind;
        AUTO(free) char *path = xstrdup(job->path);
        bool is_urgent = job->is_urgent;

        file_job_destroy(job);
        pipeline_touch(w, str_of(path), kind, is_urgent);
    } else {
        AUTO(free) char *path = xstrdup(job->path);

        file_job_destroy(job);
        handed_committed(w, str_of(path));
    }
    submit_waiting(w);
    walk_check(w);
}

static void
on_stored(void *ctx, int r, struct event *event UNUSED)
{
    struct file_job *job = ctx;
    struct workspace *w = job->w;
    struct known_file *known = known_find(w->known, str_of(job->path));

    w->n_storing--;
    w->n_deleting -= job->kind == JOB_DELETE;
    if (known)
        known->is_stored = r == 0 && job->kind == JOB_INDEX;
    if (r < 0)
        pipeline_not_stored(w, job->path, r);
    else if (known && job->kind == JOB_DELETE && !job->is_again)
        known_remove(w->known, str_of(job->path));
    else if (known && job->kind == JOB_INDEX && known->state == FILE_INDEXED)
        asking_file(w, str_of(job->path));
    job_end(job);
}

const char *
pipeline_trouble(const struct workspace *w)
{
    return w->all->options.sink ? "what is found is not taken"
                                : "the index cannot be written";
}

void
pipeline_not_stored(struct workspace *w, const char *what, int r)
{
    bool is_of_this_one = r == -E2BIG || r == -EEXIST;

    if (w->is_closing)
        return;
    if (w->n_not_stored++ == 0) {
        w->not_stored_r = r;
        if (list_is_empty(&w->runs)) // else whoever waits for the run is told
            log_error("%s: %s (%s), it waits for a better time: %s", w->root,
                      pipeline_trouble(w), what, strerror(-r));
    }
    if (!is_of_this_one && !w->is_stuck) {
        w->is_stuck = true;
        drop_waiting(w);
    }
    if (w->all->options.with_watch)
        timer_start(w->retry_timer, w->retry_ms, 0);
}

static void
on_flushed(void *ctx, int r UNUSED, struct event *event UNUSED)
{
    struct workspace *w = ctx;
    w->is_flushing = false;
    store_now(w);
}

/* What nobody waits for leaves room for what somebody does. */
static bool
has_room(const struct workspace *w)
{
    return w->credits > WORKSPACE_CREDITS_RESERVED &&
           w->held_bytes < WORKSPACE_HELD_BYTES_MAX;
}

/* NULL: none waits, or there is no room. */
static struct file_job *
next_to_begin(const struct workspace *w)
{
    struct file_job *job;

    if (list_is_empty(&w->waiting))
        return NULL;
    job = list_first(&w->waiting, struct file_job, link);
    return (job->is_urgent ? w->credits > 0 : has_room(w)) ? job : NULL;
}

/* When all that has a credit is at the writer and nothing can begin, it need not wait for more. */
static void
store_now(struct workspace *w)
{
    if (!w->writer || !w->is_open || w->is_closing || w->is_flushing ||
        w->n_storing == 0 || w->n_storing < WORKSPACE_CREDITS - w->credits ||
        next_to_begin(w))
        return;
    w->is_flushing = true;
    writer_flush(w->writer, on_flushed, w);
}

static void
to_writer(struct file_job *job)
{
    const struct workspace_sink *sink = job->w->all->options.sink;
    struct writer *writer = job->w->writer;

    if (sink && job->kind == JOB_DELETE)
        sink->delete_file(sink->ctx, str_of(job->path), on_stored, job);
    else if (sink)
        sink->put_file(sink->ctx, steal(job->batch), on_stored, job);
    else if (job->kind == JOB_DELETE)
        writer_delete_file(writer, str_of(job->path), on_stored, job);
    else
        writer_put_file(writer, steal(job->batch), job->is_urgent, on_stored, job);
}

static void
store_job(struct file_job *job)
{
    struct workspace *w = job->w;

    job->state = JOB_STORING;
    job_hold(job, job->kind == JOB_DELETE ? 0 : job->batch->arena.total_bytes);
    w->n_storing++;
    w->n_deleting += job->kind == JOB_DELETE;
    if (w->is_open)
        to_writer(job);
    else
        list_add(&w->early, &job->link);
    if (!w->is_open && (w->is_closing || w->why))
        pipeline_drop_early(w);
}

void
pipeline_drop_early(struct workspace *w)
{
    while (!list_is_empty(&w->early)) {
        struct file_job *job = list_first(&w->early, struct file_job, link);

        list_remove(&job->link);
        w->n_storing--;
        w->n_deleting -= job->kind == JOB_DELETE;
        job_end(job);
    }
}

static void
on_worked(struct pool_job *pool_job, bool is_cancelled)
{
    struct file_job *job = container_of(pool_job, struct file_job, pool);
    struct workspace *w = job->w;
    struct known_file *known;

    if (is_cancelled) {
        job_end(job);
        return;
    }
    trees_keep(w->trees, str_of(job->path), steal(job->kept));
    if (job->is_gone) {
        log_info("%s/%s vanished while it was read", w->root, job->path);
        job->kind = JOB_DELETE;
        store_job(job);
        store_now(w);
        return;
    }
    if (!job->batch) {
        known = known_find(w->known, str_of(job->path));
        if (known && known->is_due_again && !w->is_closing)
            asking_file(w, str_of(job->path));
        job_end(job);
        return;
    }
    known = known_add(w->known, str_of(job->path));
    if (!hash128_eq(known->content, job->batch->file.content))
        known->was_asked = false; // also when it will be what it was before
    known->size_bytes = job->batch->file.size_bytes;
    known->mtime_ns = job->batch->file.mtime_ns;
    known->inode = job->batch->file.inode;
    known->content = job->batch->file.content;
    known->state = job->batch->file.state;
    known->reason = job->batch->file.reason;
    known->is_stored = false;
    known->walk = w->walk;
    store_job(job);
    if (!w->is_closing)
        submit_waiting(w); // what was guessed too high is free again
}

static void
job_submit(struct file_job *job)
{
    struct workspace *w = job->w;
    struct known_file *known = known_find(w->known, str_of(job->path));
    struct doc *doc = documents_find(w, str_of(job->path));

    w->credits--;
    w->n_working++;
    if (job->kind == JOB_DELETE) {
        store_job(job);
        return;
    }
    job->state = JOB_WORKING;
    job->text = doc ? snapshot_ref(doc->text) : NULL;
    job->absolute = workspace_absolute(w, str_of(job->path));
    job->is_known =
        known && known->is_stored && known->mtime_ns != FILE_MTIME_OTHER_MAKER;
    job->known_content = job->is_known ? known->content : (struct hash128){0};
    job->max_file_bytes = w->config->max_file_bytes;
    job->is_parsed_full = w->config->parse == CONFIG_PARSE_FULL;
    job->tools = w->all->tools;
    job->with_kept = job->is_urgent;
    job->kept = trees_take(w->trees, str_of(job->path));
    job_hold(job, guess_batch_bytes(job));
    publish_processing(w, job);
    pool_submit(w->all->pool, job->is_urgent ? POOL_INTERACTIVE : POOL_BULK, &job->pool,
                index_file_work, on_worked);
}

/* A file may only have been moved, and what is known of it goes over to the path it has now: that one
 * comes first. */
static void
submit_leaving(struct workspace *w)
{
    size_t n_indexing = map_count(w->jobs) - w->n_leaving - w->n_deleting;
    bool is_late = clock_mono_ms() - w->leaving_since_ms > WORKSPACE_LEAVE_MS_MAX;

    if ((n_indexing > 0 || (w->scan && scan_is_busy(w->scan))) && !is_late)
        return;
    while (!list_is_empty(&w->leaving) && w->credits > WORKSPACE_CREDITS_RESERVED) {
        struct file_job *job = list_first(&w->leaving, struct file_job, link);

        leave_list(job);
        job_submit(job);
    }
}

static void
submit_waiting(struct workspace *w)
{
    struct file_job *job;

    while ((job = next_to_begin(w))) {
        leave_list(job);
        job_submit(job);
    }
    submit_leaving(w);
    store_now(w);
}

static void
drop_job(struct file_job *job)
{
    struct workspace *w = job->w;
    struct known_file *known = known_find(w->known, str_of(job->path));
    AUTO(free) char *path = xstrdup(job->path);

    if (known && job->kind == JOB_INDEX)
        known->is_stored = false;
    leave_list(job);
    w->n_not_stored++;
    file_job_destroy(job);
    handed_committed(w, str_of(path));
}

/* The next walk finds them again: what is not stored is not unchanged, what is gone is not walked. */
static void
drop_waiting(struct workspace *w)
{
    list_for_each_safe (it, &w->waiting)
        drop_job(list_entry(it, struct file_job, link));
    list_for_each_safe (it, &w->leaving)
        drop_job(list_entry(it, struct file_job, link));
}

static void
touch(struct workspace *w, struct str path, enum file_job_kind kind, bool is_urgent,
      uint64_t size_bytes)
{
    struct file_job *job = map_get(w->jobs, path);

    if (!w->scan || w->why)
        return;
    if (job && job->state != JOB_WAITING) {
        job->is_again = true;
        job->again_kind = kind;
        job->is_urgent |= is_urgent;
        return;
    }
    if (!job) {
        job = xnew(struct file_job);
        list_init(&job->link);
        job->w = w;
        job->path = str_dup(path);
        map_put(w->jobs, path, job);
        w->walk_files++;
    } else {
        leave_list(job);
    }
    job->kind = kind;
    job->size_bytes = size_bytes;
    job->is_urgent |= is_urgent;
    enter_list(job);
    submit_waiting(w);
    workspace_changed(w);
}

void
pipeline_touch(struct workspace *w, struct str path, enum file_job_kind kind,
               bool is_urgent)
{
    touch(w, path, kind, is_urgent, 0);
}

bool
pipeline_is_idle(const struct workspace *w)
{
    return w->is_known && w->has_walked && !w->is_walking && map_count(w->jobs) == 0;
}

/* ---- the walk ---- */

/* With --db the index may lie in the folder that it is of. */
static bool
is_own_index(const struct workspace *w, struct str path)
{
    size_t n = w->own_index.n;

    return n > 0 && str_starts_with(path, w->own_index) &&
           (path.n == n || strchr("-./", path.p[n]));
}

static void
on_file(void *ctx, struct str path, const struct fs_stat *st)
{
    struct workspace *w = ctx;
    struct known_file *known;

    if (w->is_closing || is_own_index(w, path))
        return;
    known = known_add(w->known, path);
    known->walk = w->walk;
    if (documents_find(w, path) && known->is_stored)
        return; // the open document is what counts
    /* A job under way may be a deletion that this news overtakes: only what rests can be unchanged. */
    if (!map_get(w->jobs, path) && is_unchanged(known, st)) {
        if (w->is_walking && known->state == FILE_INDEXED)
            w->walk_unchanged++;
        return;
    }
    if (w->is_walking && w->is_stuck) {
        w->n_not_stored++;
        return;
    }
    /* One of many, as after a checkout, is nobody's single save. */
    touch(w, path, JOB_INDEX, !w->is_walking && w->n_waiting < WORKSPACE_CREDITS_RESERVED,
          st->size_bytes);
    if (w->n_waiting > WORKSPACE_SCAN_AHEAD && !w->is_scan_paused) {
        w->is_scan_paused = true;
        scan_pause(w->scan);
    }
}

static void
touch_gone(struct workspace *w, struct str path)
{
    const struct file_job *job = map_get(w->jobs, path);

    if (job && (job->is_again ? job->again_kind : job->kind) == JOB_DELETE)
        return; // both the folder and the walk tell of it
    w->walk_removed++;
    pipeline_touch(w, path, JOB_DELETE, false);
}

/* Paths are collected first: the table may not change under who looks through it. */
struct gone_paths {
    struct workspace *w;
    VEC(struct str) all;
};

static void
add_gone(void *ctx, struct str path, struct known_file *known UNUSED)
{
    struct gone_paths *gone = ctx;

    if (!documents_find(gone->w, path))
        *vec_push(&gone->all) = str_slice(str_dup(path), path.n);
}

static void
touch_all_gone(struct gone_paths *gone)
{
    for (size_t i = 0; i < gone->all.n; i++) {
        touch_gone(gone->w, gone->all.v[i]);
        free((char *)gone->all.v[i].p);
    }
    vec_finish(&gone->all);
}

static void
delete_not_walked(struct workspace *w)
{
    struct gone_paths gone = {.w = w};
    struct known_file *known;
    struct str path;
    size_t iter = 0;

    while (known_next(w->known, &iter, &path, &known))
        if (known->walk != w->walk)
            add_gone(&gone, path, known);
    touch_all_gone(&gone);
}

static void
on_removed(void *ctx, struct str path)
{
    struct workspace *w = ctx;
    struct gone_paths gone = {.w = w};

    if (w->is_closing)
        return;
    known_each_at(w->known, path, add_gone, &gone);
    touch_all_gone(&gone);
}

static void
on_problem(void *ctx, struct str path, int r)
{
    struct workspace *w = ctx;

    if (path.n == 0) {
        if (w->root_r != r && list_is_empty(&w->runs)) // else whoever waits is told
            log_warn("%s cannot be read, the index stays as it is: %s", w->root,
                     strerror(-r));
        w->root_r = r;
        workspace_changed(w);
        return;
    }
    log_warn("%s/%.*s cannot be read and is left as the index has it: %s", w->root,
             STR_ARG(path), strerror(-r));
}

static void
on_walked(void *ctx, bool is_complete)
{
    struct workspace *w = ctx;

    if (w->is_closing)
        return;
    w->is_walking = false;
    w->has_walked = true;
    if (is_complete && !w->is_stuck)
        delete_not_walked(w);
    walk_check(w);
}

static void
begin_walk(struct workspace *w)
{
    w->walk++;
    w->is_walking = true;
    w->walk_files = map_count(w->jobs);
    w->walk_done = w->walk_unchanged = w->walk_removed = 0;
    w->n_not_stored = 0;
    w->root_r = 0;
    w->is_stuck = false;
    workspace_changed(w);
}

static void
on_rescan(void *ctx)
{
    struct workspace *w = ctx;

    log_info("%s: changes were lost, or it is another folder now; looking at everything "
             "again",
             w->root);
    begin_walk(w);
}

static void
on_settled(void *ctx)
{
    struct workspace *w = ctx;

    if (!w->is_closing && !list_is_empty(&w->leaving))
        submit_waiting(w);
}

static const struct scan_events scan_events = {
    .on_file = on_file,
    .on_removed = on_removed,
    .on_problem = on_problem,
    .on_walked = on_walked,
    .on_rescan = on_rescan,
    .on_settled = on_settled,
};

void
pipeline_walk(struct workspace *w)
{
    if (!w->scan || w->is_walking)
        return;
    begin_walk(w);
    scan_start(w->scan, w->all->options.with_watch);
}

/* ---- start: the store's file rows are read on a worker, then the first walk begins ---- */

static void
start_scan(struct workspace *w)
{
    w->scan = scan_open(w->all->loop, w->all->pool, w->config, w->root, &scan_events, w);
    scan_share_watches(w->scan, &w->all->watches);
    pipeline_walk(w);
    documents_touch(w);
}

struct known_job {
    struct pool_job pool;
    struct workspace *w;
    char *url;
    struct known_files *known; // the worker's; the workspace's once it is complete
    int r;
};

static void
known_work(struct pool_job *pool_job, unsigned worker UNUSED)
{
    struct known_job *job = container_of(pool_job, struct known_job, pool);

    job->r = known_read(job->known, job->url);
}

/* The first walk went ahead of an index that somebody else made meanwhile: what of it is gone is known by
 * that no walk sees it. */
static void
add_stored(struct workspace *w, struct known_files *stored)
{
    struct known_file *known;
    struct str path;
    size_t iter = 0;

    while (known_next(stored, &iter, &path, &known))
        known_add(w->known, path);
}

static void
on_known(struct pool_job *pool_job, bool is_cancelled)
{
    struct known_job *job = container_of(pool_job, struct known_job, pool);
    struct workspace *w = job->w;

    w->n_working--;
    if (w->is_closing) {
        workspace_part_closed(w);
    } else if (job->r < 0 || is_cancelled) {
        AUTO(free)
        char *why = xasprintf("cannot read the index %s: %s", w->shown, err_text(job->r));
        workspace_fail(w, why);
    } else {
        w->is_known = true;
        if (w->scan) {
            add_stored(w, job->known);
            pipeline_walk(w);
        } else {
            known_destroy(w->known);
            w->known = steal(job->known);
            start_scan(w);
        }
    }
    known_destroy(job->known);
    free(job->url);
    free(job);
}

void
pipeline_start_early(struct workspace *w)
{
    start_scan(w);
}

void
pipeline_start(struct workspace *w)
{
    struct known_job *job;

    while (!list_is_empty(&w->early)) {
        struct file_job *early = list_first(&w->early, struct file_job, link);

        list_remove(&early->link);
        to_writer(early);
    }
    if (w->scan && w->info.is_new) {
        w->is_known = true;
        store_now(w);
        walk_check(w);
        return;
    }
    job = xnew(struct known_job);
    job->w = w;
    job->url = xstrdup(w->url);
    job->known = known_create();
    w->n_working++;
    pool_submit(w->all->pool, POOL_INTERACTIVE, &job->pool, known_work, on_known);
}

static void
on_retry(void *ctx)
{
    struct workspace *w = ctx;

    w->retry_ms = MIN(w->retry_ms * 2, (uint64_t)WORKSPACE_RETRY_MS_MAX);
    asking_forget(w);
    pipeline_walk(w);
    documents_touch(w); // they may not be on the disk
}

void
pipeline_init(struct workspace *w)
{
    w->retry_timer = timer_open(w->all->loop, on_retry, w);
    w->retry_ms = WORKSPACE_RETRY_MS;
    w->known = known_create();
    w->jobs = map_create();
    w->trees = trees_create();
    list_init(&w->waiting);
    list_init(&w->leaving);
    list_init(&w->early);
    w->credits = WORKSPACE_CREDITS;
}

void
pipeline_finish(struct workspace *w)
{
    list_for_each_safe (it, &w->waiting)
        file_job_destroy(list_entry(it, struct file_job, link));
    list_for_each_safe (it, &w->leaving)
        file_job_destroy(list_entry(it, struct file_job, link));
    timer_close(w->retry_timer);
    assert(map_count(w->jobs) == 0);
    map_destroy(w->jobs);
    trees_destroy(w->trees);
    known_destroy(w->known);
}
