/* Why: the way from the loop to a thread that waits, and the threads themselves.
 * Invariant: everything in struct queue but the capacity belongs to the lock. Urgent items leave
 * before the others; within each kind the order of pushing is kept. */
#define LOG_MODULE "rt"
#include "rt/queue.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "rt/proc.h"

/* Deeply nested source makes deep recursion; the pages cost nothing until touched. */
#define THREAD_STACK_BYTES ((size_t)8 << 20)
#define THREAD_NAME_BYTES 16 // the kernel's limit

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct list urgent;
    struct list normal;
    size_t depth;
    size_t capacity;
    bool is_closed, leaves_processor;
    /* Of the consumer. */
    struct proc_place place;
};

struct queue *
queue_create(size_t capacity)
{
    assert(capacity > 0);
    struct queue *q = xnew(struct queue);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&q->lock, NULL);
    list_init(&q->urgent);
    list_init(&q->normal);
    q->capacity = capacity;
    return q;
}

void
queue_destroy(struct queue *q)
{
    if (!q)
        return;
    assert(queue_is_drained(q));
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

bool
queue_push(struct queue *q, struct queue_item *item, bool is_urgent)
{
    pthread_mutex_lock(&q->lock);
    bool is_open = !q->is_closed;
    if (is_open) {
        assert(q->depth < q->capacity);
        list_add(is_urgent ? &q->urgent : &q->normal, &item->link);
        q->depth++;
    }
    pthread_mutex_unlock(&q->lock);
    if (is_open)
        pthread_cond_signal(&q->changed); // who wakes up finds the lock free
    return is_open;
}

static struct queue_item *
take_from(struct queue *q, struct list *from)
{
    if (list_is_empty(from))
        return NULL;
    struct queue_item *item = list_first(from, struct queue_item, link);
    list_remove(&item->link);
    q->depth--;
    return item;
}

static struct queue_item *
take_locked(struct queue *q)
{
    return take_from(q, list_is_empty(&q->urgent) ? &q->normal : &q->urgent);
}

static struct queue_item *
unlock_with(struct queue *q, struct queue_item *item)
{
    bool is_left = q->leaves_processor;
    pthread_mutex_unlock(&q->lock);
    proc_settle(&q->place, is_left);
    return item;
}

struct queue_item *
queue_take(struct queue *q, int64_t deadline_ms)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ms / 1000),
                                .tv_nsec = (long)(deadline_ms % 1000) * 1000000L};
    pthread_mutex_lock(&q->lock);
    while (q->depth == 0 && !q->is_closed) {
        if (q->place.has_left != q->leaves_processor) {
            unlock_with(q, NULL);
            pthread_mutex_lock(&q->lock);
        } else if (deadline_ms < 0) {
            pthread_cond_wait(&q->changed, &q->lock);
        } else if (pthread_cond_timedwait(&q->changed, &q->lock, &deadline) ==
                   ETIMEDOUT) {
            break;
        }
    }
    return unlock_with(q, take_locked(q));
}

struct queue_item *
queue_try_take(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    return unlock_with(q, take_locked(q));
}

struct queue_item *
queue_try_take_urgent(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    return unlock_with(q, take_from(q, &q->urgent));
}

struct queue_item *
queue_try_take_normal(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    return unlock_with(q, take_from(q, &q->normal));
}

bool
queue_has_urgent(const struct queue *q)
{
    struct queue *self = (struct queue *)q; // as below
    pthread_mutex_lock(&self->lock);
    bool has = !list_is_empty(&self->urgent);
    pthread_mutex_unlock(&self->lock);
    return has;
}

size_t
queue_depth(const struct queue *q)
{
    struct queue *self = (struct queue *)q; // the lock is not part of the value
    pthread_mutex_lock(&self->lock);
    size_t depth = self->depth;
    pthread_mutex_unlock(&self->lock);
    return depth;
}

void
queue_leave_processor(struct queue *q, bool is_left)
{
    pthread_mutex_lock(&q->lock);
    q->leaves_processor = is_left;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

void
queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->is_closed = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

bool
queue_is_drained(const struct queue *q)
{
    struct queue *self = (struct queue *)q;
    pthread_mutex_lock(&self->lock);
    bool is_drained = self->is_closed && self->depth == 0;
    pthread_mutex_unlock(&self->lock);
    return is_drained;
}

struct thread {
    pthread_t id;
    char name[THREAD_NAME_BYTES];
    void (*main)(void *ctx);
    void *ctx;
};

static void *
thread_entry(void *arg)
{
    struct thread *t = arg;
    pthread_setname_np(pthread_self(), t->name);
    t->main(t->ctx);
    return NULL;
}

/* Signals are the loop thread's business; those of a fault stay where the fault is. */
static void
fill_blocked_signals(sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                                 SIGABRT, SIGTRAP, SIGSYS};
    sigfillset(set);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        sigdelset(set, faults[i]);
}

struct thread *
thread_start(const char *name, void (*main)(void *ctx), void *ctx)
{
    struct thread *t = xnew(struct thread);
    snprintf(t->name, sizeof(t->name), "%s", name);
    t->main = main;
    t->ctx = ctx;

    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
    sigset_t blocked, before;
    fill_blocked_signals(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int r = pthread_create(&t->id, &attr, thread_entry, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (r != 0) {
        /* Like memory: without its threads the engine cannot keep one promise. */
        log_error("cannot start thread %s: %s", t->name, err_text(-r));
        abort();
    }
    return t;
}

void
thread_join(struct thread *t)
{
    if (!t)
        return;
    pthread_join(t->id, NULL);
    free(t);
}
