/* Why: who serves a connection that only sends may not learn that its peer is gone until a write fails, which may be
 * never; libwebsockets 4.1 even turns the loop round and round until then, and while there is a byte that it does not
 * read. Invariant: the descriptor that libuv
 * watches is ours alone, since a second watch on one number, or on a number that its owner closed, is undefined. */
#include "rt/hangup.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

struct hangup {
    uv_poll_t poll;
    int fd; // the copy
    size_t n_bytes;
    void (*fn)(void *ctx);
    void *ctx;
};

/* Throws away what there is, a piece at a time; false: nothing more will come, or too much did. */
static bool
drain(struct hangup *h)
{
    char bytes[4096];
    ssize_t n = recv(h->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    h->n_bytes += (size_t)n;
    return n > 0 && h->n_bytes <= HANGUP_BYTES_MAX;
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
    struct hangup *h = poll->data;
    if (status == 0 && !(events & UV_DISCONNECT) && drain(h))
        return;
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
    uv_poll_start(&h->poll, UV_READABLE | UV_DISCONNECT, on_poll);
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
