#pragma once
/* The two sides of a job: jobs.c keeps its row and its turn, errand_kinds.c does its work. Nobody else
 * includes it. */
#include "workspace/internal.h"
#include "workspace/jobs.h"

struct errand_work;

/* A job of this workspace. Its rows in memory and in the index are the same but while is_changing. */
struct errand {
    struct list link; // of jobs.pending, running or ended
    struct jobs *jobs;
    struct job *job;
    struct job *next;     // what is being stored
    enum event_type told; // with next; EVENT_TYPE_COUNT: nothing
    bool is_changing, is_unsaved;
    bool has_turn;     // one of JOBS_RUNNING_MAX
    bool is_cancelled; // asked to end
    workspace_job_fn fn;
    void *ctx;
    struct errand_work *work; // while it runs
};

struct jobs {
    struct workspace *w;
    struct list pending, running, ended; // ended: oldest first
    struct map *by_id;
    size_t n_pending, n_running, n_ended, n_failed;
    size_t request_bytes;
    uint64_t completed_ever, failed_ever, cancelled_ever;
};

/* ---- errand_kinds.c ---- */

/* NULL: this request is one of the kind. */
const char *errand_request_fault(enum job_kind kind, struct str request);
/* Ends in errand_end(), perhaps at once. */
void errand_begin(struct errand *t);
/* Asks it to end early. */
void errand_cancel(struct errand *t);
/* The workspace closes: nothing is told any more. */
void errand_let_go(struct errand *t);

/* ---- jobs.c ---- */

void errand_progress(struct errand *t, uint64_t done, uint64_t total);
/* Of what it came to. r < 0: why says it in words; is_final: trying again is of no use. */
struct errand_end {
    int r;
    bool is_final;
    const char *why;
    struct str result; // JSON object
};
void errand_end(struct errand *t, const struct errand_end *end);
