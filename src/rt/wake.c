/* Why: a sender must be able to lose its processor at any moment without the loop waiting for it. uv_async_send()
 * marks its handle a second time behind the write that wakes the loop, and until then the loop spins: a writer
 * that shares its processor with a language server was taken from it just there, for 3 to 5 ms.
 * Invariant: nothing is to be done behind the write but to drop a reference. */
#include "rt/wake.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct wake {
    uv_poll_t poll; // loop
    void (*fn)(void *ctx);
    void (*on_closed)(void *ctx);
    void *ctx;
    int fd;
    atomic_uint refs;
};

static void
on_readable(uv_poll_t *poll, UNUSED int status, UNUSED int events)
{
    struct wake *w = poll->data;
    eventfd_t n;
    eventfd_read(w->fd, &n);
    w->fn(w->ctx);
}

struct wake *
wake_open(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    struct wake *w = xnew(struct wake);
    w->fn = fn;
    w->ctx = ctx;
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&w->refs, 1);
    if (w->fd < 0 || uv_poll_init(&l->uv, &w->poll, w->fd) < 0)
        abort(); // no descriptor left at start-up
    w->poll.data = w;
    uv_poll_start(&w->poll, UV_READABLE, on_readable);
    return w;
}

void
wake_send(struct wake *w)
{
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
    uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, on_wake_closed);
}
