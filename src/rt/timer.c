/* Why: the rest of the tree needs timers without uv handles and their two-step end.
 * Invariant: the memory lives until uv has let go of the handle, the callback only until close. */
#include "rt/timer.h"

#include "base/mem.h"

struct timer {
    uv_timer_t handle;
    void (*on_timer)(void *ctx);
    void *ctx;
};

static void
on_fired(uv_timer_t *handle)
{
    struct timer *t = handle->data;
    t->on_timer(t->ctx);
}

struct timer *
timer_open(struct loop *l, void (*on_timer)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    struct timer *t = xnew(struct timer);
    t->on_timer = on_timer;
    t->ctx = ctx;
    uv_timer_init(&l->uv, &t->handle);
    t->handle.data = t;
    return t;
}

void
timer_start(struct timer *t, uint64_t delay_ms, uint64_t repeat_ms)
{
    ASSERT_LOOP();
    /* uv counts from the start of its round; a long callback must not shorten the delay. */
    uv_update_time(t->handle.loop);
    uv_timer_start(&t->handle, on_fired, delay_ms, repeat_ms);
}

void
timer_stop(struct timer *t)
{
    ASSERT_LOOP();
    uv_timer_stop(&t->handle);
}

bool
timer_is_armed(const struct timer *t)
{
    return uv_is_active((const uv_handle_t *)&t->handle) != 0;
}

static void
on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void
timer_close(struct timer *t)
{
    if (!t)
        return;
    ASSERT_LOOP();
    uv_close((uv_handle_t *)&t->handle, on_timer_closed);
}
