/* Loop, deferred calls, signals, timers. */
#include <signal.h>

#include "rt/check.h"
#include "rt/queue.h"
#include "rt/ready.h"
#include "rt/timer.h"

static void
test_loop_empty(UNUSED void **state)
{
    OPEN_LOOP(l);
    loop_run(&l); // nothing is open: back at once
    FINISH_LOOP(l);
    assert_int_equal(loop_finish(NULL), 0);
    struct loop zeroed = {0};
    assert_int_equal(loop_finish(&zeroed), 0);
}

static void
note_thread(void *ctx)
{
    *(bool *)ctx = loop_is_loop_thread();
}

static void
test_loop_thread(UNUSED void **state)
{
    OPEN_LOOP(l);
    bool is_loop_thread = true;
    thread_join(thread_start("probe", note_thread, &is_loop_thread));
    assert_false(is_loop_thread);
    assert_true(loop_is_loop_thread());
    FINISH_LOOP(l);
}

struct defer_case {
    struct loop *l;
    char order[8];
    size_t n;
};

static void
defer_c(void *ctx)
{
    struct defer_case *c = ctx;
    c->order[c->n++] = 'c';
}

static void
defer_a(void *ctx)
{
    struct defer_case *c = ctx;
    loop_defer(c->l, defer_c, c);
    c->order[c->n++] = 'a';
}

static void
defer_b(void *ctx)
{
    struct defer_case *c = ctx;
    c->order[c->n++] = 'b';
}

static void
test_defer(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct defer_case c = {.l = &l};
    loop_defer(&l, defer_a, &c);
    loop_defer(&l, defer_b, &c);
    assert_int_equal(c.n, 0);
    loop_run(&l);
    assert_string_equal(c.order, "abc");
    loop_defer(&l, defer_b, &c); // loop_finish runs it too
    FINISH_LOOP(l);
    assert_string_equal(c.order, "abcb");
}

static void
stop_loop(void *ctx)
{
    loop_stop(ctx);
}

static void
test_loop_stop(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct timer *t = timer_open(&l, stop_loop, &l);
    timer_start(t, 0, 1); // stays armed
    loop_run(&l);
    assert_true(timer_is_armed(t));
    timer_close(t);
    FINISH_LOOP(l);
}

static void
test_finish_tells_what_is_open(UNUSED void **state)
{
    OPEN_LOOP(l);
    bool fired = false;
    struct timer *t = timer_open(&l, set_flag, &fired);
    assert_int_equal(loop_finish(&l), -EBUSY);
    timer_close(t);
    FINISH_LOOP(l);
    assert_false(fired);
}

struct signal_case {
    int signum;
    bool came;
};

static void
note_signal(void *ctx, int signum)
{
    struct signal_case *c = ctx;
    c->signum = signum;
    c->came = true;
}

static void
test_signals(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct signal_case c = {0};
    struct loop_signals *s = signals_open(&l, note_signal, &c);
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        c.came = false;
        raise(signals[i]);
        run_until(&l, &c.came);
        assert_int_equal(c.signum, signals[i]);
    }
    struct sigaction now;
    sigaction(SIGPIPE, NULL, &now);
    assert_true(now.sa_handler == SIG_IGN);
    signals_close(s);
    signals_close(NULL);
    FINISH_LOOP(l);
}

struct timer_case {
    struct timer *t;
    int n;
    bool is_over;
};

static void
count_to_three(void *ctx)
{
    struct timer_case *c = ctx;
    if (++c->n < 3)
        return;
    c->is_over = true;
    timer_close(steal(c->t));
}

static void
test_timer_repeats(UNUSED void **state)
{
    OPEN_LOOP(l);
    struct timer_case c = {0};
    c.t = timer_open(&l, count_to_three, &c);
    assert_false(timer_is_armed(c.t));
    int64_t start_ms = clock_mono_ms();
    timer_start(c.t, 10, 5);
    assert_true(timer_is_armed(c.t));
    loop_run(&l); // ends when the timer closes itself
    assert_true(c.is_over);
    assert_int_equal(c.n, 3);
    assert_true(clock_mono_ms() - start_ms >= 18); // the kernel's clock may round
    timer_close(NULL);
    FINISH_LOOP(l);
}

static void
test_timer_stop(UNUSED void **state)
{
    OPEN_LOOP(l);
    bool stopped = false, later = false, rearmed = false;
    struct timer *a = timer_open(&l, set_flag, &stopped);
    struct timer *b = timer_open(&l, set_flag, &later);
    struct timer *c = timer_open(&l, set_flag, &rearmed);
    timer_start(a, 1, 0);
    timer_start(c, 3600000, 0);
    timer_start(c, 1, 0);
    timer_start(b, 20, 0);
    timer_stop(a);
    assert_false(timer_is_armed(a));
    run_until(&l, &later);
    assert_false(stopped);
    assert_true(rearmed);
    assert_false(timer_is_armed(b));
    timer_close(a);
    timer_close(b);
    timer_start(c, 0, 0);
    rearmed = false;
    timer_close(c); // armed, and silent from here on
    FINISH_LOOP(l);
    assert_false(rearmed);
}

/* Told once; then the descriptor is nobody's, and its number may be another's. */
static void
test_ready(UNUSED void **state)
{
    OPEN_LOOP(l);
    int ends[2], again[2];
    bool is_told = false, is_ended = false;
    struct ready *r = NULL;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(ready_open(&l, ends[0], set_flag, &is_told, &r), 0);
    uv_run(&l.uv, UV_RUN_NOWAIT);
    assert_false(is_told);
    assert_int_equal(write(ends[1], "x", 1), 1);
    run_until(&l, &is_told);
    is_told = false;
    uv_run(&l.uv, UV_RUN_NOWAIT); // it can still be read, and that was told
    assert_false(is_told);
    ready_close(r);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(pipe(again), 0);
    assert_int_equal(ready_open(&l, again[0], set_flag, &is_ended, &r), 0);
    close(again[1]);
    run_until(&l, &is_ended);
    ready_close(r);
    ready_close(NULL);
    close(again[0]);
    FINISH_LOOP(l);
}
