/* Why: where neither a WebSocket nor a stream gets through, a client asks again and again, and must not miss or see
 * twice what happened between. Invariant: `next` is behind a row of which everything was given, or nothing of which
 * was wanted; a row is never divided, so an answer may hold more events than `limit`. */
#include "hub/poll.h"

#include "base/clock.h"
#include "base/mem.h"
#include "hub/client.h"
#include "hub/feed.h"
#include "hub/filter.h"
#include "hub/follow.h"
#include "hub/serve.h"
#include "workspace/workspace.h"

struct poll {
    struct follower follower;
    struct workspace *workspace;
    struct timer *timer;
    int64_t due_ms;    // the answer is given then, whatever there is
    size_t limit, n;   // events
    int64_t row;       // that the last event is of
    struct buf begun;  // of the answer, not sent yet
    bool is_answering; // from the first event on
    bool is_over;
};

/* ---- the answer ---- */

static void
add_begin(struct poll *p, const char *reason)
{
    buf_printf(&p->begun, "{\"epoch\":\"%s\",\"recovered\":%s",
               workspace_epoch(p->workspace), reason ? "false" : "true");
    if (reason)
        buf_printf(&p->begun, ",\"reason\":\"%s\"", reason);
    buf_add_cstr(&p->begun, ",\"events\":[");
}

static void
add_end(const struct poll *p, struct buf *b, int64_t next)
{
    buf_printf(b,
               "],\"next\":\"%s:%" PRId64 "\",\"head\":%" PRId64 ",\"first_seq\":%" PRId64
               "}",
               workspace_epoch(p->workspace), next, bus_head(workspace_bus(p->workspace)),
               workspace_first_seq(p->workspace));
}

/* Nothing happened, or nothing can be said but where to go on. */
static void
answer_empty(struct poll *p, int64_t next)
{
    p->is_over = true;
    timer_stop(p->timer);
    add_end(p, &p->begun, next);
    exchange_answer(p->follower.exchange, 200, SERVE_JSON, buf_str(&p->begun));
}

static bool
has_read_all(const struct poll *p)
{
    return sub_cursor(p->follower.sub) >= bus_head(workspace_bus(p->workspace));
}

static void
end(struct poll *p, struct buf *part, int64_t next)
{
    p->is_over = true;
    add_end(p, part, next);
    exchange_end(p->follower.exchange);
}

static void
add_event(struct poll *p, struct buf *part, struct str event)
{
    if (p->n++ > 0)
        buf_add_char(part, ',');
    buf_add_str(part, event);
    p->row = sub_place(p->follower.sub)->seq;
}

/* One more event of the log. What has no place in it is not given: it would be missing from the next answer. */
static enum sub_next
next_event(struct poll *p, struct str *ret_event)
{
    enum sub_next next;
    do
        next = follower_next(&p->follower, ret_event);
    while (next == SUB_FRAME && sub_place(p->follower.sub)->seq == 0);
    return next;
}

static bool
next_part(void *ctx, struct buf *part)
{
    struct poll *p = ctx;
    struct str event;
    size_t before = part->n;
    buf_add_str(part, buf_str(&p->begun));
    buf_reset(&p->begun);
    while (!p->is_over && part->n - before < HUB_FRAME_BYTES_MAX / 2) {
        switch (next_event(p, &event)) {
        case SUB_FRAME:
            /* The first event of another row says that the one before is whole. */
            if (p->n >= p->limit && sub_place(p->follower.sub)->seq != p->row)
                end(p, part, sub_place(p->follower.sub)->seq - 1);
            else
                add_event(p, part, event);
            break;
        case SUB_QUIET:
            if (!has_read_all(p)) // a page is being read; it wakes us
                return false;
            end(p, part, sub_cursor(p->follower.sub));
            break;
        case SUB_BUSY: return true;
        case SUB_LOST: end(p, part, sub_cursor(p->follower.sub)); break;
        }
    }
    return !p->is_over;
}

static void
on_gone(void *ctx)
{
    struct poll *p = ctx;
    timer_close(p->timer);
    buf_finish(&p->begun);
    follower_destroy(&p->follower);
}

/* ---- waiting ---- */

static void
begin_answer(struct poll *p, struct str event)
{
    p->is_answering = true;
    timer_stop(p->timer);
    add_event(p, &p->begun, event);
    exchange_begin(p->follower.exchange, 200, SERVE_JSON);
    exchange_wake(p->follower.exchange);
}

static void
wait_on(struct poll *p, int64_t now_ms)
{
    timer_start(p->timer, (uint64_t)MAX(p->due_ms - now_ms, (int64_t)1), 0);
}

/* Is there an answer now? */
static void
look(struct poll *p)
{
    struct str event;
    int64_t now_ms = clock_mono_ms();
    bool is_due = now_ms >= p->due_ms, is_late = now_ms >= p->due_ms + POLL_LOOK_MS;
    switch (next_event(p, &event)) {
    case SUB_FRAME: begin_answer(p, event); return;
    case SUB_QUIET:
        if (is_late || (is_due && has_read_all(p)))
            answer_empty(p, sub_cursor(p->follower.sub));
        else if (is_due)
            timer_start(p->timer, POLL_LOOK_MS, 0);
        else
            wait_on(p, now_ms);
        return;
    case SUB_BUSY:
        if (is_late)
            answer_empty(p, sub_cursor(p->follower.sub));
        else
            timer_start(p->timer, 0, 0); // others have their turn
        return;
    case SUB_LOST: answer_empty(p, sub_cursor(p->follower.sub)); return;
    }
}

static void
on_timer(void *ctx)
{
    struct poll *p = ctx;
    if (p->follower.sub) {
        look(p);
    } else if (clock_mono_ms() < p->due_ms + POLL_LOOK_MS) {
        timer_start(p->timer, POLL_LOOK_MS, 0);
    } else {
        p->is_over = true;
        exchange_problem(p->follower.exchange, PROBLEM_NOT_READY,
                         "the workspace is being opened");
    }
}

/* ---- what the subscription tells ---- */

static struct poll *
poll_of_owner(struct sub_owner *owner)
{
    return container_of(follower_of_owner(owner), struct poll, follower);
}

static void
on_wake(struct sub_owner *owner)
{
    struct poll *p = poll_of_owner(owner);
    if (p->is_over || !p->follower.sub) // something happened before it began
        return;
    if (p->is_answering)
        exchange_wake(p->follower.exchange);
    else
        look(p);
}

/* What is missing is said at once, and where to go on. */
static void
on_begin(struct sub_owner *owner, struct sub *s, const struct sub_begin *begin)
{
    struct poll *p = poll_of_owner(owner);
    if (p->is_over)
        return;
    p->follower.sub = s;
    add_begin(p, begin->reason);
    if (begin->reason)
        answer_empty(p, begin->from - 1);
}

static void
on_refused(struct sub_owner *owner, const char *request_id UNUSED, enum problem problem,
           const char *detail)
{
    struct poll *p = poll_of_owner(owner);
    if (p->is_over)
        return;
    p->is_over = true;
    timer_stop(p->timer);
    exchange_problem(p->follower.exchange, problem, detail);
}

static void
on_broken(struct sub_owner *owner, const char *why)
{
    struct poll *p = poll_of_owner(owner);
    if (p->is_over)
        return;
    if (!p->is_answering) {
        on_refused(owner, NULL, PROBLEM_OVERLOADED, why);
        return;
    }
    p->is_over = true; // without its end it is no JSON: the client sees that it is cut
    exchange_end(p->follower.exchange);
}

/* ---- the request ---- */

static bool
read_number(struct exchange *x, const char *name, uint64_t min, uint64_t max,
            uint64_t *value)
{
    struct str text;
    return !exchange_argument_view(x, name, &text) ||
           (str_to_u64(text, value) == 0 && *value >= min && *value <= max);
}

static struct poll *
poll_create(struct exchange *x, const struct follow_args *args)
{
    static const struct exchange_stream stream = {.next_part = next_part,
                                                  .on_gone = on_gone};
    struct follower *f = follower_create(x, sizeof(struct poll));
    if (!f)
        return NULL;
    f->is_cloudevents = args->is_cloudevents;
    f->owner.wake = on_wake;
    f->owner.on_begin = on_begin;
    f->owner.on_refused = on_refused;
    f->owner.on_broken = on_broken;
    struct poll *p = container_of(f, struct poll, follower);
    p->workspace = args->workspace;
    p->timer = timer_open(x->hub->loop, on_timer, p);
    exchange_set_stream(x, &stream, p);
    return p;
}

void
poll_serve(struct exchange *x)
{
    uint64_t limit = POLL_LIMIT_DEFAULT, wait_s = 0;
    struct follow_args args = {.workspace = hub_find_workspace(x->hub, x->params[0])};
    if (!args.workspace) {
        exchange_problem(x, PROBLEM_NOT_FOUND, "no workspace of this id is open");
        return;
    }
    if (!read_number(x, "limit", 1, POLL_LIMIT_MAX, &limit) ||
        !read_number(x, "wait", 0, POLL_WAIT_S_MAX, &wait_s)) {
        exchange_problem(x, PROBLEM_BAD_REQUEST,
                         "limit must be a number from 1 to 1000, wait one from 0 to 25");
        return;
    }
    if (!follow_read_args(x, &args))
        return;
    struct poll *p = x->is_head ? NULL : poll_create(x, &args);
    if (!p) {
        filter_destroy(args.sub.filter);
        if (x->is_head)
            exchange_answer(x, 200, SERVE_JSON, STR_NONE);
        return;
    }
    p->limit = (size_t)limit;
    p->due_ms = clock_mono_ms() + (int64_t)wait_s * 1000;
    wait_on(p, clock_mono_ms());
    sub_open(&p->follower.owner, args.workspace, &args.sub);
}
