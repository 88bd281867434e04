#pragma once
/* Work in the background: kept in the index, begun by priority then age, a few at once in the whole engine.
 * Part of workspace.h, which includes it. Loop thread. */
#include "model/job.h"
#include "workspace/job_order.h"

#define JOBS_RUNNING_MAX 4    // of the engine
#define JOBS_INGESTING_MAX 1  // of them: their requests are large, and come in order
#define JOBS_PENDING_MAX 1000 // of a workspace
#define JOBS_ENDED_MAX 10000  // kept, of a workspace
#define JOBS_ENDED_AGE_MS (7LL * 24 * 3600 * 1000)
#define JOBS_REQUEST_BYTES_MAX (8u << 20)   // of one with entities,
#define JOBS_WORDS_BYTES_MAX (32u << 10)    // of any other
#define JOBS_REQUESTS_BYTES_MAX (64u << 20) // of all that are kept of a workspace
#define JOBS_EVERY_S_MIN 60
#define JOBS_EVERY_S_MAX (366LL * 24 * 3600)

struct json_t;
struct workspace;
struct workspaces;

struct job_wish {
    enum job_kind kind;
    struct str request; // JSON object as docs/PROTOCOL.md says for the kind; empty: {}
    const struct json_t
        *object; // the same as a tree, if there is one; else it is read when need be
    int priority;
    int64_t run_at_ms; // wall clock; 0: now
    int64_t every_s;   // 0: once
};

/* What is wrong with a wish; NULL: nothing. */
const char *job_wish_fault(const struct job_wish *wish);

/* After the COMMIT, or r < 0 and nothing happened. The job is borrowed. */
typedef void (*workspace_job_fn)(void *ctx, int r, const struct job *job);
/* Of a wish without a fault. While the index is being opened it waits for that. -EAGAIN: it cannot be opened, or another engine writes it;
 * -ENOSPC: too many wait; -EPERM: entities are of a workspace without a folder, all else of one that has one. */
int workspace_submit_job(struct workspace *w, const struct job_wish *wish,
                         workspace_job_fn fn, void *ctx);
/* One that waits is cancelled at once; one that runs ends at the next safe point, and fn is called before.
 * -ENOENT; -EALREADY: it has ended. */
int workspace_cancel_job(struct workspace *w, struct str id, workspace_job_fn fn,
                         void *ctx);
/* One that failed or was cancelled, once more. -ENOENT; -EALREADY: it is none of these. */
int workspace_retry_job(struct workspace *w, struct str id, workspace_job_fn fn,
                        void *ctx);
/* NULL: there is none. Borrowed until the loop goes on. */
const struct job *workspace_find_job(const struct workspace *w, struct str id);
/* Those that run, then those that wait in their order, then those that ended, the last one first. fn returns false
 * to stop. */
void workspace_each_job(const struct workspace *w,
                        bool (*fn)(void *ctx, const struct job *job), void *ctx);

/* Jobs run, or are due: an engine that ends now would leave them to the next one. */
bool workspaces_have_work(const struct workspaces *all);

struct jobs_counts {
    size_t pending, running, failed, ended; // now; failed ones are of the ended
    uint64_t completed_ever, failed_ever, cancelled_ever; // since the index was opened
};
struct jobs_counts workspace_jobs_counts(const struct workspace *w);

/* The object of docs/PROTOCOL.md, "Jobs". */
void workspace_add_job(struct buf *json, const struct workspace *w,
                       const struct job *job);
