/* Why: one place owns the uv loop, so that "the loop closes empty" is a fact that can be checked.
 * Invariant: uv.data points at struct loop_private from loop_init until loop_finish returned 0;
 * its two handles are ours and never count as left open. */
#define LOG_MODULE "rt"
#include "rt/loop.h"

#include <signal.h>

#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"

/* How long loop_finish waits for what is closing: a killed child, a read in libuv's own threads. */
#define LOOP_FINISH_WAIT_MS 5000

struct deferred {
    struct list link;
    void (*fn)(void *ctx);
    void *ctx;
};

struct loop_private {
    uv_idle_t idle;      // active while something is deferred
    uv_timer_t deadline; // of loop_finish; unreferenced
    struct list deferred;
    bool is_expired;
    size_t n_open; // what the walk of loop_finish counted
};

static _Thread_local bool is_loop_thread;

bool
loop_is_loop_thread(void)
{
    return is_loop_thread;
}

unsigned
loop_cpu_count(void)
{
    return uv_available_parallelism();
}

int
loop_init(struct loop *l)
{
    int r = uv_loop_init(&l->uv);
    if (r < 0)
        return err_trace(r);

    /* A peer that went away is an error of the write, not the end of the process. */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &ignore, NULL) < 0) {
        r = -errno;
        uv_loop_close(&l->uv);
        return err_trace(r);
    }

    struct loop_private *p = xnew(struct loop_private);
    list_init(&p->deferred);
    l->uv.data = p;
    is_loop_thread = true;
    uv_idle_init(&l->uv, &p->idle);
    p->idle.data = p;
    uv_timer_init(&l->uv, &p->deadline);
    p->deadline.data = p;
    uv_unref((uv_handle_t *)&p->deadline);
    return 0;
}

void
loop_run(struct loop *l)
{
    ASSERT_LOOP();
    uv_run(&l->uv, UV_RUN_DEFAULT);
}

void
loop_stop(struct loop *l)
{
    ASSERT_LOOP();
    uv_stop(&l->uv);
}

static void
on_deadline(uv_timer_t *timer)
{
    struct loop_private *p = timer->data;
    p->is_expired = true;
    uv_stop(timer->loop);
}

static void
run_until_quiet(struct loop *l, struct loop_private *p)
{
    p->is_expired = false;
    uv_update_time(&l->uv);
    uv_timer_start(&p->deadline, on_deadline, LOOP_FINISH_WAIT_MS, 0);
    while (uv_loop_alive(&l->uv) && !p->is_expired)
        uv_run(&l->uv, UV_RUN_DEFAULT);
    uv_timer_stop(&p->deadline);
}

static void
report_open_handle(uv_handle_t *handle, void *ctx)
{
    struct loop_private *p = ctx;
    if (handle == (uv_handle_t *)&p->idle || handle == (uv_handle_t *)&p->deadline)
        return;
    p->n_open++;
    log_error("a handle of type %s was left open%s",
              uv_handle_type_name(uv_handle_get_type(handle)),
              uv_is_closing(handle) ? " (closing)" : "");
}

int
loop_finish(struct loop *l)
{
    if (!l || !l->uv.data)
        return 0;
    ASSERT_LOOP();
    struct loop_private *p = l->uv.data;
    run_until_quiet(l, p);
    p->n_open = 0;
    uv_walk(&l->uv, report_open_handle, p);
    if (p->n_open > 0 || uv_loop_alive(&l->uv)) {
        if (p->n_open == 0)
            log_error("requests were left running");
        return err_trace(-EBUSY);
    }
    uv_close((uv_handle_t *)&p->idle, NULL);
    uv_close((uv_handle_t *)&p->deadline, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    int r = uv_loop_close(&l->uv);
    if (r < 0)
        return err_trace(r);
    free(p);
    l->uv.data = NULL;
    return 0;
}

static void
on_idle(uv_idle_t *idle)
{
    struct loop_private *p = idle->data;
    /* What is deferred meanwhile waits for the next round, so that I/O gets its turn. */
    struct list todo;
    list_init(&todo);
    list_splice(&todo, &p->deferred);
    uv_idle_stop(idle);
    while (!list_is_empty(&todo)) {
        struct deferred *d = list_first(&todo, struct deferred, link);
        list_remove(&d->link);
        void (*fn)(void *ctx) = d->fn;
        void *ctx = d->ctx;
        free(d);
        fn(ctx);
    }
}

void
loop_defer(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    struct loop_private *p = l->uv.data;
    struct deferred *d = xnew(struct deferred);
    d->fn = fn;
    d->ctx = ctx;
    list_add(&p->deferred, &d->link);
    uv_idle_start(&p->idle, on_idle);
}

static const int handled_signals[] = {SIGINT, SIGTERM, SIGHUP};

struct loop_signals {
    uv_signal_t handles[ARRAY_LEN(handled_signals)];
    size_t n_open;
    void (*fn)(void *ctx, int signum);
    void *ctx;
};

static void
on_signal(uv_signal_t *handle, int signum)
{
    struct loop_signals *s = handle->data;
    s->fn(s->ctx, signum);
}

struct loop_signals *
signals_open(struct loop *l, void (*fn)(void *ctx, int signum), void *ctx)
{
    ASSERT_LOOP();
    struct loop_signals *s = xnew(struct loop_signals);
    s->fn = fn;
    s->ctx = ctx;
    for (size_t i = 0; i < ARRAY_LEN(handled_signals); i++) {
        int r = uv_signal_init(&l->uv, &s->handles[i]);
        if (r == 0) {
            s->handles[i].data = s;
            s->n_open++;
            r = uv_signal_start(&s->handles[i], on_signal, handled_signals[i]);
        }
        if (r < 0) {
            /* Only running out of descriptors gets here, at start-up. */
            log_error("cannot catch signals: %s", err_text(r));
            abort();
        }
    }
    return s;
}

static void
on_signal_closed(uv_handle_t *handle)
{
    struct loop_signals *s = handle->data;
    if (--s->n_open == 0)
        free(s);
}

void
signals_close(struct loop_signals *s)
{
    if (!s)
        return;
    ASSERT_LOOP();
    for (size_t i = 0; i < ARRAY_LEN(handled_signals); i++)
        uv_close((uv_handle_t *)&s->handles[i], on_signal_closed);
}
