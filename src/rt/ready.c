/* Why: a library that has a socket of its own, and whose calls belong on a worker, has something to do when
 * that can be read. Invariant: libuv has let go of the descriptor when ready_close() returns, so that another
 * thread may close it and a third one get its number. */
#include "rt/ready.h"

#include "base/err.h"
#include "base/mem.h"

struct ready {
    uv_poll_t poll;
    void (*fn)(void *ctx);
    void *ctx;
};

static void
on_ready(uv_poll_t *poll, UNUSED int status, UNUSED int events)
{
    struct ready *r = poll->data;
    uv_poll_stop(poll);
    r->fn(r->ctx);
}

int
ready_open(struct loop *l, int fd, void (*fn)(void *ctx), void *ctx,
           struct ready **ret_ready)
{
    ASSERT_LOOP();
    struct ready *ready = xnew(struct ready);
    int r = uv_poll_init(&l->uv, &ready->poll, fd);
    if (r < 0) {
        free(ready);
        return err_trace(r);
    }
    ready->poll.data = ready;
    ready->fn = fn;
    ready->ctx = ctx;
    uv_poll_start(&ready->poll, UV_READABLE | UV_DISCONNECT, on_ready);
    *ret_ready = ready;
    return 0;
}

static void
on_ready_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void
ready_close(struct ready *r)
{
    if (!r)
        return;
    uv_poll_stop(&r->poll);
    uv_close((uv_handle_t *)&r->poll, on_ready_closed);
}
