#pragma once
/* The two sides of a job: jobs*.c keep its row and its turn, errand_kinds.c does its work. Nobody else
 * includes it. Loop thread. */
#include "base/vec.h"
#include "codec/codec.h"
#include "workspace/internal.h"
#include "workspace/jobs.h"

struct errand;

/* What an errand has while it runs. Outlives it when the workspace closes, or it was let go, before what it waits
 * for is through. */
struct errand_work {
    struct errand *t; // NULL: let go
    struct workspace *w;
    struct workspace_listener *listener;
    bool is_of_hovers; // what its progress is
    bool is_waiting;   // somebody will call back
    VEC(char *) paths; // to be looked at again
    size_t n_done;     // of them, or of the entities
    json_t *request;
    /* A large request, while a worker reads it. */
    struct pool_job reading;
    char *text;
    /* errand_ingest.c */
    struct timer *timer; // the writer takes no more now
    size_t n_stored, n_again, n_faults;
    int64_t seq;
    struct buf faults; // the first few
};

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
    struct list early;                   // submitted while the index is being opened
    struct map *by_id;
    size_t n_pending, n_running, n_ended, n_failed;
    size_t n_arriving; // submitted, and not in the index yet
    size_t request_bytes;
    int64_t submitted_ms; // of the last one: no two are of one time
    uint64_t completed_ever, failed_ever, cancelled_ever;
};

/* ---- errand_kinds.c ---- */

/* NULL: this request is one of the kind. object: the tree of it, or NULL. */
const char *errand_request_fault(enum job_kind kind, struct str request,
                                 const json_t *object);
/* Ends in errand_end(), perhaps at once. */
void errand_begin(struct errand *t);
/* Asks it to end early. */
void errand_cancel(struct errand *t);
/* The workspace closes: nothing is told any more. */
void errand_let_go(struct errand *t);

/* What was waited for came; NULL: nobody wants it any more. */
struct errand *errand_back(struct errand_work *work);

/* ---- errand_ingest.c ---- */

const char *errand_entities_fault(const json_t *request);
void errand_ingest(struct errand_work *work);

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
/* NULL: there is none of this id. */
struct errand *errand_find(const struct workspace *w, struct str id);
/* Without a row. */
struct errand *errand_create(struct jobs *jobs) MUST_USE;
size_t errand_request_bytes(const struct job *j);
/* Stores t->next; told: EVENT_TYPE_COUNT for a change that is no event. */
void errand_put_next(struct errand *t, enum event_type told);
/* One that is pending. */
void errand_cancel_waiting(struct errand *t);
/* Those that ended are kept for a while; a request finds room by their going. False: there is none. */
void jobs_prune(struct jobs *jobs);
bool jobs_make_room(struct jobs *jobs, size_t n_bytes);

/* ---- jobs_turns.c ---- */

#define JOBS_UNSAVED_MS 30000 // the index could not be written: not before

void turn_take(struct errand *t);
void turn_give_back(struct errand *t);
