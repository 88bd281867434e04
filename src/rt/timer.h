#pragma once
/* Timers on the loop. An armed timer does not keep a finishing loop alive once closed. */
#include "base/base.h"
#include "rt/loop.h"

struct timer;

struct timer *timer_open(struct loop *l, void (*on_timer)(void *ctx), void *ctx) MUST_USE;
/* (Re)arms: once after delay_ms, then every repeat_ms if that is not 0. */
void timer_start(struct timer *t, uint64_t delay_ms, uint64_t repeat_ms);
void timer_stop(struct timer *t);
bool timer_is_armed(const struct timer *t);
/* No callback after this; frees itself. NULL is allowed. */
void timer_close(struct timer *t);
