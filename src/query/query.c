/* Questions from the loop to read connections on pool workers. Invariant: a connection is in the
 * hands of one job at a time, and the loop touches its reader only to interrupt it while a question
 * runs: it is opened and closed by jobs of their own, so the pointer stands still meanwhile. */
#include "base/clock.h"
#include "query/internal.h"
#include "query/near.h"
#include "rt/timer.h"

#include "base/mem.h"

#define SWEEP_MS 1000

enum conn_state { CONN_CLOSED, CONN_OPENING, CONN_IDLE, CONN_RUNNING, CONN_CLOSING };

struct query_conn {
    struct pool_job job;
    struct query *query;
    enum conn_state state;
    struct store_reader *reader;
    struct query_ticket *ticket; // while it runs
    int open_r;
    bool is_old; // another one was lost since it began: it is closed when it may be
    int64_t used_ms;
};

struct query {
    struct loop *loop;
    struct pool *pool;
    struct timer *timer;
    struct names_table table;
    struct near near;
    struct timer *near_timer; // a file that an editor has open is to be read
    bool is_reading_open;
    char *url;
    struct query_conn conns[QUERY_CONNECTIONS_MAX];
    struct list waiting;
    struct list ready; // to be answered by the deferred call
    size_t n_tickets;
    bool is_closing, is_ending;
    bool is_answering; // the deferred call is on its way
    bool is_sweep_near;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

static void pump(struct query *q);
static void on_nobody(void *ctx, struct query_result **result);
static void on_table_timer(void *ctx);
static void read_open(void *ctx);

/* ---- the end ---- */

static void
finish(void *ctx)
{
    struct query *q = ctx;
    void (*on_closed)(void *ctx) = q->on_closed;
    void *closed_ctx = q->closed_ctx;
    timer_close(q->timer);
    timer_close(q->near_timer);
    table_finish(&q->table);
    near_finish(&q->near);
    free(q->url);
    free(q);
    if (on_closed)
        on_closed(closed_ctx);
}

static void
end_if_over(struct query *q)
{
    if (!q->is_closing || q->is_ending || q->n_tickets > 0 || q->is_answering)
        return;
    for (size_t i = 0; i < ARRAY_LEN(q->conns); i++) {
        if (q->conns[i].state != CONN_CLOSED)
            return;
    }
    q->is_ending = true;
    loop_defer(q->loop, finish, q);
}

/* ---- answers ---- */

static void
answer(struct query_ticket *t)
{
    struct query *q = t->query;
    table_take(&q->table, &t->loan);
    t->done(t->ctx, &t->result);
    query_result_destroy(t->result);
    arena_finish(&t->arena);
    free(t);
    q->n_tickets--;
}

static void
answer_ready(void *ctx)
{
    struct query *q = ctx;
    while (!list_is_empty(&q->ready)) {
        struct query_ticket *t = list_first(&q->ready, struct query_ticket, link);
        list_remove(&t->link);
        answer(t);
    }
    q->is_answering = false;
    end_if_over(q);
}

static void
answer_later(struct query_ticket *t)
{
    struct query *q = t->query;
    list_remove(&t->link);
    list_add(&q->ready, &t->link);
    if (!q->is_answering)
        loop_defer(q->loop, answer_ready, q);
    q->is_answering = true;
}

static void
fail_later(struct query_ticket *t, int r)
{
    t->result->r = r;
    answer_later(t);
}

void
query_result_destroy(struct query_result *result)
{
    if (!result)
        return;
    for (size_t i = 0; i < result->n_events; i++)
        event_unref(result->events[i]);
    arena_finish(&result->arena);
    free(result);
}

/* ---- connections ---- */

static struct query_conn *
conn_of(struct pool_job *job)
{
    return container_of(job, struct query_conn, job);
}

static void
work_close(struct pool_job *job, unsigned worker UNUSED)
{
    store_reader_close(steal(conn_of(job)->reader));
}

static void
on_closed(struct pool_job *job, bool is_cancelled)
{
    struct query_conn *c = conn_of(job);
    if (is_cancelled)
        store_reader_close(steal(c->reader));
    c->state = CONN_CLOSED;
    pump(c->query);
    end_if_over(c->query);
}

static void
close_conn(struct query_conn *c)
{
    c->state = CONN_CLOSING;
    pool_submit(c->query->pool, POOL_INTERACTIVE, &c->job, work_close, on_closed);
}

static void
work_open(struct pool_job *job, unsigned worker UNUSED)
{
    struct query_conn *c = conn_of(job);
    c->open_r = store_reader_open(c->query->url, &c->reader, NULL);
}

/* Lost while it was opened is lost, too: another one is tried. */
static void
fail_first(struct query *q, int r)
{
    struct query_ticket *t = list_first(&q->waiting, struct query_ticket, link);
    if (r != -EIO || t->is_again)
        fail_later(t, r);
    t->is_again = true;
}

static void
on_opened(struct pool_job *job, bool is_cancelled)
{
    struct query_conn *c = conn_of(job);
    struct query *q = c->query;
    int r = is_cancelled ? -EINTR : c->open_r;
    c->state = r < 0 ? CONN_CLOSED : CONN_IDLE;
    c->used_ms = clock_mono_ms();
    if (r < 0 && !list_is_empty(&q->waiting))
        fail_first(q, r);
    if (r == 0 && c->is_old)
        close_conn(c);
    pump(q);
    end_if_over(q);
}

static void
open_conn(struct query_conn *c)
{
    c->state = CONN_OPENING;
    c->is_old = false;
    pool_submit(c->query->pool, POOL_INTERACTIVE, &c->job, work_open, on_opened);
}

static void
work_run(struct pool_job *job, unsigned worker UNUSED)
{
    struct query_conn *c = conn_of(job);
    c->ticket->run(c->ticket, c->reader);
}

/* A connection that rested may have been cut meanwhile, as by a restart of its server. */
static bool
deserves_another(const struct query_conn *c, const struct query_ticket *t)
{
    return t->result->r == -EIO && !t->is_again && !t->is_cancelled &&
           !c->query->is_closing && t->done != on_nobody;
}

/* On a connection that is opened from now on: the others were cut as well. */
static void
ask_again(struct query *q, struct query_ticket *t)
{
    table_take(&q->table, &t->loan);
    t->loan = (struct table_loan){.use = t->loan.use};
    query_result_destroy(t->result);
    t->result = xnew(struct query_result);
    t->is_again = true;
    list_add(&q->waiting, &t->link);
    for (size_t i = 0; i < ARRAY_LEN(q->conns); i++) {
        q->conns[i].is_old = true;
        if (q->conns[i].state == CONN_IDLE)
            close_conn(&q->conns[i]);
    }
}

static void
on_run(struct pool_job *job, bool is_cancelled)
{
    struct query_conn *c = conn_of(job);
    struct query *q = c->query;
    struct query_ticket *t = steal(c->ticket);
    bool is_again = !is_cancelled && deserves_another(c, t);
    t->conn = NULL;
    if (is_cancelled)
        t->result->r = -EINTR;
    c->state = CONN_IDLE;
    c->used_ms = clock_mono_ms();
    /* After an error of the file a fresh look at it is better than the old one. */
    if (t->result->r == -EIO || t->result->r == -EBADMSG || c->is_old)
        close_conn(c);
    if (is_again)
        ask_again(q, t);
    else
        answer(t);
    pump(q);
    end_if_over(q);
}

static void
run_on(struct query_conn *c, struct query_ticket *t)
{
    list_remove(&t->link);
    c->state = CONN_RUNNING;
    c->ticket = t;
    t->conn = c;
    table_lend(&c->query->table, &t->loan, &t->arena);
    pool_submit(c->query->pool, t->lane, &c->job, work_run, on_run);
}

/* For the one that is kept a look now and then is enough: an engine at rest does not wake each second. */
static void
arm_sweep(struct query *q, size_t n_idle)
{
    bool is_near = n_idle > 1;
    if (n_idle == 0 || (timer_is_armed(q->timer) && (q->is_sweep_near || !is_near)))
        return;
    q->is_sweep_near = is_near;
    timer_start(q->timer, is_near ? SWEEP_MS : QUERY_CONNECTION_KEPT_MS, 0);
}

/* What waits goes to idle connections; for the rest connections are opened while there may be more. */
static void
pump(struct query *q)
{
    size_t n_wanted = 0, n_idle = 0;
    for (size_t i = 0; i < ARRAY_LEN(q->conns); i++) {
        struct query_conn *c = &q->conns[i];
        if (c->state == CONN_IDLE && !list_is_empty(&q->waiting))
            run_on(c, list_first(&q->waiting, struct query_ticket, link));
        else if (c->state == CONN_IDLE && q->is_closing)
            close_conn(c);
        n_idle += c->state == CONN_IDLE;
    }
    list_for_each (it, &q->waiting)
        n_wanted++;
    for (size_t i = 0; i < ARRAY_LEN(q->conns) && n_wanted > 0; i++)
        n_wanted -= q->conns[i].state == CONN_OPENING;
    for (size_t i = 0; i < ARRAY_LEN(q->conns) && n_wanted > 0; i++) {
        if (q->conns[i].state != CONN_CLOSED)
            continue;
        open_conn(&q->conns[i]);
        n_wanted--;
    }
    if (!q->is_closing)
        arm_sweep(q, n_idle);
}

static void
on_sweep(void *ctx)
{
    struct query *q = ctx;
    int64_t now_ms = clock_mono_ms(), age_ms = QUERY_CONNECTION_KEPT_MS;
    for (size_t i = 0; i < ARRAY_LEN(q->conns); i++) {
        struct query_conn *c = &q->conns[i];
        if (c->state != CONN_IDLE)
            continue;
        if (now_ms - c->used_ms >= age_ms)
            close_conn(c);
        age_ms = QUERY_CONNECTION_AGE_MS; // of all but the first, which pump() prefers
    }
    pump(q);
}

struct query *
query_open(struct loop *l, struct pool *pool, const char *url)
{
    ASSERT_LOOP();
    struct query *q = xnew(struct query);
    q->loop = l;
    q->pool = pool;
    q->url = xstrdup(url);
    q->timer = timer_open(l, on_sweep, q);
    table_init(&q->table, l, on_table_timer, q);
    near_init(&q->near);
    q->near_timer = timer_open(l, read_open, q);
    list_init(&q->waiting);
    list_init(&q->ready);
    for (size_t i = 0; i < ARRAY_LEN(q->conns); i++) {
        q->conns[i].query = q;
        list_init(&q->conns[i].job.link);
    }
    return q;
}

void
query_cancel(struct query_ticket *t)
{
    ASSERT_LOOP();
    if (t->conn) {
        t->is_cancelled = true;
        if (!pool_cancel(t->query->pool, &t->conn->job))
            store_reader_interrupt(t->conn->reader);
    } else if (t->result->r != -EINTR) {
        fail_later(t, -EINTR);
    }
}

void
query_close(struct query *q, void (*closed)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    assert(!q->is_closing);
    q->is_closing = true;
    q->on_closed = closed;
    q->closed_ctx = ctx;
    timer_stop(q->timer);
    timer_stop(q->table.timer);
    timer_stop(q->near_timer);
    while (!list_is_empty(&q->waiting))
        fail_later(list_first(&q->waiting, struct query_ticket, link), -EINTR);
    for (size_t i = 0; i < ARRAY_LEN(q->conns); i++) {
        if (q->conns[i].ticket)
            query_cancel(q->conns[i].ticket);
    }
    pump(q);
    end_if_over(q);
}

/* ---- questions ---- */

static struct query_ticket *
ticket_create(struct query *q,
              void (*run)(struct query_ticket *t, struct store_reader *r),
              struct str subject, query_done_fn done, void *ctx)
{
    ASSERT_LOOP();
    assert(!q->is_closing);
    struct query_ticket *t = xnew(struct query_ticket);
    list_init(&t->link);
    t->query = q;
    t->run = run;
    t->subject = arena_str(&t->arena, subject);
    t->done = done;
    t->ctx = ctx;
    t->result = xnew(struct query_result);
    return t;
}

static struct query_ticket *
ask(struct query_ticket *t)
{
    list_add(&t->query->waiting, &t->link);
    t->query->n_tickets++;
    pump(t->query);
    return t;
}

/* ---- work of our own: questions nobody waits for ---- */

static void
on_nobody(void *ctx UNUSED, struct query_result **result UNUSED)
{
}

static void
ask_for_nobody(struct query *q,
               void (*run)(struct query_ticket *t, struct store_reader *r),
               struct str subject, enum table_use use)
{
    struct query_ticket *t = ticket_create(q, run, subject, on_nobody, NULL);
    t->loan.use = use;
    t->lane = POOL_BULK;
    ask(t);
}

static void
on_table_timer(void *ctx)
{
    struct query *q = ctx;
    enum table_use use = table_next(&q->table);
    if (q->is_closing || use == TABLE_UNUSED)
        return;
    ask_for_nobody(q, use == TABLE_BUILD ? query_run_build : query_run_refresh, STR_NONE,
                   use);
}

void
query_warm(struct query *q)
{
    ASSERT_LOOP();
    bool is_open = false;
    for (size_t i = 0; i < ARRAY_LEN(q->conns); i++)
        is_open |= q->conns[i].state != CONN_CLOSED;
    if (q->is_closing)
        return;
    table_want(&q->table);
    if (!is_open)
        ask_for_nobody(q, query_run_named, STR("main"), TABLE_UNUSED);
}

void
query_committed(struct query *q, struct str path)
{
    ASSERT_LOOP();
    if (!q->is_closing)
        table_committed(&q->table, path);
}

void
query_changed(struct query *q, struct str path)
{
    ASSERT_LOOP();
    if (near_changed(&q->near, path, clock_mono_ms()))
        read_open(q);
}

void
query_opened(struct query *q, struct str path, bool is_open)
{
    ASSERT_LOOP();
    near_open(&q->near, path, is_open);
    read_open(q);
}

/* ---- questions, each ---- */

static void
copy_search(struct query_ticket *t, const struct query_search *search)
{
    t->search = *search;
    t->search.text = arena_str(&t->arena, search->text);
    t->search.lang = arena_str(&t->arena, search->lang);
    t->search.path_glob = arena_str(&t->arena, search->path_glob);
    if (search->n_kinds > 0) {
        enum entity_kind *kinds =
            arena_alloc(&t->arena, search->n_kinds * sizeof(*kinds));
        memcpy(kinds, search->kinds, search->n_kinds * sizeof(*kinds));
        t->search.kinds = kinds;
    }
}

static struct query_ticket *
ask_search(struct query_ticket *t, const struct query_search *search)
{
    copy_search(t, search);
    t->help.pool = t->query->pool;
    t->help.n_hands = MIN(pool_size(t->query->pool), NAMES_HANDS_MAX);
    t->loan.use = search->is_text_search ? TABLE_UNUSED : TABLE_SEARCH;
    return ask(t);
}

struct query_ticket *
query_search(struct query *q, const struct query_search *search, query_done_fn done,
             void *ctx)
{
    return ask_search(ticket_create(q, query_run_search, STR_NONE, done, ctx), search);
}

struct query_ticket *
query_matches(struct query *q, const struct query_search *search, query_done_fn done,
              void *ctx)
{
    return ask_search(ticket_create(q, query_run_matches, STR_NONE, done, ctx), search);
}

struct query_ticket *
query_match_rows(struct query *q, const struct query_search *search,
                 const struct query_match *matches, size_t n, query_done_fn done,
                 void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_match_rows, STR_NONE, done, ctx);
    copy_search(t, search);
    t->matches = arena_calloc(&t->arena, n + 1, sizeof(*matches));
    if (n > 0)
        memcpy(t->matches, matches, n * sizeof(*matches));
    t->n_matches = n;
    return ask(t);
}

struct query_ticket *
query_list(struct query *q, const struct query_search *filter,
           const struct query_place *from, query_done_fn done, void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_list, STR_NONE, done, ctx);
    copy_search(t, filter);
    t->place = *from;
    t->place.path = arena_str(&t->arena, from->path);
    return ask(t);
}

struct query_ticket *
query_entity(struct query *q, struct str key, bool with_edges, query_done_fn done,
             void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_entity, key, done, ctx);
    t->with_edges = with_edges;
    return ask(t);
}

struct query_ticket *
query_around(struct query *q, struct str key, query_done_fn done, void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_entity, key, done, ctx);
    t->with_edges = t->with_ends = true;
    return ask(t);
}

struct query_ticket *
query_files_after(struct query *q, struct str after, uint64_t sender, size_t limit,
                  query_done_fn done, void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_files, after, done, ctx);
    t->sender = sender;
    t->limit = limit;
    t->lane = POOL_BULK;
    return ask(t);
}

struct query_ticket *
query_entities(struct query *q, const struct str *paths, size_t n_paths, size_t limit,
               query_done_fn done, void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_entities, STR_NONE, done, ctx);
    t->paths = arena_calloc(&t->arena, n_paths + 1, sizeof(*paths));
    for (size_t i = 0; i < n_paths; i++)
        t->paths[i] = arena_str(&t->arena, paths[i]);
    t->n_paths = n_paths;
    t->limit = limit;
    t->lane = POOL_BULK;
    return ask(t);
}

struct query_ticket *
query_file(struct query *q, struct str path, enum pool_lane lane, query_done_fn done,
           void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_file, path, done, ctx);
    t->lane = lane;
    return ask(t);
}

struct query_ticket *
query_named(struct query *q, struct str name, query_done_fn done, void *ctx)
{
    return ask(ticket_create(q, query_run_named, name, done, ctx));
}

/* ---- rows that are remembered ---- */

/* If it changed meanwhile and is open, it is read once more. */
static void
on_near_read(void *ctx, struct query_result **result)
{
    struct near_file *file = ctx;
    struct query *q = container_of(file->near, struct query, near);
    near_take(file, result);
    read_open(q);
}

static void
on_open_read(void *ctx, struct query_result **result)
{
    struct near_file *file = ctx;
    container_of(file->near, struct query, near)->is_reading_open = false;
    on_near_read(ctx, result);
}

/* One after the other, so that connections are left for who asks. An editor will: on the bulk lane this one would be
 * held by a read that waits behind a whole walk. */
static void
read_open(void *ctx)
{
    struct query *q = ctx;
    int64_t wait_ms;
    if (q->is_closing || q->is_reading_open)
        return;
    struct near_file *file = near_next(&q->near, clock_mono_ms(), &wait_ms);
    if (file) {
        q->is_reading_open = true;
        ask(ticket_create(q, query_run_file, str_of(file->path), on_open_read, file));
    } else if (wait_ms > 0) {
        timer_start(q->near_timer, (uint64_t)wait_ms, 0);
    }
}

struct query_ticket *
query_near(struct query *q, struct str name, struct str path, query_done_fn done,
           void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_near, name, done, ctx);
    if (near_find(&q->near, path, name, t->result)) {
        q->n_tickets++;
        answer_later(t);
        return t;
    }
    t->paths = arena_new(&t->arena, struct str);
    t->paths[0] = arena_str(&t->arena, path);
    ask(t);
    struct near_file *file = near_want(&q->near, path, clock_mono_ms());
    if (file) {
        struct query_ticket *read =
            ticket_create(q, query_run_file, path, on_near_read, file);
        read->lane = POOL_BULK;
        ask(read);
    }
    return t;
}

struct query_ticket *
query_events(struct query *q, int64_t since, size_t limit, query_done_fn done, void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_events, STR_NONE, done, ctx);
    t->since = since;
    t->limit = limit;
    return ask(t);
}

struct query_ticket *
query_counts(struct query *q, enum pool_lane lane, query_done_fn done, void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_counts, STR_NONE, done, ctx);
    t->lane = lane;
    return ask(t);
}

struct query_ticket *
query_unasked(struct query *q, query_done_fn done, void *ctx)
{
    struct query_ticket *t = ticket_create(q, query_run_unasked, STR_NONE, done, ctx);
    t->lane = POOL_ASIDE;
    return ask(t);
}
