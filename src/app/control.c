/* A command of ours asks the running engine, over the same socket and protocol as an editor. */
#include "app/app.h"
#include "base/err.h"
#include "base/mem.h"

struct control {
    struct loop loop;
    struct wire *wire;
    struct loop_signals *signals;
    control_notification_fn on_notification;
    void *ctx;
    bool is_waiting, is_ended;
    int r;
    json_t *result;
    char *why;
};

static void
stop_waiting(struct control *c, int r)
{
    c->r = r;
    c->is_waiting = false;
    loop_stop(&c->loop);
}

static void
on_request(void *ctx, const struct wire_id *id, const char *method UNUSED,
           json_t *params UNUSED)
{
    struct control *c = ctx;

    wire_reply_error(c->wire, id, WIRE_METHOD_NOT_FOUND, "a command answers nothing");
}

static void
on_notification(void *ctx, const char *method, json_t *params)
{
    struct control *c = ctx;

    /* Also behind the answer in the same read, when the loop was told to stop. */
    if (c->on_notification && c->on_notification(c->ctx, method, params) != 0)
        stop_waiting(c, -ECANCELED);
}

static void
on_end(void *ctx, int r, const char *why UNUSED)
{
    struct control *c = ctx;

    c->is_ended = true;
    if (c->is_waiting)
        stop_waiting(c, r < 0 ? r : -EPIPE);
}

static void
on_signal(void *ctx, int signum UNUSED)
{
    stop_waiting(ctx, -EINTR);
}

static const struct wire_events wire_events = {
    .on_request = on_request, .on_notification = on_notification, .on_end = on_end};

int
control_open(bool start, struct control **ret_control, char **ret_why)
{
    struct control *c = xnew(struct control);
    struct stream *stream = NULL;
    int r = loop_init(&c->loop);

    if (r == 0)
        r = engine_connect(&c->loop, start, &stream, ret_why);
    if (r < 0) {
        if (loop_finish(&c->loop) < 0)
            abort();
        free(c);
        return r;
    }
    c->signals = signals_open(&c->loop, on_signal, c);
    c->wire = wire_open(&c->loop, stream, NULL, &wire_events, c);
    *ret_control = c;
    return 0;
}

static void
on_answer(void *ctx, const struct wire_answer *answer)
{
    struct control *c = ctx;

    if (answer->r == 0)
        c->result = answer->result ? json_incref(answer->result) : json_null();
    else
        c->why =
            xstrdup(answer->error_message ? answer->error_message : "the engine is gone");
    stop_waiting(c, answer->r);
}

static int
wait_for_it(struct control *c, control_notification_fn fn, void *ctx)
{
    c->on_notification = fn;
    c->ctx = ctx;
    c->is_waiting = true;
    if (c->is_ended)
        return -EPIPE;
    loop_run(&c->loop);
    return c->r;
}

int
control_request(struct control *c, const char *method, json_t *params,
                control_notification_fn fn, void *ctx, json_t **ret_result,
                char **ret_why)
{
    int r;

    wire_request(c->wire, method, params, on_answer, c);
    r = wait_for_it(c, fn, ctx);
    *ret_why = steal(c->why);
    if (r == 0)
        *ret_result = steal(c->result);
    else if (!*ret_why)
        *ret_why = xstrdup(r == -EINTR ? "interrupted" : err_text(r));
    return r;
}

int
control_listen(struct control *c, control_notification_fn fn, void *ctx)
{
    int r = wait_for_it(c, fn, ctx);

    return r == -EINTR ? 0 : r;
}

void
control_close(struct control *c)
{
    if (!c)
        return;
    wire_close(c->wire);
    signals_close(c->signals);
    json_decref(c->result);
    free(c->why);
    if (loop_finish(&c->loop) < 0)
        abort();
    free(c);
}
