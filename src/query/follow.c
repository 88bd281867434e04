/* Follows an index that another process writes: a read connection of its own, which is told of commits. While
 * nothing comes the loop holds its descriptor; when something did, a job on the pool has the connection alone,
 * reads what is behind the last event, and comes back. Invariant: `since` moves only with events that are
 * handed out, so a lost connection loses none and repeats none: the next one reads on from there. */
#include "base/vec.h"
#include "query/internal.h"
#include "rt/ready.h"
#include "rt/timer.h"

#include "base/mem.h"

#define FOLLOW_EVENTS 256 // of one answer
#define FOLLOW_RETRY_MS 100
#define FOLLOW_RETRY_MS_MAX 5000
#define FOLLOW_LOOK_MS                                                                   \
    30000 // without any: one may be lost with the connection of who committed

struct query_follower {
    struct pool_job job;
    struct loop *loop;
    struct pool *pool;
    char *url;
    struct timer *timer;
    struct ready *ready; // while no job runs
    uint64_t retry_ms;
    bool is_working, is_wanted; // look again after this job
    query_news_fn on_news;
    void *ctx;
    bool is_closing;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
    /* The job's while it runs: */
    struct store_reader *reader;
    int fd;
    bool is_begun; // since is known
    int64_t since;
    bool has_more;
    struct query_result *result;
};

static void look(struct query_follower *f);

/* ---- on a worker ---- */

struct event_list {
    VEC(struct event *) all;
};

static int
on_event(void *ctx, const struct event *e)
{
    struct event_list *list = ctx;
    *vec_push(&list->all) =
        event_create(e->type, e->seq, e->time_ms, e->subject, e->data);
    return 0;
}

/* Also of a read that was cut short: they are the result's, which lets go of them. */
static void
keep_events(struct query_result *result, struct event_list *list)
{
    if (list->all.n > 0) {
        result->events =
            arena_alloc(&result->arena, list->all.n * sizeof(struct event *));
        memcpy(result->events, list->all.v, list->all.n * sizeof(struct event *));
    }
    result->n_events = list->all.n;
    vec_finish(&list->all);
}

static int
connect_reader(struct query_follower *f)
{
    int r = store_reader_open(f->url, &f->reader, NULL);
    return r < 0 ? r : store_reader_listen(f->reader, &f->fd);
}

static int
read_events(struct query_follower *f)
{
    struct query_result *result = f->result;
    struct event_list list = {.all = {0}};
    int r = store_reader_begin(f->reader);
    if (r < 0)
        return r;
    r = store_read_info(f->reader, &result->info);
    if (r == 0 && f->is_begun)
        r = store_each_event(f->reader, f->since, FOLLOW_EVENTS, on_event, &list);
    store_reader_end(f->reader);
    keep_events(result, &list);
    return r;
}

/* A reader that failed is done with. */
static void
work(struct pool_job *job, unsigned worker UNUSED)
{
    struct query_follower *f = container_of(job, struct query_follower, job);
    int r = f->reader ? 0 : connect_reader(f);
    if (r == 0)
        r = store_reader_news(f->reader);
    if (r >= 0)
        r = read_events(f);
    if (r == 0)
        r = store_reader_news(f->reader); // told while it read
    f->has_more = r > 0 || f->result->n_events == FOLLOW_EVENTS;
    f->result->r = MIN(r, 0);
    if (r < 0)
        store_reader_close(steal(f->reader));
}

static void
work_close(struct pool_job *job, unsigned worker UNUSED)
{
    struct query_follower *f = container_of(job, struct query_follower, job);
    store_reader_close(steal(f->reader));
}

/* ---- on the loop ---- */

static void
finish(void *ctx)
{
    struct query_follower *f = ctx;
    void (*on_closed)(void *ctx) = f->on_closed;
    void *closed_ctx = f->closed_ctx;
    timer_close(f->timer);
    free(f->url);
    free(f);
    on_closed(closed_ctx);
}

static void
on_reader_closed(struct pool_job *job, bool is_cancelled)
{
    struct query_follower *f = container_of(job, struct query_follower, job);
    if (is_cancelled)
        work_close(job, 0);
    finish(f);
}

static void
end(struct query_follower *f)
{
    ready_close(steal(f->ready));
    if (f->reader)
        pool_submit(f->pool, POOL_INTERACTIVE, &f->job, work_close, on_reader_closed);
    else
        loop_defer(f->loop, finish, f);
}

static void
on_ready(void *ctx)
{
    look(ctx);
}

static void
wait_for_news(struct query_follower *f, int r)
{
    if (r == 0 && (f->has_more || f->is_wanted)) {
        look(f);
        return;
    }
    if (r == 0)
        r = ready_open(f->loop, f->fd, on_ready, f, &f->ready);
    if (r == 0) {
        f->retry_ms = FOLLOW_RETRY_MS;
        timer_start(f->timer, FOLLOW_LOOK_MS, 0);
        return;
    }
    timer_start(f->timer, f->retry_ms, 0);
    f->retry_ms = MIN(f->retry_ms * 2, (uint64_t)FOLLOW_RETRY_MS_MAX);
}

static void
hand_out(struct query_follower *f, struct query_result **result)
{
    const struct query_result *is = *result;
    if (is->r == 0 && is->n_events > 0)
        f->since = is->events[is->n_events - 1]->seq;
    else if (is->r == 0 && !f->is_begun)
        f->since = is->info.head;
    f->is_begun |= is->r == 0;
    f->on_news(f->ctx, result);
}

static void
on_worked(struct pool_job *job, bool is_cancelled)
{
    struct query_follower *f = container_of(job, struct query_follower, job);
    struct query_result *result = steal(f->result);
    int r;
    if (is_cancelled)
        result->r = -EINTR;
    r = result->r;
    if (!f->is_closing)
        hand_out(f, &result);
    query_result_destroy(result);
    f->is_working = false; // until here: it may have been closed by whom it told
    if (f->is_closing)
        end(f);
    else
        wait_for_news(f, r);
}

static void
look(struct query_follower *f)
{
    ready_close(steal(f->ready));
    timer_stop(f->timer);
    f->is_working = true;
    f->is_wanted = false;
    f->result = xnew(struct query_result);
    pool_submit(f->pool, POOL_INTERACTIVE, &f->job, work, on_worked);
}

void
query_follower_look(struct query_follower *f)
{
    ASSERT_LOOP();
    if (f->is_working)
        f->is_wanted = true;
    else
        look(f);
}

static void
on_timer(void *ctx)
{
    look(ctx);
}

struct query_follower *
query_follow(struct loop *l, struct pool *pool, const char *url, query_news_fn on_news,
             void *ctx)
{
    ASSERT_LOOP();
    struct query_follower *f = xnew(struct query_follower);
    list_init(&f->job.link);
    f->loop = l;
    f->pool = pool;
    f->url = xstrdup(url);
    f->timer = timer_open(l, on_timer, f);
    f->retry_ms = FOLLOW_RETRY_MS;
    f->on_news = on_news;
    f->ctx = ctx;
    look(f);
    return f;
}

void
query_follower_close(struct query_follower *f, void (*on_closed)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    assert(!f->is_closing);
    f->is_closing = true;
    f->on_closed = on_closed;
    f->closed_ctx = ctx;
    timer_stop(f->timer);
    if (!f->is_working)
        end(f);
}
