#pragma once
/* Worker threads. Crossing 1 of 3: loop → worker → loop. Interactive jobs start before those aside, which are short and
 * nobody waits for; then come bulk ones, which leave one of several threads free.
 * A job's memory is the caller's and belongs to the pool from submit until done() ran. */
#include "base/base.h"
#include "base/list.h"
#include "rt/loop.h"

#define POOL_THREADS_MAX 64
#define POOL_HANDS_MAX 16 // of one split job

enum pool_lane { POOL_INTERACTIVE, POOL_ASIDE, POOL_BULK, POOL_LANE_COUNT };

struct pool;
struct pool_job;

/* On a worker; worker is 0…n-1, for per-worker state such as parsers. Sees nothing but the job and that. */
typedef void (*pool_work_fn)(struct pool_job *job, unsigned worker);
/* On the loop. is_cancelled: work never ran. */
typedef void (*pool_done_fn)(struct pool_job *job, bool is_cancelled);

struct pool_job {
    struct list link; // the pool's
    pool_work_fn work;
    pool_done_fn done;
};

struct pool *pool_create(struct loop *l, unsigned n_threads) MUST_USE;
unsigned pool_size(const struct pool *p);
void pool_submit(struct pool *p, enum pool_lane lane, struct pool_job *job,
                 pool_work_fn work, pool_done_fn done);
/* One part of a job's work. hand: 0…n_hands-1, no two threads have the same at once; the caller's is 0.
 * It waits for nothing. False: enough, parts that have not begun are left out. */
typedef bool (*pool_part_fn)(void *ctx, unsigned hand, size_t part);
/* Inside of work(), returns when all parts are over. They begin in their order; workers without an
 * interactive job help. Nobody is waited for but who is at a part: with all busy the caller does all. */
void pool_split(struct pool *p, unsigned n_hands, size_t n_parts, pool_part_fn part,
                void *ctx);
/* Jobs aside that begin from now on do without one of our processors, the one that children leave (child.h), or may use
 * all of them again. */
void pool_leave_processor(struct pool *p, bool is_left);
/* If it has not started: done(job, true) follows from the loop; true. */
bool pool_cancel(struct pool *p, struct pool_job *job);
size_t pool_pending(const struct pool *p); // submitted, done() not yet run
/* Cancels what has not started, joins the threads after their current job, delivers every done(),
 * then calls on_closed and frees. Nothing may be submitted after. */
void pool_close(struct pool *p, void (*on_closed)(void *ctx), void *ctx);
