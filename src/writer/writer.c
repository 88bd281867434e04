/* The loop's side: commands in, letters out. Invariant: every command comes back exactly once, in a
 * letter, and its completion runs after on_commit has shown the events of its transaction. */
#include "writer/internal.h"

#include "base/clock.h"
#include "base/mem.h"

struct writer {
    struct loop *loop;
    struct queue *queue;
    struct mailbox *mailbox;
    struct thread *thread;
    struct drain drain; // the thread's while it runs
    struct writer_events events;
    void *ctx;
    struct writer_stats stats;
    struct letters letters;
    struct list jobs; // of the open, until somebody takes them
    bool is_closing;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

static void
add_events(const struct command *c, struct event **events, size_t *n)
{
    if (c->told)
        events[(*n)++] = c->told;
    for (size_t i = 0; c->kind == COMMAND_PUT_ENTITIES && i < c->u.ingest->n_events; i++)
        events[(*n)++] = c->u.ingest->events[i];
}

/* A file's own event names it; where there is none something may have changed all the same, such as hovers that
 * became stale. */
static bool
is_told(const struct command *c)
{
    switch (c->kind) {
    case COMMAND_PUT_FILE:
    case COMMAND_DELETE_FILE:
    case COMMAND_PUT_HOVERS: return c->r < 0 || c->told;
    case COMMAND_EXPIRE: return c->r <= 0;
    case COMMAND_PUT_ENTITIES:
    case COMMAND_REPLAY: return false;
    case COMMAND_PUT_EVENT:
    case COMMAND_PUT_JOB:
    case COMMAND_KEEP:
    case COMMAND_FLUSH: break;
    }
    return true;
}

static void
tell_commit(struct writer *w, const struct letter *letter)
{
    struct event **events = NULL;
    size_t n = 0, n_max = 0;
    bool is_all_told = true;
    list_for_each (it, &letter->commands) {
        const struct command *c = list_entry(it, struct command, link);
        n_max += 1 + (c->kind == COMMAND_PUT_ENTITIES ? c->u.ingest->n_events : 0);
    }
    events = xcalloc(n_max + 1, sizeof(struct event *));
    list_for_each (it, &letter->commands)
        add_events(list_entry(it, struct command, link), events, &n);
    list_for_each (it, &letter->commands)
        is_all_told &= is_told(list_entry(it, struct command, link));
    if (n > 0)
        w->stats.head = events[n - 1]->seq;
    if ((n > 0 || letter->commit_us > 0) && w->events.on_commit)
        w->events.on_commit(w->ctx, events, n, is_all_told);
    free(events);
}

static void
count_commit(struct writer_stats *s, const struct letter *letter)
{
    s->retries += letter->n_retries;
    if (letter->commit_us == 0)
        return;
    s->commits++;
    s->commit_us_total += letter->commit_us;
    s->commit_us_max = MAX(s->commit_us_max, letter->commit_us);
    s->causes[letter->cause]++;
    histogram_add(&s->commit, letter->commit_us);
}

/* A flush only waits, and what the writer tells itself is nobody's. */
static void
count_command(struct writer_stats *s, const struct command *c)
{
    struct writer_lane *lane = c->is_urgent ? &s->interactive : &s->bulk;
    s->commands += c->kind != COMMAND_KEEP;
    s->failed += c->r < 0 && c->kind != COMMAND_KEEP;
    if (c->r < 0 || c->kind == COMMAND_FLUSH || c->kind == COMMAND_KEEP)
        return;
    s->letters_replayed += c->kind == COMMAND_REPLAY;
    histogram_add(&lane->wait, (uint64_t)MAX(c->wait_us, 0));
    histogram_add(&lane->latency, (uint64_t)MAX(c->latency_us, 0));
}

static struct command *command_create(enum command_kind kind, writer_done_fn done,
                                      void *ctx);
static void push(struct writer *w, struct command *c, bool is_urgent);

/* What of the dead letters the index does not have yet. */
static void
keep_letters(struct writer *w)
{
    struct command *c;
    if (w->is_closing)
        return;
    c = command_create(COMMAND_KEEP, NULL, NULL);
    if (letters_take(&w->letters, c))
        push(w, c, false);
    else
        free(c);
}

static void
command_destroy(struct command *c)
{
    if (c->kind == COMMAND_KEEP) {
        list_for_each_safe (it, &c->u.keep.put)
            dead_letter_destroy(list_entry(it, struct dead_letter, link));
        vec_finish(&c->u.keep.drop);
    }
    dead_letter_destroy(c->dead);
    event_unref(c->told);
    free(c);
}

static void
note_letter(struct writer *w, struct command *c)
{
    if (c->kind == COMMAND_KEEP)
        letters_kept(&w->letters, c);
    if (c->dead)
        letters_add(&w->letters, c->dead,
                    letters_of(&w->letters, c->dead->what, c->dead->path));
    if (c->letter_id > 0 && c->r >= 0)
        letters_remove(&w->letters, c->letter_id);
    else if (c->letter_id > 0)
        letters_stay(&w->letters, c->letter_id);
    c->dead = NULL;
}

static void
take_commit(struct writer *w, struct letter *letter)
{
    count_commit(&w->stats, letter);
    w->stats.gauges = letter->gauges;
    tell_commit(w, letter);
    list_for_each (it, &letter->commands)
        note_letter(w, list_entry(it, struct command, link));
    list_for_each_safe (it, &letter->commands) {
        struct command *c = list_entry(it, struct command, link);
        list_remove(&c->link);
        if (letter->commit_us > 0 && c->kind != COMMAND_KEEP)
            w->letters.is_waiting = false;
        count_command(&w->stats, c);
        if (c->done)
            c->done(c->ctx, c->r, c->told);
        command_destroy(c);
    }
    keep_letters(w);
}

/* The thread has posted its last letter. */
static void
finish(void *ctx)
{
    struct writer *w = ctx;
    void (*on_closed)(void *ctx) = w->on_closed;
    void *closed_ctx = w->closed_ctx;
    thread_join(w->thread);
    mailbox_close(w->mailbox);
    queue_destroy(w->queue);
    letters_finish(&w->letters);
    list_for_each_safe (it, &w->jobs)
        job_destroy(list_entry(it, struct job, link));
    free(w->drain.url);
    free(w->drain.root);
    free(w->drain.maker);
    free(w);
    if (on_closed)
        on_closed(closed_ctx);
}

static void
on_mail(void *ctx, struct mail *mail)
{
    struct writer *w = ctx;
    struct letter *letter = container_of(mail, struct letter, mail);
    switch (letter->kind) {
    case LETTER_OPEN:
        w->stats.head = letter->info.head;
        w->stats.gauges = letter->gauges;
        letters_open(&w->letters, &letter->dead);
        list_splice(&w->jobs, &letter->jobs);
        if (w->events.on_open)
            w->events.on_open(w->ctx, letter->r, letter->r < 0 ? NULL : &letter->info,
                              letter->why);
        break;
    case LETTER_COMMIT: take_commit(w, letter); break;
    case LETTER_GAUGES: w->stats.gauges = letter->gauges; break;
    case LETTER_END: loop_defer(w->loop, finish, w); break;
    }
    free(letter->why);
    free(letter);
}

struct writer *
writer_open(struct loop *l, const char *url, const char *root, const char *maker,
            const struct writer_events *events, void *ctx)
{
    ASSERT_LOOP();
    struct writer *w = xnew(struct writer);
    w->loop = l;
    w->events = *events;
    w->ctx = ctx;
    letters_init(&w->letters);
    list_init(&w->jobs);
    w->queue = queue_create(WRITER_QUEUE_CAPACITY);
    w->mailbox = mailbox_open(l, on_mail, w);
    w->drain = (struct drain){.queue = w->queue,
                              .text_step = WRITER_TEXT_STEP_ENTITIES,
                              .mailbox = w->mailbox,
                              .url = xstrdup(url),
                              .root = root ? xstrdup(root) : NULL,
                              .maker = maker ? xstrdup(maker) : NULL};
    w->thread = thread_start("writer", drain_main, &w->drain);
    return w;
}

void
writer_leave_processor(struct writer *w, bool is_left)
{
    ASSERT_LOOP();
    queue_leave_processor(w->queue, is_left);
}

static struct command *
command_create(enum command_kind kind, writer_done_fn done, void *ctx)
{
    struct command *c = xnew(struct command);
    list_init(&c->item.link);
    list_init(&c->link);
    c->kind = kind;
    c->done = done;
    c->ctx = ctx;
    return c;
}

static void
push(struct writer *w, struct command *c, bool is_urgent)
{
    ASSERT_LOOP();
    assert(!w->is_closing);
    c->is_urgent = is_urgent;
    c->pushed_us = clock_mono_ns() / 1000;
    bool is_taken = queue_push(w->queue, &c->item, is_urgent);
    assert(is_taken);
    (void)is_taken;
    w->stats.depth_max = MAX(w->stats.depth_max, queue_depth(w->queue));
}

void
writer_put_file(struct writer *w, struct batch *batch, bool is_urgent,
                writer_done_fn done, void *ctx)
{
    struct command *c = command_create(COMMAND_PUT_FILE, done, ctx);
    c->u.batch = batch;
    c->letter_id = letters_try(&w->letters, DEAD_PUT_FILE, batch->file.path);
    push(w, c, is_urgent);
}

void
writer_delete_file(struct writer *w, struct str path, writer_done_fn done, void *ctx)
{
    struct command *c = command_create(COMMAND_DELETE_FILE, done, ctx);
    c->u.path = str_dup(path);
    c->letter_id = letters_try(&w->letters, DEAD_DELETE_FILE, path);
    push(w, c, false);
}

void
writer_put_hovers(struct writer *w, struct hover_batch *hovers, writer_done_fn done,
                  void *ctx)
{
    struct command *c = command_create(COMMAND_PUT_HOVERS, done, ctx);
    c->u.hovers = hovers;
    push(w, c, false);
}

void
writer_put_event(struct writer *w, enum event_type type, struct str subject,
                 struct str data, bool is_urgent, writer_done_fn done, void *ctx)
{
    struct command *c = command_create(COMMAND_PUT_EVENT, done, ctx);
    c->u.event.type = type;
    c->u.event.subject = str_dup(subject);
    c->u.event.subject_n = subject.n;
    c->u.event.data = str_dup(data);
    c->u.event.data_n = data.n;
    push(w, c, is_urgent);
}

void
writer_put_entities(struct writer *w, struct ingest_batch *batch, bool is_urgent,
                    writer_done_fn done, void *ctx)
{
    struct command *c = command_create(COMMAND_PUT_ENTITIES, done, ctx);
    c->u.ingest = batch;
    push(w, c, is_urgent);
}

void
writer_expire_hovers(struct writer *w, struct str lang, uint64_t server_key,
                     writer_done_fn done, void *ctx)
{
    struct command *c = command_create(COMMAND_EXPIRE, done, ctx);
    c->u.expire.lang = str_dup(lang);
    c->u.expire.server_key = server_key;
    c->letter_id = letters_try(&w->letters, DEAD_EXPIRE_HOVERS, lang);
    push(w, c, false);
}

void
writer_put_job(struct writer *w, struct job *job, enum event_type type, struct str data,
               writer_done_fn done, void *ctx)
{
    struct command *c = command_create(COMMAND_PUT_JOB, done, ctx);
    c->u.job.put = job;
    c->u.job.type = type;
    c->u.job.data = data.n > 0 ? str_dup(data) : NULL;
    c->u.job.data_n = data.n;
    push(w, c, true);
}

void
writer_drop_job(struct writer *w, struct str id)
{
    struct command *c = command_create(COMMAND_PUT_JOB, NULL, NULL);
    c->u.job.drop = str_dup(id);
    push(w, c, false);
}

void
writer_take_jobs(struct writer *w, struct list *jobs)
{
    list_splice(jobs, &w->jobs);
}

void
writer_flush(struct writer *w, writer_done_fn done, void *ctx)
{
    push(w, command_create(COMMAND_FLUSH, done, ctx), false);
}

struct writer_stats
writer_stats(const struct writer *w)
{
    struct writer_stats s = w->stats;
    s.depth = queue_depth(w->queue);
    s.letters = w->letters.n;
    s.letters_bytes = w->letters.n_bytes;
    s.letters_in_memory = w->letters.n - w->letters.n_kept;
    s.letters_dropped = w->letters.n_dropped;
    return s;
}

const char *
writer_cause_name(enum writer_cause cause)
{
    static const char *const names[WRITER_CAUSE_COUNT] = {
        [WRITER_FULL_ENTITIES] = "entities", [WRITER_FULL_BYTES] = "bytes",
        [WRITER_FULL_TIME] = "time",         [WRITER_EMPTY] = "empty",
        [WRITER_FLUSHED] = "flush",
    };
    assert((unsigned)cause < WRITER_CAUSE_COUNT);
    return names[cause];
}

const struct dead_letter *
writer_letter_at(const struct writer *w, size_t index)
{
    for (const struct list *it = w->letters.all.prev; it != &w->letters.all;
         it = it->prev)
        if (index-- == 0)
            return list_entry(it, const struct dead_letter, link);
    return NULL;
}

int
writer_replay(struct writer *w, int64_t id, writer_done_fn done, void *ctx)
{
    struct dead_letter *letter = letters_find(&w->letters, id);
    struct command *c;
    if (!letter)
        return -ENOENT;
    if (letter->n_tries > 0)
        return -EALREADY;
    letter->n_tries++;
    c = command_create(COMMAND_REPLAY, done, ctx);
    c->u.replay = dead_letter_copy(letter);
    c->letter_id = id;
    push(w, c, false);
    return 0;
}

void
writer_close(struct writer *w, void (*on_closed)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    assert(!w->is_closing);
    w->letters.is_waiting = false; // the last time to try
    keep_letters(w);
    w->is_closing = true;
    w->on_closed = on_closed;
    w->closed_ctx = ctx;
    queue_close(w->queue);
}
