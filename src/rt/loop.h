#pragma once
/* The one event loop, on the main thread. All other modules' functions run on it unless their
 * header says otherwise. */
#include "base/base.h"

#include <uv.h> // after base.h: its system headers bring a MIN and MAX of their own

struct loop {
    uv_loop_t uv; // uv.data is ours
};

int loop_init(struct loop *l); // the calling thread becomes the loop thread
/* Until no handle is active, or loop_stop(). Whatever is open (pool, mailbox, signals, watch,
 * listener, a started stream, an armed timer, a running child) is active until it is closed. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* Runs what is closing until the loop is empty; then the loop is gone. -EBUSY, and the open handles
 * are listed on stderr, when something was left open: a bug. */
int loop_finish(struct loop *l) MUST_USE;

/* Processors that this process may use, at least 1. Any thread. */
unsigned loop_cpu_count(void);

/* True on the thread of loop_init. */
bool loop_is_loop_thread(void);
#define ASSERT_LOOP() assert(loop_is_loop_thread())
#define ASSERT_WORKER() assert(!loop_is_loop_thread())

/* Calls fn(ctx) from the loop, not before the caller returned. One-shot, cannot be cancelled. */
void loop_defer(struct loop *l, void (*fn)(void *ctx), void *ctx);

/* SIGINT, SIGTERM and SIGHUP call fn until closed; SIGPIPE is ignored for the process. */
struct loop_signals;
struct loop_signals *signals_open(struct loop *l, void (*fn)(void *ctx, int signum),
                                  void *ctx);
void signals_close(struct loop_signals *s);
