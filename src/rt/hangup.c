/* Why: who serves a connection that only sends may not learn that its peer is gone until a write fails, which may be
 * never; libwebsockets 4.1 even turns the loop round and round until then. Invariant: the descriptor that libuv
 * watches is ours alone, since a second watch on one number, or on a number that its owner closed, is undefined. */
#include "rt/hangup.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

struct hangup {
    uv_poll_t poll;
    int fd; // the copy
    void (*fn)(void *ctx);
    void *ctx;
};

static void
on_hangup(uv_poll_t *poll, UNUSED int status, UNUSED int events)
{
    struct hangup *h = poll->data;
    uv_poll_stop(poll);
    h->fn(h->ctx);
}

int
hangup_open(struct loop *l, int fd, void (*fn)(void *ctx), void *ctx,
            struct hangup **ret_hangup)
{
    ASSERT_LOOP();
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return err_trace(-errno);
    struct hangup *h = xnew(struct hangup);
    int r = uv_poll_init(&l->uv, &h->poll, copy);
    if (r < 0) {
        close(copy);
        free(h);
        return err_trace(r);
    }
    h->poll.data = h;
    h->fd = copy;
    h->fn = fn;
    h->ctx = ctx;
    uv_poll_start(&h->poll, UV_DISCONNECT, on_hangup);
    *ret_hangup = h;
    return 0;
}

static void
on_hangup_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void
hangup_close(struct hangup *h)
{
    if (!h)
        return;
    ASSERT_LOOP();
    uv_close((uv_handle_t *)&h->poll, on_hangup_closed);
    close(h->fd); // libuv let go of it in uv_close()
}
