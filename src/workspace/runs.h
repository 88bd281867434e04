#pragma once
/* Whoever waits for what the pipeline does: runs, dead letters that are tried again, jobs. Part of internal.h, which
 * includes it. */
#include "base/list.h"
#include "workspace/workspace.h"

/* runs.c */
struct index_run {
    struct list link;
    struct workspace *w;
    bool with_enrich;
    unsigned walk; // done when this walk's files are committed
    workspace_summary_fn fn;
    void *ctx;
    int64_t started_ms;
    bool is_flushing;
};
void runs_check(struct workspace *w); // after anything that may complete one
/* Without a walk of its own: when all that is under way is committed. */
void runs_wait(struct workspace *w, workspace_summary_fn fn, void *ctx);
/* The same, and until every hover was asked once. */
void runs_wait_hovers(struct workspace *w, workspace_summary_fn fn, void *ctx);
/* Whoever waits under this ctx is told -ECANCELED now, if it is not told something else at once. */
void runs_cancel(struct workspace *w, const void *ctx);
void runs_finish(struct workspace *w);
bool runs_want_enrich(const struct workspace *w);
void counts_refresh(struct workspace *w);

/* retry.c */
bool retry_is_inside(struct str path); // below the root, and normal
void retry_look_again(struct workspace *w,
                      struct str path); // though nothing may have changed

/* jobs.c */
struct jobs *jobs_create(struct workspace *w) MUST_USE;
void jobs_destroy(struct jobs *jobs);
void jobs_open(struct workspace *w); // the index is open, and this engine writes it
void jobs_close(struct workspace *w);
void jobs_drop_early(
    struct workspace *w); // it does not open, or another engine writes it
void jobs_pump(struct workspaces *all);
void jobs_on_timer(void *all);
