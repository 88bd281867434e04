/* Why: a sender must be able to lose its processor at any moment without the loop waiting for it. uv_async_send()
 * marks its handle a second time behind the write that wakes the loop, and until then the loop spins. Traced beside
 * clangd, 25 s: 98 spins that came to sched_yield(), up to 0.35 ms, and 2.4 ms at the lock that the sender had.
 * Invariant: nothing is to be done behind the write but to drop a reference. Without a descriptor of its own a
 * wake is libuv's after all, which needs none: a workspace more must not end an engine that has too many of them. */
#include "rt/wake.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct wake {
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_async_t async; // when fd is -1
    } uv;
    void (*fn)(void *ctx);
    void (*on_closed)(void *ctx);
    void *ctx;
    int fd;
    atomic_uint refs;
};

static void
on_readable(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
    struct wake *w = poll->data;
    eventfd_t n;
    assert(status == 0); // else nobody would look again
    eventfd_read(w->fd, &n);
    w->fn(w->ctx);
}

static void
on_async(uv_async_t *async)
{
    struct wake *w = async->data;
    w->fn(w->ctx);
}

static int
open_poll(struct wake *w, struct loop *l)
{
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->fd < 0)
        return -errno;
    int r = uv_poll_init(&l->uv, &w->uv.poll, w->fd);
    if (r < 0) {
        close(w->fd);
        w->fd = -1;
        return r;
    }
    uv_poll_start(&w->uv.poll, UV_READABLE, on_readable);
    return 0;
}

struct wake *
wake_open(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    struct wake *w = xnew(struct wake);
    w->fn = fn;
    w->ctx = ctx;
    atomic_init(&w->refs, 1);
    if (open_poll(w, l) < 0 && uv_async_init(&l->uv, &w->uv.async, on_async) < 0)
        abort(); // cannot be: what it needs is there since loop_init()
    w->uv.handle.data = w;
    return w;
}

void
wake_send(struct wake *w)
{
    if (w->fd < 0)
        uv_async_send(&w->uv.async);
    else
        eventfd_write(w->fd, 1); // fails only when it was not read for 2^64 times
}

struct wake *
wake_ref(struct wake *w)
{
    atomic_fetch_add_explicit(&w->refs, 1, memory_order_relaxed);
    return w;
}

void
wake_unref(struct wake *w)
{
    if (atomic_fetch_sub_explicit(&w->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (w->fd >= 0)
        close(w->fd);
    free(w);
}

static void
on_wake_closed(uv_handle_t *handle)
{
    struct wake *w = handle->data;
    w->on_closed(w->ctx);
    wake_unref(w);
}

void
wake_close(struct wake *w, void (*on_closed)(void *ctx))
{
    ASSERT_LOOP();
    w->on_closed = on_closed;
    if (w->fd >= 0)
        uv_poll_stop(&w->uv.poll);
    uv_close(&w->uv.handle, on_wake_closed);
}
