/* Index runs: somebody waits until the walk's files (and hovers) are committed. A run joins a walk
 * that is under way and only starts one when there is none. */
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "workspace/internal.h"

#define COUNTS_MS 1000 // they are read again at most this often

static void
count_reasons(const struct workspace *w, uint64_t reasons[FILE_REASON_COUNT])
{
    struct known_file *known;
    struct str path;
    size_t iter = 0;

    while (known_next(w->known, &iter, &path, &known))
        reasons[known->reason] += known->is_stored;
}

static void
run_end(struct workspace *w, struct index_run *run, int r)
{
    AUTO(free)
    char *why = r < 0 ? xstrdup(w->why         ? w->why
                                : w->following ? following_why(w)
                                               : err_text(r))
                      : NULL;

    if (r == 0 && w->n_not_stored > 0) {
        r = w->not_stored_r;
        why = xasprintf("%s: %s; %" PRIu64 " files wait, what was stored is kept",
                        pipeline_trouble(w), err_text(r), w->n_not_stored);
    }
    if (r == 0 && w->root_r < 0) {
        r = w->root_r;
        why = xasprintf("%s cannot be read: %s; the index stays as it was", w->root,
                        err_text(r));
    }
    struct scan_counts seen = w->scan ? scan_counts(w->scan) : (struct scan_counts){0};
    struct workspace_summary summary = {
        .r = r,
        .why = why,
        .files = w->counts.files[FILE_INDEXED],
        .skipped = w->counts.files[FILE_SKIPPED],
        .failed = w->counts.files[FILE_FAILED],
        .unchanged = w->walk_unchanged,
        .removed = w->walk_removed,
        .ignored = seen.ignored,
        .counts = w->counts,
        .info = w->info,
        .took_ms = clock_mono_ms() - run->started_ms,
    };

    count_reasons(w, summary.reasons);
    list_remove(&run->link);
    run->fn(run->ctx, &summary);
    free(run);
}

static void
on_run_counts(void *ctx, struct query_result **result)
{
    struct index_run *run = ctx;
    struct workspace *w = run->w;

    if ((*result)->r == 0) {
        w->counts = (*result)->counts;
        w->info = (*result)->info;
    }
    run_end(w, run, (*result)->r);
}

static void
on_run_flushed(void *ctx, int r, struct event *event UNUSED)
{
    struct index_run *run = ctx;

    if (r < 0 || !workspace_query(run->w))
        run_end(run->w, run, r < 0 ? r : -ESHUTDOWN);
    else
        query_counts(run->w->query, POOL_INTERACTIVE, on_run_counts, run);
}

void
runs_check(struct workspace *w)
{
    if (w->is_closing)
        return; // runs_finish() comes
    list_for_each_safe (it, &w->runs) {
        struct index_run *run = list_entry(it, struct index_run, link);

        if (run->is_flushing)
            continue;
        if (w->why) {
            run_end(w, run, -EIO);
            continue;
        }
        if (w->following) {
            run_end(w, run, -EWOULDBLOCK);
            continue;
        }
        if (!pipeline_is_idle(w) || w->walk < run->walk)
            continue;
        if (run->with_enrich && !asking_is_idle(w)) {
            asking_from_store(w);
            continue;
        }
        if (!w->writer) {
            run_end(w, run, 0); // what was handed on was acknowledged, file by file
            continue;
        }
        run->is_flushing = true;
        writer_flush(w->writer, on_run_flushed, run);
    }
}

void
runs_finish(struct workspace *w)
{
    list_for_each_safe (it, &w->runs)
        run_end(w, list_entry(it, struct index_run, link), -ESHUTDOWN);
}

bool
runs_want_enrich(const struct workspace *w)
{
    list_for_each (it, &w->runs)
        if (list_entry(it, struct index_run, link)->with_enrich)
            return true;
    return false;
}

static void
check_later(void *ctx)
{
    runs_check(ctx);
}

void
workspace_index(struct workspace *w, bool with_enrich, workspace_summary_fn fn, void *ctx)
{
    struct index_run *run = xnew(struct index_run);

    ASSERT_LOOP();
    run->w = w;
    run->with_enrich = with_enrich;
    run->fn = fn;
    run->ctx = ctx;
    run->started_ms = clock_mono_ms();
    list_add(&w->runs, &run->link);
    if (w->is_open)
        asking_forget(w);
    if (w->is_open && !w->is_walking && w->scan)
        pipeline_walk(w);
    run->walk = MAX(w->walk, 1u);
    if (w->following)
        following_try(w);
    if (w->why || w->following)
        loop_defer(w->all->loop, check_later, w);
}

static void
wait_for(struct workspace *w, bool with_enrich, workspace_summary_fn fn, void *ctx)
{
    struct index_run *run = xnew(struct index_run);

    run->w = w;
    run->with_enrich = with_enrich;
    run->fn = fn;
    run->ctx = ctx;
    run->started_ms = clock_mono_ms();
    run->walk = w->walk;
    list_add(&w->runs, &run->link);
    loop_defer(w->all->loop, check_later, w);
}

void
runs_wait(struct workspace *w, workspace_summary_fn fn, void *ctx)
{
    wait_for(w, false, fn, ctx);
}

void
runs_wait_hovers(struct workspace *w, workspace_summary_fn fn, void *ctx)
{
    wait_for(w, true, fn, ctx);
}

void
runs_cancel(struct workspace *w, const void *ctx)
{
    list_for_each_safe (it, &w->runs) {
        struct index_run *run = list_entry(it, struct index_run, link);

        if (run->ctx != ctx || run->is_flushing)
            continue;
        run_end(w, run, -ECANCELED);
        return;
    }
}

void
workspace_reindex(struct workspace *w, struct str path)
{
    struct known_file *known = known_find(w->known, path);

    ASSERT_LOOP();
    if (known)
        known->is_stored = false;
    if (w->scan)
        scan_recheck(w->scan, path);
}

/* ---- counts for status: read from the store, at most every COUNTS_MS ---- */

static void
on_counts(void *ctx, struct query_result **result)
{
    struct workspace *w = ctx;

    w->is_counting = false;
    if (w->is_closing)
        return;
    if ((*result)->r == 0) {
        w->counts = (*result)->counts;
        w->info.first_seq = (*result)->info.first_seq;
        workspace_changed(w);
    }
    timer_start(w->counts_timer, COUNTS_MS, 0);
}

static void
read_counts(struct workspace *w)
{
    w->counts_are_old = false;
    w->is_counting = true;
    query_counts(w->query, POOL_ASIDE, on_counts, w);
}

static void
on_counts_timer(void *ctx)
{
    struct workspace *w = ctx;

    if (w->counts_are_old && !w->is_counting && workspace_query(w))
        read_counts(w);
}

void
counts_refresh(struct workspace *w)
{
    if (!w->counts_timer)
        w->counts_timer = timer_open(w->all->loop, on_counts_timer, w);
    w->counts_are_old = true;
    if (!w->is_counting && !timer_is_armed(w->counts_timer) && workspace_query(w))
        read_counts(w);
}
