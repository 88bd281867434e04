/* The three crossings: pool, queue with its thread, mailbox. */
#include <fcntl.h>
#include <sys/resource.h>

#include "rt/check.h"
#include "rt/mailbox.h"
#include "rt/pool.h"
#include "rt/queue.h"

struct pool_case {
    struct loop *l;
    struct pool *pool;
    uv_sem_t started;
    uv_sem_t go;
    char order[16]; // of a pool with one worker
    size_t n;
    size_t n_done, n_cancelled, n_wanted;
    bool all_done;
    bool is_closed;
    size_t done_at_close;
};

struct test_job {
    struct pool_job job;
    struct pool_case *c;
    char name;
    unsigned worker;
    int rounds;
};

static void
pool_case_init(struct pool_case *c, struct loop *l, unsigned n_threads)
{
    *c = (struct pool_case){.l = l};
    uv_sem_init(&c->started, 0);
    uv_sem_init(&c->go, 0);
    c->pool = pool_create(l, n_threads);
}

static void
note_closed(void *ctx)
{
    struct pool_case *c = ctx;
    c->done_at_close = c->n_done;
    c->is_closed = true;
}

static void
pool_case_finish(struct pool_case *c)
{
    if (!c->is_closed) {
        pool_close(c->pool, note_closed, c);
        run_until(c->l, &c->is_closed);
    }
    uv_sem_destroy(&c->started);
    uv_sem_destroy(&c->go);
}

static void
work_wait(struct pool_job *job, UNUSED unsigned worker)
{
    struct test_job *t = container_of(job, struct test_job, job);
    uv_sem_post(&t->c->started);
    uv_sem_wait(&t->c->go);
}

static void
work_note(struct pool_job *job, unsigned worker)
{
    struct test_job *t = container_of(job, struct test_job, job);
    t->worker = worker;
    t->c->order[t->c->n++] = t->name;
}

static void
job_done(struct pool_job *job, bool is_cancelled)
{
    struct test_job *t = container_of(job, struct test_job, job);
    t->c->n_cancelled += is_cancelled;
    if (++t->c->n_done == t->c->n_wanted)
        t->c->all_done = true;
}

static void
test_pool_lanes(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct pool_case c;
    pool_case_init(&c, &l, 1);
    assert_int_equal(pool_size(c.pool), 1);
    struct test_job blocker = {.c = &c};
    struct test_job jobs[] = {{.c = &c, .name = 'b'},
                              {.c = &c, .name = 'B'},
                              {.c = &c, .name = 'i'},
                              {.c = &c, .name = 'I'}};
    c.n_wanted = 5;
    pool_submit(c.pool, POOL_BULK, &blocker.job, work_wait, job_done);
    uv_sem_wait(&c.started);
    for (size_t i = 0; i < 4; i++)
        pool_submit(c.pool, i < 2 ? POOL_BULK : POOL_INTERACTIVE, &jobs[i].job, work_note,
                    job_done);
    assert_int_equal(pool_pending(c.pool), 5);
    uv_sem_post(&c.go);
    run_until(&l, &c.all_done);
    assert_string_equal(c.order, "iIbB");
    assert_int_equal(pool_pending(c.pool), 0);
    assert_int_equal(c.n_cancelled, 0);
    assert_int_equal(jobs[0].worker, 0);
    pool_case_finish(&c);
    FINISH_LOOP(l);
}

/* Bulk jobs that go on and on leave a thread to an interactive one. */
static void
test_pool_leaves_one(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct pool_case c;
    pool_case_init(&c, &l, 3);
    struct test_job bulk[] = {{.c = &c}, {.c = &c}, {.c = &c}, {.c = &c}};
    struct test_job quick = {.c = &c, .name = 'i'};
    for (size_t i = 0; i < ARRAY_LEN(bulk); i++)
        pool_submit(c.pool, POOL_BULK, &bulk[i].job, work_wait, job_done);
    uv_sem_wait(&c.started);
    uv_sem_wait(&c.started);
    c.n_wanted = 1;
    pool_submit(c.pool, POOL_INTERACTIVE, &quick.job, work_note, job_done);
    run_until(&l, &c.all_done);
    assert_string_equal(c.order, "i");
    assert_int_equal(uv_sem_trywait(&c.started), UV_EAGAIN); // the third waits
    c.all_done = false;
    c.n_wanted = 5;
    for (size_t i = 0; i < ARRAY_LEN(bulk); i++)
        uv_sem_post(&c.go);
    run_until(&l, &c.all_done);
    pool_case_finish(&c);
    FINISH_LOOP(l);
}

/* Each waits for the other: only two threads at once get past. */
static void
work_meet(struct pool_job *job, unsigned worker)
{
    struct test_job *t = container_of(job, struct test_job, job);
    t->worker = worker;
    uv_sem_post(t->name == 'a' ? &t->c->started : &t->c->go);
    uv_sem_wait(t->name == 'a' ? &t->c->go : &t->c->started);
}

static void
test_pool_parallel(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct pool_case c;
    pool_case_init(&c, &l, 2);
    struct test_job a = {.c = &c, .name = 'a'}, b = {.c = &c, .name = 'b'};
    c.n_wanted = 2;
    pool_submit(c.pool, POOL_BULK, &a.job, work_meet, job_done);
    pool_submit(c.pool, POOL_INTERACTIVE, &b.job, work_meet, job_done);
    run_until(&l, &c.all_done);
    assert_int_not_equal(a.worker, b.worker);
    assert_true(a.worker < 2 && b.worker < 2);
    pool_case_finish(&c);
    FINISH_LOOP(l);
}

static void
test_pool_cancel(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct pool_case c;
    pool_case_init(&c, &l, 1);
    struct test_job blocker = {.c = &c}, job = {.c = &c, .name = 'x'};
    pool_submit(c.pool, POOL_BULK, &blocker.job, work_wait, job_done);
    uv_sem_wait(&c.started);
    pool_submit(c.pool, POOL_INTERACTIVE, &job.job, work_note, job_done);
    assert_false(pool_cancel(c.pool, &blocker.job)); // it runs
    assert_true(pool_cancel(c.pool, &job.job));
    assert_false(pool_cancel(c.pool, &job.job)); // once is enough
    assert_int_equal(c.n_done, 0);               // never inside the call
    c.n_wanted = 1;
    run_until(&l, &c.all_done); // while the blocker still runs
    assert_int_equal(c.n_cancelled, 1);
    c.all_done = false;
    c.n_wanted = 2;
    uv_sem_post(&c.go);
    run_until(&l, &c.all_done);
    assert_int_equal(c.n_cancelled, 1);
    assert_int_equal(c.n, 0);
    pool_case_finish(&c);
    FINISH_LOOP(l);
}

/* ---- a job in parts ---- */

#define SPLIT_PARTS 1000

struct split_case {
    struct test_job t;
    unsigned n_hands;
    uint8_t times[SPLIT_PARTS];     // each part was done
    size_t of_hand[POOL_HANDS_MAX]; // parts; no lock: a hand is in one thread at a time
    size_t n_parts, enough_at, n_in_parts;
    uv_sem_t met[2];
};

static bool
split_part(void *ctx, unsigned hand, size_t part)
{
    struct split_case *c = ctx;
    c->times[part]++;
    c->of_hand[hand]++;
    return part != c->enough_at;
}

/* The first two wait for each other: somebody helps. */
static bool
split_part_meet(void *ctx, unsigned hand, size_t part)
{
    struct split_case *c = ctx;
    if (part < 2) {
        uv_sem_post(&c->met[part]);
        uv_sem_wait(&c->met[1 - part]);
    }
    return split_part(ctx, hand, part);
}

static void
work_split(struct pool_job *job, UNUSED unsigned worker)
{
    struct split_case *c = container_of(job, struct split_case, t.job);
    pool_split(c->t.c->pool, c->n_hands, c->n_parts,
               c->t.name == 'm' ? split_part_meet : split_part, c);
    for (size_t i = 0; i < c->n_hands; i++)
        c->n_in_parts += c->of_hand[i]; // nobody is at it any more
}

static void
split_case_init(struct split_case *c, struct pool_case *of, unsigned n_hands)
{
    *c = (struct split_case){.t = {.c = of}, .n_hands = n_hands};
    c->n_parts = SPLIT_PARTS;
    c->enough_at = SIZE_MAX;
    uv_sem_init(&c->met[0], 0);
    uv_sem_init(&c->met[1], 0);
}

/* Returns how many parts were done, each once, all of them before all that were not. */
static size_t
split_case_finish(struct split_case *c)
{
    size_t n = 0, sum = 0;
    uv_sem_destroy(&c->met[0]);
    uv_sem_destroy(&c->met[1]);
    while (n < SPLIT_PARTS && c->times[n] == 1)
        n++;
    for (size_t i = n; i < SPLIT_PARTS; i++)
        assert_int_equal(c->times[i], 0);
    for (size_t i = 0; i < POOL_HANDS_MAX; i++)
        sum += c->of_hand[i];
    assert_int_equal(sum, n);
    assert_int_equal(c->n_in_parts, n);
    return n;
}

static void
test_pool_split(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct pool_case c;
    struct split_case splits[6];
    pool_case_init(&c, &l, 3);
    c.n_wanted = ARRAY_LEN(splits);
    for (unsigned i = 0; i < ARRAY_LEN(splits); i++) { // at once
        split_case_init(&splits[i], &c, 1 + i % 4);
        pool_submit(c.pool, POOL_BULK, &splits[i].t.job, work_split, job_done);
    }
    run_until(&l, &c.all_done);
    for (size_t i = 0; i < ARRAY_LEN(splits); i++)
        assert_int_equal(split_case_finish(&splits[i]), SPLIT_PARTS);
    pool_case_finish(&c);
    FINISH_LOOP(l);
}

static void
test_pool_split_is_helped(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct pool_case c;
    struct split_case split;
    pool_case_init(&c, &l, 2);
    split_case_init(&split, &c, 2);
    split.t.name = 'm';
    c.n_wanted = 1;
    pool_submit(c.pool, POOL_INTERACTIVE, &split.t.job, work_split, job_done);
    run_until(&l, &c.all_done);
    assert_true(split.of_hand[0] > 0 && split.of_hand[1] > 0);
    assert_int_equal(split_case_finish(&split), SPLIT_PARTS);
    pool_case_finish(&c);
    FINISH_LOOP(l);
}

/* All others are at work and one thread is all there is: neither is waited for. */
static void
test_pool_split_alone(UNUSED void **state)
{
    for (unsigned n_threads = 1; n_threads <= 2; n_threads++) {
        OPEN_LOOP(l);
        struct pool_case c;
        struct test_job blocker = {.c = &c};
        struct split_case split;
        pool_case_init(&c, &l, n_threads);
        split_case_init(&split, &c, 4);
        if (n_threads > 1) {
            pool_submit(c.pool, POOL_BULK, &blocker.job, work_wait, job_done);
            uv_sem_wait(&c.started);
        }
        c.n_wanted = 1;
        pool_submit(c.pool, POOL_INTERACTIVE, &split.t.job, work_split, job_done);
        run_until(&l, &c.all_done);
        assert_int_equal(split.of_hand[0], SPLIT_PARTS);
        assert_int_equal(split_case_finish(&split), SPLIT_PARTS);
        uv_sem_post(&c.go);
        pool_case_finish(&c);
        FINISH_LOOP(l);
    }
}

static void
test_pool_split_enough(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct pool_case c;
    struct split_case split, none;
    pool_case_init(&c, &l, 1);
    split_case_init(&split, &c, 2);
    split_case_init(&none, &c, 2);
    split.enough_at = 41;
    none.n_parts = 0;
    c.n_wanted = 2;
    pool_submit(c.pool, POOL_INTERACTIVE, &split.t.job, work_split, job_done);
    pool_submit(c.pool, POOL_INTERACTIVE, &none.t.job, work_split, job_done);
    run_until(&l, &c.all_done);
    assert_int_equal(split_case_finish(&split), 42);
    assert_int_equal(split_case_finish(&none), 0);
    pool_case_finish(&c);
    FINISH_LOOP(l);
}

static void
test_pool_close_delivers_all(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct pool_case c;
    pool_case_init(&c, &l, 2);
    struct test_job blockers[2] = {{.c = &c}, {.c = &c}};
    struct test_job waiting[10];
    for (size_t i = 0; i < 2; i++) {
        pool_submit(c.pool, i ? POOL_INTERACTIVE : POOL_BULK, &blockers[i].job, work_wait,
                    job_done);
        uv_sem_wait(&c.started);
    }
    for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
        waiting[i] = (struct test_job){.c = &c, .name = 'w'};
        pool_submit(c.pool, i % 2 ? POOL_BULK : POOL_INTERACTIVE, &waiting[i].job,
                    work_note, job_done);
    }
    pool_close(c.pool, note_closed, &c);
    assert_int_equal(c.n_done, 0);
    uv_sem_post(&c.go);
    uv_sem_post(&c.go);
    run_until(&l, &c.is_closed);
    assert_int_equal(c.n_done, 12);
    assert_int_equal(c.done_at_close, 12);
    assert_int_equal(c.n_cancelled, 10);
    assert_int_equal(c.n, 0);
    pool_case_finish(&c);
    FINISH_LOOP(l);
}

static void
work_count(struct pool_job *job, UNUSED unsigned worker)
{
    struct test_job *t = container_of(job, struct test_job, job);
    t->rounds++; // the pool's hand-over is the only protection
}

static void
done_again(struct pool_job *job, bool is_cancelled)
{
    struct test_job *t = container_of(job, struct test_job, job);
    if (t->rounds < 100 && !is_cancelled)
        pool_submit(t->c->pool, POOL_BULK, job, work_count, done_again);
    else
        job_done(job, is_cancelled);
}

static void
test_pool_resubmit_many(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct pool_case c;
    pool_case_init(&c, &l, 4);
    struct test_job jobs[50];
    c.n_wanted = ARRAY_LEN(jobs);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i] = (struct test_job){.c = &c};
        pool_submit(c.pool, POOL_INTERACTIVE, &jobs[i].job, work_count, done_again);
    }
    run_until(&l, &c.all_done);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        assert_int_equal(jobs[i].rounds, 100);
    pool_case_finish(&c);
    FINISH_LOOP(l);
}

static void
close_pool_in_done(struct pool_job *job, bool is_cancelled)
{
    struct test_job *t = container_of(job, struct test_job, job);
    job_done(job, is_cancelled);
    if (t->name == 'c')
        pool_close(t->c->pool, note_closed, t->c);
}

static void
test_pool_close_inside_done(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct pool_case c;
    pool_case_init(&c, &l, 2);
    struct test_job jobs[20];
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i] = (struct test_job){.c = &c, .name = i == 3 ? 'c' : 'n'};
        pool_submit(c.pool, POOL_BULK, &jobs[i].job, work_count, close_pool_in_done);
    }
    run_until(&l, &c.is_closed);
    assert_int_equal(c.n_done, ARRAY_LEN(jobs));
    pool_case_finish(&c);
    FINISH_LOOP(l);
}

struct test_item {
    struct queue_item item;
    int number;
};

static int
number_of(struct queue_item *item)
{
    return item ? container_of(item, struct test_item, item)->number : -1;
}

static void
test_queue_order(UNUSED void **state)
{
    struct queue *q = queue_create(4);
    struct test_item items[5] = {
        {.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
    for (size_t i = 0; i < 4; i++)
        assert_true(queue_push(q, &items[i].item, i >= 2));
    assert_int_equal(queue_depth(q), 4);
    assert_int_equal(number_of(queue_take(q, -1)), 2);
    assert_int_equal(number_of(queue_take(q, 0)),
                     3); // there: a deadline gone by does not matter
    queue_close(q);
    assert_false(queue_push(q, &items[4].item, true));
    assert_false(queue_is_drained(q));
    assert_int_equal(number_of(queue_take(q, -1)), 0);
    assert_int_equal(number_of(queue_try_take(q)), 1);
    assert_true(queue_is_drained(q));
    assert_null(queue_take(q, -1));
    assert_null(queue_try_take(q));
    queue_destroy(q);
    queue_destroy(NULL);
}

static void
test_queue_urgent(UNUSED void **state)
{
    struct queue *q = queue_create(3);
    struct test_item bulk = {.number = 0}, urgent = {.number = 1}, other = {.number = 2};
    assert_null(queue_try_take_urgent(q));
    assert_null(queue_try_take_normal(q));
    assert_true(queue_push(q, &other.item, false));
    assert_true(queue_push(q, &bulk.item, false));
    assert_false(queue_has_urgent(q));
    assert_null(queue_try_take_urgent(q));
    assert_true(queue_push(q, &urgent.item, true));
    assert_true(queue_has_urgent(q));
    queue_close(q);
    assert_int_equal(number_of(queue_try_take_normal(q)), 2);
    assert_int_equal(queue_depth(q), 2);
    assert_int_equal(number_of(queue_try_take_urgent(q)), 1);
    assert_false(queue_has_urgent(q));
    assert_null(queue_try_take_urgent(q));
    assert_int_equal(number_of(queue_try_take(q)), 0);
    assert_null(queue_try_take_normal(q));
    queue_destroy(q);
}

static void
test_queue_deadline(UNUSED void **state)
{
    struct queue *q = queue_create(1);
    assert_null(queue_try_take(q));
    int64_t deadline_ms = clock_mono_ms() + 20;
    assert_null(queue_take(q, deadline_ms));
    assert_true(clock_mono_ms() >= deadline_ms);
    queue_close(q);
    queue_destroy(q);
}

struct consumer {
    struct queue *q;
    uv_sem_t credits;
    int n, n_out_of_order;
};

static void
consume(void *ctx)
{
    struct consumer *c = ctx;
    for (struct queue_item *item; (item = queue_take(c->q, -1));) {
        if (number_of(item) != c->n)
            c->n_out_of_order++;
        c->n++;
        uv_sem_post(&c->credits);
    }
}

static void
test_queue_thread(UNUSED void **state)
{
    enum { N = 10000, CREDITS = 16 };
    struct consumer c = {.q = queue_create(CREDITS)};
    uv_sem_init(&c.credits, CREDITS);
    struct test_item *items = xcalloc(N, sizeof(*items));
    struct thread *t = thread_start("a name longer than the kernel's", consume, &c);
    for (int i = 0; i < N; i++) {
        items[i].number = i;
        uv_sem_wait(&c.credits);
        assert_true(queue_push(c.q, &items[i].item, false));
    }
    queue_close(c.q); // the consumer still takes what is in it
    thread_join(t);
    assert_int_equal(c.n, N);
    assert_int_equal(c.n_out_of_order, 0);
    queue_destroy(c.q);
    uv_sem_destroy(&c.credits);
    free(items);
}

static void
wait_closed(void *ctx)
{
    struct queue *q = ctx;
    assert_null(queue_take(q, -1));
}

enum { SENDERS = 8, MAILS_EACH = 2000 };

struct test_mail {
    struct mail mail;
    int sender, number;
};

struct mail_case {
    struct mailbox *mb;
    int next[SENDERS];
    int n, n_out_of_order;
    bool all_came;
    bool closes_on_first, closes_on_last;
};

struct sender {
    struct mail_case *c;
    struct test_mail *mails;
};

static void
note_mail(void *ctx, struct mail *mail)
{
    struct mail_case *c = ctx;
    struct test_mail *m = container_of(mail, struct test_mail, mail);
    if (m->number != c->next[m->sender]++)
        c->n_out_of_order++;
    if (++c->n == SENDERS * MAILS_EACH)
        c->all_came = true;
    if ((c->closes_on_first && c->n == 1) || (c->closes_on_last && c->all_came))
        mailbox_close(c->mb);
}

static void
send_all(void *ctx)
{
    struct sender *s = ctx;
    for (int i = 0; i < MAILS_EACH; i++)
        mailbox_post(s->c->mb, &s->mails[i].mail);
}

static void
start_senders(struct mail_case *c, struct sender *senders, struct thread **threads)
{
    for (int i = 0; i < SENDERS; i++) {
        senders[i].c = c;
        senders[i].mails = xcalloc(MAILS_EACH, sizeof(struct test_mail));
        for (int j = 0; j < MAILS_EACH; j++) {
            senders[i].mails[j].sender = i;
            senders[i].mails[j].number = j;
        }
        threads[i] = thread_start("sender", send_all, &senders[i]);
    }
}

/* With no descriptor left: the loop has what it needs of them since it began. */
static struct mailbox *
open_without_descriptor(struct loop *l, struct mail_case *c)
{
    struct rlimit was, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    none = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(open("/dev/null", O_RDONLY | O_CLOEXEC), -1);
    struct mailbox *mb = mailbox_open(l, note_mail, c);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    return mb;
}

static void
many_mails(bool has_descriptor)
{
    OPEN_LOOP(l);
    struct mail_case c = {0};
    struct sender senders[SENDERS];
    struct thread *threads[SENDERS];
    c.mb = has_descriptor ? mailbox_open(&l, note_mail, &c)
                          : open_without_descriptor(&l, &c);
    start_senders(&c, senders, threads);
    run_until(&l, &c.all_came);
    for (int i = 0; i < SENDERS; i++) {
        thread_join(threads[i]);
        free(senders[i].mails);
    }
    assert_int_equal(c.n_out_of_order, 0);
    mailbox_close(c.mb);
    mailbox_close(NULL);
    FINISH_LOOP(l);
    assert_int_equal(c.n, SENDERS * MAILS_EACH);
}

static void
test_mailbox_many(UNUSED void **state)
{
    many_mails(true);
}

static void
test_mailbox_without_descriptor(UNUSED void **state)
{
    many_mails(false);
}

/* The sender of the last mail may still be on its way out. */
static void
test_mailbox_close_at_last(UNUSED void **state)
{
    for (int round = 0; round < 20; round++) {
        OPEN_LOOP(l);
        struct mail_case c = {.closes_on_last = true};
        struct sender senders[SENDERS];
        struct thread *threads[SENDERS];
        c.mb = mailbox_open(&l, note_mail, &c);
        start_senders(&c, senders, threads);
        loop_run(&l);
        assert_int_equal(c.n, SENDERS * MAILS_EACH);
        FINISH_LOOP(l);
        for (int i = 0; i < SENDERS; i++) {
            thread_join(threads[i]);
            free(senders[i].mails);
        }
    }
}

static void
test_mailbox_close_delivers(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct mail_case c = {0};
    struct sender senders[SENDERS];
    struct thread *threads[SENDERS];
    c.mb = mailbox_open(&l, note_mail, &c);
    start_senders(&c, senders, threads);
    for (int i = 0; i < SENDERS; i++)
        thread_join(threads[i]);
    assert_int_equal(c.n, 0); // the loop did not run
    mailbox_close(c.mb);
    assert_int_equal(c.n, SENDERS * MAILS_EACH);
    assert_int_equal(c.n_out_of_order, 0);
    for (int i = 0; i < SENDERS; i++)
        free(senders[i].mails);
    FINISH_LOOP(l);
}

static void
post_three(void *ctx)
{
    struct sender *s = ctx;
    for (int i = 0; i < 3; i++)
        mailbox_post(s->c->mb, &s->mails[i].mail);
}

static void
test_mailbox_close_inside(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct mail_case c = {.closes_on_first = true};
    struct test_mail mails[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct sender s = {.c = &c, .mails = mails};
    c.mb = mailbox_open(&l, note_mail, &c);
    thread_join(thread_start("sender", post_three, &s));
    loop_run(&l);
    assert_int_equal(c.n, 3);
    assert_int_equal(c.n_out_of_order, 0);
    FINISH_LOOP(l);
}
