/* Why: work that reads, parses or queries leaves the loop and comes back.
 * Invariant: a job is in exactly one place: a lane, a worker's hands, `finished` or `cancelled`.
 * job->work is NULL once it left its lane, which is how cancelling knows. All lists belong to the
 * lock; n_pending and the end belong to the loop. Others are woken behind the lock: who wakes somebody may lose
 * its processor to him, and the loop would wait at the lock; only a split's caller is woken under it. A split stands on its caller's stack: who helps
 * is counted, and the caller leaves last. */
#include "rt/pool.h"

#include <pthread.h>

#include "base/mem.h"
#include "rt/proc.h"
#include "rt/queue.h"
#include "rt/wake.h"

struct pool_worker {
    struct pool *pool;
    struct thread *thread;
    unsigned index;
    struct proc_place place;
};

struct pool {
    struct wake *wake;
    pthread_mutex_t lock;
    pthread_cond_t changed, helped;
    struct list splits;
    struct list lanes[POOL_LANE_COUNT];
    struct list finished;
    struct list cancelled;
    unsigned n_running; // threads that have not left their loop
    unsigned n_bulk;    // bulk jobs at work
    bool is_closing, leaves_processor;
    /* Of the loop. */
    bool is_joined;
    size_t n_pending;
    void (*on_closed)(void *ctx);
    void *ctx;
    unsigned n_workers;
    struct pool_worker workers[];
};

/* A job that others may help with. */
struct split {
    struct list link;
    pool_part_fn part;
    void *ctx;
    size_t next, n; // parts
    unsigned free_hands;
    unsigned n_helping;
};

static_assert(POOL_HANDS_MAX < 32, "a bit for each hand");

static struct pool_job *
pop_locked(struct pool *p, enum pool_lane lane)
{
    if (list_is_empty(&p->lanes[lane]))
        return NULL;
    struct pool_job *job = list_first(&p->lanes[lane], struct pool_job, link);
    list_remove(&job->link);
    return job;
}

/* One thread of several is left to who waits for an answer: a bulk job takes as long as it takes. */
static struct pool_job *
pop_bulk_locked(struct pool *p)
{
    if (p->n_workers > 1 && p->n_bulk >= p->n_workers - 1)
        return NULL;
    return pop_locked(p, POOL_BULK);
}

static struct split *
find_split_locked(struct pool *p)
{
    list_for_each (it, &p->splits) {
        struct split *s = container_of(it, struct split, link);
        if (s->next < s->n && s->free_hands != 0)
            return s;
    }
    return NULL;
}

/* Helpers go when somebody waits for a worker. */
static void
do_parts_locked(struct pool *p, struct split *s, unsigned hand)
{
    while (s->next < s->n && (hand == 0 || list_is_empty(&p->lanes[POOL_INTERACTIVE]))) {
        size_t part = s->next++;
        pthread_mutex_unlock(&p->lock);
        bool is_enough = !s->part(s->ctx, hand, part);
        pthread_mutex_lock(&p->lock);
        if (is_enough)
            s->next = s->n;
    }
}

static void
help_locked(struct pool *p, struct split *s, bool leaves_bulk)
{
    unsigned hand = (unsigned)__builtin_ctz(s->free_hands);
    s->free_hands &= ~(1u << hand);
    s->n_helping++; // so it stands while nobody has the lock
    if (leaves_bulk) {
        pthread_mutex_unlock(&p->lock);
        pthread_cond_signal(&p->changed);
        pthread_mutex_lock(&p->lock);
    }
    do_parts_locked(p, s, hand);
    s->free_hands |= 1u << hand;
    if (--s->n_helping == 0)
        pthread_cond_broadcast(&p->helped); // several callers may wait, each for its own
}

void
pool_split(struct pool *p, unsigned n_hands, size_t n_parts, pool_part_fn part, void *ctx)
{
    assert(n_hands > 0 && n_hands <= POOL_HANDS_MAX);
    struct split s = {.part = part, .ctx = ctx, .n = n_parts};
    s.free_hands = (1u << n_hands) - 1 - 1; // all but the caller's
    pthread_mutex_lock(&p->lock);
    list_add(&p->splits, &s.link);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 1; i < MIN(n_hands, n_parts); i++)
        pthread_cond_signal(&p->changed);
    pthread_mutex_lock(&p->lock);
    do_parts_locked(p, &s, 0);
    while (s.n_helping > 0)
        pthread_cond_wait(&p->helped, &p->lock);
    list_remove(&s.link);
    pthread_mutex_unlock(&p->lock);
}

static void
worker_main(void *ctx)
{
    struct pool_worker *w = ctx;
    struct pool *p = w->pool;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct pool_job *job = NULL;
        struct split *split = NULL;
        bool is_aside = false, is_bulk = false;
        while (!p->is_closing && !(job = pop_locked(p, POOL_INTERACTIVE)) &&
               !(split = find_split_locked(p)) &&
               !(is_aside = (job = pop_locked(p, POOL_ASIDE)) != NULL) &&
               !(is_bulk = (job = pop_bulk_locked(p)) != NULL))
            pthread_cond_wait(&p->changed, &p->lock);
        bool leaves_bulk = !is_bulk && !list_is_empty(&p->lanes[POOL_BULK]);
        if (split) {
            help_locked(p, split, leaves_bulk);
            continue;
        }
        if (!job)
            break;
        pool_work_fn work = steal(job->work);
        p->n_bulk += is_bulk;
        bool is_left = is_aside && p->leaves_processor;
        pthread_mutex_unlock(&p->lock);
        if (leaves_bulk)
            pthread_cond_signal(&p->changed); // another one may have a bulk job now
        proc_settle(&w->place, is_left);
        work(job, w->index);
        proc_settle(&w->place, false); // the next one may be waited for
        pthread_mutex_lock(&p->lock);
        p->n_bulk -= is_bulk;
        /* Else the loop was told, or is about to be; who waits for an answer waits for nobody who is about to. */
        bool tells = !is_bulk || list_is_empty(&p->finished);
        list_add(&p->finished, &job->link);
        if (tells) {
            pthread_mutex_unlock(&p->lock);
            wake_send(p->wake);
            pthread_mutex_lock(&p->lock);
        }
    }
    p->n_running--;
    pthread_mutex_unlock(&p->lock);
    wake_send(p->wake); // which is there until this thread was joined
}

static void
deliver(struct pool *p, struct list *jobs, bool is_cancelled)
{
    while (!list_is_empty(jobs)) {
        struct pool_job *job = list_first(jobs, struct pool_job, link);
        list_remove(&job->link);
        p->n_pending--;
        job->done(job, is_cancelled);
    }
}

static void
on_pool_closed(void *pool)
{
    struct pool *p = pool;
    void (*on_closed)(void *ctx) = p->on_closed;
    void *ctx = p->ctx;
    pthread_cond_destroy(&p->changed);
    pthread_cond_destroy(&p->helped);
    pthread_mutex_destroy(&p->lock);
    free(p);
    if (on_closed)
        on_closed(ctx);
}

static void
on_wake(void *pool)
{
    struct pool *p = pool;
    struct list finished, cancelled;
    list_init(&finished);
    list_init(&cancelled);
    pthread_mutex_lock(&p->lock);
    list_splice(&finished, &p->finished);
    list_splice(&cancelled, &p->cancelled);
    bool is_over = p->is_closing && p->n_running == 0;
    pthread_mutex_unlock(&p->lock);

    deliver(p, &finished, false);
    deliver(p, &cancelled, true);
    if (!is_over || p->is_joined)
        return;
    for (unsigned i = 0; i < p->n_workers; i++)
        thread_join(p->workers[i].thread);
    p->is_joined = true;
    assert(p->n_pending == 0);
    wake_close(p->wake, on_pool_closed);
}

struct pool *
pool_create(struct loop *l, unsigned n_threads)
{
    ASSERT_LOOP();
    assert(n_threads > 0 && n_threads <= POOL_THREADS_MAX);
    struct pool *p = xcalloc(1, sizeof(*p) + n_threads * sizeof(p->workers[0]));
    p->wake = wake_open(l, on_wake, p);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    pthread_cond_init(&p->helped, NULL);
    list_init(&p->splits);
    for (size_t lane = 0; lane < POOL_LANE_COUNT; lane++)
        list_init(&p->lanes[lane]);
    list_init(&p->finished);
    list_init(&p->cancelled);
    p->n_workers = p->n_running = n_threads;
    for (unsigned i = 0; i < n_threads; i++) {
        struct pool_worker *w = &p->workers[i];
        w->pool = p;
        w->index = i;
        char name[16];
        snprintf(name, sizeof(name), "pool-%u", i);
        w->thread = thread_start(name, worker_main, w);
    }
    return p;
}

unsigned
pool_size(const struct pool *p)
{
    return p->n_workers;
}

void
pool_submit(struct pool *p, enum pool_lane lane, struct pool_job *job, pool_work_fn work,
            pool_done_fn done)
{
    ASSERT_LOOP();
    assert(work && done && lane < POOL_LANE_COUNT);
    job->work = work;
    job->done = done;
    p->n_pending++;
    pthread_mutex_lock(&p->lock);
    assert(!p->is_closing);
    list_add(&p->lanes[lane], &job->link);
    pthread_mutex_unlock(&p->lock);
    pthread_cond_signal(&p->changed); // who wakes up finds the lock free
}

static void
cancel_locked(struct pool *p, struct pool_job *job)
{
    job->work = NULL;
    list_remove(&job->link);
    list_add(&p->cancelled, &job->link);
    wake_send(p->wake); // the loop itself
}

bool
pool_cancel(struct pool *p, struct pool_job *job)
{
    ASSERT_LOOP();
    pthread_mutex_lock(&p->lock);
    bool is_waiting = job->work != NULL;
    if (is_waiting)
        cancel_locked(p, job);
    pthread_mutex_unlock(&p->lock);
    return is_waiting;
}

void
pool_leave_processor(struct pool *p, bool is_left)
{
    ASSERT_LOOP();
    pthread_mutex_lock(&p->lock);
    p->leaves_processor = is_left;
    pthread_mutex_unlock(&p->lock);
}

size_t
pool_pending(const struct pool *p)
{
    return p->n_pending;
}

void
pool_close(struct pool *p, void (*on_closed)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    p->on_closed = on_closed;
    p->ctx = ctx;
    pthread_mutex_lock(&p->lock);
    assert(!p->is_closing);
    p->is_closing = true;
    for (size_t lane = 0; lane < POOL_LANE_COUNT; lane++) {
        for (struct pool_job *job; (job = pop_locked(p, (enum pool_lane)lane));)
            cancel_locked(p, job);
    }
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}
