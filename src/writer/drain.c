/* The writer's thread: takes what is queued into one transaction, commits, posts the letter; when
 * nothing comes for a while it looks after the index. Invariant: a letter is posted only after COMMIT
 * returned, and a payload is dropped before its letter, so the thread holds no batch after a commit.
 * A transaction that fails is rolled back and its commands are tried one by one, so that only the bad
 * one fails. */
#define LOG_MODULE "writer"
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "writer/internal.h"

#define IDLE_MS 250 // of quiet before looking after the index
/* After hovers alone: while a server is asked they come all the time, and names of files that
 * wait for the text index are found by reading all of these (15 ms of 100,000 entities). */
#define IDLE_HOVERS_MS 20
#define PRUNE_EVERY_MS 60000
#define TEXT_STEP_ENTITIES_MIN 500
#define TEXT_STEP_SHORT_MS 25 // when something waits that is not urgent
#define TEXT_STEP_ENTITIES_MAX 24000
/* Batches are made by the workers and let go here, in between what lives longer: without this the heaps of
 * the workers grow with the run. */
#define GIVE_BACK_BYTES ((size_t)64 << 20)
#define PUT_OFF_MAX 8 // commits in a row without a look at the log
#define BACKOFF_MS 10 // the first one; each next is four times as long

void
command_drop_payload(struct command *c)
{
    switch (c->kind) {
    case COMMAND_PUT_FILE: batch_destroy(steal(c->u.batch)); break;
    case COMMAND_DELETE_FILE: free(steal(c->u.path)); break;
    case COMMAND_PUT_HOVERS: hover_batch_destroy(steal(c->u.hovers)); break;
    case COMMAND_EXPIRE: free(steal(c->u.expire.lang)); break;
    case COMMAND_PUT_EVENT:
        free(steal(c->u.event.subject));
        free(steal(c->u.event.data));
        break;
    case COMMAND_REPLAY: dead_letter_destroy(steal(c->u.replay)); break;
    case COMMAND_PUT_JOB:
        job_destroy(steal(c->u.job.put));
        free(steal(c->u.job.drop));
        free(steal(c->u.job.data));
        break;
    case COMMAND_PUT_ENTITIES: // its pusher's
    case COMMAND_KEEP:         // the loop looks at it when it is back
    case COMMAND_FLUSH: break;
    }
}

static int
keep(struct drain *d, struct command *c)
{
    int r = 0;
    list_for_each (it, &c->u.keep.put)
        if (r == 0)
            r = store_put_letter(d->store, list_entry(it, struct dead_letter, link));
    for (size_t i = 0; i < c->u.keep.drop.n && r == 0; i++)
        r = store_drop_letter(d->store, c->u.keep.drop.v[i]);
    return r;
}

static int
expire(struct drain *d, struct command *c)
{
    uint64_t n = 0;
    int r = store_expire_hovers(d->store, str_of(c->u.expire.lang),
                                c->u.expire.server_key, &n);
    c->r = r == 0 && n > 0;
    return r;
}

static int
put_job(struct drain *d, struct command *c)
{
    const struct job *job = c->u.job.put;
    if (!job)
        return store_drop_job(d->store, str_of(c->u.job.drop));
    int r = store_put_job(d->store, job);
    if (r == 0 && c->u.job.data)
        r = store_put_event(d->store, c->u.job.type, str_of(job->id),
                            str_slice(c->u.job.data, c->u.job.data_n), &c->told);
    return r;
}

static int
do_command(struct drain *d, struct command *c)
{
    switch (c->kind) {
    case COMMAND_PUT_FILE:
        store_be_brief(d->store, d->n_bulk >= WRITER_BULK_FILES);
        return store_put_file(d->store, c->u.batch, &c->told);
    case COMMAND_DELETE_FILE:
        return store_delete_file(d->store, str_of(c->u.path), &c->told);
    case COMMAND_PUT_HOVERS: return store_put_hovers(d->store, c->u.hovers, &c->told);
    case COMMAND_EXPIRE: return expire(d, c);
    case COMMAND_PUT_EVENT:
        return store_put_event(d->store, c->u.event.type,
                               str_slice(c->u.event.subject, c->u.event.subject_n),
                               str_slice(c->u.event.data, c->u.event.data_n), &c->told);
    case COMMAND_PUT_ENTITIES: return store_put_entities(d->store, c->u.ingest);
    case COMMAND_REPLAY: return store_replay_letter(d->store, c->u.replay, &c->told);
    case COMMAND_PUT_JOB: return put_job(d, c);
    case COMMAND_KEEP: return keep(d, c);
    case COMMAND_FLUSH: break;
    }
    return 0;
}

/* What it makes good is good with it, or not at all. */
static int
apply(struct drain *d, struct command *c)
{
    int r = do_command(d, c);
    return r == 0 && c->letter_id > 0 ? store_drop_letter(d->store, c->letter_id) : r;
}

static size_t
entities_of(const struct command *c)
{
    switch (c->kind) {
    case COMMAND_PUT_FILE: return 1 + c->u.batch->n_entities;
    case COMMAND_PUT_HOVERS: return 1 + c->u.hovers->n_answers;
    case COMMAND_PUT_ENTITIES: return 1 + c->u.ingest->n;
    case COMMAND_DELETE_FILE:
    case COMMAND_EXPIRE:
    case COMMAND_PUT_EVENT:
    case COMMAND_REPLAY:
    case COMMAND_PUT_JOB:
    case COMMAND_KEEP:
    case COMMAND_FLUSH: break;
    }
    return 1;
}

static size_t
bytes_of(const struct command *c)
{
    switch (c->kind) {
    case COMMAND_PUT_FILE: return c->u.batch->arena.total_bytes;
    case COMMAND_PUT_HOVERS: return c->u.hovers->arena.total_bytes;
    case COMMAND_PUT_EVENT: return c->u.event.data_n;
    case COMMAND_PUT_ENTITIES: return ingest_batch_bytes(c->u.ingest);
    case COMMAND_REPLAY: return c->u.replay->payload.n;
    case COMMAND_PUT_JOB:
        return c->u.job.put && c->u.job.put->request ? strlen(c->u.job.put->request) : 0;
    case COMMAND_DELETE_FILE:
    case COMMAND_EXPIRE:
    case COMMAND_KEEP:
    case COMMAND_FLUSH: break;
    }
    return 0;
}

/* ---- letters ---- */

static struct letter *
letter_create(enum letter_kind kind)
{
    struct letter *letter = xnew(struct letter);
    list_init(&letter->mail.link);
    list_init(&letter->commands);
    list_init(&letter->dead);
    list_init(&letter->jobs);
    letter->kind = kind;
    return letter;
}

static int64_t
now_us(void)
{
    return clock_mono_ns() / 1000;
}

static void
post_one(struct drain *d, struct command *c, int r, uint64_t commit_us,
         uint64_t n_retries)
{
    struct letter *letter = letter_create(LETTER_COMMIT);
    if (r < 0)
        c->r = r;
    if (r < 0 && c->kind == COMMAND_PUT_ENTITIES)
        ingest_batch_reset(c->u.ingest); // nothing of it happened
    if (r < 0 && d->store)
        c->dead = command_dead_letter(c, r);
    if (d->store)
        store_gauges(d->store, &letter->gauges);
    c->latency_us = now_us() - c->pushed_us;
    letter->commit_us = commit_us;
    letter->n_retries = n_retries;
    letter->cause = WRITER_EMPTY;
    list_add(&letter->commands, &c->link);
    command_drop_payload(c);
    mailbox_post(d->mailbox, &letter->mail);
}

static void
post_group(struct drain *d, uint64_t commit_us, enum writer_cause cause)
{
    struct letter *letter = letter_create(LETTER_COMMIT);
    int64_t end_us = now_us();
    store_gauges(d->store, &letter->gauges);
    letter->commit_us = commit_us;
    letter->cause = cause;
    list_for_each (it, &d->group) {
        struct command *c = list_entry(it, struct command, link);
        c->latency_us = end_us - c->pushed_us;
        command_drop_payload(c);
    }
    list_splice(&letter->commands, &d->group);
    mailbox_post(d->mailbox, &letter->mail);
}

static void
post_gauges(struct drain *d)
{
    struct letter *letter = letter_create(LETTER_GAUGES);
    store_gauges(d->store, &letter->gauges);
    mailbox_post(d->mailbox, &letter->mail);
}

/* ---- transactions ---- */

static int
commit(struct drain *d, uint64_t *ret_us)
{
    int64_t begin_ns = clock_mono_ns();
    int r = store_commit(d->store);
    *ret_us = MAX((uint64_t)(clock_mono_ns() - begin_ns) / 1000, 1u);
    return r;
}

static int
try_one(struct drain *d, struct command *c, uint64_t *ret_us)
{
    int r = store_begin(d->store);
    if (r == 0)
        r = apply(d, c);
    if (r == 0)
        r = commit(d, ret_us);
    if (r == 0)
        return 0;
    store_rollback(d->store);
    event_unref(steal(c->told));
    *ret_us = 0;
    return r;
}

static void
back_off(unsigned n_tries)
{
    int64_t ms = (int64_t)BACKOFF_MS << (2 * n_tries);
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

static void
do_one(struct drain *d, struct command *c)
{
    uint64_t us = 0;
    unsigned n_tries = 0;
    int r = try_one(d, c, &us);
    while ((r == -EBUSY || r == -EIO) && n_tries < WRITER_RETRIES && !d->is_failing) {
        back_off(n_tries++);
        r = try_one(d, c, &us);
    }
    d->is_failing = r == -EBUSY || r == -EIO;
    post_one(d, c, r, us, n_tries);
}

/* What the group did is undone; each of its commands for itself. */
static void
do_one_by_one(struct drain *d)
{
    store_rollback(d->store);
    list_for_each_safe (it, &d->group) {
        struct command *c = list_entry(it, struct command, link);
        list_remove(&c->link);
        event_unref(steal(c->told));
        do_one(d, c);
    }
}

static struct command *
command_of(struct queue_item *item)
{
    return item ? container_of(item, struct command, item) : NULL;
}

/* Nobody waits for a file of a walk but those who wait for all of them, and they say so by a flush.
 * An fsync costs what a hundred files cost. */
static void
count_bulk(struct drain *d, const struct command *c)
{
    switch (c->kind) {
    case COMMAND_PUT_FILE:
    case COMMAND_DELETE_FILE: d->n_bulk = c->is_urgent ? 0 : d->n_bulk + 1; break;
    case COMMAND_PUT_HOVERS:
    case COMMAND_EXPIRE:
    case COMMAND_PUT_EVENT:
    case COMMAND_PUT_ENTITIES:
    case COMMAND_REPLAY:
    case COMMAND_PUT_JOB:
    case COMMAND_FLUSH: d->n_bulk = 0; break;
    case COMMAND_KEEP: break;
    }
}

struct group_size {
    size_t entities, bytes;
    int64_t begin_ms; // once BEGIN is done: it may have waited for another process
    bool is_urgent;
    bool is_urgent_alone;
    bool is_turn;    // of what is not urgent, see take_turn()
    bool is_awaited; // a flush is in it: more may join, but is not waited for
};

/* A stream of urgent commands that does not end would keep the others waiting for ever. */
static struct command *
take_turn(struct drain *d)
{
    if (d->n_urgent < WRITER_URGENT_IN_A_ROW)
        return NULL;
    struct command *c = command_of(queue_try_take_normal(d->queue));
    if (!c)
        d->n_urgent = 0; // none waits
    return c;
}

/* While it is their turn the others come first, for a moment: what is urgent waits for them. */
static struct command *
next_of_turn(struct drain *d, const struct group_size *size)
{
    if (!size->is_turn || size->is_urgent ||
        clock_mono_ms() - size->begin_ms >= WRITER_TURN_MS)
        return NULL;
    return command_of(queue_try_take_normal(d->queue));
}

/* NULL: no more, *ret_cause says why. Behind an urgent one come only others like it: a large file takes
 * as long as its commit, and a load must not wait for its next file with somebody's change in hand. */
static struct command *
next_of_group(struct drain *d, const struct group_size *size,
              enum writer_cause *ret_cause)
{
    struct command *c = next_of_turn(d, size);
    if (!c)
        c = command_of(size->is_urgent ? queue_try_take_urgent(d->queue)
                                       : queue_try_take(d->queue));
    *ret_cause = size->is_awaited ? WRITER_FLUSHED : WRITER_EMPTY;
    if (c || size->is_urgent || size->is_awaited || d->n_bulk < WRITER_BULK_FILES)
        return c;
    c = command_of(queue_take(d->queue, size->begin_ms + WRITER_BATCH_MS));
    if (!c && !queue_is_drained(d->queue))
        *ret_cause = WRITER_FULL_TIME;
    return c;
}

static bool
is_full(const struct group_size *size, enum writer_cause *ret_cause)
{
    int64_t ms = clock_mono_ms() - size->begin_ms;
    size_t entities_max =
        size->is_urgent ? WRITER_URGENT_ENTITIES : WRITER_BATCH_ENTITIES;
    if (size->entities >= entities_max)
        *ret_cause = WRITER_FULL_ENTITIES;
    else if (!size->is_urgent && size->bytes >= WRITER_BATCH_BYTES)
        *ret_cause = WRITER_FULL_BYTES;
    else if (ms >= (size->is_urgent ? WRITER_URGENT_MS : WRITER_BATCH_MS))
        *ret_cause = WRITER_FULL_TIME;
    else
        return false;
    return true;
}

static void
checkpoint(struct drain *d, bool is_idle)
{
    int r = store_checkpoint(d->store, is_idle);
    if (r < 0)
        log_warn("checkpoint: %s", err_text(r));
}

/* A checkpoint takes longer than a small commit, so it lets those pass that somebody waits for, but not for
 * ever: the log grows meanwhile. */
static bool
is_put_off(struct drain *d)
{
    bool is = d->n_put_off < PUT_OFF_MAX && queue_has_urgent(d->queue);
    d->n_put_off = is ? d->n_put_off + 1 : 0;
    return is;
}

/* After a commit. */
static void
tidy(struct drain *d)
{
    if (is_put_off(d))
        return;
    checkpoint(d, false);
    if (d->let_go_bytes >= GIVE_BACK_BYTES) {
        d->let_go_bytes = 0;
        mem_give_back();
    }
}

/* One drain: from this command on until nothing is there to take or a limit is reached. */
static void
do_group(struct drain *d, struct command *c)
{
    struct group_size size = {.is_urgent_alone = true,
                              .is_turn = d->n_urgent >= WRITER_URGENT_IN_A_ROW};
    enum writer_cause cause = WRITER_EMPTY;
    uint64_t us = 0;
    int r = store_begin(d->store);
    size.begin_ms = clock_mono_ms();
    d->is_hovers_only = true;
    while (c) {
        list_add(&d->group, &c->link);
        c->wait_us = now_us() - c->pushed_us;
        d->is_hovers_only &= c->kind == COMMAND_PUT_HOVERS;
        size.entities += entities_of(c);
        size.bytes += bytes_of(c);
        size.is_urgent |= c->is_urgent;
        size.is_urgent_alone &= c->is_urgent;
        size.is_awaited |= c->kind == COMMAND_FLUSH;
        count_bulk(d, c);
        if (r == 0)
            r = apply(d, c);
        c = r < 0 || is_full(&size, &cause) ? NULL : next_of_group(d, &size, &cause);
    }
    if (r == 0)
        r = commit(d, &us);
    if (r == 0)
        post_group(d, us, cause);
    else
        do_one_by_one(d);
    d->n_urgent = size.is_urgent_alone ? d->n_urgent + 1 : 0;
    d->is_text_waiting = true;
    d->let_go_bytes += size.bytes;
    tidy(d);
}

/* ---- when nothing comes ---- */

static bool
maintain_step(struct drain *d, int (*step)(struct drain *d, bool *ret_more),
              const char *what)
{
    bool more = false;
    int r = store_begin(d->store);
    if (r == 0)
        r = step(d, &more);
    if (r == 0)
        r = store_commit(d->store);
    if (r == 0)
        return more;
    store_rollback(d->store);
    log_warn("%s: %s", what, err_text(r));
    return false;
}

static int
prune(struct drain *d, bool *ret_more)
{
    return store_prune(d->store, clock_wall_ms(), ret_more);
}

size_t
writer_text_step(size_t n_entities, int64_t took_ns)
{
    double wanted =
        (double)n_entities * WRITER_TEXT_STEP_MS * 1e6 / (double)MAX(took_ns, 1);
    double most = MIN(2.0 * (double)n_entities, TEXT_STEP_ENTITIES_MAX);
    return (size_t)MAX(MIN(wanted, most), TEXT_STEP_ENTITIES_MIN);
}

/* Who is urgent waits until the file, what is gathered so far, and one piece of a merge are written; others
 * for a step that is worth its transaction. */
static bool
is_wanted(void *ctx)
{
    struct drain *d = ctx;
    d->is_text_cut |= queue_has_urgent(d->queue) || queue_is_drained(d->queue) ||
                      (queue_depth(d->queue) > 0 &&
                       clock_mono_ns() - d->text_began_ns > TEXT_STEP_SHORT_MS * 1000000);
    return d->is_text_cut;
}

static int
index_text(struct drain *d, bool *ret_more)
{
    d->text_began_ns = clock_mono_ns();
    d->is_text_cut = false;
    int r = store_index_text(d->store, d->text_step, ret_more);
    if (r == 0 && *ret_more && !d->is_text_cut)
        d->text_step = writer_text_step(d->text_step, clock_mono_ns() - d->text_began_ns);
    return r;
}

/* One short step; true when there is another one to do. */
static bool
maintain(struct drain *d)
{
    if (clock_mono_ms() >= d->prune_at_ms) {
        if (!maintain_step(d, prune, "prune")) {
            d->prune_at_ms = clock_mono_ms() + PRUNE_EVERY_MS;
            checkpoint(d, !d->is_text_waiting); // a reader may have let go of the log
        }
        return true;
    }
    if (d->is_text_waiting) {
        d->is_text_waiting = maintain_step(d, index_text, "text index");
        if (!is_put_off(d))
            checkpoint(d, !d->is_text_waiting);
        if (!d->is_text_waiting)
            post_gauges(d);
        return d->is_text_waiting;
    }
    return false;
}

/* The next command; NULL when the queue is closed and empty. */
static struct command *
next_command(struct drain *d)
{
    bool is_quiet = false;
    for (;;) {
        struct command *c = take_turn(d);
        if (!c)
            c = command_of(queue_try_take(d->queue));
        if (c || queue_is_drained(d->queue))
            return c;
        if (is_quiet && maintain(d))
            continue;
        int64_t wait_ms = is_quiet            ? PRUNE_EVERY_MS
                          : d->is_hovers_only ? IDLE_HOVERS_MS
                                              : IDLE_MS;
        c = command_of(queue_take(d->queue, clock_mono_ms() + wait_ms));
        if (c)
            return c;
        is_quiet = true;
        d->n_bulk = 0;
    }
}

static int
add_letter(void *ctx, struct dead_letter *letter)
{
    list_add(ctx, &letter->link);
    return 0;
}

static int
add_job(void *ctx, struct job *job)
{
    list_add(ctx, &job->link);
    return 0;
}

static void
open_store(struct drain *d)
{
    struct letter *letter = letter_create(LETTER_OPEN);
    letter->r = d->open_r =
        store_writer_open(d->url, d->root, &d->store, &letter->info, &letter->why);
    if (d->open_r == 0 && d->maker)
        letter->r = d->open_r = store_set_maker(d->store, str_of(d->maker));
    if (d->open_r < 0) {
        store_writer_close(steal(d->store));
    } else {
        store_set_wanted(d->store, is_wanted, d);
        store_gauges(d->store, &letter->gauges);
        int r = store_each_letter(d->store, add_letter, &letter->dead);
        if (r < 0)
            log_warn("dead letters: %s", err_text(r));
        r = store_each_job(d->store, add_job, &letter->jobs);
        if (r < 0)
            log_warn("jobs: %s", err_text(r));
    }
    mailbox_post(d->mailbox, &letter->mail);
}

void
drain_main(void *ctx)
{
    struct drain *d = ctx;
    struct command *c = NULL;
    list_init(&d->group);
    open_store(d);
    if (d->open_r < 0) {
        while ((c = command_of(queue_take(d->queue, -1))))
            post_one(d, c, d->open_r, 0, 0);
    } else {
        d->is_text_waiting = true;
        while ((c = next_command(d)))
            do_group(d, c);
        if (!d->is_failing)
            maintain_step(d, prune, "prune"); // a short run is never idle
        store_writer_close(d->store);
    }
    mailbox_post(d->mailbox, &letter_create(LETTER_END)->mail);
}
