#pragma once
/* Wakes the loop from any thread; what is sent before the loop looks is one. Inside of this folder. */
#include "base/base.h"
#include "rt/loop.h"

struct wake;

struct wake *wake_open(struct loop *l, void (*fn)(void *ctx), void *ctx) MUST_USE;
/* Any thread, with no lock that the loop may take: it may run before this returns. */
void wake_send(struct wake *w);
/* Any thread. Who sends may have to outlive wake_close(). */
struct wake *wake_ref(struct wake *w) MUST_USE;
void wake_unref(struct wake *w);
/* Loop: fn is not called any more. The descriptor goes with the last reference. */
void wake_close(struct wake *w, void (*on_closed)(void *ctx));
