/* One file's way: opened, all its hovers asked for together, asked again where the
 * answer may be premature, closed, handed over. Invariants: an ask becomes final once; a
 * task is in exactly one list; its file is open at the server only while it runs.
 *
 * Asking goes in rounds. A null is repeated in the next one and counts when it comes
 * twice; an answer the client calls provisional waits for a pause, or for the server to
 * say that it is ready. When a deadline passes before the file had any answer, the
 * server is still loading it: then one hover at a time probes, so that a slow start
 * costs time and not answers. */
#include "enrich/internal.h"

#include "base/clock.h"
#include "base/mem.h"

struct task *
task_create(struct enrich *e, struct enrich_job *job)
{
    struct task *t = xnew(struct task);
    struct hover_batch *b = xnew(struct hover_batch);
    list_init(&t->link);
    t->job = job;
    t->batch = b;
    t->asks = xcalloc(MAX(job->n_targets, (size_t)1), sizeof(*t->asks));
    b->arena = job->arena; // with the keys
    job->arena = (struct arena){0};
    b->path = arena_cstr(&b->arena, job->path);
    b->content = job->content;
    b->n_answers = job->n_targets;
    b->answers =
        arena_calloc(&b->arena, MAX(job->n_targets, (size_t)1), sizeof(*b->answers));
    for (size_t i = 0; i < job->n_targets; i++) {
        t->asks[i].task = t;
        b->answers[i].key = job->targets[i].key;
        b->answers[i].hover.reason = HOVER_REASON_NOT_ASKED;
    }
    e->n_tasks++;
    return t;
}

void
task_destroy(struct task *t)
{
    if (!t)
        return;
    list_remove(&t->link);
    hover_batch_destroy(t->batch);
    enrich_job_destroy(t->job);
    free(t->asks);
    free(t);
}

bool
task_is_settled(const struct task *t)
{
    return t->n_final == t->batch->n_answers;
}

static void
settle_ask(struct ask *a, const struct hover *hover)
{
    struct task *t = a->task;
    struct hover *to = &t->batch->answers[a - t->asks].hover;
    *to = *hover;
    to->markdown = arena_str(&t->batch->arena, hover->markdown);
    to->server =
        hover->server.n > 0 ? arena_str(&t->batch->arena, hover->server) : STR_NONE;
    if (t->server)
        t->batch->server_key = t->server->key;
    a->state = ASK_FINAL;
    t->n_final++;
}

static void
settle_ask_unknown(struct ask *a, enum hover_reason reason)
{
    struct hover hover = {.reason = reason};
    if (a->task->server)
        hover.server = str_of(a->task->server->spec.name);
    settle_ask(a, &hover);
}

void
task_settle(struct task *t, enum hover_reason reason)
{
    for (size_t i = 0; i < t->batch->n_answers; i++) {
        if (t->asks[i].state != ASK_FINAL && t->asks[i].state != ASK_IN_FLIGHT)
            settle_ask_unknown(&t->asks[i], reason);
    }
}

void
task_cancel(struct task *t)
{
    task_settle(t, HOVER_REASON_CANCELLED);
    for (size_t i = 0; t->n_in_flight > 0 && i < t->batch->n_answers; i++) {
        if (t->asks[i].state == ASK_IN_FLIGHT)
            client_hover_cancel(t->asks[i].request);
    }
}

/* ---- answers ---- */

static void
take_timeout(struct ask *a)
{
    struct task *t = a->task;
    window_on_drop(&t->server->window);
    if (t->has_answered) {
        settle_ask_unknown(a, HOVER_REASON_TIMED_OUT);
        return;
    }
    a->state = ASK_AGAIN;
    if (!t->is_probing) {
        t->is_probing = true;
        return; // one of those that were sent together
    }
    if (t->n_in_flight == 0)
        t->n_probes++;
    if (t->n_probes > ENRICH_PROBES || t->server->is_silent) {
        t->server->is_silent = true;
        if (t->n_final == 0) { // each file once
            t->server->n_silent++;
            mute_note_vain(t->server);
        }
        task_settle(t, HOVER_REASON_TIMED_OUT);
    }
}

static void
note_answer(struct ask *a)
{
    struct task *t = a->task;
    int64_t now_us = clock_mono_ns() / 1000;
    if (!t->has_answered)
        t->first_answer_us = now_us;
    t->has_answered = true;
    t->is_probing = false;
    t->server->is_silent = false;
    t->server->n_silent = 0;
    t->server->has_answered = true;
    int64_t from_us = MAX(a->sent_us, t->first_answer_us);
    window_on_answer(&t->server->window, (uint64_t)(now_us - from_us), a->is_alone);
}

/* A server that has not yet said anything of anything may still be loading, whatever it
 * tells of its progress; one that says nothing for long has nothing to say. */
static bool
is_null_believed(const struct task *t)
{
    return t->server->n_good >= ENRICH_GOOD_MIN || t->n_rounds >= ENRICH_ROUNDS_UNPROVEN;
}

/* Perhaps another one killed it, of this file or of one beside it. From then on no file is asked about beside this
 * one, and what is in flight when the server dies again is taken for the cause. */
static bool
may_be_innocent(struct ask *a)
{
    a->task->is_suspect = true;
    return ++a->n_deaths < ENRICH_DEATHS;
}

static void
take_answer(struct ask *a, const struct client_hover *answer)
{
    const struct hover *h = &answer->hover;
    struct task *t = a->task;
    if (h->state == HOVER_UNKNOWN && h->reason == HOVER_REASON_TIMED_OUT) {
        take_timeout(a);
        return;
    }
    if (h->state != HOVER_UNKNOWN || h->reason == HOVER_REASON_FAILED)
        note_answer(a);
    if (answer->n_retries > 0)
        window_on_drop(&t->server->window);
    if (h->state == HOVER_KNOWN)
        t->server->n_good++;
    if (answer->is_provisional) {
        a->state = ASK_LATER;
        t->batch->answers[a - t->asks].hover.reason =
            h->state == HOVER_EMPTY ? HOVER_REASON_STARTING : h->reason;
    } else if (h->state == HOVER_EMPTY && ++a->n_nulls < ENRICH_NULLS) {
        a->state = ASK_AGAIN;
    } else if (h->state == HOVER_EMPTY && !is_null_believed(t)) {
        a->state = ASK_LATER;
        t->batch->answers[a - t->asks].hover.reason = HOVER_REASON_STARTING;
    } else if (h->state == HOVER_UNKNOWN &&
               (h->reason == HOVER_REASON_STARTING ||
                (h->reason == HOVER_REASON_CRASHED && may_be_innocent(a)))) {
        a->state = ASK_AGAIN;
    } else {
        if (h->state == HOVER_EMPTY) // one that was believed lets the next be
            t->server->n_good = MAX(t->server->n_good, (unsigned)ENRICH_GOOD_MIN);
        if (h->state != HOVER_UNKNOWN || h->reason == HOVER_REASON_FAILED)
            mute_note_word(t->server);
        settle_ask(a, h);
    }
}

static void
on_answer(void *ctx, const struct client_hover *answer)
{
    struct ask *a = ctx;
    struct task *t = a->task;
    a->request = NULL;
    a->state = ASK_AGAIN;
    t->n_in_flight--;
    t->server->n_in_flight--;
    if (t->server->e->is_closing)
        return;
    take_answer(a, answer);
    enrich_arm(t->server->e);
}

/* ---- the way ---- */

static void
move(struct task *t, enum task_state state, struct list *at)
{
    if (t->state == TASK_RUNNING)
        t->server->n_running--;
    if (state == TASK_RUNNING)
        t->server->n_running++;
    t->state = state;
    list_remove(&t->link);
    if (state == TASK_RUNNING && t->job->priority == ENRICH_PRIORITIES - 1)
        list_add_first(at, &t->link); // its hovers are sent before the others'
    else
        list_add(at, &t->link);
}

void
task_start(struct task *t)
{
    struct server *s = t->server;
    move(t, TASK_RUNNING, &s->running);
    t->is_open = true;
    t->has_answered = false;
    t->is_probing = s->is_silent;
    client_did_open(s->client, t->job->path, t->job->language_id,
                    snapshot_text(t->job->text));
}

static void
send_ask(struct ask *a)
{
    struct task *t = a->task;
    struct server *s = t->server;
    a->state = ASK_IN_FLIGHT;
    a->is_alone = t->has_answered && s->n_in_flight < WINDOW_MIN;
    a->sent_us = clock_mono_ns() / 1000;
    t->n_in_flight++;
    s->n_in_flight++;
    s->e->n_sent++;
    a->request = client_hover(s->client, t->job->path, t->job->targets[a - t->asks].at,
                              on_answer, a);
}

void
task_fill(struct task *t)
{
    struct server *s = t->server;
    size_t window = t->is_probing ? 1 : SIZE_MAX;
    for (; t->next < t->batch->n_answers; t->next++) {
        struct ask *a = &t->asks[t->next];
        if (a->state != ASK_DUE)
            continue;
        if (s->n_in_flight >= window_size(&s->window))
            window_on_full(&s->window);
        if (s->n_in_flight >= window_size(&s->window) || t->n_in_flight >= window)
            return;
        if (enrich_has_sent(s->e))
            return;
        send_ask(a);
    }
}

static bool
begin_round(struct task *t, enum ask_state from)
{
    bool is_any = false;
    for (size_t i = 0; i < t->batch->n_answers; i++) {
        if (t->asks[i].state == from) {
            t->asks[i].state = ASK_DUE;
            is_any = true;
        }
    }
    if (is_any)
        t->next = 0;
    return is_any;
}

static void
close_file(struct task *t)
{
    if (t->is_open)
        client_did_close(t->server->client, t->job->path);
    t->is_open = false;
}

static void
park(struct task *t)
{
    int64_t pause_ms = (int64_t)t->server->e->park_ms_min << t->n_rounds;
    t->n_rounds++;
    t->wake_ms = clock_mono_ms() + MIN(pause_ms, (int64_t)ENRICH_PARK_MS_MAX);
    close_file(t);
    move(t, TASK_PARKED, &t->server->parked);
}

/* Given up on: each for the reason its last answer had. */
static void
settle_rest(struct task *t)
{
    for (size_t i = 0; i < t->batch->n_answers; i++) {
        if (t->asks[i].state != ASK_FINAL)
            settle_ask_unknown(&t->asks[i], t->batch->answers[i].hover.reason);
    }
}

void
task_step(struct task *t)
{
    if (t->n_in_flight > 0)
        return;
    if (!task_is_settled(t)) {
        if (t->next < t->batch->n_answers || begin_round(t, ASK_AGAIN))
            return;
        if (t->n_rounds < ENRICH_ROUNDS) {
            park(t);
            return;
        }
        t->server->has_unready |= !client_is_quiescent(t->server->client);
        if (t->n_final == 0)
            mute_note_vain(t->server);
        settle_rest(t);
    }
    close_file(t);
    move(t, TASK_DONE, &t->server->e->done);
}

void
task_leave(struct task *t)
{
    settle_rest(t);
    move(t, TASK_DONE, &t->server->e->done);
}

void
task_ask_again(struct task *t)
{
    bool is_any = false;
    for (size_t i = 0; i < t->batch->n_answers && t->n_rounds < ENRICH_ROUNDS; i++) {
        if (t->asks[i].state == ASK_LATER) {
            t->asks[i].state = ASK_AGAIN;
            is_any = true;
        }
    }
    t->n_rounds += is_any;
}

void
task_requeue(struct task *t)
{
    struct list *queue = &t->server->waiting[t->job->priority];
    t->is_open = false;
    if (task_is_settled(t)) {
        move(t, TASK_DONE, &t->server->e->done);
        return;
    }
    begin_round(t, ASK_AGAIN);
    begin_round(t, ASK_LATER);
    move(t, TASK_WAITING, queue->next); // before the others
}
